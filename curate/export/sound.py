"""The sound of a clip as an export wants it: its rate, its loudness, FLAC or WAV.

Everything starts from `clips/ID.flac`, mono with 16 bits, which is cut already; sources are not opened again.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curate import audio
from curate.errors import Unreadable, UserError
from curate.measures import loudness

VERSION = 1  # raise it when the same settings give other samples
TRUE_PEAK = -1.0  # dBTP: the most that EBU R 128 allows
OVERSAMPLING = 4  # at 48 kHz and below it finds true peaks to 0.7 dB (BS.1770-4, annex 2)
NOTES = {
    "peak": "{} of {} clips stay under {:g} LUFS: their true peak would pass -1 dBTP",
    "short": "{} of {} clips are under 0.4 s, too short for the gate of BS.1770: measured without it",
    "silent": "{} of {} clips have nothing to measure and keep their level",
}


@dataclass(frozen=True)
class Sound:
    """How sound is wanted. `rate` None: as it is; `loudness` None: as loud as it is."""

    rate: int | None = None  # Hz
    loudness: float | None = None  # LUFS, integrated
    encoding: str = "flac"  # or wav

    def settings(self) -> dict[str, Any]:
        """As plain values."""
        return {"rate": self.rate, "loudness": self.loudness, "encoding": self.encoding}

    def encoded(self, path: Path) -> tuple[bytes | memoryview, Mapping[str, int]]:
        """The bytes of a clip, and what is to be told of it. Raises UserError where it cannot be read."""
        try:
            samples, rate = audio.read(path)
        except Unreadable as error:
            raise UserError(
                f"{path} cannot be read ({error}): remove it and run `curate tag {path.parent.parent}`"
            ) from None
        if self.rate in (None, rate) and self.loudness is None and self.encoding == "flac":
            return path.read_bytes(), {}
        wanted = audio.resample(samples, rate, self.rate or rate)
        notes: dict[str, int] = {}
        if self.loudness is not None:
            wanted, notes = normalised(wanted, self.rate or rate, self.loudness)
        return audio.encode_clip(wanted, self.rate or rate, self.encoding.upper()), notes


def normalised(samples: audio.Samples, rate: int, target: float) -> tuple[audio.Samples, dict[str, int]]:
    """The samples at an integrated loudness in LUFS (BS.1770-4), quieter where their true peak would pass TRUE_PEAK.

    A clip under one block of 0.4 s is measured as one block of itself, without a gate; one in which nothing passes the
    gate at -70 LUFS is left as it is.
    """
    notes = {}
    block = math.ceil(loudness.BLOCK * rate)
    if len(samples) < block:
        notes["short"] = 1
    heard = np.tile(samples, math.ceil(block / len(samples))) if notes else samples
    level = loudness.integrated(heard, rate)
    if level is None:
        return samples, {"silent": 1}
    gain = 10 ** ((target - level) / 20)
    most = 10 ** (TRUE_PEAK / 20) / true_peak(samples, rate)
    if gain > most:
        notes["peak"] = 1
    return (samples.astype(np.float64) * min(gain, most)).astype(np.float32), notes


def true_peak(samples: audio.Samples, rate: int) -> float:
    """The largest absolute value between samples, too, by oversampling."""
    between = audio.resample(samples, rate, OVERSAMPLING * rate)
    return float(max(np.abs(samples).max(), np.abs(between).max()))


def expected_frames(frames: int, rate: int, to: int) -> int:
    """How many samples a clip has at another rate, as `audio.resample` makes them."""
    return frames if rate == to else round(frames * to / rate)


def told(notes: Mapping[str, int], clips: int, sound: Sound) -> list[str]:
    """A line for everything that is to be told of the sounds of an export."""
    return [NOTES[name].format(notes[name], clips, sound.loudness) for name in NOTES if notes.get(name)]
