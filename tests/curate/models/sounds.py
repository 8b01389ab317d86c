"""The sounds that the models are tried on: real recordings beside the checkout, and silences."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE as RATE

AUDIO = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
Samples = NDArray[np.float32]

KOREAN = [
    "ko/zeroth/104_003_0294.flac",
    "ko/ibm_watson/ko-KR_BroadbandModel_sample1.wav",
    "ko/picovoice/leopard_test_ko.wav",
    "ko/picovoice/rhino_test_out_of_context_ko.wav",
]
KHMER = ["km/slr42/khm_1161_1980987674.wav", "km/learn_khmer/002-hello.mp3", "km/learn_khmer/DR2-0107.mp3"]
CLEAN, CLIPPED, NOISE = (
    "ko/zeroth/104_003_0294.flac",
    "derived/0294_clipped_plus18dB.wav",
    "neg/noise/leopard_empty.wav",
)
SILENCES = {
    "nothing": np.zeros(0, np.float32),
    "one sample": np.zeros(1, np.float32),
    "a click": np.full(300, 0.5, np.float32),
    "zeros": np.zeros(5 * RATE, np.float32),
    "NaN": np.full(2 * RATE, np.nan, np.float32),
    "infinite": np.full(2 * RATE, np.inf, np.float32),
}


def _with(value: float) -> Samples:
    samples = np.zeros(2 * RATE, np.float32)
    samples[5] = value
    return samples


# what no quality can be predicted of: nothing, less than a second, silence, no numbers
UNFIT = [np.zeros(0, np.float32), np.sin(np.arange(RATE - 1) / 9).astype(np.float32), *map(_with, (0, np.nan, np.inf))]


class Listener(Protocol):
    """What a model makes of a sound that comes in pieces."""

    def feed(self, samples: Samples, /) -> None: ...

    def finish(self) -> list[Any]: ...


def sound(name: str | Path) -> Samples:
    """A shared recording, mono at 16 kHz; the test is skipped where it is not beside this checkout."""
    if not (AUDIO / name).exists():
        pytest.skip(f"needs the shared test recordings ({name})")
    samples, rate = soundfile.read(AUDIO / name, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    return np.asarray(mono if rate == RATE else soxr.resample(mono, rate, RATE), dtype=np.float32)


def answers(listener: Listener, samples: Samples, pieces: Sequence[int] = ()) -> list[Any]:
    """The listener's answer, the samples cut into pieces of these lengths in turn (none: one piece)."""
    at = turn = 0
    while pieces and at < len(samples):
        listener.feed(samples[at : at + pieces[turn % len(pieces)]])
        at, turn = at + pieces[turn % len(pieces)], turn + 1
    listener.feed(samples[at:])
    return listener.finish()
