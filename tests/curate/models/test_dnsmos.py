"""DNSMOS rates clips one by one, guards what would hang it, and gives its authors' numbers."""

import os
import threading

import numpy as np
import pytest

from curate.audio import LISTENING_RATE as RATE
from curate.models.dnsmos import Dnsmos, Quality
from tests.curate.models.sounds import CLEAN, NOISE, UNFIT, sound

LONG = "SAMSORI_LONG" in os.environ


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


# of the package's own code: overall, signal, background; a clip repeated to fill a window, and more than one window
CLIPS = {
    (2.3079, 3.1349, 2.8219): lambda: sound(CLEAN)[: 5 * RATE],
    (2.4468, 3.1118, 3.2365): lambda: np.tile(sound(CLEAN), 2)[: round(10.1 * RATE)],
}


@pytest.mark.parametrize("theirs", CLIPS)
def test_gives_the_numbers_of_its_package(dnsmos: Dnsmos, theirs: tuple[float, ...]) -> None:
    (ours,) = dnsmos.rate([CLIPS[theirs]()])
    assert ours is not None
    assert [ours.overall, ours.signal, ours.background] == pytest.approx(list(theirs), abs=2e-4)


@pytest.mark.skipif(not LONG, reason="the package compiles librosa for half a minute: SAMSORI_LONG=1 (make test-long)")
@pytest.mark.parametrize("theirs", CLIPS)
def test_those_are_the_numbers_of_its_package(theirs: tuple[float, ...]) -> None:
    dnsmos_of_package = pytest.importorskip("speechmos.dnsmos")
    rated = dnsmos_of_package.run(CLIPS[theirs](), RATE)
    assert [rated["ovrl_mos"], rated["sig_mos"], rated["bak_mos"]] == pytest.approx(list(theirs), abs=1e-4)


def test_scales_peaks_above_one(dnsmos: Dnsmos) -> None:
    clip = sound(CLEAN)[: 5 * RATE]
    at_one, above = dnsmos.rate([clip / np.abs(clip).max(), clip / np.abs(clip).max() * 3])
    assert at_one is not None
    assert above is not None
    assert above.overall == pytest.approx(at_one.overall, abs=1e-3)


def test_the_fingerprint_names_weights_and_versions(dnsmos: Dnsmos) -> None:
    assert "269fbebd" in dnsmos.fingerprint
    assert "onnxruntime-" in dnsmos.fingerprint
