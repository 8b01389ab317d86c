"""Half-waves and places in order are what numpy's slower ways say they are."""

import numpy as np
import pytest

from curate.measures import half_waves


@pytest.mark.parametrize("share", [0.0, 0.3, 0.98, 1.0])
@pytest.mark.parametrize("count", [1, 2, 1000])
def test_a_value_between_two_places_is_that_of_a_quantile(count: int, share: float) -> None:
    values = np.float32(np.random.default_rng(count).normal(size=count))
    found = half_waves.ordered_at(values, share * (count - 1))
    assert found == pytest.approx(np.quantile(values, share), rel=1e-6)


def test_half_waves_lie_between_crossings_of_zero() -> None:
    sound = np.float32([0.5, 1, -2, -1, -3, 4, -1])
    waves = half_waves.half_waves(sound, np.abs(sound))
    assert waves.starts.tolist() == [0, 2, 5, 6]
    assert waves.lengths.tolist() == [2, 3, 1, 1]
    assert waves.tops.tolist() == [1, 3, 4, 1]
    assert waves.every(1, 2).tops.tolist() == [3, 1]
