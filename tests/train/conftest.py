"""A synthetic corpus and a tiny model, shared by all training tests."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

SECONDS = (0.8, 1.0, 1.3, 1.6)
TEXTS = {"km": "ក ខ គ ឃ ង ច ឆ ជ ឈ ញ", "ko": "나는 오늘 학교에 갔다"}
SPLITS = ("train", "train", "train", "train", "validation")


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    import torch

    torch.set_num_threads(1)


def write_corpus(folder: Path, *, each: int = 5, rate: int = 22050, languages=("km", "ko")) -> Path:
    """A corpus as `curate run` leaves it: a manifest with one dropped row, and clips of tone and noise."""
    from curate import audio

    rows = []
    for language in languages:
        for number in range(each):
            seconds = SECONDS[number % len(SECONDS)]
            rows.append(_row(f"{language}{number:014d}", SPLITS[number % len(SPLITS)], language, seconds))
            audio.write_flac(_place(folder, rows[-1]["id"]), _sound(number, language, seconds, rate), rate)
    rows.append(_row("dropped000000000", None, "km", 2.0) | {"drop": "noisy", "training_text": None})
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "manifest.parquet")
    return folder


def _row(name: str, split: str | None, language: str, seconds: float) -> dict:
    text = f"({ {'km': 'Khmer', 'ko': 'Korean'}[language] }){TEXTS[language]}"
    return {
        "id": name, "split": split, "language": language, "speaker": "a", "training_text": text, "seconds": seconds,
        "drop": None,
    }  # fmt: skip


def _place(folder: Path, name: str) -> Path:
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    return folder / "clips" / f"{name}.flac"


def _sound(number: int, language: str, seconds: float, rate: int) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * (150 + 40 * number + 100 * (language == "ko")) * time)
    noise = np.random.default_rng(number).normal(size=len(time))
    return (0.2 * tone + 0.02 * noise).astype(np.float32)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """The tiny checkpoint, made once."""
    from train.model import tiny as making

    return making.make(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory, tiny) -> Path:
    """A corpus in two languages whose latents are already encoded; do not write into it."""
    from train.data import corpus as reading
    from train.data import latents

    folder = write_corpus(tmp_path_factory.mktemp("corpus"))
    list(latents.Latents(folder / "latents", tiny).encode(reading.read(folder), device="cpu"))
    return folder


@pytest.fixture
def make_corpus(tmp_path):
    """Write a corpus of one's own, without latents."""

    def make(**settings) -> Path:
        return write_corpus(tmp_path / "corpus", **settings)

    return make


@pytest.fixture(scope="module")
def make_corpus_of_module(tmp_path_factory):
    """The same, for a corpus that the tests of a module share."""
    return lambda **settings: write_corpus(tmp_path_factory.mktemp("corpora"), **settings)


@pytest.fixture
def make_run(corpus, tiny, tmp_path):
    """Start a run on the shared corpus; settings as on the command line."""
    return _maker(corpus, tiny, tmp_path)


@pytest.fixture(scope="module")
def make_run_of_module(corpus, tiny, tmp_path_factory):
    """The same, for runs that the tests of a module share."""
    return _maker(corpus, tiny, tmp_path_factory.mktemp("runs"))


def _maker(corpus: Path, tiny: Path, place: Path) -> Callable[..., Path]:
    from train import config, finetune

    def make(name: str, *settings: str, source: Path = corpus, model: Path = tiny) -> Path:
        table = {"corpus": str(source), "model": str(model), "into": str(place / name)}
        short = ["adapter.rank=4", "optimizer.learning_rate=0.01", "batch.tokens=300", "train.steps=6"]
        often = ["train.validate_every=3", "train.save_every=3", "train.device=cpu", "train.validation_draws=1"]
        finetune.start(config.build(table, [*short, *often, *settings]))
        return place / name

    return make


@pytest.fixture
def late(monkeypatch):
    """As on a GPU: the losses of a step are read when the next one has been launched."""
    from train.trainer import Trainer

    order, (launch, read, fresh) = [], (Trainer.launch, Trainer.read, Trainer.fresh)

    def made(*words):
        trainer = fresh(*words)
        trainer.late = True
        return trainer

    def launched(trainer, state, *words):
        order.append(("launch", state.step))
        return launch(trainer, state, *words)

    def has_read(trainer, step):
        order.append(("read", step.step))
        return read(trainer, step)

    monkeypatch.setattr(Trainer, "fresh", made)
    monkeypatch.setattr(Trainer, "launch", launched)
    monkeypatch.setattr(Trainer, "read", has_read)
    return order
