"""Promises that hold for any text: one line for every line, nothing crashes, canonical is final, no digit stays."""

import doctest
import re
import subprocess
import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import curate.text
from curate.errors import UserError
from curate.text import Change, lines, normalise, steps, versions, words
from curate.text.coverage import units

LANGUAGES = pytest.mark.parametrize("language", ["km", "ko"])
ANY = st.text(st.characters(), max_size=60)  # surrogates too
KHMER = st.text("កគងតដបមយរសហអឱ្្្្ាិីឹុូើេែោំះ៉៊៌់័៍ៗ ។០១២៣៤៥៦៧៨៩0123456789.,:/-+%$៛ kmABC\u200b\u17d2\u17d2", max_size=30)
KOREAN = st.text("가각한글세명개시분년월일원층번대제만천은을~0123456789.,:/-+=%$₩℃ kmABCabc'()", max_size=30)
WRITTEN = st.one_of(ANY, KHMER, KOREAN)


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
    assert not re.search("[0-9០-៩]", spoken)
    assert spoken == " ".join(spoken.split())
    assert len(spoken) <= 60 * len(text) + 60


@LANGUAGES
@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.binary(max_size=30).map(lambda row: row.replace(b"\n", b"")), max_size=5))
def test_one_line_out_for_every_line_in(language: str, rows: list[bytes]) -> None:
    answers = list(lines([row + b"\n" for row in rows], language))
    assert len(answers) == len(rows)
    assert all("\n" not in text for text, _ in answers)


@LANGUAGES
@settings(max_examples=200, deadline=None)
@given(text=st.text("កខគមយរលវសហអាិីុេោៗ។! កែើ가나다라마한글말이은 ,.?!", max_size=40))
def test_text_without_figures_changes_only_by_named_rules(language: str, text: str) -> None:
    changed = {change.rule for change in steps(text, language).changes}
    assert changed <= {"canonical", "repeat", "era"}


@settings(max_examples=60, deadline=None)
@given(text=st.one_of(KHMER, ANY))
def test_khmer_words_joined_are_the_text(text: str) -> None:
    assert "".join(words(text, "km")) == normalise(text, "km").replace(" ", "")


@settings(max_examples=40, deadline=None)
@given(text=st.one_of(KOREAN, st.text("가각간값닭없었읽꽃 .,'漢A😀", max_size=20)))
def test_korean_sounds_keep_their_words(text: str) -> None:
    assert len(normalise(text, "ko", "pronounced").split()) == len(normalise(text, "ko").split())


PIECES = [
    "a",
    "1",
    "1,",
    "1,111",
    "ក",
    "កៗ",
    "ា",
    "\u0300\u0316",
    "가",
    "3개 ",
    "1-",
    "9:",
    "<",
    "$1",
    "½",
    " ",
    "a@",
    "5%~",
]


@LANGUAGES
@pytest.mark.parametrize("piece", PIECES)
def test_a_long_line_does_not_hang(language: str, piece: str) -> None:
    started = time.process_time()
    normalise(piece * (20_000 // len(piece)), language)
    assert time.process_time() - started < 2  # measured 0.3 s at most; a quadratic rule takes minutes


def test_bytes_that_are_not_utf8_are_named() -> None:
    [(text, warnings)] = lines(["한".encode() + b"\xff"], "ko")
    assert text == "한\ufffd"
    assert "UTF-8" in warnings[0]


@pytest.mark.parametrize(
    ("language", "text", "unread"),
    [
        ("km", "ក😀한", "😀한"),
        ("ko", "가 ក★", "ក★"),
        ("km", "ក ២ ។", ""),
        ("ko", "가, 2! A", ""),
        ("ko", "漢", "漢"),
    ],
)
def test_foreign_scripts_and_signs_are_named_and_kept(language: str, text: str, unread: str) -> None:
    result = steps(text, language)
    assert result.unreadable == unread
    assert all(character in result.text for character in unread)


def test_latin_words_left_in_khmer_are_named() -> None:
    [(text, warnings)] = lines(["ខ្ញុំ like".encode()], "km")
    assert text == "ខ្ញុំ like"
    assert warnings == ["left in Latin letters: like"]


def test_each_change_tells_its_rule() -> None:
    assert steps("사과 3개, 50%", "ko").changes == [
        Change("unit", "50%", "오십 퍼센트"),
        Change("counter", "3개", "세 개"),
    ]


def test_unknown_language_and_form_name_the_choices() -> None:
    with pytest.raises(UserError, match="km, ko"):
        normalise("x", "th")
    with pytest.raises(UserError, match="canonical, spoken"):
        normalise("x", "km", "loud")


def test_documented_examples_hold() -> None:
    assert doctest.testmod(curate.text) == (0, 2)


def test_versions_name_the_libraries_behind_a_form() -> None:
    assert "g2pk 0.9.4" in versions("ko", "pronounced")
    assert "g2pk" not in versions("ko", "spoken")


def test_units_follow_the_sound() -> None:
    assert units("국물", "ko") == list(unicodedata.normalize("NFD", "궁물"))
    assert units("ទៅ", "km") != units("ទិញ", "km") != []
    assert units("។ !", "km") == []


def test_spoken_text_starts_without_heavy_libraries() -> None:
    code = (
        "import sys; from curate.text import normalise; normalise('ផ្សេងៗ ២៥', 'km'); normalise('computer 3개', 'ko');"
        "print([m for m in ('torch', 'nltk', 'khmernltk', 'g2pk', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
