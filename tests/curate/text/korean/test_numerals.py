"""Numbers in words sound as an independent table says; 쩜 is the decimal point, always."""

import random

import pytest

from curate.text import normalise
from curate.text.korean.pronunciation import alternatives, pronounced
from tests.curate.text.korean.spoken_numbers import in_words, sound

COUNTERS = ["", "일", "원", "억", "년", "번", "인분", "위"]
DIGITS, PHONE = "영일이삼사오육칠팔구", "공일이삼사오육칠팔구"


def wrong(words: list[str]) -> list[tuple[str, str, str]]:
    """Words that do not sound as the reference has it; many to a line, as a comma keeps words apart."""
    found = []
    for start in range(0, len(words), 20):
        some = words[start : start + 20]
        said = pronounced(", ".join(some)).split(", ")
        found += [(word, heard, sound(word)) for word, heard in zip(some, said, strict=True) if heard != sound(word)]
    return found


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("육십육", "육씸뉵"),
        ("백일", "배길"),
        ("칠십일", "칠씨빌"),
        ("팔십오", "팔씨보"),
        ("천육백", "천뉵빽"),
        ("육천육백육십육", "육천뉵뺑뉵씸뉵"),
        ("십육일", "심뉴길"),
        ("십육년", "심늉년"),
        ("팔백팔십년", "팔백팔씸년"),
    ],
)
def test_the_reference_says_what_the_dictionary_says(word: str, said: str) -> None:
    assert sound(word) == said


def test_every_number_of_four_digits_sounds_right() -> None:
    assert wrong([in_words(value) for value in range(1, 10_000)]) == []


@pytest.mark.parametrize("counter", COUNTERS[1:])
def test_numbers_sound_right_with_what_counts_behind_them(counter: str) -> None:
    values = [*range(1, 101), *range(101, 10_000, 13)]
    assert wrong([in_words(value) + counter for value in values]) == []


@pytest.mark.parametrize("counter", ["번", "인분", "위", "억 원"])
def test_a_number_apart_from_its_counter_sounds_as_it_does_alone(counter: str) -> None:
    for value in (1, 3, 6, 7, 10, 11, 16, 20, 26, 66, 70, 86, 100, 106, 111, 666, 1001, 1616, 8765, 9999):
        number, *_ = pronounced(f"{in_words(value)} {counter}").split()
        assert number in (sound(in_words(value)), sound(in_words(value) + "년")[:-1]), value


def test_decimals_sound_right() -> None:
    draw = random.Random(12)
    runs = [f"{draw.choice((0, draw.randint(1, 99)))}.{draw.randint(0, 999)}" for _ in range(400)]
    assert wrong([normalise(run, "ko") for run in runs]) == []


def test_digits_one_by_one_sound_right() -> None:
    draw = random.Random(13)
    numbers = ["010" + "".join(map(str, draw.choices(range(10), k=8))) for _ in range(200)]
    groups = [group for number in numbers for group in normalise(number, "ko").split()]
    assert set("".join(groups)) == set(PHONE)
    assert wrong(groups) == []


def test_the_decimal_point_is_said_in_one_way_and_the_other_is_given() -> None:
    assert normalise("3.5", "ko", "pronounced") == "삼쩌모"
    assert set(alternatives("삼점오")[0]) == {"삼쩌모", "삼저모"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("이점이 많다", "이쩌미 만타"),
        ("일일이 적었다", "일리리 저걷따"),
        ("구조와 조사", "구조와 조사"),
        ("사이사이", "사이사이"),
        ("오륙 년", "오륭 년"),
        ("칠조 원", "칠쪼 원"),
        ("열여섯 명", "열려선 명"),
        ("서른여덟", "서른녀덜"),
    ],
)
def test_words_beside_numbers_keep_their_sound(written: str, said: str) -> None:
    assert pronounced(written) == said
