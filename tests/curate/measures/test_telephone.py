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


@pytest.mark.parametrize("signed", [False, True])
def test_only_narrow_embeddings_are_moved(signed: bool) -> None:
    row = np.random.default_rng(0).standard_normal(DIMENSIONS)
    vector = row if signed else np.maximum(row, 0)
    vector = vector / np.linalg.norm(vector)
    embeddings = telephone.signed_embeddings if signed else telephone.unit_embeddings
    added, length = (telephone.signed_shift(), 0.48) if signed else (telephone.shift(), 0.36)
    values = row.tolist()
    wide, unknown, narrow, none = embeddings(
        frame([(values, 8000.0), (values, None), (values, 3500.0), (None, 3500.0)])
    )
    assert wide == pytest.approx(vector, abs=1e-6)
    assert unknown == pytest.approx(vector, abs=1e-6)
    moved = vector - added
    assert narrow == pytest.approx(moved / np.linalg.norm(moved), abs=1e-6)
    assert not none.any()
    assert np.linalg.norm(added) == pytest.approx(length, abs=0.03)


def test_embeddings_of_another_size_stay_as_they_are() -> None:
    found = telephone.unit_embeddings(frame([([3.0, 4.0], 3500.0)]))
    assert found.tolist() == [pytest.approx([0.6, 0.8])]
    assert telephone.unit_embeddings(frame([(None, None)])).shape == (1, 1)


@pytest.mark.skipif(
    not KOREAN.exists(), reason="needs real Korean speech in ../shared/audio, which is not in the project"
)
def test_one_person_on_the_telephone_is_nearer_to_their_other_speech() -> None:
    """On speech that the vectors were not taken from."""
    clips = [_heard(path) for path in sorted(KOREAN.glob("*.flac"))[:4]]
    voices = Campplus().voices([*clips, *(_telephone(clip) for clip in clips)])
    told = [voice.signed.tolist() for voice in voices if voice is not None]
    narrow, unknown = (frame(list(zip(told, [8000.0] * 4 + [width] * 4, strict=True))) for width in (3400.0, None))
    for embeddings in (telephone.unit_embeddings, telephone.signed_embeddings):
        before, after = embeddings(unknown), embeddings(narrow)
        others = ~np.eye(4, dtype=bool)  # a clip's own words apart
        for clip in range(4):
            mine = others[clip]
            assert (after[:4] @ after[4 + clip])[mine].mean() > (before[:4] @ before[4 + clip])[mine].mean()


def _heard(path: Path) -> NDArray[np.float32]:
    samples, rate = soundfile.read(path, dtype="float32")
    return audio.resample(samples, rate, audio.LISTENING_RATE)


def _telephone(clip: NDArray[np.float32]) -> NDArray[np.float32]:
    spectrum = np.fft.rfft(clip)
    hertz = np.fft.rfftfreq(len(clip), 1 / audio.LISTENING_RATE)
    return np.fft.irfft(np.where((hertz > 300) & (hertz < 3400), spectrum, 0), len(clip)).astype(np.float32)
