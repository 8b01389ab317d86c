"""How far up a clip's speech reaches; mirror images, as bad resampling leaves them, are no content.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curate.measures.spectra import ENOUGH_FRAMES, Floats, Frames, Samples, quantiles

BAND = 125.0  # Hz: step of the bandwidth
DEPTH = 65.0  # dB under the strongest band: what is weaker is not heard beside it
HIDING = 52.0  # dB under the strongest band: steady noise louder than this may hide speech, at an SNR up to 20 dB
# Images of what lies below a fold, where speech was brought up to a higher rate without a good filter (see `_imaged`).
FOLDS = (4000.0, 5512.5, 6000.0, 8000.0, 11_025.0, 12_000.0)  # Hz: half of the rates that speech is stored at
MIRRORED = 1.6  # dB: images differ by 0.0-1.1 (MP3 of images 0.2-1.1), speech above and below a fold by 2.1 and more
OWN, NEIGHBOUR = 0.7, 2  # of the deviation against the band that many further on, which images stay under
IMAGE_WIDTH, IMAGE_GAP = 1500.0, 125.0  # Hz beside the fold that is compared, and next to it that is not
IMAGE_LOUD, IMAGE_DEPTH = 25.0, 60.0  # dB under a band's loud moments, and under the loudest of all
IMAGE_FRAMES = 8  # fewer loud frames of a band say nothing
MODULATION = 10.0  # dB between loud and quiet moments: speech moves by 15-50, steady noise by 3-6 (32 ms, 125 Hz)


def highest(frames: Frames) -> float | None:
    """The highest frequency that moves with speech, or that speech may reach under noise, in Hz.

    A band counts if its loud moments (95 %) are within 65 dB of the strongest band and 10 dB over its quiet ones
    (10 %): steady noise and dither do not move. It also counts where its quiet moments are loud enough to hide speech:
    nothing shows then that it ends below. Three of the four bands up to it must count. Images do not.
    """
    used = frames.power[frames.speech] if frames.speech.sum() >= ENOUGH_FRAMES else frames.power
    wide = max(1, round(BAND / frames.step))
    count = used.shape[1] // wide
    if not count:
        return None
    bands = np.add.reduceat(used[:, : count * wide], np.arange(0, count * wide, wide), axis=1)
    low, high = 10 * np.log10(quantiles(bands.T, (0.1, 0.95)) + 1e-20)
    strongest = high.max()
    good = (high - low >= MODULATION) & (high >= strongest - DEPTH) | (low >= strongest - HIDING)
    filled = np.flatnonzero(good & (np.convolve(good, np.ones(4))[:count] >= 3))
    if not len(filled):
        return None
    top = float(min((filled[-1] + 1) * wide, used.shape[1] - 1) * frames.step)
    folds = [fold for fold in FOLDS if fold + 2 * IMAGE_GAP < top]
    return _imaged(used, frames.step, folds) or top


def _imaged(used: Samples, step: float, folds: Sequence[float]) -> float | None:
    """The lowest of these folds above which lies the mirror image of what lies below, as after bad resampling.

    Linear interpolation, repeated samples and stuffed zeros leave |X(fold + d)| = g(d) |X(fold - d)| in every frame,
    with a gain g that does not change: the level of a band above moves exactly as that of its mirror band. Speech does
    not. Compared is the median over bands of 125 Hz of the median deviation over the loud frames of each, in dB, with
    that against a band two further on: where all bands move together, as in a synthetic tone, nothing is an image.
    """
    highest = step * (used.shape[1] - 1)
    reach = {fold: min(highest - fold, fold - 300, IMAGE_WIDTH) - IMAGE_GAP for fold in folds}
    counts = {fold: int(wide // BAND) for fold, wide in reach.items() if wide >= 3 * BAND}
    if not counts:
        return None
    # all folds at once, each with the edges of its bands from near to far: few and long operations
    edges = [IMAGE_GAP + BAND * np.arange(count + 1) for count in counts.values()]
    above = np.concatenate([fold + apart for fold, apart in zip(counts, edges, strict=True)])
    below = np.concatenate([fold - apart for fold, apart in zip(counts, edges, strict=True)])
    last = np.cumsum([len(apart) for apart in edges])[:-1] - 1  # between one fold and the next is no band
    levels = _upto(used, step, np.concatenate([above, below]))
    high, low = (_decibels(np.delete(np.abs(np.diff(each, axis=0)), last, axis=0)) for each in np.split(levels, 2))
    starts = np.cumsum([0, *counts.values()])
    for fold, start, end, mirrored in zip(counts, starts, starts[1:], _moved(high, low, starts[:-1]), strict=False):
        if mirrored < MIRRORED:
            others = _moved(high[start : end - NEIGHBOUR], low[start + NEIGHBOUR : end], starts[:1])
            if mirrored < OWN * others[0]:
                return fold
    return None


def _moved(high: Samples, low: Samples, starts: NDArray[np.int64]) -> list[float]:
    """How much the level of bands moves against that of their partners: dB, infinite where no band is loud enough.

    Both are (bands, frames); the bands of several folds begin at `starts`, each of which has an answer.
    """
    loudest = np.repeat(np.maximum.reduceat(low.max(axis=1), starts), np.diff(np.append(starts, len(low))))
    least = np.maximum(quantiles(low, (0.95,))[0] - IMAGE_LOUD, loudest - IMAGE_DEPTH)
    loud = low >= least[:, None]
    counts = np.count_nonzero(loud, axis=1)
    apart = np.where(loud, high - low, np.float32(np.inf))
    apart -= np.where(counts, _medians(apart, counts), 0)[:, None]
    away = _medians(np.abs(apart, out=apart), counts)
    away[counts < IMAGE_FRAMES] = np.nan
    each = (part[~np.isnan(part)].tolist() for part in np.split(away, starts[1:]))
    return [statistics.median(part) if part else math.inf for part in each]


def _medians(values: Samples, counts: NDArray[np.int64]) -> Samples:
    """The median of each row's finite values, of which there are `counts`; the others are infinite."""
    ordered = np.sort(values, axis=1)
    rows = np.arange(len(values))
    return np.asarray((ordered[rows, (counts - 1) // 2] + ordered[rows, counts // 2]) / 2)


def _decibels(power: Floats) -> Samples:
    return np.asarray(10 * np.log10(power.astype(np.float32) + np.float32(1e-20)))


def _upto(used: Samples, step: float, edges: Floats) -> Floats:
    """Power (edges, frames) below frequencies in Hz that need not be those of bins, up to a constant."""
    place = np.clip(edges / step + 0.5, 0, used.shape[1])  # bin k reaches from k - 0.5 to k + 0.5 steps
    first, end = int(place.min()), min(used.shape[1], int(place.max()) + 1)
    total = np.zeros((len(used), end - first + 1))
    np.cumsum(used[:, first:end], axis=1, out=total[:, 1:])
    whole = np.minimum(place.astype(np.int64), end - 1) - first
    share = (place - first - whole)[:, None]
    columns = np.ascontiguousarray(total.T)
    return np.asarray(columns[whole] * (1 - share) + columns[whole + 1] * share)
