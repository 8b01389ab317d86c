"""Whether two clips of less than a second of speech are one recording: the signs of four bands up to 3 kHz.

Short prints agree by chance, and two takes of a word by one person agree in level and spectrum. Their waveforms do not:
within bands of 450 Hz on either side of 600 to 2700 Hz the phases of a copy are those of the original at one lag, of
another take only for some periods of the voice. Of each 1.25 ms two signs are kept for each band (as in `coherence`,
which says why), and of each 10 ms the level: 850 bytes a second. Candidates are found by frames as those of
`fingerprint`, of 96 ms, which are kept as the clip is and as played 2 and 5 % faster: 1.2 kB more.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.audio import resample
from curate.measures.decimation import Band, decimated
from curate.measures.equal_frames import NOTHING, Print
from curate.measures.spectra import Floats, Samples, cuts, hann, quantiles

# How many samples there are, and frames at each speed; these; the samples, of all bands and four of them
# in each; and the levels, eight in each.
Packed = NDArray[np.uint32]
Waves = NDArray[np.complex64]

RATE = 800  # complex samples per second and band
WIDE = Band(8000, 3200.0, 4800.0, 80.0)  # what the bands are cut out of
CENTRES, HALF = (600, 1300, 2000, 2700), 450  # Hz
UNIT = 400  # samples at 8 kHz: a whole number of periods of every centre, and of samples
LEAD = 0.2  # seconds of silence that the filters may ring into
BLOCK = 8  # samples (10 ms) of one level
STEPS, DB = 15, 2.0  # levels under the loud ones, 2 dB each; the softest says nothing
FINER = 4  # places between samples that are looked at
# Takes of a word by one person reach 0.50 as a whole, and 0.31 in their least coherent 80 ms where they reach 0.4;
# copies mostly have 0.8 and 0.7 and more (docs/measures/duplicates.md).
COPY, PART = 0.6, 0.45
STRETCH, LOUD = 64, 64.0  # samples (80 ms); their power where they lie less than 15 dB under the loud ones
# Speeds that are tried, in steps at which the lowest band stays coherent over 0.4 s. If it is as coherent as this,
# three steps on either side of the best are tried: of two bands, and finer ones of all.
FASTER, LEAST = np.concatenate([np.arange(1.0075, 1.0326, 0.0025), np.arange(1.0425, 1.0576, 0.0025)]), 0.6
CLOSER = ((2, 0.0008), (4, 0.0003))
MOST, SOME = 0.5, 0.35  # of the sound of one, and of the other, that they share
ENOUGH, EDGE = 0.04, 0.02  # seconds of loud sound that they share; that both may have beyond
AWAY, ALONE = 3, 0.1  # samples from the best lag on, by how much less they are coherent: a held tone is so everywhere
TINY = 1e-9
# Frames by which candidates are found: samples of a window at 8 kHz, as it is, 2 and 5 % faster; from one to the next.
WINDOWS, HOP, GAP = (768, 784, 807), 80, 4
LOW, HIGH, BANDS, WIDTH = 300.0, 3000.0, 33, 1.5  # Hz; half of a band, in distances between bands
QUIET, STEADY = 20.0, 1e-3  # dB under the loud ones; a frame of which less than this share moves says nothing
_HEAD = 1 + len(WINDOWS)  # numbers before the frames
FEW = 8  # frames that say something, without which a clip does not


class Alike(NamedTuple):
    """How coherent two words are where they fit best, and at any other lag; the least coherent loud stretch of what
    they share; and how many seconds of loud sound they share, and each has beyond."""

    whole: float
    elsewhere: float
    least: float
    shared: float
    beyond: tuple[float, float]

    def is_copy(self) -> bool:
        """Whether they are one recording: coherent all through, and no more than one goes on beyond what they share."""
        coherent = self.whole >= max(COPY, self.elsewhere + ALONE) and self.least >= PART
        return coherent and self.shared >= ENOUGH and min(self.beyond) <= EDGE


def packed(samples: Samples, rate: int) -> Packed:
    """What is kept of a clip of 0.1 s and more, 2.05 kB a second: signs, levels, frames; nothing where it is silent."""
    sound = decimated(samples, rate, WIDE) if rate > WIDE.rate else resample(samples, rate, WIDE.rate)
    at_speeds = [_frames(sound, window) for window in WINDOWS]
    if np.count_nonzero(at_speeds[0]) < FEW:
        return np.zeros(0, np.uint32)
    wave = _bands(sound)
    count = wave.shape[1]
    blocks = -(-count // BLOCK)
    power = np.zeros(blocks * BLOCK)
    power[:count] = (np.abs(wave) ** 2).sum(axis=0)
    levels = np.convolve(power.reshape(blocks, BLOCK).mean(axis=1), np.ones(3) / 3, "same")
    top = quantiles(levels.astype(np.float32), (0.95,))[0]
    under = np.clip(np.rint(np.log10(np.maximum(levels / max(top, TINY), TINY)) * (-10 / DB)), 0, STEPS)
    bits = np.zeros((blocks * BLOCK, 2 * len(CENTRES)), np.uint8)
    bits[:count, ::2], bits[:count, 1::2] = wave.real.T > 0, wave.imag.T > 0
    eight = np.full(-(-blocks // 8) * 8, STEPS, np.uint32)
    eight[:blocks] = under
    loud = np.bitwise_or.reduce(eight.reshape(-1, 8) << np.arange(0, 32, 4, dtype=np.uint32), axis=1)
    signs = np.packbits(bits, axis=1, bitorder="little").ravel().view("<u4")
    head = [count, *(len(each) for each in at_speeds)]
    return np.concatenate([head, *at_speeds, signs, loud]).astype(np.uint32)


def frames(word: Packed) -> list[Print]:
    """The frames of a clip as it is, and as it would be if it were played 2 and 5 % faster; none of nothing."""
    ends = _HEAD + np.cumsum(word[1:_HEAD].astype(np.int64)) if len(word) else np.full(len(WINDOWS), _HEAD)
    return np.split(word, [_HEAD, *ends])[1:-1]


def alike(one: Packed, other: Packed, *, faster: bool = True) -> Alike:
    """How alike two clips are at the lag at which all bands together are most coherent.

    Where they are no copies at the same speed and `faster` is set, either is also played faster, by 1 to 3 or 4 to 6 %.
    """
    first, second = _unpacked(one), _unpacked(other)
    found = _judged(first, second)
    if found.is_copy() or not faster:
        return found
    tried = [_at_speed(first, second), _at_speed(second, first)]
    return max([found, *(each for each in tried if each is not None)], key=lambda each: (each.is_copy(), each.whole))


def _at_speed(first: Waves, second: Waves) -> Alike | None:
    """The same with the second at the speed that fits best; None where no speed fits its lowest band."""
    finer = _finer(second)
    good = [_fitted(first[:1], _played(finer[:1], speed), 1)[0] for speed in FASTER]
    speed = float(FASTER[int(np.argmax(good))])
    if max(good) < LEAST:
        return None
    for bands, step in CLOSER:
        speeds = speed + step * np.arange(-3, 4)
        good = [_fitted(first[:bands], _played(finer[:bands], each))[0] for each in speeds]
        speed = float(speeds[int(np.argmax(good))])
    return _judged(first, _played(finer, speed))


def _finer(wave: Waves) -> Waves:
    """(bands, samples x FINER): as it is between the samples."""
    import scipy.fft  # slow to import

    count = wave.shape[1]
    size = scipy.fft.next_fast_len(count + BLOCK)
    spectrum = scipy.fft.fft(wave, size, axis=1)
    wide = np.zeros((len(wave), size * FINER), np.complex64)
    wide[:, : size // 2], wide[:, size // 2 - size :] = spectrum[:, : size // 2], spectrum[:, size // 2 :]
    return np.asarray(scipy.fft.ifft(wide, axis=1)[:, : count * FINER] * FINER)


def _played(finer: Waves, speed: float) -> Waves:
    """What was `speed` times as fast as the rest, made as slow: each band has turned about its centre since."""
    times = np.arange(int(finer.shape[1] / FINER * speed)) / speed
    at = np.minimum(np.rint(times * FINER).astype(np.int64), finer.shape[1] - 1)
    turns = np.array(CENTRES[: len(finer)])[:, None] * (times * (1 - speed) / RATE)
    return np.asarray(finer[:, at] * np.exp(2j * np.pi * turns), np.complex64)


def _judged(first: Waves, second: Waves) -> Alike:
    whole, elsewhere, lag, powers = _fitted(first, second)
    ours, theirs = _beside(first, second, lag)
    product = ours * theirs.conj()
    turn = product.sum(axis=1, keepdims=True)
    along = (product * turn.conj() / np.maximum(np.abs(turn), TINY)).real.sum(axis=0)
    louder = np.maximum(*(_sums((np.abs(each) ** 2).sum(axis=0)) for each in (ours, theirs)))
    stretches = _sums(along)[louder >= LOUD] / louder[louder >= LOUD]
    shared, *beyond = powers / (RATE * len(CENTRES))
    return Alike(
        whole, elsewhere, float(stretches.min(initial=whole)), float(shared), (float(beyond[0]), float(beyond[1]))
    )


def _fitted(first: Waves, second: Waves, places: int = FINER) -> tuple[float, float, float, Floats]:
    """The coherence at the best lag, and at others; that lag, in samples, of which there are `places` to each; the
    power of what both have there, and of what each has beyond.

    They must share half of the sound of one, and a third of that of the other.
    """
    import scipy.fft  # slow to import

    ours, theirs = first.shape[1], second.shape[1]
    size = scipy.fft.next_fast_len(ours + theirs)
    crossed = scipy.fft.fft(first, size, axis=1) * scipy.fft.fft(second, size, axis=1).conj()
    finer = np.zeros((len(first), size * places), np.complex64)
    finer[:, : size // 2], finer[:, size // 2 - size :] = crossed[:, : size // 2], crossed[:, size // 2 :]
    agree = np.abs(scipy.fft.ifft(finer, axis=1)).sum(axis=0) * places
    lags = np.arange(1 - theirs, ours)
    starts, ends = np.maximum(0, lags), np.minimum(ours, theirs + lags)
    power, other = _upto(first), _upto(second)
    mine, yours = power[ends] - power[starts], other[ends - lags] - other[starts - lags]
    shares = np.stack([mine / max(power[-1], TINY), yours / max(other[-1], TINY)])
    enough = (shares.max(axis=0) >= MOST) & (shares.min(axis=0) >= SOME)
    both = np.where(enough, np.sqrt(np.maximum(mine * yours, TINY)), np.inf)
    near = np.arange(places) - places // 2
    whole = agree[(lags * places + near[:, None]) % len(agree)] / both
    between, best = divmod(int(whole.argmax()), len(lags))
    powers = [min(mine[best], yours[best]), power[-1] - mine[best], other[-1] - yours[best]]
    fitted, lag = float(whole[between, best]), float(lags[best] + near[between] / places)
    whole[:, max(0, best - AWAY + 1) : best + AWAY] = 0
    return fitted, float(whole.max()), lag, np.array(powers)


def _beside(first: Waves, second: Waves, lag: float) -> tuple[Waves, Waves]:
    """What both have, the second moved by a lag."""
    import scipy.fft  # slow to import

    size = scipy.fft.next_fast_len(first.shape[1] + second.shape[1])
    turns = scipy.fft.fftfreq(size) * lag
    moved = scipy.fft.ifft(scipy.fft.fft(second, size, axis=1) * np.exp(-2j * np.pi * turns), axis=1)
    at = np.arange(max(0, round(lag)), min(first.shape[1], second.shape[1] + round(lag)))
    return first[:, at], np.asarray(moved[:, at], np.complex64)


def _upto(wave: Waves) -> Floats:
    """The power of all samples before each, and of all."""
    return np.concatenate([[0.0], (np.abs(wave) ** 2).sum(axis=0).cumsum()])


def _sums(values: Samples) -> Floats:
    """The sum of each stretch."""
    upto = np.concatenate([[0.0], values.cumsum(dtype=np.float64)])
    return np.asarray(upto[STRETCH:] - upto[:-STRETCH])


def _unpacked(numbers: Packed) -> Waves:
    """(bands, samples): of size 1 where it is loud, less where it is softer."""
    count = int(numbers[0])
    blocks, start = -(-count // BLOCK), _HEAD + int(numbers[1:_HEAD].sum())
    signs, loud = numbers[start : start + 2 * blocks], numbers[start + 2 * blocks :]
    bits = np.unpackbits(signs.astype("<u4").view(np.uint8), bitorder="little").reshape(-1, 2 * len(CENTRES))[:count]
    phases = ((2 * bits.astype(np.float32) - 1) / np.float32(np.sqrt(2))).view(np.complex64).T
    levels = (loud[:, None] >> np.arange(0, 32, 4, dtype=np.uint32) & np.uint32(15)).ravel()
    return phases * (1 - np.repeat(levels, BLOCK)[:count].astype(np.float32) / STEPS)


def _frames(sound: Samples, window: int) -> Print:
    """A number for each 10 ms, as in `fingerprint`, of 96 ms; where the window is longer, of the sound played faster.

    Its bits are the signs of energy differences between neighbouring bands and 40 ms.
    """
    import scipy.fft  # slow to import

    around = np.pad(sound, window // 2)
    many = (len(sound) * WINDOWS[0]) // (window * HOP)
    starts = np.rint(np.arange(many) * (HOP * window / WINDOWS[0])).astype(np.int64)
    cut = cuts(around, window, 1)[starts] * hann(window)
    bands = _band_matrix()
    energy = np.square(np.abs(scipy.fft.rfft(cut, axis=1)[:, : len(bands)])) @ bands
    slope = energy[:, :-1] - energy[:, 1:]
    moved, total = slope[GAP:] - slope[:-GAP], (energy[GAP:] + energy[:-GAP]).sum(axis=1)
    if not len(total):
        return np.zeros(0, np.uint32)
    numbers = np.packbits(moved > 0, axis=1, bitorder="little").view("<u4").ravel().astype(np.uint32)
    numbers[numbers == NOTHING] = 1
    loud = total > quantiles(total, (0.95,))[0] * 10 ** (-QUIET / 10)
    numbers[~(loud & (np.abs(moved).sum(axis=1) > STEADY * total))] = NOTHING
    return numbers


@functools.cache
def _band_matrix() -> Samples:
    """(bins, bands): how much of each bin's power a band takes: raised cosines over the logarithm of frequency."""
    step = math.log(HIGH / LOW) / BANDS
    bins = math.ceil(HIGH * math.exp(WIDTH * step) * WINDOWS[0] / WIDE.rate)
    place = np.log(np.maximum(np.arange(bins), 0.5) * WIDE.rate / WINDOWS[0] / LOW) / step - 0.5
    apart = np.abs(place[:, None] - np.arange(BANDS)) / WIDTH
    return np.where(apart < 1, 1 + np.cos(np.pi * apart), 0).astype(np.float32)


def _bands(sound: Samples) -> Waves:
    """(bands, samples): the sound within each band, about its centre; cut out of one spectrum of the whole."""
    import scipy.fft  # slow to import

    units = scipy.fft.next_fast_len(-(-(len(sound) + round(LEAD * WIDE.rate)) // UNIT))
    size = units * UNIT
    made = size * RATE // WIDE.rate
    spectrum = scipy.fft.fft(sound, size)
    apart = (np.arange(made) - made // 2) * (WIDE.rate / size)
    shape = np.where(np.abs(apart) < HALF, 1 + np.cos(np.pi / HALF * apart), 0.0)
    first = [centre * size // WIDE.rate - made // 2 for centre in CENTRES]
    cut = np.stack([spectrum[each : each + made] * shape for each in first])
    wave = scipy.fft.ifft(np.roll(cut, made // 2 - made, axis=1), axis=1)
    return np.asarray(wave[:, : -(-len(sound) * RATE // WIDE.rate)], np.complex64)
