"""Loudness is that of the standard, at every rate."""

import numpy as np
import pyloudnorm
import pytest

from curate.measures import loudness


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_it_is_what_pyloudnorm_says_in_float64(rate: int) -> None:
    random = np.random.default_rng(rate)
    swell = np.repeat(random.uniform(0, 0.3, 20), rate // 5)
    sound = swell * random.normal(size=len(swell)) + 0.02 * np.sin(np.arange(len(swell)) * 2 * np.pi * 30 / rate)
    sound[rate : rate + rate // 2] = 0
    theirs = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(sound)
    assert loudness.integrated(np.float32(sound), rate) == pytest.approx(theirs, abs=1e-4)
    assert loudness.integrated(np.float32(sound / 8), rate, 20 * np.log10(8)) == pytest.approx(theirs, abs=1e-4)


def test_only_whole_blocks_count_and_silence_has_no_loudness() -> None:
    sound = np.float32(0.1 * np.random.default_rng(1).normal(size=16_000))
    assert loudness.integrated(sound[:6399], 16_000) is None
    assert loudness.integrated(sound[:6400], 16_000) == loudness.integrated(sound[:7999], 16_000)
    assert loudness.integrated(np.zeros(16_000, np.float32), 16_000) is None
    assert loudness.integrated(sound * np.float32(1e-4), 16_000) is None
