"""The units of one kind that were found in texts."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

Numbers = NDArray[Any]


class Found(NamedTuple):
    """Pairs of a text and a unit, each once: texts by their place, units by their place in `names`."""

    kind: str
    rows: Numbers
    numbers: Numbers
    names: list[str]
