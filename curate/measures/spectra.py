"""Power spectra of a clip, and which of them lie in speech: what noise and bandwidth are measured on.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate import channels

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]
Spans = Sequence[tuple[int, int]]

WINDOW, HOP = 0.032, 0.016  # seconds of one spectrum, and between two
AT_ONCE = 64  # frames transformed at a time: they stay in the processor's cache
LOWEST = 20.0  # Hz: what is lower is not heard
SILENT = 1e-11  # of the square of a frame's mean: less is what float32 rounds, so that digital silence is zero
ROUNDED = 0.01  # of the square of a frame's mean: an energy under it is found by a transform
MOSTLY = 0.75  # of the frames: where more lie in speech, all are transformed
PAUSE_MARGIN = 0.06  # seconds beside speech that may still hold its tail
ENOUGH_FRAMES = 10  # 0.16 s: fewer say too little about what moves


@dataclass(frozen=True)
class Frames:
    """Frames of a clip, and the power spectra of those that are asked for."""

    cut: Samples  # (frames, samples)
    means: Samples  # of each frame
    energy: Floats  # of each frame: its windowed mean square around its mean, from LOWEST on
    step: float  # Hz between bins
    speech: NDArray[np.bool_]  # frames whose middle lies in speech
    pause: NDArray[np.bool_]  # frames well away from it
    spoken: Samples  # (bins, frames in speech): sums over bins are then sums of whole rows, which is fast

    @functools.cached_property
    def power(self) -> Samples:
        """(frames, bins) of all frames: each sums to the frame's energy."""
        return _spectra(self.cut, self.means, np.arange(len(self.cut)), self.step)[0]

    @functools.cached_property
    def speech_energy(self) -> float | None:
        """Mean energy of the frames in speech; None where there are none."""
        energy = self.energy[self.speech]
        return float(energy.mean()) if len(energy) else None


def frames_of(samples: Samples, rate: int, speech: Spans) -> Frames:
    """The spectra of a clip's samples, every 16 ms; spans of speech are half-open, in samples of the clip."""
    import scipy.fft  # slow to import

    # 32 ms, or the next length that has a fast transform: 1440 samples instead of 1411
    size, hop = scipy.fft.next_fast_len(max(16, round(WINDOW * rate)), real=True), max(8, round(HOP * rate))
    padded = np.pad(samples, (0, size - len(samples))) if len(samples) < size else samples
    cut = cuts(padded, size, hop)
    means = np.vecdot(cut, ones(size)) / np.float32(size)
    middles = np.arange(len(cut)) * hop + size // 2
    inside, beside = _touching(middles, speech, 0), _touching(middles, speech, round(PAUSE_MARGIN * rate))
    step = rate / size
    if np.count_nonzero(inside) > MOSTLY * len(inside):
        power, energy = _spectra(cut, means, np.arange(len(cut)), step)
        spoken = _transposed(power, inside)
    else:
        energy = _energies(padded, cut, hop, means, step)
        power, energy[inside] = _spectra(cut, means, np.flatnonzero(inside), step)
        spoken = np.ascontiguousarray(power.T)
        unsure = np.flatnonzero(~inside & (energy < ROUNDED * np.square(means)))
        energy[unsure] = _spectra(cut, means, unsure, step)[1]
    return Frames(cut, means, energy.astype(np.float64), step, inside, ~beside, spoken)


def _transposed(rows: Samples, chosen: NDArray[np.bool_]) -> Samples:
    """The chosen rows as columns; runs of them are copied at once."""
    edges = (np.flatnonzero(chosen[1:] != chosen[:-1]) + 1).tolist()
    edges = [*([0] if chosen[0] else []), *edges, *([len(chosen)] if chosen[-1] else [])]
    columns = np.empty((rows.shape[1], np.count_nonzero(chosen)), rows.dtype)
    at = 0
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        columns[:, at : at + end - start] = rows[start:end].T
        at += end - start
    return columns


def _spectra(cut: Samples, means: Samples, rows: NDArray[np.int64], step: float) -> tuple[Samples, Samples]:
    """(rows, bins): the power spectra of some frames around their means; and their sums, which are mean squares."""
    import scipy.fft  # slow to import

    size = cut.shape[1]
    window, second = _scaled_hann(size)
    power = np.empty((len(rows), size // 2 + 1), np.float32)
    shaped = np.empty((min(AT_ONCE, len(rows)), size), np.float32)
    for at in range(0, len(rows), AT_ONCE):
        which, part = rows[at : at + AT_ONCE], power[at : at + AT_ONCE]
        gapless = which[-1] - which[0] < len(which)
        some = cut[which[0] : which[-1] + 1] if gapless else cut[which]
        spectrum = scipy.fft.rfft(np.multiply(some, window, out=shaped[: len(some)]), axis=1, overwrite_x=True)
        spectrum[:, 1] -= means[which] * second  # each frame's mean, which else is in the first alone
        np.square(np.abs(spectrum, out=part), out=part)
    power[:, : math.ceil(LOWEST / step)] = 0
    energy = np.vecdot(power, ones(power.shape[1]))
    silent = energy <= SILENT * np.square(means[rows])
    if silent.any():
        power[silent], energy[silent] = 0, 0
    return power, energy


def _energies(samples: Samples, cut: Samples, hop: int, means: Samples, step: float) -> Samples:
    """What the power spectrum of each frame sums to, without transforming it (Parseval's theorem).

    All bins of both signs hold the window's mean square; a row has half of it, but for the first bin and the last. -1
    where more than the first bin lies under LOWEST.
    """
    size = cut.shape[1]
    if step < LOWEST:
        return np.full(len(cut), -1, np.float32)
    window, squared, turned, (sum_, sum_of_squares) = _windows(size)
    squares = np.vecdot(cuts(np.square(samples), size, hop), squared)
    squares += means * (means * sum_of_squares - 2 * np.vecdot(cut, squared))
    first = np.vecdot(cut, window) - means * sum_
    last = np.vecdot(cut, turned)
    return np.asarray(np.maximum(size * squares - np.square(first) + np.square(last), 0) / 2, dtype=np.float32)


@functools.cache
def _windows(size: int) -> tuple[Samples, Samples, Samples, tuple[np.float32, np.float32]]:
    """The window, its square, the window at half the rate (or nothing: no such bin); the sums of the first two."""
    window, _ = _scaled_hann(size)
    squared = np.square(window)
    turned = window * (1 - 2 * (np.arange(size) % 2)).astype(np.float32) * np.float32(1 - size % 2)
    sums = (np.float32(each.sum(dtype=np.float64)) for each in (window, squared))
    return window, squared, turned, (next(sums), next(sums))


def cuts(samples: Samples, size: int, hop: int) -> Samples:
    """(frames, size): every whole frame of at least one, `hop` apart, in the samples' own memory.

    numpy's sliding windows take twenty times as long to make.
    """
    row = np.ascontiguousarray(samples)
    shape, strides = ((len(row) - size) // hop + 1, size), (hop * row.itemsize, row.itemsize)
    return np.ndarray(shape, row.dtype, row, strides=strides)


@functools.cache
def _scaled_hann(size: int) -> tuple[Samples, np.float32]:
    """The window, so that power spectra sum to the mean square; and its own spectrum at the second bin."""
    window = hann(size)
    scaled = window * np.float32(math.sqrt(2 / (size * float((window**2).sum()))))
    return scaled, np.float32(-scaled.sum(dtype=np.float64) / 2)


@functools.cache
def ones(size: int) -> Samples:
    """For sums as products, which are the fastest."""
    return np.ones(size, np.float32)


def power_of(spectrum: NDArray[np.complex64]) -> Samples:
    """Squared magnitude; np.abs takes half the time of adding what lies at every second place."""
    size = np.abs(spectrum)
    return np.multiply(size, size, out=size)


def quantiles(values: NDArray[Any], shares: Sequence[float]) -> NDArray[Any]:
    """As np.quantile over the last of one or two axes; to sort float32 takes less than what np.quantile does."""
    ordered, last = np.sort(values, axis=-1), values.shape[-1] - 1
    found = []
    for share in shares:
        place = share * last
        one, next_ = ordered[..., int(place)], ordered[..., min(int(place) + 1, last)]
        found.append(one + (next_ - one) * np.float64(place - int(place)))
    return np.array(found)


def variance(part: Samples) -> float:
    """As np.var, which takes three times that for a few hundred samples."""
    moved = part - part.mean()
    return float(moved @ moved) / len(part)


def apart(places: NDArray[np.int64], end: int) -> NDArray[np.int64]:
    """How far it is from each place to the next, from the last to the end."""
    lengths = np.empty_like(places)
    np.subtract(places[1:], places[:-1], out=lengths[:-1])
    lengths[-1:] = end - places[-1:]
    return lengths


def overlaps(bands: Sequence[tuple[float, float]], bins: int, step: float) -> Any:
    """(bands, bins), sparse: how much of each bin lies in each band, given in Hz; bin k is `step` wide around k steps.

    Sparse also because a small dense product starts threads, which cost more than the product.
    """
    from scipy.sparse import csr_array  # slow to import

    edges = np.asarray(bands, dtype=np.float64).reshape(-1, 2) / step + 0.5
    bin_edges = np.arange(bins + 1)
    inside = np.minimum(edges[:, 1:], bin_edges[1:]) - np.maximum(edges[:, :1], bin_edges[:-1])
    return csr_array(np.maximum(inside, 0).astype(np.float32))


@functools.cache
def hann(size: int) -> Samples:
    """The window of that name, periodic."""
    import scipy.signal  # slow to import

    return np.asarray(scipy.signal.get_window("hann", size), dtype=np.float32)


def finite(samples: NDArray[Any]) -> Samples:
    """One row of float32; NaN, infinity and what float32 cannot hold are silence."""
    with np.errstate(over="ignore"):
        return channels.finite(np.ravel(samples).astype(np.float32, copy=False))


def _touching(middles: NDArray[np.int64], spans: Spans, margin: int) -> NDArray[np.bool_]:
    touched = np.zeros(len(middles), dtype=np.bool_)
    for start, end in spans:
        touched |= (middles >= start - margin) & (middles < end + margin)
    return touched
