"""The share of a clip's samples that were clipped, found also where clipped speech was turned down or coded since.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import math

import numpy as np
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CEILING, PILED = 0.01, 3  # see `_flat_share`: a sine has 2.4 times as much in its top 1 % as in the next
FLAT_RUN = 3  # samples: two equal neighbours happen at any peak
# A fast limiter (0.5 to 5 ms, 6 to 18 dB driven) clips the little that it was too late for: up to 2.3 % of the samples,
# nine in ten of its runs in under 0.5 ms, and a wave that goes on as it did beside them would rise by less than 0.4 of
# the ceiling. Of speech clipped by 6 dB and more a tenth of the waves would rise by 0.4 to 1.
LIMITED_SHARE, LIMITED_RUN, LIMITED_RISE = 0.025, 0.00052, 0.4  # share; seconds; of the ceiling
# Straight tops, see `_straight_share`: how straight, how many times straighter than softer waves, how steady. Tuned on
# Korean, on telephone prompts in two languages and on words in six, clipped at +6..+18 dB, then resampled, high-passed
# or coded, against 2,100 clean, compressed and limited ones: these reach 0.067, or 1.9 times softer waves, or 0.352 for
# steadiness, but for pieces of one recording of words.
STRAIGHT_RATE = 16_000
STRAIGHT, STEADY, STEADY_SHARE = (0.055, 2.0), 0.37, 0.02
COARSE = (0.09, 1.5)  # in place of STRAIGHT under 16 kHz, where few samples make a top: compressed speech reaches 0.081
EVEN_PEAKS, EVEN_LEVEL = 2.6, 1.95  # of the highest sample, and of the level that one in 1000 passes
# Words with long pauses, or of which only some were clipped, have peaks less even than that: more is asked of them.
UNEVEN, UNEVEN_STRAIGHT, UNEVEN_STEADY = 1.35, (0.085, 2.5), 0.45  # as far beyond the two bounds above
SOFTER_LOBES = (0.3, 0.6)  # of the peak that 2 % of half-waves pass
SOFTER, LOUDER = 0.2, 1.5  # of the ceiling; a buzz is as straight where it is softer, what was clipped is not
STRAIGHT_TOP, STRAIGHT_BEND = 0.7, 0.1  # of a half-wave's peak; of its sharpest bend
SLOPE = 2.2  # a line that goes on as long again below the top is a slope, as a sawtooth has
LOUD_LOBES, LOUDEST_LOBES, LOBE = 0.6, 0.85, 5  # of the peak that 2 % of half-waves pass; samples
PEAK_FRAME = 0.02  # seconds
STRICT, LOOSE = (0.05, 4), (0.15, 6)  # bends that count as none, of the sharpest within 5 ms; samples of a run
AROUND = 0.005  # seconds


def share(unit: Floats, rate: int, step: float) -> float:
    """The share of clipped samples, 0..1, of a clip whose peak is 1; `step` is that of 16 bits at this scale."""
    return max(_flat_share(unit, rate, step), _straight_share(unit, rate))


def _flat_share(unit: Floats, rate: int, step: float) -> float:
    """The share of samples in flat runs at the clip's own highest or lowest value, wherever that lies.

    Flat: at least three neighbours within 1 % of the ceiling (room for dither), or one 16-bit `step`. Counted where
    that 1 % holds over three times as many samples as the next: clipping piles up, speech and tones thin out. Few and
    short runs, of waves that would not have risen much further, are those of a limiter.
    """
    near = max(CEILING, 1.01 * step)
    sides = [_flat(side / side.max(), near) for side in (unit, -unit) if side.max() > 0]
    runs = np.concatenate([np.zeros(0), *(lengths for lengths, _ in sides)])
    rises = np.concatenate([np.zeros(0), *(rises for _, rises in sides)])
    flat = float(runs.sum() / len(unit)) if len(unit) else 0.0
    limited = flat < LIMITED_SHARE and len(runs) and np.quantile(runs, 0.9) < LIMITED_RUN * rate
    return 0.0 if limited and np.quantile(rises, 0.9) < LIMITED_RISE else flat


def _flat(side: Floats, near: float) -> tuple[Floats, Floats]:
    """The lengths of flat runs, and how far over the ceiling of 1 each wave would have risen.

    A parabola through a run's ends with the slopes beside it rises by a quarter of slope times length. The slope is the
    geometric mean of both sides': behind a limiter that lets go slowly the wave falls away at once or hardly at all.
    """
    top = side >= 1 - near
    below = np.count_nonzero(side >= 1 - 2 * near) - np.count_nonzero(top)
    starts, lengths = _runs(top)
    long = lengths >= FLAT_RUN
    if np.count_nonzero(top) <= PILED * below or not long.any():
        return np.zeros(0), np.zeros(0)
    first, last = np.maximum(starts[long] - 1, 1), np.minimum((starts + lengths)[long], len(side) - 2)
    rise = np.maximum(side[first] - side[first - 1], 0) * np.maximum(side[last] - side[last + 1], 0)
    return lengths[long].astype(np.float64), np.sqrt(rise) * (lengths[long] + 1) / 4


def _runs(flags: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of flags starts, and its length."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return edges[::2], edges[1::2] - edges[::2]


def _straight_share(unit: Floats, rate: int) -> float:
    """The share of samples in straight tops, where a clip looks clipped although its tops are no longer flat.

    Resampling, a high-pass or a codec tilt and ripple a flat top, so that no two samples are equal. It stays straight
    between two bends (`_straight_tops`, `_steadiness`). A limiter makes peaks as even as clipping does, but leaves them
    round; so both are asked for: what is straight, and a ceiling close to the peaks of 20 ms frames. The further the
    ceiling is from them, the straighter the tops must be.
    """
    sound = unit if rate <= STRAIGHT_RATE else soxr.resample(unit, rate, STRAIGHT_RATE, quality="HQ")
    sound = sound - (sound.mean() if len(sound) else 0.0)  # a few samples at a high rate are none at this one
    level = np.abs(sound)
    size = max(1, round(PEAK_FRAME * min(rate, STRAIGHT_RATE)))
    peaks = level[: len(level) // size * size].reshape(-1, size).max(axis=1)
    even = math.sqrt(np.mean(peaks**2)) if len(peaks) else 0.0
    ceiling = float(np.quantile(level, 0.999)) if len(level) else 0.0
    spread = max(level.max(initial=0.0) / EVEN_PEAKS, ceiling / EVEN_LEVEL)
    if spread >= UNEVEN * even:
        return 0.0
    least = (STRAIGHT if rate >= STRAIGHT_RATE else COARSE, STEADY)
    least = least if spread < even else (UNEVEN_STRAIGHT, UNEVEN_STEADY)
    straight, softer, tops = _straight_tops(sound, level)
    steady, held = _steadiness(sound, level, ceiling, min(rate, STRAIGHT_RATE))
    found = [tops] if straight > least[0][0] and straight > least[0][1] * softer else []
    return max([*found, held] if steady > least[1] and held > 0 else found, default=0.0)


def _straight_tops(sound: Floats, level: Floats) -> tuple[float, float, float]:
    """How much of the loudest half-waves is straight, how much of softer ones, and the share of samples in such tops.

    In each half-wave near the ceiling the longest run is looked for in which the second difference stays under a tenth
    of the half-wave's largest: a sine's bends most at its top.
    """
    starts = np.concatenate([[0], np.flatnonzero(np.diff(np.signbit(sound).astype(np.int8))) + 1])
    lengths = np.diff(np.append(starts, len(sound)))
    tops = np.maximum.reduceat(level, starts)
    most = np.quantile(tops[tops > 0.1 * level.max()], 0.98)
    loud, loudest = (tops >= least * most for least in (LOUD_LOBES, LOUDEST_LOBES))
    runs = _straight_runs(sound, level, starts, lengths, tops)
    loud, loudest = loud & (lengths >= LOBE), loudest & (lengths >= LOBE)
    softer = (tops >= SOFTER_LOBES[0] * most) & (tops < SOFTER_LOBES[1] * most) & (lengths >= LOBE)
    straight, usual = (float(runs[some].sum() / max(1, lengths[some].sum())) for some in (loudest, softer))
    return straight, usual, float(runs[loud].sum() / len(sound))


def _steadiness(sound: Floats, level: Floats, ceiling: float, rate: int) -> tuple[float, float]:
    """How much of what is straight by a loose bound is so by a strict one, and the share of samples that is.

    A steep high-pass turns flat tops into slopes, so height says nothing here. Where speech happens to bend little, it
    does so for a moment, and a third of the bound leaves a third of the samples or less. What was flat stays straight
    by any bound. Where too little is straight by the strict one the answer is (0, 0), and also where softer sound is
    about as straight as loud: a synthetic buzz has the same shape at any level.
    """
    from scipy.ndimage import maximum_filter1d  # slow to import

    reach = 2 * round(AROUND * rate) + 1
    bend = np.abs(np.pad(np.diff(sound, 2), 1)) if len(sound) > 2 else np.zeros_like(sound)
    sharpest = maximum_filter1d(bend, reach)
    peaks = maximum_filter1d(level, 2 * reach - 1)
    loud = peaks >= LOUD_LOBES * ceiling
    softer = (peaks >= SOFTER * ceiling) & ~loud
    held, most = (_straight_within(loud, bend, sharpest, bound) for bound in (STRICT, LOOSE))
    held_softer = _straight_within(softer, bend, sharpest, STRICT)
    of_loud, of_softer = held / max(1, int(loud.sum())), held_softer / max(1, int(softer.sum()))
    if of_loud <= max(STEADY_SHARE, LOUDER * of_softer):
        return 0.0, 0.0
    return held / max(1, most), held / len(sound)


def _straight_within(region: NDArray[np.bool_], bend: Floats, sharpest: Floats, bound: tuple[float, int]) -> int:
    """How many samples of a region lie in runs that bend less than a share of the sharpest bend; bound: see STRICT."""
    starts, lengths = _runs(bend < bound[0] * sharpest)
    total = np.concatenate([[0], np.cumsum(region)])
    return int((total[starts + lengths] - total[starts])[lengths >= bound[1]].sum())


def _straight_runs(
    sound: Floats, level: Floats, starts: NDArray[np.int64], lengths: NDArray[np.int64], tops: Floats
) -> NDArray[np.int64]:
    """For each half-wave its longest run of samples near its top and without a bend that ends near the top too."""
    bend = np.abs(np.pad(np.diff(sound, 2), 1)) if len(sound) > 2 else np.zeros_like(sound)
    sharpest = np.maximum.reduceat(bend, starts)
    wave = np.repeat(np.arange(len(starts)), lengths)
    even = bend < STRAIGHT_BEND * sharpest[wave]
    top = even & (level >= STRAIGHT_TOP * tops[wave])
    lengths_of_even, lengths_of_top = _run_lengths(even, wave), _run_lengths(top, wave)
    top &= lengths_of_even <= SLOPE * lengths_of_top
    longest = np.zeros(len(starts), dtype=np.int64)
    np.maximum.at(longest, wave[top], lengths_of_top[top])
    return longest


def _run_lengths(flags: NDArray[np.bool_], wave: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each flagged sample the length of its run within its half-wave; 0 elsewhere."""
    first = flags.copy()
    first[1:] &= ~(flags[:-1] & (wave[1:] == wave[:-1]))
    run = np.cumsum(first) - 1
    lengths = np.zeros(len(flags), dtype=np.int64)
    if flags.any():
        lengths[flags] = np.bincount(run[flags])[run[flags]]
    return lengths
