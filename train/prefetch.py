"""What comes next is made while this is used."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def prefetch(make: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[tuple[Given, Made]]:
    """Each item with what is made of it; the next is made by another thread while this one is used."""
    with ThreadPoolExecutor(1) as worker:
        coming: deque[tuple[Given, Future[Made]]] = deque()
        for item in items:
            coming.append((item, worker.submit(make, item)))
            if len(coming) == 2:
                given, made = coming.popleft()
                yield given, made.result()
        for given, made in coming:
            yield given, made.result()
