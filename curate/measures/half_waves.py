"""Half-waves of a sound, from one crossing of zero to the next, and runs of flags: what clipping is measured on.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.measures.spectra import Samples, quantiles

Flags = NDArray[np.bool_]

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


def half_waves(sound: Samples, level: Samples) -> HalfWaves:
    """All of them, one above zero and one below by turns; `level` is the size of each sample."""
    below = np.signbit(sound)
    starts = np.flatnonzero(np.concatenate([[True], below[1:] != below[:-1]]))
    return HalfWaves(starts, np.diff(np.append(starts, len(sound))), maxima(level, starts))


def maxima(values: Samples, starts: NDArray[np.int64]) -> Samples:
    """The highest of the values from each start to the next; none of them is negative.

    Such floats are in the order of their bits, and integers take half the time.
    """
    return np.maximum.reduceat(values.view(np.int32), starts).view(np.float32)


def high_peak(tops: Samples) -> float:
    """The peak that 2 % of half-waves pass, not counting what is 20 dB under the highest."""
    return float(quantiles(tops[tops > 0.1 * tops.max()], (0.98,))[0])


def flag_runs(flags: Flags) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of flags starts, and its length."""
    edges = np.flatnonzero(np.concatenate([flags[:1], flags[1:] != flags[:-1], flags[-1:]]))
    return edges[::2], edges[1::2] - edges[::2]
