"""What the text functions say, and how fast; what holds for any text is in test_properties.py."""

import doctest
import itertools
import string
from pathlib import Path

import pytest

import curate.text
from curate.errors import UserError
from curate.text import Change, normalise, stepped, steps, versions

LANGUAGES = pytest.mark.parametrize("language", ["km", "ko"])

PIECES = [
    "a", "1", "1,", "1,111", "ក", "កៗ", "ា", "\u0300\u0316", "가", "3개 ", "1-", "9:", "<", "$1", "½", " ", "a@", "5%~",
    "&amp;", "&#6016;", "<b>", "<!--", "<a b=", "*ក", "**a", "_가 ", "`a", "[1", "[a](", "[[", "(សើច", "{\\", '"ក', "'",
    "“", "1:00 --> ", "ម៉ោង 8.30-", "A1:", "$A$", "គណនី 1", "លេខ", "ទី I, ", "x = ", "CO₂", "a<", "1/2/",
    "ក.ខ.",
]  # fmt: skip


@pytest.mark.timeout(120)  # measured 0.3 s at most; a quadratic rule takes minutes
@LANGUAGES
@pytest.mark.parametrize("piece", PIECES)
def test_a_long_line_does_not_hang(language: str, piece: str) -> None:
    assert len(steps(piece * (20_000 // len(piece)), language).text) <= 40 * 20_000


@LANGUAGES
def test_any_two_letters_side_by_side_are_read(language: str) -> None:
    """Together many are a unit, as `k m`, of which one by itself is none."""
    for one, other in itertools.product(string.ascii_letters, repeat=2):
        assert steps(f"{one} {other}", language).text


def test_letters_beside_each_other_are_no_unit_and_a_unit_with_its_power_is_one() -> None:
    assert normalise("m m", "km") == "អិម អិម"
    assert (normalise("m²", "km"), normalise("m ²", "km")) == ("ម៉ែត្រការ៉េ", "ម៉ែត្រ ការ៉េ")


def test_bytes_that_are_not_utf8_are_named() -> None:
    [(result, warnings)] = stepped(["한".encode() + b"\xff"], "ko")
    assert result.text == "한\ufffd"
    assert "UTF-8" in warnings[0]


@pytest.mark.parametrize(
    ("language", "text", "unread"),
    [
        ("km", "ក😀한", "😀한"),
        ("ko", "가 ក★", "ក★"),
        ("km", "ក ២ ។", ""),
        ("ko", "가, 2! A", ""),
        ("ko", "カ", "カ"),
    ],
)
def test_foreign_scripts_and_signs_are_named_and_kept(language: str, text: str, unread: str) -> None:
    result = steps(text, language)
    assert result.unreadable == unread
    assert all(character in result.text for character in unread)


def test_latin_words_left_in_khmer_are_named() -> None:
    [(result, warnings)] = stepped(["ខ្ញុំ like".encode()], "km")
    assert result.text == "ខ្ញុំ like"
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
    page = Path(__file__).resolve().parents[3] / "docs" / "text.md"
    failed, tried = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert (failed, tried >= 8) == (0, True)


def test_versions_name_the_libraries_behind_a_form() -> None:
    assert "g2pk 0.9.4" in versions("ko", "pronounced")
    assert "g2pk" not in versions("ko", "spoken")
    assert "clock written" in versions("km", "spoken")
