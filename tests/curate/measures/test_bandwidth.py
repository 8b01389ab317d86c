"""Bandwidth is that of the speech: noise, dither and mirror images neither widen nor narrow it."""

from collections.abc import Callable

import numpy as np
import pytest

from curate import audio
from curate.measures import bandwidth, signal
from tests.curate.measures.speech import CLIPS, SHARED, mixed, mp3, needs_speech, pink, white


@needs_speech
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("derived/0294_8k_upsampled_24k.wav", 3500, 4100),
        ("derived/0294_mp3_24kbps.mp3", 5000, 6000),
        ("derived/0294_left_only_stereo_48k.wav", 7300, 8000),
        ("ko/zeroth/104_003_0294.flac", 7300, 8000),
        ("ko/ibm_watson/ko-KR_NarrowbandModel_sample1.wav", 3300, 4000),
        ("neg/th_gcompris/maze3d.ogg", 3800, 4100),  # of 8 kHz: above lies its mirror image, 60 dB down
        ("km/slr42/khm_1161_1980987674.wav", 15_000, 24_000),
        ("km/learn_khmer/002-hello.mp3", 15_000, 16_000),
    ],
)
def test_bandwidth_is_that_of_the_content(name: str, low: float, high: float) -> None:
    samples, rate = audio.read(SHARED / name)
    bandwidth = signal.measure(samples, rate, [(0, len(samples))])["bandwidth"]
    assert bandwidth is not None
    assert low <= bandwidth <= high


@needs_speech
@pytest.mark.parametrize("level", [2**-16, 1e-4, 1e-3, 3e-3])
def test_dither_and_faint_noise_do_not_widen_the_band(level: float) -> None:
    samples, rate = audio.read(SHARED / "derived/0294_8k_upsampled_24k.wav")
    noisy = (samples + white(len(samples)) * level).astype(np.float32)
    assert signal.measure(noisy, rate, [(rate, 5 * rate)])["bandwidth"] == pytest.approx(3900, abs=250)


def held(samples: np.ndarray, times: int) -> np.ndarray:
    return np.repeat(samples, times)


def stuffed(samples: np.ndarray, times: int) -> np.ndarray:
    return np.stack([samples * times, *[samples * 0] * (times - 1)], axis=1).ravel()


def interpolated(samples: np.ndarray, times: int) -> np.ndarray:
    return np.interp(np.arange(len(samples) * times) / times, np.arange(len(samples)), samples)


@needs_speech
@pytest.mark.parametrize("brought_up", [held, stuffed, interpolated])
@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_mirror_images_are_no_bandwidth(brought_up: Callable[[np.ndarray, int], np.ndarray], noise: float) -> None:
    samples, rate = audio.read(SHARED / "ko/zeroth/104_003_0294.flac")
    narrow = audio.resample(samples, rate, 8000).astype(np.float64)
    for times in (2, 3, 6):
        up = brought_up(narrow, times)
        up = up + white(len(up)) * noise * up.std()
        for sound, to in ((up.astype(np.float32), 8000 * times), mp3(up.astype(np.float32), 8000 * times)):
            assert signal.measure(sound, to, [(to, 5 * to)])["bandwidth"] == pytest.approx(4000, abs=150)


@needs_speech
@pytest.mark.parametrize("noise", [white, pink])
@pytest.mark.parametrize("name", CLIPS)
def test_noise_that_may_hide_speech_does_not_make_it_narrow(name: str, noise: Callable[[int], np.ndarray]) -> None:
    samples, rate, speech = mixed(name, noise, 10)
    bandwidth = signal.measure(samples, rate, speech)["bandwidth"]
    assert bandwidth is not None
    assert bandwidth > 5000


def test_a_band_that_is_never_loud_says_nothing_about_images() -> None:
    """Its level lies 60 dB and more under that of its neighbours: there is nothing to compare, and no warning."""
    random = np.random.default_rng(3)
    high = random.normal(0, 5, (8, 50)).astype(np.float32)
    low = high + random.normal(0, 5, (8, 50)).astype(np.float32)
    low[2] = -100
    first, second = bandwidth._moved(high, low, np.array([0, 4]))
    assert 3 < first < 8
    assert 3 < second < 8
    assert bandwidth._moved(high[:, :4], low[:, :4], np.array([0])) == [np.inf]
