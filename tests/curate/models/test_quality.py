"""DNSMOS and DistillMOS rate clips one by one, guard what would hang them, and give their authors' numbers."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from curate.models.distillmos import DistillMos
from curate.models.dnsmos import Dnsmos, Quality

AUDIO = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
CLEAN, CLIPPED, NOISE = (
    "ko/zeroth/104_003_0294.flac",
    "derived/0294_clipped_plus18dB.wav",
    "neg/noise/leopard_empty.wav",
)
RATE = 16_000


def read(name: str) -> NDArray[np.float32]:
    if not (AUDIO / name).exists():
        pytest.skip(f"needs the shared test audio ({name})")
    samples: NDArray[np.float32] = soundfile.read(AUDIO / name, dtype="float32")[0]
    return samples


@pytest.fixture(scope="module")
def dnsmos() -> Dnsmos:
    return Dnsmos()


@pytest.fixture(scope="module")
def distillmos() -> Iterator[DistillMos]:
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # its threads wait for each other on a busy machine
    yield DistillMos()
    torch.set_num_threads(threads)


def unfit() -> list[NDArray[np.float32]]:
    nan = np.zeros(2 * RATE, np.float32)
    nan[5] = np.nan
    endless = np.zeros(2 * RATE, np.float32)
    endless[5] = np.inf
    tone = np.sin(np.arange(RATE - 1) / 9).astype(np.float32)
    return [np.zeros(0, np.float32), tone, np.zeros(2 * RATE, np.float32), nan, endless]


def test_dnsmos_answers_none_at_once_for_what_it_cannot_rate(dnsmos: Dnsmos) -> None:
    answers: list[Quality | None] = []
    asking = threading.Thread(target=lambda: answers.extend(dnsmos.rate(unfit())), daemon=True)
    asking.start()
    asking.join(30)  # the library itself never returns from an empty clip
    assert answers == [None] * 5


def test_distillmos_answers_none_for_what_it_cannot_rate(distillmos: DistillMos) -> None:
    assert distillmos.rate(unfit()) == [None] * 5


def test_dnsmos_tells_speech_from_noise(dnsmos: Dnsmos) -> None:
    speech, noise = dnsmos.rate([read(CLEAN)[: 5 * RATE], read(NOISE)[: 5 * RATE]])
    assert speech is not None
    assert noise is not None
    assert speech.overall > 2.2 > 1.8 > noise.overall
    assert speech.signal > noise.signal
    assert speech.background > noise.background


@pytest.mark.slow  # the package brings librosa
def test_dnsmos_gives_the_numbers_of_its_package(dnsmos: Dnsmos) -> None:
    dnsmos_of_package = pytest.importorskip("speechmos.dnsmos")
    for clip in (
        read(CLEAN)[: 5 * RATE],
        np.tile(read(CLEAN), 2)[: 11 * RATE],
    ):  # repeated to fill a window; more than one window
        theirs = dnsmos_of_package.run(clip, RATE)
        (ours,) = dnsmos.rate([clip])
        assert ours is not None
        expected = [theirs["ovrl_mos"], theirs["sig_mos"], theirs["bak_mos"]]
        assert [ours.overall, ours.signal, ours.background] == pytest.approx(expected, abs=1e-4)


def test_dnsmos_scales_peaks_above_one(dnsmos: Dnsmos) -> None:
    clip = read(CLEAN)[: 5 * RATE]
    at_one, above = dnsmos.rate([clip / np.abs(clip).max(), clip / np.abs(clip).max() * 3])
    assert at_one is not None
    assert above is not None
    assert above.overall == pytest.approx(at_one.overall, abs=1e-3)


def test_distillmos_hears_clipping_and_not_level(distillmos: DistillMos) -> None:
    clean, quiet, clipped = distillmos.rate([read(CLEAN), read(CLEAN) * np.float32(0.1), read(CLIPPED)])
    assert clean is not None
    assert clipped is not None
    assert clean > 3.2 > 2.7 > clipped
    assert quiet == pytest.approx(clean, abs=1e-3)


def test_a_clip_is_rated_from_itself_alone(dnsmos: Dnsmos, distillmos: DistillMos) -> None:
    one, two = read(CLEAN)[: 5 * RATE], read(NOISE)[: 6 * RATE]
    assert dnsmos.rate([one, two])[1] == dnsmos.rate([two])[0]
    assert distillmos.rate([one, two])[1] == distillmos.rate([two])[0]


def test_the_weights_stay_silent(capfd: pytest.CaptureFixture[str]) -> None:
    assert DistillMos().rate([np.sin(np.arange(RATE) / 9).astype(np.float32)]) != [None]
    assert capfd.readouterr().out == ""


def test_fingerprints_name_weights_and_versions(dnsmos: Dnsmos, distillmos: DistillMos) -> None:
    assert "269fbebd" in dnsmos.fingerprint
    assert "onnxruntime-" in dnsmos.fingerprint
    assert "b18b3ac6" in distillmos.fingerprint
    assert "torch-" in distillmos.fingerprint
