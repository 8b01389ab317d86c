"""Packets that were played again: a stretch equal, to the last bit, to the one right before it.

A change here changes answers: raise `dropouts.VERSION`.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from curate.measures.runs import Spans, flagged, stretches
from curate.measures.spectra import Samples, variance

REPEAT = 0.1  # seconds: the longest packet that is played again
REPEAT_RUN = 0.008  # seconds that must be equal
TAPS = 12  # samples that are equal by chance in no speech
LOOKED_AT = 16_000  # Hz: at a higher rate the same number of places a second is looked at
LAGS = 8  # distances between a packet and its copy that are looked at, the most common first
MOVING = 40.0  # dB under the speech: a place where the sound moves by less within TAPS is not looked at
MOSTLY = 0.2  # share of the clip: where more of it repeats, it is a tone


def find(sound: Samples, rate: int, level: float, loud: float) -> Spans:
    """Where packets were played again, in samples, half-open; none where much of the clip repeats, as a tone does.

    `level` is the power of the speech; a packet is no more than `loud` dB under it.
    """
    if len(sound) < 4 * TAPS:
        return []
    found: Spans = []
    least = level * 10 ** (-loud / 10)
    for lag in _lags(sound, rate, level):
        equal = _equal_stretches(sound[lag:], sound[:-lag], round(REPEAT_RUN * rate), least)
        found += [(a + lag, b + lag) for a, b in equal if variance(sound[a + lag : b + lag]) >= least]
    covered = sum(end - start for start, end in found)
    return [] if covered > MOSTLY * len(sound) else found


def _lags(sound: Samples, rate: int, level: float) -> list[int]:
    """At which distances the same TAPS samples come again, the most common first."""
    bits = sound.view(np.uint32)
    pairs = bits[:-1] * np.uint32(0x9E3779B1)  # a number for every two samples
    pairs += bits[1:]
    # one in sixteen at 16 kHz, by content: the same of both copies; where nothing moves there is nothing to find
    some = min(2**28, math.ceil(2**28 * LOOKED_AT / rate))
    places = flagged(pairs[: len(bits) - TAPS + 1] > np.uint32(2**32 - 1 - some))  # zeros are none of them
    moved = np.abs(sound[places] - sound[places + TAPS // 2])
    places = places[moved > np.float32(math.sqrt(level) * 10 ** (-MOVING / 20))]
    # nearly all places have four samples that do not come again
    number, place = _ordered(pairs, places, 4)
    again = np.zeros(len(place) + 1, np.bool_)
    np.equal(number[1:], number[:-1], out=again[1:-1])
    if not again.any():
        return []
    number, place = _ordered(pairs, np.sort(place[again[1:] | again[:-1]]), TAPS)
    apart = np.diff(place)
    twins = (number[1:] == number[:-1]) & (apart <= REPEAT * rate) & (apart > TAPS)
    if not twins.any():
        return []
    lags, counts = np.unique(apart[twins], return_counts=True)
    return [int(lag) for lag in lags[np.argsort(-counts, kind="stable")[:LAGS]]]


def _ordered(
    pairs: NDArray[np.uint32], places: NDArray[np.int64], taps: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """A number for so many samples from each place on, and the places, sorted by number, then by place.

    In one 64-bit word: faster than sorting an index. Sums wrap around.
    """
    numbers = sum(pairs[tap:].take(places) * weight for tap, weight in zip(range(0, taps, 2), _weights(), strict=False))
    width = np.uint64((len(pairs) + 1).bit_length())
    ordered = np.sort(numbers >> width << width | places.astype(np.uint64))
    return ordered >> width, (ordered & ((np.uint64(1) << width) - np.uint64(1))).astype(np.int64)


@functools.cache
def _weights() -> NDArray[np.uint64]:
    """A large odd number for every two taps."""
    return np.random.default_rng(0).integers(1, 2**63, TAPS // 2, dtype=np.uint64) | np.uint64(1)


def _equal_stretches(one: Samples, other: Samples, least: int, variance: float) -> Spans:
    """Half-open stretches of at least so many samples that are equal in two rows, but for some under that variance.

    Every eighth of `least` is looked at first: a run has eight of these in a row, and speech has not.
    """
    step = max(1, least // 8)
    found: Spans = []
    for start, end in stretches(one[::step] == other[::step], max(1, least // step)):
        low, high = max(0, (start - 1) * step), min(len(one), end * step)
        part = one[low:high]
        if (float(part.max()) - float(part.min())) ** 2 >= 4 * variance:  # no sound in that range has more
            found += [(low + a, low + b) for a, b in stretches(part == other[low:high], least)]
    return found
