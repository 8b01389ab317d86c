"""Persons: names and voices that belong together are one, wrong labels are told, thin evidence joins nobody."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.steps import speakers
from tests.curate.frames import clips

SIZE = 64
Row = tuple[str, str | None, str | None, int | None]  # source, speaker, voice, whose sound (null: none)


def sound(who: int, seed: int, *, spread: float = 0.8) -> list[float]:
    """A unit vector about a person's own axis, so that two of one person are alike by 0.64."""
    noise: NDArray[np.float64] = np.random.default_rng(seed).standard_normal(SIZE)
    noise[:8] = 0
    vector = np.sqrt(1 - spread**2) * noise / np.linalg.norm(noise)
    vector[who] = spread
    return [float(x) for x in vector]


def persons(rows: Sequence[Row]) -> pl.DataFrame:
    made: list[dict[str, Any]] = [
        {"source": source, "speaker": speaker, "voice": voice, "embedding": None if who is None else sound(who, i)}
        for i, (source, speaker, voice, who) in enumerate(rows)
    ]
    return speakers.persons(clips(made))


def person(rows: Sequence[Row]) -> list[str | None]:
    return persons(rows)["person"].to_list()


def conflicts(rows: Sequence[Row]) -> list[str | None]:
    return persons(rows)["speaker_conflict"].to_list()


def test_unnamed_recordings_of_a_named_speaker_are_that_persons() -> None:
    rows: list[Row] = [("read", "mina", "voice-001", 0)] * 5 + [("radio", None, "voice-001", 0)] * 3
    assert person(rows) == ["read mina"] * 8
    assert conflicts(rows) == [None] * 8


def test_equal_names_in_two_sources_are_two_people_unless_they_sound_alike() -> None:
    two: list[Row] = [("a", "1", "voice-001", 0)] * 4 + [("b", "1", "voice-002", 1)] * 4
    assert person(two) == ["a 1"] * 4 + ["b 1"] * 4
    one: list[Row] = [("a", "1", "voice-001", 0)] * 4 + [("b", "1", "voice-001", 0)] * 4
    assert person(one) == ["a 1"] * 8


def test_two_names_are_joined_on_strong_evidence_only() -> None:
    same: list[Row] = [("a", "mina", "voice-001", 0)] * 4 + [("b", "m. kim", "voice-001", 0)] * 3
    assert person(same) == ["a mina"] * 7
    # a voice that holds two people keeps them apart by their labels, and gives what is unnamed to the nearer one
    mixed: list[Row] = [("a", "mina", "voice-001", 0)] * 4 + [("b", "jun", "voice-001", 1)] * 4
    unnamed: list[Row] = [("c", None, "voice-001", 0), ("c", None, "voice-001", 1)]
    assert person(mixed + unnamed) == ["a mina"] * 4 + ["b jun"] * 4 + ["a mina", "b jun"]
    assert conflicts(mixed + unnamed) == [None] * 10


def test_a_label_whose_voice_is_anothers_is_told_and_goes_with_the_voice() -> None:
    rows: list[Row] = [
        *[("a", "mina", "voice-001", 0)] * 6,
        *[("a", "jun", "voice-002", 1)] * 6,
        ("a", "mina", "voice-002", 1),
        ("a", "jun", "voice-003", 2),
        *[("b", None, "voice-003", 2)] * 3,
    ]
    assert conflicts(rows) == [None] * 12 + ["a jun", "voice-003"] + [None] * 3
    assert person(rows) == ["a mina"] * 6 + ["a jun"] * 7 + ["voice-003"] * 4


def test_a_few_odd_clips_prove_nothing_against_a_label() -> None:
    rows: list[Row] = [("a", "mina", "voice-001", 0)] * 6 + [("a", "mina", "voice-002", 1)] * 2
    assert person(rows) == ["a mina"] * 8
    assert conflicts(rows) == [None] * 8


def test_one_person_in_two_rooms_is_two_voices_and_one_person() -> None:
    room = [sound(0, i) for i in range(6)]
    other = [[*(0.9 * np.array(v) + 0.3 * np.eye(SIZE)[5])] for v in (sound(0, 10 + i) for i in range(4))]
    rows = [{"speaker": "mina", "voice": "voice-001", "embedding": v} for v in room]
    rows += [{"speaker": "mina", "voice": "voice-002", "embedding": v} for v in other]
    rows += [{"voice": "voice-002", "embedding": other[0]}]
    assert speakers.persons(clips(rows))["person"].unique().to_list() == ["studio mina"]


def test_one_wrong_label_does_not_win_a_voice_like_the_names_own() -> None:
    close = (0.9 * np.eye(SIZE)[0] + 0.5 * np.eye(SIZE)[1]) / np.linalg.norm([0.9, 0.5])  # somebody who sounds alike
    others = [0.8 * close + 0.6 * np.eye(SIZE)[10 + i] for i in range(9)]
    rows = [{"speaker": "mina", "voice": "voice-001", "embedding": sound(0, i)} for i in range(9)]
    rows += [{"speaker": "mina", "voice": "voice-002", "embedding": others[0].tolist()}]
    rows += [{"voice": "voice-002", "embedding": each.tolist()} for each in others[1:]]
    told = speakers.persons(clips(rows))
    assert told["person"].to_list()[:9] == ["studio mina"] * 9
    assert told["person"].to_list()[10:] == ["voice-002"] * 8


def test_a_name_of_few_clips_in_the_voice_of_another_source_goes_with_it_whole() -> None:
    rows: list[Row] = [("a", "mina", "voice-001", 0)] * 6 + [("b", "kim", "voice-001", 0)] * 2 + [("b", "kim", None, 0)]
    assert person(rows) == ["a mina"] * 9
    assert conflicts(rows) == [None] * 9  # it may as well be her other name
    within: list[Row] = [("a", "mina", "voice-001", 0)] * 6 + [("a", "kim", "voice-001", 0)] * 2
    assert conflicts(within) == [None] * 6 + ["a mina"] * 2  # one source holds them to be two
    assert person(within) == ["a mina"] * 8


def test_a_wrong_label_in_a_small_voice_goes_to_the_name_that_most_of_that_voice_has() -> None:
    small: list[Row] = [("a", "mina", "voice-003", 0)] * 2
    rows: list[Row] = [
        *[("a", "mina", "voice-001", 0)] * 12,
        *[("a", "jun", "voice-002", 1)] * 6,
        *small,
        ("a", "jun", "voice-003", 0),
    ]
    assert person(rows) == ["a mina"] * 12 + ["a jun"] * 6 + ["a mina"] * 3
    assert conflicts(rows) == [None] * 20 + ["a mina"]
    shared: list[Row] = [*rows, *[("b", None, "voice-003", 0)] * 2]  # two of five are too few
    assert person(shared)[20:] == ["voice-003"] * 3


def test_single_clips_in_other_voices_decide_nothing_about_a_name() -> None:
    rows: list[Row] = [
        *[("a", "mina", "voice-001", 0)] * 9,
        *[("b", "kim", "voice-001", 0)] * 7,
        ("b", "kim", "voice-002", 0),  # on the telephone
        *[("a", "jun", "voice-003", 1)] * 6,
        ("b", "kim", "voice-003", 1),  # a wrong label
    ]
    assert person(rows) == ["a mina"] * 17 + ["a jun"] * 7
    assert conflicts(rows) == [None] * 23 + ["a jun"]
    few: list[Row] = [*rows[:9], *[("b", "kim", "voice-001", 0)] * 2, ("b", "kim", "voice-002", 0)]
    assert person(few) == ["a mina"] * 12
    assert conflicts(few) == [None] * 12


def test_a_voice_that_several_names_share_tells_nothing_against_any() -> None:
    """As telephone speech of several people does, who have voices of their own in full bandwidth."""
    names = ("mina", "jun", "kim")
    own: list[Row] = [("a", name, f"voice-00{i + 1}", i) for i, name in enumerate(names) for _ in range(6)]
    telephone: list[Row] = [("a", name, "voice-009", 5) for name in names]
    assert conflicts([*own, *telephone]) == [None] * 21
    assert person([*own, *telephone])[18:] == ["a mina", "a jun", "a kim"]
    nameless: list[Row] = [("b", None, "voice-009", 5)] * 4  # now it is somebody's, and three labels are wrong
    assert conflicts([*own, *telephone, *nameless])[18:21] == ["voice-009"] * 3


def test_a_nameless_clip_without_a_sure_voice_stands_with_the_likeliest_person() -> None:
    rows: list[Row] = [("a", "mina", "voice-001", 0)] * 4 + [("b", None, None, 0), ("b", None, None, 1)]
    assert person(rows) == ["a mina"] * 5 + [None]


def test_a_label_on_several_people_is_not_a_person() -> None:
    rows: list[Row] = [("a", "unknown", f"voice-00{1 + i // 4}", i // 4) for i in range(16)]
    assert person(rows) == [f"voice-00{1 + i // 4}" for i in range(16)]
    assert conflicts(rows) == person(rows)


def test_without_voices_a_person_is_a_name_in_its_source() -> None:
    rows: list[Row] = [("a", "1", None, None), ("a", "", None, None), ("b", "1", None, None), ("b", None, None, None)]
    assert person(rows) == ["a 1", None, "b 1", None]
    assert speakers.persons(clips([])).height == 0


def test_a_given_name_stands_before_the_voice() -> None:
    named = speakers.name(clips([{"speaker": "mina", "voice": "voice-001"}, {"voice": "voice-002"}, {}]))
    assert named["speaker"].to_list() == ["mina", "voice-002", None]
