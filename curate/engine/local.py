"""The engine for one machine: a few processes, each with its own models, fed one job at a time.

Answers come back one by one while a job runs, so a killed run loses only what it was listening to. Workers never write.
With one worker the work is done in this process.
"""

import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from curate.engine import one_thread
from curate.engine.work import Job, Result, WorkerState, work
from curate.errors import UserError
from curate.measures.definition import Measure

DIED = "a worker process died, most likely out of memory; run the same command with --workers 1, finished work is kept"
Progress = Callable[[float], None]  # is given the seconds of audio that a finished job held


class Local:
    """Runs jobs on this machine; the processes live until it is closed, so models load once."""

    def __init__(self, measures: Sequence[Measure], workers: int) -> None:
        self._measures = list(measures)
        self._count = max(1, workers)
        self._state: WorkerState | None = None
        self._workers: list[tuple[BaseProcess, Connection]] = []

    def __enter__(self) -> "Local":
        return self

    def __exit__(self, *_raised: object) -> None:
        for _, pipe in self._workers:
            pipe.close()  # an idle worker ends by itself
        for process, _ in self._workers:
            process.join(timeout=2)
            process.terminate()
            process.join()

    def run(self, jobs: Sequence[Job], progress: Progress) -> Iterator[Result]:
        """Answers, in whatever order they come."""
        if self._count == 1 or len(jobs) == 1:
            yield from self._here(jobs, progress)
        else:
            yield from self._there(jobs, progress)

    def _here(self, jobs: Sequence[Job], progress: Progress) -> Iterator[Result]:
        self._state = self._state or WorkerState(self._measures)
        for job in jobs:
            yield from work(job, self._state)
            progress(job.seconds)

    def _there(self, jobs: Sequence[Job], progress: Progress) -> Iterator[Result]:
        self._start()
        # longest first, so that no worker ends with a long file alone
        waiting = sorted(jobs, key=lambda job: job.seconds)
        busy: dict[Connection, Job] = {}
        for _, pipe in self._workers:
            _hand_out(pipe, waiting, busy)
        while busy:
            for ready in wait(list(busy)):
                pipe = next(each for each in busy if each is ready)
                result = _receive(pipe)
                if result is None:
                    progress(busy.pop(pipe).seconds)
                    _hand_out(pipe, waiting, busy)
                else:
                    yield result

    def _start(self) -> None:
        if self._workers:
            return
        one_thread()  # inherited by the children
        context = get_context("spawn")
        for _ in range(self._count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, self._measures), daemon=True)
            process.start()
            theirs.close()
            self._workers.append((process, ours))


def _hand_out(pipe: Connection, waiting: list[Job], busy: dict[Connection, Job]) -> None:
    if waiting:
        busy[pipe] = waiting.pop()
        try:
            pipe.send(busy[pipe])
        except (BrokenPipeError, ConnectionResetError):
            raise UserError(DIED) from None


def _receive(pipe: Connection) -> Result | None:
    """An answer, or None when the job is done; what broke in the worker is raised here."""
    try:
        message = pipe.recv()
    except (EOFError, ConnectionResetError):
        raise UserError(DIED) from None
    if isinstance(message, UserError):
        raise message
    if isinstance(message, str):
        raise RuntimeError(f"in a worker process:\n{message}")
    assert message is None or isinstance(message, Result)
    return message


def _serve(pipe: Connection, measures: list[Measure]) -> None:
    """A worker's life: jobs in, answers out, until the pipe closes (so also when the parent is killed)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which keeps what has come in
    state = WorkerState(measures)
    try:
        while True:
            job = pipe.recv()
            for message in _answers(job, state):
                pipe.send(message)
    except (EOFError, OSError):
        return


def _answers(job: Job, state: WorkerState) -> Iterator[Result | UserError | str | None]:
    """A job's answers, then None; or what the parent is to raise."""
    try:
        yield from work(job, state)
        yield None
    except UserError as error:
        yield error
    except Exception:
        yield traceback.format_exc()
