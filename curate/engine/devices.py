"""One process for a GPU: it holds the models that run there once, and answers all workers.

Workers decode and measure what needs no GPU; what does they ask here, a batch of clips at a time, over a socket. One
request runs at a time, in the order in which they come; a few may wait, and a worker that is ahead of the GPU stands
still until there is room. When this process dies, its workers end too and are replaced with it (`local.py`), so that
what killed it is tried alone like any other clip.
"""

import itertools
import queue
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import current_process, get_context
from multiprocessing.connection import Client, Connection, Listener
from multiprocessing.process import BaseProcess
from typing import Any

from curate.audio import LISTENING_RATE
from curate.engine.work import Extractors
from curate.errors import UserError
from curate.measures.definition import Answer, Clip, Measure, Waveform

WAITING = 4  # requests that may wait: enough to keep a GPU busy, little enough to hold in memory
BEGUN = "begun"  # sent before a request is answered
# Exit statuses of a worker whose device process ended: over its own request, or while that waited for its turn.
GONE, WAITED = 75, 76
STARTS_WITHIN = 120.0  # seconds


class Device:
    """The process for a GPU, as the parent holds it."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self._measures = [each for each in measures if each.device != "cpu"]
        self._process: BaseProcess | None = None
        self._address = ""

    def address(self) -> str:
        """Where workers reach it; it is started, or started again, where it does not run. "" where none is needed."""
        if self._measures and (self._process is None or not self._process.is_alive()):
            self.close()
            self._start()
        return self._address

    def _start(self) -> None:
        context = get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._measures), daemon=True)
        self._process.start()
        theirs.close()
        try:
            if not self._line.poll(STARTS_WITHIN):
                raise EOFError
            self._address = self._line.recv()
        except (EOFError, OSError):
            raise UserError(
                'the process for the GPU did not start; free some memory, or say models.device = "cpu"'
            ) from None

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._line.close()  # it ends by itself when nobody holds the other end
            self._process.join(timeout=2)
            self._process.terminate()
            self._process.join()
        self._process, self._address = None, ""


class Remote:
    """A worker's line to the device process: extractors that stand for those that run there."""

    def __init__(self, address: str) -> None:
        self._connection: Connection | None = None
        self._address = address
        self._numbers = itertools.count()

    def extractor(self, measure: Measure) -> Any:
        """What answers for a measure, as its own `make` would."""
        if measure.scope == "recording":
            return lambda: _RemoteListener(self, measure.name, next(self._numbers))
        return lambda clips: self.clips(measure.name, clips)

    def clips(self, measure: str, clips: Sequence[Clip]) -> list[Answer]:
        """Answers about clips; they are resampled here, where there are more cores than there."""
        for clip in clips:
            clip.sound.at(LISTENING_RATE)
        answers: list[Answer] = self.ask("clips", measure, list(clips))
        return answers

    def ask(self, *message: Any) -> Any:
        """Send a request and wait for what it gives; what went wrong there is raised here."""
        status = WAITED
        try:
            self._connection = self._connection or Client(self._address, authkey=current_process().authkey)
            self._connection.send(message)
            assert self._connection.recv() == BEGUN
            status = GONE
            succeeded, answer = self._connection.recv()
        except (EOFError, OSError):
            raise SystemExit(status) from None
        if succeeded:
            return answer
        raise answer if isinstance(answer, UserError) else RuntimeError(answer)


class _RemoteListener:
    """Hands a recording on, stretch by stretch."""

    def __init__(self, remote: Remote, measure: str, number: int) -> None:
        self._remote, self._number = remote, number
        remote.ask("open", measure, number)

    def feed(self, samples: Waveform) -> None:
        self._remote.ask("feed", self._number, samples)

    def finish(self) -> Answer:
        answer: Answer = self._remote.ask("finish", self._number)
        return answer


# ---- in the device process

Request = tuple[Connection, tuple[Any, ...]]


def _serve(line: Connection, measures: list[Measure]) -> None:
    """Answer requests until the parent closes its end of `line`, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    requests: queue.Queue[Request | None] = queue.Queue(maxsize=WAITING)
    with Listener(authkey=current_process().authkey) as listener:
        line.send(listener.address)
        for target in (_accept, _until_closed):
            threading.Thread(target=target, args=(listener, line, requests), daemon=True).start()
        answers = _Answers(measures)
        while (request := requests.get()) is not None:
            connection, message = request
            with suppress(OSError):  # the worker that asked is gone
                answers.to(connection, message)


def _accept(listener: Listener, _line: Connection, requests: "queue.Queue[Request | None]") -> None:
    while True:
        with suppress(OSError, EOFError):  # a worker that went away while it came
            connection = listener.accept()
            threading.Thread(target=_read, args=(connection, requests), daemon=True).start()


def _read(connection: Connection, requests: "queue.Queue[Request | None]") -> None:
    """Every message of one worker; that it went away is one, too."""
    with suppress(EOFError, OSError):
        while True:
            requests.put((connection, connection.recv()))
    requests.put((connection, ("gone",)))


def _until_closed(_listener: Listener, line: Connection, requests: "queue.Queue[Request | None]") -> None:
    with suppress(EOFError, OSError):
        line.recv()
    requests.put(None)


class _Answers:
    """Runs the models; the recordings that are being heard are kept by worker and number."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self._extractors = Extractors(measures)
        self._listeners: dict[tuple[Connection, int], Any] = {}

    def to(self, connection: Connection, message: tuple[Any, ...]) -> None:
        """Do what a message asks; send what it gives."""
        kind, *rest = message
        if kind == "gone":
            self._listeners = {key: each for key, each in self._listeners.items() if key[0] is not connection}
            return
        connection.send(BEGUN)
        connection.send(_tried(lambda: getattr(self, f"_{kind}")(connection, *rest)))

    def _clips(self, _connection: Connection, measure: str, clips: Sequence[Clip]) -> list[Answer]:
        answers: list[Answer] = self._extractors.extractor(measure)(clips)
        return answers

    def _open(self, connection: Connection, measure: str, number: int) -> None:
        self._listeners[connection, number] = self._extractors.extractor(measure)()

    def _feed(self, connection: Connection, number: int, samples: Waveform) -> None:
        self._listeners[connection, number].feed(samples)

    def _finish(self, connection: Connection, number: int) -> Answer:
        answer: Answer = self._listeners.pop((connection, number)).finish()
        return answer


def _tried(run: Callable[[], Any]) -> tuple[bool, Any]:
    """(True, what it gives), or (False, why not): a UserError, or one line."""
    try:
        return True, run()
    except UserError as error:
        return False, error
    except Exception as error:
        lines = traceback.format_exception_only(error)
        return False, lines[-1].strip()
