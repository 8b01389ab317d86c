"""Kept clips as FLAC files, mono, at the source's rate; clips no longer kept are removed."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from curate import audio, manifest
from curate.errors import UserError

INDEX = "index.parquet"  # which cut of which file each clip is, so that a changed margin cuts anew
IDENTITY = ("id", "sha256", "cut_start", "cut_end")


def cut(clips: pl.DataFrame, folder: Path, roots: Mapping[str, Path], *, progress: Callable[[int, int], None]) -> None:
    """Make the folder hold exactly the kept clips; those already there are left as they are."""
    kept = manifest.kept(clips)
    wanted = kept.select(IDENTITY)
    _remove_others(folder, set(kept["id"]))
    there = pl.Series([path.stem for path in folder.glob("*.flac")], dtype=pl.String)
    done = _done(folder, wanted).filter(pl.col("id").is_in(there.implode()))
    missing = kept.join(done, on="id", how="anti", maintain_order="left")
    files = missing.group_by("source", "path", maintain_order=True)
    jobs = [(roots[str(source)] / str(path), rows, folder) for (source, path), rows in files]
    folder.mkdir(parents=True, exist_ok=True)
    manifest.write_parquet(done, folder / INDEX)  # a run that is killed while it cuts must not be believed
    written = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for count in pool.map(lambda job: _cut_file(*job), jobs):
            written += count
            progress(written, missing.height)
    manifest.write_parquet(wanted, folder / INDEX)


def _cut_file(file: Path, rows: pl.DataFrame, folder: Path) -> int:
    rows = rows.sort("cut_start", maintain_order=True)
    spans = list(rows.select("cut_start", "cut_end").iter_rows())
    try:
        for id, rate, samples in zip(rows["id"], rows["rate"], audio.spans(file, spans), strict=True):
            audio.write_flac(folder / f"{id}.flac", samples, rate)
    except audio.Unreadable as error:
        raise UserError(f"{file} has changed since it was listened to ({error}); run `curate run` again") from None
    return rows.height


def _done(folder: Path, wanted: pl.DataFrame) -> pl.DataFrame:
    """Clips that were cut from the same samples before."""
    try:
        return wanted.join(pl.read_parquet(folder / INDEX), on=IDENTITY, how="semi")
    except (pl.exceptions.PolarsError, OSError):  # none yet, or none that can be read: all are cut
        return wanted.clear()


def _remove_others(folder: Path, keep: set[str]) -> None:
    for path in folder.glob("*.flac"):
        if path.stem not in keep:
            path.unlink()
