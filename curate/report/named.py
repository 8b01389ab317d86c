"""Which clips a report may name: those that nobody asked to be taken out. The others are counted, and no more."""

import polars as pl

from curate.steps.verdicts import taken_down


def named(clips: pl.DataFrame) -> pl.DataFrame:
    """The clips that may be shown and played, none of them pointing to one that may not.

    Whoever asked to be taken out is nowhere read or heard: no id, text, name, path or measured value of theirs.
    """
    gone = clips.filter(taken_down())["id"]
    if gone.is_empty():
        return clips
    pointing = pl.col("duplicate_of").is_in(gone.implode())
    return clips.filter(~taken_down()).with_columns(pl.when(~pointing).then("duplicate_of").alias("duplicate_of"))


def hidden(clips: pl.DataFrame) -> pl.DataFrame:
    """The others."""
    return clips.filter(taken_down())
