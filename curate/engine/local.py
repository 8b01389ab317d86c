"""The engine for one machine: a few processes, each with its own models, fed one job at a time.

Answers come back one by one while a job runs, so a killed run loses only what it was listening to. Workers never write.
With one worker the work is done in this process.

A worker that dies (most often killed for memory) is replaced, and what it had not answered is asked again: once as it
was, then clip by clip, so that only what kills a worker every time is left without an answer, with the reason.
"""

import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from curate import garbage
from curate.engine import memory, one_thread
from curate.engine.devices import GONE, WAITED, Device, Remote
from curate.engine.work import Extractors, Job, Result, work
from curate.errors import UserError
from curate.measures.definition import Measure

DEATHS = 6  # of workers, with no answer in between: then it is not one bad clip
Progress = Callable[[float], None]  # is given the seconds of audio that a finished job held


@dataclass
class Task:
    """A job on its way: which of its questions have been answered, and how many workers died over it."""

    job: Job
    seconds: float  # of audio, told as progress when it is done
    deaths: int = 0
    answered: set[tuple[str, str]] = field(default_factory=set)

    def rest(self) -> Job:
        """The job without what has been answered."""
        recording = tuple(r for r in self.job.recording if (r.measure, r.key) not in self.answered)
        clips = [
            (start, end, tuple(r for r in requests if (r.measure, r.key) not in self.answered))
            for start, end, requests in self.job.clips
        ]
        return replace(self.job, recording=recording, clips=tuple(clip for clip in clips if clip[2]))


@dataclass
class Worker:
    """One process, our end of its pipe, and what it is doing."""

    process: BaseProcess
    pipe: Connection
    task: Task | None = None


class Local:
    """Runs jobs on this machine; the processes live until it is closed, so models load once."""

    def __init__(self, measures: Sequence[Measure], workers: int, announce: Callable[[], None] = lambda: None) -> None:
        self._measures = list(measures)
        self._announce = announce  # called before the first job
        self._announced = False
        self._count = max(1, workers)
        self._state: Extractors | None = None
        self._workers: list[Worker] = []
        self._device = Device(self._measures)
        self._deaths = 0  # since the last answer

    def __enter__(self) -> "Local":
        return self

    def __exit__(self, *_raised: object) -> None:
        for worker in self._workers:
            worker.pipe.close()  # an idle worker ends by itself
        for worker in self._workers:
            worker.process.join(timeout=2)
            worker.process.terminate()
            worker.process.join()
        self._device.close()

    def run(self, jobs: Sequence[Job], progress: Progress) -> Iterator[Result]:
        """Answers, in whatever order they come."""
        if not self._announced:
            self._announce()
            self._announced = True
        if self._count == 1:
            yield from self._here(jobs, progress)
        else:
            yield from self._there(jobs, progress)

    def _here(self, jobs: Sequence[Job], progress: Progress) -> Iterator[Result]:
        memory.keep_freed()
        self._state = self._state or Extractors(self._measures)
        for job in jobs:
            yield from work(job, self._state)
            memory.give_back(job.seconds)
            progress(job.seconds)

    def _there(self, jobs: Sequence[Job], progress: Progress) -> Iterator[Result]:
        # longest first, so that no worker ends with a long file alone
        waiting = [Task(job, job.seconds) for job in sorted(jobs, key=lambda job: job.seconds)]
        while len(self._workers) < min(self._count, len(waiting)):
            self._workers.append(self._started())
        for worker in self._workers:
            _hand_out(worker, waiting)
        while busy := [worker for worker in self._workers if worker.task]:
            ready = wait([worker.pipe for worker in busy])
            for worker in busy:
                if worker.pipe in ready:
                    yield from self._heard(worker, waiting, progress)

    def _heard(self, worker: Worker, waiting: list[Task], progress: Progress) -> Iterator[Result]:
        """One message of a worker: an answer, that its job is done, or nothing any more because it died."""
        task = worker.task
        assert task is not None
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):  # also in the middle of a message
            yield from self._died(worker, task, waiting, progress)
            return
        if isinstance(message, Result):
            task.answered.add((message.measure, message.key))
            self._deaths = 0
            yield message
        elif message is None:
            progress(task.seconds)
            _hand_out(worker, waiting)
        else:
            raise message if isinstance(message, UserError) else RuntimeError(f"in a worker process:\n{message}")

    def _died(self, worker: Worker, task: Task, waiting: list[Task], progress: Progress) -> Iterator[Result]:
        """Replace a worker, and ask again what it had not answered; or give the reason, where that has been tried."""
        worker.process.join()
        if worker.process.exitcode == WAITED:  # the device's process ended over another worker's request
            waiting.append(replace(task, job=task.rest(), answered=set()))
            self._restart(worker, waiting)
            return
        why = f"the worker process died ({_ending(worker.process.exitcode)})"
        self._deaths += 1
        if self._deaths >= DEATHS:
            raise UserError(
                f"{why}, {DEATHS} times without an answer in between; run the same command with --workers 1 or free "
                "some memory; finished work is kept"
            )
        task.deaths += 1
        rest = task.rest()
        alone = len(rest.recording) + len(rest.clips) <= 1
        if task.deaths == 1:
            waiting.append(Task(rest, task.seconds, deaths=1))
        elif alone:
            for request in (*rest.recording, *(request for clip in rest.clips for request in clip[2])):
                yield Result(request.measure, request.key, None, why)
            progress(task.seconds)
        else:
            waiting += _one_by_one(rest, task.seconds)
        self._restart(worker, waiting)

    def _restart(self, worker: Worker, waiting: list[Task]) -> None:
        worker.pipe.close()
        fresh = self._started()
        worker.process, worker.pipe, worker.task = fresh.process, fresh.pipe, None
        for each in self._workers:  # another may have gone idle while this job seemed in good hands
            if each.task is None:
                _hand_out(each, waiting)

    def _started(self) -> Worker:
        one_thread()  # inherited by the children
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._measures, self._device.address()), daemon=True)
        process.start()
        theirs.close()
        return Worker(process, ours)


def _one_by_one(job: Job, seconds: float) -> list[Task]:
    """A job in its smallest parts, each of which is tried once: one measure of the recording, or one clip."""
    bare = replace(job, recording=(), clips=())
    parts = [replace(bare, recording=(request,)) for request in job.recording]
    parts += [replace(bare, clips=(clip,)) for clip in job.clips]
    return [Task(part, seconds / len(parts), deaths=1) for part in parts]


def _hand_out(worker: Worker, waiting: list[Task]) -> None:
    worker.task = waiting.pop() if waiting else None
    if worker.task:
        with suppress(BrokenPipeError, ConnectionResetError):  # it died while idle: reading from its pipe says so
            worker.pipe.send(worker.task.job)


def _ending(code: int | None) -> str:
    """How a process ended, and what that most often means."""
    if code == GONE:
        return "the process with the GPU's models ended, most likely out of memory"
    if code is None or code >= 0:
        return f"exit status {code}"
    name = signal.Signals(-code).name
    return f"{name}, most likely out of memory" if name == "SIGKILL" else name


def _serve(pipe: Connection, measures: list[Measure], device: str) -> None:
    """A worker's life: jobs in, answers out, until the pipe closes (so also when the parent is killed)."""
    memory.keep_freed()
    garbage.few_collections()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which keeps what has come in
    state = Extractors(measures, Remote(device).extractor if device else None)
    try:
        while True:
            job = pipe.recv()
            for message in _answers(job, state):
                pipe.send(message)
    except (EOFError, OSError):
        garbage.no_last_collection()


def _answers(job: Job, state: Extractors) -> Iterator[Result | UserError | str | None]:
    """A job's answers, then None; or what the parent is to raise."""
    try:
        yield from work(job, state)
        memory.give_back(job.seconds)
        yield None
    except UserError as error:
        yield error
    except Exception:
        yield traceback.format_exc()
