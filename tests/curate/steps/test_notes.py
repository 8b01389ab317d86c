"""What could not be reached is told with what is missing; what was reached is not mentioned."""

from typing import Any

import pytest

from curate.recipe import Recipe
from curate.steps import coverage_facts, notes
from tests.curate.frames import clips

SOURCE = {"id": "s", "kind": "table", "path": "x.tsv", "licence": "own", "language": "ko"}
HOUR = 3600.0


def recipe(**tables: Any) -> Recipe:
    return Recipe.model_validate({"source": [SOURCE], "split": {"validation": 0.0, "test": 0.0}, **tables})


def hours(rows: list[dict[str, Any]], **balance: Any) -> list[str]:
    return list(notes.hours(clips(rows), recipe(balance=balance)))


def test_hours_for_a_language_without_clips_are_one_line() -> None:
    assert hours([{"seconds": HOUR}], hours={"km": 2.0, "ko": 1.0}) == [
        "Khmer: 2 h are wanted, and no clip is in it; add a source, or leave balance.hours.km out"
    ]


@pytest.mark.parametrize(
    ("others", "balance", "why"),
    [
        ([], {}, "all there is is kept; add recordings"),
        ([{"drop": "noisy"}], {}, "rules dropped 1.00 h (noisy 1.00 h); add recordings"),
        (
            [{"drop": "capped"}],
            {"max_text_clips": 3},
            "1.00 h are over a cap; raise balance.max_text_clips or add recordings",
        ),
        ([{"drop": "leak"}], {}, "1.00 h would leak from held-out clips; add recordings"),
        (
            [{"drop": "surplus"}],
            {},
            "the clips left over (1.00 h) are each longer than what is missing; raise balance.hours until one more "
            "fits or add recordings",
        ),
    ],
)
def test_more_hours_than_there_are_is_told_with_where_they_went(
    others: list[dict[str, Any]], balance: dict[str, Any], why: str
) -> None:
    rows = [{"seconds": HOUR, "split": "train"}, *({"seconds": HOUR, **other} for other in others)]
    assert hours(rows, hours={"ko": 4.0}, **balance) == [f"Korean: 1.00 of 4 h: 3.00 h short; {why}"]


def test_a_few_seconds_are_told_as_such() -> None:
    (line,) = hours([{"seconds": 1.5}, {"seconds": 4.0, "drop": "surplus"}], hours={"ko": 0.001})
    assert line.startswith("Korean: 1.50 of 3.60 s: 2.10 s short; the clips left over (4.00 s) are each longer than")


def test_a_published_test_set_that_hours_thin_is_told() -> None:
    rows = [{"given_split": "eval" if i < 5 else None, "split": "test" if i < 2 else "train"} for i in range(9)]
    rows = [{**row, "spoken": f"t{i}", "drop": "surplus" if i in (2, 3) else None} for i, row in enumerate(rows)]
    rows[4] |= {"drop": "noisy"}  # a rule says so, and no hours
    lines = notes.splits(clips(rows), recipe(split={"given": True, "validation": 0.0, "test": 0.2}))
    assert [line for line in lines if "as published are" in line] == [
        "Korean: 2 of 4 clips of the test set as published are left out, as [balance] asks for fewer hours; without "
        "hours and caps for the language it stays whole"
    ]
    assert not [line for line in notes.splits(clips(rows), recipe()) if "as published are" in line]


CAPPED = [{"seconds": HOUR, "speaker": f"w{i % 4}", "drop": None if i == 0 else "capped"} for i in range(8)]


@pytest.mark.parametrize(
    ("balance", "named"),
    [
        ({"max_speaker_hours": 1.0}, "balance.max_speaker_hours"),
        ({"max_speaker_hours": 1.0, "max_source_hours": 7.0}, "balance.max_speaker_hours"),
        ({"max_speaker_hours": 1.0, "max_source_hours": 2.0}, "balance.max_speaker_hours and balance.max_source_hours"),
        ({"max_source_hours": 2.0, "max_text_clips": 8}, "balance.max_source_hours"),
        ({"max_speaker_hours": 1.5, "max_source_hours": 6.0}, "balance.max_speaker_hours or balance.max_source_hours"),
    ],
)
def test_only_caps_that_are_in_the_way_are_to_be_raised(balance: dict[str, Any], named: str) -> None:
    (line,) = hours(CAPPED, hours={"ko": 6.0}, **balance)
    assert line.endswith(f"; raise {named} or add recordings")


def test_caps_that_leave_nothing_are_told_though_no_hours_were_asked() -> None:
    rows = [{**row, "drop": "capped"} for row in CAPPED] + [{"drop": "noisy", "language": "km"}]
    lines = notes.notes(
        clips([*rows, {"language": "km", "split": "train"}]), recipe(balance={"max_speaker_hours": 1e-4})
    )
    assert lines[0] == "Korean: no clip is kept, 8.00 h are over a cap; raise balance.max_speaker_hours"


def tagged(people: list[str | None], having: int, share: float) -> list[str]:
    row = {"voice": None, "split": "train", "training_text": "(x)말"}
    rows = [{**row, "speaker": who, "reference": "y" if i < having else None} for i, who in enumerate(people)]
    return list(notes.references(clips(rows), recipe(tag={"reference_share": share})))


def test_fewer_references_than_asked_are_told_with_their_cause() -> None:
    assert tagged(["a"] * 100, 100, 1.0) == tagged(["a"] * 100, 22, 0.3) == tagged(["a"] * 100, 0, 0.0) == []
    (line,) = tagged([f"p{i}" for i in range(100)], 0, 1.0)
    assert line.startswith(
        "Korean: 0% of the clips have a reference (100% asked): 100% are of persons with one text in"
    )
    (line,) = tagged([None] * 100, 0, 0.3)
    assert line.endswith("(30% asked): of 100% nobody knows who speaks; name speakers, or lower tag.reference_share")


def test_hours_that_were_reached_and_a_manifest_not_yet_decided_have_no_line() -> None:
    assert hours([{"seconds": 0.996 * HOUR}], hours={"ko": 1.0}) == []
    assert notes.notes(clips([{}]), recipe(balance={"hours": {"ko": 9.0}})) == []


ROWS = [
    {"spoken": "국물", "pronounced": "궁물"}, {"spoken": "나무", "pronounced": "나무"},
    {"spoken": "책값", "pronounced": "책깝", "drop": "surplus"}, {"spoken": "쥐", "pronounced": "쥐", "drop": "noisy"},
]  # fmt: skip


def test_coverage_is_counted_of_kept_clips_and_of_those_that_could_have_been() -> None:
    (facts,) = coverage_facts.phonetic_coverage(clips(ROWS))
    assert (facts["language"], facts["clips"], facts["pool_clips"]) == ("ko", 2, 3)
    kinds = {each["kind"]: each for each in facts["kinds"]}
    assert (kinds["syllable"]["units"], kinds["syllable"]["pool"], kinds["syllable"]["lost"]) == (4, 6, 2)
    assert kinds["syllable"]["lost_first"] == ["깝", "책"]
    assert kinds["syllable"]["entropy"] == 2.0
    assert kinds["sound change"]["rarest"] == [["ㄱ+ㅁ>ㅇ+ㅁ", 1]]
    assert kinds["vowel"]["inventory"] == 21
    assert "ㅐ" in kinds["vowel"]["absent"]
    assert "ㅜ" not in kinds["vowel"]["absent"]
    assert coverage_facts.phonetic_coverage(clips([{"drop": "noisy"}])) == []


def test_units_that_no_kept_clip_has_are_named() -> None:
    (line,) = notes.uncovered(coverage_facts.phonetic_coverage(clips(ROWS)))
    assert line.startswith("Korean: no kept clip has 15 initials (ㄱㄲ"[:26])
    assert "2 syllables (깝, 책) of 6 that clips had" in line
    assert "\n" not in line
