"""Hangul syllables and their letters: what is taken apart goes together again, and agrees with Unicode."""

import unicodedata

import pytest

from curate.text.korean import hangul

SYLLABLES = [chr(code) for code in range(ord("가"), ord("힣") + 1)]


def test_a_syllable_is_its_letters_and_no_other_has_them() -> None:
    letters = [(hangul.initial(one), hangul.vowel(one), hangul.final(one)) for one in SYLLABLES]
    assert [hangul.composed(*each) for each in letters] == SYLLABLES
    assert len(set(letters)) == 19 * 21 * 28


def test_letters_are_those_that_unicode_names() -> None:
    for one in SYLLABLES[::7]:
        jamo = unicodedata.normalize("NFD", one)
        assert hangul.LETTERS[jamo[0]] == hangul.initial(one)
        assert hangul.FINAL_JAMO.get(hangul.final(one), "") == jamo[2:]
        assert unicodedata.name(hangul.vowel(one)).split()[-1] == unicodedata.name(jamo[1]).split()[-1]


def test_one_letter_is_changed_and_the_others_stay() -> None:
    assert hangul.with_initial("값", "ㅅ") == "삾"
    assert hangul.with_vowel("값", "ㅗ") == "곲"
    assert hangul.with_final("값", "ㄹ") == "갈"
    assert hangul.with_final("값", "") == "가"


@pytest.mark.parametrize("letter", ["a", "1", "漢", "ㄴ", "ᆫ", "ក", "\ud7a4", "。"])
def test_what_is_no_syllable_has_no_letters(letter: str) -> None:
    assert not hangul.is_syllable(letter)
    assert (hangul.initial(letter), hangul.vowel(letter), hangul.final(letter)) == ("", "", "")
    assert not hangul.silent(letter)
