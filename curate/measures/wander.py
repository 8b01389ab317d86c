"""How steadily one print runs beside another: a copy keeps one speed and one pitch, a second take of words does not.

Wander is the telephone engineers' word for slow jitter, of time as of pitch; a drift at one rate is another speed.
Two takes of a sentence by one speaker agree as much as a copy in noise. But in a copy what agrees least still agrees
best where the rest does; of takes each stretch agrees best some tens of milliseconds earlier or later than the line
through all of them says, and a part of a band higher or lower. And where a copy at another speed agrees as little as
takes do, that is because its pitch lies between two bands: then it agrees with both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curate.measures.alignment import BITS, STRETCH, Places
from curate.measures.equal_frames import NOTHING, Print
from curate.measures.spectra import Samples

STEP = 5  # frames that say something, from one stretch to the next
FAR = 8  # frames (160 ms) about the offset that are looked at
NEAR = 4  # frames about the line
HIGHER = 2  # bands about the pitch
STEEPEST = 0.03  # frames per frame: a line is looked for up to this slope
SLOPES = np.linspace(-STEEPEST, STEEPEST, 25)
STARTS = np.arange(-2.0, 3.0)
ROUNDS = 3  # of fitting a line to the places nearest to the one before
LEAST = 0.02  # agreement that counts for a stretch without any
# What is left of the likeness of copies when their wandering is taken off (docs/measures/duplicates.md).
TIME, STEADY = 0.6, 0.2
SAME_SPEED, STEADY_FASTER = 0.006, 0.3  # speeds that differ by this are one; of others more is left
BESIDE, BANDS, BETWEEN = 1.34, 1.4, 0.66  # or, at another speed, what bits a band higher or lower add to it


class Wander(NamedTuple):
    """How far stretches lie from one line, rms weighted by agreement squared, in frames and bands; the line's slope, in
    frames per frame; and how much the prints agree along it with the bits a band higher or lower, whichever is more."""

    time: float
    bands: float
    slope: float
    beside: float

    def is_take(self, alike: float, faster: float) -> bool:
        """Whether prints so alike, the second played `faster`, are two takes rather than a copy."""
        steady = alike - TIME * self.time - self.bands
        if abs(faster * (1 + self.slope) - 1) <= SAME_SPEED:
            return steady < STEADY
        return steady < STEADY_FASTER and alike + BESIDE * self.beside - BANDS * self.bands < BETWEEN


def wander(first: Print, second: Print, shift: int, path: Places) -> Wander | None:
    """How steadily `second` runs along `first`: frame i is beside frame path[i], its bits `shift` bands higher.

    None where the two have too few frames in common.
    """
    agree = _agreement(_beside(first, path + np.arange(-FAR, FAR + 1)[:, None]), second, shift)
    told = np.flatnonzero(~np.isnan(agree[FAR]))
    if len(told) < STRETCH + STEP:
        return None
    agree = _stretches(np.nan_to_num(agree[:, told]))
    times = _stretches(told[None].astype(np.float64))[0]
    start, slope, at = _line(agree, times)
    along = path + np.rint(start + slope * (np.arange(len(path)) - times.mean())).astype(np.int64)
    beside = _beside(first, along)
    pitches = np.array([_agreement(beside, second, shift + more) for more in range(-HIGHER, HIGHER + 1)])
    heard = np.flatnonzero(~np.isnan(pitches).any(axis=0))
    if len(heard) < STRETCH:
        return None
    pitches = _stretches(pitches[:, heard])
    place, weight = _peaks(pitches, pitches.argmax(axis=0))
    more = max(pitches[HIGHER - 1].mean(), pitches[HIGHER + 1].mean())
    return Wander(at, _spread(place, weight), slope, float(more))


def _beside(numbers: Print, places: Places) -> Print:
    """The frames at these places; nothing where there are none."""
    framed = np.concatenate([[NOTHING], numbers, [NOTHING]])
    return np.asarray(framed[np.clip(places + 1, 0, len(framed) - 1)])


def _agreement(first: Print, second: Print, shift: int) -> Samples:
    """How much the bits of frames agree, the second's `shift` higher, -1 to 1; NaN where either says nothing."""
    bits = BITS - abs(shift)
    kept = np.uint32(2**bits - 1)
    differ = (first >> np.uint32(max(0, -shift)) & kept) ^ (second >> np.uint32(max(0, shift)) & kept)
    return np.where((first != NOTHING) & (second != NOTHING), 1 - 2 / bits * np.bitwise_count(differ), np.nan)


def _stretches(rows: Samples) -> Samples:
    """The mean of each stretch of each row."""
    sums = np.concatenate([np.zeros((len(rows), 1)), rows.cumsum(axis=1)], axis=1)
    starts = np.arange(0, rows.shape[1] - STRETCH + 1, STEP)
    return np.asarray((sums[:, starts + STRETCH] - sums[:, starts]) / STRETCH)


def _line(agree: Samples, times: Samples) -> tuple[float, float, float]:
    """The line through the lags at which stretches agree best: at mid-time, its slope, and how far they lie off."""
    middle = times.mean()
    columns = np.arange(len(times))
    starts, slopes = (each.ravel() for each in np.meshgrid(STARTS, SLOPES))
    lags = np.clip(np.rint(starts[:, None] + slopes[:, None] * (times - middle)), -FAR, FAR).astype(np.int64)
    good = agree[lags + FAR, columns].mean(axis=1)
    best = np.flatnonzero(good >= good.max() - 1e-9)
    chosen = best[np.abs(slopes[best]).argmin()]
    start, slope, off = float(starts[chosen]), float(slopes[chosen]), 0.0
    for _ in range(ROUNDS):
        about = np.clip(np.rint(start + slope * (times - middle)), 1 - FAR, FAR - 1).astype(np.int64)
        near = np.clip(about + np.arange(-NEAR, NEAR + 1)[:, None], -FAR, FAR)
        best = near[agree[near + FAR, columns].argmax(axis=0), columns] + FAR
        place, weight = _peaks(agree, best)
        centre, mean = float(weight @ times), float(weight @ place)
        spread = float(weight @ (times - centre) ** 2)
        slope = float(weight @ ((times - centre) * (place - mean))) / spread if spread > 0 else 0.0
        off = _spread(place - slope * (times - centre), weight)
        slope = min(max(slope, -STEEPEST), STEEPEST)
        start = mean - FAR + slope * (middle - centre)
    return start, slope, off


def _peaks(rows: Samples, best: Places) -> tuple[Samples, Samples]:
    """Where each column is highest near row `best`, by a parabola; and its weight, of which all sum to 1."""
    columns = np.arange(rows.shape[1])
    inner = np.clip(best, 1, len(rows) - 2)
    under, peak, over = (rows[inner + each, columns] for each in (-1, 0, 1))
    bend = np.minimum(under - 2 * peak + over, -1e-6)
    place = inner + np.clip(0.5 * (under - over) / bend, -1, 1)
    weight = np.maximum(rows[best, columns], LEAST) ** 2
    return place, weight / weight.sum()


def _spread(values: Samples, weight: Samples) -> float:
    """The weighted standard deviation."""
    return float(np.sqrt(weight @ (values - weight @ values) ** 2))
