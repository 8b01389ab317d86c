"""Sources into rows: which files there are, what came with them, what they hold. No model listens here.

One file per source layout. A reader is a function `(source) -> frame` with the columns `path` (relative to the
source's folder, as strings), and where it knows them `text`, `language`, `speaker`, `error`, and the source's own.
"""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from curate import audio, manifest
from curate.ingest import folder, table
from curate.recipe import LANGUAGES, Recipe, Source

READERS: dict[str, Callable[[Source], pl.DataFrame]] = {"table": table.read, "folder": folder.read}
PROBED = {
    "modified": pl.String, "sha256": pl.String, "rate": pl.Int32, "channels": pl.Int16, "frames": pl.Int64,
    "cannot": pl.String,
}  # fmt: skip
Probed = tuple[str | None, str | None, int | None, int | None, int | None, str | None]


def root(source: Source) -> Path:
    """The folder that a source's paths are relative to."""
    path = Path(source.path)
    return path if source.kind == "folder" else path.parent


def roots(recipe: Recipe) -> dict[str, Path]:
    """The folder that each source's paths are relative to, by the source's id."""
    return {source.id: root(source) for source in recipe.source}


def ingest(
    recipe: Recipe,
    *,
    before: pl.DataFrame | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pl.DataFrame:
    """One row per audio file that the sources name, in recipe order, path order; unreadable ones with their reason.

    A file that was readable in `before`, an earlier answer, and has kept its size and time is not read again.
    """
    listed = [_listed(source) for source in recipe.source]
    files = [(s, path) for s, rows in zip(recipe.source, listed, strict=True) for path in rows["path"]]
    probed = pl.DataFrame(list(_probe_all(files, _known(before), progress)), schema=PROBED, orient="row")
    rows = pl.concat(listed, how="diagonal_relaxed").hstack(probed)
    rows = rows.with_columns(
        pl.coalesce("error", "cannot").alias("error"),
        (pl.col("frames") / pl.col("rate")).alias("seconds"),
        pl.lit(None, dtype=pl.Int64).alias("start"),
        pl.lit(None, dtype=pl.Int64).alias("end"),
    ).drop("cannot")
    ids = [manifest.clip_id(source, path, None, None) for source, path in rows.select("source", "path").iter_rows()]
    return manifest.conform(rows.with_columns(pl.Series("id", manifest.number_repeats(ids))))


def _listed(source: Source) -> pl.DataFrame:
    rows = READERS[source.kind](source)
    given = {"text": None, "language": None, "speaker": None, "error": None}
    rows = rows.with_columns(pl.lit(v, dtype=pl.String).alias(k) for k, v in given.items() if k not in rows.columns)
    language = pl.coalesce("language", pl.lit(source.language, dtype=pl.String))
    unknown = ~language.is_in(list(LANGUAGES)).fill_null(False)
    why = pl.format("language {} is not known; it must be one of " + ", ".join(LANGUAGES), language.fill_null("(none)"))
    rows = rows.with_columns(
        pl.lit(source.id).alias("source"),
        pl.lit(source.licence).alias("licence"),
        pl.lit(source.attribution or None, dtype=pl.String).alias("attribution"),
        language.alias("language"),
        pl.when(pl.col("text").is_not_null()).then(pl.lit("given")).alias("text_from"),
    )
    rows = rows.with_columns(pl.when(unknown).then(why).otherwise(pl.col("error")).alias("error"))
    return rows.sort("path", maintain_order=True)


def _known(before: pl.DataFrame | None) -> dict[tuple[str, str, str], Probed]:
    """What is known of readable files, by source, path and stamp."""
    if before is None or not {"source", "path", *PROBED} - {"cannot"} <= set(before.columns):
        return {}
    readable = before.filter(pl.col("frames").is_not_null() & pl.col("modified").is_not_null())
    columns = readable.select("source", "path", "modified", "sha256", "rate", "channels", "frames")
    return {(row[0], row[1], row[2]): (*row[2:], None) for row in columns.iter_rows()}


def _probe_all(
    files: list[tuple[Source, str]],
    known: dict[tuple[str, str, str], Probed],
    progress: Callable[[int, int], None],
) -> Iterable[Probed]:
    def probe(file: tuple[Source, str]) -> Probed:
        source, path = file
        try:
            modified = audio.stamp(root(source) / path)
        except (OSError, ValueError):  # not there, or a name that cannot be one: probing says it better
            modified = ""
        return known.get((source.id, path, modified)) or (modified or None, *_probe(root(source) / path))

    with ThreadPoolExecutor() as pool:
        for done, answer in enumerate(pool.map(probe, files), 1):
            progress(done, len(files))
            yield answer


def _probe(path: Path) -> tuple[str | None, int | None, int | None, int | None, str | None]:
    """sha256, rate, channels, frames; or the last one, why not."""
    sha256 = None
    try:
        if path.is_file():  # to open a pipe would be to wait for ever
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        info = audio.probe(path)
    except audio.Unreadable as error:
        return (sha256, None, None, None, str(error))
    except OSError as error:
        return (sha256, None, None, None, error.strerror or str(error))
    return (sha256, info.rate, info.channels, info.frames, None)
