"""Ratings files: what is read from them, and one clear line for each thing that is wrong."""

from fractions import Fraction

import pytest

from curate.errors import UserError
from train.listen import ratings
from train.listen.scales import SCALES

HEAD = "listener,sentence,language,condition,rating"
GOOD = f"{HEAD}\nL1,s1,km,zero-shot,3\nL1,s1,km,r64,4\n"


@pytest.fixture
def read(tmp_path):
    def reading(content, method="mos"):
        path = tmp_path / "ratings.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return ratings.read(path, SCALES[method])

    return reading


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.rstrip("\n"),
        GOOD.replace(HEAD, HEAD.title()),
        GOOD.replace(",", " , "),
        GOOD + "\n\n,,,,\n",
        GOOD.replace(",3", ",3.0").replace(",4", ',"4"'),
    ],
    ids=[
        "plain",
        "windows",
        "byte order mark",
        "semicolon",
        "tab",
        "no last newline",
        "capitals",
        "spaces",
        "empty rows",
        "3.0",
    ],
)
def test_files_of_all_kinds_are_the_same_ratings(read, content):
    rows = read(content).rows
    assert [(row.listener, row.sentence, row.language, row.condition, row.value) for row in rows] == [
        ("L1", "s1", "km", "zero-shot", 3), ("L1", "s1", "km", "r64", 4)
    ]  # fmt: skip


def test_decimal_commas_are_read_where_the_separator_is_another(read):
    assert read(GOOD.replace(",", ";") + "L2;s1;km;r64;3,5\n").rows[2].value == Fraction(7, 2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        (HEAD + "\n", "no ratings"),
        ("listener,sentence,condition,rating\nL1,s1,r64,3\n", "no column language"),
        ("L1,s1,km,r64,3\n", "no column listener"),
        (GOOD.replace("rating", "score"), "no column rating"),
        (HEAD + ",rating\nL1,s1,km,r64,3,3\n", "the column rating twice"),
        (GOOD + "L2,s1,km", "line 4: 3 of 5 fields: is the file cut off?"),
        (GOOD + "L2,s1,km,r64,", "line 4: rating is empty: is the file cut off?"),
        (GOOD + "L2,s1,km,r64,4,5\n", "line 4: 6 of 5 fields"),
        (GOOD + 'L2,"s1,km,r64,4\n', "is the file cut off"),
        (GOOD + "L2,,km,r64,4\n", "line 4: sentence is empty"),
        (GOOD + "L2,s1,km,r64,good\n", "line 4: rating is 'good', not a number"),
        (GOOD + "L2,s1,km,r64,nan\n", "not a number"),
        (GOOD + "L2,s1,km,r64,inf\n", "not a number"),
        (GOOD + "L2,s1,km,r64,٤\n", "not a number"),
        (GOOD + "L2,s1,km,r64,1e999999999\n", "not a number"),
        (GOOD + "L2,s1,km,r64,6\n", "line 4: a rating of 6 is not on the scale of MOS, from 1 to 5"),
        (GOOD + "L2,s1,km,r64,0\n", "not on the scale"),
        (GOOD + "L2,s1,km,r64,3.7\n", "not on the scale"),
        (GOOD + "L1,s1,km,r64,5\n", "lines 3 and 4: listener L1 rated sentence s1 in r64 twice (4 and 5)"),
        (b"PK\x03\x04\x00\x00" + b"\x00" * 20, "is no text"),
        (GOOD.encode("utf-16"), "is not UTF-8"),
        (f"{HEAD},plan\nL1,s1,km,r64,4,aa\nL1,s2,km,r64,4,bb\n", "ratings of 2 plans"),
        (f"{HEAD},kind\nL1,s1,km,r64,4,exam\n", "kind is 'exam'"),
        (f"{HEAD},kind,expected\nL1,s1,km,r64,4,gold,high\n", "expected is 'high'"),
        (f"{HEAD},heard_to_end\nL1,s1,km,r64,4,perhaps\n", "heard_to_end is 'perhaps'"),
        (f"{HEAD},seconds_to_rate\nL1,s1,km,r64,4,soon\n", "seconds_to_rate is 'soon', not a number"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(read, content, words):
    with pytest.raises(UserError) as told:
        read(content)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_none_is_named(tmp_path):
    with pytest.raises(UserError, match="there is no"):
        ratings.read(tmp_path / "none.csv", SCALES["mos"])
    with pytest.raises(UserError, match="is a folder"):
        ratings.read(tmp_path, SCALES["mos"])


def test_a_row_that_is_there_twice_counts_once_and_is_told(read):
    found = read(GOOD + "L1,s1,km,r64,4\n")
    assert len(found.rows) == 2
    assert any("counted once" in note for note in found.notes)


def test_the_same_names_in_two_languages_are_two_listeners(read):
    assert len(read(GOOD + "L1,s1,ko,r64,5\n").rows) == 3


def test_a_repeat_is_no_duplicate(read):
    rows = read(f"{HEAD},kind\nL1,s1,km,r64,4,test\nL1,s1,km,r64,5,repeat\nL1,s1,km,r64,2,training\n").rows
    assert [row.kind for row in rows] == ["test", "repeat", "training"]


def test_unknown_columns_are_told_and_kept(read):
    found = read(GOOD.replace(HEAD, HEAD + ",mood").replace(",3\n", ",3,fine\n").replace(",4\n", ",4,\n"))
    assert found.notes == ["columns that the analysis does not use: mood"]
    assert found.rows[0].fields["mood"] == "fine"


@pytest.mark.parametrize(
    ("text", "kind", "bounds"),
    [
        ("4", "trap", (4, 4)),
        ("4", "gold", (3, 5)),
        ("4..5", "gold", (4, 5)),
        ("4-5", "gold", (4, 5)),
        ("4:5", "gold", (4, 5)),
    ],
)
def test_the_right_answer_is_a_rating_or_its_bounds(read, text, kind, bounds):
    assert read(f"{HEAD},kind,expected\nL1,s1,km,r64,4,{kind},{text}\n").rows[0].expected == bounds


def test_negative_bounds(read):
    assert read(f"{HEAD},kind,expected\nL1,s1,km,r64,-2,gold,-3..-1\n", "cmos").rows[0].expected == (-3, -1)


@pytest.mark.parametrize(("method", "good", "bad"), [("cmos", ["-3", "0", "+2"], "4"), ("ab", ["0", "1", "0.5"], "2")])
def test_comparisons_have_their_own_scales(read, method, good, bad):
    rows = "".join(f"L{i},s1,km,r64,{value}\n" for i, value in enumerate(good))
    assert len(read(f"{HEAD}\n{rows}", method).rows) == 3
    with pytest.raises(UserError, match="not on the scale"):
        read(f"{HEAD}\nL1,s1,km,r64,{bad}\n", method)


def test_flags_are_read_as_people_write_them(read):
    head = f"{HEAD},native,headphones,heard_to_end\n"
    rows = read(head + "L1,s1,km,r64,4,yes,over-ear,1\nL2,s1,km,r64,4,no,none,false\nL3,s1,km,r64,4,km,,\n").rows
    assert [(row.native, row.headphones, row.heard_to_end) for row in rows] == [
        (True, True, True), (False, False, False), (True, None, None)
    ]  # fmt: skip
