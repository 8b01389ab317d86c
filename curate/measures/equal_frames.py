"""Which clips may be copies of each other because frames of their prints are equal: an index over a corpus.

For copies at the same speed in the same room, however loud, clipped or coded; `landmarks` is for the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Print = NDArray[np.uint32]

NOTHING = np.uint32(0)  # a frame left out; no other frame has this value
VOTES = 3  # equal frames at one offset before two clips are compared
# Frames of short prints about an equal one; of how many bits they differ in copies, on the mean.
ABOUT, DIFFER = (-16, -10, -5, 5, 10, 16), 7.0
CROWD, NEIGHBOURS = 50, 4  # a frame found more often than that is common: it votes only for its next neighbours


def candidates(prints: Sequence[Print]) -> list[tuple[int, int]]:
    """Pairs i < j that share enough frames at one offset, in order.

    A frame found over 50 times counts only between neighbours in order, so a sound copied more often than that is found
    as a chain, not as every pair.
    """
    votes = [np.zeros(0, np.int64)]
    for found in _found(prints):
        pair = found.one * len(prints) + found.other
        votes.append((pair << 20) + found.at - found.there + (1 << 19))
    return [divmod(pair, len(prints)) for pair in _voted(np.concatenate(votes))]


def short_candidates(prints: Sequence[Print], faster: Sequence[Print]) -> dict[tuple[int, int], bool]:
    """Pairs i < j of short prints with an equal frame, about which as many bits agree as in copies.

    And whether they have one where one of them is played `faster`: all of them once more, or as often as speeds.
    """
    rows, many = [*prints, *faster], len(prints)
    every = np.concatenate([np.zeros(0, np.uint32), *rows])
    sizes = np.array([len(row) for row in rows], np.int64)
    starts = np.cumsum(sizes) - sizes
    pairs: list[set[int]] = [set(), set()]
    for found in _found(rows):
        one, other = found.one, found.other % max(1, many)
        asked = np.flatnonzero((one < many) & (one != other))
        differ, told = np.zeros((2, len(asked)), np.int64)
        one, other, second = one[asked], other[asked], found.other[asked]
        for step in ABOUT:
            at, there = found.at[asked] + step, found.there[asked] + step
            inside = (np.minimum(at, there) >= 0) & (at < sizes[one]) & (there < sizes[second])
            ours = every[np.where(inside, starts[one] + at, 0)]
            theirs = every[np.where(inside, starts[second] + there, 0)]
            both = inside & (ours != NOTHING) & (theirs != NOTHING)
            differ += np.where(both, np.bitwise_count(ours ^ theirs), 0)
            told += both
        alike = differ <= DIFFER * told
        pair = np.minimum(one, other) * many + np.maximum(one, other)
        for way, those in enumerate((second < many, second >= many)):
            pairs[way].update(pair[alike & those].tolist())
    return {divmod(pair, many): pair in pairs[1] for pair in sorted(pairs[0] | pairs[1])}


class _Found(NamedTuple):
    """Equal frames: of which prints, and where in these."""

    one: NDArray[np.int64]
    at: NDArray[np.int64]
    other: NDArray[np.int64]
    there: NDArray[np.int64]


def _found(prints: Sequence[Print]) -> Iterator[_Found]:
    """Each two equal frames of different prints, the one before the other in order; of common ones next neighbours."""
    numbers, clips, places = _postings(prints)
    crowded = _sizes(numbers) > CROWD
    left = np.arange(len(numbers))
    for apart in range(1, CROWD):
        left = left[left + apart < len(numbers)]
        left = left[numbers[left + apart] == numbers[left]]  # ever fewer: those further on in a run of equal numbers
        left = left[~crowded[left]] if apart > NEIGHBOURS else left
        if not len(left):
            break
        used = left[clips[left] != clips[left + apart]]
        yield _Found(clips[used], places[used], clips[used + apart], places[used + apart])


def _postings(rows: Sequence[Print]) -> tuple[Print, NDArray[np.int64], NDArray[np.int64]]:
    """Number, clip and place of each frame that differs from the one before it, sorted by number, clip, place.

    Only of numbers that are there twice, which most are not. Number and frame are sorted as one 64-bit word: half the
    time of sorting an index, and what comes after is read in order.
    """
    numbers = np.concatenate([np.zeros(0, np.uint32), *rows])
    used = np.flatnonzero((numbers != NOTHING) & (numbers != np.concatenate([[NOTHING], numbers[:-1]])))
    words = numbers[used].astype(np.uint64) << np.uint64(32) | used.astype(np.uint64)
    words.sort()
    again = words[1:] >> np.uint64(32) == words[:-1] >> np.uint64(32)
    words = words[np.concatenate([again, [False]]) | np.concatenate([[False], again])] if len(words) else words
    frames = (words & np.uint64(0xFFFFFFFF)).astype(np.int64)
    starts = np.cumsum([0, *(len(row) for row in rows)])
    clips = np.searchsorted(starts, frames, "right") - 1
    return (words >> np.uint64(32)).astype(np.uint32), clips, frames - starts[clips]


def _sizes(numbers: Print) -> NDArray[np.int64]:
    """For each of the sorted numbers, how many are equal to it."""
    starts = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]])[: len(numbers)])
    counts = np.diff(np.append(starts, len(numbers)))
    return np.repeat(counts, counts)


def _voted(votes: NDArray[np.int64]) -> list[int]:
    """The pairs that enough votes name at about one offset (80 ms; in two grids, so that no edge parts them)."""
    good = [np.zeros(0, np.int64)]
    for shift in (0, 2):
        values = np.sort((votes + shift) >> 2)
        good.append(values[VOTES - 1 :][values[VOTES - 1 :] == values[: max(0, len(values) - VOTES + 1)]] >> 18)
    return [int(pair) for pair in np.unique(np.concatenate(good))]
