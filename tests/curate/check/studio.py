"""Small sources and their recipes, and whether something is warned of, for the tests of `curate check`."""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from curate.check import check
from curate.recipe import Recipe

RATE = 8000
REVISION = "0" * 40


def sound(path: Path, seconds: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(round(seconds * RATE), dtype=np.float32), RATE)
    return path


def table(folder: Path, rows: list[str], header: str = "audio\ttext\tlanguage\tspeaker") -> str:
    (folder / "index.tsv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(folder / "index.tsv")


def studio(folder: Path, **changed: Any) -> Recipe:
    """Two Korean and one Khmer clip of 1 s, with text, by two speakers."""
    for name in ("a", "b", "c"):
        sound(folder / f"{name}.wav")
    rows = ["a.wav\t가\tko\tx", "b.wav\t나\tko\ty", "c.wav\tក\tkm\tz"]
    source = {"id": "studio", "kind": "table", "path": table(folder, rows), "licence": "own"}
    return Recipe.model_validate({"source": [source | changed.pop("source", {})], **changed})


def warned(recipe: Recipe, *words: str) -> bool:
    return any(all(word in line for word in words) for line in check(recipe)["warnings"])


def kss(folder: Path, **more: Any) -> dict[str, Any]:
    sound(folder / "kss" / "1" / "1_0000.wav")
    sound(folder / "kss" / "1" / "1_0001.wav")
    (folder / "kss" / "transcript.v.1.4.txt").write_text("1/1_0000.wav|가|가|가|1.0|a\nbad line\n", encoding="utf-8")
    return {
        "id": "kss",
        "kind": "kss",
        "path": str(folder / "kss"),
        "licence": "CC-BY-NC-SA-4.0",
        "language": "ko",
        **more,
    }
