"""What happens to recordings, done on purpose: coders, filters, limiters, gates, noises, rooms. Mono, float64."""

import io
import math
from fractions import Fraction

import av
import av.filter
import numpy as np
import scipy.signal
import soxr
from numpy.typing import NDArray

from curate import audio

Sound = NDArray[np.float64]
Spans = list[tuple[int, int]]


def resampled(samples: Sound, rate: int, to: int) -> Sound:
    """By a good resampler."""
    return audio.resample(samples.astype(np.float32), rate, to).astype(np.float64)


RESAMPLERS = ("soxr VHQ", "soxr HQ", "soxr MQ", "soxr LQ", "polyphase", "short polyphase", "Fourier")


def resampled_by(name: str, samples: Sound, rate: int, to: int) -> Sound:
    """By one of RESAMPLERS: steep and short filters, and none at all."""
    if name.startswith("soxr"):
        return np.asarray(soxr.resample(samples, rate, to, quality=name.removeprefix("soxr ")))
    if name == "Fourier":
        return np.asarray(scipy.signal.resample(samples, round(len(samples) * to / rate)))
    ratio = Fraction(to, rate)
    window = ("kaiser", 2.5 if name.startswith("short") else 5.0)
    return np.asarray(scipy.signal.resample_poly(samples, ratio.numerator, ratio.denominator, window=window))


def high_passed(samples: Sound, rate: int, hertz: float = 80, order: int = 2) -> Sound:
    """Through a Butterworth high-pass."""
    sections = scipy.signal.butter(order, hertz, "high", fs=rate, output="sos")
    return np.asarray(scipy.signal.sosfilt(sections, samples))


def evenly_high_passed(samples: Sound, rate: int, hertz: float = 80, seconds: float = 0.1) -> Sound:
    """Through a high-pass of linear phase and so many seconds, its delay taken back: no frequency is shifted."""
    taps = -scipy.signal.firwin(round(seconds * rate) | 1, hertz, fs=rate)
    taps[len(taps) // 2] += 1
    return np.asarray(scipy.signal.fftconvolve(samples, taps, "same"))


def coded(samples: Sound, rate: int, codec: str, kilobits: int) -> Sound:
    """Through a coder (mp3, aac, opus) and back, at the same rate; quieter where it would not fit."""
    name, container, form = {
        "mp3": ("libmp3lame", "mp3", "fltp"),
        "aac": ("aac", "adts", "fltp"),
        "opus": ("libopus", "ogg", "flt"),
    }[codec]
    at = 48_000 if codec == "opus" else rate
    fitting = resampled(samples / max(1.0, float(np.abs(samples).max())), rate, at)
    stored = io.BytesIO()
    with av.open(stored, "w", format=container) as file:
        stream = file.add_stream(name, rate=at, layout="mono", bit_rate=kilobits * 1000)
        queue = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(fitting.astype(np.float32)[None], format=form, layout="mono")
        frame.rate = at
        queue.write(frame)
        while (part := queue.read(stream.frame_size or 1024, partial=True)) is not None:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    stored.seek(0)
    with av.open(stored) as file:
        back = np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)])
    return resampled(back.astype(np.float64), at, rate)


def filtered(samples: Sound, rate: int, *chain: tuple[str, str]) -> Sound:
    """Through FFmpeg's filters, each a name and its options."""
    graph = av.filter.Graph()
    nodes = [graph.add_abuffer(sample_rate=rate, format="dbl", layout="mono", time_base=Fraction(1, rate))]
    nodes += [graph.add(name, options) for name, options in chain]
    nodes += [graph.add("aformat", "sample_fmts=dbl:channel_layouts=mono"), graph.add("abuffersink")]
    graph.link_nodes(*nodes).configure()
    frame = av.AudioFrame.from_ndarray(samples[None], format="dbl", layout="mono")
    frame.rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    graph.push(frame)
    graph.push(None)
    out = []
    while True:
        try:
            out.append(graph.pull().to_ndarray().ravel())
        except (av.error.EOFError, av.error.BlockingIOError):
            return np.concatenate(out)


def louder(samples: Sound, decibels: float) -> Sound:
    """So many dB over a peak of one."""
    return samples / np.abs(samples).max() * 10 ** (decibels / 20)


LEVELLERS: dict[str, tuple[str, str]] = {
    "compressor 4:1": ("acompressor", "threshold=0.06:ratio=4:attack=5:release=60:makeup=3"),
    "compressor 12:1, 1 ms": ("acompressor", "threshold=0.1:ratio=12:attack=1:release=30:makeup=4"),
    "limiter, 12 dB in": ("alimiter", "level_in=4:attack=5:release=50:level=0"),
    "limiter, 12 dB in, 1 ms": ("alimiter", "level_in=4:attack=1:release=20:level=0"),
    "limiter, 15 dB in, 0.2 ms": ("alimiter", "level_in=5.6:attack=0.2:release=2:level=0:asc=1"),
    "levelled": ("dynaudnorm", "f=150:g=7:m=20"),
    "levelled wave by wave": ("speechnorm", "e=12:r=0.01:f=0.01"),
}


def levelled(samples: Sound, rate: int, name: str) -> Sound:
    """Through a compressor or a limiter of FFmpeg's, from a peak of 0.9."""
    return np.clip(filtered(louder(samples, -0.9), rate, LEVELLERS[name]), -1, 1)


def power_noise(random: np.random.Generator, size: int, exponent: float, rate: int, lowest: float = 20.0) -> Sound:
    """Noise whose power falls with frequency to an exponent (0 white, 1 pink, 2 brown), from `lowest` Hz up."""
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    shape = np.where(frequencies < lowest, 0.0, np.maximum(frequencies, lowest) ** (-exponent / 2))
    spectrum = shape * (random.normal(size=len(shape)) + 1j * random.normal(size=len(shape)))
    return np.fft.irfft(spectrum, size)


def under(samples: Sound, noise: Sound, speaking: Spans, snr: float) -> Sound:
    """With a noise so many dB under the speech, both measured where somebody speaks."""
    inside = [np.mean(np.concatenate([each[a:b] for a, b in speaking]) ** 2) for each in (samples, noise)]
    return samples + noise * math.sqrt(inside[0] / inside[1] / 10 ** (snr / 10))


def gated(samples: Sound, speaking: Spans, rate: int, depth: float, hold: float = 0.05, ramp: float = 0.01) -> Sound:
    """Turned down by so many dB where nobody speaks, from `hold` seconds off speech on."""
    gain = np.full(len(samples), 10 ** (-depth / 20))
    for start, end in speaking:
        gain[max(0, start - round(hold * rate)) : end + round(hold * rate)] = 1
    width = max(1, round(ramp * rate))
    return samples * np.convolve(gain, np.ones(width) / width, "same")


def room(random: np.random.Generator, samples: Sound, rate: int, seconds: float, level: float) -> Sound:
    """With a tail of `seconds` to -60 dB whose energy is `level` dB beside the direct sound."""
    size = round(seconds * rate)
    tail = random.normal(size=size) * 10 ** (-3 * np.arange(size) / size)
    tail[: rate // 200] = 0
    answer = np.concatenate([[1.0], tail * math.sqrt(10 ** (level / 10) / np.sum(tail**2))])
    return np.asarray(scipy.signal.fftconvolve(samples, answer))[: len(samples)]
