"""DistillMOS rates clips one by one, and says nothing of what cannot be rated."""

import numpy as np
import pytest

from curate.audio import LISTENING_RATE as RATE
from curate.models.distillmos import DistillMos
from tests.curate.models.sounds import CLEAN, CLIPPED, UNFIT, sound


def test_answers_none_for_what_it_cannot_rate(distillmos: DistillMos) -> None:
    assert distillmos.rate(UNFIT) == [None] * 5


def test_hears_clipping_and_not_level(distillmos: DistillMos) -> None:
    clean, quiet, clipped = distillmos.rate([sound(CLEAN), sound(CLEAN) * np.float32(0.1), sound(CLIPPED)])
    assert clean is not None
    assert clipped is not None
    assert clean > 3.2 > 2.7 > clipped
    assert quiet == pytest.approx(clean, abs=1e-3)


def test_the_weights_stay_silent(capfd: pytest.CaptureFixture[str]) -> None:
    assert DistillMos().rate([np.sin(np.arange(RATE) / 9).astype(np.float32)]) != [None]
    assert capfd.readouterr().out == ""


def test_the_fingerprint_names_weights_and_versions(distillmos: DistillMos) -> None:
    assert "b18b3ac6" in distillmos.fingerprint
    assert "torch-" in distillmos.fingerprint
