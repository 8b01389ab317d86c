"""The tables of cases: every written form gives the spoken form that grammar asks for."""

import csv
import re
from pathlib import Path

import pytest

from curate.text import normalise

HERE = Path(__file__).resolve().parent


def cases(language: str) -> list[tuple[str, str, str, str]]:
    """Rows of language, form, input, expected; `\\uXXXX` in the table stands for the character."""
    with (HERE / {"km": "khmer", "ko": "korean"}[language] / "cases.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [(language, row["form"], _plain(row["input"]), _plain(row["expected"])) for row in rows]


def _plain(text: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text)


@pytest.mark.parametrize(("language", "form", "written", "expected"), cases("km") + cases("ko"))
def test_written_form_is_read_as_the_table_says(language: str, form: str, written: str, expected: str) -> None:
    assert normalise(written, language, form) == expected


@pytest.mark.parametrize(("language", "form", "written", "expected"), cases("km") + cases("ko"))
def test_what_has_been_read_is_not_read_again(language: str, form: str, written: str, expected: str) -> None:
    again = form if form == "canonical" else "spoken"
    if form in ("canonical", "spoken"):
        assert normalise(expected, language, again) == expected
