"""Voices: the same speaker in two files is one voice, two speakers are two, and the same clips give the same names."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from benchmarks import voices as benchmark
from curate.measures import linkage, voices
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


def test_a_short_clip_joins_a_voice_and_only_two_of_a_second_found_one() -> None:
    a, b = people(2)
    vectors = [near(a, 0.9, 1), near(a, 0.9, 2), near(b, 0.9, 3)]
    assert named_voices(heard(vectors, [5.0, 1.9, 1.9])) == ["voice-001", "voice-001", None]
    assert named_voices(heard(vectors, [5.0, 1.9, 2.0])) == ["voice-001", "voice-001", "voice-002"]
    assert named_voices(heard(vectors, 1.0)) == ["voice-001", "voice-001", None]
    assert named_voices(heard(vectors, 0.9)) == [None, None, None]


@pytest.mark.parametrize(
    ("column", "value"),
    [("snr", 3.0), ("music", 0.9), ("voices", 2), ("second_voice", 0.2)],
)
def test_an_impure_clip_founds_no_voice_and_glues_none_together(column: str, value: float) -> None:
    a, b = people(2)
    between = linkage.unit(np.array([a + b]))[0]
    vectors = [near(who, 0.85, 10 * i + j) for i in range(6) for j, who in enumerate((a, b))]
    vectors += [[float(x) for x in between] for _ in range(12)]
    frame = heard(vectors)
    impure = pl.int_range(pl.len()) >= 12
    dirty = frame.with_columns(
        pl.when(impure).then(pl.lit(value)).otherwise(column).cast(frame.schema[column]).alias(column)
    )
    voiced = named_voices(dirty)
    assert voiced[:12] == ["voice-001", "voice-002"] * 6
    assert voiced[12:] == [None] * 12  # between two voices: surely neither's


def test_bounds_are_fixed_and_what_was_not_measured_speaks_against_nobody() -> None:
    vectors = [near(who, 0.85, 10 * i + j) for i in range(4) for j, who in enumerate(people(2))]
    unmeasured = [
        pl.lit(None, pl.Float64).alias(name) for name in voices.INPUTS if name not in ("embedding", "speech_seconds")
    ]
    assert named_voices(heard(vectors).with_columns(unmeasured)) == ["voice-001", "voice-002"] * 4


def test_a_clip_between_two_voices_stays_unnamed() -> None:
    a, b = people(2)
    vectors = [near(who, 0.9, 10 * i + j) for i in range(4) for j, who in enumerate((a, b))]
    middle = [float(x) for x in linkage.unit(np.array([a + b]))[0]]
    assert named_voices(heard([*vectors, middle], [5.0] * 8 + [0.5]))[-1] is None


def test_a_voice_of_two_modes_is_parted() -> None:
    a, b = people(2)
    close = linkage.unit(np.array([a + 1.3 * b]))[0]  # two tight voices whose clips are alike by more than LINKED
    vectors = np.array([near(who, 0.97, 10 * i + j) for i in range(8) for j, who in enumerate((a, close))], np.float32)
    assert voices.LINKED < float(vectors[0] @ vectors[1]) < voices.MODES * float(vectors[0] @ vectors[2])
    assert len(set(linkage.link(vectors, threshold=voices.LINKED, near=0.75).tolist())) == 1
    assert named_voices(heard(vectors.tolist())) == ["voice-001", "voice-002"] * 8


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_a_voice_of_several_people_about_as_far_from_each_other_is_parted(count: int) -> None:
    """Two halves of three people are alike: one half holds two of them, and is loose itself."""
    common, *axes = people(count + 1)
    centres = [linkage.unit(np.array([np.sqrt(1.5) * common + axis]))[0] for axis in axes]  # alike by 0.6
    vectors = [near(who, 0.95, 10 * i + j) for i in range(6) for j, who in enumerate(centres)]
    linked = linkage.link(np.array(vectors, np.float32), threshold=voices.LINKED, near=0.75)
    assert len(set(linked.tolist())) == 1
    assert named_voices(heard(vectors)) == [f"voice-00{i + 1}" for i in range(count)] * 6


def test_what_the_voices_of_a_corpus_share_hides_nobody() -> None:
    """People of one language in one room, alike by 0.47, are one voice if nothing is taken off."""
    common, *axes = people(41)
    centres = [linkage.unit(np.array([np.sqrt(0.88) * common + axis]))[0] for axis in axes]
    vectors = [near(who, 0.9, 100 * i + j) for i in range(6) for j, who in enumerate(centres)]
    linked = linkage.link(np.array(vectors, np.float32), threshold=voices.LINKED, near=voices.NEAR)
    assert len(set(linked.tolist())) < 5
    assert named_voices(heard(vectors)) == [f"voice-{i + 1:03d}" for i in range(40)] * 6


@pytest.mark.parametrize("closeness", [0.8, 0.85, 0.95])
def test_a_loose_voice_of_one_person_stays_one(closeness: float) -> None:
    (a,) = people(1)
    assert set(named_voices(heard([near(a, closeness, i) for i in range(40)]))) == {"voice-001"}


@pytest.mark.parametrize(("bandwidth", "least"), [(4000.0, 3), (8000.0, 2), (None, 2)])
def test_telephone_speech_beside_wide_band_founds_a_voice_with_three_clips(bandwidth: float | None, least: int) -> None:
    a, b = people(2)
    bandwidths = pl.Series([8000.0, *[bandwidth] * 3], dtype=pl.Float64)
    frame = heard([near(b, 0.9, 9), *(near(a, 0.9, i) for i in range(3))]).with_columns(
        snr=pl.lit(7.0), bandwidth=bandwidths
    )
    assert named_voices(frame[: 1 + least - 1])[1:] == [None] * (least - 1)
    assert named_voices(frame[: 1 + least])[1:] == ["voice-001"] * least
    assert named_voices(frame[1:3].with_columns(bandwidth=pl.lit(4000.0))) == ["voice-001"] * 2  # nothing but telephone


def test_a_stray_clip_is_no_voice_of_its_own_where_one_is_much_the_nearest() -> None:
    a, b = people(2)
    vectors = [near(who, 0.9, 10 * i + j) for i in range(4) for j, who in enumerate((a, b))]
    assert named_voices(heard([*vectors, near(a, 0.68, 77)]))[-1] == "voice-001"


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


def test_thousands_of_generated_clips_are_told_apart() -> None:
    facts = benchmark.judge(benchmark.make(4000, 2))
    assert facts["speakers"] > 50
    assert min(facts["voice_purity"], facts["voice_coverage"]) >= 0.97
    assert min(facts["person_purity"], facts["person_coverage"]) >= 0.97
    assert facts["wrong_labels_told"] >= 0.8
    assert facts["right_labels_told"] <= 0.01
