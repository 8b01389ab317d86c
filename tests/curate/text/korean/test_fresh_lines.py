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
