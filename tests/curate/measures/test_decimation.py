"""Lower rates: what a band passes is there, in place and at its level; what it stops is gone."""

import numpy as np
import pytest

from curate import audio
from curate.measures import fingerprint, signal
from curate.measures.decimation import LISTENING, Band, decimated

RATES = (16_000, 22_050, 24_000, 32_000, 37_800, 44_100, 48_000, 96_000)
BANDS = (LISTENING, signal.PITCH_BAND, fingerprint.BAND)


def tone(hertz: float, rate: int) -> np.ndarray:
    return np.float32(np.sin(2 * np.pi * hertz * np.arange(rate) / rate))


@pytest.mark.parametrize(("band", "rate"), [(b, r) for b in BANDS for r in RATES if r > b.rate])
def test_what_is_passed_stays_and_what_is_stopped_is_gone(band: Band, rate: int) -> None:
    least = 10 ** (-min(band.depth, 65) / 20)
    inside = slice(band.rate // 20, -band.rate // 20)
    for hertz in (0.0, 100.0, band.passed):
        wave = tone(hertz, rate) + np.float32(0.5)
        expected = tone(hertz, band.rate) + np.float32(0.5)
        assert np.abs(decimated(wave, rate, band) - expected)[inside].max() < 2 * least
    above = min(band.stopped + 1, rate / 2 - 1)
    if above > band.stopped:
        assert np.abs(decimated(tone(above, rate), rate, band))[inside].max() < 2 * least


@pytest.mark.parametrize("size", [0, 1, 2, 3, 100, 4409, 4410, 4411])
def test_it_is_as_long_as_any_resampling(size: int) -> None:
    sound = np.float32(np.random.default_rng(size).normal(size=size))
    assert decimated(sound, 44_100, LISTENING).shape == audio.resample(sound, 44_100, LISTENING.rate).shape


def test_a_rate_without_a_large_common_divisor_and_a_lower_one_are_resampled() -> None:
    sound = np.float32(np.random.default_rng(1).normal(size=5000))
    for rate in (44_056, 8000, LISTENING.rate):
        assert (decimated(sound, rate, LISTENING) == audio.resample(sound, rate, LISTENING.rate)).all()
