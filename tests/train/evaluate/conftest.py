"""One evaluation on the tiny model, made once for the tests of a session; copy it before you change it."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.train.conftest import write_corpus
from train.evaluate.evaluation import evaluate
from train.evaluate.plan import Settings
from train.evaluate.synthesis import Speaking


def everything(settings: Settings) -> list:
    """Run an evaluation to its end; what it told."""
    return list(evaluate(settings))


@pytest.fixture(scope="session")
def wide_corpus(tmp_path_factory) -> Path:
    """Four held-out clips a language, in the split validation."""
    return write_corpus(tmp_path_factory.mktemp("wide") / "corpus", each=20)


@pytest.fixture(scope="session")
def adapters(wide_corpus, tiny, tmp_path_factory) -> dict[str, Path]:
    """Two short runs, of rank 2 and 4, whose validations have the draws that the evaluation has."""
    from train import config, finetune

    place, runs = tmp_path_factory.mktemp("runs"), {}
    for rank in (2, 4):
        runs[f"r{rank}"] = place / f"r{rank}"
        table = {"corpus": str(wide_corpus), "model": str(tiny), "into": str(runs[f"r{rank}"])}
        words = [f"adapter.rank={rank}", "optimizer.learning_rate=0.01", "batch.tokens=300", "train.steps=4"]
        often = ["train.validate_every=4", "train.save_every=4", "train.device=cpu", "train.validation_draws=2"]
        finetune.start(config.build(table, [*words, *often]))
        list(finetune.train(runs[f"r{rank}"]))
    return runs


@pytest.fixture(scope="session")
def settings(wide_corpus, adapters, tmp_path_factory) -> Settings:
    """Both adapters, two sentences a language, spoken twice in two steps; no predicted quality, which takes time."""
    return Settings(
        corpus=wide_corpus, into=tmp_path_factory.mktemp("evaluated") / "evaluation",
        runs=[*map(str, adapters.values())], most=2, draws=2, quality=False, speaking=Speaking(timesteps=2),
    )  # fmt: skip


@pytest.fixture(scope="session")
def evaluated(settings) -> Iterator[Path]:
    """The folder of an evaluation that is complete."""
    everything(settings)
    return settings.into


@pytest.fixture(scope="session")
def other_tiny(tmp_path_factory) -> Path:
    """Another base model of the same shapes."""
    from train.model import tiny

    return tiny.make(tmp_path_factory.mktemp("other") / "tiny", seed=1)


@pytest.fixture
def again(settings, evaluated, tmp_path):
    """A copy of the evaluation, and the settings that go on in it."""
    import shutil

    shutil.copytree(evaluated, tmp_path / "evaluation")
    return dataclasses.replace(settings, into=tmp_path / "evaluation")
