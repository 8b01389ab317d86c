"""Character errors: one policy for both sides, and nothing of Khmer lost in it."""

import unicodedata

import pytest

from train.evaluate import cer


@pytest.mark.parametrize(
    ("text", "heard", "language"),
    [
        ("ខ្ញុំ​ទៅ ផ្សារ។", "ខ្ញុំទៅផ្សារ", "km"),  # ZWSP, a space, a full stop
        ("កា\u200dរ", "ការ", "km"),
        ("កា\u200cរ", "ការ", "km"),
        ("១២ នាក់", "ដប់ពីរនាក់", "km"),
        ("사과 3개!", "사과 세 개", "ko"),
        ("2024년", "이천이십사 년", "ko"),
        (unicodedata.normalize("NFD", "한국어 음성"), "한국어 음성", "ko"),
        ("KBS 뉴스", "kbs 뉴스", "ko"),
        ("", "", "ko"),
        ("...", "", "km"),
    ],
)
def test_what_is_the_same_has_no_errors(text, heard, language):
    found = cer.errors(text, heard, language)
    assert (found.rate, found.cluster_rate) == (0, 0)


def test_vowels_and_subscripts_of_khmer_count():
    text = "ប្អូនប្រុសរបស់ខ្ញុំ"
    bare = "".join(
        letter for letter in text if unicodedata.category(letter)[0] != "M"
    )  # what Whisper's normaliser leaves
    assert cer.errors(text, bare, "km").rate > 0.3


def test_edits_are_counted_in_letters_and_in_what_a_reader_sees():
    found = cer.errors("ខ្មែរ", "ខ្លែរ", "km")
    assert (found.edits, found.length) == (1, 5)
    assert (found.cluster_edits, found.clusters) == (1, 2)
    assert cer.errors("학교", "학꼬", "ko") == cer.Errors(1, 2, 1, 2)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("ខ្ញុំ", ["ខ្ញុំ"]), ("ស្ត្រី", ["ស្ត្រី"]), ("កខ", ["ក", "ខ"]), ("학교", ["학", "교"]), ("é", ["é"]), ("", [])],
)
def test_a_cluster_is_a_letter_with_all_that_is_written_on_it(text, parts):
    assert cer.clusters(text) == parts


def test_much_that_is_not_there_is_more_than_all_wrong():
    assert cer.errors("학교", "오늘 아침에는 비가 많이 와서", "ko").rate > 1
    assert cer.errors("", "학교", "ko").rate == 1
    assert cer.errors("학교", "", "ko").rate == 1


def test_long_sentences_count_as_much_as_they_are_long():
    both = cer.pooled([cer.Errors(1, 2, 1, 2), cer.Errors(0, 8, 0, 8)])
    assert both.rate == 0.1
