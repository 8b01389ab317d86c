"""The units of many texts found at once and kept: of any of them they are looked up later, by another command too."""

import hashlib
import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from curate import files
from curate.text import coverage
from curate.text.coverage.found import Numbers

NEEDED = ("id", "language", "spoken", "pronounced")
SMALL = 2_000  # clips: of fewer the units are found as quickly as they are read
LARGE = 200_000  # clips: of more they take memory that may not be there


class _Found(NamedTuple):
    """The units of one language's clips: clip i has numbers[starts[i]:starts[i + 1]], each a row of the table."""

    table: pl.DataFrame
    starts: Numbers
    numbers: Numbers


class Known:
    """The units of clips (NEEDED), for whoever is going to ask about some of them: `units` as `coverage.units`."""

    def __init__(self, clips: pl.DataFrame, found: dict[str, _Found] | None = None) -> None:
        own = {language: clips.filter(pl.col("language") == language) for language in coverage.LANGUAGES}
        self.found = found or {language: _find(clips, language) for language, clips in own.items()}
        self._places = {
            language: clips.select("id", "spoken", "pronounced").with_row_index("place")
            for language, clips in own.items()
        }

    def units(self, clips: pl.DataFrame, language: str) -> tuple[pl.DataFrame, Numbers, Numbers]:
        """The same as `coverage.units` of these clips; they are found anew where a clip or its text is another."""
        table, starts, numbers = self.found[language]
        asked = clips.select("id", "spoken", "pronounced")
        place = asked.join(
            self._places[language], on=["id", "spoken", "pronounced"], how="left", nulls_equal=True,
            maintain_order="left",
        )["place"]  # fmt: skip
        if place.null_count():
            return coverage.units(clips, language)
        first = starts[place.to_numpy()]
        lengths = starts[place.to_numpy() + 1] - first
        rows = np.repeat(np.arange(len(lengths)), lengths)
        found = numbers[np.arange(lengths.sum()) + np.repeat(first - np.cumsum(lengths) + lengths, lengths)]
        there = np.bincount(found, minlength=table.height) > 0
        return table.filter(pl.Series(there)), rows, (np.cumsum(there) - 1)[found]


def known(clips: pl.DataFrame, cache: Path) -> Known | None:
    """The units of the texts of these clips (NEEDED): read from `cache`, else found and written there.

    None of so few or so many clips that keeping them does not pay. The cache is a NumPy archive that holds the digest
    of what it is of; one that is of other texts, or broken, is made anew.
    """
    if not SMALL <= clips.height <= LARGE:
        cache.unlink(missing_ok=True)
        return None
    digest = _digest(clips)
    if found := _read(cache, digest):
        return Known(clips, found)
    made = Known(clips)
    _write(cache, digest, made.found)
    return made


def kept(clips: pl.DataFrame, cache: Path) -> Known | None:
    """As `known`, but only what the cache holds of just these texts: nothing is written."""
    found = _read(cache, _digest(clips)) if SMALL <= clips.height <= LARGE else None
    return Known(clips, found) if found else None


def _find(clips: pl.DataFrame, language: str) -> _Found:
    table, rows, numbers = coverage.units(clips, language)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=clips.height))])
    return _Found(table, starts, numbers.astype(np.int32))


def _digest(clips: pl.DataFrame) -> str:
    """Of the texts, clip by clip, and of how units are found."""
    digest = hashlib.sha256(f"coverage {coverage.VERSION}".encode())
    for name in NEEDED:
        joined = clips.select(pl.col(name).fill_null("\0").str.join("\n")).item()
        digest.update(f"\n{name}\n{joined}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _read(cache: Path, digest: str) -> dict[str, _Found] | None:
    try:
        with np.load(BytesIO(cache.read_bytes()), allow_pickle=False) as kept:
            if kept["digest"].item() != digest:
                return None
            return {language: _found(kept, language) for language in coverage.LANGUAGES}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _found(kept: "np.lib.npyio.NpzFile", language: str) -> _Found:
    names = json.loads(kept[f"{language}_names"].tobytes())
    table = pl.DataFrame(names, schema={"kind": pl.String, "unit": pl.String}, orient="row")
    return _Found(table, kept[f"{language}_starts"], kept[f"{language}_numbers"])


def _write(cache: Path, digest: str, found: dict[str, _Found]) -> None:
    content: dict[str, Numbers] = {"digest": np.array(digest)}
    for language, (table, starts, numbers) in found.items():
        names = json.dumps(table.rows(), ensure_ascii=False).encode()
        content |= {
            f"{language}_names": np.frombuffer(names, dtype=np.uint8),
            f"{language}_starts": starts, f"{language}_numbers": numbers,
        }  # fmt: skip
    archive = BytesIO()
    np.savez(archive, **content)  # type: ignore[arg-type]
    files.write_bytes(cache, archive.getvalue())
