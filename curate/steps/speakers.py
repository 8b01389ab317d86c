"""Who speaks: the name that the source gives, else the voice that was measured; and persons across sources."""

import polars as pl


def name(clips: pl.DataFrame) -> pl.DataFrame:
    """Where the source names no speaker, the voice stands in."""
    return clips.with_columns(pl.coalesce("speaker", "voice").alias("speaker"))


def person() -> pl.Expr:
    """Who speaks, across sources: speakers of different sources are different people unless the voice says who."""
    own = pl.format("{} {}", "source", "speaker")
    return pl.when(pl.col("speaker") == pl.col("voice")).then("voice").otherwise(own)
