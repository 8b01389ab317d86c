"""How Korean sounds: the standard's examples, words that stay, every reading, one word for one word."""

import csv
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.text.korean.pronunciation import alternatives, pronounced

HERE = Path(__file__).resolve().parent


def rows(name: str) -> list[dict[str, str]]:
    """One of the lists of words."""
    text = (HERE / f"pronunciation_{name}.tsv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def unchanged() -> list[str]:
    """Words that sound the same after a sonorant in spite of what compounds and Sino-Korean words do."""
    found = [row for row in rows("heldout") if row["class"] == "unchanged"]
    return [row["word"] for row in found if row["readings"] == row["word"]]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("솜이불을", "솜니부를"),  # the word sounds first, then its particle joins
        ("꽃잎이", "꼰니피"),  # ㅍ is there again before a vowel
        ("물고기를", "물꼬기를"),
        ("서울역에서", "서울려게서"),
        ("갈등이", "갈뜽이"),
        ("인기가", "인끼가"),
        ("합의점을", "하븨쩌믈"),
        ("낯익은", "난니근"),
        ("할 것을", "할 꺼슬"),
        ("할게요", "할께요"),
        ("옷 한 벌", "오 탄 벌"),
        ("낮 한때", "나 탄때"),
    ],
)
def test_a_word_keeps_its_sound_before_a_particle(written: str, said: str) -> None:
    assert pronounced(written) == said


@pytest.mark.parametrize("word", unchanged())
def test_words_that_must_not_change_do_not(word: str) -> None:
    assert pronounced(word) == word


@pytest.mark.parametrize(("name", "least"), [("blind", 0.99), ("blind2", 0.99), ("blind3", 0.99), ("inflected", 1.0)])
def test_words_of_a_list_sound_as_it_says(name: str, least: float) -> None:
    wrong = [row["word"] for row in rows(name) if pronounced(row["word"]) not in row["readings"].split("|")]
    assert len(wrong) <= (1 - least) * len(rows(name)), wrong


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("안일하다", "아닐하다"),
        ("물건이", "물거니"),
        ("방법은", "방버븐"),
        ("큰언니", "크넌니"),
        ("신고 전화", "신고 전화"),
    ],
)
def test_letters_of_other_words_are_no_lexicon_word(text: str, said: str) -> None:
    assert pronounced(text) == said


def test_a_verb_and_a_noun_of_the_same_letters_differ() -> None:
    assert pronounced("신을 신고 갔다").split()[1] == "신꼬"
    assert pronounced("경찰에 신고를 했다").split()[1] == "신고를"


def test_every_standard_reading_is_given_and_the_first_is_the_one_pronounced() -> None:
    assert alternatives("김밥") == [("김밥", "김빱")]
    assert set(alternatives("우리의 맛있는 되어")[0]) == {"우리의", "우리에"}
    text = "맛있는 김밥과 금융 할 일"
    assert " ".join(readings[0] for readings in alternatives(text)) == pronounced(text)
    assert ("릴", "일") in alternatives(text)


@given(st.text(alphabet="가강갈감값꽃닭이야여요유의를은 는에할.,!?日a1ㄱ\n\t", max_size=80))
@settings(max_examples=150, deadline=None)
def test_one_word_out_for_one_word_in(text: str) -> None:
    assert len(pronounced(text).split()) == len(text.split())
    assert [readings[0] for readings in alternatives(text)] == pronounced(text).split()


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_is_taken(text: str) -> None:
    assert len(pronounced(text).split()) == len(text.split())


def test_a_long_line_takes_work_in_proportion() -> None:
    pronounced("꽃잎")
    line = "오늘 아침에 솜이불을 개고 물고기를 먹었습니다 "

    def calls(count: int) -> int:
        """Functions called, Python's and C's, for so many times the line."""
        events: list[str] = []
        sys.setprofile(lambda frame, event, argument: events.append(event))
        try:
            pronounced(line * count)
        finally:
            sys.setprofile(None)
        return sum(event in ("call", "c_call") for event in events)

    assert calls(80) < 12 * calls(10)  # eight times the text; a quadratic one would take sixty-four times as much


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("닭칼국수", "닥칼국쑤"),
        ("놓치다", "녿치다"),
        ("넓네", "널레"),
        ("여덟과", "여덜과"),
        ("물걸레", "물걸레"),  # no ending -ㄹ걸
        ("일밖에", "일바께"),  # nor -ㄹ밖에
        ("할걸", "할껄"),
        ("열심히", "열씸히"),
        ("여권과", "여꿘과"),  # 과 is a particle
        ("알 듯 말 듯", "알 뜬 말 뜯"),
        ("흙 하나", "흐 카나"),
        ("고추잠자리가", "고추잠자리가"),  # an insect, no bed
        ("시가지는", "시가지는"),  # 시가 is two words, and here neither
    ],
)
def test_what_g2pk_hears_wrong(written: str, said: str) -> None:
    assert pronounced(written) == said
