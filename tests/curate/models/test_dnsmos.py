"""DNSMOS rates clips one by one, guards what would hang it, and gives its authors' numbers."""

import threading

import numpy as np
import pytest

from curate.audio import LISTENING_RATE as RATE
from curate.models.dnsmos import Dnsmos, Quality
from tests.curate.models.sounds import CLEAN, NOISE, UNFIT, sound


def test_answers_none_at_once_for_what_it_cannot_rate(dnsmos: Dnsmos) -> None:
    answers: list[Quality | None] = []
    asking = threading.Thread(target=lambda: answers.extend(dnsmos.rate(UNFIT)), daemon=True)
    asking.start()
    asking.join(30)  # the library itself never returns from an empty clip
    assert answers == [None] * 5


def test_tells_speech_from_noise(dnsmos: Dnsmos) -> None:
    speech, noise = dnsmos.rate([sound(CLEAN)[: 5 * RATE], sound(NOISE)[: 5 * RATE]])
    assert speech is not None
    assert noise is not None
    assert speech.overall > 2.2 > 1.8 > noise.overall
    assert speech.signal > noise.signal
    assert speech.background > noise.background


@pytest.mark.slow  # the package brings librosa
def test_gives_the_numbers_of_its_package(dnsmos: Dnsmos) -> None:
    dnsmos_of_package = pytest.importorskip("speechmos.dnsmos")
    for clip in (
        sound(CLEAN)[: 5 * RATE],
        np.tile(sound(CLEAN), 2)[: round(10.1 * RATE)],
    ):  # repeated to fill a window; more than one window
        theirs = dnsmos_of_package.run(clip, RATE)
        (ours,) = dnsmos.rate([clip])
        assert ours is not None
        expected = [theirs["ovrl_mos"], theirs["sig_mos"], theirs["bak_mos"]]
        assert [ours.overall, ours.signal, ours.background] == pytest.approx(expected, abs=1e-4)


def test_scales_peaks_above_one(dnsmos: Dnsmos) -> None:
    clip = sound(CLEAN)[: 5 * RATE]
    at_one, above = dnsmos.rate([clip / np.abs(clip).max(), clip / np.abs(clip).max() * 3])
    assert at_one is not None
    assert above is not None
    assert above.overall == pytest.approx(at_one.overall, abs=1e-3)


def test_the_fingerprint_names_weights_and_versions(dnsmos: Dnsmos) -> None:
    assert "269fbebd" in dnsmos.fingerprint
    assert "onnxruntime-" in dnsmos.fingerprint
