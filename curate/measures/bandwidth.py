"""How far up a clip's speech reaches; mirror images, as bad resampling leaves them, are no content.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.measures.spectra import ENOUGH_FRAMES, Frames, Samples, apart, overlaps, quantiles

BAND = 125.0  # Hz: step of the bandwidth
DEPTH = 65.0  # dB under the strongest band: what is weaker is not heard beside it
HIDING = 52.0  # dB under the strongest band: steady noise louder than this may hide speech, at an SNR up to 20 dB
# Where nothing above a fold is louder than this (dB under the strongest band) and levels fall by so much at it, what
# is above is a coder's: AAC spills at 53-63 dB under speech that ends at 4 kHz, which falls by 30 dB there.
SPILLED, CLIFF, CLIFF_NEAR, CLIFF_FAR = -50.0, 25.0, 250.0, 750.0  # dB; dB; Hz beside the fold
# Images of what lies below a fold, where speech was brought up to a higher rate without a good filter (see `_imaged`).
FOLDS = (4000.0, 5512.5, 6000.0, 8000.0, 11_025.0, 12_000.0)  # Hz: half of the rates that speech is stored at
MIRRORED = 1.6  # dB: images differ by 0.0-1.1 (MP3 of images 0.2-1.1), speech above and below a fold by 2.1 and more
OWN, NEIGHBOUR = 0.7, 2  # of the deviation against the band that many further on, which images stay under
IMAGE_WIDTH, IMAGE_GAP = 1500.0, 125.0  # Hz beside the fold that is compared, and next to it that is not
IMAGE_LOUD, IMAGE_DEPTH = 25.0, 60.0  # dB under a band's loud moments, and under the loudest of all
IMAGE_FRAMES, IMAGE_BANDS = 8, 3  # fewer loud frames of a band say nothing, nor do fewer bands
# Images that were coded since (see `_same_shape`): images have a likeness of 0.67 and more and a deviation of 0.54 and
# less, coded at 48 kb/s included; speech in full band, coded or in noise, 0.42 and less and 0.74 and more.
CODED_BAND, CODED_WIDTH, CODED_BANDS = 2 * BAND, 3000.0, 6  # Hz, as wide as a coder's; fewer bands say nothing
LIKENESS, CODED_OWN, CODED_LOUD = 0.6, 0.65, 30.0  # correlation; share; dB under the loudest frame
MODULATION = 10.0  # dB between loud and quiet moments: speech moves by 15-50, steady noise by 3-6 (32 ms, 125 Hz)


ONE = np.zeros(1, np.int64)  # where the bands of a single fold start


def highest(frames: Frames) -> float | None:
    """The highest frequency that moves with speech, or that speech may reach under noise, in Hz.

    A band counts if its loud moments (95 %) are within 65 dB of the strongest band and 10 dB over its quiet ones
    (10 %): steady noise and dither do not move. It also counts where its quiet moments are loud enough to hide speech:
    nothing shows then that it ends below. Three of the four bands up to it must count. Images do not.
    """
    enough = np.count_nonzero(frames.speech) >= ENOUGH_FRAMES
    power = frames.spoken if enough else np.ascontiguousarray(frames.power.T)
    wide = max(1, round(BAND / frames.step))
    count = len(power) // wide
    if not count:
        return None
    bands = power[: count * wide].reshape(count, wide, -1).sum(axis=1)
    low, high = 10 * np.log10(quantiles(bands, (0.1, 0.95)) + 1e-20)
    strongest = high.max()
    good = (high - low >= MODULATION) & (high >= strongest - DEPTH) | (low >= strongest - HIDING)
    counted = np.concatenate([np.zeros(3, np.int8), good])
    filled = np.flatnonzero(good & (counted[3:] + counted[2:-1] + counted[1:-2] + counted[:-3] >= 3))
    if not len(filled):
        return None
    top = float(min((filled[-1] + 1) * wide, len(power) - 1) * frames.step)
    folds = [fold for fold in FOLDS if fold + 2 * IMAGE_GAP < top]
    loudness = (high - strongest).tolist()
    ends = [fold for fold in folds if _ends(loudness, wide * frames.step, fold)]
    imaged = _imaged(power, frames.step, [fold for fold in folds if fold < min(ends, default=math.inf)])
    return imaged or min(ends, default=top)


def _ends(loudness: list[float], step: float, fold: float) -> bool:
    """Whether speech falls off a cliff at a fold, and only what a coder spilled is above.

    `loudness` is that of the loud moments of bands as wide as `step` Hz, in dB under the strongest.
    """
    place, near, far = (round(hertz / step) for hertz in (fold, CLIFF_NEAR, CLIFF_FAR))
    below, above = loudness[place - far : place - near], loudness[place + near :]
    if len(above) < far - near or max(above) > SPILLED:
        return False
    return statistics.median(below) - statistics.median(above[: far - near]) >= CLIFF


def _imaged(power: Samples, step: float, folds: Sequence[float]) -> float | None:
    """The lowest of these folds above which lies the mirror image of what lies below, as after bad resampling.

    Linear interpolation, repeated samples and stuffed zeros leave |X(fold + d)| = g(d) |X(fold - d)| in every frame,
    with a gain g that does not change: the level of a band above moves exactly as that of its mirror band. Speech does
    not. Compared is the median over bands of 125 Hz of the median deviation over the loud frames of each, in dB, with
    that against a band two further on: where all bands move together, as in a synthetic tone, nothing is an image.
    """
    narrow, wide = _beside(power, step, folds)
    found = [fold for fold, bands in zip(wide.layout.folds, _alike(wide), strict=True) if bands and _same_shape(*bands)]
    above, below = narrow.both
    for number, mirrored in enumerate(_moved(above, below, narrow.layout.starts)):
        if mirrored < MIRRORED:
            above, below = narrow.bands(number)
            if mirrored < OWN * _moved(above[:-NEIGHBOUR], below[NEIGHBOUR:], ONE)[0]:
                found.append(narrow.layout.folds[number])
    return min(found, default=None)


class Layout(NamedTuple):
    """Which bands lie beside folds, one fold after the other: first all above, upwards, then all below, downwards."""

    folds: list[float]
    starts: NDArray[np.int64]  # the first band of each fold, among those of one side
    counts: NDArray[np.int64]  # of each fold's bands on one side
    size: int  # how many they are on one side
    start: int  # where they begin among all bands


class Beside(NamedTuple):
    """Levels in dB of bands beside folds."""

    layout: Layout
    both: Samples  # (2, bands, frames): above and below

    def bands(self, number: int) -> tuple[Samples, Samples]:
        """Those above and below one fold."""
        start = self.layout.starts[number]
        above, below = self.both[:, start : start + self.layout.counts[number]]
        return above, below


def _beside(power: Samples, step: float, folds: Sequence[float]) -> tuple[Beside, Beside]:
    """Bands of 125 Hz beside each fold that has enough of them, and bands twice as wide that reach further.

    `power` is (bins, frames).
    """
    every, *layouts = _bands_beside(len(power), step, tuple(folds))
    levels = _decibels(every @ power)
    narrow, wide = (
        Beside(each, levels[each.start : each.start + 2 * each.size].reshape(2, each.size, levels.shape[1]))
        for each in layouts
    )
    return narrow, wide


@functools.lru_cache(maxsize=64)
def _bands_beside(bins: int, step: float, folds: tuple[float, ...]) -> tuple[Any, Layout, Layout]:
    """(bands, bins), sparse: what each band takes of each bin; and which of them are the narrow and the wide ones."""
    reach = {fold: min(step * (bins - 1) - fold, fold - 300) - IMAGE_GAP for fold in folds}
    tables = (
        (BAND, {fold: int(min(far, IMAGE_WIDTH - IMAGE_GAP) // BAND) for fold, far in reach.items()}, IMAGE_BANDS),
        (
            CODED_BAND,
            {fold: int(min(far, CODED_WIDTH - IMAGE_GAP) // CODED_BAND) for fold, far in reach.items()},
            CODED_BANDS,
        ),
    )
    bands: list[tuple[float, float]] = []
    layouts = []
    for width, table, least in tables:
        used = {fold: count for fold, count in table.items() if count >= least}
        near = [(fold, IMAGE_GAP + width * at) for fold, count in used.items() for at in range(count)]
        counts = np.array([*used.values()], np.int64)
        layouts.append(Layout([*used], np.cumsum(counts) - counts, counts, len(near), len(bands)))
        bands += [(fold + apart, fold + apart + width) for fold, apart in near]
        bands += [(fold - apart - width, fold - apart) for fold, apart in near]
    return overlaps(bands, bins, step), layouts[0], layouts[1]


def _alike(wide: Beside) -> list[tuple[Samples, Samples] | None]:
    """Of each fold the levels beside it where the spectrum above changes as the mirrored one below, in shape.

    A coder replaces what is above by noise of the same power, band by band and frame by frame, so that levels of two
    narrow bands no longer move alike. What remains is the shape: each band's level over its own median, less the mean
    over all bands, is much the same on both sides. Speech has loud consonants above while vowels are loud below.
    """
    starts, counts = wide.layout.starts, wide.layout.counts
    if not len(starts):
        return []
    peaks = np.maximum.reduceat(wide.both[1], starts, axis=0)
    loud = peaks >= peaks.max(axis=1, keepdims=True) - CODED_LOUD
    shapes = wide.both - quantiles(wide.both, (0.5,))[0].astype(np.float32)[..., None]
    means = np.add.reduceat(shapes, starts, axis=1)
    means /= counts[:, None].astype(np.float32)
    shapes -= np.repeat(means, counts, axis=1)
    shapes *= np.repeat(loud, counts, axis=0)
    above, below = shapes
    pairs = ((above, below), (above, above), (below, below))
    same, one, other = (np.add.reduceat(np.vecdot(a, b), starts, dtype=np.float64) for a, b in pairs)
    alike = same > LIKENESS * np.sqrt(one * other)
    return [wide.bands(number) if yes else None for number, yes in enumerate(alike.tolist())]


def _same_shape(high: Samples, low: Samples) -> bool:
    """Whether levels beside a fold that change alike move with their mirror bands more than with those beside."""
    others = (_moved(high[:-NEIGHBOUR], low[NEIGHBOUR:], ONE), _moved(high[NEIGHBOUR:], low[:-NEIGHBOUR], ONE))
    return _moved(high, low, ONE)[0] < CODED_OWN * min(others)[0]


def _moved(high: Samples, low: Samples, starts: NDArray[np.int64]) -> list[float]:
    """How much the level of bands moves against that of their partners: dB, infinite where no band is loud enough.

    Both are (bands, frames); the bands of several folds begin at `starts`, each of which has an answer.
    """
    if not len(starts):
        return []
    loudest = np.repeat(np.maximum.reduceat(low.max(axis=1), starts), apart(starts, len(low)))
    least = np.maximum(quantiles(low, (0.95,))[0] - IMAGE_LOUD, loudest - IMAGE_DEPTH)
    loud = low >= least[:, None]
    counts = np.add.reduce(loud, axis=1, dtype=np.int64)
    moved = np.where(loud, high - low, np.float32(np.inf))
    moved -= np.where(counts, _medians(moved, counts), 0)[:, None]
    away = _medians(np.abs(moved, out=moved), counts)
    away[counts < IMAGE_FRAMES] = np.nan
    ends = [*starts[1:].tolist(), len(away)]
    every = away.tolist()  # faster than numpy for so few
    parts = (every[start:end] for start, end in zip(starts.tolist(), ends, strict=True))
    parts = ([each for each in part if not math.isnan(each)] for part in parts)
    return [statistics.median(part) if part else math.inf for part in parts]


def _medians(values: Samples, counts: NDArray[np.int64]) -> Samples:
    """The median of each row's finite values, of which there are `counts`; the others are infinite."""
    ordered = np.sort(values, axis=1)
    rows = np.arange(len(values))
    return np.asarray((ordered[rows, (counts - 1) // 2] + ordered[rows, counts // 2]) / 2)


def _decibels(power: Samples) -> Samples:
    return np.asarray(np.float32(10 / math.log(10)) * np.log(power + np.float32(1e-20)))  # log10 takes three times that
