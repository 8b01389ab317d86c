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
VERSION = 2  # raise it when an answer changes: it enters the fingerprint

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
# A gate or a suppressor turned the pauses down where they are this much quieter than the noise under speech (dB), and
# that noise is at an SNR that can be heard inside speech at all: clean speech reads 24 and more there.
GATE_GAP, GATE_SNR = 6.0, 20.0
GATED_FACTOR = 1.5  # what is found inside speech is the quiet part of a noise that moves: babble is 4-5 dB louder
FEW_PAUSES = 4  # frames: their noise counts if it is louder than what is found inside speech
BAND = 125.0  # Hz: step of the bandwidth
DEPTH = 65.0  # dB under the strongest band: what is weaker is not heard beside it
HIDING = 52.0  # dB under the strongest band: steady noise louder than this may hide speech, at an SNR up to 20 dB
# Images of what lies below a fold, where speech was brought up to a higher rate without a good filter (see `_images`).
FOLDS = (4000.0, 5512.5, 6000.0, 8000.0, 11_025.0, 12_000.0)  # Hz: half of the rates that speech is stored at
MIRRORED = 1.6  # dB: images differ by 0.0-1.1 (MP3 of images 0.2-1.1), speech above and below a fold by 2.1 and more
OWN, NEIGHBOUR = 0.7, 2  # of the deviation against the band that many further on, which images stay under
IMAGE_WIDTH, IMAGE_GAP = 1500.0, 125.0  # Hz beside the fold that is compared, and next to it that is not
IMAGE_LOUD, IMAGE_DEPTH = 25.0, 60.0  # dB under a band's loud moments, and under the loudest of all
IMAGE_FRAMES = 8  # fewer loud frames of a band say nothing
MODULATION = 10.0  # dB between loud and quiet moments: speech moves by 15-50, steady noise by 3-6 (32 ms, 125 Hz)
CEILING, PILED = 0.01, 3  # see `_flat_share`: a sine has 2.4 times as much in its top 1 % as in the next
FLAT_RUN = 3  # samples: two equal neighbours happen at any peak
# Straight tops, see `_straight_share`. Tuned on 39 Korean pieces of 3 s clipped at +6..+18 dB, then resampled, filtered
# or coded, against 88 clean pieces in six languages and the same through compressors and limiters: clean and limited
# ones stay under 0.087, and clean ones have a ceiling of at least 2.0 (mostly 2.5) times their frames' peaks.
STRAIGHT_RATE = 16_000
STRAIGHT, EVEN_PEAKS = 0.088, 2.2
STRAIGHT_TOP, STRAIGHT_BEND = 0.7, 0.1  # of a half-wave's peak; of its sharpest bend
SLOPE = 2.2  # a line that goes on as long again below the top is a slope, as a sawtooth has
LOUD_LOBES, LOUDEST_LOBES, LOBE = 0.6, 0.85, 5  # of the peak that 2 % of half-waves pass; samples
PEAK_FRAME = 0.02  # seconds
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
        "clipped": max(_flat_share(unit, 1 / (32768 * peak)), _straight_share(unit, rate)),
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


def _flat_share(unit: Floats, step: float) -> float:
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


def _straight_share(unit: Floats, rate: int) -> float:
    """The share of samples in straight tops, where a clip looks clipped although its tops are no longer flat.

    Resampling, a high-pass or a codec tilt and ripple a flat top, so that no two samples are equal. It stays straight
    between two bends: in the half-waves near the ceiling, the longest run in which the second difference stays under a
    tenth of the half-wave's largest is long (a sine's bends most at its top). A limiter makes peaks as even as clipping
    does, but leaves them round; so both are asked for: straight tops, and a ceiling close to the peaks of 20 ms frames.
    """
    sound = unit if rate <= STRAIGHT_RATE else soxr.resample(unit, rate, STRAIGHT_RATE, quality="HQ")
    sound = sound - (sound.mean() if len(sound) else 0.0)  # a few samples at a high rate are none at this one
    level = np.abs(sound)
    size = max(1, round(PEAK_FRAME * min(rate, STRAIGHT_RATE)))
    peaks = level[: len(level) // size * size].reshape(-1, size).max(axis=1)
    if not len(peaks) or level.max() >= EVEN_PEAKS * math.sqrt(np.mean(peaks**2)):
        return 0.0
    starts = np.concatenate([[0], np.flatnonzero(np.diff(np.signbit(sound).astype(np.int8))) + 1])
    lengths = np.diff(np.append(starts, len(sound)))
    tops = np.maximum.reduceat(level, starts)
    loud = tops >= LOUD_LOBES * np.quantile(tops[tops > 0.1 * level.max()], 0.98)
    loudest = tops >= LOUDEST_LOBES * np.quantile(tops[tops > 0.1 * level.max()], 0.98)
    runs = _straight_runs(sound, level, starts, lengths, tops)
    loud, loudest = loud & (lengths >= LOBE), loudest & (lengths >= LOBE)
    straight = runs[loudest].sum() / max(1, lengths[loudest].sum())
    return float(runs[loud].sum() / len(sound)) if straight > STRAIGHT else 0.0


def _straight_runs(
    sound: Floats, level: Floats, starts: NDArray[np.int64], lengths: NDArray[np.int64], tops: Floats
) -> NDArray[np.int64]:
    """For each half-wave its longest run of samples near its top and without a bend that ends near the top too."""
    bend = np.abs(np.pad(np.diff(sound, 2), 1)) if len(sound) > 2 else np.zeros_like(sound)
    sharpest = np.maximum.reduceat(bend, starts)
    wave = np.repeat(np.arange(len(starts)), lengths)
    even = bend < STRAIGHT_BEND * sharpest[wave]
    top = even & (level >= STRAIGHT_TOP * tops[wave])
    lengths_of_even, lengths_of_top = _run_lengths(even, wave), _run_lengths(top, wave)
    top &= lengths_of_even <= SLOPE * lengths_of_top
    longest = np.zeros(len(starts), dtype=np.int64)
    np.maximum.at(longest, wave[top], lengths_of_top[top])
    return longest


def _run_lengths(flags: NDArray[np.bool_], wave: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each flagged sample the length of its run within its half-wave; 0 elsewhere."""
    first = flags.copy()
    first[1:] &= ~(flags[:-1] & (wave[1:] == wave[:-1]))
    run = np.cumsum(first) - 1
    lengths = np.zeros(len(flags), dtype=np.int64)
    if flags.any():
        lengths[flags] = np.bincount(run[flags])[run[flags]]
    return lengths


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
    """Mean power of the noise: from the pauses, or where these are few or gated, from each band's quiet moments.

    A gate, or a suppressor, that turns pauses down leaves the noise under speech as it was, and that is what is heard.
    """
    energy = frames.power.sum(axis=1, dtype=np.float64)
    speech = energy[frames.speech].mean() if frames.speech.any() else energy.max()
    pause = energy[frames.pause & (energy > speech * GATED)]
    inside = _noise_inside(frames, energy > speech * GATED)
    if len(pause) < FEW_PAUSES or inside is None:
        return inside
    quiet = np.median(pause)  # speech that the detector missed must not count as noise
    between = float(pause[pause <= 4 * quiet].mean())
    if len(pause) < PAUSE_FRAMES:
        return max(between, inside)
    gated = inside > between * 10 ** (GATE_GAP / 10) and inside * 10 ** (GATE_SNR / 10) > speech - inside
    return inside * GATED_FACTOR if gated and frames.speech.any() else between


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
    """The highest frequency that moves with speech, or that speech may reach under noise, in Hz.

    A band counts if its loud moments (95 %) are within 65 dB of the strongest band and 10 dB over its quiet ones
    (10 %): steady noise and dither do not move. It also counts where its quiet moments are loud enough to hide speech:
    nothing shows then that it ends below. Three of the four bands up to it must count. Images do not.
    """
    used = frames.power[frames.speech] if frames.speech.sum() >= PAUSE_FRAMES else frames.power
    wide = max(1, round(BAND / frames.step))
    count = used.shape[1] // wide
    if not count:
        return None
    bands = used[:, : count * wide].reshape(len(used), count, wide).sum(axis=2)
    low, high = 10 * np.log10(np.quantile(bands, [0.1, 0.95], axis=0) + 1e-20)
    strongest = high.max()
    good = (high - low >= MODULATION) & (high >= strongest - DEPTH) | (low >= strongest - HIDING)
    filled = np.flatnonzero(good & (np.convolve(good, np.ones(4))[:count] >= 3))
    if not len(filled):
        return None
    top = min(float(filled[-1] + 1) * wide, used.shape[1] - 1.0) * frames.step
    return next((fold for fold in FOLDS if fold + 2 * IMAGE_GAP < top and _images(used, frames.step, fold)), top)


def _images(power: Samples, step: float, fold: float) -> bool:
    """Whether what lies above a fold is the mirror image of what lies below, as after bad resampling.

    Linear interpolation, repeated samples and stuffed zeros leave |X(fold + d)| = g(d) |X(fold - d)| in every frame,
    with a gain g that does not change: the level of a band above moves exactly as that of its mirror band. Speech does
    not. Compared is the median over bands of 125 Hz of the median deviation over the loud frames of each, in dB, with
    that against a band two further on: where all bands move together, as in a synthetic tone, nothing is an image.
    """
    top = step * (power.shape[1] - 1)
    steps = int((min(top - fold, fold - 300, IMAGE_WIDTH) - IMAGE_GAP) // BAND)
    if steps < 3:
        return False
    edges = IMAGE_GAP + BAND * np.arange(steps + 1, dtype=np.float64)
    above, below = _between(power, step, fold + edges), _between(power, step, (fold - edges)[::-1])[:, ::-1]
    high, low = 10 * np.log10(above + 1e-20), 10 * np.log10(below + 1e-20)
    mirrored = _moved(high, low)
    return mirrored < min(MIRRORED, OWN * _moved(high[:, :-NEIGHBOUR], low[:, NEIGHBOUR:]))


def _moved(high: Floats, low: Floats) -> float:
    """How much the level of a band moves against that of its partner: dB, infinite where no band is loud enough."""
    loud = (low >= np.quantile(low, 0.95, axis=0) - IMAGE_LOUD) & (low >= low.max() - IMAGE_DEPTH)
    apart = np.where(loud, high - low, np.nan)[:, loud.sum(axis=0) >= IMAGE_FRAMES]
    if not apart.shape[1]:
        return math.inf
    return float(np.median(np.nanmedian(np.abs(apart - np.nanmedian(apart, axis=0)), axis=0)))


def _between(power: Samples, step: float, edges: Floats) -> Floats:
    """Power (frames, len(edges) - 1) between frequencies in Hz that need not be those of bins."""
    total = np.pad(np.cumsum(power, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    place = np.clip(edges / step + 0.5, 0, power.shape[1])  # bin k reaches from k - 0.5 to k + 0.5 steps
    whole = np.minimum(place.astype(np.int64), power.shape[1] - 1)
    share = place - whole
    parts = np.diff(total[:, whole] * (1 - share) + total[:, whole + 1] * share, axis=1)
    return np.asarray(np.maximum(parts, 0.0))


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
