"""Lexicons of Korean pronunciation: ours hold Hangul, a user's wins, and a broken one is named."""

from pathlib import Path

import pytest

from curate.errors import UserError
from curate.text.korean.hangul import is_syllable
from curate.text.korean.lexicon import TABLES, lexicon, lexicon_hash
from curate.text.korean.pronunciation import alternatives, pronounced


def test_a_users_lexicon_wins_over_ours(tmp_path: Path) -> None:
    own = tmp_path / "own.tsv"
    own.write_text(
        "# names\n물고기\t물고기|물꼬기\n삼소리\t삼쏘리\tname\n\n갑을역\t가블력 # station\n", encoding="utf-8"
    )
    assert pronounced("물고기가 삼소리에서 갑을역으로", own) == "물고기가 삼쏘리에서 가블려그로"
    assert alternatives("물고기", own) == [("물고기", "물꼬기")]
    assert pronounced("물고기가") == "물꼬기가"


@pytest.mark.parametrize(
    ("word", "reading", "said"),
    [
        ("인의", "인늬", "인늬를"),  # a consonant more than is written: nothing is moved back into 인
        ("숙의", "숙끠", "숙끠를"),
        ("합의", "하븨", "하븨를"),
        ("값의", "갑씌", "갑씌를"),
        ("희망봉", "희망뽕", "히망뽕을"),  # as written, so by the rules
    ],
)
def test_a_users_reading_with_a_consonant_before_ui_is_said_as_it_is(
    tmp_path: Path, word: str, reading: str, said: str
) -> None:
    own = tmp_path / "own.tsv"
    own.write_text(f"{word}\t{reading}\n", encoding="utf-8")
    assert pronounced(word, own) == reading.replace("희", "히")
    assert pronounced(f"{word}{said[-1]}", own) == said


@pytest.mark.parametrize(
    "line", ["물고기", "물고기\t", "물고기\tmulgogi", "fish\t물꼬기", "물고기\t물꼬기|", "물 고기\t물꼬기"]
)
def test_a_broken_line_of_a_lexicon_is_named(tmp_path: Path, line: str) -> None:
    own = tmp_path / "own.tsv"
    own.write_text(f"꽃잎\t꼰닙\n{line}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"own\.tsv line 2"):
        pronounced("물고기", own)


def test_a_lexicon_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.tsv"):
        pronounced("물고기", tmp_path / "none.tsv")
    (tmp_path / "old.tsv").write_bytes("꽃잎\t꼰닙".encode("cp949"))
    with pytest.raises(UserError, match="UTF-8"):
        pronounced("물고기", tmp_path / "old.tsv")


def test_the_hash_and_the_readings_follow_the_file(tmp_path: Path) -> None:
    own = tmp_path / "own.tsv"
    own.write_text("삼소리\t삼쏘리\n", encoding="utf-8")
    first, said = lexicon_hash(own), pronounced("삼소리", own)
    own.write_text("삼소리\t삼쏘니\n", encoding="utf-8")
    assert lexicon_hash(None) != first != lexicon_hash(own)
    assert (said, pronounced("삼소리", own)) == ("삼쏘리", "삼쏘니")


def test_the_shipped_lexicons_hold_hangul_and_no_word_twice() -> None:
    for table in TABLES:
        readings = lexicon(None, (table,)).readings
        assert len(readings) > 2000
        assert all(is_syllable(letter) for said in readings.values() for letter in "".join(said))
