"""What a worker does with one job, wherever it runs: decode once, run every extractor, send each result as it comes."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate import audio
from curate.channels import Mix
from curate.errors import Unreadable, UserError
from curate.measures.definition import Answer, Clip, Listener, Measure, Sound, Waveform

STRETCH_SECONDS = 20.0  # of a recording in memory at a time
BATCH_SECONDS = 60.0  # of clips in memory at a time
DEVICE_BATCH_SECONDS = 300.0  # where a GPU hears some of it: many clips at once keep it busy


@dataclass(frozen=True)
class Request:
    """One measure asked about one thing; `key` is where the answer is kept."""

    measure: str
    key: str
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """Requests about one file: about the whole recording, or about clips of it."""

    path: Path
    rate: int
    modified: str | None = None  # the file's stamp when it was ingested
    mix: Mix | None = None  # how its channels become one
    recording: tuple[Request, ...] = ()
    clips: tuple[tuple[int, int, tuple[Request, ...]], ...] = ()  # start, end in samples, sorted by start
    seconds: float = 0.0  # of audio, for progress


@dataclass(frozen=True)
class Result:
    """An answer, or why there is none."""

    measure: str
    key: str
    answer: Answer | None
    failure: str = ""


class Extractors:
    """The extractors of one process, each built when it is first needed.

    `elsewhere` gives those of measures that run on a device which another process holds (`devices.py`).
    """

    def __init__(self, measures: Sequence[Measure], elsewhere: Callable[[Measure], Any] | None = None) -> None:
        self._measures = {measure.name: measure for measure in measures}
        self._elsewhere = elsewhere
        self._extractors: dict[str, Any] = {}
        on_device = any(measure.device != "cpu" for measure in measures)
        self.batch_seconds = DEVICE_BATCH_SECONDS if on_device else BATCH_SECONDS

    def extractor(self, name: str) -> Any:
        """The extractor of a measure; what its making raises is the run's failure, not the clip's."""
        if name not in self._extractors:
            measure = self._measures[name]
            away = self._elsewhere is not None and measure.device != "cpu"
            self._extractors[name] = self._elsewhere(measure) if away and self._elsewhere else measure.make()
        return self._extractors[name]


def work(job: Job, state: Extractors) -> Iterator[Result]:
    """Answer every request of a job; what goes wrong with one clip stops nothing else."""
    if job.recording:
        yield from _hear_recording(job, state)
    if job.clips:
        yield from _hear_clips(job, state)


def _hear_recording(job: Job, state: Extractors) -> Iterator[Result]:
    listening = [(request, state.extractor(request.measure)()) for request in job.recording]
    try:
        audio.unchanged(job.path, job.modified)
        for stretch in audio.stretches(job.path, rate=audio.LISTENING_RATE, seconds=STRETCH_SECONDS, mix=job.mix):
            still = []
            for request, listener in listening:
                if failure := _fed(request, listener, stretch):
                    yield failure
                else:
                    still.append((request, listener))
            listening = still
    except (Unreadable, OSError) as error:
        for request, _ in listening:
            yield Result(request.measure, request.key, None, str(error))
        return
    for request, listener in listening:
        yield _finish(request, listener)


def _fed(request: Request, listener: Listener, stretch: Waveform) -> Result | None:
    """Feed a listener; why it hears no more, where it cannot."""
    try:
        listener.feed(stretch)
    except UserError:
        raise
    except Exception as error:  # one bad file must not stop a run
        return Result(request.measure, request.key, None, named(error))
    return None


def _finish(request: Request, listener: Listener) -> Result:
    try:
        return Result(request.measure, request.key, listener.finish())
    except UserError:
        raise
    except Exception as error:  # one bad file must not stop a run
        return Result(request.measure, request.key, None, named(error))


def _hear_clips(job: Job, state: Extractors) -> Iterator[Result]:
    answered = 0
    try:
        audio.unchanged(job.path, job.modified)
        for batch in _batches(job, state.batch_seconds):
            for measure, (requests, clips) in _by_measure(batch).items():
                yield from _ask(state.extractor(measure), requests, clips)
            answered += len(batch)
    except (Unreadable, OSError) as error:
        for _, _, unheard in job.clips[answered:]:
            for request in unheard:
                yield Result(request.measure, request.key, None, str(error))


def _batches(job: Job, seconds: float) -> Iterator[list[tuple[Clip, tuple[Request, ...]]]]:
    """Decoded clips in order, a bounded number of seconds at a time."""
    batch: list[tuple[Clip, tuple[Request, ...]]] = []
    waiting = 0.0
    decoded = audio.spans(job.path, [(start, end) for start, end, _ in job.clips], mix=job.mix)
    for (start, _, requests), samples in zip(job.clips, decoded, strict=True):
        batch.append((Clip(Sound(samples, job.rate), start, {}), requests))
        waiting += samples.size / job.rate
        if waiting >= seconds:
            yield batch
            batch, waiting = [], 0.0
    if batch:
        yield batch


def _by_measure(batch: list[tuple[Clip, tuple[Request, ...]]]) -> dict[str, tuple[list[Request], list[Clip]]]:
    sorted_out: dict[str, tuple[list[Request], list[Clip]]] = {}
    for clip, requests in batch:
        for request in requests:
            asked, clips = sorted_out.setdefault(request.measure, ([], []))
            asked.append(request)
            clips.append(Clip(clip.sound, clip.start, request.given))
    return sorted_out


def _ask(extract: Callable[[Sequence[Clip]], list[Answer]], requests: list[Request], clips: list[Clip]) -> list[Result]:
    """One batch's answers; where the batch fails, each clip is asked alone so that only the bad one is without."""
    try:
        answers = extract(clips)
    except UserError:
        raise
    except Exception as error:
        if len(clips) == 1:
            return [Result(requests[0].measure, requests[0].key, None, named(error))]
        return [result for r, c in zip(requests, clips, strict=True) for result in _ask(extract, [r], [c])]
    return [Result(r.measure, r.key, a) for r, a in zip(requests, map(_finite, answers), strict=True)]


def _finite(answer: Answer) -> Answer:
    """No NaN and no infinity in the store: what could not be measured is null."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in answer.items()}


def named(error: Exception) -> str:
    """An error in one short line."""
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"[:200]
