"""Letters that meet: as the standard's table says, and nothing is left that is written and not heard."""

import functools
import importlib
import re
from unicodedata import normalize

import pytest

from curate.text.korean.assimilation import assimilated


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
        if assimilated(normalize("NFD", word)) != theirs:
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
    heard = [normalize("NFC", assimilated(normalize("NFD", word))) for word in pairs().values()]
    assert all(len(word) == 2 and set(normalize("NFD", word)) <= SOUNDS for word in heard)
