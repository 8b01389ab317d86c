"""Sources into rows: which files there are, what came with them, what they hold. No model listens here.

One file per layout: a reader is a function `(source, tree) -> rows`. What is common to all layouts is done once: `tree`
finds files, `lines` reads indexes, `archives` unpacks, `frame` makes rows a frame, `probe` opens files.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curate import manifest
from curate.errors import UserError
from curate.files import Root
from curate.ingest import (
    archives,
    azure,
    commonvoice,
    fleurs,
    folder,
    huggingface,
    kaldi,
    ksponspeech,
    kss,
    lhotse,
    ljspeech,
    openslr,
    table,
    zeroth,
)  # fmt: skip
from curate.ingest.frame import SECONDS, listed
from curate.ingest.place import open_tree, root
from curate.ingest.probe import KEY, PROBED, Progress, probe_all
from curate.ingest.row import Reader, Row
from curate.ingest.tree import Tree
from curate.recipe import Recipe, Source

READERS: dict[str, Reader] = {
    "table": table.read, "folder": folder.read, "kss": kss.read, "openslr": openslr.read, "fleurs": fleurs.read,
    "commonvoice": commonvoice.read, "zeroth": zeroth.read, "ksponspeech": ksponspeech.read, "azure": azure.read,
    "ljspeech": ljspeech.read, "kaldi": kaldi.read, "huggingface": huggingface.read, "lhotse": lhotse.read,
}  # fmt: skip
OVERSHOOT = 0.5  # seconds that a span may pass the end of its file: what Kaldi's extract-segments allows
WRITTEN = frozenset({"source", "path", "channel", *PROBED} - {"cannot"})  # what every ingested frame has


@dataclass(frozen=True)
class Ingested:
    """What ingest found: the rows, and the files of each source that no row names."""

    rows: pl.DataFrame
    unlisted: dict[str, list[str]]


def roots(recipe: Recipe, unpacked: Path | None = None) -> dict[str, Root]:
    """The folder that each source's paths are relative to, by the source's id."""
    return {source.id: root(source, unpacked) for source in recipe.source}


def ingest(
    recipe: Recipe, *, before: pl.DataFrame | None = None, progress: Callable[[int, int], None] | None = None
) -> pl.DataFrame:
    """The rows of `read`, where nobody asks for more."""
    return read(recipe, before=before, progress=lambda done, total, _: progress(done, total) if progress else None).rows


def read(
    recipe: Recipe,
    *,
    unpacked: Path | None = None,
    before: pl.DataFrame | None = None,
    verify: bool = False,
    progress: Progress = lambda done, total, hours: None,
    unpacking: archives.Progress = archives.silent,
) -> Ingested:
    """One row per row of the sources, in recipe order, path order; those that cannot be used with their reason.

    Archives are unpacked below `unpacked`. A file that was readable in `before`, an earlier answer, and has kept its
    size, time and inode is not read again, unless `verify`.
    """
    trees = [open_tree(source, unpacked, unpacking) for source in recipe.source]
    frames = [list_rows(source, tree) for source, tree in zip(recipe.source, trees, strict=True)]
    left = _all_unlisted(recipe, trees, frames)
    rows = pl.concat(frames, how="diagonal_relaxed")
    folders = {source.id: tree for source, tree in zip(recipe.source, trees, strict=True)}
    files = rows.select(KEY).unique(maintain_order=True)
    places = [folders[source].file(path) for source, path in files.iter_rows()]
    split = [source.id for source in recipe.source if source.channels == "split"]
    probed = probe_all(files, places, _known(before, split), verify=verify, progress=progress)
    return Ingested(_complete(rows.join(probed, on=KEY, how="left", maintain_order="left"), split), left)


def list_rows(source: Source, tree: Tree) -> pl.DataFrame:
    """What the source's reader yields, as a frame; folders that could not be listed are rows with their reason."""
    rows = list(READERS[source.kind](source, tree))
    if not rows and not tree.closed:
        raise UserError(f"source {source.id}: the index in {tree.top} holds no rows, and {tree.shown()}")
    return listed(
        source, [*rows, *(Row(path, error=f"a folder that cannot be listed: {why}") for path, why in tree.closed)]
    )


def _complete(rows: pl.DataFrame, split: Sequence[str]) -> pl.DataFrame:
    """The rows with spans in samples, and ids; one for each channel in the sources `split`."""
    rows = _by_channel(_with_spans(rows), split)
    named = rows.select("source", "path", "start", "end", "channel").iter_rows()
    ids = manifest.number_repeats(manifest.clip_id(*each) for each in named)
    return manifest.conform(rows.with_columns(pl.Series("id", ids)).drop("cannot", *SECONDS))


def _by_channel(rows: pl.DataFrame, split: Sequence[str]) -> pl.DataFrame:
    """A row for each channel of the files of split sources; `channel` is null in the other rows."""
    wanted = pl.col("source").is_in(list(split)) & pl.col("channels").is_not_null()
    channels = pl.int_ranges(1, pl.col("channels").fill_null(1) + 1, dtype=pl.Int16)
    none = pl.lit([None], dtype=pl.List(pl.Int16))
    rows = rows.with_columns(pl.when(wanted).then(channels).otherwise(none).alias("channel")).explode("channel")
    of_channel = pl.col("channel").is_not_null()
    of_each = pl.col("channel_offsets").list.get(pl.col("channel").fill_null(1) - 1, null_on_oob=True)
    offset = pl.coalesce(of_each, "dc_offset")  # a file with one channel has no list
    return rows.with_columns(
        pl.when(of_channel).then(pl.col("channel").cast(pl.String)).otherwise("channel_mix").alias("channel_mix"),
        pl.when(of_channel).then(offset).otherwise("dc_offset").alias("dc_offset"),
    )


def _with_spans(rows: pl.DataFrame) -> pl.DataFrame:
    """Seconds into samples; a span that is not inside its file is told, as is a file that cannot be read."""
    begin, end = (pl.col(name) for name in SECONDS)
    rate, frames = pl.col("rate"), pl.col("frames")
    spanned = pl.any_horizontal(begin.is_not_null(), end.is_not_null())
    first = (begin.fill_null(0.0) * rate).round().cast(pl.Int64)
    last = pl.coalesce((end * rate).round().cast(pl.Int64), frames)
    wrong = spanned & ((first < 0) | (last <= first) | (first >= frames) | (last > frames + rate * OVERSHOOT))
    told = [
        each.round(3).cast(pl.String) for each in (begin.fill_null(0.0), pl.coalesce(end, frames / rate), frames / rate)
    ]
    why = pl.when(wrong).then(pl.format("the span {} to {} s is not within the file, which has {} s", *told))
    rows = rows.with_columns(pl.coalesce("error", "cannot", why).alias("error"))
    good = spanned & pl.col("error").is_null() & frames.is_not_null()
    whole = (first == 0) & (last >= frames)  # a span of the whole file is the whole file
    rows = rows.with_columns(
        pl.when(good & ~whole).then(first).alias("start"),
        pl.when(good & ~whole).then(pl.min_horizontal(last, frames)).alias("end"),
    )
    length = pl.coalesce(pl.col("end") - pl.col("start"), frames)
    return rows.with_columns((length / rate).alias("seconds"))


def _known(before: pl.DataFrame | None, split: Sequence[str]) -> pl.DataFrame:
    """What is known of readable files, each once; how channels are mixed was not kept of a split source."""
    columns = [*KEY, *(name for name in PROBED if name != "cannot")]
    if before is None or not set(before.columns) >= WRITTEN:
        return pl.DataFrame(schema={name: PROBED.get(name, pl.String) for name in columns})
    mixed = pl.col("channel").is_null() | pl.col("source").is_in(list(split))
    readable = before.filter(mixed, *(pl.col(each).is_not_null() for each in ("frames", "modified", "channel_mix")))
    return readable.select(columns).unique(KEY)


def _all_unlisted(recipe: Recipe, trees: Sequence[Tree], frames: Sequence[pl.DataFrame]) -> dict[str, list[str]]:
    """Files that no row of any source names, by source; of sources inside another's folder only once."""
    if len(trees) == 1:
        return {recipe.source[0].id: unlisted(recipe.source[0], trees[0], frames[0])}
    claimed = {tree.file(path) for tree, rows in zip(trees, frames, strict=True) for path in rows["path"].unique()}
    left = {}
    for source, tree, rows in zip(recipe.source, trees, frames, strict=True):
        inner = tuple(f"{other.top}/" for other in trees if str(other.top).startswith(f"{tree.top}/"))
        found = [(path, tree.file(path)) for path in unlisted(source, tree, rows)]
        left[source.id] = [path for path, place in found if place not in claimed and not place.startswith(inner)]
    return left


def unlisted(source: Source, tree: Tree, rows: pl.DataFrame) -> list[str]:
    """Files of a source that none of its rows names: sounds, and archives where this kind of source opens none."""
    named = set(rows["path"])
    return [
        path for path in [*tree.audio(), *(tree.archives() if source.kind == "folder" else [])] if path not in named
    ]
