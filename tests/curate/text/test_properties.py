"""Promises that hold for any text: accepted, final, no digit left, nothing lost, bounded, one line for every line."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curate.text import FORMS, normalise, stepped, steps

LANGUAGES = pytest.mark.parametrize("language", ["km", "ko"])
SCRIPTS = {"km": "[\u1780-\u17b3\u17b6-\u17d3]", "ko": "[가-힣]"}
ANY = st.text(st.characters(), max_size=60)  # surrogates too
KHMER = st.text("កគងតដបមយរសហអឱ្្្ាិីឹុូើេែោំះ៉៊៌់័៍ៗ ។០១២៣៤៥៦៧៨៩0123456789.,:/-+%$៛ kmABC\u200b\u17d2\u17d2", max_size=30)
KOREAN = st.text("가각한글세명개시분년월일원층번대제만천은을~0123456789.,:/-+=%$₩℃ kmABCabc'()", max_size=30)
WRITTEN = st.one_of(ANY, KHMER, KOREAN)
WORDS_AND_FIGURES = {  # words that stay, and figures between them
    "km": [
        "ខ្ញុំ", "ទៅ", "ផ្ទះ", "សៀវភៅ", "ភាសាខ្មែរ", "១២", "5%", "3.5", "១២:៣០", "$20", "៥០០៛", "012345678", "២០២៤", "1-2",
        "គ.ម.", "ផ្សេងៗ", "។", ",", "?", "like",
    ],
    "ko": [
        "사과", "학교", "나는", "갔다", "읽었다", "12", "3개", "5%", "3.5", "12:30", "$20", "500원", "010-1234-5678",
        "2024년", "1~2", "3월", ",", "?", "AI", "like",
    ],
}  # fmt: skip
PARTS = {language: st.sampled_from(parts) for language, parts in WORDS_AND_FIGURES.items()}
INSIDE = (
    "\u2028\x0b\x0c\x1c\x1d\x1e\x85\r\0\ufeff\u200b\u202e\ud800"  # what others take for an end of a line, or choke on
)


@LANGUAGES
@settings(max_examples=200, deadline=None)
@given(text=WRITTEN)
def test_canonical_text_is_final(language: str, text: str) -> None:
    once = normalise(text, language, "canonical")
    assert normalise(once, language, "canonical") == once
    once.encode("utf-8")


@LANGUAGES
@settings(max_examples=300, deadline=None)
@given(text=WRITTEN)
def test_spoken_text_keeps_no_digit(language: str, text: str) -> None:
    spoken = normalise(text, language)
    assert not re.search("[0-9០-៩０-９]", spoken)
    assert spoken == " ".join(spoken.split())
    assert len(spoken) <= 60 * len(text) + 60


@LANGUAGES
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_what_has_been_read_stays(language: str, data: st.DataObject) -> None:
    once = normalise(" ".join(data.draw(st.lists(PARTS[language], max_size=8))), language)
    assert normalise(once, language) == once


@LANGUAGES
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_letters_that_no_rule_touched_survive_in_order(language: str, data: st.DataObject) -> None:
    text = " ".join(data.draw(st.lists(PARTS[language], max_size=8)))
    result = steps(text, language)
    untouched = normalise(text, language, "canonical")
    for change in result.changes:
        untouched = untouched.replace(change.before, " ", 1)
    said = iter(result.text)
    lost = [letter for letter in re.findall(SCRIPTS[language], untouched) if letter not in said]  # consumes in order
    assert not lost, (text, result)


@LANGUAGES
@settings(max_examples=100, deadline=None)
@given(text=st.text(st.sampled_from("កខគមយរលវសហអាិីុេោៗ។! កែើ가나다라마한글말이은 ,.?!"), max_size=40))
def test_text_without_figures_changes_only_by_named_rules(language: str, text: str) -> None:
    assert {change.rule for change in steps(text, language).changes} <= {"canonical", "repeat", "era", "abbreviation"}


@LANGUAGES
@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25, deadline=None)
@given(text=ANY)
@example(text=INSIDE)
@example(text="\ud800")
@example(text="")
def test_any_text_is_accepted_in_every_form(language: str, form: str, text: str) -> None:
    result = steps(text, language, form)
    result.text.encode("utf-8")
    assert len(result.text.splitlines()) <= 1
    print(result.changes, *(f"{change.before} {change.after}" for change in result.changes))


@LANGUAGES
@pytest.mark.parametrize("form", ["spoken", "words"])
@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.binary(max_size=30).map(lambda row: row.replace(b"\n", b"")), max_size=5))
@example(rows=[character.encode("utf-8", "surrogatepass") + b"a" for character in INSIDE])
def test_one_line_out_for_every_line_in(language: str, form: str, rows: list[bytes]) -> None:
    answers = list(stepped([row + b"\n" for row in rows], language, form))
    assert len(answers) == len(rows)
    assert all(len(result.text.splitlines()) <= 1 for result, _ in answers)


@settings(max_examples=40, deadline=None)
@given(text=st.one_of(KOREAN, st.text("가각간값닭없었읽꽃 .,'漢A😀", max_size=20)))
def test_korean_sounds_keep_their_words(text: str) -> None:
    assert len(normalise(text, "ko", "pronounced").split()) == len(normalise(text, "ko").split())
