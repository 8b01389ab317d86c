"""Voices: the same speaker in two files is one voice, two speakers are two, and the same clips give the same names."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.measures import voices
from tests.curate.frames import clips

SIZE = 64


def near(centre: NDArray[np.float32], closeness: float, seed: int) -> list[float]:
    """A unit vector at that cosine to another."""
    other = np.random.default_rng(seed).standard_normal(SIZE)
    other -= other @ centre * centre
    vector = closeness * centre + np.sqrt(1 - closeness**2) * other / np.linalg.norm(other)
    return [float(x) for x in vector]


def people(count: int) -> list[NDArray[np.float32]]:
    return [np.eye(SIZE, dtype=np.float32)[i] for i in range(count)]


def heard(vectors: Sequence[list[float] | None], seconds: float | list[float] = 5.0) -> pl.DataFrame:
    lengths = seconds if isinstance(seconds, list) else [seconds] * len(vectors)
    return clips([{"embedding": v, "speech_seconds": s} for v, s in zip(vectors, lengths, strict=True)])


def named_voices(frame: pl.DataFrame) -> list[str | None]:
    return voices.find(frame)["voice"].to_list()


def test_each_speaker_is_one_voice_named_in_order_of_appearance() -> None:
    a, b, c = people(3)
    vectors = [near(who, 0.85, i) for i, who in enumerate([b, a, b, c, a, b])]
    assert named_voices(heard(vectors)) == [
        "voice-001",
        "voice-002",
        "voice-001",
        "voice-003",
        "voice-002",
        "voice-001",
    ]


def test_the_same_clips_give_the_same_voices_and_a_later_one_changes_none() -> None:
    vectors = [near(who, 0.85, 10 * i + j) for j in range(6) for i, who in enumerate(people(4))]
    first = named_voices(heard(vectors))
    assert named_voices(heard(vectors)) == first
    assert named_voices(heard([*vectors, near(people(5)[4], 0.9, 99)]))[:-1] == first
    assert len(set(first)) == 4


def test_a_short_clip_joins_a_voice_but_founds_none() -> None:
    a, b = people(2)
    vectors = [near(a, 0.9, 1), near(a, 0.9, 2), near(b, 0.9, 3)]
    assert named_voices(heard(vectors, [5.0, 1.9, 1.9])) == ["voice-001", "voice-001", None]
    assert named_voices(heard(vectors, [5.0, 1.9, 2.0])) == ["voice-001", "voice-001", "voice-002"]
    assert named_voices(heard(vectors, 1.0)) == [None, None, None]


def test_two_centres_that_come_together_are_one_voice() -> None:
    (a,) = people(1)
    # two clips of one person that are unlike each other, then many in between
    vectors = [near(a, 0.75, 1), near(a, 0.75, 2), *(near(a, 0.95, 3 + i) for i in range(6))]
    assert set(named_voices(heard(vectors))) == {"voice-001"}


def test_clips_without_an_embedding_are_nobody_and_none_at_all_is_no_error() -> None:
    (a,) = people(1)
    found = voices.find(heard([None, near(a, 0.9, 1)]))
    assert found["id"].to_list() == [f"{1:016x}"]
    assert voices.find(heard([None])).height == 0
