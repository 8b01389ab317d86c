"""Which device models run on, and what is said where it is not there."""

from pathlib import Path

import pytest

from curate.errors import UserError
from curate.measures import catalogue
from curate.models import compute
from curate.recipe import Recipe
from tests.curate.recipes import SOURCE, read


def test_auto_is_a_gpu_only_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "gpus", lambda: 0)
    assert compute.chosen("auto") == "cpu"
    monkeypatch.setattr(compute, "gpus", lambda: 2)
    assert compute.chosen("auto") == "cuda"
    assert compute.chosen("cpu") == "cpu"
    compute.require("cuda:1")
    with pytest.raises(UserError, match="there are 2"):
        compute.require("cuda:2")


def test_a_gpu_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "gpus", lambda: 0)
    compute.require("cpu")
    with pytest.raises(UserError, match=r'no GPU is found here; say --set models.device="cpu"'):
        compute.require("cuda")
    with pytest.raises(UserError, match="no device 'tpu'"):
        compute.index("tpu")


def _fingerprints(asked: Recipe) -> dict[str, tuple[str, str]]:
    return {each.name: (each.device, each.fingerprint) for each in catalogue.of(asked).all()}


def test_the_large_models_go_to_the_gpu_and_their_answers_are_kept_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compute, "gpus", lambda: 0)
    here = _fingerprints(read(tmp_path, SOURCE))
    monkeypatch.setattr(compute, "gpus", lambda: 1)
    there = _fingerprints(read(tmp_path, SOURCE))
    moved = {name for name, (device, _) in there.items() if device == "cuda"}
    assert moved == {"turns", "overlap", "language", "heard-ko", "heard_again-ko", "aligned-ko", "embedding"}
    assert {name for name in here if here[name][1] != there[name][1]} == moved
    assert _fingerprints(read(tmp_path, SOURCE, "models.device=cpu")) == here
