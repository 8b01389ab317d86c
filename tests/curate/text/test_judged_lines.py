"""Lines of news, novels, sport, talk, recipes and timetables: judges who had read no rule wrote them with answers."""

import csv
import re
from pathlib import Path

import pytest

from curate.text import normalise

HERE = Path(__file__).resolve().parent
LEAST = 0.975  # of a list, with what the judge had not thought of among the answers
_SILENT = re.compile(r"[\s.,!?:;·'\"“”‘’«»()\[\]~\-—–…/★=។៖]")


def rows(name: str) -> list[dict[str, str]]:
    """One list: round, class, form (Khmer alone), written, expected; `\\uXXXX` stands for the character."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()[1:]
    plain = [re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), line) for line in lines]
    return list(csv.DictReader(plain, delimiter="\t", quoting=csv.QUOTE_NONE))


def accepted(expected: str) -> re.Pattern[str]:
    """Any of the answers: `{a|b}` is either, spaces and punctuation aside."""
    pieces = re.split(r"\{([^}]*)\}", expected)
    choices = [
        [_silenced(choice) for choice in (piece.split("|") if at % 2 else [piece])] for at, piece in enumerate(pieces)
    ]
    return re.compile("".join(f"(?:{'|'.join(map(re.escape, each))})" for each in choices))


def _silenced(text: str) -> str:
    return _SILENT.sub("", text)


def right(row: dict[str, str], language: str, form: str) -> bool:
    said = normalise(row["written"], language, form)
    return (
        said == row["expected"] if form == "canonical" else bool(accepted(row["expected"]).fullmatch(_silenced(said)))
    )


@pytest.mark.parametrize(
    ("name", "language", "form", "count"),
    [
        ("korean/spoken_judged.tsv", "ko", "spoken", 499),
        ("korean/pronunciation_judged.tsv", "ko", "pronounced", 343),
        ("khmer/judged.tsv", "km", "", 339),
    ],
)
def test_a_judges_lines_are_said_right(name: str, language: str, form: str, count: int) -> None:
    judged = rows(name)
    wrong = [row["written"] for row in judged if not right(row, language, form or row["form"])]
    assert len(judged) == count
    assert len(wrong) <= (1 - LEAST) * count, wrong


def test_an_answer_is_no_pattern_and_no_other_answer_is_right() -> None:
    assert accepted("{한두|일이} 명.").fullmatch("한두명")
    assert not accepted("{한두|일이} 명.").fullmatch("한명")
    assert not accepted("a.c").fullmatch("abc")


@pytest.mark.parametrize(("name", "language"), [("korean/spoken_judged.tsv", "ko"), ("khmer/judged.tsv", "km")])
def test_what_a_judge_wrote_is_final_once_read(name: str, language: str) -> None:
    once = [normalise(row["written"], language) for row in rows(name)]
    assert [text for text in once if normalise(text, language) != text] == []
