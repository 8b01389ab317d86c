"""What is missing, twice or too much in the words that were heard, in Korean with spaces and in Khmer without."""

import pytest

from train.evaluate import word_faults

KOREAN = (
    "물론 십 대 자녀가 잘못된 결론을 내리거나 심지어 당신과 비슷한 실수를 저질렀을 때 자신을 정당화하지는 않을까 "
    "염려할 수 있습니다"
)
WORDS = KOREAN.split()
OTHER = "오늘 아침에는 비가 많이 와서 학교에 늦었고 선생님께서 무척 화를 내셨지만 우리는 즐겁게 노래를 불렀다"
KHMER = "ប្អូនប្រុសរបស់ខ្ញុំបានទៅលេងនៅទីក្រុងម៉ានីល"
OTHER_KHMER = "ព្រះអាទិត្យរះនៅទិសខាងកើតហើយលិចនៅទិសខាងលិច"


def said(*parts: list[str]) -> str:
    return " ".join(word for part in parts for word in part)


@pytest.mark.parametrize(
    ("heard", "fault"),
    [
        (KOREAN, None),
        (KOREAN.replace(" ", "").replace("결론", "결롱"), None),  # spelled and spaced otherwise
        (said(WORDS[:3]), "early_stop"),  # 15 % of it: far from the text by its letters, and not another text
        (said(WORDS[:7]), "early_stop"),
        (said(WORDS[:9]) + " " + "으" * 27, "early_stop"),  # something else for as long as the rest takes
        (said(WORDS[9:]), "omission"),
        (said(WORDS[:5], WORDS[9:]), "omission"),
        (said(WORDS, WORDS), "repetition"),
        (said(WORDS, WORDS, WORDS), "repetition"),
        (said(WORDS[:6], WORDS[5:6], WORDS[6:]), "repetition"),  # one word of three letters
        (said(WORDS[:6], WORDS[5:6] * 5, WORDS[6:]), "repetition"),
        (said(WORDS[:9], WORDS[6:9], WORDS[9:]), "repetition"),
        (f"{KOREAN} {OTHER}", "runaway"),
        (f"{KOREAN} {OTHER} {OTHER} {OTHER}", "runaway"),
        (OTHER, "ignored_text"),
        ("", "ignored_text"),
        ("...", "ignored_text"),
    ],
)
def test_korean(heard, fault):
    assert list(word_faults.find(KOREAN, heard, "ko")) == ([fault] if fault else [])


@pytest.mark.parametrize(
    ("heard", "fault"),
    [
        (KHMER, None),
        (KHMER.replace("របស់", "\u200bរបស់\u200b "), None),
        (KHMER[:7], "early_stop"),
        (KHMER[:14], "early_stop"),
        (KHMER[20:], "omission"),
        (KHMER + KHMER, "repetition"),
        (KHMER + OTHER_KHMER, "runaway"),
        (OTHER_KHMER, "ignored_text"),
    ],
)
def test_khmer_which_has_no_spaces(heard, fault):
    assert list(word_faults.find(KHMER, heard, "km")) == ([fault] if fault else [])


def test_a_text_that_stutters_itself_may_be_said_so():
    text = "조금씩 조금씩 앞으로 나아갔다"
    assert word_faults.find(text, text, "ko") == {}
    assert list(word_faults.find(text, f"조금씩 {text}", "ko")) == ["repetition"]


@pytest.mark.parametrize(
    ("piece", "text", "there"),
    [
        ("가나다", "가나다라", True),
        ("가나가나가나", "가나다라", True),
        ("라가", "가나다라", False),
        ("", "가", False),
        ("가", "가나", True),
    ],
)
def test_a_piece_stands_in_a_text_however_often_it_is_said(piece, text, there):
    assert word_faults.stands_in(piece, text) is there
