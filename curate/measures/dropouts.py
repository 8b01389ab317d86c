"""Samples that were lost: gaps inside words, as of a lost packet, a full buffer or a bad cable.

Three things happen to lost samples. They become zeros, or hold the last value: a run of equal samples with speech right
before and right after it. Or the last packet is played again: a stretch equal, to the last bit, to the one before.
And after resampling, a filter or a codec the zeros are no longer equal, but quieter than the room itself is.

Silence that a gate, a codec or an editor puts into pauses is none of these: there the speech has died away before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VERSION = 1  # raise it when an answer changes: it enters the fingerprint

Samples = NDArray[np.float32]
Spans = list[tuple[int, int]]
Flags = NDArray[np.bool_]

SHORTEST, LONGEST = 0.004, 1.0  # seconds of a gap: shorter ones are the tops of clipped waves, longer ones cuts
EDGE = 0.004  # seconds beside a gap in which speech must sound
LOUD = 12.0  # dB under the speech: how loud both sides must be; words end and begin 25 dB under it and more
CEILING = 0.9  # of the peak: a run of equal samples up there was clipped
FRAME = 0.004  # seconds, for gaps that are no longer equal samples
FALL = 45.0  # dB under the speech
QUIETER = 10.0  # dB under the quiet moments of the clip
REPEAT = 0.1  # seconds: the longest packet that is played again
REPEAT_RUN = 0.008  # seconds that must be equal
TAPS = 24  # samples that are equal by chance in no speech
MOSTLY = 0.2  # share of the clip: where more of it repeats, it is a tone


def longest(samples: Samples, rate: int, speech: Spans) -> float | None:
    """The longest gap inside words in milliseconds, 0 where there is none; None without speech.

    Spans are half-open, in samples of the clip.
    """
    sound = np.nan_to_num(np.ravel(samples).astype(np.float64))
    inside = [sound[max(0, start) : max(0, end)] for start, end in speech]
    spoken = np.concatenate([sound[:0], *inside])
    level = float(np.mean(spoken**2)) if len(spoken) else 0.0
    if not level > 0 or rate <= 0:
        return None
    gaps = [*_equal(sound, rate, level), *_hushed(sound, rate, level), *_repeated(sound, rate, level)]
    return max((end - start for start, end in gaps), default=0) * 1000 / rate


def _equal(sound: NDArray[np.float64], rate: int, level: float) -> Spans:
    """Runs of one value between loud sounds."""
    runs = _runs(np.diff(sound) == 0, round(SHORTEST * rate))
    top = CEILING * float(np.abs(sound).max())
    found = [(start, end + 1) for start, end in runs if abs(sound[start]) < top]
    return [gap for gap in found if _between_words(sound, gap, rate, level)]


def _hushed(sound: NDArray[np.float64], rate: int, level: float) -> Spans:
    """Stretches quieter than the room between loud sounds."""
    size = max(1, round(FRAME * rate) // 2)
    count = len(sound) // size
    if count < 8:
        return []
    power = (sound[: count * size].reshape(-1, size) ** 2).mean(axis=1) / level
    room = float(np.quantile(power, 0.05))
    quiet = power < min(10 ** (-FALL / 10), room * 10 ** (-QUIETER / 10))
    gaps = [(start * size, end * size) for start, end in _runs(quiet, round(2 * SHORTEST * rate / size))]
    return [gap for gap in gaps if _between_words(sound, gap, rate, level, slack=size)]


def _between_words(
    sound: NDArray[np.float64], gap: tuple[int, int], rate: int, level: float, slack: int = 0
) -> bool:
    """Whether speech sounds right before and right after a gap, which is no longer than one can be."""
    start, end = gap
    width, least = round(EDGE * rate), level * 10 ** (-LOUD / 10)
    before, after = sound[max(0, start - slack - width) : start], sound[end : end + slack + width]
    if end - start > LONGEST * rate or len(before) < width or len(after) < width:
        return False
    return bool(np.var(before) >= least and np.var(after) >= least)


def _repeated(sound: NDArray[np.float64], rate: int, level: float) -> Spans:
    """Loud stretches that equal the ones just before them to the last bit, as when a packet is played again."""
    if len(sound) < 4 * TAPS:
        return []
    whole = np.rint(sound * 2**23).astype(np.int64)
    weights = np.random.default_rng(0).integers(1, 2**40, TAPS) | 1
    number = np.zeros(len(whole) - TAPS + 1, np.int64)  # of the samples from each place on; wraps around
    for tap, weight in enumerate(weights.tolist()):
        number += whole[tap : len(number) + tap] * weight
    chosen = np.flatnonzero((number >> 20) & 15 == 0)  # a sixteenth, by content: the same of both copies
    order = chosen[np.argsort(number[chosen], kind="stable")]
    apart = np.diff(order)
    twins = (np.diff(number[order]) == 0) & (apart <= REPEAT * rate) & (apart > TAPS)
    lags = np.unique(apart[twins])
    found: Spans = []
    for lag in lags[:64].tolist():
        same = sound[lag:] == sound[:-lag]
        runs = [(a + lag, b + lag) for a, b in _runs(same, round(REPEAT_RUN * rate))]
        found += [run for run in runs if np.var(sound[run[0] : run[1]]) >= level * 10 ** (-LOUD / 10)]
    covered = sum(end - start for start, end in found)
    return [] if covered > MOSTLY * len(sound) else found


def _runs(flags: Flags, least: int) -> Spans:
    """Half-open stretches of at least so many true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(a, b) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True) if b - a >= max(1, least)]
