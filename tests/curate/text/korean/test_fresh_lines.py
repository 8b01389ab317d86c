"""Lines of real life, answers first: numbers, formulas and English of every class are said as people say them."""

import collections
import csv
from pathlib import Path

import pytest

from curate.text import normalise

HERE = Path(__file__).resolve().parent
LEAST, LEAST_OF_A_CLASS = 0.98, 0.9


def rows(name: str) -> list[dict[str, str]]:
    """One of the lists of lines: class, written, spoken with `|` between answers."""
    lines = (HERE / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(lines[1:], delimiter="\t", quoting=csv.QUOTE_NONE))


def right(row: dict[str, str]) -> bool:
    """Whether a line is said in one of its ways, wherever spaces stand."""
    said = normalise(row["written"], "ko").replace(" ", "")
    return said in row["spoken"].replace(" ", "").split("|")


@pytest.mark.parametrize(("name", "count"), [("spoken_fresh", 398), ("spoken_fresh2", 256)])
def test_fresh_lines_are_said_right(name: str, count: int) -> None:
    by_class: dict[str, list[bool]] = collections.defaultdict(list)
    for row in rows(name):
        by_class[row["class"]].append(right(row))
    every = [one for several in by_class.values() for one in several]
    assert len(every) == count
    assert sum(every) >= LEAST * count
    assert {name: several for name, several in by_class.items() if sum(several) < LEAST_OF_A_CLASS * len(several)} == {}


@pytest.mark.parametrize("name", ["spoken_fresh", "spoken_fresh2"])
def test_what_has_been_said_is_not_read_again(name: str) -> None:
    for row in rows(name):
        once = normalise(row["written"], "ko")
        assert normalise(once, "ko") == once


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("경기는 3:2로 끝났다 (25-23, 22-25).", "경기는 삼 대 이로 끝났다 (이십오 대 이십삼, 이십이 대 이십오)."),
        ("3-0 완승을 거뒀다 (25-13 25-20).", "삼 대 영 완승을 거뒀다 (이십오 대 십삼 이십오 대 이십)."),
        ("참고 (10-12, 15-18) 쪽", "참고 (십 다시 십이, 십오 다시 십팔) 쪽"),
        ("3학년 2반 15번 김철수", "삼 학년 이 반 십오 번 김철수"),
        ("우리 반 3번 이겼다", "우리 반 세 번 이겼다"),
        ("3반 대표가 2번 이겼다", "삼 반 대표가 두 번 이겼다"),
        ("x<5이고 y>3", "엑스는 오보다 작다 이고 와이는 삼보다 크다"),
        ("a<b 이고 c>d", "에이는 비보다 작다 이고 씨는 디보다 크다"),
        ("소설<1984>, 뉴진스<디토>, 영화 007<스펙터>", "소설 천구백팔십사, 뉴진스디토, 영화 공공칠스펙터"),
        ("ISBN 978-89-123-4567-8", "아이에스비엔 구칠팔 팔구 일이삼 사오육칠 팔"),
        ("ISSN 1234-567X", "아이에스에스엔 일이삼사 오육칠엑스"),
        ("** 주의 ** 만지지 마시오", "주의 만지지 마시오"),
    ],
)
def test_lines_of_a_hostile_reader(written: str, spoken: str) -> None:
    assert right({"written": written, "spoken": spoken}), normalise(written, "ko")
