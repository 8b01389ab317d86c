"""Pauses inside speech, where a stretch that is too long may be cut; and sounds beside it, where a clip may not end."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Span = tuple[int, int]

VERSION = 3  # raise it when an answer changes: it enters the fingerprint
FRAME = 128  # samples at 16 kHz: 8 ms
MEAN = np.full(FRAME, 1 / FRAME, np.float32)
AROUND = 250  # frames (2 s) on either side that tell how loud speech and background are there
# A pause lies under SHARE of the way from the background to the speech, in dB, with a probability of speech under
# UNSURE; or that probability alone is under SURE, as in a long pause. Closures of stops are as quiet, and seldom longer
# than SHORTEST.
SHARE, UNSURE, SURE = 0.35, 0.8, 0.35
SHORTEST = 0.15  # seconds
DIP, DIP_SHARE = 0.05, 0.25  # seconds; a shorter moment must be quieter
# Where there is no pause for so many frames (10, 20, 29 s), the clearest dip is taken if it is at least this clear:
# less is asked where more would be lost, as nobody speaks for 20 s without a breath that something masks. Of 164 dips
# that reached 64, two lay in words.
STEPS = ((1250, 64), (2500, 48), (3600, 40))
CLEAR = 40  # dB of depth that a probability of speech of 0 counts for
SHORT, APART, SIDE = 12, 62, 30  # frames: the shortest such place (0.1 s), how far from others, what is beside it
LESS = 18  # frames: such a place counts as no longer, so as less than a pause
BESIDE = 1  # second: as far from speech a margin, a sound in it and the margin after that reach
BREAK, LEAST = 5, 3  # frames: a shorter break parts no sound, and a shorter sound is a click


def levels(samples: Floats) -> Floats:
    """The level of each whole frame in dB."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    moved = frames - (frames @ MEAN)[:, np.newaxis]
    return np.asarray(10 * np.log10(np.vecdot(moved, moved) / FRAME + 1e-10), dtype=np.float32)  # var takes twice that


def find(level: Floats, probability: Floats, speech: Sequence[Span], rate: int) -> list[Span]:
    """Pauses of 0.15 s and more inside spans of speech, half-open, in samples, in order.

    Where 10 s have no pause, also the dip of 0.1 s and more that is most clearly between words, if any is clear enough.
    `level` and `probability` (that somebody speaks) hold one value per FRAME of the recording; spans are in samples.
    """
    found: list[Span] = []
    for start, end in speech:
        first, last = start // FRAME, min(end // FRAME, len(level), len(probability))
        if (last - first) * FRAME < 2 * SHORTEST * rate:
            continue
        loudness, sure = level[first:last], probability[first:last]
        quiet = ((loudness < _threshold(loudness, SHARE)) & (sure < UNSURE)) | (sure < SURE)
        pauses = [(a, b) for a, b in _runs(quiet) if (b - a) * FRAME >= SHORTEST * rate and a > 0 and b < last - first]
        found += [((first + a) * FRAME, (first + b) * FRAME) for a, b in _with_clearest(pauses, loudness, sure)]
    return found


def _with_clearest(pauses: Sequence[Span], level: Floats, probability: Floats) -> list[Span]:
    """Pauses of one span of speech, and the clearest dips where it is long without one, in frames, in order."""
    found = list(pauses)
    places = clearness = None
    for longest, least in STEPS:
        edges = [0, *itertools.chain.from_iterable(found), len(level)]
        waiting = list(zip(edges[::2], edges[1::2], strict=True))
        while waiting:
            first, last = waiting.pop()
            if last - first <= longest:
                continue
            if places is None or clearness is None:
                places, clearness = _places(level, probability)
            low = np.searchsorted(places[:, 0], first + APART)
            inside = clearness[low : np.searchsorted(places[:, 1], last - APART, "right")]
            if len(inside) and inside.max() >= least:
                a, b = places[low + inside.argmax()].tolist()
                aside = max(0, b - a - LESS + 1) // 2
                found.append((a + aside, b - aside))
                waiting += [(first, a), (b, last)]
        found.sort()
    return found


def _places(level: Floats, probability: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Dips of SHORT frames and more, (n, 2), and how clearly each is no part of a word, (n,).

    Clearness is how far a dip lies under the softer of its two sides, in dB, plus CLEAR times the mean probability of
    no speech there: a closure is as deep as a gap under noise, but is speech to the model.
    """
    runs = _runs(level < _threshold(level, DIP_SHARE))
    places = [(a, b) for a, b in runs if b - a >= SHORT and a > 0 and b < len(level)]
    clearness = [
        min(level[max(0, a - SIDE) : a].max(), level[b : b + SIDE].max())
        - level[a:b].mean()
        + CLEAR * (1 - probability[a:b].mean())
        for a, b in places
    ]
    return np.array(places, np.int64).reshape(-1, 2), np.array(clearness, np.float32)


def _threshold(level: Floats, share: float) -> Floats:
    """Between background and speech, for each frame; both are taken from blocks of 2 s and their neighbours."""
    found = np.empty(len(level), np.float32)
    for at in range(0, len(level), AROUND):
        floor, top = _quantiles(level[max(0, at - AROUND) : at + 2 * AROUND])
        found[at : at + AROUND] = floor + share * (top - floor)
    return found


def dips(level: Floats, speech: Sequence[Span], rate: int) -> list[Span]:
    """Where the level falls as in a pause for 0.05 s and more inside spans of speech, half-open, in samples, in order.

    Every pause is one, and so is a closure. Between two who take turns there is often no more.
    """
    found: list[Span] = []
    for start, end in speech:
        first, last = start // FRAME, min(end // FRAME, len(level))
        if first < last:
            inside = level[first:last]
            runs = _runs(inside < _threshold(inside, DIP_SHARE))
            found += [((first + a) * FRAME, (first + b) * FRAME) for a, b in runs if (b - a) * FRAME >= DIP * rate]
    return found


def sounds(level: Floats, speech: Sequence[Span], rate: int) -> list[Span]:
    """What is loud within a second of speech but was not heard as speech, half-open, in samples, sorted.

    A short word after a pause, what is left of a word that was cut off, a click. `level` holds one value per FRAME.
    """
    loud = np.zeros(len(level), dtype=np.bool_)
    edges = [0, *(edge // FRAME for span in speech for edge in span), len(level)]
    beside = BESIDE * rate // FRAME
    for at in range(1, len(edges) - 1, 2):
        start, end = edges[at], min(edges[at + 1], len(level))
        _mark(loud, level, range(max(edges[at - 1], start - beside), start), level[start : min(end, start + AROUND)])
        _mark(loud, level, range(end, min(edges[at + 2], end + beside)), level[max(start, end - AROUND) : end])
    found: list[Span] = []
    for first, last in _runs(loud):
        if found and first - found[-1][1] <= BREAK:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return [(first * FRAME, last * FRAME) for first, last in found if last - first >= LEAST]


def _mark(loud: NDArray[np.bool_], level: Floats, frames: range, spoken: Floats) -> None:
    """Mark those of `frames` that are as loud as speech; `spoken` is the level of the speech beside them."""
    if not len(frames) or not len(spoken):
        return
    there = slice(frames.start, frames.stop)
    floor, top = _quantile(np.concatenate([level[there], spoken]), 0.05), _quantile(spoken, 0.9)
    loud[there] |= level[there] > floor + SHARE * (top - floor)


def _runs(true: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and one past the last of each run."""
    edges = (np.flatnonzero(true[1:] != true[:-1]) + 1).tolist()
    if len(true) and true[0]:
        edges.insert(0, 0)
    if len(edges) % 2:
        edges.append(len(true))
    return list(zip(edges[::2], edges[1::2], strict=True))


def _quantiles(block: Floats) -> tuple[float, float]:
    """Background and speech: the quantiles 0.05 and 0.9."""
    ordered = np.sort(block)
    return _at(ordered, 0.05), _at(ordered, 0.9)


def _quantile(block: Floats, share: float) -> float:
    return _at(np.sort(block), share)


def _at(ordered: Floats, share: float) -> float:
    """As np.quantile, which takes twenty times that on so few values."""
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (high - low) * (place - below)
