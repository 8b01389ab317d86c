"""Real speech with noise of known level, and what is done to speech, for the tests of measures."""

import io
import math
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from curate import audio

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
needs_speech = pytest.mark.skipif(not SHARED.exists(), reason="the shared test speech is not on this machine")
# Real clips with their speech in seconds, by silero-vad.
CLIPS = {
    "ko/zeroth/104_003_0019.flac": [(1.1, 9.8)],
    "ko/picovoice/leopard_test_ko.wav": [(0.6, 3.4)],
    "km/slr42/khm_1161_1980987674.wav": [(0.6, 4.2)],
}


def spans(seconds: list[tuple[float, float]], rate: int) -> list[tuple[int, int]]:
    return [(round(start * rate), round(end * rate)) for start, end in seconds]


def white(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=count)


def pink(count: int) -> np.ndarray:
    spectrum = np.fft.rfft(white(count))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), count)


def babble(count: int) -> np.ndarray:
    """Eight voices at once: other Zeroth clips, on top of each other."""
    names = [*sorted((SHARED / "ko/zeroth").glob("*.flac"))[1:], SHARED / "neg/ja_picovoice/leopard_test_ja.wav"]
    voices = [audio.read(name)[0] for name in names]
    loud = [np.resize(v[np.abs(v) > 1e-3] / v.std(), count) for v in voices]
    return np.asarray(np.sum([np.roll(v, 5000 * i) for i, v in enumerate(loud)], axis=0))


def mixed(
    name: str, noise: Callable[[int], np.ndarray], snr: float
) -> tuple[audio.Samples, int, list[tuple[int, int]]]:
    """A clip with noise `snr` dB under its speech."""
    samples, rate = audio.read(SHARED / name)
    speech = spans(CLIPS[name], rate)
    power = np.mean(np.concatenate([samples[a:b] for a, b in speech]).astype(float) ** 2)
    added = noise(len(samples))
    under = np.concatenate([added[a:b] for a, b in speech])
    added *= math.sqrt(power / 10 ** (snr / 10) / np.mean(under**2))
    return (samples + added).astype(np.float32), rate, speech


def mp3(samples: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    coded = io.BytesIO()
    quiet = samples / max(1, np.abs(samples).max())
    soundfile.write(coded, quiet, rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.6)
    coded.seek(0)
    return soundfile.read(coded, dtype="float32")


def aac(samples: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    """Through FFmpeg's AAC at 64 kb/s, and back."""
    stored = io.BytesIO()
    quiet = (samples / max(1, np.abs(samples).max())).astype(np.float32)
    with av.open(stored, "w", format="adts") as file:
        stream = file.add_stream("aac", rate=rate, layout="mono", bit_rate=64_000)
        for start in range(0, len(quiet), 1024):
            frame = av.AudioFrame.from_ndarray(quiet[None, start : start + 1024], format="fltp", layout="mono")
            frame.rate = rate
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    stored.seek(0)
    with av.open(stored) as file:
        back: np.ndarray = np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)])
    return back, rate
