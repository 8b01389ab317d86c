"""Probe, read, resample and write audio.

`decoders` opens files of all formats. Everything outside these two is mono float32 at a known rate; positions are
samples at the source's rate.

How channels become one is the whole file's, the same for every span: see `channels`. `survey` finds it, ingest records
it, and whoever reads a file of a corpus passes on what was recorded.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from curate import files
from curate.channels import Mix, Survey
from curate.decoders import Info, Stream, open_stream
from curate.errors import Unreadable

Samples = NDArray[np.float32]

LISTENING_RATE = 16_000  # Hz: what every listening model expects, and the clock of the spans they give
SAMPLED = 120  # seconds of a long plain file that its mean is taken over
SAFE_PEAK = 0.999
QUALITY = "HQ"
VERSION = 2  # raise it when the samples of a file change (mono, resampling, decoder): it enters every key
# A header may count up to this many samples more than there are (MPEG frames cut at the end of a stream).
SLACK = 2 * 1152


def stamp(path: str | Path) -> str:
    """Size, time and inode of a file: another stamp, another content."""
    facts = os.stat(path)
    return f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ino}"


def unchanged(path: str | Path, before: str | None) -> None:
    """Raise `Unreadable` where a file is not the one that was stamped; None is not checked.

    By size and time alone: a corpus may be moved to another disk, where its files have other inodes.
    """
    if before is None:
        return
    try:
        now = stamp(path)
    except OSError as error:
        raise Unreadable(f"it cannot be found any more: {error.strerror}") from None
    if now.split()[:2] != before.split()[:2]:
        raise Unreadable("changed since it was ingested; run `curate run` again")


def probe(path: str | Path) -> Info:
    """What the file holds; compressed audio is decoded once to count it. Raises `Unreadable`."""
    with open_stream(Path(path)) as stream:
        first = max(stream.claimed - 1, 0) if stream.plain else 0
        frames = first + sum(len(block) for block in _complete(stream, first))
        return Info(stream.rate, stream.channels, frames, stream.format)


def survey(path: str | Path) -> tuple[Info, Mix, list[float]]:
    """What the file holds, how its channels become one, and the mean of each. Raises `Unreadable`.

    It is decoded whole where that is needed: to count what is compressed, and to compare channels. Of a long plain file
    with one channel the mean is taken over SAMPLED seconds, evenly spread.
    """
    with open_stream(Path(path)) as stream:
        if stream.plain and stream.channels == 1 and stream.claimed > SAMPLED * stream.rate:
            next(_complete(stream, stream.claimed - 1), None)  # it is all there
            offsets = [_sampled_mean(stream)]
            return Info(stream.rate, 1, stream.claimed, stream.format), Mix(offset=offsets[0]), offsets
        heard, frames = Survey(stream.rate, stream.channels), 0
        for block in _complete(stream, 0):
            heard.feed(block)
            frames += len(block)
        return Info(stream.rate, stream.channels, frames, stream.format), heard.mix(), heard.offsets()


def _sampled_mean(stream: Stream) -> float:
    """The mean of a long plain file's only channel, from one second in each of SAMPLED equal parts."""
    total = 0.0
    for start in np.linspace(0, stream.claimed - stream.rate, SAMPLED).astype(int).tolist():
        with closing(stream.blocks(start)) as blocks:
            second = next(blocks)[: stream.rate, 0]
        total += float(np.nan_to_num(second, nan=0.0, posinf=0.0, neginf=0.0).mean(dtype=np.float64))
    return round(total / SAMPLED, 6)


def read(
    path: str | Path, start: int | None = None, end: int | None = None, *, mix: Mix | None = None
) -> tuple[Samples, int]:
    """Samples start..end of a file as mono (whole file by default) and its rate. Raises `Unreadable`.

    `mix`, here and below: how its channels become one; found out where it is not given.
    """
    with open_stream(Path(path)) as stream:
        if (start is not None and start < 0) or (end is not None and end <= (start or 0)):
            raise ValueError(f"a span must hold 0 <= start < end, not {start}..{end}")
        if end is not None:
            return next(_cut(stream, [(start or 0, end)], mix)), stream.rate
        blocks = list(_mono(stream, start or 0, mix))
        if not blocks:
            raise Unreadable(f"no samples from {start} on")
        return np.concatenate(blocks), stream.rate


def stretches(path: str | Path, *, rate: int, seconds: float, mix: Mix | None = None) -> Iterator[Samples]:
    """The whole file forwards once, mono, at `rate`, in pieces of `seconds` (the last is shorter).

    Joined, the pieces equal `resample(read(path))`. Memory does not grow with the file. Raises `Unreadable`.
    """
    with open_stream(Path(path)) as stream:
        yield from _pieces(_resampled(stream, rate, mix), max(1, round(seconds * rate)))


def spans(path: str | Path, wanted: Sequence[tuple[int, int]], *, mix: Mix | None = None) -> Iterator[Samples]:
    """Each wanted half-open span, sorted by start, as mono at the source's rate, in one pass forwards.

    Spans may overlap. Memory is bounded by the longest span. Raises `Unreadable`, also where a span passes the end.
    """
    if any(not 0 <= start < end for start, end in wanted) or any(one[0] > next_[0] for one, next_ in pairwise(wanted)):
        raise ValueError("spans must hold 0 <= start < end and be sorted by start")
    if wanted:
        with open_stream(Path(path)) as stream:
            yield from _cut(stream, wanted, mix)


def resample(samples: Samples, rate: int, to: int) -> Samples:
    """The same sound at another rate, round(n * to / rate) samples long."""
    if rate == to or not len(samples):
        return np.asarray(samples, dtype=np.float32)
    out = soxr.resample(np.asarray(samples, dtype=np.float32), rate, to, quality=QUALITY)
    return _fit(out, round(len(samples) * to / rate))


def write_flac(path: str | Path, samples: Samples, rate: int) -> str:
    """Write mono 16-bit FLAC in one step, and the sha256 of its bytes: the same samples, the same bytes.

    Peaks above 1 are scaled down, not cut.
    """
    content = encode_clip(samples, rate)
    files.write_bytes(Path(path), content)
    return hashlib.sha256(content).hexdigest()


def encode_clip(samples: Samples, rate: int, format: str = "FLAC") -> memoryview:
    """The bytes of a mono clip of 16 bits, as FLAC or WAV; peaks above 1 are scaled down, not cut."""
    if samples.ndim != 1 or not len(samples):
        raise ValueError(f"a clip is one row of samples, not an array of shape {samples.shape}")
    return encode(_sixteen_bit(samples), rate, format, "PCM_16")


def encode(samples: NDArray[Any], rate: int, format: str, subtype: str | None = None) -> memoryview:
    """The bytes of a sound file, for `files.write_bytes`; without `subtype` in the format's usual one.

    In memory, as libsndfile itself does not say why it cannot write, and of a short OGG not even that it could not.
    """
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, rate, format=format, subtype=subtype)
    return encoded.getbuffer()


def _sixteen_bit(samples: Samples) -> NDArray[np.int16]:
    clean = np.nan_to_num(samples.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    peak = np.abs(clean).max()
    if peak > 1:
        clean *= SAFE_PEAK / peak
    return np.clip(np.rint(clean * 32768), -32768, 32767).astype(np.int16)


# ---- decoding forwards


def _complete(stream: Stream, start: int) -> Iterator[Samples]:
    """Blocks from `start` to the end of the file; raises where the file holds none, or fewer than its header says."""
    if start and stream.plain and start >= stream.claimed:
        raise Unreadable(f"ends at sample {stream.claimed}, before {start + 1}")
    frames = start if stream.plain else 0
    with closing(stream.blocks(frames)) as blocks:
        for block in blocks:
            if frames + len(block) > start:
                yield block[max(0, start - frames) :]
            frames += len(block)
    if frames < stream.claimed - (0 if stream.plain else SLACK):
        raise Unreadable(f"truncated or corrupt: {frames} of {stream.claimed} samples")
    if not frames:
        raise Unreadable("no samples")


def _mono(stream: Stream, start: int, mix: Mix | None) -> Iterator[Samples]:
    """Finite mono blocks from `start` on."""
    mix = mix or _found(stream)
    for block in _complete(stream, start):
        yield mix.apply(block)


def _found(stream: Stream) -> Mix:
    """How the channels become one, where nobody has found it yet; one channel is taken as it is."""
    if stream.channels == 1:
        return Mix()
    heard = Survey(stream.rate, stream.channels)
    with closing(stream.blocks(0)) as blocks:
        for block in blocks:
            heard.feed(block)
    return heard.mix()


def _cut(stream: Stream, wanted: Sequence[tuple[int, int]], mix: Mix | None) -> Iterator[Samples]:
    """Each wanted span; holds only the blocks that touch the current one."""
    at = ahead = wanted[0][0]  # where the held blocks begin and end
    held: list[Samples] = []
    blocks = _mono(stream, at, mix)
    for (start, end), after in zip_longest(wanted, (each[0] for each in wanted[1:])):
        while True:
            while held and at + len(held[0]) <= start:
                at += len(held.pop(0))
            if ahead >= end:
                break
            block = next(blocks, None)
            if block is None:
                raise Unreadable(f"ends at sample {ahead}, before {end}")
            held.append(block)
            ahead += len(block)
        whole = held[0] if len(held) == 1 else np.concatenate(held)
        part = whole[start - at : end - at]
        alone = len(part) == len(whole) and (after is None or after >= end)  # else the block is needed, or only held
        yield part if alone else part.copy()


def _resampled(stream: Stream, rate: int, mix: Mix | None) -> Iterator[Samples]:
    """The whole file at another rate, block by block, exactly as long as `resample` makes it."""
    if stream.rate == rate:
        yield from _mono(stream, 0, mix)
        return
    blocks = _mono(stream, 0, mix)
    block, after = next(blocks), next(blocks, None)
    if after is None:  # a short file: a stream takes longer than what is in it
        yield resample(block, stream.rate, rate)
        return
    converter = soxr.ResampleStream(stream.rate, rate, 1, dtype="float32", quality=QUALITY)
    frames = made = 0
    while after is not None:
        out = converter.resample_chunk(block)
        frames, made = frames + len(block), made + len(out)
        yield out
        block, after = after, next(blocks, None)
    frames += len(block)
    yield _fit(converter.resample_chunk(block, last=True), round(frames * rate / stream.rate) - made)


def _pieces(blocks: Iterator[Samples], size: int) -> Iterator[Samples]:
    """The same samples in pieces of `size`."""
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block]) if len(rest) else block
        full = len(rest) // size * size
        yield from (rest[at : at + size].copy() for at in range(0, full, size))
        rest = rest[full:]
    if len(rest):
        yield rest


def _fit(samples: Samples, length: int) -> Samples:
    """Exactly `length` samples: the end cut off, or zeros added."""
    cut = samples[: max(0, length)]
    if len(cut) == length:
        return cut.astype(np.float32, copy=False)
    return np.pad(cut, (0, max(0, length - len(cut)))).astype(np.float32, copy=False)
