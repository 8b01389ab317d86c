"""What files hold: their hash, rate, channels, length and codec, each file opened once and only when it has changed."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import polars as pl

from curate import audio
from curate.channels import Mix
from curate.decoders import Info, wave_info, wave_mean
from curate.errors import Unreadable

# A file of up to this many bytes is read once, hashed and parsed in memory.
SHORT = 4 * 1024 * 1024
# Files are given to threads in batches, as handing one over costs more than hashing a short one.
BATCH_FILES, BATCH_BYTES = 64, 16 * 1024 * 1024

Progress = Callable[[int, int, float], None]  # files done, of how many, and their hours


class Probe(NamedTuple):
    """What is known of a file; `cannot` says why it is not readable."""

    modified: str | None = None
    sha256: str | None = None
    rate: int | None = None
    channels: int | None = None
    frames: int | None = None
    codec: str | None = None
    channel_mix: str | None = None
    dc_offset: float | None = None
    channel_offsets: list[float] | None = None
    cannot: str | None = None


KEY = ("source", "path")
PROBED: dict[str, Any] = {
    "modified": pl.String, "sha256": pl.String, "rate": pl.Int32, "channels": pl.Int16, "frames": pl.Int64,
    "codec": pl.String, "channel_mix": pl.String, "dc_offset": pl.Float64, "channel_offsets": pl.List(pl.Float64),
    "cannot": pl.String,
}  # fmt: skip


def probe_all(
    files: pl.DataFrame, places: Sequence[str], known: pl.DataFrame, *, verify: bool, progress: Progress
) -> pl.DataFrame:
    """`files` (source and path, each once) with PROBED; `places` says where each of them is.

    A file that was readable, as `known` says, and has kept its size, time and inode is not read again, unless `verify`.
    Those are joined and not looped over: most runs change nothing, and then a file costs little more than its `stat`.
    """
    looked = [_look(place) for place in places]
    stamped = files.with_columns(pl.Series("stamp", [each[0] for each in looked], dtype=pl.String))
    table = stamped.join(known, on=KEY, how="left", maintain_order="left")
    same = table.select(
        (pl.lit(not verify) & (pl.col("modified") == pl.col("stamp"))).fill_null(value=False)
    ).to_series()
    kept = table.filter(same).with_columns(pl.lit(None, dtype=pl.String).alias("cannot"))
    hours = float((kept["frames"] / kept["rate"]).sum()) / 3600
    total, done = len(places), kept.height
    numbers = (~same).arg_true().to_list()
    gone = {number: looked[number][2] for number in numbers if looked[number][2] is not None}
    changed = [(number, places[number], looked[number][1]) for number in numbers if number not in gone]
    found = {number: Probe(cannot=why) for number, why in gone.items()}
    done += len(gone)
    progress(done, total, hours)
    with ThreadPoolExecutor() as pool:
        for batch, probes in zip(_batches(changed), pool.map(_probe_batch, _batches(changed)), strict=True):
            for (number, _, _), probe in zip(batch, probes, strict=True):
                found[number] = probe._replace(modified=looked[number][0])
                hours += _hours(probe)
            done += len(batch)
            progress(done, total, hours)
    fresh = pl.DataFrame([found[number] for number in numbers], schema=PROBED, orient="row")
    return pl.concat([kept.select(*KEY, *PROBED), files[numbers].hstack(fresh)])


def _look(place: str) -> tuple[str | None, int, str | None]:
    """A file's stamp and size; or why there is none."""
    try:
        facts = os.stat(place)
    except (OSError, ValueError) as error:  # not there, or a name that cannot be one
        return None, 0, _why(error, place)
    return f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ino}", facts.st_size, None


def _hours(probe: Probe) -> float:
    return probe.frames / probe.rate / 3600 if probe.frames and probe.rate else 0.0


def _batches(files: Sequence[tuple[int, str, int]]) -> Iterator[list[tuple[int, str, int]]]:
    batch: list[tuple[int, str, int]] = []
    size = 0
    for each in files:
        batch.append(each)
        size += each[2]
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _probe_batch(batch: Sequence[tuple[int, str, int]]) -> list[Probe]:
    return [_probe(place, size) for _, place, size in batch]


def _probe(place: str, size: int) -> Probe:
    sha256 = None
    try:
        if size <= SHORT and os.path.isfile(place):  # to open a pipe would be to wait for ever
            with open(place, "rb", buffering=0) as file:
                content = file.readall()
            sha256 = hashlib.sha256(content).hexdigest()
            info, mean = wave_info(content), wave_mean(content)
            if info is not None and mean is not None:
                return _readable(sha256, info, Mix(offset=mean), [mean])
        elif os.path.isfile(place):
            with open(place, "rb", buffering=0) as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return _readable(sha256, *audio.survey(place))
    except Unreadable as error:
        return Probe(sha256=sha256, cannot=str(error))
    except (OSError, ValueError) as error:
        return Probe(sha256=sha256, cannot=_why(error, place))


def _readable(sha256: str | None, info: Info, mix: Mix, offsets: list[float]) -> Probe:
    of_each = offsets if info.channels > 1 else None  # of one it is the mix's: a list for every file takes time to make
    return Probe(None, sha256, info.rate, info.channels, info.frames, info.format, str(mix), mix.offset, of_each)


def _why(error: Exception, place: str) -> str:
    """In one short line, as `audio` says it."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, FileNotFoundError | NotADirectoryError):
        return error.strerror
    return "no such file"
