"""Signals that ask a command to stop: Ctrl-C, SIGTERM, and SIGHUP, which a closed terminal sends."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from curate.errors import Interrupted

ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WORDS = "{}: stopped; nothing was lost: give the same command again"


def end_at_once(name: str) -> None:
    """Until `as_ctrl_c`, and after it, all of them end the process in one line: nothing is under way there.

    Python would show where in an import it was. torchrun's processes are left alone: it ends those by SIGTERM to which
    another's error came.
    """

    def end(number: int, _: object) -> None:
        os.write(2, f"{WORDS.format(name)}\n".encode())
        os._exit(Interrupted.status)

    if os.environ.get("WORLD_SIZE", "1") == "1":
        for number in _handled():
            signal.signal(number, end)


def _handled() -> list[signal.Signals]:
    """Those that are not ignored, as under nohup."""
    return [number for number in ALL if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def as_ctrl_c(*, spared: int = 0) -> Iterator[Callable[[], bool]]:
    """All of them raise KeyboardInterrupt, but for the first `spared` that come; the value says whether one came.

    One that is ignored, as under nohup, stays so; what was there before is put back. `console.run` has it around each
    command, where the first ends it; training has it around its steps, inside the other, where the first is spared.
    """
    came: list[int] = []

    def handle(number: int, _: object) -> None:
        came.append(number)
        if len(came) > spared:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in _handled()}
    try:
        yield lambda: bool(came)
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
