"""What the ASR heard, held against what was given."""

import unicodedata

import numpy as np
import pytest

from curate.errors import UserError
from curate.measures.agreement import LanguageCheck, character_error_rate, comparable, speech_only, wrong_language

KHMER = "ប្អូនប្រុសរបស់ខ្ញុំបានទៅលេងនៅទីក្រុងម៉ានីល"
KOREAN = "한 잔의 커피가 소비자에게 전해지기 위해선"


def without_marks(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character) not in ("Mn", "Mc"))


def test_khmer_without_its_vowels_is_far_from_itself() -> None:
    stripped = without_marks(KHMER)
    assert len(stripped) < len(KHMER)
    assert character_error_rate(KHMER, stripped) == pytest.approx((len(KHMER) - len(stripped)) / len(KHMER))
    assert character_error_rate(KHMER, stripped) > 0.3


def test_khmer_without_one_coeng_counts_one_edit() -> None:
    assert character_error_rate(KHMER, KHMER.replace("\u17d2", "", 1)) == pytest.approx(1 / len(KHMER))


@pytest.mark.parametrize(
    ("given", "heard"),
    [
        (KOREAN, unicodedata.normalize("NFD", KOREAN)),
        (unicodedata.normalize("NFD", KOREAN), KOREAN),
        (KOREAN, KOREAN.replace(" ", "")),
        ("전기는 기업이 사용", "“전기는” 기업이, 사용!"),
        (KHMER, "\u200b".join(KHMER)),
        (KHMER, f"\u200c{KHMER}\u200d\ufeff។"),
        ("K-POP Café", "k pop cafe\u0301"),
        ("១០០៛ ហើយ៖", "១០០ ហើយ"),
        ("", " \u200b!"),
    ],
    ids=["nfd heard", "nfd given", "spaces", "punctuation", "zwsp", "zwnj zwj bom khan", "latin", "symbols", "nothing"],
)
def test_spelling_that_is_not_heard_costs_nothing(given: str, heard: str) -> None:
    assert character_error_rate(given, heard) == 0


@pytest.mark.parametrize(
    ("given", "heard", "rate"),
    [
        ("가나다라", "가나다마", 0.25),
        ("가나다라", "", 1.0),
        ("가나", "가나다라마바", 2.0),  # much heard that was not given: above 1
        ("", "가나다", 1.0),
        ("!?", "가나다", 1.0),
        ("십 년", "10년", 1.0),  # digits are as they stand: the caller writes them out
    ],
)
def test_rate_is_edits_per_given_code_point(given: str, heard: str, rate: float) -> None:
    assert character_error_rate(given, heard) == rate


def test_repetition_sign_and_digits_of_khmer_count() -> None:
    assert comparable("ឆ្ងាញ់ៗ ១២") == "ឆ្ងាញ់ៗ១២"


def test_wrong_language_names_the_strongest_other() -> None:
    assert wrong_language({"km": 0.01, "th": 0.9, "vi": 0.05}, "km") == LanguageCheck(0.01, "th", 0.9)
    assert wrong_language({"th": 0.2, "km": 0.6, "lo": 0.2}, "km") == LanguageCheck(0.6, "lo", 0.2)  # ties: by name


def test_a_clip_that_could_not_be_heard_is_not_judged() -> None:
    assert wrong_language({}, "km") is None


def test_a_language_the_model_does_not_know_is_said() -> None:
    with pytest.raises(UserError, match="'khm'"):
        wrong_language({"km": 0.9, "en": 0.1}, "khm")


def test_speech_only_joins_spans_and_holds_them_to_the_clip() -> None:
    samples = np.arange(10, dtype=np.float32)
    assert speech_only(samples, [(1, 3), (6, 8)]).tolist() == [1, 2, 6, 7]
    assert speech_only(samples, [(-5, 2), (9, 40), (50, 60)]).tolist() == [0, 1, 9]
    assert speech_only(samples, []).shape == (0,)
    assert speech_only(samples, []).dtype == np.float32
