"""The sitting that a clip was recorded in: what was said in one room on one day sounds alike."""

import polars as pl


def session() -> pl.Expr:
    """A name for the sitting, null where nobody knows.

    As the source gives it; else the recording, where several clips were cut from it; else the folder of the file
    together with the person who speaks.
    """
    # a file that is one clip tells of no sitting; in `person` a name is that of one source already
    given = pl.when(pl.col("session").str.strip_chars() != "").then(pl.format("{} {}", "source", "session"))
    cut = pl.len().over("source", "path") > 1
    recording = pl.when(cut).then(pl.format("{} {}", "source", "path"))
    folder = pl.col("path").str.replace(r"[^/]*$", "")
    return pl.coalesce(given, recording, pl.format("{} {} {}", "source", folder, "person"))
