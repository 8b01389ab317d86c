"""Open and decode audio files, whichever format they have: each is a `Stream` of float32 blocks.

soundfile reads first (WAV, FLAC, OGG); the rest goes to PyAV, which bundles FFmpeg (MP3, m4a, webm, video). Samples
without a header (.pcm) are read here, and so are WAV files that are small or in memory already. What makes other
samples of a file raises `audio.VERSION`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from curate.errors import Unreadable

Blocks = Generator[NDArray[np.float32], None, None]

BLOCK = 65_536  # frames decoded at a time
# Formats whose samples lie at fixed places: header counts and seeking are exact, and nothing can fail to decode.
PLAIN = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF"}
PLAIN_CODECS = ("PCM_", "FLOAT", "DOUBLE")
# Containers that FFmpeg may open: none that refers to other files or to the network (playlists, concat scripts).
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mp3,aac,ogg,asf,avi,flv,mpegts,mpeg,wav,flac,amr,ac3,caf,aiff,au"
WAVE_CODECS = {
    (1, 8): "PCM_U8", (1, 16): "PCM_16", (1, 24): "PCM_24", (1, 32): "PCM_32", (3, 32): "FLOAT", (3, 64): "DOUBLE",
}  # fmt: skip
# Samples without a header, as KsponSpeech and other sets of AIHub have them: 16 kHz, mono, 16 bit, little-endian.
HEADERLESS = ".pcm"
HEADERLESS_RATE = 16_000
SMALL = 4 * 2**20  # bytes of a WAV that is read at once: two minutes of 16 kHz
WHOLE = 2**20  # frames of it at a time: a clip is one block, which nobody has to join
STREAMED = {0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF}  # sizes that a WAV written to a pipe carries


@dataclass(frozen=True)
class Info:
    """What a file holds; `frames` counts samples per channel, exactly."""

    rate: int
    channels: int
    frames: int
    format: str  # CONTAINER/CODEC


@dataclass(frozen=True)
class Stream:
    """An opened file: `blocks` decodes float32 (frames, channels) from frame 0, or where plain (see PLAIN) from any."""

    rate: int
    channels: int
    format: str
    claimed: int  # frames according to the header; 0 where it does not say
    plain: bool
    blocks: Callable[[int], Blocks]


@contextmanager
def open_stream(path: Path) -> Iterator[Stream]:
    """The file as a stream; every failure of a decoder, now or while its blocks are read, becomes `Unreadable`."""
    import av

    try:
        if not path.is_file():
            raise Unreadable("a folder" if path.is_dir() else "not a file" if path.exists() else "no such file")
        if not path.stat().st_size:
            raise Unreadable("an empty file")
        stream = _headerless(path) or _small_wave(path) or _soundfile(path) or _ffmpeg(path)
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


def _headerless(path: Path) -> Stream | None:
    """A .pcm file that no header begins; half a sample at its end is left out."""
    if path.suffix.lower() != HEADERLESS:
        return None
    with path.open("rb") as file:
        if file.read(4) in (b"RIFF", b"RF64", b"fLaC", b"OggS", b"NIST", b"FORM", b".snd"):
            return None
    frames = path.stat().st_size // 2
    return Stream(HEADERLESS_RATE, 1, "RAW/PCM_16", frames, True, partial(_headerless_blocks, path))


def _headerless_blocks(path: Path, start: int) -> Blocks:
    with path.open("rb") as file:
        file.seek(2 * start)
        while len(content := file.read(2 * BLOCK)) > 1:
            samples = np.frombuffer(content[: len(content) // 2 * 2], dtype="<i2")
            yield np.divide(samples, 32768, dtype=np.float32)[:, None]


def _small_wave(path: Path) -> Stream | None:
    """A whole WAV of 16 bits that fits in memory: libsndfile takes as long to open one as to read it."""
    if path.suffix.lower() != ".wav" or path.stat().st_size > SMALL:
        return None
    content = path.read_bytes()
    found = _wave_data(content)
    info = _wave(found[0], found[2]) if found else None
    if info is None or found is None or info.format != "WAV/PCM_16":
        return None
    samples = np.frombuffer(content, "<i2", info.frames * info.channels, found[1]).reshape(-1, info.channels)
    return Stream(info.rate, info.channels, info.format, info.frames, True, partial(_wave_blocks, samples))


def _wave_blocks(samples: NDArray[np.int16], start: int) -> Blocks:
    for at in range(start, len(samples), WHOLE):
        yield np.multiply(samples[at : at + WHOLE], np.float32(1 / 32768), dtype=np.float32)


def _soundfile(path: Path) -> Stream | None:
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
    return Stream(file.samplerate, file.channels, name, file.frames, plain, partial(_sound_blocks, path, [file]))


def _sound_blocks(path: Path, opened: list[Any], start: int) -> Blocks:
    """The first pass takes the file that is open; others open it anew, as a decoder that was wound back may differ."""
    with opened.pop() if opened else soundfile.SoundFile(path) as file:
        if start:
            file.seek(start)
        # of 16 bits libsndfile makes the same floats, in twice the time
        dtype = "int16" if file.subtype == "PCM_16" else "float32"
        while len(block := file.read(BLOCK, dtype=dtype, always_2d=True)):
            yield block if dtype == "float32" else np.multiply(block, np.float32(1 / 32768), dtype=np.float32)


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


def _ffmpeg(path: Path) -> Stream:
    """The file through PyAV. It gets an open file, so no name is taken for a protocol and nothing else is opened."""
    with path.open("rb") as file, _container(file) as container:
        if not container.streams.audio:
            raise Unreadable("no audio in the file")
        stream = container.streams.audio[0]
        name = f"{container.format.name.split(',')[0]}/{stream.codec_context.name}".upper()
        claimed = int(stream.duration * stream.time_base * stream.rate) if stream.duration else 0
        return Stream(stream.rate or 0, stream.channels or 0, name, claimed, False, partial(_ffmpeg_blocks, path))


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


# ---- WAV in memory


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
    return round(_sum(samples) / len(samples) / 32768, 6)


def _sum(samples: NDArray[np.int16]) -> int:
    """Of whole numbers, in a third of the time that numpy takes; 32 bits hold that of 65,536."""
    return sum(int(samples[at : at + BLOCK].sum(dtype=np.int32)) for at in range(0, len(samples), BLOCK))


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
