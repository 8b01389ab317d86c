"""Probe, read, resample and write audio.

soundfile reads first (WAV, FLAC, OGG); the rest goes to PyAV, which bundles FFmpeg (MP3, m4a, webm, video). Samples
without a header (.pcm) are read here.
Everything outside this file is mono float32 at a known rate; positions are samples at the source's rate.

How channels become one is the whole file's, the same for every span: see `channels`. `survey` finds it, ingest records
it, and whoever reads a file of a corpus passes on what was recorded.
"""

from __future__ import annotations

import io
import os
import re
import struct
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from curate import files
from curate.channels import Mix, Survey

Samples = NDArray[np.float32]
Blocks = Generator[NDArray[np.float32], None, None]

LISTENING_RATE = 16_000  # Hz: what every listening model expects, and the clock of the spans they give
BLOCK = 65_536  # frames decoded at a time
SAMPLED = 120  # seconds of a long plain file that its mean is taken over
SAFE_PEAK = 0.999
QUALITY = "HQ"
VERSION = 2  # raise it when the samples of a file change (mono, resampling, decoder): it enters every key
# Formats whose samples lie at fixed places: header counts and seeking are exact, and nothing can fail to decode.
PLAIN = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF"}
PLAIN_CODECS = ("PCM_", "FLOAT", "DOUBLE")
# A header may count up to this many samples more than there are (MPEG frames cut at the end of a stream).
SLACK = 2 * 1152
# Containers that FFmpeg may open: none that refers to other files or to the network (playlists, concat scripts).
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mp3,aac,ogg,asf,avi,flv,mpegts,mpeg,wav,flac,amr,ac3,caf,aiff,au"
WAVE_CODECS = {
    (1, 8): "PCM_U8", (1, 16): "PCM_16", (1, 24): "PCM_24", (1, 32): "PCM_32", (3, 32): "FLOAT", (3, 64): "DOUBLE",
}  # fmt: skip
# Samples without a header, as KsponSpeech and other sets of AIHub have them: 16 kHz, mono, 16 bit, little-endian.
HEADERLESS = ".pcm"
HEADERLESS_RATE = 16_000
STREAMED = {0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF}  # sizes that a WAV written to a pipe carries


class Unreadable(ValueError):
    """Why a file cannot be read as audio, in one short line without its path."""


@dataclass(frozen=True)
class Info:
    """What a file holds; `frames` counts samples per channel, exactly."""

    rate: int
    channels: int
    frames: int
    format: str  # CONTAINER/CODEC


@dataclass(frozen=True)
class _Stream:
    """An opened file: `blocks` decodes float32 (frames, channels) from frame 0, or where plain (see PLAIN) from any."""

    rate: int
    channels: int
    format: str
    claimed: int  # frames according to the header; 0 where it does not say
    plain: bool
    blocks: Callable[[int], Blocks]


def stamp(path: str | Path) -> str:
    """Size, time and inode of a file: another stamp, another content."""
    facts = os.stat(path)
    return f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ino}"


def unchanged(path: str | Path, before: str | None) -> None:
    """Raise `Unreadable` where a file is not the one that was stamped; None is not checked.

    By size and time alone: a corpus may be moved to another disk, where its files have other inodes.
    """
    if before is not None and stamp(path).split()[:2] != before.split()[:2]:
        raise Unreadable("changed since it was ingested; run `curate run` again")


def probe(path: str | Path) -> Info:
    """What the file holds; compressed audio is decoded once to count it. Raises `Unreadable`."""
    with _open(Path(path)) as stream:
        first = max(stream.claimed - 1, 0) if stream.plain else 0
        frames = first + sum(len(block) for block in _complete(stream, first))
        return Info(stream.rate, stream.channels, frames, stream.format)


def survey(path: str | Path) -> tuple[Info, Mix, list[float]]:
    """What the file holds, how its channels become one, and the mean of each. Raises `Unreadable`.

    It is decoded whole where that is needed: to count what is compressed, and to compare channels. Of a long plain file
    with one channel the mean is taken over SAMPLED seconds, evenly spread.
    """
    with _open(Path(path)) as stream:
        if stream.plain and stream.channels == 1 and stream.claimed > SAMPLED * stream.rate:
            next(_complete(stream, stream.claimed - 1), None)  # it is all there
            offsets = [_sampled_mean(stream)]
            return Info(stream.rate, 1, stream.claimed, stream.format), Mix(offset=offsets[0]), offsets
        heard, frames = Survey(stream.rate, stream.channels), 0
        for block in _complete(stream, 0):
            heard.feed(block)
            frames += len(block)
        return Info(stream.rate, stream.channels, frames, stream.format), heard.mix(), heard.offsets()


def _sampled_mean(stream: _Stream) -> float:
    """The mean of a long plain file's only channel, from one second in each of SAMPLED equal parts."""
    total = 0.0
    for start in np.linspace(0, stream.claimed - stream.rate, SAMPLED).astype(int).tolist():
        with closing(stream.blocks(start)) as blocks:
            second = next(blocks)[: stream.rate, 0]
        total += float(np.nan_to_num(second, nan=0.0, posinf=0.0, neginf=0.0).mean(dtype=np.float64))
    return round(total / SAMPLED, 6)


def wave_info(content: bytes) -> Info | None:
    """What a whole WAV in memory holds, exactly as `probe` says it; None where it is not plain and sound, or no WAV.

    Opening a file with libsndfile takes longer than hashing a short one: corpora of short clips are read by this.
    """
    found = _wave_data(content)
    return _wave(found[0], found[2]) if found else None


def wave_mean(content: bytes) -> float | None:
    """The mean of the only channel of a 16-bit WAV in memory, as `survey` says it; None for any other."""
    info, found = wave_info(content), _wave_data(content)
    if info is None or found is None or info.channels != 1 or not info.format.endswith("PCM_16"):
        return None
    samples = np.frombuffer(content, "<i2", info.frames, found[1])
    return round(float(samples.mean(dtype=np.float64)) / 32768, 6)


def _wave_data(content: bytes) -> tuple[tuple[int, ...], int, int] | None:
    """The fmt chunk of a WAV in memory, and where its samples begin and how many bytes they are."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return None
    at, layout = 12, None
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"fmt " and size >= 16 and at + 24 <= len(content):
            layout = struct.unpack_from("<HHIIHH", content, at + 8)
        if name == b"data":
            return (layout, at + 8, size) if layout is not None and at + 8 + size <= len(content) else None
        at += 8 + size + size % 2
    return None


def _wave(layout: tuple[int, ...], size: int) -> Info | None:
    code, channels, rate, _, block, bits = layout
    codec = WAVE_CODECS.get((code, bits))
    if codec is None or not 0 < channels <= 64 or not 0 < rate <= 768_000 or block != channels * bits // 8:
        return None
    frames = size // block
    return Info(rate, channels, frames, f"WAV/{codec}") if frames else None


def read(
    path: str | Path, start: int | None = None, end: int | None = None, *, mix: Mix | None = None
) -> tuple[Samples, int]:
    """Samples start..end of a file as mono (whole file by default) and its rate. Raises `Unreadable`.

    `mix`, here and below: how its channels become one; found out where it is not given.
    """
    with _open(Path(path)) as stream:
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
    with _open(Path(path)) as stream:
        yield from _pieces(_resampled(stream, rate, mix), max(1, round(seconds * rate)))


def spans(path: str | Path, wanted: Sequence[tuple[int, int]], *, mix: Mix | None = None) -> Iterator[Samples]:
    """Each wanted half-open span, sorted by start, as mono at the source's rate, in one pass forwards.

    Spans may overlap. Memory is bounded by the longest span. Raises `Unreadable`, also where a span passes the end.
    """
    if any(not 0 <= start < end for start, end in wanted) or any(one[0] > next_[0] for one, next_ in pairwise(wanted)):
        raise ValueError("spans must hold 0 <= start < end and be sorted by start")
    if wanted:
        with _open(Path(path)) as stream:
            yield from _cut(stream, wanted, mix)


def resample(samples: Samples, rate: int, to: int) -> Samples:
    """The same sound at another rate, round(n * to / rate) samples long."""
    if rate == to or not len(samples):
        return np.asarray(samples, dtype=np.float32)
    out = soxr.resample(np.asarray(samples, dtype=np.float32), rate, to, quality=QUALITY)
    return _fit(out, round(len(samples) * to / rate))


def write_flac(path: str | Path, samples: Samples, rate: int) -> None:
    """Write mono 16-bit FLAC in one step: the same samples, the same bytes. Peaks above 1 are scaled down, not cut."""
    if samples.ndim != 1 or not len(samples):
        raise ValueError(f"a clip is one row of samples, not an array of shape {samples.shape}")
    files.write_bytes(Path(path), encode(_sixteen_bit(samples), rate, "FLAC", "PCM_16"))


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


# ---- opening


@contextmanager
def _open(path: Path) -> Iterator[_Stream]:
    """The file as a stream; every failure of a decoder, now or while its blocks are read, becomes `Unreadable`."""
    import av

    try:
        if not path.is_file():
            raise Unreadable("a folder" if path.is_dir() else "not a file" if path.exists() else "no such file")
        if not path.stat().st_size:
            raise Unreadable("an empty file")
        stream = _headerless(path) or _soundfile(path) or _ffmpeg(path)
        if stream.rate <= 0 or stream.channels <= 0:
            raise Unreadable("no audio in the file")
        yield stream
    except soundfile.LibsndfileError as error:
        raise Unreadable(f"corrupt audio ({error.error_string.rstrip('.') or error.code})") from error
    except av.FFmpegError as error:
        raise Unreadable(f"corrupt or unknown audio ({error.strerror})") from error
    except PermissionError as error:
        raise Unreadable("no permission to read the file") from error
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from error
    except (ValueError, LookupError) as error:  # PyAV on what is half a file
        raise error if isinstance(error, Unreadable) else Unreadable(f"corrupt audio ({error})") from error


def _headerless(path: Path) -> _Stream | None:
    """A .pcm file that no header begins; half a sample at its end is left out."""
    if path.suffix.lower() != HEADERLESS:
        return None
    with path.open("rb") as file:
        if file.read(4) in (b"RIFF", b"RF64", b"fLaC", b"OggS", b"NIST", b"FORM", b".snd"):
            return None
    frames = path.stat().st_size // 2
    return _Stream(HEADERLESS_RATE, 1, "RAW/PCM_16", frames, True, partial(_headerless_blocks, path))


def _headerless_blocks(path: Path, start: int) -> Blocks:
    with path.open("rb") as file:
        file.seek(2 * start)
        while len(content := file.read(2 * BLOCK)) > 1:
            samples = np.frombuffer(content[: len(content) // 2 * 2], dtype="<i2")
            yield np.divide(samples, 32768, dtype=np.float32)[:, None]


def _soundfile(path: Path) -> _Stream | None:
    """The file through soundfile, or None where that does not know the format."""
    with path.open("rb"):  # a missing permission is not an unknown format
        pass
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError:
        return None
    if file.format == "MP3":  # soundfile seeks after every read; libmpg123 then loses bits and says so on stderr
        file.close()
        return None
    try:
        _refuse_cut(file, path)
    except Unreadable:
        file.close()
        raise
    plain = file.format in PLAIN and file.subtype.startswith(PLAIN_CODECS)
    name = f"{file.format}/{file.subtype}"
    return _Stream(file.samplerate, file.channels, name, file.frames, plain, partial(_sound_blocks, path, [file]))


def _sound_blocks(path: Path, opened: list[Any], start: int) -> Blocks:
    """The first pass takes the file that is open; others open it anew, as a decoder that was wound back may differ."""
    with opened.pop() if opened else soundfile.SoundFile(path) as file:
        if start:
            file.seek(start)
        while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
            yield block


def _refuse_cut(file: Any, path: Path) -> None:
    """Raise where the file ends before its own end: libsndfile itself only notes a short chunk in its log."""
    sizes = re.search(r"(?:data|SSND) : (\d+) \(should be (\d+)\)", file.extra_info)
    if sizes and int(sizes[1]) > int(sizes[2]) and int(sizes[1]) not in STREAMED:
        raise Unreadable(f"truncated: {sizes[2]} of {sizes[1]} bytes of samples")
    if file.format == "OGG" and not _ends_ogg(path):
        raise Unreadable("truncated: the last OGG page is missing")


def _ends_ogg(path: Path) -> bool:
    """Whether the last page is marked as the last of its stream (RFC 3533: bit 2 of the byte after the version)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 65_536))  # a page has at most 65,307 bytes
        tail = file.read()
    at = tail.rfind(b"OggS")
    return at >= 0 and at + 5 < len(tail) and bool(tail[at + 5] & 4)


def _container(file: Any) -> Any:
    """A container opened by FFmpeg; tags in the encodings of old (EUC-KR) do not make a file unreadable."""
    import av

    return av.open(file, options={"format_whitelist": CONTAINERS}, metadata_errors="replace")


def _ffmpeg(path: Path) -> _Stream:
    """The file through PyAV. It gets an open file, so no name is taken for a protocol and nothing else is opened."""
    with path.open("rb") as file, _container(file) as container:
        if not container.streams.audio:
            raise Unreadable("no audio in the file")
        stream = container.streams.audio[0]
        name = f"{container.format.name.split(',')[0]}/{stream.codec_context.name}".upper()
        claimed = int(stream.duration * stream.time_base * stream.rate) if stream.duration else 0
        return _Stream(stream.rate or 0, stream.channels or 0, name, claimed, False, partial(_ffmpeg_blocks, path))


def _ffmpeg_blocks(path: Path, _: int) -> Blocks:
    import av

    with path.open("rb") as file, _container(file) as container:
        stream = container.streams.audio[0]
        convert = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
        for frame in container.decode(stream):
            if frame.sample_rate != stream.rate:
                raise Unreadable("the sample rate changes inside the file")
            yield from (part.to_ndarray().T for part in convert.resample(frame))
        yield from (part.to_ndarray().T for part in convert.resample(None))


# ---- decoding forwards


def _complete(stream: _Stream, start: int) -> Iterator[Samples]:
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


def _mono(stream: _Stream, start: int, mix: Mix | None) -> Iterator[Samples]:
    """Finite mono blocks from `start` on."""
    mix = mix or _found(stream)
    for block in _complete(stream, start):
        yield mix.apply(block)


def _found(stream: _Stream) -> Mix:
    """How the channels become one, where nobody has found it yet; one channel is taken as it is."""
    if stream.channels == 1:
        return Mix()
    heard = Survey(stream.rate, stream.channels)
    with closing(stream.blocks(0)) as blocks:
        for block in blocks:
            heard.feed(block)
    return heard.mix()


def _cut(stream: _Stream, wanted: Sequence[tuple[int, int]], mix: Mix | None) -> Iterator[Samples]:
    """Each wanted span; holds only the blocks that touch the current one."""
    at = ahead = wanted[0][0]  # where the held blocks begin and end
    held: list[Samples] = []
    blocks = _mono(stream, at, mix)
    for start, end in wanted:
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
        yield np.concatenate(held)[start - at : end - at].copy()


def _resampled(stream: _Stream, rate: int, mix: Mix | None) -> Iterator[Samples]:
    """The whole file at another rate, block by block, exactly as long as `resample` makes it."""
    if stream.rate == rate:
        yield from _mono(stream, 0, mix)
        return
    converter = soxr.ResampleStream(stream.rate, rate, 1, dtype="float32", quality=QUALITY)
    frames = made = 0
    for block in _mono(stream, 0, mix):
        out = converter.resample_chunk(block)
        frames, made = frames + len(block), made + len(out)
        yield out
    yield _fit(converter.resample_chunk(np.zeros(0, np.float32), last=True), round(frames * rate / stream.rate) - made)


def _pieces(blocks: Iterator[Samples], size: int) -> Iterator[Samples]:
    """The same samples in pieces of `size`."""
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        full = len(rest) // size * size
        yield from (rest[at : at + size].copy() for at in range(0, full, size))
        rest = rest[full:]
    if len(rest):
        yield rest


def _fit(samples: Samples, length: int) -> Samples:
    """Exactly `length` samples: the end cut off, or zeros added."""
    cut = samples[: max(0, length)]
    return np.pad(cut, (0, max(0, length - len(cut)))).astype(np.float32, copy=False)
