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


def cut(clips: pl.DataFrame, folder: Path, roots: Mapping[str, Root], *, progress: Callable[[int, int], None]) -> None:
    """Make the folder hold exactly the kept clips; those already there are left as they are."""
    kept = manifest.kept(clips)
    wanted = kept.select(IDENTITY)
    before = _index(folder, wanted)
    for id in set(before["id"]) - set(kept["id"]):  # only what was cut here: other files in the folder are not ours
        (folder / f"{id}.flac").unlink(missing_ok=True)
    there = pl.Series([path.stem for path in folder.glob("*.flac")], dtype=pl.String)
    done = wanted.join(before, on=IDENTITY, how="semi", nulls_equal=True).filter(pl.col("id").is_in(there.implode()))
    missing = kept.join(done, on="id", how="anti", maintain_order="left")
    by_file = missing.group_by("source", "path", "channel_mix", maintain_order=True)
    jobs = [(roots[str(source)] / str(path), rows, folder) for (source, path, _), rows in by_file]
    files.remove_partials(folder)
    # a run that is killed while it cuts must not be believed: the clips at hand are known to be ours, and not as done
    under_way = missing.select("id", *(pl.lit(None, wanted.schema[name]).alias(name) for name in IDENTITY[1:]))
    files.write_parquet(pl.concat([done, under_way]), folder / INDEX)
    written = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for count in pool.map(lambda job: _cut_file(*job), jobs):
            written += count
            progress(written, missing.height)
    files.write_parquet(wanted, folder / INDEX)


def _cut_file(file: Path, rows: pl.DataFrame, folder: Path) -> int:
    rows = rows.sort("cut_start", maintain_order=True)
    spans = list(rows.select("cut_start", "cut_end").iter_rows())
    mixed, offset = rows["channel_mix"][0], rows["dc_offset"][0]
    mix = None if mixed is None else Mix.parse(mixed, offset)
    stamp = rows["modified"][0] if "modified" in rows.columns else None
    try:
        audio.unchanged(file, stamp)
        for id, rate, samples in zip(rows["id"], rows["rate"], audio.spans(file, spans, mix=mix), strict=True):
            audio.write_flac(folder / f"{id}.flac", samples, rate)
    except Unreadable as error:
        raise UserError(f"{file} has changed since it was listened to ({error}); run `curate run` again") from None
    return rows.height


def _index(folder: Path, wanted: pl.DataFrame) -> pl.DataFrame:
    """Which clips were cut here before, from which samples."""
    try:
        return pl.read_parquet(folder / INDEX).select(IDENTITY)
    except (pl.exceptions.PolarsError, OSError):  # none yet, or none that can be read: all are cut
        return wanted.clear()
