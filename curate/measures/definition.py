"""What a measure is: columns that come from listening or from a model, and the key that an answer is kept under."""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate import audio
from curate.manifest import COLUMNS
from curate.measures.decimation import LISTENING, decimated

Waveform = NDArray[np.float32]
Answer = dict[str, Any]
Scope = Literal["recording", "clip", "text", "corpus"]


class Sound:
    """A clip's mono samples at the source's rate, and at any other rate once asked for."""

    def __init__(self, samples: Waveform, rate: int) -> None:
        self.samples, self.rate = samples, rate
        self._resampled: dict[int, Waveform] = {rate: samples}

    @functools.cached_property
    def narrow(self) -> "Sound":
        """At 16 kHz for measures without a model, or at the source's rate where that is lower."""
        if self.rate <= LISTENING.rate:
            return self
        return Sound(decimated(self.samples, self.rate, LISTENING), LISTENING.rate)

    def at(self, rate: int) -> Waveform:
        """The samples at another rate."""
        if rate not in self._resampled:
            self._resampled[rate] = audio.resample(self.samples, self.rate, rate)
        return self._resampled[rate]


@dataclass(frozen=True)
class Clip:
    """What a clip-scope extractor is given: the sound, and the values of the measure's inputs."""

    sound: Sound
    start: int  # of the clip in its file, in samples: spans among the inputs count from the file's start
    given: Mapping[str, Any]

    def speech(self, rate: int) -> list[tuple[int, int]]:
        """The clip's speech spans (its input `speech`) from its own start, in samples at `rate`."""
        scale = rate / self.sound.rate
        return [
            (round((span["start"] - self.start) * scale), round((span["end"] - self.start) * scale))
            for span in self.given["speech"] or []
        ]


class Listener(Protocol):
    """Hears one recording forwards, in stretches of 16 kHz mono, and then answers."""

    def feed(self, samples: Waveform) -> None:
        """Take the next samples, any number."""

    def finish(self) -> Answer:
        """Answer for all that was heard; spans in 16 kHz samples."""


RecordingExtractor = Callable[[], Listener]
ClipExtractor = Callable[[Sequence[Clip]], list[Answer]]
TextExtractor = Callable[[Sequence[Mapping[str, Any]]], list[Answer]]
CorpusExtractor = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class Measure:
    """Who is asked what. `make` is picklable and builds the extractor where the work is done, once per process."""

    name: str
    scope: Scope
    outputs: tuple[str, ...]
    fingerprint: str
    make: Callable[[], Any]
    inputs: tuple[str, ...] = ()
    language: str | None = None  # asked only about clips in this language
    needs: tuple[str, ...] = ()  # asked only where these columns have a value
    device: str = "cpu"  # where its model runs; others than the CPU are shared by all workers (`engine/devices.py`)

    def schema(self) -> dict[str, Any]:
        """Column types of stored answers."""
        return {"key": pl.String} | {name: COLUMNS[name].dtype for name in self.outputs}


def keys(frame: pl.DataFrame, measure: Measure) -> list[str]:
    """One key per row: the content listened to, the inputs' values, the fingerprint."""
    content = {
        "recording": ["sha256", "channel_mix"],
        "clip": ["sha256", "channel_mix", "cut_start", "cut_end"],
        "text": [],
    }[measure.scope]
    names = list(dict.fromkeys([*content, *measure.inputs]))
    decoding = f"audio-{audio.VERSION}" if content else ""
    prefix = f"{measure.name}\n{measure.fingerprint}\n{decoding}\n".encode()
    return [_digest(prefix, row) for row in frame.select(names).iter_rows()]


def corpus_key(frame: pl.DataFrame, measure: Measure) -> str:
    """The key of a corpus-scope answer: a hash of the ordered inputs of all clips asked about."""
    digest = hashlib.sha256(f"{measure.name}\n{measure.fingerprint}\n".encode())
    for row in frame.select("id", *measure.inputs).iter_rows():
        digest.update(_digest(b"", row).encode())
    return digest.hexdigest()


def _digest(prefix: bytes, row: tuple[Any, ...]) -> str:
    text = json.dumps(row, ensure_ascii=False, default=_bytes_as_hex, separators=(",", ":"))
    return hashlib.sha256(prefix + text.encode("utf-8", "surrogatepass")).hexdigest()


def _bytes_as_hex(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} cannot be part of a key")
