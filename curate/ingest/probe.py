"""What files hold: their hash, rate, channels, length and codec, each file opened once and only when it has changed."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

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


Known = dict[tuple[str, str], Probe]  # by source and path


def probe_all(
    places: Sequence[tuple[tuple[str, str], str]], known: Known, *, verify: bool, progress: Progress
) -> Known:
    """A probe of each file, by its key; `places` are keys with the file's place.

    A file that was readable, as `known` says, and has kept its size, time and inode is not read again, unless `verify`.
    """
    found: Known = {}
    changed: list[tuple[tuple[str, str], str, int]] = []
    hours = 0.0
    for key, place in places:
        try:
            facts = os.stat(place)
        except (OSError, ValueError) as error:  # not there, or a name that cannot be one
            found[key] = Probe(cannot=_why(error, place))
            continue
        before = known.get(key)
        stamp = f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ino}"
        if before is not None and before.modified == stamp and not verify:
            found[key] = before
            hours += _hours(before)
        else:
            changed.append((key, place, facts.st_size))
            found[key] = Probe(modified=stamp)
    done, total = len(places) - len(changed), len(places)
    progress(done, total, hours)
    with ThreadPoolExecutor() as pool:
        for batch, probes in zip(_batches(changed), pool.map(_probe_batch, _batches(changed)), strict=True):
            for (key, _, _), probe in zip(batch, probes, strict=True):
                found[key] = probe._replace(modified=found[key].modified)
                hours += _hours(probe)
            done += len(batch)
            progress(done, total, hours)
    return found


def _hours(probe: Probe) -> float:
    return probe.frames / probe.rate / 3600 if probe.frames and probe.rate else 0.0


def _batches(files: Sequence[tuple[tuple[str, str], str, int]]) -> Iterator[list[tuple[tuple[str, str], str, int]]]:
    batch: list[tuple[tuple[str, str], str, int]] = []
    size = 0
    for each in files:
        batch.append(each)
        size += each[2]
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _probe_batch(batch: Sequence[tuple[tuple[str, str], str, int]]) -> list[Probe]:
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
