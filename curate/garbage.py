"""Python's search for circles of objects, held back where objects are many and circles hardly any."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def few_collections() -> None:
    """Search seldom: Python's 700 new objects take a twelfth of a short command's time, in imports and tables."""
    gc.set_threshold(50_000)


@contextmanager
def no_collection() -> Iterator[None]:
    """Search not at all meanwhile: a fifth of the time that the import of a large package takes."""
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()


def no_last_collection() -> None:
    """Do not search once more as Python ends: a fifth of a second after a `tag`, a second after a worker's models."""
    gc.freeze()
