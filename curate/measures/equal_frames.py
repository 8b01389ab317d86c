"""Which clips may be copies of each other because frames of their prints are equal: an index over a corpus.

For copies at the same speed in the same room, however loud, clipped or coded; `landmarks` is for the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Print = NDArray[np.uint32]

NOTHING = np.uint32(0)  # a frame left out; no other frame has this value
VOTES = 3  # equal frames at one offset before two clips are compared
CROWD, NEIGHBOURS = 50, 4  # a frame found more often than that is common: it votes only for its next neighbours


def candidates(prints: Sequence[Print]) -> list[tuple[int, int]]:
    """Pairs i < j that share enough frames at one offset, in order.

    A frame found over 50 times counts only between neighbours in order, so a sound copied more often than that is found
    as a chain, not as every pair.
    """
    numbers, clips, places = _postings(prints)
    votes = [np.zeros(0, np.int64)]
    crowded = _sizes(numbers) > CROWD
    for apart in range(1, CROWD):
        left = np.flatnonzero(numbers[apart:] == numbers[:-apart])
        left = left[~crowded[left]] if apart > NEIGHBOURS else left
        left = left[clips[left] != clips[left + apart]]
        pair = clips[left] * len(prints) + clips[left + apart]
        votes.append((pair << 20) + places[left] - places[left + apart] + (1 << 19))
    return [divmod(pair, len(prints)) for pair in _voted(np.concatenate(votes))]


def _postings(rows: Sequence[Print]) -> tuple[Print, NDArray[np.int64], NDArray[np.int64]]:
    """Number, clip and place of each frame that differs from the one before it, sorted by number, clip, place."""
    numbers = np.concatenate([np.zeros(0, np.uint32), *rows])
    clips = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    places = np.concatenate([np.zeros(0, np.int64), *(np.arange(len(row)) for row in rows)])
    used = np.flatnonzero((numbers != NOTHING) & (numbers != np.concatenate([[NOTHING], numbers[:-1]])))
    order = used[np.argsort(numbers[used], kind="stable")]
    return numbers[order], clips[order], places[order]


def _sizes(numbers: Print) -> NDArray[np.int64]:
    """For each of the sorted numbers, how many are equal to it."""
    _, counts = np.unique(numbers, return_counts=True)
    return np.repeat(counts, counts)


def _voted(votes: NDArray[np.int64]) -> list[int]:
    """The pairs that enough votes name at about one offset (80 ms; in two grids, so that no edge parts them)."""
    good = [np.zeros(0, np.int64)]
    for shift in (0, 2):
        values, counts = np.unique((votes + shift) >> 2, return_counts=True)
        good.append(values[counts >= VOTES] >> 18)
    return [int(pair) for pair in np.unique(np.concatenate(good))]
