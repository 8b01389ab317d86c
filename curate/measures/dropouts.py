"""Samples that were lost: gaps inside words, as of a lost packet, a full buffer or a bad cable.

Three things happen to lost samples. They become zeros, or hold the last value: a run of equal samples with speech right
before and right after it. Or the last packet is played again: a stretch equal, to the last bit, to the one before.
And after resampling, a filter or a codec the zeros are no longer equal, but quieter than the room itself is.

Silence that a gate, a codec or an editor puts into pauses is none of these: there the speech has died away before.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from curate.measures.spectra import Samples, finite, quantiles

VERSION = 3  # raise it when an answer changes: it enters the fingerprint

Spans = list[tuple[int, int]]
Flags = NDArray[np.bool_]

SHORTEST, LONGEST = 0.004, 1.0  # seconds of a gap: shorter ones are the tops of clipped waves, longer ones cuts
EDGE = 0.004  # seconds beside a gap in which speech must sound
# dB under the speech: how loud one side must be, and the other; words end and begin 25 dB under it and more.
LOUD, AUDIBLE = 12.0, 20.0
CEILING = 0.9  # of the peak: a run of equal samples up there was clipped
FRAME = 0.004  # seconds, for gaps that are no longer equal samples
FALL = 45.0  # dB under the loudest fifth of the frames
QUIETER = 10.0  # dB under the quiet moments of the clip
DEEP = 55.0  # dB under the loudest: no sound falls so far within 4 ms, however silent the room
REPEAT = 0.1  # seconds: the longest packet that is played again
REPEAT_RUN = 0.008  # seconds that must be equal
TAPS = 12  # samples that are equal by chance in no speech
LOOKED_AT = 16_000  # Hz: at a higher rate the same number of places a second is looked at
LAGS = 8  # distances between a packet and its copy that are looked at, the most common first
MOSTLY = 0.2  # share of the clip: where more of it repeats, it is a tone


def longest(samples: Samples, rate: int, speech: Spans) -> float | None:
    """The longest gap inside words in milliseconds, 0 where there is none; None without speech.

    Spans are half-open, in samples of the clip.
    """
    sound = finite(samples)
    inside = [sound[max(0, start) : max(0, end)] for start, end in speech]
    level = sum(float(each @ each) for each in inside) / max(1, sum(map(len, inside)))
    if not level > 0 or rate <= 0:
        return None
    gaps = [*_equal(sound, rate, level), *_hushed(sound, rate, level), *_repeated(sound, rate, level)]
    return max((end - start for start, end in gaps), default=0) * 1000 / rate


def _equal(sound: Samples, rate: int, level: float) -> Spans:
    """Runs of one value between loud sounds."""
    runs = _equal_runs(sound[1:], sound[:-1], round(SHORTEST * rate))
    if not runs:
        return []
    top = CEILING * max(float(sound.max()), -float(sound.min()))
    found = [(start, end + 1) for start, end in runs if abs(float(sound[start])) < top]
    return [gap for gap in found if _between_words(sound, gap, rate, level)]


def _hushed(sound: Samples, rate: int, level: float) -> Spans:
    """Stretches quieter than the room between loud sounds."""
    size = max(1, round(FRAME * rate) // 2)
    count = len(sound) // size
    if count < 8:
        return []
    steps = np.diff(sound[: count * size], prepend=sound[:1])  # a high-pass leaves a slow wave in a gap
    frames = steps.reshape(-1, size)
    power = np.einsum("fs,fs->f", frames, frames)
    room, loud = quantiles(power, (0.05, 0.8))
    quiet = power < max(1e-30, float(loud)) * 10 ** (-FALL / 10)
    quiet &= power < max(float(room) * 10 ** (-QUIETER / 10), float(loud) * 10 ** (-DEEP / 10))
    gaps = [(start * size, end * size) for start, end in _runs(quiet, round(2 * SHORTEST * rate / size))]
    return [gap for gap in gaps if _between_words(sound, gap, rate, level, slack=size)]


def _between_words(sound: Samples, gap: tuple[int, int], rate: int, level: float, slack: int = 0) -> bool:
    """Whether speech sounds right before and right after a gap, which is no longer than one can be."""
    start, end = gap
    width = round(EDGE * rate)
    before, after = sound[max(0, start - slack - width) : start], sound[end : end + slack + width]
    if end - start > LONGEST * rate or len(before) < width or len(after) < width:
        return False
    weaker, louder = sorted((np.var(before), np.var(after)))
    return bool(louder >= level * 10 ** (-LOUD / 10) and weaker >= level * 10 ** (-AUDIBLE / 10))


def _repeated(sound: Samples, rate: int, level: float) -> Spans:
    """Loud stretches that equal the ones just before them to the last bit, as when a packet is played again."""
    if len(sound) < 4 * TAPS:
        return []
    found: Spans = []
    for lag in _lags(sound, rate):
        runs = [(a + lag, b + lag) for a, b in _equal_runs(sound[lag:], sound[:-lag], round(REPEAT_RUN * rate))]
        found += [run for run in runs if np.var(sound[run[0] : run[1]]) >= level * 10 ** (-LOUD / 10)]
    covered = sum(end - start for start, end in found)
    return [] if covered > MOSTLY * len(sound) else found


def _lags(sound: Samples, rate: int) -> list[int]:
    """At which distances the same TAPS samples come again, the most common first."""
    bits = (sound + np.float32(0)).view(np.uint32)  # minus zero is zero
    count = len(bits) - TAPS + 1
    # one in sixteen at 16 kHz, by content: the same of both copies; where nothing moves there is nothing to find
    chosen = bits[:count] * np.uint32(0x9E3779B1)
    chosen += bits[1 : count + 1] * np.uint32(0x85EBCA77)
    places = np.flatnonzero(chosen < min(2**28, 2**28 * LOOKED_AT / rate))
    places = places[bits[places] != bits[places + TAPS // 2]]
    numbers = np.zeros(len(places), np.uint64)  # of the samples from each place on; wraps around
    for tap, weight in enumerate(_weights()):
        numbers += bits[places + tap] * weight
    # sorted by number, then by place, in one 64-bit word: faster than sorting an index
    width = np.uint64(len(sound).bit_length())
    ordered = np.sort(numbers >> width << width | places.astype(np.uint64))
    place = (ordered & ((np.uint64(1) << width) - np.uint64(1))).astype(np.int64)
    apart = np.diff(place)
    twins = (np.diff(ordered >> width) == 0) & (apart <= REPEAT * rate) & (apart > TAPS)
    lags, counts = np.unique(apart[twins], return_counts=True)
    return [int(lag) for lag in lags[np.argsort(-counts, kind="stable")[:LAGS]]]


@functools.cache
def _weights() -> NDArray[np.uint64]:
    """A large odd number for each tap."""
    return np.random.default_rng(0).integers(1, 2**63, TAPS, dtype=np.uint64) | np.uint64(1)


def _equal_runs(one: Samples, other: Samples, least: int) -> Spans:
    """Half-open stretches of at least so many samples that are equal in two rows.

    Every eighth of `least` is looked at first: a run has eight of these in a row, and speech has not.
    """
    step = max(1, least // 8)
    found: Spans = []
    for start, end in _runs(one[::step] == other[::step], max(1, least // step)):
        low, high = max(0, (start - 1) * step), min(len(one), end * step)
        found += [(low + a, low + b) for a, b in _runs(one[low:high] == other[low:high], least)]
    return found


def _runs(flags: Flags, least: int) -> Spans:
    """Half-open stretches of at least so many true flags."""
    edges = np.flatnonzero(np.concatenate([flags[:1], flags[1:] != flags[:-1], flags[-1:]]))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= max(1, least)
    return list(zip(starts[long].tolist(), ends[long].tolist(), strict=True))
