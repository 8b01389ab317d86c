"""Telephone speech is compared as if in full bandwidth; nothing else changes."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
from numpy.typing import NDArray

from curate import audio
from curate.measures import telephone
from curate.models.campplus import DIMENSIONS, Campplus

KOREAN = Path(__file__).resolve().parents[3].parent / "shared" / "audio" / "ko" / "zeroth"


def frame(rows: list[tuple[list[float] | None, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, {"embedding": pl.List(pl.Float32), "bandwidth": pl.Float64}, orient="row")


def test_only_narrow_embeddings_are_moved() -> None:
    vector = np.random.default_rng(0).standard_normal(DIMENSIONS)
    vector /= np.linalg.norm(vector)
    row = vector.tolist()
    wide, unknown, narrow, none = telephone.unit_embeddings(
        frame([(row, 8000.0), (row, None), (row, 3500.0), (None, 3500.0)])
    )
    assert wide == pytest.approx(vector, abs=1e-6)
    assert unknown == pytest.approx(vector, abs=1e-6)
    moved = vector - telephone.shift()
    assert narrow == pytest.approx(moved / np.linalg.norm(moved), abs=1e-6)
    assert not none.any()
    assert 0.3 < np.linalg.norm(telephone.shift()) < 0.45


def test_embeddings_of_another_size_stay_as_they_are() -> None:
    found = telephone.unit_embeddings(frame([([3.0, 4.0], 3500.0)]))
    assert found.tolist() == [pytest.approx([0.6, 0.8])]
    assert telephone.unit_embeddings(frame([(None, None)])).shape == (1, 1)


@pytest.mark.skipif(
    not KOREAN.exists(), reason="needs real Korean speech in ../shared/audio, which is not in the project"
)
def test_one_person_on_the_telephone_is_nearer_to_their_other_speech() -> None:
    """On speech that the vector was not taken from."""
    clips = [_heard(path) for path in sorted(KOREAN.glob("*.flac"))[:4]]
    model = Campplus()
    wide, narrow = model.embed(clips), model.embed([_telephone(clip) for clip in clips])
    told = frame(
        [(each.tolist(), width) for of, width in ((wide, 8000.0), (narrow, 3400.0)) for each in of if each is not None]
    )
    before, after = (np.array(told["embedding"].to_list()), telephone.unit_embeddings(told))
    for one in range(4):
        for other in set(range(4)) - {one}:
            assert after[one] @ after[4 + other] > before[one] @ before[4 + other]


def _heard(path: Path) -> NDArray[np.float32]:
    samples, rate = soundfile.read(path, dtype="float32")
    return audio.resample(samples, rate, audio.LISTENING_RATE)


def _telephone(clip: NDArray[np.float32]) -> NDArray[np.float32]:
    spectrum = np.fft.rfft(clip)
    hertz = np.fft.rfftfreq(len(clip), 1 / audio.LISTENING_RATE)
    return np.fft.irfft(np.where((hertz > 300) & (hertz < 3400), spectrum, 0), len(clip)).astype(np.float32)
