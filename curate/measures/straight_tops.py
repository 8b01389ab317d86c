"""Straight tops: clipping that was resampled, filtered or coded since, so that its tops are flat no longer.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE as STRAIGHT_RATE
from curate.measures.half_waves import LOUDEST_LOBES, HalfWaves, half_waves, high_peak, maxima, ordered_at
from curate.measures.runs import Flags, flag_runs, joined
from curate.measures.spectra import Samples

# Straight tops, see `share`: how straight, less so many times what softer waves are; and how steady. Tuned on
# Korean, on telephone prompts in two languages and on words in six, clipped at +6..+18 dB, then resampled, high-passed
# or coded, against 1,240 clean, compressed and limited ones, which all stay under these.
USUAL = 1.2  # times how straight softer waves are
STRAIGHT, STEADY, STEADY_SHARE = 0.037, 0.37, 0.02
# or as straight as this, so many times as straight as softer waves, in speech that else bends well (by steadiness)
BENDING_STRAIGHT, BENDING_TIMES, BENDING = 0.058, 2.2, 0.3
# Once a high-pass is taken back, by so many Hz / frequency (see `_turned_back`), tops must be as straight as this, and
# USUAL times as straight as softer waves, and as steady as that. Looked at first: so many of the loudest frames, with
# so many seconds around them, and whether they are as straight as TURNED_LOUDEST. Tuned on Italian and Russian prompts,
# Dutch actors and Khmer, clipped by 6 to 12 dB, against 4,400 clean, compressed and limited copies.
TURNED_BY, TURNED_STRAIGHT, TURNED_STEADY = 320.0, 0.11, 0.15
TURNED_LOUDEST, TURNED_FRAMES, TURNED_AROUND = 0.08, 25, 0.01
# Under 16 kHz, where few samples make a top: as straight as the first (compressed reach 0.081), or in place of STRAIGHT
# the second (of 2,400 clean, compressed and limited copies at 8 kHz, none is as straight as 0.033).
COARSE, COARSE_STRAIGHT = 0.09, 0.045
# The glottis of some closes at the end of a ramp, which is straight to the top and lies on one side of zero (telephone
# prompts of one speaker). Where most of what is straight in the loudest half-waves, in runs of so many samples, rises
# or falls by more than this share of the top, and so much less lies on the other side, this much must be straight.
RAMP_RUN, RAMP_SLOPE, ONE_SIDED, RAMP_STRAIGHT = 3, 0.06, 0.05, 0.11
EVEN_PEAKS, EVEN_LEVEL = 2.6, 1.95  # of the highest sample, and of the level that one in 1000 passes
# Words with long pauses, or of which only some were clipped, have peaks less even than that: more is asked of them.
UNEVEN, UNEVEN_STRAIGHT, UNEVEN_STEADY = 1.35, 0.055, 0.45  # as far beyond the two bounds above
# Low voices of sharp pulses have slopes that are about as straight (0.37 to 0.47), though no top is: where no top is
# straight, and peaks are hardly even, slopes must be straighter than that.
HARDLY_EVEN, SLOPES_STEADY = 0.85, 0.5
SOFTER_LOBES = (0.3, 0.6)  # of the peak that 2 % of half-waves pass
SOFTER, LOUDER = 0.2, 1.5  # of the ceiling; a buzz is as straight where it is softer, what was clipped is not
TURNED_RATE = 2000  # Hz: at a lower rate there is nothing well over the frequencies that are turned
ROW = 64  # samples turned by one product
FORGOTTEN = 1e-8  # of a state: what is less is nothing
PARTS = 4  # in which waves are looked at until there is enough
STRAIGHT_TOP, STRAIGHT_BEND = 0.7, 0.1  # of a half-wave's peak; of its sharpest bend
SLOPE = 2.2  # a line that goes on as long again below the top is a slope, as a sawtooth has
LOUD_LOBES = 0.6  # of the peak that 2 % of half-waves pass
PEAK_FRAME = 0.02  # seconds
STRICT, LOOSE = (0.05, 4), (0.15, 6)  # bends that count as none, of the sharpest within 5 ms; samples of a run
AROUND = 0.005  # seconds


def share(sound: Samples, rate: int) -> float:
    """The share of samples in straight tops, where a clip looks clipped although its tops are no longer flat.

    Resampling, a high-pass or a codec tilt and ripple a flat top, so that no two samples are equal. It stays straight
    between two bends (`_straight_runs`, `_steadiness`). A limiter makes peaks as even as clipping does, but leaves them
    round; so both are asked for: what is straight, and a ceiling close to the peaks of 20 ms frames. The further the
    ceiling is from them, the straighter the tops must be.
    """
    sound = sound - (sound.mean() if len(sound) else 0.0)  # a few samples at a high rate are none at this one
    level = np.abs(sound)
    peaks = _peaks(level, rate)
    even = math.sqrt(float(peaks @ peaks) / len(peaks)) if len(peaks) else 0.0
    highest = float(level.max(initial=0.0))
    if highest >= UNEVEN * EVEN_PEAKS * even:
        return 0.0
    ceiling = _ceiling(level, peaks)
    spread = max(highest / EVEN_PEAKS, ceiling / EVEN_LEVEL)
    if spread >= UNEVEN * even:
        return 0.0
    least, least_steady = (STRAIGHT, STEADY) if spread < even else (UNEVEN_STRAIGHT, UNEVEN_STEADY)
    tops = _tops(sound, level)
    coarse = rate < STRAIGHT_RATE
    least = max(least, COARSE_STRAIGHT) if coarse else least
    straight = tops.straightness(LOUDEST_LOBES, beyond=least)
    # most clean speech is less straight than is asked for, whatever softer waves are: they need not be looked at, and
    # else no more of them than are as straight as is asked for
    bends = not coarse and spread < even and straight > BENDING_STRAIGHT
    asked = max((straight - least) / USUAL, straight / BENDING_TIMES if bends else 0.0)
    softer = tops.straightness(*SOFTER_LOBES, until=asked) if straight > least else math.inf
    enough = straight - USUAL * softer > least or (coarse and straight > COARSE)
    bending = not enough and bends and straight > BENDING_TIMES * softer
    if (enough or bending) and straight <= RAMP_STRAIGHT and tops.ramps(LOUDEST_LOBES):
        enough = bending = False
    if straight <= least and spread > HARDLY_EVEN * even:
        least_steady = max(least_steady, SLOPES_STEADY)
    steady, held = _steadiness(sound, level, ceiling, rate, least_steady, asked=bending)
    enough = enough or (bending and steady < BENDING)
    share = max(held, tops.share(LOUD_LOBES)) if enough else held
    return share if share > 0 or rate < TURNED_RATE else _turned_share(sound, level, peaks, ceiling, rate)


def _turned_share(sound: Samples, level: Samples, peaks: Samples, ceiling: float, rate: int) -> float:
    """The share of samples in straight tops once the shift of a high-pass is taken back (see `_turned_back`).

    Asked of the loudest moments first: nearly all clean speech is done with that.
    """
    many = min(TURNED_FRAMES, len(peaks))
    least = max(LOUDEST_LOBES * ceiling, float(np.partition(peaks, -many)[-many]))
    parts = _surroundings(np.flatnonzero(level >= least), round(TURNED_AROUND * rate))
    loudest = _turned_back(np.concatenate([sound[part] for part in parts]), rate)
    if _tops(loudest, np.abs(loudest)).straightness(LOUDEST_LOBES, beyond=TURNED_LOUDEST) <= TURNED_LOUDEST:
        return 0.0
    sound = _turned_back(sound, rate)
    level = np.abs(sound)
    tops = _tops(sound, level)
    straight = tops.straightness(LOUDEST_LOBES)
    if straight <= TURNED_STRAIGHT or straight <= USUAL * tops.straightness(*SOFTER_LOBES):
        return 0.0
    steady, _ = _steadiness(sound, level, _ceiling(level, _peaks(level, rate)), rate, 0.0, asked=True)
    return tops.share(LOUD_LOBES) if steady > TURNED_STEADY else 0.0


def _turned_back(sound: Samples, rate: int) -> Samples:
    """With low sounds as late again as they were before a high-pass.

    One of order n with its corner at f puts forward what lies well over f by f / (frequency * sin(pi / 2n)) rad: by 113
    to 309 Hz / frequency at 80 Hz and order 2 to 6. An all-pass of order 1 does nearly the same, by twice its corner;
    run from the end it does the opposite. It is a product of matrices, as the filters of loudness are.
    """
    through, state, decay = _all_pass(rate)
    whole, rest = divmod(len(sound), ROW)
    given = np.zeros((whole + 1, ROW + 1), np.float32)  # rows of samples, and the state after each
    given[:whole, :ROW] = sound[: whole * ROW].reshape(-1, ROW)
    given[whole, :rest] = sound[whole * ROW :]
    states = given[:, :ROW] @ state
    given[:-1, ROW] = np.convolve(states[::-1], decay)[:whole][::-1]
    return np.asarray((given @ through).reshape(-1)[: len(sound)])


@functools.cache
def _all_pass(rate: int) -> tuple[Samples, Samples, Samples]:
    """That of `_turned_back`, run from the end.

    (row + 1, row): a row and the state after it in, the turned row out; (row,): the state that a row alone leaves
    before it; and what of a state is left so many rows before.
    """
    slope = math.tan(math.pi * TURNED_BY / 2 / rate)
    pole = (1 - slope) / (1 + slope)
    ahead = np.arange(ROW + 1)[:, None] - np.arange(ROW)
    through = np.where(ahead > 0, (pole * pole - 1) * pole ** (ahead - 1.0), np.where(ahead, 0, pole))
    rows = math.ceil(math.log(FORGOTTEN) / math.log(pole) / ROW)
    parts = through, pole ** np.arange(ROW), pole ** (ROW * np.arange(rows + 1))
    return parts[0].astype(np.float32), parts[1].astype(np.float32), parts[2].astype(np.float32)


def _peaks(level: Samples, rate: int) -> Samples:
    """The highest level of each whole frame; as integers, see `maxima`."""
    size = max(1, round(PEAK_FRAME * rate))
    return np.asarray(level[: len(level) // size * size].view(np.int32).reshape(-1, size).max(axis=1).view(np.float32))


class Tops(NamedTuple):
    """What is asked of a sound's tops: its half-waves that are loud enough, and the peak that 2 % of all pass."""

    sound: Samples
    waves: HalfWaves
    most: float

    def straightness(
        self, least: float, under: float = math.inf, *, beyond: float = 0.0, until: float = math.inf
    ) -> float:
        """How much is straight of the half-waves whose peak lies in least..under of `most` (see `_straight_runs`).

        What is no more than `beyond` may be 0, and what is `until` or more may be anything from there on.
        """
        waves = self.waves.between(least * self.most, under * self.most)
        total, found = max(1, int(waves.lengths.sum())), 0
        parts = PARTS if until < math.inf else 1
        for part in range(parts):
            found += _straight_runs(self.sound, waves.every(part, parts), beyond * total).longest()
            if found / total >= until:
                break
        return found / total

    def share(self, least: float) -> float:
        """The share of samples that are straight in half-waves whose peak is at least so much of `most`."""
        runs = _straight_runs(self.sound, self.waves.between(least * self.most))
        return runs.longest() / len(self.sound)

    def ramps(self, least: float) -> bool:
        """Whether what is straight in half-waves whose peak is at least so much of `most` slopes, on one side only."""
        waves = self.waves.between(least * self.most)
        runs = _straight_runs(self.sound, waves)
        long = runs.lengths >= RAMP_RUN
        wave, start, length = (each[long] for each in runs)
        if not len(length):
            return False
        above = int(length[self.sound[start] > 0].sum())
        below = int(length.sum()) - above
        slopes = np.abs(self.sound[start + length - 1] - self.sound[start]) / waves.tops[wave]
        sloping = int(length[slopes > RAMP_SLOPE].sum())
        return 2 * sloping > above + below and min(above, below) < ONE_SIDED * max(above, below)


def _tops(sound: Samples, level: Samples) -> Tops:
    """Of a sound and the size of each of its samples."""
    waves = half_waves(sound, level)
    most = high_peak(waves.tops)
    return Tops(sound, waves.between(SOFTER_LOBES[0] * most), most)


def _ceiling(level: Samples, peaks: Samples) -> float:
    """The level that one sample in 1000 passes; sought among those as high as that many of the frames' peaks."""
    place = 0.999 * (len(level) - 1)
    low = int(place)
    many = len(level) - low  # the one at `low` and all over it
    if many > len(peaks):
        return float(np.quantile(level, 0.999))
    high = level[level >= np.partition(peaks, len(peaks) - many)[len(peaks) - many]]
    return ordered_at(high, place - (len(level) - len(high)))


def _steadiness(
    sound: Samples, level: Samples, ceiling: float, rate: int, least: float, *, asked: bool
) -> tuple[float, float]:
    """How much of what is straight by a loose bound is so by a strict one, and the share of samples that is.

    A steep high-pass turns flat tops into slopes, so height says nothing here. Where speech happens to bend little, it
    does so for a moment, and a third of the bound leaves a third of the samples or less. What was flat stays straight
    by any bound. Where too little is straight by the strict one, or no more than `least` of what is by the loose one,
    the share is 0, and also where softer sound is about as straight as loud: a synthetic buzz has the same shape at any
    level. Where too little is straight, as in nearly all clean speech, steadiness is found only where it is `asked`
    for, and else 0.
    """
    around = round(AROUND * rate)
    reach = 2 * around + 1
    high = np.flatnonzero(level >= LOUD_LOBES * ceiling)
    loud = np.zeros(len(level), np.bool_)
    for part in _surroundings(high, reach - 1):
        loud[part] = True
    parts = _surroundings(high, 3 * around + LOOSE[1] + 1)  # all that decides about loud samples
    near = _bends(np.concatenate([sound[:0], *(sound[part] for part in parts)]))
    inside = np.concatenate([loud[:0], *(loud[part] for part in parts)])
    sharpest = _highest(near, reach)
    held, size = int(np.count_nonzero(_straight(near, sharpest, *STRICT) & inside)), int(np.count_nonzero(inside))
    some = held > STEADY_SHARE * max(1, size)
    if not some and not asked:
        return 0.0, 0.0
    steady = held / max(1, int(np.count_nonzero(_straight(near, sharpest, *LOOSE) & inside)))
    if not some or steady <= least:
        return steady, 0.0
    quieter = _highest(level >= SOFTER * ceiling, 2 * reach - 1) & ~loud
    bend = _bends(sound)
    straight = _straight(bend, _highest(bend, reach), *STRICT)
    softer = int(np.count_nonzero(straight & quieter)) / max(1, int(np.count_nonzero(quieter)))
    return steady, held / len(level) if held > LOUDER * softer * size else 0.0


def _straight(bend: Samples, sharpest: Samples, most: float, least: int) -> Flags:
    """Which samples lie in a stretch of at least `least` that all bend under `most` of `sharpest`."""
    flags = np.zeros(len(bend) + 2 * (least - 1), np.bool_)
    np.less(bend, np.float32(most) * sharpest, out=flags[least - 1 : least - 1 + len(bend)])
    return joined(np.logical_or, joined(np.logical_and, flags, least), least)


def _surroundings(at: NDArray[np.int64], reach: int) -> list[slice]:
    """The parts of a sound within `reach` samples of these places, which are in order."""
    gaps = np.flatnonzero(at[1:] - at[:-1] > 2 * reach)
    first, last = np.concatenate([at[:1], at[gaps + 1]]), np.concatenate([at[gaps], at[-1:]])
    return [slice(max(0, a - reach), b + reach + 1) for a, b in zip(first.tolist(), last.tolist(), strict=True)]


def _bends(sound: Samples) -> Samples:
    """The size of each sample's second difference; 0 at both ends."""
    bend = np.empty_like(sound)
    bend[:1], bend[-1:] = 0, 0
    if len(sound) > 2:
        steps = sound[1:] - sound[:-1]
        inner = np.subtract(steps[1:], steps[:-1], out=bend[1:-1])
        np.abs(inner, out=inner)
    return bend


def _highest(values: NDArray[Any], width: int) -> NDArray[Any]:
    """The highest of `width` values (odd) around each."""
    half = width // 2
    padded = np.zeros(len(values) + 2 * half, values.dtype)
    padded[half : half + len(values)] = values
    return joined(np.maximum, padded, width)


class Runs(NamedTuple):
    """Straight runs of samples: the number of the half-wave that each lies in, where it starts, and its length."""

    waves: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def longest(self) -> int:
        """How many samples the longest run of each half-wave holds, in all."""
        if not len(self.waves):
            return 0
        firsts = np.flatnonzero(np.concatenate([[True], self.waves[1:] != self.waves[:-1]]))
        return int(np.maximum.reduceat(self.lengths, firsts).sum())


NO_RUNS = Runs(*(np.zeros(0, np.int64) for _ in range(3)))


def _straight_runs(sound: Samples, waves: HalfWaves, beyond: float = 0.0) -> Runs:
    """Runs of samples near the top of a half-wave and without a bend that end near the top too.

    Without a bend: the second difference stays under a tenth of the half-wave's largest. A sine bends most at its top.
    No runs are looked for where they cannot hold more than `beyond` samples.
    """
    if not len(waves.lengths):
        return NO_RUNS
    lengths = waves.lengths + 2  # with the sample before each half-wave and the one after it, where every run ends
    after = lengths.cumsum() - 1
    before = after - waves.lengths - 1
    moved = waves.starts - 1 - before
    some = sound.take(moved.repeat(lengths) + np.arange(after[-1] + 1), mode="clip")
    bend = _bends(some)
    bend[before], bend[after] = 0, 0
    if waves.starts[0] == 0:
        bend[1] = 0
    if waves.starts[-1] + waves.lengths[-1] == len(sound):
        bend[-2] = 0
    even = bend < (np.float32(STRAIGHT_BEND) * maxima(bend, before)).repeat(lengths)
    even[before], even[after] = False, False
    top = even & (np.abs(some, out=some) >= (np.float32(STRAIGHT_TOP) * waves.tops).repeat(lengths))
    if np.count_nonzero(top) <= beyond:
        return NO_RUNS
    (even_starts, even_lengths), (top_starts, top_lengths) = flag_runs(even), flag_runs(top)
    around = even_starts.searchsorted(top_starts, "right") - 1
    ends_there = even_lengths[around] <= SLOPE * top_lengths
    starts = top_starts[ends_there]
    wave = before.searchsorted(starts, "right") - 1
    return Runs(wave, starts + moved[wave], top_lengths[ends_there])
