"""Lost samples inside words are found, also after a filter; silence in pauses is none."""

import io
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from curate import audio
from curate.measures import dropouts
from curate.models.silero import Silero

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
needs_speech = pytest.mark.skipif(not SHARED.exists(), reason="the shared test speech is not on this machine")
NAMES = ["ko/zeroth/104_003_0294.flac", "km/slr42/khm_1161_1980987674.wav", "km/learn_khmer/DR2-0063.mp3"]


def spans(samples: audio.Samples, rate: int) -> list[tuple[int, int]]:
    listener = Silero().listen()
    listener.feed(audio.resample(samples.astype(np.float32), rate, 16_000))
    return [(round(a * rate / 16_000), round(b * rate / 16_000)) for a, b in listener.finish()]


def through(samples: audio.Samples, rate: int, format: str, subtype: str | None = None) -> audio.Samples:
    coded = io.BytesIO()
    soundfile.write(coded, samples, rate, format=format, subtype=subtype)
    coded.seek(0)
    return np.asarray(soundfile.read(coded, dtype="float32")[0])


@pytest.fixture(params=NAMES)
def voice(request: pytest.FixtureRequest) -> tuple[audio.Samples, int, list[tuple[int, int]], int]:
    """Real speech as 16 bits hold it, its rate, where it is, and its loudest place."""
    samples, rate = audio.read(SHARED / request.param)
    samples = (np.rint(samples / np.abs(samples).max() * 20_000) / 32_768).astype(np.float32)
    power = np.convolve(samples**2, np.ones(rate // 10), "same")
    return samples, rate, spans(samples, rate), int(power.argmax()) - rate // 50


@needs_speech
@pytest.mark.parametrize("ms", [6, 10, 20, 40])
def test_zeros_held_values_and_repeated_packets_inside_a_word_are_found(voice: tuple, ms: int) -> None:
    samples, rate, speech, at = voice
    size = rate * ms // 1000
    assert dropouts.longest(samples, rate, speech) == 0
    for what in (0.0, samples[at - 1], samples[at - size : at] if ms >= 10 else 0.0):
        broken = samples.copy()
        broken[at : at + size] = what
        found = dropouts.longest(broken, rate, speech)
        assert found is not None
        assert ms - 2 <= found <= ms + 3


@needs_speech
def test_most_are_found_after_a_filter_and_resampling() -> None:
    found = []
    for name in NAMES:
        samples, rate = audio.read(SHARED / name)
        at = int(np.convolve(samples**2, np.ones(rate // 10), "same").argmax()) - rate // 50
        speech, broken = spans(samples, rate), samples.copy()
        broken[at : at + rate * 3 // 100] = 0
        filtered = scipy.signal.sosfilt(scipy.signal.butter(2, 80, "high", fs=rate, output="sos"), broken)
        there = [(a * 22_050 // rate, b * 22_050 // rate) for a, b in speech]
        found.append(dropouts.longest(np.float32(filtered), rate, speech))
        found.append(dropouts.longest(audio.resample(broken, rate, 22_050), 22_050, there))
    assert sum(each is not None and 12 < each < 40 for each in found) >= 4, found


@needs_speech
def test_digital_silence_in_pauses_codecs_and_clipping_are_no_dropouts(voice: tuple) -> None:
    samples, rate, speech, _ = voice
    gate = np.zeros(len(samples), np.float32)
    for start, end in speech:
        gate[start:end] = 1
    level = np.convolve(samples**2, np.ones(rate // 50) * 50 / rate, "same")
    sounds = {
        "gated": samples * gate,
        "expanded": np.where(level > 1e-3 * np.mean(samples**2), samples, 0),
        "mp3": through(samples, rate, "MP3"),
        "vorbis": through(samples, rate, "OGG"),
        "clipped": np.clip(samples * 4, -0.6, 0.6),
        "eight bits": np.rint(samples * 128) / 128,
    }
    for what, sound in sounds.items():
        assert dropouts.longest(np.float32(sound), rate, speech) == 0, what


def test_odd_input_is_no_error() -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000).astype(np.float32)
    assert dropouts.longest(tone, 16_000, [(0, 16_000)]) == 0  # every period equals the last: a tone, no packet
    assert dropouts.longest(tone, 16_000, []) is None
    assert dropouts.longest(tone * 0, 16_000, [(0, 16_000)]) is None
    assert dropouts.longest(tone[:0], 16_000, [(0, 5)]) is None
    assert dropouts.longest(tone[:20], 16_000, [(0, 20)]) == 0
    assert dropouts.longest(np.full(99, np.nan, np.float32), 16_000, [(0, 99)]) is None
