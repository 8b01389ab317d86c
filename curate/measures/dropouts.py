"""Samples that were lost: gaps inside words, as of a lost packet, a full buffer or a bad cable.

Three things happen to lost samples. They become zeros, or hold the last value: a run of equal samples with speech right
before and right after it. Or the last packet is played again: a stretch equal, to the last bit, to the one before.
And after resampling, a filter or a codec the zeros are no longer equal, but quieter than the room itself is, or still
a hole that the sound falls into and comes out of faster than a voice can.

Silence that a gate, a codec or an editor puts into pauses is none of these: there the speech has died away before.
What happens many times a second is done to the sound on purpose, or it is how a synthesiser speaks.
"""

from __future__ import annotations

import bisect
import functools
import math

import numpy as np
from numpy.typing import NDArray

from curate.measures.half_waves import Flags, flag_runs, joined
from curate.measures.spectra import Samples, finite, quantiles

VERSION = 6  # raise it when an answer changes: it enters the fingerprint

Spans = list[tuple[int, int]]
Edges = tuple[NDArray[np.int64], NDArray[np.int64]]

# Seconds of a gap by its edges' loudness alone: shorter ones may be the tops of clipped waves, longer ones are cuts.
SHORTEST, LONGEST = 0.004, 1.0
EDGE = 0.004  # seconds beside a gap in which speech must sound
# dB under the speech: how loud one side must be, and the other; words end and begin 25 dB under it and more.
LOUD, AUDIBLE = 12.0, 20.0
CEILING = 0.9  # of the peak: a run of equal samples up there was clipped
# A gap of less than 4 ms: zeros (or what an offset made of them) that the sound jumps into or out of.
BRIEFEST = 0.001  # seconds
ZERO = 20.0  # dB under the speech: the most that its value may be
JUMP = 15.0  # dB under the speech: the larger step at its edges, and how far the sound swings to either side of it
RIGHT_BESIDE = 0.001  # seconds in which the sound must be loud: a gate shuts after it has become quiet
STILL_LOUD = 14.0  # dB under the speech
NEAR = 0.02  # seconds in which samples must lie closer to a run's value than the step at its edge
CLOSER = 10.0  # dB: a gate for each sample, or a coarse quantiser, has none there
OFTEN = 3.0  # a second of speech: what comes more often is no loss
# Gaps that are no longer equal samples.
FRAME = 0.004  # seconds
FALL = 45.0  # dB under the loudest fifth of the frames
QUIETER = 10.0  # dB under the quiet moments of the clip
DEEP = 55.0  # dB under the loudest: no sound falls so far within 4 ms, however silent the room
# A hole, in the sound and in its steps at once: a voice's own damping fells low or high sounds so fast, not both.
FINE = 0.0005  # seconds of a frame
BESIDE = 4  # frames before and after an edge that are compared; the one between them may hold both
CLIFF = 26.0  # dB between them; of 10,000 clean clips one falls and rises by 24
SHORTEST_HOLE, LONGEST_HOLE = 0.0035, 0.06  # seconds; stops are mostly longer
HOLLOW = 15.0  # dB under its edges: the loudest frame inside
FARTHER, APART = 0.008, 0.003  # seconds in which there must be sound, and how far off: a lone glottal pulse has none
REPEAT = 0.1  # seconds: the longest packet that is played again
REPEAT_RUN = 0.008  # seconds that must be equal
TAPS = 12  # samples that are equal by chance in no speech
LOOKED_AT = 16_000  # Hz: at a higher rate the same number of places a second is looked at
LAGS = 8  # distances between a packet and its copy that are looked at, the most common first
MOVING = 40.0  # dB under the speech: a place where the sound moves by less within TAPS is not looked at
MOSTLY = 0.2  # share of the clip: where more of it repeats, it is a tone
FEW = 8  # gaps are asked one by one
WORD = np.uint64(0x0101010101010101)  # eight true flags


def longest(samples: Samples, rate: int, speech: Spans) -> float | None:
    """The longest gap inside words in milliseconds, 0 where there is none; None without speech.

    Spans are half-open, in samples of the clip.
    """
    sound = finite(samples)
    inside = [sound[max(0, start) : max(0, end)] for start, end in speech]
    spoken = sum(map(len, inside))
    level = sum(float(each @ each) for each in inside) / max(1, spoken)
    if not level > 0 or rate <= 0:
        return None
    steps = np.empty_like(sound)
    steps[0] = 0
    np.subtract(sound[1:], sound[:-1], out=steps[1:])
    runs = _edges(sound[1:] == sound[:-1], max(4, int(BRIEFEST * rate) - 1))
    fine = _energies(sound, max(2, round(FINE * rate)))
    hushed, holes = (
        [gap for gap in each(sound, steps, fine, rate, level) if _moves(sound, gap)] for each in (_hushed, _holes)
    )
    gaps = [*_equal(sound, runs, fine, rate, level), *hushed, *_repeated(sound, rate, level)]
    for found in (_brief(sound, runs, rate, level), holes):
        gaps += found if len(found) <= max(1, OFTEN * spoken / rate) else []
    return max((end - start for start, end in gaps), default=0) * 1000 / rate


def _equal(sound: Samples, runs: Edges, fine: Samples, rate: int, level: float) -> Spans:
    """Runs of one value between loud sounds; `runs`: the first sample of each and its last."""
    starts, ends = runs[0], runs[1] + 1
    long = ends - starts >= round(SHORTEST * rate)
    if not long.any():
        return []
    bottom, top = CEILING * min(0.0, float(sound.min())), CEILING * max(0.0, float(sound.max()))
    found = _maybe_between_words((starts[long], ends[long]), fine, len(sound), rate, level)
    loud = (gap for gap in found if bottom < sound[gap[0]] < top and _between_words(sound, gap, rate, level))
    return [gap for gap in loud if max(_jumps(sound, gap)) >= 10 ** (CLOSER / 20) * _finest(sound, gap, rate)]


def _moves(sound: Samples, gap: tuple[int, int]) -> bool:
    """Whether a gap is more than a run of one value, which `_equal` and `_brief` have looked at."""
    part = sound[gap[0] : gap[1]]
    return bool(part.min() < part.max())


def _jumps(sound: Samples, gap: tuple[int, int]) -> tuple[float, float]:
    """How far the sound jumps into a run of one value, and out of it."""
    before, at, after = sound[max(0, gap[0] - 1)], sound[gap[0]], sound[min(gap[1], len(sound) - 1)]
    return abs(float(before - at)), abs(float(after - at))


def _finest(sound: Samples, gap: tuple[int, int], rate: int) -> float:
    """How close to the value of a run the nearest other sample within 20 ms lies: a coarse quantiser has none near."""
    near = round(NEAR * rate)
    around = np.abs(sound[max(0, gap[0] - near) : gap[1] + near] - sound[gap[0]])
    return float(around[around > 0].min(initial=np.inf))


def _brief(sound: Samples, runs: Edges, rate: int, level: float) -> Spans:
    """Short runs of zeros that a loud sound, which swings to both sides of them, jumps into and out of."""
    side = round(EDGE * rate)
    starts, ends = runs[0], runs[1] + 1
    here = (starts >= side) & (ends <= len(sound) - side) & (ends - starts < SHORTEST * rate)
    if not here.any():
        return []
    starts, ends = starts[here], ends[here]
    value = sound[starts]
    jumps = np.maximum(np.abs(sound[starts - 1] - value), np.abs(sound[ends] - value))
    chosen = (jumps**2 >= level * 10 ** (-JUMP / 10)) & (value**2 <= level * 10 ** (-ZERO / 10))
    gaps = zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True)
    return [gap for gap in gaps if _between_words(sound, gap, rate, level) and _cut_out(sound, gap, rate, level)]


def _cut_out(sound: Samples, gap: tuple[int, int], rate: int, level: float) -> bool:
    """Whether zeros were put in place of samples: neither a gate nor the top or the middle of a wave."""
    (start, end), value = gap, sound[gap[0]]
    side, beside = round(EDGE * rate), max(4, round(RIGHT_BESIDE * rate))
    before, after = sound[start - side : start] - value, sound[end : end + side] - value
    swing = min(max(before.max(), after.max()), -min(before.min(), after.min()))
    loudness = min(np.mean(before[-beside:] ** 2), np.mean(after[:beside] ** 2))
    step = min(_jumps(sound, gap))
    return bool(
        swing >= level**0.5 * 10 ** (-JUMP / 20)
        and loudness >= level * 10 ** (-STILL_LOUD / 10)
        and step >= 10 ** (CLOSER / 20) * _finest(sound, gap, rate)
    )


def _hushed(sound: Samples, steps: Samples, fine: Samples, rate: int, level: float) -> Spans:
    """Stretches quieter than the room between loud sounds."""
    size = max(1, round(FRAME * rate) // 2)
    count = len(sound) // size
    if count < 8:
        return []
    frames = steps[: count * size].reshape(-1, size)  # a high-pass leaves a slow wave in a gap
    power = np.einsum("fs,fs->f", frames, frames)
    room, loud = quantiles(power, (0.05, 0.8))
    quiet = power < max(1e-30, float(loud)) * 10 ** (-FALL / 10)
    quiet &= power < max(float(room) * 10 ** (-QUIETER / 10), float(loud) * 10 ** (-DEEP / 10))
    if not quiet.any():
        return []
    starts, ends = _edges(quiet, round(2 * SHORTEST * rate / size))
    gaps = _maybe_between_words((starts * size, ends * size), fine, len(sound), rate, level, slack=size)
    return [gap for gap in gaps if _between_words(sound, gap, rate, level, slack=size)]


def _holes(sound: Samples, steps: Samples, fine: Samples, rate: int, level: float) -> Spans:
    """Stretches that the energies of a sound and of its steps fall into and rise out of at once."""
    size, cliff = max(2, round(FINE * rate)), 10 ** (CLIFF / 10)
    apart, far = round(APART / FINE), round((APART + FARTHER) / FINE)
    if len(sound) < 4 * BESIDE * size:
        return []
    power = fine[: len(sound) // size]
    before, after = _beside(power)
    loud = BESIDE * size * level * 10 ** (-LOUD / 10)
    falls, rises = before >= cliff * after, after >= cliff * before
    falls &= before >= loud
    rises &= after >= loud
    if not falls.any() or not rises.any():
        return []
    steps_before, steps_after = _beside(_energies(steps, size)[: len(power)])
    rising = _runs(rises & (steps_after >= cliff * steps_before), 1)
    found: Spans = []
    for fall, _ in _runs(falls & (steps_before >= cliff * steps_after), 1):
        following = bisect.bisect(rising, (fall, len(power)))
        if following == len(rising):
            break
        rise = rising[following][1] - 1
        start, end = fall + BESIDE + 1, rise + BESIDE
        if not SHORTEST_HOLE <= (end - start) * size / rate <= LONGEST_HOLE:
            continue
        if start < far or end + far > len(power):
            continue
        farther = power[start - far : start - apart], power[end + apart : end + far]
        inside = power[start + 1 : end - 1].max()
        if inside <= min(before[fall], after[rise]) / BESIDE * 10 ** (-HOLLOW / 10) and min(
            map(np.mean, farther)
        ) >= size * level * 10 ** (-AUDIBLE / 10):
            found.append((start * size, end * size))
    return found


def _energies(row: Samples, size: int) -> Samples:
    """The energy of each frame, and of what is left after the last whole one."""
    whole = len(row) // size * size
    energies = np.empty(whole // size + 1, np.float32)
    squares = np.square(row[:whole]).reshape(-1, size)
    np.matmul(squares, np.ones(size, np.float32), out=energies[:-1])
    energies[-1] = row[whole:] @ row[whole:]
    return energies


def _beside(power: Samples) -> tuple[Samples, Samples]:
    """The energy of the BESIDE frames before each that has as many on both sides; and after it."""
    sums = functools.reduce(np.add, [power[at : len(power) + 1 + at - BESIDE] for at in range(BESIDE)])
    return sums[: -BESIDE - 1], sums[BESIDE + 1 :]


def _maybe_between_words(
    gaps: Edges, fine: Samples, length: int, rate: int, level: float, slack: int = 0
) -> list[tuple[int, int]]:
    """The gaps without those that `_between_words` refuses for sure: frames that hold their sides are too soft.

    In digital silence there are thousands; a few are all given back. `fine`: energies of frames of FINE, of a sound of
    that length.
    """
    starts, ends = gaps
    if len(starts) <= FEW:
        return list(zip(starts.tolist(), ends.tolist(), strict=True))
    size, width = max(2, round(FINE * rate)), round(EDGE * rate)
    sums = np.concatenate([[0.0], fine.cumsum(dtype=np.float64)])
    firsts = (np.maximum(starts - slack - width, 0), ends)
    lasts = (starts, np.minimum(ends + slack + width, length))
    before, after = (sums[-(-last // size)] - sums[first // size] for first, last in zip(firsts, lasts, strict=True))
    least = 0.999 * width * level  # float32 rounds
    loud = np.maximum(before, after) >= least * 10 ** (-LOUD / 10)
    loud &= np.minimum(before, after) >= least * 10 ** (-AUDIBLE / 10)
    return list(zip(starts[loud].tolist(), ends[loud].tolist(), strict=True))


def _between_words(sound: Samples, gap: tuple[int, int], rate: int, level: float, slack: int = 0) -> bool:
    """Whether speech sounds right before and right after a gap, which is no longer than one can be."""
    start, end = gap
    width = round(EDGE * rate)
    before, after = sound[max(0, start - slack - width) : start], sound[end : end + slack + width]
    if end - start > LONGEST * rate or len(before) < width or len(after) < width:
        return False
    weaker, louder = sorted((_variance(before), _variance(after)))
    return bool(louder >= level * 10 ** (-LOUD / 10) and weaker >= level * 10 ** (-AUDIBLE / 10))


def _variance(part: Samples) -> float:
    """As np.var, which takes three times that for so few samples."""
    moved = part - part.mean()
    return float(moved @ moved) / len(part)


def _repeated(sound: Samples, rate: int, level: float) -> Spans:
    """Loud stretches that equal the ones just before them to the last bit, as when a packet is played again."""
    if len(sound) < 4 * TAPS:
        return []
    found: Spans = []
    least = level * 10 ** (-LOUD / 10)
    for lag in _lags(sound, rate, level):
        equal = _equal_runs(sound[lag:], sound[:-lag], round(REPEAT_RUN * rate), least)
        found += [(a + lag, b + lag) for a, b in equal if _variance(sound[a + lag : b + lag]) >= least]
    covered = sum(end - start for start, end in found)
    return [] if covered > MOSTLY * len(sound) else found


def _lags(sound: Samples, rate: int, level: float) -> list[int]:
    """At which distances the same TAPS samples come again, the most common first."""
    bits = sound.view(np.uint32)
    pairs = bits[:-1] * np.uint32(0x9E3779B1)  # a number for every two samples
    pairs += bits[1:]
    # one in sixteen at 16 kHz, by content: the same of both copies; where nothing moves there is nothing to find
    some = min(2**28, math.ceil(2**28 * LOOKED_AT / rate))
    places = _flagged(pairs[: len(bits) - TAPS + 1] > np.uint32(2**32 - 1 - some))  # zeros are none of them
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


def _flagged(flags: Flags) -> NDArray[np.int64]:
    """Where flags are true; eight at a time are looked at first, as most of them are not."""
    eights = _eights(flags)
    some = np.flatnonzero(eights.view(np.uint64).ravel() != 0)
    at = np.flatnonzero(eights[some])
    return np.asarray(8 * some[at >> 3] + (at & 7))


def _eights(flags: Flags) -> Flags:
    """(n, 8): the flags, and at least one more that is not true."""
    rows = np.zeros((len(flags) // 8 + 1, 8), np.bool_)
    rows.ravel()[: len(flags)] = flags
    return rows


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


def _equal_runs(one: Samples, other: Samples, least: int, variance: float) -> Spans:
    """Half-open stretches of at least so many samples that are equal in two rows, but for some under that variance.

    Every eighth of `least` is looked at first: a run has eight of these in a row, and speech has not.
    """
    step = max(1, least // 8)
    found: Spans = []
    for start, end in _runs(one[::step] == other[::step], max(1, least // step)):
        low, high = max(0, (start - 1) * step), min(len(one), end * step)
        part = one[low:high]
        if (float(part.max()) - float(part.min())) ** 2 >= 4 * variance:  # no sound in that range has more
            found += [(low + a, low + b) for a, b in _runs(part == other[low:high], least)]
    return found


def _runs(flags: Flags, least: int) -> Spans:
    """Half-open stretches of at least so many true flags."""
    starts, ends = _edges(flags, least)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _edges(flags: Flags, least: int) -> Edges:
    """Where stretches of at least so many true flags start, and where they end."""
    least = max(1, least)
    if len(flags) < least:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if least >= 15:
        return _long_edges(flags, least)
    starts, lengths = flag_runs(joined(np.logical_and, flags, least))
    return starts, starts + lengths + (least - 1)


def _long_edges(flags: Flags, least: int) -> Edges:
    """The same for 15 flags and more, among which are eight that are looked at together."""
    eights = _eights(flags)
    full = eights.view(np.uint64).ravel() == WORD
    if not full.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first, count = flag_runs(full)
    starts = 8 * first - np.where(first > 0, eights[first - 1, ::-1].argmin(axis=1), 0)
    ends = 8 * (first + count) + eights[first + count].argmin(axis=1)
    long = ends - starts >= least
    return starts[long], ends[long]
