"""Answers on disk: cached for ever, one folder per measure, in shards that are written whole.

An answer is keyed by what was listened to (content, span, inputs) and by who listened (fingerprint), so a changed
threshold asks nobody again, a new source asks only about its own clips, and a changed model asks about all.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from curate import files
from curate.errors import UserError
from curate.manifest import COLUMNS
from curate.measures.definition import Answer, Measure

FLUSH_SECONDS = 3.0  # a killed run loses at most this much work, and the clip at hand
MANY_SHARDS = 64  # beyond, they are merged into one when read


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
