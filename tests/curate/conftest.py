"""Small recordings made of tones and pauses, and recipes over them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

RATE = 16000
MODELS = """
[models]
events = false
turns = false
speaker = false
quality = []
language = false
asr = {}
"""


def tone(seconds: float, pitch: float, *, level: float = 0.3, rate: int = RATE, seed: int = 0) -> NDArray[np.float32]:
    """A voice-like buzz with a changing pitch, in syllables, between 0.2 s of near silence.

    Between syllables it is nearly silent for a moment, as speech is: what never pauses is taken for noise.
    """
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    wander = pitch * (1 + 0.2 * np.sin(2 * np.pi * (1 + seed % 5) * time / 2 + seed))
    phase = 2 * np.pi * np.cumsum(wander) / rate
    sound = sum(np.sin(k * phase) / k for k in range(1, 99) if k * pitch * 1.2 < rate / 2)
    # as uneven as speech: what is even and straight is taken for clipped
    swell = (0.6 + 0.4 * np.cos(2 * np.pi * time)) ** 1.5
    syllable = np.clip(20 * np.abs(np.cos(np.pi * time / 0.35)) - 12, 0.001, 1)
    voiced = level * swell * syllable * np.asarray(sound) / 2
    edge = 0.0005 * random.standard_normal(round(0.2 * rate))
    sound = np.concatenate([edge, voiced + 0.0005 * random.standard_normal(len(voiced)), edge])
    return sound.astype(np.float32)


@pytest.fixture
def make_table(tmp_path: Path) -> Callable[..., Path]:
    """Write a table source of generated clips; returns the folder. Clip i has its own pitch, text and speaker."""

    def make(name: str = "clips", count: int = 6, *, language: str = "ko", first: int = 0) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        lines = ["audio\ttext\tspeaker"]
        for i in range(first, first + count):
            soundfile.write(folder / f"{i:03d}.wav", tone(2.0, 90 + 17 * i, seed=i), RATE, subtype="PCM_16")
            lines.append(f"{i:03d}.wav\t문장 번호 {'가나다라마바사아자차카타파하'[i % 14]}{i * '아'}\twho{i % 3}")
        (folder / "index.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    return make


@pytest.fixture
def write_recipe(tmp_path: Path) -> Callable[..., Path]:
    """Write a recipe over table folders, with no model but the fakes' columns judged."""

    def write(*folders: Path, more: str = "", name: str = "recipe.toml") -> Path:
        sources = "".join(
            f'[[source]]\nid = "{folder.name}"\nkind = "table"\npath = "{folder / "index.tsv"}"\n'
            'language = "ko"\nlicence = "own"\n'
            for folder in folders
        )
        path = tmp_path / name
        path.write_text(sources + MODELS + more, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def tone_aligner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CTC model, trained on tones: a folder as on Hugging Face. Copy it before you change it."""
    from tests.curate.models import tones

    return tones.checkpoint(tmp_path_factory.mktemp("tones") / "model")
