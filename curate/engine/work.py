"""What a worker does with one job, wherever it runs: decode once, ask every judge, send each answer as it comes."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate import audio
from curate.errors import UserError
from curate.measures.definition import Answer, Clip, Listener, Measure, Sound

LISTENING_RATE = 16000  # Hz; what every bundled listening model expects
STRETCH_SECONDS = 20.0  # of a recording in memory at a time
BATCH_SECONDS = 60.0  # of clips in memory at a time


@dataclass(frozen=True)
class Question:
    """One measure asked about one thing; `key` is where the answer is kept."""

    measure: str
    key: str
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """Questions about one file: about the whole recording, or about clips of it."""

    path: Path
    rate: int
    modified: str | None = None  # the file's stamp when it was ingested
    recording: tuple[Question, ...] = ()
    clips: tuple[tuple[int, int, tuple[Question, ...]], ...] = ()  # start, end in samples, sorted by start
    seconds: float = 0.0  # of audio, for progress


@dataclass(frozen=True)
class Told:
    """An answer, or why there is none."""

    measure: str
    key: str
    answer: Answer | None
    failure: str = ""


class Bench:
    """The judges of one process, each built when it is first needed."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self._measures = {measure.name: measure for measure in measures}
        self._judges: dict[str, Any] = {}

    def judge(self, name: str) -> Any:
        """The judge of a measure; what its making raises is the run's failure, not the clip's."""
        if name not in self._judges:
            self._judges[name] = self._measures[name].make()
        return self._judges[name]


def work(job: Job, bench: Bench) -> Iterator[Told]:
    """Answer every question of a job; what goes wrong with one clip is told and stops nothing else."""
    if job.recording:
        yield from _hear_recording(job, bench)
    if job.clips:
        yield from _hear_clips(job, bench)


def _hear_recording(job: Job, bench: Bench) -> Iterator[Told]:
    listeners = [(question, bench.judge(question.measure)()) for question in job.recording]
    try:
        audio.unchanged(job.path, job.modified)
        for stretch in audio.stretches(job.path, rate=LISTENING_RATE, seconds=STRETCH_SECONDS):
            for _, listener in listeners:
                listener.feed(stretch)
    except (audio.Unreadable, OSError) as error:
        for question, _ in listeners:
            yield Told(question.measure, question.key, None, str(error))
        return
    for question, listener in listeners:
        yield _finish(question, listener)


def _finish(question: Question, listener: Listener) -> Told:
    try:
        return Told(question.measure, question.key, listener.finish())
    except UserError:
        raise
    except Exception as error:  # one bad file must not stop a run
        return Told(question.measure, question.key, None, named(error))


def _hear_clips(job: Job, bench: Bench) -> Iterator[Told]:
    heard = 0
    try:
        audio.unchanged(job.path, job.modified)
        for batch in _batches(job):
            for measure, (questions, clips) in _by_measure(batch).items():
                yield from _ask(bench.judge(measure), questions, clips)
            heard += len(batch)
    except (audio.Unreadable, OSError) as error:
        for _, _, unheard in job.clips[heard:]:
            for question in unheard:
                yield Told(question.measure, question.key, None, str(error))


def _batches(job: Job) -> Iterator[list[tuple[Clip, tuple[Question, ...]]]]:
    """Decoded clips in order, a bounded number of seconds at a time."""
    batch: list[tuple[Clip, tuple[Question, ...]]] = []
    waiting = 0.0
    decoded = audio.spans(job.path, [(start, end) for start, end, _ in job.clips])
    for (start, _, questions), samples in zip(job.clips, decoded, strict=True):
        batch.append((Clip(Sound(samples, job.rate), start, {}), questions))
        waiting += samples.size / job.rate
        if waiting >= BATCH_SECONDS:
            yield batch
            batch, waiting = [], 0.0
    if batch:
        yield batch


def _by_measure(batch: list[tuple[Clip, tuple[Question, ...]]]) -> dict[str, tuple[list[Question], list[Clip]]]:
    sorted_out: dict[str, tuple[list[Question], list[Clip]]] = {}
    for clip, questions in batch:
        for question in questions:
            asked, clips = sorted_out.setdefault(question.measure, ([], []))
            asked.append(question)
            clips.append(Clip(clip.sound, clip.start, question.given))
    return sorted_out


def _ask(judge: Callable[[Sequence[Clip]], list[Answer]], questions: list[Question], clips: list[Clip]) -> list[Told]:
    """One batch's answers; where the batch fails, each clip is asked alone so that only the bad one is without."""
    try:
        answers = judge(clips)
    except UserError:
        raise
    except Exception as error:
        if len(clips) == 1:
            return [Told(questions[0].measure, questions[0].key, None, named(error))]
        return [told for q, c in zip(questions, clips, strict=True) for told in _ask(judge, [q], [c])]
    return [Told(q.measure, q.key, a) for q, a in zip(questions, map(_finite, answers), strict=True)]


def _finite(answer: Answer) -> Answer:
    """No NaN and no infinity in the store: what could not be measured is null."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in answer.items()}


def named(error: Exception) -> str:
    """An error in one short line."""
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"[:200]
