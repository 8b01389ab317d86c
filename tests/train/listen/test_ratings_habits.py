"""Ratings as other people's tools write them."""

import pytest

from curate.errors import UserError
from train.listen import ratings
from train.listen.scales import SCALES

HEADER = "listener;sentence;language;condition;rating"
ROWS = ("A;s1;km;r8;4", "A;s1;km;zero-shot;3")


def read(tmp_path, *lines, end="\n"):
    path = tmp_path / "ratings.csv"
    path.write_bytes((end.join(lines) + end).encode())
    return ratings.read(path, SCALES["mos"]).rows


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "\ufeffsep=;"])
def test_the_first_line_of_excel_names_the_separator(tmp_path, first, end):
    rows = read(tmp_path, first, HEADER, *ROWS, end=end)
    assert [(row.condition, int(row.value), row.line) for row in rows] == [("r8", 4, 3), ("zero-shot", 3, 4)]


def test_a_language_in_capitals_is_the_same_language(tmp_path):
    assert {row.language for row in read(tmp_path, HEADER, ROWS[0].replace("km", "KM"), ROWS[1])} == {"km"}


def test_conditions_that_differ_in_capitals_alone_are_told(tmp_path):
    with pytest.raises(UserError, match="lines 2 and 4: conditions r8 and R8 differ in capitals alone"):
        read(tmp_path, HEADER, *ROWS, "B;s1;km;R8;4")


def test_line_separators_inside_a_cell_end_no_row(tmp_path):
    """Sentences that were pasted from pages and forms hold U+2028, U+0085 and vertical tabs."""
    rows = read(tmp_path, HEADER + ";text", *(row + ";a\u2028b\x85c\x0bd" for row in ROWS), end="\r")
    assert [(row.line, row.fields["text"]) for row in rows] == [(2, "a\u2028b\x85c\x0bd"), (3, "a\u2028b\x85c\x0bd")]


def test_one_name_in_two_unicode_forms_is_one_listener(tmp_path):
    composed, apart = "\uae40", "\u1100\u1175\u11b7"  # a Korean name as Windows and as macOS write it
    rows = read(tmp_path, HEADER, ROWS[0].replace("A", composed), ROWS[1].replace("A", apart))
    assert {row.listener for row in rows} == {composed}


def test_listeners_that_differ_in_capitals_alone_are_noted(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join([HEADER, *ROWS, ROWS[0].replace("A", "a"), "a;s1;ko;r8;3"]))
    assert ratings.read(path, SCALES["mos"]).notes == [
        "km: listeners A and a differ in capitals alone, and are counted as 2"
    ]
