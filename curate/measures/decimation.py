"""Lower rates for the light measures: filters with linear phase as products of matrices, in half of soxr's time.

Such a filter passes what lies under a frequency and holds back what would be mirrored there; between the two it falls.
A steeper fall, as soxr's, which mirrors nothing at all, would cost as much as soxr does, and tells these measures
nothing more.

A change here changes answers: raise `signal.VERSION` and `fingerprint.VERSION`.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE, resample
from curate.measures.spectra import Samples, cuts

GROUP = 32  # samples made by one product
LARGEST = 1024  # samples of a row, in or out: rates that share no large divisor are left to soxr


class Band(NamedTuple):
    """What a filter passes at a lower rate, in Hz, and by how many dB it holds back what lies above."""

    rate: int
    passed: float  # up to here nothing changes, and nothing is mirrored
    stopped: float  # from here on nothing passes; no more than the rate less `passed`
    depth: float


LISTENING = Band(LISTENING_RATE, 7150.0, 8150.0, 100.0)  # falls where soxr does, less steeply


def decimated(samples: Samples, rate: int, band: Band) -> Samples:
    """The same sound at the lower rate of a band, round(n * band.rate / rate) samples long."""
    size = round(len(samples) * band.rate / rate)
    filters = _filters(rate, band)
    if filters is None or not size:
        return resample(samples, rate, band.rate)
    rows = -(-size // filters.made)
    length = max(filters.before + len(samples), (rows - 1) * filters.taken + filters.reach)
    padded = np.zeros(length, np.float32)
    padded[filters.before : filters.before + len(samples)] = samples
    out = np.empty((rows, filters.made), np.float32)
    for number, (start, taps) in enumerate(filters.products):
        given = cuts(padded[start:], len(taps), filters.taken)[:rows]
        np.matmul(given, taps, out=out[:, number * GROUP : (number + 1) * GROUP])
    return out.ravel()[:size]


class Product(NamedTuple):
    """Which samples of a row, from `start` on, make GROUP samples of the lower rate; (samples, GROUP)."""

    start: int
    taps: Samples


class Filters(NamedTuple):
    """A filter as one product for every GROUP samples of a row."""

    taken: int  # samples of a row in
    made: int  # and out
    before: int  # samples that the first row needs before the sound
    reach: int  # samples that a row needs, before and after those it takes included
    products: list[Product]


@functools.cache
def _filters(rate: int, band: Band) -> Filters | None:
    """None where the rate is no higher, or a row would be too long. Windowed by Kaiser's, whose formulas these are."""
    if rate <= band.rate:
        return None
    length = math.ceil((band.depth - 8) / (2.285 * 2 * math.pi * (band.stopped - band.passed) / rate))
    whole = math.gcd(rate, band.rate)
    taken, made = rate // whole, band.rate // whole
    width = length + math.ceil((GROUP - 1) * rate / band.rate) + 2
    parts = GROUP // math.gcd(GROUP, made)  # of a row, that it has whole groups
    parts *= math.ceil(width / (taken * parts))  # and is no shorter than what a product takes: BLAS reads such in place
    taken, made = taken * parts, made * parts
    if max(taken, made) > LARGEST:
        return None
    before = math.ceil(length / 2)
    products = []
    for first in range(0, made, GROUP):
        places = (first + np.arange(GROUP)) * rate / band.rate
        start = math.floor(places[0]) - before
        apart = start + np.arange(width)[:, None] - places
        products.append(Product(start + before, _taps(apart, length, rate, band)))
    return Filters(taken, made, before, products[-1].start + width, products)


def _taps(apart: NDArray[np.float64], length: int, rate: int, band: Band) -> Samples:
    """The filter's response so many samples from its middle."""
    inside = np.sqrt(np.maximum(0.0, 1 - np.square(2 * apart / length)))
    shape = 0.1102 * (band.depth - 8.7)
    window = np.where(np.abs(apart) <= length / 2, np.i0(shape * inside), 0.0)
    taps = np.sinc((band.passed + band.stopped) / rate * apart) * window
    return np.ascontiguousarray(taps / taps.sum(axis=0), dtype=np.float32)
