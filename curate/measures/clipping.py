"""The share of a clip's samples that were clipped, found also where clipped speech was turned down or coded since.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE as STRAIGHT_RATE
from curate.audio import resample
from curate.measures.spectra import Samples

Flags = NDArray[np.bool_]

CEILING, PILED = 0.01, 3  # see `_flat_share`: a sine has 2.4 times as much in its top 1 % as in the next
FLAT_RUN = 3  # samples: two equal neighbours happen at any peak
# A fast limiter (1 ms, 12 dB driven) flattens up to 0.8 % of the samples, nine in ten of its runs in under 0.44 ms; of
# speech clipped by 6 dB and more a tenth of the runs last 0.6 ms and more.
LIMITED_SHARE, LIMITED_RUN = 0.012, 0.00045  # a smaller share in shorter runs (seconds) is a limiter's
# Straight tops, see `_straight_share`. Tuned on Korean, on telephone prompts in three languages and on words in twelve,
# clipped at +6..+18 dB, then resampled, high-passed or coded, against 1,146 clean, compressed and limited ones: those
# stay under 0.071, and under 0.352 for steadiness.
STRAIGHT, STEADY, STEADY_SHARE = 0.075, 0.37, 0.02
COARSE = 0.09  # in place of STRAIGHT under 16 kHz, where few samples make a top: compressed speech reaches 0.081
EVEN_PEAKS, EVEN_LEVEL = 2.6, 1.95  # of the highest sample, and of the level that one in 1000 passes
STRAIGHT_TOP, STRAIGHT_BEND = 0.7, 0.1  # of a half-wave's peak; of its sharpest bend
SLOPE = 2.2  # a line that goes on as long again below the top is a slope, as a sawtooth has
LOUD_LOBES, LOUDEST_LOBES, LOBE = 0.6, 0.85, 5  # of the peak that 2 % of half-waves pass; samples
PEAK_FRAME = 0.02  # seconds
STRICT, LOOSE = (0.05, 4), (0.15, 6)  # bends that count as none, of the sharpest within 5 ms; samples of a run
AROUND = 0.005  # seconds


def share(unit: Samples, rate: int, step: float, narrow: Samples | None = None) -> float:
    """The share of clipped samples, 0..1, of a clip whose peak is 1; `step` is that of 16 bits at this scale.

    `narrow`: a clip of more than 16 kHz at that rate, where somebody has made it already.
    """
    if rate > STRAIGHT_RATE and narrow is None:
        narrow = resample(unit, rate, STRAIGHT_RATE)
    sound = unit if rate <= STRAIGHT_RATE or narrow is None else narrow
    return max(_flat_share(unit, rate, step), _straight_share(sound, min(rate, STRAIGHT_RATE)))


def _flat_share(unit: Samples, rate: int, step: float) -> float:
    """The share of samples in flat runs at the clip's own highest or lowest value, wherever that lies.

    Flat: at least three neighbours within 1 % of the ceiling (room for dither), or one 16-bit `step`. Counted where
    that 1 % holds over three times as many samples as the next: clipping piles up, speech and tones thin out. Few and
    short runs are those of a limiter.
    """
    near = max(CEILING, 1.01 * step)
    sides = []
    if len(unit) and (highest := float(unit.max())) > 0:
        sides.append(_flat(unit >= (1 - near) * highest, unit >= (1 - 2 * near) * highest))
    if len(unit) and (lowest := float(unit.min())) < 0:
        sides.append(_flat(unit <= (1 - near) * lowest, unit <= (1 - 2 * near) * lowest))
    runs = np.concatenate([np.zeros(0, np.int64), *sides])
    flat = float(runs.sum() / len(unit)) if len(unit) else 0.0
    limited = flat < LIMITED_SHARE and len(runs) and np.quantile(runs, 0.9) < LIMITED_RUN * rate
    return 0.0 if limited else flat


def _flat(top: Flags, near: Flags) -> NDArray[np.int64]:
    """The lengths of the flat runs at the top, where enough lies there beside what lies near it."""
    count = np.count_nonzero(top)
    below = np.count_nonzero(near) - count
    lengths = _runs(top)[1] if count > PILED * below else np.zeros(0, np.int64)
    return lengths[lengths >= FLAT_RUN]


def _runs(flags: Flags) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of flags starts, and its length."""
    edges = np.flatnonzero(np.concatenate([flags[:1], flags[1:] != flags[:-1], flags[-1:]]))
    return edges[::2], edges[1::2] - edges[::2]


def _straight_share(sound: Samples, rate: int) -> float:
    """The share of samples in straight tops, where a clip looks clipped although its tops are no longer flat.

    Resampling, a high-pass or a codec tilt and ripple a flat top, so that no two samples are equal. It stays straight
    between two bends (`_straight_tops`, `_steadiness`). A limiter makes peaks as even as clipping does, but leaves them
    round; so both are asked for: what is straight, and a ceiling close to the peaks of 20 ms frames.
    """
    sound = sound - (sound.mean() if len(sound) else 0.0)  # a few samples at a high rate are none at this one
    level = np.abs(sound)
    size = max(1, round(PEAK_FRAME * rate))
    peaks = level[: len(level) // size * size].reshape(-1, size).max(axis=1)
    even = math.sqrt(np.mean(peaks**2)) if len(peaks) else 0.0
    if level.max(initial=0.0) >= EVEN_PEAKS * even:
        return 0.0
    ceiling = _ceiling(level, peaks)
    if ceiling >= EVEN_LEVEL * even:
        return 0.0
    straight, tops = _straight_tops(sound, level)
    steady, held = _steadiness(sound, level, ceiling, rate)
    found = [tops] if straight > (STRAIGHT if rate >= STRAIGHT_RATE else COARSE) else []
    return max([*found, held] if steady > STEADY and held > 0 else found, default=0.0)


def _ceiling(level: Samples, peaks: Samples) -> float:
    """The level that one sample in 1000 passes; sought among those as high as the peaks of half of the frames."""
    high = level[level >= np.median(peaks)]
    place = 0.999 * (len(level) - 1) - (len(level) - len(high))
    if place < 0:
        return float(np.quantile(level, 0.999))
    low = int(place)
    one, next_ = np.partition(high, [low, min(low + 1, len(high) - 1)])[[low, min(low + 1, len(high) - 1)]]
    return float(one + (next_ - one) * (place - low))


def _straight_tops(sound: Samples, level: Samples) -> tuple[float, float]:
    """How much of the loudest half-waves is straight, and the share of samples in straight tops.

    In each half-wave near the ceiling the longest run is looked for in which the second difference stays under a tenth
    of the half-wave's largest: a sine's bends most at its top.
    """
    starts = np.flatnonzero(np.concatenate([[True], np.signbit(sound[1:]) != np.signbit(sound[:-1])]))
    lengths = np.diff(np.append(starts, len(sound)))
    tops = np.maximum.reduceat(level, starts)
    most = np.quantile(tops[tops > 0.1 * level.max()], 0.98)
    loud = (tops >= LOUD_LOBES * most) & (lengths >= LOBE)
    inside = np.repeat(loud, lengths)
    runs = _straight_runs(_bends(sound)[inside], level[inside], lengths[loud], tops[loud])
    loudest = tops[loud] >= LOUDEST_LOBES * most
    straight = float(runs[loudest].sum() / max(1, lengths[loud][loudest].sum()))
    return straight, float(runs.sum() / len(sound))


def _steadiness(sound: Samples, level: Samples, ceiling: float, rate: int) -> tuple[float, float]:
    """How much of what is straight by a loose bound is so by a strict one, and the share of samples that is.

    A steep high-pass turns flat tops into slopes, so height says nothing here. Where speech happens to bend little, it
    does so for a moment, and a third of the bound leaves a third of the samples or less. What was flat stays straight
    by any bound. Where too little is straight by the strict one the answer is (0, 0).
    """
    reach = 2 * round(AROUND * rate) + 1
    bend = _bends(sound)
    sharpest = _highest(bend, reach)
    loud = _highest(level >= LOUD_LOBES * ceiling, 2 * reach - 1)
    total = np.concatenate([[0], np.cumsum(loud)])
    counts = []
    for most, least in (STRICT, LOOSE):
        starts, lengths = _runs(bend < np.float32(most) * sharpest)
        starts, lengths = starts[lengths >= least], lengths[lengths >= least]
        counts.append(int((total[starts + lengths] - total[starts]).sum()))
    if counts[0] <= STEADY_SHARE * total[-1]:
        return 0.0, 0.0
    return counts[0] / max(1, counts[1]), counts[0] / len(sound)


def _bends(sound: Samples) -> Samples:
    """The size of each sample's second difference; 0 at both ends."""
    bend = np.zeros_like(sound)
    if len(sound) > 2:
        np.subtract(sound[2:], sound[1:-1], out=bend[1:-1])
        bend[1:-1] -= sound[1:-1] - sound[:-2]
        np.abs(bend, out=bend)
    return bend


def _highest(values: NDArray[Any], width: int) -> NDArray[Any]:
    """The highest of `width` values (odd) around each: maxima over 2, 4, 8, ... joined, each one vector operation."""
    half, done = width // 2, 1
    found = np.pad(values, half)
    while 2 * done <= width:
        found = np.maximum(found[:-done], found[done:])
        done *= 2
    return np.asarray(np.maximum(found[: len(values)], found[width - done :][: len(values)]))


def _straight_runs(bend: Samples, level: Samples, lengths: NDArray[np.int64], tops: Samples) -> NDArray[np.int64]:
    """For each half-wave its longest run of samples near its top and without a bend that ends near the top too."""
    if not len(lengths):
        return np.zeros(0, np.int64)
    starts = np.cumsum(lengths) - lengths
    first = np.zeros(len(bend), np.bool_)
    first[starts] = True
    even = bend < np.repeat(np.float32(STRAIGHT_BEND) * np.maximum.reduceat(bend, starts), lengths)
    top = even & (level >= np.repeat(np.float32(STRAIGHT_TOP) * tops, lengths))
    (even_starts, even_lengths), (top_starts, top_lengths) = _runs_within(even, first), _runs_within(top, first)
    around = np.searchsorted(even_starts, top_starts, "right") - 1
    ends_there = even_lengths[around] <= SLOPE * top_lengths
    longest = np.zeros(len(starts), dtype=np.int64)
    wave = np.searchsorted(starts, top_starts[ends_there], "right") - 1
    np.maximum.at(longest, wave, top_lengths[ends_there])
    return longest


def _runs_within(flags: Flags, first: Flags) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of flags starts, and its length; a run ends where a half-wave does."""
    before = np.concatenate([[False], flags[:-1] & ~first[1:]])
    starts = np.flatnonzero(flags & ~before)
    after = np.append(before[1:], False)  # of each sample: whether the run goes on
    ends = np.flatnonzero(flags & ~(after & np.append(flags[1:], False)))
    return starts, ends - starts + 1
