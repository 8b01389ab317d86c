"""What no Korean word can sound like: properties over words of the lexicon, every initial, and real text."""

import gettext
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.text import normalise
from curate.text.korean import hangul
from curate.text.korean.lexicon import lexicon
from curate.text.korean.pronunciation import pronounced

CATALOGUES = Path("/usr/share/locale/ko/LC_MESSAGES")
HEARD = frozenset("ㄱㄴㄷㄹㅁㅂㅇ") | {""}  # 8항: the seven finals, or none
TENSE_WRITTEN = frozenset("ㄲㅆㄳㄽㅄ")  # finals that a vowel takes over as a tense consonant
WORDS = [word for word in lexicon().readings if len(word) > 1]
BEHIND = [
    "아래",
    "이",
    "을",
    "에서",
    "옷",
    "위",
    "일",
    "연필",
    "여행",
    "인상",
    "오류",
    "안",
    "없다",
    "으로",
    "역",
    "있다",
    "하고",
    "도",
    "나라",
    "까지",
    "요금",
    "일지",
    "여부",
    "억",
]


def impossible(written: str, said: str) -> list[str]:
    """What cannot be in the sound of one word: syllables lost or won, finals that are not heard, or lost, or twice."""
    if list(map(hangul.is_syllable, written)) != list(map(hangul.is_syllable, said)):
        return [f"{written} {said}: other syllables"]
    found = [f"{written} {said}: final {letter}" for letter in said if hangul.final(letter) not in HEARD]
    for at, after in enumerate(written[1:]):
        final = hangul.final(written[at])
        if hangul.initial(after) != "ㅇ" or final in ("", "ㅇ", "ㅎ"):
            continue
        kept, onset = hangul.final(said[at]), hangul.initial(said[at + 1])
        if onset == "ㅇ":
            found.append(f"{written} {said}: {final} before a vowel")
        if kept and onset in hangul.TENSE.values() and final not in TENSE_WRITTEN:
            found.append(f"{written} {said}: {final} twice")
    return found


def sounds(text: str) -> list[str]:
    """What is impossible in the sound of a text, word by word."""
    spoken = normalise(text, "ko")
    pairs = zip(spoken.split(), pronounced(spoken).split(), strict=True)
    return [fault for written, said in pairs for fault in impossible(written, said)]


@pytest.mark.parametrize(
    ("written", "said"), [("칠십일", "칠씹삘"), ("문법오류", "문뻡뽀류"), ("깜박일지", "깜바일찌"), ("옷값", "옫값")]
)
def test_the_property_sees_what_is_impossible(written: str, said: str) -> None:
    assert impossible(written, said)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("문법오류", "문뻐보류"),
        ("불빛아래", "불삐다래"),
        ("깜박일지 여부", "깜바길찌 여부"),
        ("첫인상", "처딘상"),
        ("꽃위에", "꼬뒤에"),
        ("꽃잎아래", "꼰니바래"),
        ("꽃의 향기", "꼬츼 향기"),
        ("옷_값", "옫_갑"),  # no letter stands behind a final
        ("있ㅋㅋ", "읻ㅋㅋ"),
        ("넋이/값", "넉씨/갑"),
        ("가앉은일", "가안즌닐"),  # a word of the lexicon whose stem is tagged behind another word only
    ],
)
def test_a_final_is_moved_or_kept_or_changed(written: str, said: str) -> None:
    assert pronounced(written) == said


@pytest.mark.parametrize("behind", BEHIND)
def test_words_of_the_lexicon_sound_possible_before_every_initial(behind: str) -> None:
    some = WORDS[len(behind) :: 61]  # another part of the lexicon for each
    assert sounds(", ".join(word + behind for word in some)) == []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from([*WORDS, *BEHIND])).map("".join), max_size=4))
def test_words_written_together_sound_possible(words: list[str]) -> None:
    assert sounds(" ".join(words)) == []


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.sampled_from("가각갂값간앉않갇갈닭삶여읽넓갔강갖꽃부엌밭앞놓의이여으하다고십육일칠점억 "), max_size=12)
)
def test_any_syllables_sound_possible(text: str) -> None:
    assert sounds(text) == []


def test_real_text_is_final_and_sounds_possible() -> None:
    lines = catalogue()
    if not lines:
        pytest.skip(f"no Korean message catalogues in {CATALOGUES}")
    for line in lines[::12]:
        spoken = normalise(line, "ko")
        assert normalise(spoken, "ko") == spoken, line
    assert [fault for line in lines[::60] for fault in sounds(line)] == []


def catalogue() -> list[str]:
    """The Korean lines of the message catalogues of this machine's programs."""
    lines: list[str] = []
    for path in sorted(CATALOGUES.glob("*.mo")):
        with path.open("rb") as file:
            messages = gettext.GNUTranslations(file)._catalog.values()  # type: ignore[attr-defined]
        lines += [line for text in messages if isinstance(text, str) for line in text.splitlines()]
    return [line for line in dict.fromkeys(lines) if re.search("[가-힣]", line)]
