"""Answers on disk: cached for ever, one folder per measure, in few shards that are written whole.

An answer is keyed by what was listened to (content, span, inputs) and by who listened (fingerprint), so a changed
threshold asks nobody again, a new source asks only about its own clips, and a changed model asks about all.

Every few seconds of a run make a shard. As soon as there are FAN_OUT of one size they become one of the next, as in a
log-structured merge tree: a run of any length has a few dozen files, and writes each answer a handful of times.
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
FAN_OUT = 4  # shards of one level that are merged into one of the next
MANY_SHARDS = 32  # beyond, they are merged into one when read: those of a version that did not merge them
KEY_DIGITS = 32  # of the key of such an answer that name its file
TABLES_KEPT = 4  # answers about a whole corpus, the newest


class Store:
    """Cached answers: one folder per measure, in shards that are written whole and renamed."""

    def __init__(self, folder: Path, *, remember: bool = False) -> None:
        """`remember`: which answers are asked for, so that `forget` can remove all others."""
        self.folder = folder
        self._asked: dict[str, set[str]] | None = {} if remember else None
        self._known: dict[str, pl.DataFrame] = {}  # answers about texts: they are asked for twice in a run

    def read(self, measure: Measure) -> pl.DataFrame:
        """All answers of this measure, one row per key, whatever fingerprint they were given under."""
        if measure.name in self._known:
            return self._known[measure.name]
        shards = self._shards(measure)
        answers, ours = _joined(measure, shards)
        if len(ours) > MANY_SHARDS:
            self._replace(measure, ours, answers, 1 + max(map(_level, ours)))
        if measure.scope == "text":
            self._known[measure.name] = answers
        return answers

    def asked(self, measure: Measure, keys: Iterable[str]) -> None:
        """Be told that these answers are wanted, whether they are here or will be."""
        if self._asked is not None:
            self._asked.setdefault(measure.name, set()).update(keys)

    def forget(self) -> int:
        """Remove every answer that was not asked for since, of whatever measure; how many these were."""
        if self._asked is None:
            raise ValueError("a store that did not remember what was asked for cannot tell what was not")
        gone = 0
        for shard in sorted(self.folder.glob("*/*.parquet")):
            wanted, frame = self._asked.get(shard.parent.name, set()), _read_file(shard)
            if "key" in frame.columns:
                left = frame.filter(pl.col("key").is_in(list(wanted)))
            else:  # a table about all clips
                left = frame if shard.stem in wanted else frame.clear()
            gone += frame.height - left.height
            if left.is_empty():
                shard.unlink()
            elif left.height < frame.height:
                files.write_parquet(left, shard)
        return gone

    def read_table(self, measure: Measure, key: str) -> pl.DataFrame | None:
        """The answer of a corpus-scope measure, or None where it was not yet asked about just these clips."""
        path = self.folder / measure.name / f"{key[:KEY_DIGITS]}.parquet"
        frame = _read_file(path) if path.exists() else None
        wanted = {"id": pl.String} | {name: COLUMNS[name].dtype for name in measure.outputs}
        return frame if frame is not None and dict(frame.schema) == wanted else None

    def write_table(self, measure: Measure, key: str, answer: pl.DataFrame) -> None:
        """Keep the answer of a corpus-scope measure."""
        folder = self.folder / measure.name
        files.write_parquet(answer, folder / f"{key[:KEY_DIGITS]}.parquet")
        tables = sorted(folder.glob("*.parquet"), key=lambda path: path.stat().st_mtime_ns)
        for old in tables[:-TABLES_KEPT]:
            old.unlink()

    def add(self, measure: Measure, answers: Sequence[tuple[str, Answer]]) -> None:
        """Write answers as one more shard, and merge shards where there are enough of one level."""
        rows = [{"key": key} | {name: answer.get(name) for name in measure.outputs} for key, answer in answers]
        if not rows:
            return
        new = pl.DataFrame(rows, schema=measure.schema())
        self._write(measure, new, 0)
        if measure.name in self._known:
            self._known[measure.name] = _first([self._known[measure.name], new])
        self._merge(measure)

    def _shards(self, measure: Measure) -> list[Path]:
        """Oldest first, so that the first answer to a question stands."""
        shards = (self.folder / measure.name).glob("*.parquet")
        return sorted(shards, key=lambda shard: (shard.stem.rpartition("-")[2].rjust(16, "0"), shard.name))

    def _merge(self, measure: Measure) -> None:
        level = 0
        while len(shards := [shard for shard in self._shards(measure) if _level(shard) == level]) >= FAN_OUT:
            answers, ours = _joined(measure, shards)
            if len(ours) < 2:  # the rest are another version's
                return
            level += 1
            self._replace(measure, ours, answers, level)

    def _replace(self, measure: Measure, shards: Sequence[Path], answers: pl.DataFrame, level: int) -> None:
        """One shard for several. Killed in between, some answers are there twice, and are read once."""
        self._write(measure, answers, level, shards[0].stem.rpartition("-")[2])
        for shard in shards:
            shard.unlink()

    def _write(self, measure: Measure, answers: pl.DataFrame, level: int, begun: str = "") -> None:
        digest = hashlib.sha256("".join(answers["key"]).encode()).hexdigest()[:24]
        name = f"L{level}-{digest}-{begun or f'{time.time_ns():x}'}.parquet"
        files.write_parquet(answers, self.folder / measure.name / name)


def _level(shard: Path) -> int:
    """How often it was merged; a name that does not say is a shard of a version that did not merge."""
    first = shard.name.partition("-")[0]
    return int(first[1:]) if first[:1] == "L" and first[1:].isdigit() else 0


def _joined(measure: Measure, shards: Sequence[Path]) -> tuple[pl.DataFrame, list[Path]]:
    """The answers of shards, and which of them are this version's.

    Another version may ask for other columns: its answers are kept, and asked for again.
    """
    frames = {shard: _read_file(shard) for shard in shards}
    ours = [shard for shard, frame in frames.items() if dict(frame.schema) == measure.schema()]
    return _first([pl.DataFrame(schema=measure.schema()), *(frames[shard] for shard in ours)]), ours


def _first(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(frames).unique("key", keep="first", maintain_order=True)


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
