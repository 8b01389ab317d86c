"""Measure the sound of one clip: level, clipping, noise, bandwidth, pitch.

Nothing here raises on odd input, and nothing is NaN or infinite: what cannot be measured is None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float64]
VERSION = 1  # raise it when an answer changes: it enters the fingerprint

Samples = NDArray[np.float32]
Spans = Sequence[tuple[int, int]]

NAMES = ("loudness", "peak", "clipped", "noise_floor", "snr", "bandwidth", "pitch")
WINDOW, HOP = 0.032, 0.016  # seconds of one spectrum, and between two
SILENT = 1e-7  # a peak under -140 dBFS is digital silence
FLOOR = -120.0  # dBFS: under what 16 and 20 bits can hold
BLOCK, BLOCK_STEP = 0.4, 0.1  # seconds, of BS.1770
LOWEST = 20.0  # Hz: what is lower is not heard
PAUSE_MARGIN = 0.06  # seconds beside speech that may still hold its tail
PAUSE_FRAMES = 10  # 0.16 s: fewer say too little about noise that moves
GATED = 1e-9  # 90 dB under speech: a gate or a synthesiser, not the room
# Noise inside speech: this quantile over time in each band, times the factor that makes it the mean of steady noise
# (found on Zeroth + white noise, 10-30 dB; between pauses it is within 3 dB of the truth for white and pink noise).
QUIET_QUANTILE, QUIET_FACTOR = 0.15, 1.4
BAND = 125.0  # Hz: step of the bandwidth
DEPTH = 65.0  # dB under the strongest band: what is weaker is not heard beside it
MODULATION = 10.0  # dB between loud and quiet moments: speech moves by 15-50, steady noise by 3-6 (32 ms, 125 Hz)
CEILING, PILED = 0.01, 3  # see `_clipped`: a sine has 2.4 times as much in its top 1 % as in the next
FLAT_RUN = 3  # samples: two equal neighbours happen at any peak
PITCH_RATE, PITCH_LOW, PITCH_HIGH = 8000, 60.0, 420.0  # Hz
PITCH_FRAME, PITCH_HOP = 0.05, 0.02  # seconds: three periods of the lowest pitch
VOICED = 0.6  # normalised autocorrelation of a voiced frame


def measure(samples: Samples, rate: int, speech: Spans) -> dict[str, float | None]:
    """Every measure of one clip; `speech` holds the spans of speech in samples of the clip.

    loudness (LUFS), peak (linear), clipped (share 0..1), noise_floor (dBFS), snr (dB), bandwidth (Hz), pitch (Hz).
    """
    clean = np.nan_to_num(np.ravel(samples).astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    peak = float(np.abs(clean).max(initial=0.0))
    if peak < SILENT or rate <= 0:
        return dict.fromkeys(NAMES)
    unit = clean / peak  # so that no level can overflow
    level = 20 * math.log10(peak)
    frames = _frames(unit, rate, speech)
    noise = _noise(frames)
    values = {
        "loudness": loudness(clean, rate),
        "peak": peak,
        "clipped": _clipped(unit, 1 / (32768 * peak)),
        "noise_floor": None if noise is None else max(FLOOR, _decibels(noise) + level),
        "snr": _snr(frames, noise),
        "bandwidth": _bandwidth(frames),
        "pitch": _pitch(unit, rate, speech),
    }
    return {name: value if value is not None and math.isfinite(value) else None for name, value in values.items()}


# ---- loudness


def loudness(samples: Floats, rate: int) -> float | None:
    """Integrated loudness in LUFS of one channel, None under 0.4 s or where every block is gated.

    ITU-R BS.1770-4 by pyloudnorm, with the weighting filters of libebur128 (De Man, AES e-Brief 2014), which are right
    at any rate. It would also count a last block that is not full: the samples end where the last full one does.
    """
    import pyloudnorm  # slow to import

    size, step = round(BLOCK * rate), round(BLOCK_STEP * rate)
    if len(samples) < size or rate < 4000:  # the weighting's shelf lies at 1.7 kHz
        return None
    full = samples[: size + (len(samples) - size) // step * step]
    full = np.pad(full, (0, max(0, math.ceil(BLOCK * rate) - len(full))))  # rates that 0.4 s of are no whole number
    return float(pyloudnorm.Meter(rate, filter_class="DeMan", block_size=BLOCK).integrated_loudness(full))


# ---- clipping


def _clipped(unit: Floats, step: float) -> float:
    """The share of samples in flat runs at the clip's own highest or lowest value, wherever that lies.

    Flat: at least three neighbours within 1 % of the ceiling (room for dither), or one 16-bit `step`. Counted where
    that 1 % holds over three times as many samples as the next: clipping piles up, speech and tones thin out.
    """
    near = max(CEILING, 1.01 * step)
    return sum(_flat(side / side.max(), near) for side in (unit, -unit) if side.max() > 0) / len(unit)


def _flat(side: Floats, near: float) -> int:
    top = side >= 1 - near
    below = np.count_nonzero(side >= 1 - 2 * near) - np.count_nonzero(top)
    return _in_runs(top) if np.count_nonzero(top) > PILED * below else 0


def _in_runs(flags: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= FLAT_RUN].sum())


# ---- spectra: noise and bandwidth


@dataclass(frozen=True)
class _Frames:
    """Power spectra of a clip (frames, bins), scaled so that a row sums to the frame's mean square."""

    power: Samples
    step: float  # Hz between bins
    speech: NDArray[np.bool_]  # frames whose middle lies in speech
    pause: NDArray[np.bool_]  # frames well away from it


def _frames(samples: Floats, rate: int, speech: Spans) -> _Frames:
    import scipy.fft  # slow to import
    import scipy.signal  # slow to import

    size, hop = max(16, round(WINDOW * rate)), max(8, round(HOP * rate))
    padded = np.pad(samples, (0, max(0, size - len(samples)))).astype(np.float32)
    window = scipy.signal.get_window("hann", size).astype(np.float32)
    cut = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    level = cut.mean(axis=1, keepdims=True)  # per frame, so that digital silence stays zero
    spectrum = scipy.fft.rfft((cut - level) * window, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) * np.float32(2 / (size * float((window**2).sum())))
    power[:, : math.ceil(LOWEST * size / rate)] = 0
    middles = np.arange(len(power)) * hop + size // 2
    inside, beside = _touching(middles, speech, 0), _touching(middles, speech, round(PAUSE_MARGIN * rate))
    return _Frames(power, rate / size, inside, ~beside)


def _touching(middles: NDArray[np.int64], spans: Spans, margin: int) -> NDArray[np.bool_]:
    touched = np.zeros(len(middles), dtype=np.bool_)
    for start, end in spans:
        touched |= (middles >= start - margin) & (middles < end + margin)
    return touched


def _noise(frames: _Frames) -> float | None:
    """Mean power of the noise: from the pauses, or where these are few or gated, from each band's quiet moments."""
    energy = frames.power.sum(axis=1, dtype=np.float64)
    speech = energy[frames.speech].mean() if frames.speech.any() else energy.max()
    pause = energy[frames.pause & (energy > speech * GATED)]
    if len(pause) >= PAUSE_FRAMES:
        quiet = np.median(pause)  # speech that the detector missed must not count as noise
        return float(pause[pause <= 4 * quiet].mean())
    return _noise_inside(frames, energy > speech * GATED)


def _noise_inside(frames: _Frames, sounding: NDArray[np.bool_]) -> float | None:
    """Noise under speech without pauses, after minimum statistics (Martin 2001): a band of speech is often empty."""
    used = frames.power[(frames.speech & sounding) if (frames.speech & sounding).any() else sounding]
    if not len(used):
        return None
    edges = np.concatenate([[LOWEST], np.geomspace(200, max(400.0, min(8000.0, frames.step * used.shape[1])), 19)])
    starts = np.unique(np.minimum(np.searchsorted(np.arange(used.shape[1]) * frames.step, edges), used.shape[1] - 1))
    bands = np.add.reduceat(used, starts, axis=1)
    return float(np.quantile(bands, QUIET_QUANTILE, axis=0).sum() * QUIET_FACTOR)


def _snr(frames: _Frames, noise: float | None) -> float | None:
    """Speech over noise in dB, -20..100: the power while somebody speaks, less the noise's, over the noise's."""
    if noise is None or noise <= 0 or not frames.speech.any():
        return None
    both = float(frames.power[frames.speech].sum(axis=1, dtype=np.float64).mean())
    return min(100.0, _decibels(max(both - noise, noise / 100) / noise))


def _bandwidth(frames: _Frames) -> float | None:
    """The highest frequency that moves with speech, in Hz.

    A band counts if its loud moments (95 %) are within 65 dB of the strongest band and 10 dB over its quiet ones
    (10 %): steady noise and dither do not move. Three of the four bands up to it must count. Noise hides content, so
    a clip with white noise at 10 dB reads 3-7 kHz.
    """
    used = frames.power[frames.speech] if frames.speech.sum() >= PAUSE_FRAMES else frames.power
    wide = max(1, round(BAND / frames.step))
    count = used.shape[1] // wide
    if not count:
        return None
    bands = used[:, : count * wide].reshape(len(used), count, wide).sum(axis=2)
    low, high = 10 * np.log10(np.quantile(bands, [0.1, 0.95], axis=0) + 1e-20)
    good = (high - low >= MODULATION) & (high >= high.max() - DEPTH)
    voiced = np.flatnonzero(good & (np.convolve(good, np.ones(4))[:count] >= 3))
    return min(float(voiced[-1] + 1) * wide, used.shape[1] - 1.0) * frames.step if len(voiced) else None


# ---- pitch


def _pitch(unit: Floats, rate: int, speech: Spans) -> float | None:
    """Median F0 in Hz over the voiced frames of speech, by autocorrelation (Boersma 1993: divided by the window's own).

    The shortest lag within 10 % of the best is taken, against octave errors. None with fewer than five voiced frames.
    """
    spoken = [unit[max(0, start) : max(0, end)] for start, end in speech]
    sound = np.concatenate([*spoken, unit[:0]]).astype(np.float32)
    sound = soxr.resample(sound, rate, PITCH_RATE, quality="LQ") if len(sound) and rate != PITCH_RATE else sound
    size, hop = round(PITCH_FRAME * PITCH_RATE), round(PITCH_HOP * PITCH_RATE)
    if len(sound) < size:
        return None
    cut = np.lib.stride_tricks.sliding_window_view(sound, size)[::hop]
    cut = cut[cut.std(axis=1) > 0.1 * sound.std()]
    likeness = _autocorrelation(cut - cut.mean(axis=1, keepdims=True))
    low, high = round(PITCH_RATE / PITCH_HIGH), round(PITCH_RATE / PITCH_LOW)
    near = likeness[:, low - 1 : high + 2]
    peaks = np.where((near[:, 1:-1] >= near[:, :-2]) & (near[:, 1:-1] >= near[:, 2:]), near[:, 1:-1], 0.0)
    best = peaks.max(axis=1, initial=0.0)
    lag = low + (peaks >= 0.9 * best[:, None]).argmax(axis=1)[best >= VOICED]
    return float(PITCH_RATE / np.median(lag)) if len(lag) >= 5 else None


def _autocorrelation(frames: Samples) -> Samples:
    """Normalised autocorrelation of each row; 1 at lag 0, and at a period of a periodic sound."""
    import scipy.fft  # slow to import
    import scipy.signal  # slow to import

    size = frames.shape[1]
    window = scipy.signal.get_window("hann", size).astype(np.float32)
    both = np.concatenate([frames * window, window[None]])
    raw = scipy.fft.irfft(np.abs(scipy.fft.rfft(both, 2 * size, axis=1)) ** 2, axis=1)[:, : size // 2]
    scaled = raw / np.maximum(raw[:, :1], 1e-20)
    return np.asarray(scaled[:-1] / scaled[-1], dtype=np.float32)


def _decibels(power: float) -> float:
    return 10 * math.log10(max(power, 1e-30))
