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

import numpy as np

from curate.measures import repeated_packets
from curate.measures.runs import Edges, Spans, edges, stretches
from curate.measures.spectra import Samples, finite, quantiles, variance

VERSION = 6  # raise it when an answer changes: it enters the fingerprint

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
FEW = 8  # gaps are asked one by one


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
    runs = edges(sound[1:] == sound[:-1], max(4, int(BRIEFEST * rate) - 1))
    fine = _energies(sound, max(2, round(FINE * rate)))
    hushed, holes = (
        [gap for gap in each(sound, steps, fine, rate, level) if _moves(sound, gap)] for each in (_hushed, _holes)
    )
    gaps = [*_equal(sound, runs, fine, rate, level), *hushed, *repeated_packets.find(sound, rate, level, LOUD)]
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
    starts, ends = edges(quiet, round(2 * SHORTEST * rate / size))
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
    rising = stretches(rises & (steps_after >= cliff * steps_before), 1)
    found: Spans = []
    for fall, _ in stretches(falls & (steps_before >= cliff * steps_after), 1):
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
    weaker, louder = sorted((variance(before), variance(after)))
    return bool(louder >= level * 10 ** (-LOUD / 10) and weaker >= level * 10 ** (-AUDIBLE / 10))
