"""Half-waves of a sound, from one crossing of zero to the next: what clipping is measured on.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.measures.spectra import Samples, apart

LOBE = 5  # samples: a shorter half-wave says nothing
LOUDEST_LOBES = 0.85  # of the peak that 2 % of half-waves pass: what is asked first


class HalfWaves(NamedTuple):
    """Half-waves of a sound: where each starts, its length in samples and its peak."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    tops: Samples

    def between(self, least: float, under: float = math.inf) -> HalfWaves:
        """Those of at least LOBE samples whose peak lies in least..under."""
        used = np.flatnonzero((self.tops >= least) & (self.tops < under) & (self.lengths >= LOBE))
        return HalfWaves(self.starts[used], self.lengths[used], self.tops[used])

    def every(self, first: int, step: int) -> HalfWaves:
        """Each `step`-th of them."""
        return HalfWaves(self.starts[first::step], self.lengths[first::step], self.tops[first::step])


def half_waves(sound: Samples, level: Samples) -> HalfWaves:
    """All of them, one above zero and one below by turns; `level` is the size of each sample."""
    below = np.signbit(sound)
    begins = np.empty(len(sound), np.bool_)
    begins[0] = True
    np.not_equal(below[1:], below[:-1], out=begins[1:])
    starts = np.flatnonzero(begins)
    return HalfWaves(starts, apart(starts, len(sound)), maxima(level, starts))


def maxima(values: Samples, starts: NDArray[np.int64]) -> Samples:
    """The highest of the values from each start to the next; none of them is negative.

    Such floats are in the order of their bits, and integers take half the time.
    """
    return np.maximum.reduceat(values.view(np.int32), starts).view(np.float32)


def high_peak(tops: Samples) -> float:
    """The peak that 2 % of half-waves pass, not counting what is 20 dB under the highest."""
    many = np.count_nonzero(tops > 0.1 * tops.max())
    return ordered_at(tops, len(tops) - many + 0.98 * (many - 1))


def ordered_at(values: Samples, place: float) -> float:
    """The value at that place, from 0 on, among the values in order; between two places, between their values.

    As np.quantile; it looks for one place at a time, for which numpy is much faster than for two.
    """
    at = int(place)
    ordered = np.partition(values, at)
    one, next_ = ordered[at], ordered[at + 1 :].min(initial=np.inf) if place > at else ordered[at]
    return float(one + (next_ - one) * np.float64(place - at))
