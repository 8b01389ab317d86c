"""Small corpora in the true layouts of the public ones, made of tones, and their reading."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile

from curate.errors import UserError
from curate.ingest import Ingested, read
from curate.recipe import Recipe

RATE = 8000


def sound(
    path: Path, seconds: float = 0.1, *, rate: int = RATE, pitch: float = 440.0, format: str | None = None
) -> Path:
    """A tone, in the format of the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.3 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)
    soundfile.write(path, wave.astype(np.float32), rate, format=format)
    return path


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """A text file in some encoding, its line ends as they are given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def recipe(path: Path, kind: str, **more: Any) -> Recipe:
    source = {"id": "s", "kind": kind, "path": str(path), "licence": "own", "language": "ko", **more}
    return Recipe.model_validate({"source": [source]})


def found(path: Path, kind: str, *, unpacked: Path | None = None, **more: Any) -> Ingested:
    return read(recipe(path, kind, **more), unpacked=unpacked)


def rows(path: Path, kind: str, *, unpacked: Path | None = None, **more: Any) -> pl.DataFrame:
    return found(path, kind, unpacked=unpacked, **more).rows


def refused(path: Path, kind: str, *, unpacked: Path | None = None, **more: Any) -> str:
    with pytest.raises(UserError) as caught:
        rows(path, kind, unpacked=unpacked, **more)
    said = str(caught.value)
    assert "\n" not in said
    return said
