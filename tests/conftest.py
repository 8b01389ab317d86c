"""Order of the whole suite: files that take minutes come first, so that no worker is left with one at the end.

And a full disk, for both halves.
"""

import contextlib
import resource
import signal
from collections.abc import Callable, Iterator

import pytest

_LONG = (
    "test_real_speech.py", "test_demo.py", "test_docs.py", "test_kill.py", "test_survival.py", "test_distributed.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, everything else as it was found (`make test` keeps this order: --no-loadscope-reorder)."""
    items.sort(key=lambda item: _LONG.index(item.path.name) if item.path.name in _LONG else len(_LONG))


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _signals_are_heard() -> None:
    """Under nohup, or started by a script with `&`, signals are ignored, and so by every command that a test starts."""
    _default_signals()


@pytest.fixture(autouse=True)
def _no_signal_handlers_of_others() -> None:
    """A run that a test leaves half-way keeps its handlers until it is collected: a test begins with Python's own."""
    _default_signals()


@pytest.fixture
def full_disk() -> Callable[[int], contextlib.AbstractContextManager[None]]:
    """Inside `with full_disk(bytes)` no file of this process becomes larger: a full disk that is real to all libraries.

    Python ignores SIGXFSZ, so that a write answers EFBIG where a full disk answers ENOSPC.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    @contextlib.contextmanager
    def limit(largest: int) -> Iterator[None]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit
