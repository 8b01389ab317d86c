"""Sounds and pictures of single clips for the page: a short MP3 that every browser plays, and a spectrogram as PNG.

A dropped clip was never cut out, so it is read from its source here. What cannot be read has no sound, and the page
says so. The same samples give the same bytes.
"""

import base64
import hashlib
import io
import json
import re
import struct
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import soundfile
from numpy.typing import NDArray

from curate import audio, files
from curate.channels import Mix
from curate.errors import Unreadable, UserError
from curate.files import Root

NAME = re.compile("[0-9A-Za-z-]+")
VERSION = 1  # raise it when an excerpt would be made otherwise
MADE_OF = ("sha256", "channel_mix", "dc_offset", "cut_start", "cut_end", "start", "end", "frames", "rate")
CACHED = {
    "key": pl.String, "mp3": pl.Binary, "png": pl.Binary, "seconds": pl.Float64, "start": pl.Int64, "rate": pl.Int64,
}  # fmt: skip
SECONDS = 12.0  # of a clip that are played; most are shorter
RATES = (16_000, 24_000)  # Hz: what MP3 has, and a voice needs
COMPRESSION = 0.6  # of libsndfile's scale for variable bit rate: 6 s of speech are about 30 KB
EMBEDDED = 5_000_000  # bytes of sound that go into the page itself; more go to a folder beside it
# a spectrogram of 240 x 48 in 16 shades: 3 KB
COLUMNS, BANDS, SHADES, RANGE_DB, TOP_HZ = 240, 48, 16, 60.0, 8_000
DARK, MIDDLE, LIGHT = (17, 24, 39), (13, 148, 136), (254, 240, 138)


@dataclass(frozen=True)
class Excerpt:
    """The first seconds of a clip."""

    mp3: bytes
    png: bytes
    seconds: float
    start: int  # sample of the source's file where it begins
    rate: int  # of the source's file

    @property
    def picture(self) -> str:
        """The spectrogram as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()

    @property
    def sound(self) -> str:
        """The sound as a data URI."""
        return "data:audio/mpeg;base64," + base64.b64encode(self.mp3).decode()


def take(rows: Iterable[Mapping[str, Any]], roots: Mapping[str, Root], cache: Path | None = None) -> dict[str, Excerpt]:
    """Excerpts by id, of all rows that can be read; those in the `cache` of an earlier report are not made again."""
    there = [row for row in rows if row["rate"] and row["source"] in roots and row["path"]]
    wanted = {row["id"]: row for row in there if NAME.fullmatch(row["id"])}  # an id becomes the name of a file
    keys = {id: _key(row) for id, row in wanted.items()}
    known = _read(cache)
    missing = {keys[id]: row for id, row in wanted.items() if keys[id] not in known}
    with ThreadPoolExecutor(2) as pool:
        made = dict(zip(missing, pool.map(lambda row: _excerpt(row, roots), missing.values()), strict=True))
    found = {key: excerpt for key, excerpt in (known | made).items() if excerpt is not None}
    used = {key: found[key] for key in keys.values() if key in found}
    if cache is not None and used.keys() != known.keys():
        files.write_parquet(pl.DataFrame([{"key": key, **asdict(used[key])} for key in sorted(used)], CACHED), cache)
    return {id: found[key] for id, key in keys.items() if key in found}


def _key(row: Mapping[str, Any]) -> str:
    """What an excerpt is made of: the file's content, the span, how its channels become one, and this code."""
    values = [VERSION, audio.VERSION, *(row[name] for name in MADE_OF)]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _read(cache: Path | None) -> dict[str, Excerpt]:
    """What an earlier report made; nothing where that cannot be read."""
    try:
        rows = pl.read_parquet(cache, columns=list(CACHED)) if cache is not None and cache.is_file() else None
    except (pl.exceptions.PolarsError, OSError):
        return {}
    return {} if rows is None else {row.pop("key"): Excerpt(**row) for row in rows.to_dicts()}


def _excerpt(row: Mapping[str, Any], roots: Mapping[str, Root]) -> Excerpt | None:
    rate = int(row["rate"])
    start, end = row["cut_start"], row["cut_end"]
    if start is None or end is None:
        start, end = row["start"] or 0, row["end"] or row["frames"]
    if not end or end <= start:
        return None
    end = min(end, start + round(SECONDS * rate))
    mix = None if row["channel_mix"] is None else Mix.parse(row["channel_mix"], row["dc_offset"])
    file = Path(roots[str(row["source"])] / str(row["path"]))
    try:
        samples = next(audio.spans(file, [(start, end)], mix=mix))
    except (Unreadable, UserError, OSError):
        return None
    return Excerpt(mp3(samples, rate), spectrogram(samples, rate), round(len(samples) / rate, 3), start, rate)


def mp3(samples: audio.Samples, rate: int) -> bytes:
    """Mono MP3 of variable bit rate at 16 or 24 kHz; peaks above 1 are scaled down."""
    to = RATES[0] if rate <= RATES[0] else RATES[1]
    sound = audio.resample(np.nan_to_num(samples), rate, to)
    sound = sound / max(1.0, float(np.abs(sound).max(initial=0.0)) / audio.SAFE_PEAK)
    made = io.BytesIO()
    soundfile.write(
        made, sound, to, format="MP3", subtype="MPEG_LAYER_III", compression_level=COMPRESSION, bitrate_mode="VARIABLE"
    )
    return made.getvalue()


def spectrogram(samples: audio.Samples, rate: int) -> bytes:
    """Level over time and frequency (0 to 8 kHz), 60 dB below the loudest as dark, as PNG."""
    window = max(64, round(0.032 * rate))
    padded = np.pad(samples.astype(np.float64), (0, max(0, window - len(samples))))
    starts = np.linspace(0, len(padded) - window, COLUMNS).astype(int)
    frames = padded[starts[:, None] + np.arange(window)] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    heard = power[:, : max(BANDS, int(power.shape[1] * min(1.0, TOP_HZ / (rate / 2))))]
    edges = np.linspace(0, heard.shape[1], BANDS + 1).astype(int)
    bands = np.array([heard[:, a : max(b, a + 1)].mean(axis=1) for a, b in pairwise(edges)])
    level = 10 * np.log10(bands + 1e-12)
    shade = np.clip((level - level.max() + RANGE_DB) / RANGE_DB * SHADES, 0, SHADES - 1).astype(np.uint8)
    return _png(shade[::-1])


def _png(shades: NDArray[np.uint8]) -> bytes:
    """A picture of 16 shades (height, width), four bits a pixel."""
    height, width = shades.shape
    packed = (shades[:, 0::2] << 4) | shades[:, 1::2]
    lines = np.hstack([np.zeros((height, 1), np.uint8), packed]).tobytes()  # each line unfiltered
    header = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", _palette()), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _palette() -> bytes:
    """From dark over teal to light, readable on both kinds of page."""
    at = np.linspace(0, 1, SHADES)
    channels = [np.interp(at, (0, 0.55, 1), each) for each in np.array([DARK, MIDDLE, LIGHT], dtype=np.float64).T]
    return np.stack(channels, axis=1).astype(np.uint8).tobytes()
