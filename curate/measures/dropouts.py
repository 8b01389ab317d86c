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
LAGS = 8  # distances between a packet and its copy that are looked at, the most common first
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
    steps = np.diff(sound, prepend=sound[:1])  # a high-pass leaves a slow wave in a gap
    power = (steps[: count * size].reshape(-1, size) ** 2).mean(axis=1)
    power /= max(1e-30, float(np.quantile(power, 0.8)))
    room = float(np.quantile(power, 0.05))
    quiet = power < min(10 ** (-FALL / 10), max(room * 10 ** (-QUIETER / 10), 10 ** (-DEEP / 10)))
    gaps = [(start * size, end * size) for start, end in _runs(quiet, round(2 * SHORTEST * rate / size))]
    return [gap for gap in gaps if _between_words(sound, gap, rate, level, slack=size)]


def _between_words(sound: NDArray[np.float64], gap: tuple[int, int], rate: int, level: float, slack: int = 0) -> bool:
    """Whether speech sounds right before and right after a gap, which is no longer than one can be."""
    start, end = gap
    width = round(EDGE * rate)
    before, after = sound[max(0, start - slack - width) : start], sound[end : end + slack + width]
    if end - start > LONGEST * rate or len(before) < width or len(after) < width:
        return False
    weaker, louder = sorted((np.var(before), np.var(after)))
    return bool(louder >= level * 10 ** (-LOUD / 10) and weaker >= level * 10 ** (-AUDIBLE / 10))


def _repeated(sound: NDArray[np.float64], rate: int, level: float) -> Spans:
    """Loud stretches that equal the ones just before them to the last bit, as when a packet is played again."""
    if len(sound) < 4 * TAPS:
        return []
    whole = np.rint(sound * 2**23).astype(np.int64)
    weights = np.random.default_rng(0).integers(1, 2**40, TAPS) | 1
    number = np.zeros(len(whole) - TAPS + 1, np.int64)  # of the samples from each place on; wraps around
    for tap, weight in enumerate(weights.tolist()):
        number += whole[tap : len(number) + tap] * weight
    # a sixteenth, by content: the same of both copies; where nothing moves there is nothing to find
    moving = np.abs(whole[TAPS // 2 :][: len(number)] - whole[: len(number)]) > 0
    chosen = np.flatnonzero(((number >> 20) & 15 == 0) & moving)
    order = chosen[np.argsort(number[chosen], kind="stable")]
    apart = np.diff(order)
    twins = (np.diff(number[order]) == 0) & (apart <= REPEAT * rate) & (apart > TAPS)
    lags, counts = np.unique(apart[twins], return_counts=True)
    found: Spans = []
    for lag in lags[np.argsort(-counts, kind="stable")[:LAGS]].tolist():
        same = sound[lag:] == sound[:-lag]
        runs = [(a + lag, b + lag) for a, b in _runs(same, round(REPEAT_RUN * rate))]
        found += [run for run in runs if np.var(sound[run[0] : run[1]]) >= level * 10 ** (-LOUD / 10)]
    covered = sum(end - start for start, end in found)
    return [] if covered > MOSTLY * len(sound) else found


def _runs(flags: Flags, least: int) -> Spans:
    """Half-open stretches of at least so many true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= max(1, least)
    return list(zip(starts[long].tolist(), ends[long].tolist(), strict=True))
