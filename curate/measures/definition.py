"""Measures: columns that come from listening or from a model, and the store that never forgets an answer.

An answer is keyed by what was listened to (content, span, inputs) and by who listened (fingerprint), so a changed
threshold asks nobody again, a new source asks only about its own clips, and a changed model asks about all.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate import audio, files
from curate.errors import UserError
from curate.manifest import COLUMNS

Waveform = NDArray[np.float32]
Answer = dict[str, Any]
Scope = Literal["recording", "clip", "text", "corpus"]

FLUSH_SECONDS = 3.0  # a killed run loses at most this much work, and the clip at hand
MANY_SHARDS = 64  # beyond, they are merged into one when read


class Sound:
    """A clip's mono samples at the source's rate, and at any other rate once asked for."""

    def __init__(self, samples: Waveform, rate: int) -> None:
        self.samples, self.rate = samples, rate
        self._resampled: dict[int, Waveform] = {rate: samples}

    def at(self, rate: int) -> Waveform:
        """The samples at another rate."""
        if rate not in self._resampled:
            self._resampled[rate] = audio.resample(self.samples, self.rate, rate)
        return self._resampled[rate]


@dataclass(frozen=True)
class Clip:
    """What a clip-scope judge is given: the sound, and the values of the measure's inputs."""

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


RecordingJudge = Callable[[], Listener]
ClipJudge = Callable[[Sequence[Clip]], list[Answer]]
TextJudge = Callable[[Sequence[Mapping[str, Any]]], list[Answer]]
CorpusJudge = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class Measure:
    """Who is asked what. `make` is picklable and builds the judge where the work is done, once per process."""

    name: str
    scope: Scope
    outputs: tuple[str, ...]
    fingerprint: str
    make: Callable[[], Any]
    inputs: tuple[str, ...] = ()
    language: str | None = None  # asked only about clips in this language
    needs: tuple[str, ...] = ()  # asked only where these columns have a value

    def schema(self) -> dict[str, Any]:
        """Column types of stored answers."""
        return {"key": pl.String} | {name: COLUMNS[name].dtype for name in self.outputs}


def keys(frame: pl.DataFrame, measure: Measure) -> list[str]:
    """One key per row: the content listened to, the inputs' values, the fingerprint."""
    content = {"recording": ["sha256"], "clip": ["sha256", "cut_start", "cut_end"], "text": []}[measure.scope]
    names = list(dict.fromkeys([*content, *measure.inputs]))
    heard = f"audio-{audio.VERSION}" if content else ""
    prefix = f"{measure.name}\n{measure.fingerprint}\n{heard}\n".encode()
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


class Store:
    """Cached answers: one folder per measure, in shards that are written whole and renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, measure: Measure) -> pl.DataFrame:
        """All answers of this measure, one row per key, whatever fingerprint they were given under."""
        frames = {shard: _read_file(shard) for shard in sorted((self.folder / measure.name).glob("*.parquet"))}
        # another version may ask for other columns: its answers are kept, and asked for again
        ours = {shard: frame for shard, frame in frames.items() if dict(frame.schema) == measure.schema()}
        answers = pl.concat([pl.DataFrame(schema=measure.schema()), *ours.values()])
        answers = answers.unique("key", keep="first", maintain_order=True)
        if len(ours) > MANY_SHARDS:
            self._write(measure, answers)
            for shard in ours:
                shard.unlink()
        return answers

    def read_table(self, measure: Measure, key: str) -> pl.DataFrame | None:
        """The answer of a corpus-scope measure, or None where it was not yet asked about just these clips."""
        path = self.folder / measure.name / f"{key[:32]}.parquet"
        frame = _read_file(path) if path.exists() else None
        wanted = {"id": pl.String} | {name: COLUMNS[name].dtype for name in measure.outputs}
        return frame if frame is not None and dict(frame.schema) == wanted else None

    def write_table(self, measure: Measure, key: str, answer: pl.DataFrame) -> None:
        """Keep the answer of a corpus-scope measure."""
        files.write_parquet(answer, self.folder / measure.name / f"{key[:32]}.parquet")

    def add(self, measure: Measure, answers: Sequence[tuple[str, Answer]]) -> None:
        """Write answers as one more shard."""
        rows = [{"key": key} | {name: answer.get(name) for name in measure.outputs} for key, answer in answers]
        if rows:
            self._write(measure, pl.DataFrame(rows, schema=measure.schema()))

    def _write(self, measure: Measure, answers: pl.DataFrame) -> None:
        name = hashlib.sha256("".join(answers["key"]).encode()).hexdigest()[:24]
        files.write_parquet(answers, self.folder / measure.name / f"{name}-{time.time_ns():x}.parquet")


def _read_file(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        why = (str(error).splitlines() or [""])[0]
        raise UserError(f"answers cannot be read ({why}); delete {path} and run again") from None


class Buffer:
    """Collects answers as they arrive and writes them every few seconds, and at the end whatever happens."""

    def __init__(self, store: Store, measures: Iterable[Measure]) -> None:
        self._store = store
        self._waiting: dict[str, tuple[Measure, list[tuple[str, Answer]]]] = {m.name: (m, []) for m in measures}
        self._written = time.monotonic()

    def __enter__(self) -> "Buffer":
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def add(self, name: str, key: str, answer: Answer) -> None:
        """Take one answer."""
        self._waiting[name][1].append((key, answer))
        if time.monotonic() - self._written > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what has come in."""
        for measure, answers in self._waiting.values():
            self._store.add(measure, answers)
            answers.clear()
        self._written = time.monotonic()
