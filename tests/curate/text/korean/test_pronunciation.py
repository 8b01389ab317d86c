"""How Korean sounds: the standard's examples, words that stay, lexicons, every reading, one word for one word."""

import csv
import functools
import importlib
import re
import sys
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import UserError
from curate.text.korean import assimilation
from curate.text.korean.hangul import is_syllable
from curate.text.korean.lexicon import TABLES, lexicon
from curate.text.korean.pronunciation import alternatives, lexicon_hash, pronounced

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


def test_a_users_lexicon_wins_over_ours(tmp_path: Path) -> None:
    own = tmp_path / "own.tsv"
    own.write_text(
        "# names\n물고기\t물고기|물꼬기\n삼소리\t삼쏘리\tname\n\n갑을역\t가블력 # station\n", encoding="utf-8"
    )
    assert pronounced("물고기가 삼소리에서 갑을역으로", own) == "물고기가 삼쏘리에서 가블려그로"
    assert alternatives("물고기", own) == [("물고기", "물꼬기")]
    assert pronounced("물고기가") == "물꼬기가"


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


def pairs() -> dict[tuple[str, str], str]:
    """Every final and initial that meet inside a word, by a word of the table of 표준 발음법: 기 with the final, 아."""
    finals, initials = (
        "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ",
        "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ",
    )
    return {
        (final, initial): f"기{chr(0x11A8 + f)}{chr(0x1100 + i)}ᅡ"
        for f, final in enumerate(finals)
        for i, initial in enumerate(initials)
        if initial != "ㅇ"
    }


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # g2pk's
def test_letters_meet_as_in_g2pks_table_but_for_the_cells_in_which_it_is_broken() -> None:
    table = [(re.compile(seen), said) for seen, said, _ in importlib.import_module("g2pk.utils").parse_table()]
    differ: dict[str, str] = {}
    for (final, initial), word in pairs().items():
        theirs = functools.reduce(lambda jamo, row: row[0].sub(row[1], jamo), table, normalize("NFD", word))
        if assimilation.assimilated(normalize("NFD", word)) != theirs:
            differ[final] = differ.get(final, "") + initial
    assert differ == {
        "ㄺ": "ㅋㅌㅍ",  # cut-off cells: 닭칼국수 [닥1)알국쑤]
        "ㄼ": "ㄱㄴㄷㅁㅂㅅㅈㅌㅍ",  # 여덟과 [여덜과], 넓네 [널레]; stems are marked and tense
        "ㄽ": "ㄱㄷㅂㅅㅈㅌㅍ",
        "ㄾ": "ㄱㄷㅂㅅㅈ",  # stems, marked or not
        "ㄿ": "ㅋㅌㅍㅎ",
        "ㅄ": "ㅋㅌㅍㅎ",
        "ㅆ": "ㅍ",
        "ㅍ": "ㄹ",  # 앞라인 [암나인]
        "ㅎ": "ㄲㄸㄹㅁㅂㅃㅆㅉㅊㅋㅌㅍㅎ",  # 놓치다 [녿치다]
    }


SOUNDS = set("ᄀᄁᄂᄃᄄᄅᄆᄇᄈᄉᄊᄌᄍᄎᄏᄐᄑ하ᅵᆨᆫᆮᆯᆷᆸᆼ")  # as initial, vowel and final


def test_no_letter_that_is_not_heard_is_left() -> None:
    heard = [normalize("NFC", assimilation.assimilated(normalize("NFD", word))) for word in pairs().values()]
    assert all(len(word) == 2 and set(normalize("NFD", word)) <= SOUNDS for word in heard)


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
