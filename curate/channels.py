"""Which channels of a file become the one that is listened to and written: decided once per file, from all of it.

A file with several channels is read forwards once. Kept of it are the levels of every 60 ms, and sums of spectra and
cross-spectra, whose size is fixed. From these follow, in this order:

- a channel that is silent, constant, steady (hum, hiss) or 40 dB weaker than another is dead and left out;
- the best channel has the largest distance between its loud and its quiet moments;
- another that holds the same sound, without delay and about as loud, is added to it, turned over where its phase is;
- one that holds the same sound later, or much weaker, is left out: summed, the two would cancel each other at some
  frequencies (a comb);
- one that holds another sound makes the file two recordings: the mean of both is taken, and that they differ is told.

The mean of each channel (its DC offset) is known as well, and is taken off.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]
Floats = NDArray[np.float64]

WINDOW = 0.5  # seconds of one spectrum: delays up to half of it are seen
PARTS = 8  # of a window, whose levels are kept
QUIET = 0.05  # quantile of a channel's levels: people who speak without a pause have few quiet moments
ACTIVE_RISE, ACTIVE_SECONDS, ACTIVE_SHARE = 10.0, 1.0, 0.1  # dB over its quiet moments, for so long or this share
DEAD = 40.0  # dB under the loudest channel: crosstalk or hiss
SILENT = -80.0  # dBFS: what is quieter is silence
EQUAL = 12.0  # dB between channels that are added
LOWEST, HIGHEST = 100.0, 8000.0  # Hz that are compared: hum is in every channel
# Real stereo has a coherence of 0.8 and more, two microphones in a room 0.3-0.9, two people on two channels up to 0.3,
# 0.35 with crosstalk at -10 dB; the levels of the former rise and fall together (0.9), of the latter they do not.
COHERENT, ADDED, TOGETHER = 0.4, 0.6, 0.7
SHIFTS = 5  # parts of a window
LOUD_RANGE = 20.0  # dB under the loud moments of either channel: pauses, which all channels share, say nothing
MOST = 8  # channels that are compared with each other; of more the best alone is taken
OFFSET = 5e-4  # a smaller mean (-66 dB) is no offset: the samples stay as they are


def finite(samples: Block) -> Block:
    """The same samples, of any shape; NaN and infinity are silence."""
    flat = samples.ravel()
    if math.isfinite(flat @ flat):  # one pass: nearly every sound is finite
        return samples
    return np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)


@functools.lru_cache(maxsize=8)
def _hanning(size: int) -> Block:
    return np.hanning(size).astype(np.float32)


@dataclass(frozen=True)
class Mix:
    """How one channel is made of a file's: their mean, some of them turned over, less an offset."""

    channels: tuple[int, ...] = (1,)  # counted from 1; negative: turned over
    differ: bool = False  # they hold different sounds, so the mean is no recording of one of them
    offset: float = 0.0

    def __str__(self) -> str:
        """`1+2`; `1-2` where the second is turned over; `1|2` where they differ."""
        if self.differ:
            return "|".join(str(abs(each)) for each in self.channels)
        return "".join(f"{each:+d}" for each in self.channels).removeprefix("+")

    @classmethod
    def parse(cls, text: str, offset: float | None = None) -> Mix:
        """The mix that a manifest names."""
        found = re.findall(r"[+-]?\d+", text)
        return cls(tuple(int(each) for each in found), "|" in text, offset or 0.0)

    def apply(self, block: Block) -> Block:
        """Samples (frames, channels) as one channel."""
        clean = finite(block)
        columns = [np.ascontiguousarray(clean[:, abs(each) - 1]) for each in self.channels]
        used = [column if each > 0 else -column for each, column in zip(self.channels, columns, strict=True)]
        mixed: Block = used[0] if len(used) == 1 else np.asarray(np.mean(used, axis=0, dtype=np.float32))
        return np.asarray(mixed - np.float32(self.offset)) if abs(self.offset) >= OFFSET else mixed


class Survey:
    """Hears a file once, forwards, in blocks of any length, and then says how its channels become one."""

    def __init__(self, rate: int, channels: int) -> None:
        self._rate, self._channels = rate, channels
        self._sum, self._frames = np.zeros(channels), 0
        self._size = 1 << max(4, round(math.log2(max(WINDOW * rate, 16))))
        self._rest = np.zeros((channels, 0), np.float32)
        self._levels: list[Block] = []  # (parts, channels): variance
        self._pairs = list(combinations(range(channels), 2)) if 1 < channels <= MOST else []
        bins = min(self._size // 2, math.floor(HIGHEST * self._size / rate)) + 1  # what is higher is not compared
        self._power = np.zeros((channels, bins))
        self._cross = {pair: np.zeros(bins, np.complex128) for pair in self._pairs}

    def feed(self, block: Block) -> None:
        """The next samples (frames, channels)."""
        clean = np.ascontiguousarray(finite(block).T)  # a channel lies together: sums along it take a fraction
        self._sum += clean.sum(axis=1, dtype=np.float64)
        self._frames += len(block)
        if self._channels == 1:
            return
        rest = np.concatenate([self._rest, clean], axis=1)
        full = rest.shape[1] // self._size * self._size
        for start in range(0, full, self._size):
            self._hear(rest[:, start : start + self._size])
        self._rest = rest[:, full:]

    def offsets(self) -> list[float]:
        """The mean of each channel."""
        return [round(float(each), 6) for each in self._sum / max(1, self._frames)]

    def mix(self) -> Mix:
        """How the channels become one."""
        if self._channels == 1:
            return Mix(offset=self.offsets()[0])
        if self._rest.shape[1]:
            self._hear(self._rest)
            self._rest = self._rest[:, :0]
        channels, differ = self._chosen(10 * np.log10(np.concatenate(self._levels) + 1e-12).astype(np.float64))
        means = self.offsets()
        offset = sum(math.copysign(1, each) * means[abs(each) - 1] for each in channels) / len(channels)
        return Mix(channels, differ, round(offset, 6))

    def _hear(self, window: Block) -> None:
        """One window (channels, frames); the last may be shorter."""
        length = window.shape[1]
        size = max(1, min(self._size // PARTS, length))
        parts = window[:, : length // size * size].reshape(self._channels, -1, size)
        self._levels.append(parts.var(axis=2).T)
        if self._pairs:
            centred = (window - window.mean(axis=1, keepdims=True)) * _hanning(length)
            spectra = np.fft.rfft(centred, self._size, axis=1)[:, : self._power.shape[1]]
            self._power += np.abs(spectra) ** 2
            for one, other in self._pairs:
                self._cross[one, other] += spectra[one].conj() * spectra[other]

    # ---- what follows from what was heard

    def _chosen(self, levels: Floats) -> tuple[tuple[int, ...], bool]:
        """The channels that are used, the best first if it is alone, else in order; and whether they differ."""
        floor = np.maximum(np.quantile(levels, QUIET, axis=0), SILENT)
        top = np.quantile(levels, 0.99, axis=0)
        active = self._active(levels, floor, top)
        used = active or [int(each) for each in np.flatnonzero(top >= top.max() - DEAD)]  # nobody speaks
        depth = np.quantile(levels, 0.95, axis=0) - floor
        best = max(used, key=lambda each: (round(float(depth[each]) / 3), round(float(top[each])), -each))
        if not self._pairs or len(used) == 1:
            return (best + 1,), False
        added, others = [best + 1], []
        for other in used:
            if other == best:
                continue
            coherence, delay, sign = self._compared(best, other)
            if coherence < COHERENT and not self._together(levels, top, best, other):
                others += [other] if active else []
            elif coherence >= ADDED and delay == 0 and abs(top[best] - top[other]) <= EQUAL:
                added.append(sign * (other + 1))
        if others:
            return tuple(sorted({abs(each) for each in added} | {each + 1 for each in others})), True
        in_order = sorted(added, key=abs)
        return tuple(in_order if in_order[0] > 0 else [-each for each in in_order]), False

    def _active(self, levels: Floats, floor: Floats, top: Floats) -> list[int]:
        """Channels in which somebody may speak: not silent, not steady, not far weaker than another."""
        loud = levels > np.maximum(np.maximum(floor + ACTIVE_RISE, SILENT), top.max() - DEAD)
        seconds = loud.sum(axis=0) * self._size / PARTS / self._rate
        whole = len(levels) * self._size / PARTS / self._rate
        return [int(each) for each in np.flatnonzero(seconds >= min(ACTIVE_SECONDS, ACTIVE_SHARE * whole))]

    def _compared(self, one: int, other: int) -> tuple[float, int, int]:
        """Coherence (0..1) of two channels, the delay between them in samples, and 1 or -1 for their phase."""
        first, second = sorted((one, other))
        cross = self._cross[first, second]
        power = self._power[first] * self._power[second] + 1e-30
        at = np.arange(len(cross)) * self._rate / self._size
        heard = (at >= LOWEST) & (at <= HIGHEST)
        coherence = np.abs(cross) ** 2 / power
        weight = np.sqrt(self._power[first] * heard)  # between equal power, which vowels rule, and equal bands
        likeness = np.fft.irfft(np.where(heard, cross / (np.abs(cross) + 1e-30) * coherence, 0), self._size)
        peak = int(np.abs(likeness).argmax())
        delay = peak if peak <= self._size // 2 else peak - self._size
        return float((coherence * weight).sum() / max(weight.sum(), 1e-30)), delay, 1 if likeness[peak] >= 0 else -1

    @staticmethod
    def _together(levels: Floats, top: Floats, one: int, other: int) -> bool:
        """Whether two channels are loud and soft together, up to 0.3 s apart (an echo is later)."""
        loud = (levels[:, one] > top[one] - LOUD_RANGE) | (levels[:, other] > top[other] - LOUD_RANGE)
        a, b = np.maximum(levels[:, one], SILENT), np.maximum(levels[:, other], SILENT)
        best = -1.0
        for shift in range(-SHIFTS, SHIFTS + 1):
            x, y = (a[max(0, shift) :], b[: len(b) - max(0, shift)]) if shift >= 0 else (a[:shift], b[-shift:])
            used = loud[max(0, shift) :][: len(x)] if shift >= 0 else loud[:shift]
            if used.sum() >= 16 and x[used].std() > 0 and y[used].std() > 0:
                best = max(best, float(np.corrcoef(x[used], y[used])[0, 1]))
        return best >= TOGETHER
