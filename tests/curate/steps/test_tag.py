"""What the model is shown: the language tag and the text as spoken, on kept clips only."""

import pytest

from curate.steps.tag import tag
from tests.curate.frames import clips


def shown(template: str = "({language})", form: str = "spoken", **row: object) -> str | None:
    found = tag(clips([row]), template=template, form=form)
    text: str | None = found["training_text"].item()
    return text


@pytest.mark.parametrize(
    ("template", "row", "text"),
    [
        ("({language})", {"language": "km", "spoken": "សួស្តី"}, "(Khmer)សួស្តី"),
        ("({language})", {"language": "ko", "spoken": "안녕"}, "(Korean)안녕"),
        ("", {"spoken": "안녕"}, "안녕"),
        ("<{language}> {language}: ", {"spoken": "말"}, "<Korean> Korean: 말"),
        ("x", {"spoken": " 두\n\t줄  말 "}, "x두 줄 말"),
        ("x", {"spoken": None}, None),
        ("x", {"drop": "noisy"}, None),
    ],
)
def test_the_tag_stands_before_the_text(template: str, row: dict[str, object], text: str | None) -> None:
    assert shown(template, **row) == text


def test_the_pronounced_form_is_used_where_there_is_one() -> None:
    assert shown("", "pronounced", spoken="국물", pronounced="궁물") == "궁물"
    assert shown("", "pronounced", spoken="국물", pronounced=None) == "국물"


def test_phonemes_are_not_shown_to_the_model() -> None:
    assert shown("", "pronounced", language="km", spoken="ខ្មែរ", pronounced="kʰmae") == "ខ្មែរ"


def test_a_dropped_row_in_no_language_of_ours_stops_nothing() -> None:
    frame = clips([{"language": "fr", "drop": "unreadable"}, {"language": None, "drop": "unreadable"}, {}])
    assert tag(frame, template="({language})", form="spoken")["training_text"].to_list() == [None, None, "(Korean)말"]


@pytest.mark.parametrize(
    ("template", "spoken", "text"),
    [
        ("({language})", "(괄호)시작", "(Korean)괄호 시작"),
        ("", "(괄호)시작", "괄호 시작"),
        ("", "（가） 나", "가 나"),
        ("({language})", "말 (뜻)", "(Korean)말 (뜻)"),
        ("({language})", "( )", None),
    ],
)
def test_what_a_text_begins_with_is_never_read_as_control(template: str, spoken: str, text: str | None) -> None:
    assert shown(template, spoken=spoken) == text
    assert shown(template, "pronounced", pronounced=spoken, spoken="x") == text
