"""Whether two prints are one waveform: the signs of what lies between 300 and 700 Hz, in a copy the same but for a lag.

What a second take of words has in common with the first is its spectrum; its phases are others. Those of a copy stay in
proportion, whatever its level, noise, room, coder or speed (the coherence of two signals is 1 where one is the other
filtered: Bendat & Piersol, "Random Data", 1971). Of each 2.5 ms two signs are kept, those of the real and the imaginary
part about the middle of the band: 100 bytes a second. Where a stretch of loud sound has none of the coherence that the
rest has, it is another sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.measures.alignment import Levels, Places, by_level
from curate.measures.decimation import Band, decimated
from curate.measures.spectra import Floats, Samples

Signs = NDArray[np.uint32]  # 16 samples in each, two bits a sample
Waves = NDArray[np.complex64]

RATE = 400  # complex samples per second
PRINT_RATE = 5000  # Hz, of the sound that is given
LOW = Band(1600, 705.0, 895.0, 100.0)  # at which the band is cut out
LEAD = 32  # samples of that rate: more than its filter rings before a clip and after it
CENTRE = 500  # Hz: what lies 200 Hz about it is kept, telephones included
EACH = 16  # samples in a number
FRAME, FIRST = 8, 59.2  # samples from one frame of a print to the next; to the middle of the first one
FINER = 2  # times as many places between samples are looked at
BLOCK = 40  # samples (0.1 s) that are compared at once where the speed is looked for
MOST_BLOCKS = 16
SPEEDS = np.arange(-0.024, 0.0241, 0.004)  # what landmarks may be off
CHOICES = 4  # of these that are looked at more closely
FAR = 10  # samples (25 ms) about the offset
SURE = 0.5  # as coherent as this at the speed given: no other is tried
CERTAIN = 0.55  # as coherent as this in every stretch there is no other word
LOUD = 6  # levels (12 dB) under the loud frames: where coherence is asked for
WEIGHTLESS = 11  # levels (22 dB) down to which a frame counts
FEWEST = 3  # loud blocks without which nothing is told
SOFTEST, LEAST_WEIGHT = 15, 0.02
# Coherence over all that a copy has, at one speed (to 0.6 %) and at others: takes have up to 0.34, copies in a room
# 0.38 and more, at another speed besides and coded 0.34 and more. Bits of takes that are more coherent than 0.3 agree
# by less than 0.5, those of copies in a room by 0.6 and more.
SAME_SPEED, WELL, COPY, COPY_ELSE = 0.006, 0.55, 0.39, 0.35
# The share of loud stretches without any: copies have up to 0.11, takes 0.19 and more.
NONE, MOST_NONE = 0.22, 0.15
# Another word: so many stretches, 25 ms apart, that are less coherent than this where the rest is wholly coherent, and
# by so much less for what the rest lacks. 0.2 s tell where the rest is nearly the same waveform, else it takes 0.28 s.
WORDS = ((3, 0.42, 1.5), (6, 0.43, 0.6))
CLEAR = 0.7  # as coherent as this, what is loud in one clip alone tells too
BESIDE, ENOUGH = 6, 9  # stretches beside it that are not asked; how many others there must be
LONG, SHORT, STEP = 120, 60, 10  # samples of a stretch that tells a copy, of one that may be another word; between two


class Wave(NamedTuple):
    """A clip's complex samples, and the levels of its frames."""

    samples: Waves
    levels: Levels


class Stretches(NamedTuple):
    """Stretches of 0.15 s of one clip: how coherent with the other, NaN where that has nothing; the softer level."""

    alike: Samples
    levels: Levels

    def word(self) -> bool:
        """Whether some of the loud sound is far less coherent than the rest that is as loud."""
        told = np.flatnonzero(~np.isnan(self.alike))
        heard = Stretches(self.alike[told], self.levels[told])
        loud = heard.alike[heard.levels <= LOUD]
        if len(loud) >= ENOUGH and np.mean(loud < NONE) > MOST_NONE:
            return True
        return any(heard.less(*each) for each in WORDS)

    def of(self, clip: Wave) -> Stretches:
        """The same with the levels of the clip alone, whatever the other has beside it."""
        middles = np.arange(len(self.alike)) * STEP + SHORT // 2
        return self._replace(levels=_levels(clip.levels, _frame(middles)))

    def less(self, many: int, bound: float, slope: float) -> bool:
        """Whether `many` loud stretches in a row are less coherent than the rest allows."""
        if len(self.alike) < many + ENOUGH:
            return False
        runs, level = (np.convolve(each, np.full(many, 1 / many), "valid") for each in self)
        runs[level > LOUD] = np.inf
        least = int(runs.argmin())
        rest = np.concatenate([np.arange(max(0, least - BESIDE)), np.arange(least + many + BESIDE, len(self.alike))])
        if len(rest) < ENOUGH or runs[least] == np.inf:
            return False
        usual = by_level(self.alike[rest], self.levels[rest])[self.levels[least : least + many]].mean()
        return bool(runs[least] < bound - slope * (1 - usual))


class Heard(NamedTuple):
    """How coherent two clips are as a whole, 0 to 1; at which speed; whether each has a word that the other lacks."""

    alike: float
    speed: float
    another_word: bool

    def is_take(self, bits: float) -> bool:
        """Whether they are less coherent than copies whose `bits` agree as well."""
        return self.alike < (COPY if bits < WELL and abs(self.speed - 1) <= SAME_SPEED else COPY_ELSE)


def signs(sound: Samples) -> Signs:
    """The signs of a clip given at 5000 Hz.

    The band is cut out of one spectrum of the whole clip; at a lower rate, as that takes half of the time.
    """
    import scipy.fft  # slow to import

    hundred = 2 * scipy.fft.next_fast_len(-(-(len(sound) + 250) // 100), real=True)  # bins per 100 Hz
    before = LEAD * PRINT_RATE // LOW.rate
    given = np.zeros(len(sound) + 2 * before, np.float32)
    given[before : before + len(sound)] = sound
    low = decimated(given, PRINT_RATE, LOW)
    ring = np.zeros(LOW.rate // 100 * hundred, np.float32)  # what rings before the clip lies at its end
    ring[: len(low) - LEAD], ring[-LEAD:] = low[LEAD:], low[:LEAD]
    spectrum = scipy.fft.rfft(ring, overwrite_x=True)[3 * hundred : 7 * hundred]
    turned = np.concatenate([spectrum[2 * hundred :], spectrum[: 2 * hundred]])
    wave = scipy.fft.ifft(turned, overwrite_x=True)[: len(sound) * 2 // 25]
    bits = np.zeros(-(-len(wave) // EACH) * EACH * 2, np.uint8)
    bits[: 2 * len(wave) : 2], bits[1 : 2 * len(wave) : 2] = wave.real > 0, wave.imag > 0
    return np.packbits(bits, bitorder="little").view("<u4").astype(np.uint32)


def waves(numbers: Signs) -> Waves:
    """The signs as complex samples of size 1."""
    bits = np.unpackbits(numbers.astype("<u4").view(np.uint8), bitorder="little").astype(np.float32)
    return np.asarray((2 * bits - 1) / np.float32(np.sqrt(2)), np.float32).view(np.complex64)


def heard(first: Wave, second: Wave, path: Places, faster: float) -> Heard | None:
    """How coherent two clips are: frame i of the second, played `faster`, is beside frame path[i] of the first.

    About that are looked for the lines on which they lie: one speed, a lag for each offset of the path. None where they
    have too little loud sound in common.
    """
    same = _same(first.samples, second.samples, int(path[0])) if faster == 1 else None
    if same is not None:
        return Heard(same, 1.0, another_word=False)
    lines = _Beside(first, second, path, faster).lines()
    if not lines:
        return None
    long, stretches = _along(second, first, lines)
    told = ~np.isnan(long)
    if not told.any():
        return None
    weight = np.clip(1 - stretches.levels[told] / WEIGHTLESS, LEAST_WEIGHT, None)
    alike = float(np.average(long[told], weights=weight))
    word = stretches.word()
    turned = [line.turned() for line in lines]
    if word and len(lines) > 1:  # where a pause was edited, one of the clips has something that the other has not
        word = _along(first, second, turned)[1].word()
    elif not word and alike > CLEAR and abs(len(first.samples) - len(second.samples)) < SHORT:
        # none was made longer: what is loud in one of them alone is a word, where the other has a pause
        others = _along(first, second, turned)[1]
        word = stretches.of(second).less(*WORDS[1]) or others.of(first).less(*WORDS[1])
    return Heard(alike, lines[0].speed, word)


def _same(first: Waves, second: Waves, offset: int) -> float | None:
    """How coherent two clips are where every stretch of what they share is, `offset` frames apart; None where not."""
    found = []
    for lag in range(offset * FRAME - FRAME // 2, offset * FRAME + FRAME // 2 + 1):
        ours, theirs = first[max(0, lag) :], second[max(0, -lag) :]
        many = min(len(ours), len(theirs))
        found.append((abs(np.vdot(theirs[:many], ours[:many])), ours[:many], theirs[:many]))
    _, ours, theirs = max(found, key=lambda each: each[0])
    if len(ours) < LONG:
        return None
    turned = np.concatenate([[0], (ours * theirs.conj()).cumsum()])
    short = np.abs(turned[SHORT::STEP] - turned[:-SHORT:STEP]) / SHORT
    return float(short.mean()) if short.min() > CERTAIN else None


class _Line(NamedTuple):
    """Sample t of one clip is the other's sample speed * t + start."""

    speed: float
    start: float

    def turned(self) -> _Line:
        return _Line(1 / self.speed, -self.start / self.speed)


class _Beside:
    """The samples of the second clip, and where they are in the first as far as frames tell."""

    def __init__(self, first: Wave, second: Wave, path: Places, faster: float) -> None:
        count = len(second.samples)
        self.ours, self.theirs = _finer(first.samples), second.samples.conj()
        self.times, self.middle = np.arange(count, dtype=np.float64), count / 2
        frames = (self.times - FIRST) / FRAME * faster
        at = np.clip(np.rint(frames).astype(np.int64), 0, len(path) - 1)
        self.faster, self.places, self.offsets = faster, frames * FRAME + FIRST, path[at] - at
        ours, theirs = _levels(first.levels, path[at]), _levels(second.levels, np.rint(at / faster).astype(np.int64))
        self.loud = np.maximum(ours, theirs) <= LOUD

    def lines(self) -> list[_Line]:
        """One for each offset of the path, that with most loud sound first, and one beside that where it is not all.

        None where there is too little loud sound.
        """
        if not self.loud.any():
            return []
        offsets, which = np.unique(self.offsets, return_inverse=True)
        offsets = offsets[np.argsort(-np.bincount(which, self.loud), kind="stable")]
        main = int(offsets[0])
        blocks = self._blocks(main)
        if len(blocks) < FEWEST:
            return []
        speed, lag = self._speed(blocks, main)
        lags, near = [(main, lag)], np.arange(-FAR, FAR + 0.1, 1 / FINER)
        for each in offsets[1:].tolist():
            mine = self._blocks(each)
            if len(mine):
                lags.append((each, float(near[self._good(mine, each, np.array([speed]), near).argmax()])))
        # what was put in may be longer than what it replaced by less than a frame, which the path does not tell
        rest = blocks[self._each(blocks, main, np.array([speed]), np.array([lag]))[0, 0] < SURE]
        if len(rest) >= FEWEST:
            good = self._good(rest, main, np.array([speed]), near)[0]
            if good.max() > SURE:
                lags.append((main, float(near[good.argmax()])))
        start = self.places[0] - speed * self.middle
        return [_Line(self.faster + speed, float(start + each * FRAME + lag)) for each, lag in lags]

    def _speed(self, blocks: Places, offset: int) -> tuple[float, float]:
        """The speed beyond `faster`, and the lag in the middle."""
        lags = np.arange(-FAR, FAR + 1.0)
        speeds, good = np.zeros(1), self._good(blocks, offset, np.zeros(1), lags)
        if good.max() < SURE:
            speeds, good = SPEEDS, self._good(blocks, offset, SPEEDS, lags)
        longer = np.minimum(blocks[:, :1] + np.arange(2 * BLOCK), len(self.times) - 1)
        found = []
        for row in np.argsort(-good.max(axis=1), kind="stable")[:CHOICES]:
            speed, lag = speeds[row], lags[good[row].argmax()]
            for each, finer in ((blocks, 0.002), (longer, 0.0005)):
                near = np.arange(-2, 3)
                best = self._good(each, offset, speed + finer * near, lag + near / FINER)
                up, further = divmod(int(best.argmax()), len(near))
                speed, lag = speed + finer * near[up], lag + near[further] / FINER
            found.append((float(best.max()), float(speed), float(lag)))
        return max(found)[1:]

    def _blocks(self, offset: int) -> Places:
        """(blocks, BLOCK): samples of loud blocks that are at an offset; no more than MOST_BLOCKS, evenly spread."""
        starts = np.arange(0, len(self.times) - BLOCK + 1, BLOCK)
        starts = starts[((self.offsets == offset) & self.loud)[starts + BLOCK // 2]]
        chosen = np.unique(np.linspace(0, len(starts) - 1, min(len(starts), MOST_BLOCKS)).astype(np.int64))
        return np.asarray(starts[chosen, None] + np.arange(BLOCK))

    def _good(self, at: Places, offset: int, speeds: Floats, lags: Floats) -> Floats:
        """(speeds, lags): how coherent blocks of samples are on the mean."""
        return np.asarray(self._each(at, offset, speeds, lags).mean(axis=-1))

    def _each(self, at: Places, offset: int, speeds: Floats, lags: Floats) -> Floats:
        """(speeds, lags, blocks): how coherent each of them is."""
        places = self.places[at] + offset * FRAME + speeds[:, None, None] * (self.times[at] - self.middle)
        turned = self.theirs[at] * _phase(places - self.times[at])
        there = _read(self.ours, places[:, None] + lags[:, None, None])
        size = np.sqrt(np.maximum((np.abs(there) ** 2).sum(axis=-1) * at.shape[1], 1e-9))
        return np.asarray(np.abs((there * turned[:, None]).sum(axis=-1)) / size)


def _along(clip: Wave, other: Wave, lines: Sequence[_Line]) -> tuple[Samples, Stretches]:
    """How coherent each stretch of a clip is, of 0.3 and of 0.15 s; of several lines that one counts which is best."""
    ours, theirs = _finer(other.samples), clip.samples.conj()
    times = np.arange(len(clip.samples), dtype=np.float64)
    starts = np.arange(0, len(times) - SHORT + 1, STEP)
    middles = starts + SHORT // 2
    best, long = np.full((2, len(starts)), np.nan, np.float32)
    levels = np.full(len(starts), SOFTEST, np.uint8)
    for line in lines:
        places = line.speed * times + line.start
        inside = (places >= 0) & (places <= len(other.samples) - 1)
        level = _levels(other.levels, _frame(places[middles]))
        turned = theirs * _phase(places - times)
        for beside in (-1 / FINER, 0, 1 / FINER):
            there = _read(ours, places + beside)
            short = _coherent(there * turned, there, inside, starts, SHORT)
            levels = np.where(~(short <= best), level, levels)
            best = np.fmax(best, short)
            long = np.fmax(long, _coherent(there * turned, there, inside, starts, LONG))
    return long, Stretches(best, np.maximum(levels, _levels(clip.levels, _frame(middles))))


def _frame(samples: NDArray[Any]) -> Places:
    """The frame of a print whose middle is nearest."""
    frames: Places = np.rint((samples - FIRST) / FRAME).astype(np.int64)
    return frames


def _read(finer: Waves, places: Floats) -> Waves:
    """The samples at these places, of which there are FINER to a sample; zero outside."""
    at = np.rint(places * FINER).astype(np.int64)
    return np.asarray(finer[np.clip(at + 1, 0, len(finer) - 1)])


def _coherent(product: Waves, there: Waves, inside: NDArray[np.bool_], starts: Places, size: int) -> Samples:
    """How coherent each stretch is; NaN where it is not all there."""
    ends = starts + size
    sums = [np.concatenate([[0], each.cumsum()]) for each in (product, np.abs(there) ** 2, inside)]
    starts, ends = (np.minimum(each, len(product)) for each in (starts, ends))
    total, power, many = (each[ends] - each[starts] for each in sums)
    alike = np.abs(total) / np.sqrt(np.maximum(power * size, 1e-9))
    return np.where(many == size, alike, np.nan).astype(np.float32)


def _levels(levels: Levels, at: Places) -> Levels:
    """The levels of frames; before and after them those of the first and last."""
    return np.asarray(levels[np.clip(at, 0, len(levels) - 1)])


def _phase(samples: Floats) -> Waves:
    """How far the middle of the band turns in so many samples."""
    turns = samples * (CENTRE / RATE)
    return np.asarray(np.exp(2j * np.pi * (turns - np.rint(turns))), np.complex64)


def _finer(samples: Waves) -> Waves:
    """The samples with FINER - 1 between each two, a zero before and after."""
    import scipy.fft  # slow to import

    count = scipy.fft.next_fast_len(len(samples) + EACH)
    spectrum = scipy.fft.fft(samples, count)
    wide = np.zeros(count * FINER, np.complex64)
    wide[: count // 2], wide[count // 2 - count :] = spectrum[: count // 2], spectrum[count // 2 :]
    between = scipy.fft.ifft(wide)[: len(samples) * FINER] * FINER
    return np.concatenate([[0], between, [0]]).astype(np.complex64)
