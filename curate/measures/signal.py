"""Measure the sound of one clip: level, clipping, noise, bandwidth, pitch.

Nothing here raises on odd input, and nothing is NaN or infinite: what cannot be measured is None.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray

from curate.measures import bandwidth, clipping
from curate.measures.spectra import ENOUGH_FRAMES, LOWEST, Floats, Frames, Samples, Spans, frames_of

# Raise it when an answer changes, here or in spectra, clipping or bandwidth: it enters the fingerprint.
VERSION = 5

NAMES = ("loudness", "peak", "clipped", "noise_floor", "snr", "bandwidth", "pitch")
SILENT = 1e-7  # a peak under -140 dBFS is digital silence
FLOOR = -120.0  # dBFS: under what 16 and 20 bits can hold
BLOCK, BLOCK_STEP = 0.4, 0.1  # seconds, of BS.1770
GATED = 1e-9  # 90 dB under speech: a gate or a synthesiser, not the room
# Noise inside speech: this quantile over time in each band, times the factor that makes it the mean of steady noise
# (found on Zeroth + white noise, 10-30 dB; between pauses it is within 3 dB of the truth for white and pink noise).
QUIET_QUANTILE, QUIET_FACTOR = 0.15, 1.4
# Babble and music move, so that their quiet moments are 4 to 8 dB under their mean: where the quiet moments of bands
# differ among themselves as those of no steady noise do, and still lie close under the louder ones, as those of speech
# in quiet do not, the noise is LOUDER_QUANTILE times its factor instead. Each pair: nothing of it, all of it.
QUIETEST_QUANTILE, LOUDER_QUANTILE, LOUDER_FACTOR = 0.05, 0.3, 1.32
MOVING = (2.4, 3.6)  # dB from QUIETEST to QUIET: white 1.0-1.5, pink 1.7-2.4, babble 3.7-4.7, music 4.6-6.5
CLOSE = (5.8, 4.3)  # dB from QUIET to LOUDER: under 10 dB of SNR 1-4, clean speech 7-19
NOISY = (15.5, 13.0)  # dB of speech over the quiet moments: clean speech 16 and more where the two above hold
# A gate or a suppressor turned the pauses down where they are this much quieter than the noise under speech (dB), and
# that noise is at an SNR that can be heard inside speech at all: clean speech reads 24 and more there, synthesised
# voices 15.5 to 17.
GATE_GAP, GATE_SNR = 6.0, 15.4
# A little more where the bands move less than those of speech alone do: from QUIETEST to LOUDER babble and music at a
# true 10 dB have 8-10.4 dB, synthesised voices at that SNR 13.5 and more, so does clean speech.
GATE_STILL, GATE_STILL_SNR = 11.5, 17.0
GATED_FACTOR = 1.5  # what is found inside speech is the quiet part of a noise that moves: babble is 4-5 dB louder
FEW_PAUSES = 4  # frames: their noise counts if it is louder than what is found inside speech
# Frames of pauses, and dB over what is found inside speech: fewer that are louder hold speech that the detector missed.
SHORT_PAUSES, MISSED = 20, 17.0
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
    frames = frames_of(unit, rate, speech)
    noise = _noise(frames)
    values = {
        "loudness": loudness(clean, rate),
        "peak": peak,
        "clipped": clipping.share(unit, rate, 1 / (32768 * peak)),
        "noise_floor": None if noise is None else max(FLOOR, _decibels(noise) + level),
        "snr": _snr(frames, noise),
        "bandwidth": bandwidth.highest(frames),
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


# ---- noise


def _noise(frames: Frames) -> float | None:
    """Mean power of the noise: from the pauses, or where these are few or gated, from each band's quiet moments.

    A gate, or a suppressor, that turns pauses down leaves the noise under speech as it was, and that is what is heard.
    """
    energy = frames.power.sum(axis=1, dtype=np.float64)
    speech = energy[frames.speech].mean() if frames.speech.any() else energy.max()
    pause = energy[frames.pause & (energy > speech * GATED)]
    inside = _noise_inside(frames, energy > speech * GATED, speech)
    if len(pause) < FEW_PAUSES or inside is None:
        return None if inside is None else inside.moving
    quiet = np.median(pause)  # speech that the detector missed must not count as noise
    between = float(pause[pause <= 4 * quiet].mean())
    if len(pause) < SHORT_PAUSES and between > inside.steady * 10 ** (MISSED / 10):
        return inside.moving
    if len(pause) < ENOUGH_FRAMES:
        return max(between, inside.moving)
    least = GATE_STILL_SNR if inside.spread < GATE_STILL else GATE_SNR
    gated = (
        inside.steady > between * 10 ** (GATE_GAP / 10) and inside.steady * 10 ** (least / 10) > speech - inside.steady
    )
    return max(inside.steady * GATED_FACTOR, inside.moving) if gated and frames.speech.any() else between


class Inside(NamedTuple):
    """Noise under speech, found without pauses."""

    steady: float  # mean power, if it were steady
    moving: float  # mean power, steady or not
    spread: float  # dB from the quietest moments of its bands to the louder ones


def _noise_inside(frames: Frames, sounding: NDArray[np.bool_], speech: float) -> Inside | None:
    """Noise under speech of that mean power, after minimum statistics (Martin 2001): bands are often empty."""
    used = frames.power[(frames.speech & sounding) if (frames.speech & sounding).any() else sounding]
    if not len(used):
        return None
    edges = np.concatenate([[LOWEST], np.geomspace(200, max(400.0, min(8000.0, frames.step * used.shape[1])), 19)])
    starts = np.unique(np.minimum(np.searchsorted(np.arange(used.shape[1]) * frames.step, edges), used.shape[1] - 1))
    bands = np.add.reduceat(used, starts, axis=1)
    quantiles = np.quantile(bands, [QUIETEST_QUANTILE, QUIET_QUANTILE, LOUDER_QUANTILE], axis=0)
    quietest, quiet, louder = (_decibels(float(power.sum())) for power in quantiles)
    steady = float(quantiles[1].sum() * QUIET_FACTOR)
    over = _decibels(max(speech - steady, steady / 100) / max(steady, 1e-30))
    moves = _ramp(quiet - quietest, MOVING) * _ramp(louder - quiet, CLOSE) * _ramp(over, NOISY)
    moving = float(quantiles[2].sum() * LOUDER_FACTOR)
    return Inside(steady, steady * (moving / steady) ** moves if steady > 0 else steady, louder - quietest)


def _ramp(value: float, bounds: tuple[float, float]) -> float:
    """0 at the first bound and before it, 1 at the second and beyond, linear between."""
    return min(1.0, max(0.0, (value - bounds[0]) / (bounds[1] - bounds[0])))


def _snr(frames: Frames, noise: float | None) -> float | None:
    """Speech over noise in dB, -20..100: the power while somebody speaks, less the noise's, over the noise's."""
    if noise is None or noise <= 0 or not frames.speech.any():
        return None
    both = float(frames.power[frames.speech].sum(axis=1, dtype=np.float64).mean())
    return min(100.0, _decibels(max(both - noise, noise / 100) / noise))


# ---- pitch


def _pitch(unit: Floats, rate: int, speech: Spans) -> float | None:
    """Median F0 in Hz over the voiced frames of speech; None with fewer than five of them."""
    lag = PITCH_RATE / pitches(unit, rate, speech)
    return float(PITCH_RATE / np.median(lag)) if len(lag) >= 5 else None


def pitches(unit: Floats, rate: int, speech: Spans) -> Floats:
    """F0 in Hz of each voiced frame of speech, by autocorrelation (Boersma 1993: divided by the window's own).

    The shortest lag within 10 % of the best is taken, against octave errors. `unit` has a peak of about 1.
    """
    spoken = [unit[max(0, start) : max(0, end)] for start, end in speech]
    sound = np.concatenate([*spoken, unit[:0]]).astype(np.float32)
    sound = soxr.resample(sound, rate, PITCH_RATE, quality="LQ") if len(sound) and rate != PITCH_RATE else sound
    size, hop = round(PITCH_FRAME * PITCH_RATE), round(PITCH_HOP * PITCH_RATE)
    if len(sound) < size:
        return np.zeros(0)
    cut = np.lib.stride_tricks.sliding_window_view(sound, size)[::hop]
    cut = cut[cut.std(axis=1) > 0.1 * sound.std()]
    likeness = _autocorrelation(cut - cut.mean(axis=1, keepdims=True))
    low, high = round(PITCH_RATE / PITCH_HIGH), round(PITCH_RATE / PITCH_LOW)
    near = likeness[:, low - 1 : high + 2]
    peaks = np.where((near[:, 1:-1] >= near[:, :-2]) & (near[:, 1:-1] >= near[:, 2:]), near[:, 1:-1], 0.0)
    best = peaks.max(axis=1, initial=0.0)
    lag = low + (peaks >= 0.9 * best[:, None]).argmax(axis=1)[best >= VOICED]
    return np.asarray(PITCH_RATE / lag, dtype=np.float64)


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
