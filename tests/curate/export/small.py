"""A corpus of a few clips, cut and tagged, for the tests of exports; and what two exports have in common."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from curate import audio, outputs
from curate.corpus import Corpus
from curate.export import formats
from curate.recipe import Recipe
from tests.curate.frames import clips

WHERE = (
    ("train", 48000, "가 나"), ("train", 22050, "가 나"), ("train", 16000, "who|b"), ("validation", 24000, "c"),
    ("validation", 16000, "c"), ("test", 44100, None),
)  # fmt: skip


def rows(count: int = 6, **more: Any) -> list[dict[str, Any]]:
    """Rows in both languages, of several rates and people; one was dropped."""
    made = []
    for i in range(count):
        split, rate, person = WHERE[i % len(WHERE)]
        frames = rate + 777 * i
        made.append(
            {
                "id": f"{i:015x}{'-2' if i == 1 else 'f'}", "split": split, "rate": rate, "person": person,
                "cut_start": 100, "cut_end": 100 + frames, "seconds": frames / rate,
                "language": ("km", "ko")[i % 2], "text": f'{i}번 "글"\t\\', "spoken": f"말 {i}\n번",
                "words": f"말|{i}|번", "source": ("studio", "radio")[i % 3 == 2],
                "training_text": f"(Korean)말 {i} 번", "licence": ("CC-BY-4.0", "own")[i % 3 == 2],
                "attribution": "그 사람 | a\tb", "url": "https://a.example/?x=1",
            } | more
        )  # fmt: skip
    return [*made, {"id": "dropped", "drop": "noisy", "rate": 16000, "split": None}]


def sound_of(number: int, rate: int, frames: int, level: float = 0.1) -> audio.Samples:
    """A clip of its own pitch and noise."""
    random = np.random.default_rng(number)
    tone = np.sin(2 * np.pi * (150 + 20 * number) * np.arange(frames) / rate)
    return (level * tone + 0.01 * random.standard_normal(frames)).astype(np.float32)


def corpus(folder: Path, made: list[dict[str, Any]] | None = None) -> tuple[Corpus, pl.DataFrame]:
    """A corpus whose clips are cut; a row without `split` has none."""
    wanted = made if made is not None else rows()
    frame = clips(wanted)
    for number, row in enumerate(wanted):
        if row.get("split"):
            samples = sound_of(number, row["rate"], row["cut_end"] - row["cut_start"])
            audio.write_flac(folder / "clips" / f"{row['id']}.flac", samples, row["rate"])
    return Corpus(folder), frame


def recipe(**told: Any) -> Recipe:
    """A recipe with the sources of the rows."""
    sources = [
        {"id": id, "kind": "table", "path": f"{id}.tsv", "licence": licence, "language": "ko"}
        for id, licence in (("studio", "CC-BY-4.0"), ("radio", "own"))
    ]
    return Recipe.model_validate({"corpus": {"name": 'A "corpus"', **told}, "source": sources})


def export(made: tuple[Corpus, pl.DataFrame], format: str, into: Path | None = None, **sound: Any) -> outputs.Exported:
    """Export with the format's usual sound, changed as asked."""
    wanted = formats.sound(format, **sound)
    return outputs.export(made[0], recipe(), made[1], format=format, into=into, sound=wanted, workers=2)


def contents(folder: Path) -> Mapping[str, str]:
    """Every file below a folder with the hash of its bytes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
