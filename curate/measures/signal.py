"""Measure the sound of one clip: level, clipping, noise, bandwidth, pitch.

Nothing here raises on odd input, and nothing is NaN or infinite: what cannot be measured is None.
"""

from __future__ import annotations

import functools
import math
import statistics
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE, resample
from curate.measures import bandwidth, clipping, loudness
from curate.measures.decimation import LISTENING, Band, decimated
from curate.measures.spectra import (
    ENOUGH_FRAMES,
    LOWEST,
    Floats,
    Frames,
    Samples,
    Spans,
    cuts,
    finite,
    frames_of,
    hann,
    ones,
    power_of,
    quantiles,
)

# Raise it when an answer changes, here or in spectra, clipping and what it is made of, bandwidth or loudness: it enters
# the fingerprint.
VERSION = 14

NAMES = ("loudness", "peak", "clipped", "noise_floor", "snr", "bandwidth", "pitch")
SILENT = 1e-7  # a peak under -140 dBFS is digital silence
FLOOR = -120.0  # dBFS: under what 16 and 20 bits can hold
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
# Frames of pauses: fewer that are MISSED dB louder than what is found inside speech, or less than AS_SPEECH dB under
# what sounds while somebody speaks, hold speech that the detector missed.
SHORT_PAUSES, MISSED, AS_SPEECH = 20, 8.0, 4.0
# More of them hold missed speech where they are less than AS_SPEECH dB under what sounds while somebody speaks and
# MISSED_MORE dB louder than what is found inside speech, but a tenth of them no more than MISSED_REST dB louder.
MISSED_MORE, MISSED_REST = 6.0, 3.0
# Music rests and has parts that a gate takes for pauses; under speech it still fills the quiet moments of bands and
# the quietest frames (QUIETEST_QUANTILE). A mean of both in dB, the frames with FILLED_WEIGHT, times a factor is near
# the noise at 5 to 20 dB. Speech alone stands 15.5 dB and more over that in 589 of 590 clips (the other at 15.4); it
# counts where it is 2 dB over what was found otherwise.
FILLED_FACTOR, FILLED_WEIGHT, FILLED_SNR, FILLED_GAP = 1.5, 0.6, 15.5, 2.0
# A gate closes where music rests, so that neither pauses nor quiet moments hold its level. Its bass (under BASS Hz)
# does: voices have little there, and plosives are shorter than BASS_QUANTILE tells. Where pauses lie BASS_PAUSES dB
# under speech, and frames within CLOSED dB of them (or beside these) are less than CLOSED_SHARE of speech, a mean in dB
# of the bass (by BASS_WEIGHT) and of what fills the other frames counts if speech stands less than BASS_SNR over it:
# speech alone, and noise at 20 dB, lie beyond. BASS_LEVEL and BASS_FILLED: no less than so many dB under speech.
BASS, BASS_QUANTILE, BASS_WEIGHT, BASS_FACTOR = 70.0, 0.75, 0.65, 2.0
BASS_PAUSES, BASS_LEVEL, BASS_FILLED, BASS_SNR = 25.0, 23.5, 19.5, 17.0
CLOSED, CLOSED_SHARE = 6.0, 0.1
PITCH_RATE, PITCH_LOW, PITCH_HIGH = 8000, 60.0, 420.0  # Hz
PITCH_BAND = Band(PITCH_RATE, 3300.0, 4700.0, 60.0)
PITCH_FRAME, PITCH_HOP, PITCH_LEAST = 0.05, 0.04, 3  # seconds: three periods of the lowest pitch; frames
VOICED = 0.6  # normalised autocorrelation of a voiced frame


def measure(samples: Samples, rate: int, speech: Spans, *, listening: Samples | None = None) -> dict[str, float | None]:
    """Every measure of one clip; `speech` holds the spans of speech in samples of the clip.

    `listening`: the same at LISTENING_RATE, for a clip of a higher rate, where somebody has made it already.

    loudness (LUFS), peak (linear), clipped (share 0..1), noise_floor (dBFS), snr (dB), bandwidth (Hz), pitch (Hz).
    """
    clean = finite(samples)
    peak = float(max(clean.max(initial=0.0), -clean.min(initial=0.0)))
    if peak < SILENT or rate <= 0:
        return dict.fromkeys(NAMES)
    unit = clean / np.float32(peak)  # so that no level can overflow
    if rate <= LISTENING_RATE:
        narrow, at, spoken = unit, rate, speech
    else:
        narrow, at = finite(decimated(clean, rate, LISTENING) if listening is None else listening), LISTENING_RATE
        narrow = narrow / np.float32(peak)
        spoken = [(round(start * at / rate), round(end * at / rate)) for start, end in speech]
    level = 20 * math.log10(peak)
    frames = frames_of(unit, rate, speech)
    noise = _noise(frames)
    values = {
        "loudness": loudness.integrated(unit, rate, level),
        "peak": peak,
        "clipped": clipping.share(unit, rate, 1 / (32768 * peak), narrow),
        "noise_floor": None if noise is None else max(FLOOR, _decibels(noise) + level),
        "snr": _snr(frames, noise),
        "bandwidth": bandwidth.highest(frames),
        "pitch": _pitch(narrow, at, spoken),
    }
    return {name: value if value is not None and math.isfinite(value) else None for name, value in values.items()}


# ---- noise


def _noise(frames: Frames) -> float | None:
    """Mean power of the noise: from the pauses, or where these are few or gated, from each band's quiet moments.

    A gate, or a suppressor, that turns pauses down leaves the noise under speech as it was, and that is what is heard.
    """
    speech = float(frames.energy.max()) if frames.speech_energy is None else frames.speech_energy
    inside = _noise_inside(frames, frames.energy > speech * GATED, speech)
    if inside is None:
        return None
    noise = _noise_of_pauses(frames, inside, speech)
    filled = inside.filled if inside.filled * 10 ** (FILLED_SNR / 10) > speech else 0.0
    noise = filled if filled > noise * 10 ** (FILLED_GAP / 10) and frames.speech_energy is not None else noise
    return max(noise, _noise_of_bass(frames, inside, speech))


def _noise_of_bass(frames: Frames, inside: Inside, speech: float) -> float:
    """Mean power of music whose rests a gate has closed, by its bass under speech of that mean power; 0 for none."""
    pause = frames.energy[frames.pause]
    if len(pause) < FEW_PAUSES or frames.speech_energy is None:
        return 0.0
    floor = max(float(quantiles(pause, (0.5,))[0]), speech * GATED)
    if floor * 10 ** (BASS_PAUSES / 10) > speech:
        return 0.0
    bass = float(quantiles(frames.spoken[: math.ceil(BASS / frames.step)].sum(axis=0), (BASS_QUANTILE,))[0])
    if bass * 10 ** (BASS_LEVEL / 10) < speech:
        return 0.0
    closed = frames.energy < floor * 10 ** (CLOSED / 10)
    beside = np.convolve(closed, (1, 1, 1), "same") > 0
    share = float(beside[frames.speech].mean())
    if share >= CLOSED_SHARE:
        return 0.0
    held = _noise_inside(frames, ~beside, speech) if share else inside
    if held is None or held.filled * 10 ** (BASS_FILLED / 10) < speech:
        return 0.0
    level = held.filled ** (1 - BASS_WEIGHT) * bass**BASS_WEIGHT
    return level * BASS_FACTOR if level * 10 ** (BASS_SNR / 10) > speech else 0.0


def _noise_of_pauses(frames: Frames, inside: Inside, speech: float) -> float:
    """Mean power of the noise by the pauses, or that inside speech where these are few, hold speech or are gated."""
    pause = frames.energy[frames.pause & (frames.energy > speech * GATED)]
    if len(pause) < FEW_PAUSES:
        return inside.moving
    quiet = quantiles(pause, (0.5,))[0]  # speech that the detector missed must not count as noise
    between = float(pause[pause <= 4 * quiet].mean())
    loudest = min(inside.steady * 10 ** (MISSED / 10), speech / 10 ** (AS_SPEECH / 10))
    if len(pause) < SHORT_PAUSES and between > loudest:
        return inside.moving
    if len(pause) < ENOUGH_FRAMES:
        return max(between, inside.moving)
    if between > max(inside.moving * 10 ** (MISSED_MORE / 10), speech / 10 ** (AS_SPEECH / 10)):
        rest = quantiles(pause, (0.1,))[0]
        if rest < inside.moving * 10 ** (MISSED_REST / 10):
            return inside.moving
    least = GATE_STILL_SNR if inside.spread < GATE_STILL else GATE_SNR
    gated = (
        inside.steady > between * 10 ** (GATE_GAP / 10) and inside.steady * 10 ** (least / 10) > speech - inside.steady
    )
    return max(inside.steady * GATED_FACTOR, inside.moving) if gated and frames.speech_energy is not None else between


class Inside(NamedTuple):
    """Noise under speech, found without pauses."""

    steady: float  # mean power, if it were steady
    moving: float  # mean power, steady or not
    spread: float  # dB from the quietest moments of its bands to the louder ones
    filled: float  # mean power, if it fills the quiet moments of bands and whole frames


def _noise_inside(frames: Frames, sounding: NDArray[np.bool_], speech: float) -> Inside | None:
    """Noise under speech of that mean power, after minimum statistics (Martin 2001): bands are often empty."""
    chosen = sounding[frames.speech]
    if chosen.any():
        power, energy = frames.spoken, frames.energy[frames.speech]
    else:
        power, energy, chosen = frames.power.T, frames.energy, sounding
    if not chosen.any():
        return None
    bands = _bands(frames.step, len(power)) @ power
    if not chosen.all():
        bands, energy = bands[:, chosen], energy[chosen]
    powers = quantiles(bands, (QUIETEST_QUANTILE, QUIET_QUANTILE, LOUDER_QUANTILE)).sum(axis=1)
    quietest, quiet, louder = (_decibels(float(power)) for power in powers)
    steady = float(powers[1] * QUIET_FACTOR)
    over = _decibels(max(speech - steady, steady / 100) / max(steady, 1e-30))
    moves = _ramp(quiet - quietest, MOVING) * _ramp(louder - quiet, CLOSE) * _ramp(over, NOISY)
    moving = float(powers[2] * LOUDER_FACTOR)
    quietest_frame = float(quantiles(energy, (QUIETEST_QUANTILE,))[0])
    filled = FILLED_FACTOR * float(powers[1]) ** (1 - FILLED_WEIGHT) * quietest_frame**FILLED_WEIGHT
    return Inside(steady, steady * (moving / steady) ** moves if steady > 0 else steady, louder - quietest, filled)


def _ramp(value: float, bounds: tuple[float, float]) -> float:
    """0 at the first bound and before it, 1 at the second and beyond, linear between."""
    return min(1.0, max(0.0, (value - bounds[0]) / (bounds[1] - bounds[0])))


@functools.cache
def _bands(step: float, bins: int) -> Samples:
    """(bands, bins): which bins, `step` Hz apart, are in each of up to 20 bands, evenly spaced by logarithm."""
    edges = np.concatenate([[LOWEST], np.geomspace(200, max(400.0, min(8000.0, step * bins)), 19)])
    starts = np.unique(np.minimum(np.searchsorted(np.arange(bins) * step, edges), bins - 1))
    band = np.searchsorted(starts, np.arange(bins), "right") - 1
    return np.asarray(band == np.arange(len(starts))[:, None], dtype=np.float32)


def _snr(frames: Frames, noise: float | None) -> float | None:
    """Speech over noise in dB, -20..100: the power while somebody speaks, less the noise's, over the noise's."""
    if noise is None or noise <= 0 or frames.speech_energy is None:
        return None
    return min(100.0, _decibels(max(frames.speech_energy - noise, noise / 100) / noise))


# ---- pitch


def _pitch(unit: Samples, rate: int, speech: Spans) -> float | None:
    """Median F0 in Hz over the voiced frames of speech; None with fewer than three of them."""
    lag = (PITCH_RATE / pitches(unit, rate, speech)).tolist()
    return PITCH_RATE / statistics.median(lag) if len(lag) >= PITCH_LEAST else None


def pitches(unit: Samples, rate: int, speech: Spans) -> Floats:
    """F0 in Hz of each voiced frame of speech, by autocorrelation (Boersma 1993: divided by the window's own).

    The shortest lag within 10 % of the best is taken, against octave errors. `unit` has a peak of about 1.
    """
    sound = np.concatenate([unit[:0], *(unit[max(0, start) : max(0, end)] for start, end in speech)])
    if len(sound) and rate != PITCH_RATE:
        sound = decimated(sound, rate, PITCH_BAND) if rate > PITCH_RATE else resample(sound, rate, PITCH_RATE)
    size, hop = round(PITCH_FRAME * PITCH_RATE), round(PITCH_HOP * PITCH_RATE)
    if len(sound) < size:
        return np.zeros(0)
    cut = cuts(sound, size, hop)
    means = np.vecdot(cut, ones(size)) / np.float32(size)
    powers = np.vecdot(cut, cut) / np.float32(size) - np.square(means)
    mean = float(sound.sum()) / len(sound)
    loud = powers > 0.01 * (float(sound @ sound) / len(sound) - mean * mean)
    frames = cut[loud]
    frames -= means[loud, None]
    low, high = round(PITCH_RATE / PITCH_HIGH), round(PITCH_RATE / PITCH_LOW)
    near = _autocorrelation(frames, low - 1, high + 2)
    inner = near[:, 1:-1]
    peaks = np.where((inner >= near[:, :-2]) & (inner >= near[:, 2:]), inner, np.float32(0))
    best = peaks.max(axis=1, initial=0.0)
    lag = low + (peaks >= np.float32(0.9) * best[:, None]).argmax(axis=1)[best >= VOICED]
    return np.asarray(PITCH_RATE / lag, dtype=np.float64)


def _autocorrelation(frames: Samples, first: int, end: int) -> Samples:
    """Normalised autocorrelation of each row at lags first..end; 1 at lag 0, and at a period of a periodic sound."""
    import scipy.fft  # slow to import

    size = scipy.fft.next_fast_len(frames.shape[1] + end, real=True)  # longer lags may wrap around
    power = power_of(scipy.fft.rfft(frames * hann(frames.shape[1]), size, axis=1, overwrite_x=True))
    near = power @ _back(frames.shape[1], size, first, end)  # half the time of a transform, which has all lags
    return np.asarray(near[:, 1:] / np.maximum(near[:, :1], 1e-20))


@functools.cache
def _back(frame: int, size: int, first: int, end: int) -> Samples:
    """(bins, lags): from power spectra to autocorrelation at lag 0 and first..end, divided by the window's."""
    places = np.arange(size // 2 + 1)[:, None]
    waves = np.cos(2 * np.pi * places * np.array([0, *range(first, end)]) / size)
    waves *= np.where((places == 0) | (2 * places == size), 1, 2)
    window = np.abs(np.fft.rfft(hann(frame).astype(np.float64), size)) ** 2 @ waves
    return np.asarray(waves / (window / window[0]), dtype=np.float32)


def _decibels(power: float) -> float:
    return 10 * math.log10(max(power, 1e-30))
