"""Signals that ask a command to stop: Ctrl-C, SIGTERM, and SIGHUP, which a closed terminal sends."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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

    handled = [number for number in ALL if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield lambda: bool(came)
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
