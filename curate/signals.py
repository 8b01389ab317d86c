"""Signals that ask a command to stop: Ctrl-C, SIGTERM, and SIGHUP, which a closed terminal sends."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def heard(handler: Callable[[int, Any], None], numbers: Sequence[signal.Signals] = ALL) -> Iterator[None]:
    """Call `handler` for each, and put back what was there; one that is ignored, as under nohup, stays so."""
    ours = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in ours}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextmanager
def as_ctrl_c() -> Iterator[Callable[[], bool]]:
    """SIGTERM and SIGHUP raise KeyboardInterrupt, as SIGINT does; the value says whether one came."""
    came: list[int] = []

    def stop(number: int, _: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    with heard(stop):
        yield lambda: bool(came)
