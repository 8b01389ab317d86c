"""Clips that are held out already, drawn earlier or as a corpus was published, and what would leak from them.

A held-out set that was drawn stays as it is when sources are added: a new clip that shares something with it is neither
added to it nor trained on; it is dropped as `leak`.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from curate.steps import relations

HELD_OUT = ("validation", "test")
# How corpora call their splits; what is called otherwise, as Common Voice's `validated`, tells of none.
GIVEN = {
    "train": "train", "training": "train", "dev": "validation", "devel": "validation", "development": "validation",
    "valid": "validation", "validation": "validation", "val": "validation", "test": "test", "testing": "test",
    "eval": "test", "evaluation": "test", "eval_clean": "test", "eval_other": "test",
}  # fmt: skip
SCHEMA: dict[str, Any] = {
    "split": pl.String, "language": pl.String, "id": pl.String, "person": pl.String, "text": pl.String,
    "recording": pl.String,
}  # fmt: skip
ESTIMATED = r"^voice-\d+$"  # a person known by voice alone: numbered anew whenever clips are added


def nothing() -> pl.DataFrame:
    """No clips."""
    return pl.DataFrame(schema=SCHEMA)


def of(clips: pl.DataFrame) -> pl.DataFrame:
    """The clips that are held out, with what must not be trained on because of them; sorted."""
    held = clips.filter(pl.col("drop").is_null(), pl.col("split").is_in(HELD_OUT))
    rows = held.select("split", "language", "id", "person", relations.shared("text"), relations.shared("recording"))
    return rows.cast(pl.Schema(SCHEMA)).sort("split", "language", "id")


def as_given(clips: pl.DataFrame) -> pl.DataFrame:
    """Clips that their corpus holds out, as `given_split` says."""
    return of(clips.with_columns(given().alias("split")))


def given() -> pl.Expr:
    """The split of each clip as its corpus was published, by our names; null where it tells of none."""
    split = pl.col("given_split").str.strip_chars().str.to_lowercase().replace_strict(GIVEN, default=None)
    return split.cast(pl.String)


def together(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Both; a clip that both name is where the first has it."""
    return pl.concat([first, second.join(first, on="id", how="anti")]).sort("split", "language", "id")


def without(held: pl.DataFrame, gone: pl.Series) -> pl.DataFrame:
    """All but the clips with these ids."""
    return held.filter(~pl.col("id").is_in(gone.implode()))


def leaks(clips: pl.DataFrame, held: pl.DataFrame, apart: Sequence[str]) -> pl.Series:
    """Undropped clips that share with a held-out one what is to be kept apart, and are not of the same split.

    Where the two sets share something themselves, the test set stays whole.
    """
    if held.is_empty():
        return pl.repeat(False, clips.height, dtype=pl.Boolean, eager=True)
    known = clips.select("id", "drop", *(relations.shared(name) for name in apart))
    known = known.join(held.select("id", "split"), on="id", how="left", maintain_order="left")
    leak = pl.repeat(False, clips.height, dtype=pl.Boolean, eager=True)
    may_be = clips["person_candidates"].fill_null([])
    for number, split in enumerate(reversed(HELD_OUT)):  # test first
        mine = (known["split"] == split).fill_null(False)
        safe = mine | known["split"].is_in(HELD_OUT[len(HELD_OUT) - number :]).fill_null(False)
        for name in apart:
            values = known.filter(mine)[name].drop_nulls()
            if name in ("speaker", "text", "recording"):
                values = values.append(_of_absent(held.filter(pl.col("split") == split), known, name))
            leak |= known[name].is_in(values.unique().implode()).fill_null(False) & ~safe
            if name == "speaker":  # and what may be of a held-out person
                leak |= may_be.list.eval(pl.element().is_in(values.unique().implode())).list.any() & ~safe
    return leak & known["drop"].is_null()


def _of_absent(held: pl.DataFrame, known: pl.DataFrame, name: str) -> pl.Series:
    """What is noted of held-out clips that are not there now; not of persons who have no name."""
    absent = held.join(known.select("id"), on="id", how="anti")
    values = absent["person" if name == "speaker" else name].drop_nulls()
    return values.filter(~values.str.contains(ESTIMATED)) if name == "speaker" else values
