"""Real speech with faults made in it: what the detectors were tuned on, and other files that judge them."""

import csv
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soxr

from curate import audio
from curate.measures import pace
from curate.models.silero import Silero
from curate.text import normalise
from train.evaluate import faults, likeness, prosody

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
needs_speech = pytest.mark.skipif(not SHARED.exists(), reason="the shared test speech is not on this machine")
RATE = 16_000
TUNED = ("ko/zeroth/104_003_0019.flac", "ko/zeroth/104_003_0253.flac", "ko/zeroth/104_003_0294.flac",
         "km/slr42/khm_1161_1980987674.wav")  # fmt: skip
JUDGED = ("ko/zeroth/104_003_0360.flac", "ko/zeroth/104_003_0437.flac", "ko/picovoice/leopard_test_ko.wav")


@functools.cache
def manifest() -> dict[str, dict[str, str]]:
    with (SHARED / "manifest.tsv").open(encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


@functools.cache
def read(name: str) -> np.ndarray:
    """A file at 16 kHz, with 0.2 s around its speech, as a corpus has it."""
    samples, rate = audio.read(SHARED / name)
    sound = audio.resample(samples, rate, RATE)
    speech = prosody.listen(silero(), sound).speech
    return sound[max(0, speech[0][0] - 2400) : speech[-1][1] + 2400]


@functools.cache
def silero() -> Silero:
    return Silero()


def spoken(name: str, sound: np.ndarray, text: str | None = None, written: str | None = None) -> faults.Spoken:
    """A sound as the text of a file, or as another text."""
    row = manifest()[name]
    language = row["language"]
    text = normalise(row["transcript"] if text is None else text, language)
    phones = pace.phones(normalise(text, language, "pronounced"))
    heard = prosody.listen(silero(), sound)
    features = likeness.features(likeness.join(sound, heard.speech))
    return faults.Spoken(
        name, text, language, phones, heard, prosody.measure(heard, phones), faults.clipped_share(sound), False,
        written, features,
    )  # fmt: skip


def truncated(sound: np.ndarray, share: float) -> np.ndarray:
    return sound[: int(len(sound) * share)]


def cut_out(sound: np.ndarray, start: float, end: float) -> np.ndarray:
    """A part is gone, with a short cross-fade where it was."""
    a, b, fade = int(len(sound) * start), int(len(sound) * end), 160
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    joined = sound[a - fade : a] * (1 - ramp) + sound[b : b + fade] * ramp
    return np.concatenate([sound[: a - fade], joined, sound[b + fade :]])


def said_twice(sound: np.ndarray, start: float, seconds: float, *, speed: float = 1.0, seed: int = 0) -> np.ndarray:
    """A stretch is said again, at another speed, pitch and level, with noise of its own; at speed 1 it is a copy."""
    a = int(len(sound) * start)
    again = sound[a : a + int(seconds * RATE)]
    end = a + len(again)
    if speed != 1.0:
        again = soxr.resample(again, RATE, RATE / speed).astype(np.float32) * 0.8
        again = again + np.random.default_rng(seed).normal(size=len(again)).astype(np.float32) * 0.003
    return np.concatenate([sound[:end], again, sound[end:]]).astype(np.float32)


def followed(sound: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Speech that goes on after the text."""
    return np.concatenate([sound, other])


def clipped(sound: np.ndarray, decibels: float) -> np.ndarray:
    loud = sound / np.abs(sound).max() * 10 ** (decibels / 20)
    return np.clip(loud, -1, 1).astype(np.float32)


def with_silence(sound: np.ndarray, seconds: float, at: str) -> np.ndarray:
    """Silence, with the faint noise that a room has, at the start, the end, or in the quietest place of the middle."""
    quiet = np.random.default_rng(1).normal(size=int(seconds * RATE)).astype(np.float32) * 1e-4
    place = {"start": 0, "end": len(sound)}.get(at)
    if place is None:
        third = len(sound) // 3
        levels = np.convolve(sound[third : 2 * third] ** 2, np.ones(800), "same")
        place = third + int(levels.argmin())
    return np.concatenate([sound[:place], quiet, sound[place:]])


Making = Callable[[np.ndarray], np.ndarray]
MADE: dict[str, dict[str, Making]] = {
    "early_stop": {f"{share:.0%} left": functools.partial(truncated, share=share) for share in (0.4, 0.5, 0.6, 0.7)},
    "omission": {
        "from .3 to .75": functools.partial(cut_out, start=0.3, end=0.75),
        "from .2 to .7": functools.partial(cut_out, start=0.2, end=0.7),
    },
    "repetition": {
        f"{seconds} s at {speed}": functools.partial(said_twice, start=0.35, seconds=seconds, speed=speed)
        for seconds in (0.9, 1.3)
        for speed in (1.0, 0.94, 1.06)
    },
    "clipping": {f"{gain} dB": functools.partial(clipped, decibels=gain) for gain in (6, 9, 12, 18)},
    "silence": {
        f"{seconds} s at the {at}": functools.partial(with_silence, seconds=seconds, at=at)
        for seconds in (2.0, 4.0)
        for at in ("start", "end", "middle")
    } | {"nothing": lambda sound: np.zeros_like(sound)},
}  # fmt: skip
