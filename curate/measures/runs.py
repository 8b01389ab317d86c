"""Runs of flags: where neighbours are true, found without looking at each of them.

A change here may change answers: raise `signal.VERSION` and `dropouts.VERSION`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.measures.spectra import apart

Flags = NDArray[np.bool_]
Places = NDArray[np.int64]
Edges = tuple[Places, Places]
Spans = list[tuple[int, int]]

WORD = np.uint64(0x0101010101010101)  # eight true flags
LONG = 15  # of so many flags in a row eight lie in one word


def flag_runs(flags: Flags) -> tuple[Places, Places]:
    """Where each run of flags starts, and its length."""
    changes = np.zeros(len(flags) + 1, np.bool_)
    np.not_equal(flags[1:], flags[:-1], out=changes[1:-1])
    changes[0], changes[-1] = flags[0], flags[-1]
    edges = np.flatnonzero(changes)
    return edges[::2], edges[1::2] - edges[::2]


def index_runs(at: Places) -> tuple[Places, Places]:
    """Where each run of neighbours starts among places in order, and its length."""
    begins = np.ones(len(at), np.bool_)
    np.greater(at[1:] - at[:-1], 1, out=begins[1:])
    firsts = np.flatnonzero(begins)
    return at[firsts], apart(firsts, len(at))


def joined(join: np.ufunc, values: NDArray[Any], width: int) -> NDArray[Any]:
    """Each `width` neighbours joined: over 2, 4, 8, ... of them, each one vector operation."""
    done = 1
    while 2 * done <= width:
        values = join(values[:-done], values[done:])
        done *= 2
    rest = width - done
    return np.asarray(join(values[:-rest], values[rest:]) if rest else values)


def flagged(flags: Flags) -> Places:
    """Where flags are true; eight at a time are looked at first, as most of them are not."""
    eights = _eights(flags)
    some = np.flatnonzero(eights.view(np.uint64).ravel() != 0)
    at = np.flatnonzero(eights[some])
    return np.asarray(8 * some[at >> 3] + (at & 7))


def stretches(flags: Flags, least: int) -> Spans:
    """Half-open stretches of at least so many true flags."""
    starts, ends = edges(flags, least)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def edges(flags: Flags, least: int) -> Edges:
    """Where stretches of at least so many true flags start, and where they end."""
    least = max(1, least)
    if len(flags) < least:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if least >= LONG:
        return _long_edges(flags, least)
    starts, lengths = flag_runs(joined(np.logical_and, flags, least))
    return starts, starts + lengths + (least - 1)


def _long_edges(flags: Flags, least: int) -> Edges:
    """The same for LONG flags and more, among which are eight that are looked at together."""
    eights = _eights(flags)
    full = eights.view(np.uint64).ravel() == WORD
    if not full.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first, count = flag_runs(full)
    starts = 8 * first - np.where(first > 0, eights[first - 1, ::-1].argmin(axis=1), 0)
    ends = 8 * (first + count) + eights[first + count].argmin(axis=1)
    long = ends - starts >= least
    return starts[long], ends[long]


def _eights(flags: Flags) -> Flags:
    """(n, 8): the flags, and at least one more that is not true."""
    rows = np.zeros((len(flags) // 8 + 1, 8), np.bool_)
    rows.ravel()[: len(flags)] = flags
    return rows
