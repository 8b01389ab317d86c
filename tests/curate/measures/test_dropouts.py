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
@pytest.mark.parametrize("steps", [6, 16, 40])
def test_coarse_speech_that_holds_values_by_itself_lost_nothing(voice: tuple, steps: int) -> None:
    samples, rate, speech, at = voice
    unit = samples / np.abs(samples).max()
    coarse = np.float32(np.rint(unit * steps) / 128)
    assert dropouts.longest(coarse, rate, speech) == 0
    broken = np.float32(np.rint(unit * 100) / 128)
    broken[at : at + rate // 100] = 0
    assert dropouts.longest(broken, rate, speech) == pytest.approx(10, abs=2)


@needs_speech
@pytest.mark.parametrize("ms", [1, 2, 3])
def test_zeros_too_short_for_a_packet_are_found_also_softer_over_an_offset_and_often(voice: tuple, ms: int) -> None:
    samples, rate, speech, at = voice
    size = rate * ms // 1000
    broken = samples.copy()
    broken[at : at + size] = 0
    for sound in (broken, broken / 4, broken - np.float32(0.002)):  # as it is when an offset was taken off
        assert dropouts.longest(sound, rate, speech) == pytest.approx(ms, abs=0.2)
    level = np.convolve(samples**2, np.ones(rate // 10), "same")
    for start in range(0, len(samples) - rate, rate):
        loudest = start + int(level[start : start + rate].argmax())
        broken[loudest : loudest + size] = 0
    assert dropouts.longest(broken, rate, speech) == pytest.approx(ms, abs=0.2)


@needs_speech
@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("to", [16_000, 24_000, 44_100, 48_000])
def test_no_length_between_the_two_ways_of_finding_zeros_is_missed(voice: tuple, to: int, more: int) -> None:
    samples, rate, speech, at = voice
    sound = audio.resample(samples, rate, to)
    there = [(start * to // rate, end * to // rate) for start, end in speech]
    size = round(dropouts.SHORTEST * to) + more
    sound[at * to // rate :][:size] = 0
    assert dropouts.longest(sound, to, there) == pytest.approx(size * 1000 / to, abs=0.3)


@needs_speech
@pytest.mark.parametrize("ms", [10, 20, 50])
def test_most_are_found_after_resampling_and_a_third_after_a_coder(ms: int) -> None:
    resampled, coded = [], []
    for name in NAMES:
        samples, rate = audio.read(SHARED / name)
        samples = (samples / np.abs(samples).max() * 0.6).astype(np.float32)[: 9 * rate]
        speech, to = spans(samples, rate), 32_000 if rate == 48_000 else 48_000
        there = [(a * to // rate, b * to // rate) for a, b in speech]
        assert dropouts.longest(through(samples, rate, "MP3"), rate, speech) == 0
        level = np.convolve(samples**2, np.ones(rate // 10), "same")
        for _ in range(4):
            at = int(level.argmax()) - rate // 50
            level[max(0, at - rate // 5) : at + rate // 5] = 0
            broken = samples.copy()
            broken[at : at + rate * ms // 1000] = 0
            resampled.append(dropouts.longest(audio.resample(broken, rate, to), to, there))
            coded.append(dropouts.longest(through(broken, rate, "MP3"), rate, speech))
    assert sum(each is not None and abs(each - ms) < 3 for each in resampled) >= 10, resampled
    assert sum(each is not None and abs(each - ms) < 4 for each in coded) >= 4, coded


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


@needs_speech
def test_what_happens_many_times_a_second_is_no_loss(voice: tuple) -> None:
    samples, rate, speech, at = voice
    size = rate // 500
    broken = samples.copy()
    for start in range(0, len(samples) - size, rate // 20):
        broken[start : start + size] = 0
    assert dropouts.longest(broken, rate, speech) == 0
    level = np.sqrt(np.mean(samples[at : at + rate // 10] ** 2))
    sounds = {
        "gated sample by sample": np.where(np.abs(samples) > level / 50, samples, 0),
        "coring": np.sign(samples) * np.maximum(0, np.abs(samples) - level / 50),
        "clipped on one side": np.clip(samples * 8, -0.2, 0.9),
    }
    for what, sound in sounds.items():
        assert dropouts.longest(np.float32(sound), rate, speech) == 0, what


def test_a_lone_pulse_before_a_hole_is_a_creaking_voice_and_a_stop_is_a_stop() -> None:
    rate, random = 16_000, np.random.default_rng(0)
    sound = random.normal(size=rate).astype(np.float32) * 0.1
    quiet = random.normal(size=rate).astype(np.float32) * 0.001
    hole = sound.copy()
    hole[8000:8320] = quiet[8000:8320]
    assert dropouts.longest(hole, rate, [(0, rate)]) == pytest.approx(20, abs=2)
    lone = hole.copy()
    lone[7000:7960] = quiet[7000:7960]  # 60 ms of quiet, 2.5 ms of sound, the hole
    assert dropouts.longest(lone, rate, [(0, rate)]) == 0
    stop = sound.copy()
    stop[8000:9280] *= np.geomspace(1, 0.001, 1280, dtype=np.float32)  # dies away within 80 ms, bursts out at once
    assert dropouts.longest(stop, rate, [(0, rate)]) == 0


def test_odd_input_is_no_error() -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000).astype(np.float32)
    assert dropouts.longest(tone, 16_000, [(0, 16_000)]) == 0  # every period equals the last: a tone, no packet
    assert dropouts.longest(tone, 16_000, []) is None
    assert dropouts.longest(tone * 0, 16_000, [(0, 16_000)]) is None
    assert dropouts.longest(tone[:0], 16_000, [(0, 5)]) is None
    assert dropouts.longest(tone[:20], 16_000, [(0, 20)]) == 0
    assert dropouts.longest(np.full(99, np.nan, np.float32), 16_000, [(0, 99)]) is None
