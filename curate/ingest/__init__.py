"""Sources into rows: which files there are, what came with them, what they hold. No model listens here.

One file per source layout. A reader is a function `(source) -> frame` with the columns `path` (relative to the
source's folder, as strings), and where it knows them `text`, `language`, `speaker`, `error`, and the source's own.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from curate import audio, manifest
from curate.ingest import folder, table
from curate.recipe import LANGUAGES, Recipe, Source

READERS: dict[str, Callable[[Source], pl.DataFrame]] = {"table": table.read, "folder": folder.read}
PROBED = {
    "modified": pl.String, "sha256": pl.String, "rate": pl.Int32, "channels": pl.Int16, "frames": pl.Int64,
    "channel_mix": pl.String, "dc_offset": pl.Float64, "channel_offsets": pl.List(pl.Float64), "cannot": pl.String,
}  # fmt: skip
Probed = tuple[Any, ...]  # the columns of PROBED


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
    rows = _by_channel(rows, [source.id for source in recipe.source if source.channels == "split"])
    named = rows.select("source", "path", "channel").iter_rows()
    ids = [manifest.clip_id(source, path, None, None, channel) for source, path, channel in named]
    return manifest.conform(rows.with_columns(pl.Series("id", manifest.number_repeats(ids))))


def _by_channel(rows: pl.DataFrame, split: Sequence[str]) -> pl.DataFrame:
    """A row for each channel of the files of split sources; `channel` is null in the other rows."""
    wanted = pl.col("source").is_in(list(split)) & pl.col("channels").is_not_null()
    channels = pl.int_ranges(1, pl.col("channels").fill_null(1) + 1, dtype=pl.Int16)
    none = pl.lit([None], dtype=pl.List(pl.Int16))
    rows = rows.with_columns(pl.when(wanted).then(channels).otherwise(none).alias("channel")).explode("channel")
    of_channel = pl.col("channel").is_not_null()
    offset = pl.col("channel_offsets").list.get(pl.col("channel").fill_null(1) - 1, null_on_oob=True)
    return rows.with_columns(
        pl.when(of_channel).then(pl.col("channel").cast(pl.String)).otherwise("channel_mix").alias("channel_mix"),
        pl.when(of_channel).then(offset).otherwise("dc_offset").alias("dc_offset"),
    )


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


def _known(before: pl.DataFrame | None) -> dict[tuple[str, str, str, bool], Probed]:
    """What is known of readable files, by source, path, stamp and whether the source was split."""
    if before is None or not {"source", "path", *PROBED} - {"cannot"} | {"channel"} <= set(before.columns):
        return {}
    surveyed = pl.col("frames").is_not_null() & pl.col("modified").is_not_null() & pl.col("channel_mix").is_not_null()
    columns = before.filter(surveyed).select("source", "path", pl.col("channel").is_not_null(), *list(PROBED)[:-1])
    return {(row[0], row[1], row[3], row[2]): (*row[3:], None) for row in columns.iter_rows()}


def _probe_all(
    files: list[tuple[Source, str]],
    known: dict[tuple[str, str, str, bool], Probed],
    progress: Callable[[int, int], None],
) -> Iterable[Probed]:
    def probe(file: tuple[Source, str]) -> Probed:
        source, path = file
        try:
            modified = audio.stamp(root(source) / path)
        except (OSError, ValueError):  # not there, or a name that cannot be one: probing says it better
            modified = ""
        return known.get((source.id, path, modified, source.channels == "split")) or (
            modified or None,
            *_probe(root(source) / path),
        )

    with ThreadPoolExecutor() as pool:
        for done, answer in enumerate(pool.map(probe, files), 1):
            progress(done, len(files))
            yield answer


def _probe(path: Path) -> Probed:
    """The columns of PROBED but the first; the last one says why the others are not known."""
    sha256, unknown = None, [None] * (len(PROBED) - 3)
    try:
        if path.is_file():  # to open a pipe would be to wait for ever
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        info, mix, offsets = audio.survey(path)
    except audio.Unreadable as error:
        return (sha256, *unknown, str(error))
    except OSError as error:
        return (sha256, *unknown, error.strerror or str(error))
    return (sha256, info.rate, info.channels, info.frames, str(mix), mix.offset, offsets, None)
