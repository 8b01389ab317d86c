"""The measures of a clip say what was done to it."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.measures import signal
from tests.curate.measures.speech import CLIPS, babble, mixed, needs_speech, pink, white


@needs_speech
@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("noise", [white, pink, babble])
def test_snr_is_near_the_truth(name: str, noise: Callable[[int], np.ndarray]) -> None:
    found = [signal.measure(*mixed(name, noise, snr))["snr"] for snr in (20, 10, 0)]
    moving = (
        6 if noise is babble else 3
    )  # at 0 dB an error of 2 dB in voices that come and go is one of 5 dB in the ratio
    assert found == [pytest.approx(20, abs=3), pytest.approx(10, abs=3), pytest.approx(0, abs=moving)]


@needs_speech
@pytest.mark.parametrize("noise", [white, pink])
def test_snr_needs_no_pauses(noise: Callable[[int], np.ndarray]) -> None:
    found = []
    for snr in (20, 10, 0):
        samples, rate, [(start, end)] = mixed("ko/zeroth/104_003_0019.flac", noise, snr)
        found.append(signal.measure(samples[start:end], rate, [(0, end - start)])["snr"])
    assert found == [pytest.approx(snr, abs=3.5) for snr in (20, 10, 0)]


@needs_speech
@pytest.mark.parametrize("name", CLIPS)
def test_babble_without_pauses_is_as_loud_as_it_is(name: str) -> None:
    """Voices come and go: the quiet moments of each band are 6 dB under their mean."""
    samples, rate, [(start, end)] = mixed(name, babble, 5)
    found = signal.measure(samples[start:end], rate, [(0, end - start)])["snr"]
    assert found == pytest.approx(5, abs=3)


@needs_speech
@pytest.mark.parametrize("name", CLIPS)
def test_speech_that_the_detector_missed_is_no_noise(name: str) -> None:
    """A quarter of a second of loud speech is all there is of pauses."""
    found = []
    for snr in (30, 20, 10, 5):
        samples, rate, [(start, end)] = mixed(name, white, snr)
        middle = (start + end) // 2
        speech = [(0, middle - start), (middle - start + rate // 4, end - start)]
        found.append(signal.measure(samples[start:end], rate, speech)["snr"])
    inside = [pytest.approx(snr, abs=3) for snr in (20, 10, 5)]  # at 30 dB speech's own quiet moments count
    assert found == [pytest.approx(30, abs=10), *inside]


@needs_speech
@pytest.mark.parametrize("noise", [white, pink])
def test_nor_is_a_third_of_it_beside_a_pause(noise: Callable[[int], np.ndarray]) -> None:
    found = []
    for snr in (20, 10):
        samples, rate, [(start, end)] = mixed("km/slr42/khm_1161_1980987674.wav", noise, snr)
        pause, third = rate // 2, (end - start) // 3
        cut = samples[start - pause : end]  # the other thirds are heard
        spans = [(pause, pause + third), (pause + 2 * third, len(cut))]
        found.append(signal.measure(cut, rate, spans)["snr"])
    assert found == [pytest.approx(snr, abs=4) for snr in (20, 10)]


@needs_speech
def test_digital_silence_between_phrases_is_not_taken_for_a_quiet_room() -> None:
    samples, rate, speech = mixed("ko/zeroth/104_003_0019.flac", white, 10)
    gated = np.zeros_like(samples)
    gated[speech[0][0] : speech[0][1]] = samples[speech[0][0] : speech[0][1]]
    assert signal.measure(gated, rate, speech)["snr"] == pytest.approx(10, abs=3)


@needs_speech
@pytest.mark.parametrize("noise", [white, pink, babble])
@pytest.mark.parametrize("depth", [20, 30, 40, 60])
def test_pauses_turned_down_by_a_gate_do_not_hide_the_noise(noise: Callable[[int], np.ndarray], depth: float) -> None:
    samples, rate, speech = mixed("ko/picovoice/leopard_test_ko.wav", noise, 10)
    gain = np.full(len(samples), 10 ** (-depth / 20))
    for start, end in speech:
        gain[max(0, start - rate // 20) : end + rate // 20] = 1
    gated = (samples * gain).astype(np.float32)
    snr = signal.measure(gated, rate, speech)["snr"]
    assert snr is not None
    assert 5 < snr < 15


@needs_speech
def test_music_with_rests_is_heard_under_speech_and_none_in_speech_alone() -> None:
    """Chords that die away between the beats: pauses and the quiet moments of bands are quieter than the music is."""
    name = "ko/picovoice/leopard_test_ko.wav"
    samples, rate, speech = mixed(name, chords, 9)
    alone = mixed(name, chords, 60)[0]
    gain = np.full(len(samples), 0.01)
    for start, end in speech:
        gain[start:end] = 1
    for closed in (1.0, gain):
        assert signal.measure((samples * closed).astype(np.float32), rate, speech)["snr"] < 15
        assert signal.measure((alone * closed).astype(np.float32), rate, speech)["snr"] > 20


@needs_speech
@pytest.mark.parametrize("depth", [20, 30, 40, 60])
def test_a_gate_that_closes_where_music_rests_leaves_its_bass_under_speech(depth: float) -> None:
    """As a gate does that opens by level: inside speech too it closes in every rest."""
    name = "ko/zeroth/104_003_0019.flac"
    samples, rate, speech = mixed(name, drums, 10)
    alone = mixed(name, drums, 60)[0]
    blocks = alone[: len(alone) // 320 * 320].reshape(-1, 320)
    level = np.sqrt(np.mean(np.square(blocks, dtype=np.float64), axis=1))
    opened = np.convolve(level > level.max() / 50, np.ones(5), "same") > 0
    gain = np.where(np.repeat(opened, 320), 1, 10 ** (-depth / 20))
    found = [
        signal.measure((sound[: len(gain)] * gain).astype(np.float32), rate, speech)["snr"]
        for sound in (samples, alone)
    ]
    assert found[0] == pytest.approx(10, abs=4.9)
    assert found[1] > 20


def drums(size: int) -> np.ndarray:
    """Four strokes a second that die away, 55 Hz and what lies over it, 16 kHz."""
    time = np.arange(4000) / 16_000
    stroke = sum(np.sin(2 * np.pi * 55 * n * time) / n**2 for n in (1, 2, 3, 5, 8, 13, 21, 34))
    return np.resize(stroke * np.exp(-time * 12), size)


def chords(size: int) -> np.ndarray:
    """Four notes on each beat, as of a plucked string, 16 kHz."""
    random, beat = np.random.default_rng(5), 8000
    time = np.arange(2 * beat) / 16_000
    music = np.zeros(size + 2 * beat)
    for start in range(0, size, beat):
        for hertz in 110 * 2 ** (random.integers(0, 30, 4) / 12):
            tones = sum(np.sin(2 * np.pi * hertz * n * time + n) / n for n in range(1, 12))
            music[start : start + 2 * beat] += tones * np.exp(-time * 10)
    return music[:size]


def test_loudness_is_that_of_the_standard() -> None:
    """BS.1770-4: a 997 Hz sine at 0 dBFS in one channel reads -3.01 LUFS; silence around it is gated."""
    for rate in (16_000, 48_000):
        tone = np.sin(2 * np.pi * 997 * np.arange(5 * rate) / rate)
        around = np.concatenate([np.zeros(5 * rate), tone, np.zeros(5 * rate)]).astype(np.float32)
        assert signal.measure(tone.astype(np.float32), rate, [])["loudness"] == pytest.approx(-3.01, abs=0.05)
        assert signal.measure(0.1 * around, rate, [])["loudness"] == pytest.approx(-23.01, abs=0.3)
        assert signal.measure(tone[: rate // 3].astype(np.float32), rate, [])["loudness"] is None


@pytest.mark.parametrize("pitch", [80, 120, 210, 350])
def test_pitch_is_that_of_the_voice(pitch: float) -> None:
    time_ = np.arange(32_000) / 16_000
    voice = sum(np.sin(2 * np.pi * pitch * k * time_) / k for k in range(1, 12)) + 0.01 * white(32_000)
    found = signal.measure(np.asarray(voice, np.float32), 16_000, [(0, 32_000)])
    assert found["pitch"] == pytest.approx(pitch, rel=0.03)


def test_noise_has_its_level_and_no_pitch() -> None:
    noise = (white(32_000) * 0.01).astype(np.float32)
    found = signal.measure(noise, 16_000, [(0, 32_000)])
    assert found["pitch"] is None
    assert signal.measure(noise, 16_000, [])["noise_floor"] == pytest.approx(-40, abs=1)


def test_gain_moves_levels_and_nothing_else() -> None:
    noise = (white(32_000) * np.repeat([0.001, 0.1], 16_000)).astype(np.float32)
    loud, quiet = (signal.measure(noise * gain, 16_000, [(16_000, 32_000)]) for gain in (1.0, 0.1))
    for name, change in {"snr": 0.0, "bandwidth": 0.0, "loudness": 20.0, "noise_floor": 20.0}.items():
        first, second = loud[name], quiet[name]
        assert (first or 0) - (second or 0) == pytest.approx(change, abs=0.1)


@pytest.mark.parametrize("samples", [[], [0.0] * 9000, [math.nan] * 9000, [math.inf, -math.inf]])
def test_nothing_is_measured_where_nothing_is(samples: list[float]) -> None:
    assert signal.measure(np.array(samples, np.float32), 16_000, [(0, 5)]) == dict.fromkeys(signal.NAMES)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 12_000),
    rate=st.sampled_from([100, 4000, 8000, 16_000, 48_000]),
    scale=st.sampled_from([1e-30, 1e-4, 1.0, 1e30]),
    kind=st.sampled_from(["noise", "constant", "click", "square", "holes"]),
    edges=st.tuples(st.integers(-100, 20_000), st.integers(-100, 20_000)),
)
def test_no_input_raises_or_gives_a_value_that_is_no_number(
    count: int, rate: int, scale: float, kind: str, edges: tuple[int, int]
) -> None:
    click = np.zeros(count)
    click[count // 2] = 1
    holes = np.where(np.arange(count) % 7, white(count), np.nan)
    square = np.sign(np.sin(np.arange(count) / 9))
    sounds = {"noise": white(count), "constant": np.ones(count), "click": click, "square": square, "holes": holes}
    found = signal.measure((sounds[kind] * scale).astype(np.float32), rate, [edges])
    assert tuple(found) == signal.NAMES
    assert all(value is None or math.isfinite(value) for value in found.values())
