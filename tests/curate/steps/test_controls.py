"""Control words: what a person would type, only where a measure is far from the middle, alike in every split."""

from typing import Any

import polars as pl
import pytest

from curate.steps import controls
from curate.steps.tag import tag
from tests.curate.frames import clips

ALL = controls.NAMES


def said(rows: list[dict[str, Any]], chosen: tuple[str, ...] = ALL) -> list[str | None]:
    plain = {"phone_pace": 10.0, "pitch": 170.0, "loudness": -20.0, "snr": 30.0}
    return tag(clips([plain | row for row in rows]), template="(x)", form="spoken", controls=chosen)[
        "control"
    ].to_list()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, None),
        ({"pitch": 150.0}, "low-pitched voice"),
        ({"pitch": 151.0}, None),
        ({"pitch": 200.0}, "high-pitched voice"),
        ({"phone_pace": 8.0}, "speaking slowly"),
        ({"phone_pace": 12.5}, "speaking fast"),
        ({"loudness": -26.0}, "quiet"),
        ({"loudness": -14.0}, "loud"),
        ({"snr": 24.0}, "with background noise"),
        ({"snr": 39.5}, "clean recording"),
        ({"snr": None, "pitch": None, "phone_pace": None, "loudness": None}, None),
        ({"pitch": 110.0, "phone_pace": 14.0, "loudness": -3.0, "snr": 40.0},
         "low-pitched voice, speaking fast, loud, clean recording"),
        ({"pitch": 110.0, "drop": "noisy"}, None),
    ],
)  # fmt: skip
def test_only_what_is_far_from_the_middle_gets_a_word(row: dict[str, Any], words: str | None) -> None:
    assert said([{}, {}, {}, {}, row])[-1] == words


def test_only_what_the_recipe_asks_for_is_said_and_nothing_by_default() -> None:
    low = {"pitch": 110.0, "snr": 40.0}
    assert said([low, {}], ("pitch",)) == ["low-pitched voice", None]
    assert said([low, {}], ("noise", "pitch")) == ["low-pitched voice, clean recording", None]
    assert said([low, {}], ()) == [None, None]
    assert tag(clips([low]), template="(x)", form="spoken")["training_text"].item() == "(x)말"


def test_pace_is_told_by_the_language_and_dropped_clips_do_not_count() -> None:
    rows = [{"language": "km", "phone_pace": pace} for pace in (5.0, 6.0, 6.0, 6.0, 8.0)]
    rows += [{"language": "ko", "phone_pace": pace} for pace in (8.0, 12.0, 12.0)]
    rows += [{"language": "ko", "phone_pace": 4.0, "drop": "noisy"}] * 9
    slow, fast = "speaking slowly", "speaking fast"
    assert said(rows)[:8] == [None, None, None, None, fast, slow, None, None]


def test_a_held_out_clip_is_described_as_a_clip_that_is_trained_on() -> None:
    rows = [{"phone_pace": 6.0 + i % 9, "loudness": -30.0 + i % 23, "pitch": 90.0 + 7 * (i % 20)} for i in range(60)]
    splits = [[{**row, "split": split} for row in rows] for split in ("train", "validation", "test")]
    train, validation, test = (said(each) for each in splits)
    assert train == validation == test
    both = said([*splits[0], *splits[1]])
    assert both[:60] == both[60:]
    assert len(set(both)) > 5


def test_a_word_that_fits_most_clips_of_a_language_is_left_out() -> None:
    clean, plain = {"snr": 40.0}, {}
    assert said([clean, clean, plain]) == [None] * 3
    assert said([clean, plain]) == ["clean recording", None]
    assert said([clean, clean, {**clean, "drop": "x"}, {"language": "km"}, {**clean, "language": "km"}]) == [
        None, None, None, None, "clean recording",
    ]  # fmt: skip


def test_words_stand_in_the_tag_of_the_training_text() -> None:
    rows = [{"pitch": 110.0, "spoken": "(뜻)말"}, {"pitch": 170.0}]
    found = tag(clips(rows), template="({language})", form="spoken", controls=("pitch",))
    assert found["training_text"].to_list() == ["(Korean, low-pitched voice)뜻 말", "(Korean)말"]


def test_every_control_can_be_asked_for_in_a_recipe() -> None:
    from curate.recipe import Tag

    assert Tag(controls=ALL).controls == ALL
    assert pl.Series([each.low < each.high for each in controls.CONTROLS]).all()
