"""Clipping is found whatever was done to it since, and nothing else is called that."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.signal as sps
from scipy.ndimage import minimum_filter1d

from curate import audio
from curate.measures import signal, straight_tops
from tests.curate.measures.speech import SHARED, mp3, needs_speech


@needs_speech
@pytest.mark.parametrize("gain", [1.0, 0.5, 0.1])
def test_clipping_is_found_even_where_it_was_turned_down(gain: float) -> None:
    samples, rate = audio.read(SHARED / "ko/zeroth/104_003_0294.flac")
    for times, least in ((8, 0.1), (2, 0.003)):
        clipped = np.rint(np.clip(samples * times, -1, 1) * gain * 32767) / 32768
        truth = np.mean(np.abs(samples * times) >= 1)
        found = signal.measure(clipped.astype(np.float32), rate, [])["clipped"]
        assert found is not None
        assert least < found < 1.1 * truth


@needs_speech
def test_clipping_is_found_under_dither_and_in_a_composite() -> None:
    samples, rate = audio.read(SHARED / "long/ko_long_shared.flac", round(63.031 * 16_000), round(73.895 * 16_000))
    assert signal.measure(samples, rate, [])["clipped"] == pytest.approx(0.1, abs=0.03)


@needs_speech
def test_clean_loud_speech_is_not_clipped() -> None:
    names = [*SHARED.glob("ko/zeroth/*.flac"), *SHARED.glob("km/learn_khmer/*.mp3"), *SHARED.glob("neg/*/*.ogg")]
    shares = [signal.measure(*audio.read(name), [])["clipped"] for name in names]
    assert len(shares) > 30
    assert max(share for share in shares if share is not None) < 0.001


def resampled(samples: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    return audio.resample(samples, rate, 24_000), 24_000


def high_passed(samples: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    filtered = sps.sosfilt(sps.butter(2, 80, "highpass", fs=rate, output="sos"), samples)
    return filtered.astype(np.float32), rate


def steeply_high_passed(samples: np.ndarray, rate: int, order: int = 4, corner: float = 80.0) -> tuple[np.ndarray, int]:
    filtered = sps.sosfilt(sps.butter(order, corner, "highpass", fs=rate, output="sos"), samples)
    return filtered.astype(np.float32), rate


def evenly_high_passed(samples: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    """All sounds put off alike."""
    taps = -sps.firwin(2047, 80, fs=rate)
    taps[1023] += 1
    return sps.fftconvolve(samples, taps, "same").astype(np.float32), rate


def limited(samples: np.ndarray, rate: int, drive: float = 12.0, ahead_ms: float = 5.0) -> np.ndarray:
    """A limiter that looks some ms ahead and lets go within 50 ms, driven by so many dB."""
    driven = samples / np.abs(samples).max() * 10 ** (drive / 20)
    ahead = round(rate * ahead_ms / 1000)
    gain = minimum_filter1d(1 / np.maximum(1, np.abs(driven)), 2 * ahead + 1)
    release, now = math.exp(-1 / (0.05 * rate)), 1.0
    for at, least in enumerate(gain):
        now = gain[at] = least if least < now else release * now + (1 - release) * least
    smooth = np.convolve(gain, np.ones(ahead) / ahead, "same")
    return np.clip(driven * np.minimum(smooth, 1), -1, 1).astype(np.float32)


def held(samples: np.ndarray, rate: int, drive: float, release: float) -> np.ndarray:
    """A limiter without attack: the gain falls with the sample that needs it and rises by 8.7 dB in `release` s."""
    driven = samples / np.abs(samples).max() * 10 ** (drive / 20)
    passed = np.arange(len(driven)) / (release * rate)
    envelope = np.exp(np.maximum.accumulate(np.log(np.maximum(np.abs(driven), 1e-9)) + passed) - passed)
    return (driven / np.maximum(envelope, 1)).astype(np.float32)


@needs_speech
@pytest.mark.parametrize("release", [0.006, 0.01, 0.03, 0.1])
def test_waves_that_a_limiter_holds_while_they_rise_are_not_clipped(release: float) -> None:
    for name in sorted((SHARED / "ko/zeroth").glob("*.flac"))[:4]:
        samples, rate = audio.read(name)
        for drive in (6, 12, 15):
            assert signal.measure(held(samples, rate, drive, release), rate, [])["clipped"] < 0.002


@needs_speech
@pytest.mark.parametrize(
    ("process", "least"),
    [(resampled, 0.95), (high_passed, 0.95), (steeply_high_passed, 0.95), (evenly_high_passed, 0.95), (mp3, 0.75)],
)
def test_clipping_is_found_after_its_flat_tops_were_bent(
    process: Callable[[np.ndarray, int], tuple[np.ndarray, int]], least: float
) -> None:
    """Clipped by 9 to 18 dB; coded or resampled, by 6 dB fewer are found: see docs/measures/clipping.md."""
    shares = []
    for name in sorted((SHARED / "ko/zeroth").glob("*.flac"))[:4]:
        samples, rate = audio.read(name)
        for gain in (9, 12, 18):
            clipped = np.clip(samples / np.abs(samples).max() * 10 ** (gain / 20), -1, 1).astype(np.float32)
            shares.append(signal.measure(*process(clipped, rate), [])["clipped"])
    assert np.mean(np.array(shares) > 0.002) >= least


@needs_speech
@pytest.mark.parametrize(("order", "corner"), [(4, 60), (4, 110), (5, 80), (6, 80), (8, 80)])
@pytest.mark.parametrize(("at", "gain"), [(16_000, 9), (8_000, 12)])
def test_clipping_is_found_behind_a_steep_high_pass(order: int, corner: float, at: int, gain: float) -> None:
    """It shifts the low harmonics against the others, so that no top is flat."""
    for name in ("ko/zeroth/104_003_0294.flac", "ko/zeroth/104_003_0360.flac"):
        samples, rate = audio.read(SHARED / name)
        speech = audio.resample(samples, rate, at)
        clipped = np.clip(speech / np.abs(speech).max() * 10 ** (gain / 20), -1, 1)
        assert signal.measure(*steeply_high_passed(clipped, at, order, corner), [])["clipped"] > 0.002
        for unclipped in (speech, limited(speech, at, 18.0, 2.0)):
            assert signal.measure(*steeply_high_passed(unclipped, at, order, corner), [])["clipped"] < 0.001


@needs_speech
@pytest.mark.parametrize("order", [4, 5, 6])
def test_a_high_pass_s_shift_is_taken_back(order: int) -> None:
    """What lies over 150 Hz is nearly the wave that it was."""
    samples, rate = audio.read(SHARED / "ko/zeroth/104_003_0294.flac")
    over = sps.butter(4, 150, "highpass", fs=rate, output="sos")
    high = steeply_high_passed(samples, rate, order)[0]
    before, shifted, back = (
        sps.sosfiltfilt(over, each) for each in (samples, high, straight_tops._turned_back(high, rate))
    )
    assert np.corrcoef(before, shifted)[0, 1] < 0.9
    assert np.corrcoef(before, back)[0, 1] > 0.98


@pytest.mark.parametrize("rate", [8000, 16_000])
@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 5000])
def test_a_shift_is_taken_back_by_an_all_pass_from_the_end(rate: int, count: int) -> None:
    sound = np.float32(np.random.default_rng(count).normal(size=count))
    slope = np.tan(np.pi * straight_tops.TURNED_BY / 2 / rate)
    pole = (slope - 1) / (slope + 1)
    slow = sps.lfilter([-pole, -1], [1, pole], sound[::-1].astype(np.float64))[::-1]
    assert straight_tops._turned_back(sound, rate) == pytest.approx(slow, abs=1e-5)


@needs_speech
def test_what_is_not_looked_at_does_not_change_how_straight_waves_are() -> None:
    samples, _ = audio.read(SHARED / "ko/zeroth/104_003_0294.flac")
    for sound in (samples, np.clip(samples, -0.1, 0.1)):
        tops = straight_tops._tops(sound, np.abs(sound))
        whole = tops.straightness(0.3, 0.6)
        assert whole > 0
        for bound in (0.0, 0.5 * whole, whole, 1.01 * whole, 1.0):
            assert (tops.straightness(0.3, 0.6, until=bound) >= bound) == (whole >= bound)
            assert tops.straightness(0.3, 0.6, beyond=bound) in (whole, 0 if whole <= bound else whole)


def glottal_pulses(seed: int) -> np.ndarray:
    """A voice whose glottis closes at the end of a ramp, now straight and now round: 4 to 9 s at 16 kHz, peak 1."""
    random = np.random.default_rng(seed)
    periods = []
    for _ in range(500):
        top, up, fall = random.uniform(0.8, 1.0), random.integers(30, 60), random.integers(9, 22)
        ripple = 1 + 0.3 * np.sin(2 * np.pi * np.arange(up) / random.uniform(6, 12))
        above = 0.5 * top * np.sin(np.pi * np.arange(up) / up) * ripple
        below = -0.85 * top * np.sin(np.pi / 2 * np.arange(fall) / fall)
        size = random.integers(6, 12)
        bent = -top * (0.85 + 0.15 * np.sin(np.pi * np.arange(size) / size))
        ramp = -top * np.linspace(0.85, 1, 5) if random.random() < 0.3 else bent
        periods.append(np.concatenate([above, below, ramp, -top * np.cos(np.pi / 2 * np.arange(1, 5) / 4)]))
    sound = np.concatenate(periods)
    sound *= np.repeat(random.uniform(0.75, 1, len(sound) // 800 + 1), 800)[: len(sound)]
    sound += 0.012 * random.normal(size=len(sound))
    return np.asarray(sound / np.abs(sound).max(), dtype=np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_a_ramp_that_ends_where_the_glottis_closes_is_not_clipped(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = glottal_pulses(seed)
    assert straight_tops.share(sound, 16_000) == 0
    assert straight_tops.share(np.clip(sound, -0.4, 0.4), 16_000) > 0.1
    monkeypatch.setattr(straight_tops, "RAMP_STRAIGHT", 0.0)
    assert straight_tops.share(sound, 16_000) > 0


@needs_speech
@pytest.mark.parametrize("name", ["104_003_0253", "104_003_0526", "104_003_0577"])
def test_where_no_top_is_straight_slopes_must_be_straighter_than_a_low_voices(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clipped and steeply high-passed, tops are slopes; those of low voices are as straight up to a half."""
    samples, rate = audio.read(SHARED / f"ko/zeroth/{name}.flac")
    clipped = np.clip(8 * samples / np.abs(samples).max(), -1, 1)
    sound = steeply_high_passed(clipped, rate, order=6, corner=120)[0]
    assert straight_tops.share(sound, rate) > 0.05
    monkeypatch.setattr(straight_tops, "HARDLY_EVEN", 0.0)
    assert straight_tops.share(sound, rate) > 0.05
    monkeypatch.setattr(straight_tops, "SLOPES_STEADY", 0.9)
    assert straight_tops.share(sound, rate) == 0


@needs_speech
def test_speech_through_a_limiter_is_not_clipped() -> None:
    for name in ("ko/zeroth/104_003_0294.flac", "neg/en_librispeech/1089-134686-0001.flac"):
        samples, rate = audio.read(SHARED / name)
        for process in (lambda *same: same, resampled, high_passed, steeply_high_passed, mp3):
            assert signal.measure(*process(limited(samples, rate), rate), [])["clipped"] < 0.001


@needs_speech
def test_the_short_flat_tops_of_a_fast_limiter_are_none() -> None:
    """It flattens for a fraction of a millisecond; clipping by as little as this does so for longer."""
    samples, rate = audio.read(SHARED / "ko/zeroth/104_003_0294.flac")
    assert signal.measure(limited(samples, rate, ahead_ms=1), rate, [])["clipped"] < 0.002


@needs_speech
def test_clipping_of_one_percent_is_no_limiter() -> None:
    """Its flat runs are as short as a fast limiter's here, but the waves would have risen further."""
    samples, rate = audio.read(SHARED / "ko/picovoice/leopard_test_ko.wav")
    over = np.abs(samples) / np.quantile(np.abs(samples), 0.99)
    clipped = np.clip(over * np.sign(samples), -1, 1).astype(np.float32)
    assert signal.measure(clipped, rate, [])["clipped"] > 0.002


@needs_speech
def test_clipped_words_between_long_pauses_are_found_after_a_high_pass() -> None:
    """Half of the time is silence: the peaks of frames are not even, and the tops are steep slopes."""
    samples, rate = audio.read(SHARED / "ko/zeroth/104_003_0294.flac")
    words = np.where(np.arange(len(samples)) // round(0.5 * rate) % 2 == 0, samples, samples / 100)
    for gain in (9, 12):
        clipped = np.clip(words / np.abs(words).max() * 10 ** (gain / 20), -1, 1).astype(np.float32)
        assert signal.measure(*high_passed(clipped, rate), [])["clipped"] > 0.002
    assert signal.measure(*high_passed(words.astype(np.float32), rate), [])["clipped"] < 0.001


@pytest.mark.parametrize("pitch", [90, 130, 210])
@pytest.mark.parametrize("harmonics", ["equal", "falling"])
def test_a_buzz_in_syllables_is_not_clipped(pitch: int, harmonics: str) -> None:
    """Straight between its pulses, but so it is at any level."""
    rate = 16_000
    time = np.arange(2 * rate) / rate
    numbers = range(1, 7000 // pitch)
    weights = {"equal": [1.0 for _ in numbers], "falling": [1 / number for number in numbers]}[harmonics]
    phase = {"equal": np.pi / 2, "falling": 0.0}[harmonics]  # pulses; a sawtooth without its highest harmonics
    wave = sum(w * np.sin(2 * np.pi * n * pitch * time + phase) for n, w in zip(numbers, weights, strict=True))
    buzz = wave * np.clip(1.2 * np.abs(np.sin(np.pi * time / 0.35)), 0.01, 1)
    assert signal.measure((buzz / np.abs(buzz).max()).astype(np.float32), rate, [])["clipped"] == 0


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100])
@pytest.mark.parametrize("wave", ["sine", "sawtooth", "triangle", "vowel"])
def test_a_held_sound_is_not_clipped_until_it_is(wave: str, rate: int) -> None:
    """Every period is the same: straight by nature, or its samples lie at the same places of each."""
    time = np.arange(rate) / rate
    pulses = np.zeros(rate)
    pulses[:: round(rate / 100)] = 1.0
    filters = [np.exp(-np.pi * 80 / rate) * np.exp(2j * np.pi * hertz / rate) for hertz in (310, 870, 2250)]
    held = {
        "sine": np.sin(2 * np.pi * 60 * time),
        "sawtooth": np.sum([np.sin(2 * np.pi * 131 * n * time) / n for n in range(1, rate // 262)], axis=0),
        "triangle": sps.sawtooth(2 * np.pi * 131 * time, 0.5),
        "vowel": sps.lfilter([1], np.poly([*filters, *np.conj(filters), 0.9, 0.9]).real, pulses),
    }[wave]
    sound = (held / np.abs(held).max()).astype(np.float32)
    for process in (lambda *same: same, resampled, mp3):
        assert signal.measure(*process(sound * np.float32(0.5), rate), [])["clipped"] < 0.002
    clipped = np.clip(sound * 2, -1, 1).astype(np.float32)
    assert signal.measure(clipped, rate, [])["clipped"] == pytest.approx(np.mean(np.abs(clipped) >= 1), rel=0.1)
