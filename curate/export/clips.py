"""Kept clips as FLAC files, mono, at the source's rate; clips no longer kept are removed."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from curate import audio, files, manifest
from curate.channels import Mix
from curate.errors import Unreadable, UserError
from curate.files import Root

INDEX = "index.parquet"  # which cut of which file each clip is, so that a changed margin cuts anew
IDENTITY = ("id", "sha256", "channel_mix", "dc_offset", "cut_start", "cut_end")
WRITTEN = {"file": pl.String, "flac_sha256": pl.String}  # and what was written for it; of its bytes the hash


def cut(clips: pl.DataFrame, folder: Path, roots: Mapping[str, Root], *, progress: Callable[[int, int], None]) -> None:
    """Make the folder hold exactly the kept clips, and an index of them; those already there are left as they are."""
    kept = manifest.kept(clips)
    wanted = kept.select(IDENTITY)
    before = _index(folder, wanted)
    for id in set(before["id"]) - set(kept["id"]):  # only what was cut here: other files in the folder are not ours
        (folder / f"{id}.flac").unlink(missing_ok=True)
    names = os.listdir(folder) if folder.is_dir() else []
    there = pl.Series([name.removesuffix(".flac") for name in names if name.endswith(".flac")], dtype=pl.String)
    done = wanted.join(before, on=IDENTITY, how="inner", nulls_equal=True, maintain_order="left")
    done = _hashed(done.filter(pl.col("id").is_in(there.implode())), folder)
    missing = kept.join(done, on="id", how="anti", maintain_order="left")
    by_file = missing.group_by("source", "path", "channel_mix", maintain_order=True)
    jobs = [(roots[str(source)] / str(path), rows, folder) for (source, path, _), rows in by_file]
    files.remove_partials(folder)
    # a run that is killed while it cuts must not be believed: the clips at hand are known to be ours, and not as done
    under_way = missing.select("id", *(pl.lit(None, done.schema[name]).alias(name) for name in done.columns[1:]))
    files.write_parquet(pl.concat([done, under_way]), folder / INDEX)
    hashes = dict(done.select("id", "flac_sha256").iter_rows())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for written in pool.map(lambda job: _cut_file(*job), jobs):
            hashes |= written
            progress(len(hashes) - done.height, missing.height)
    files.write_parquet(wanted.with_columns(_written([hashes[id] for id in wanted["id"]])), folder / INDEX)


def _written(hashes: list[str]) -> list[pl.Expr | pl.Series]:
    return [(pl.col("id") + ".flac").alias("file"), pl.Series("flac_sha256", hashes, dtype=pl.String)]


def _hashed(done: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """The hashes that an index of an earlier version has not are taken from the files at hand."""
    known = [
        sha256 or files.sha256(folder / f"{id}.flac") for id, sha256 in done.select("id", "flac_sha256").iter_rows()
    ]
    return done.with_columns(_written(known))


def _cut_file(file: Path, rows: pl.DataFrame, folder: Path) -> dict[str, str]:
    """The sha256 of each clip's file, by id."""
    rows = rows.sort("cut_start", maintain_order=True)
    spans = list(rows.select("cut_start", "cut_end").iter_rows())
    mixed, offset = rows["channel_mix"][0], rows["dc_offset"][0]
    mix = None if mixed is None else Mix.parse(mixed, offset)
    stamp = rows["modified"][0] if "modified" in rows.columns else None
    try:
        audio.unchanged(file, stamp)
        cuts = zip(rows["id"], rows["rate"], audio.spans(file, spans, mix=mix), strict=True)
        return {id: audio.write_flac(folder / f"{id}.flac", samples, rate) for id, rate, samples in cuts}
    except Unreadable as error:
        raise UserError(f"{file} has changed since it was listened to ({error}); run `curate run` again") from None


def read_index(folder: Path) -> pl.DataFrame | None:
    """Which clips were cut here before, from which samples, and what was written; None where no index can be read."""
    try:
        index = pl.read_parquet(folder / INDEX)
        absent = [pl.lit(None, dtype).alias(name) for name, dtype in WRITTEN.items() if name not in index.columns]
        return index.with_columns(absent).select(*IDENTITY, *WRITTEN)
    except (pl.exceptions.PolarsError, OSError):
        return None


def _index(folder: Path, wanted: pl.DataFrame) -> pl.DataFrame:
    index = read_index(folder)
    # none yet, or none that can be read: all are cut
    return (
        wanted.clear().with_columns(pl.lit(None, dtype).alias(name) for name, dtype in WRITTEN.items())
        if index is None
        else index
    )
