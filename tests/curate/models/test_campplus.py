"""Voices: the same one is near, another is not, and a clip's embedding is its own."""

import numpy as np
import pytest

from curate.models.campplus import Campplus
from tests.curate.models.sounds import KHMER, KOREAN, sound


def test_a_voice_is_nearer_to_itself_than_to_any_other(campplus: Campplus) -> None:
    same = [sound(f"ko/zeroth/104_003_{number}.flac") for number in ("0253", "0294", "0577")]
    others = [sound(name) for name in [*KOREAN[1:], KHMER[0], "neg/ja_picovoice/leopard_test_ja.wav"]]
    found = np.stack([vector for vector in campplus.embed([*same, *others]) if vector is not None])
    assert found.shape == (8, 192)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    alike = found @ found.T
    assert alike[:3, :3].min() > 0.7
    assert alike[:3, 3:].max() < 0.55


def test_a_clip_is_embedded_alike_in_any_company(campplus: Campplus) -> None:
    first, second = sound(KOREAN[0]), sound(KOREAN[2])
    alone = campplus.embed([first])[0]
    among = campplus.embed([second, np.zeros(0, np.float32), first, second[:6_399], second[:6_400]])
    assert alone is not None
    assert among[2] is not None
    assert np.array_equal(alone, among[2])
    assert [vector is None for vector in among] == [False, True, False, True, False]
