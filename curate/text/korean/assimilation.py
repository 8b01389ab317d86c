"""What a final and the initial after it sound like together: 표준 발음법 9-12, 18-20 and 23항, every pair of letters.

g2pk's table says the same but for cells that are cut off (ㄺ before ㅋ), missing (ㅄ before ㅌ) or wrong (ㅎ, ㅊ).
Letters are conjoining jamo: finals U+11A8 to U+11C2, initials U+1100 to U+1112.
"""

import functools
import re

from curate.text.korean import hangul
from curate.text.korean.hangul import FINAL_JAMO, INITIAL_JAMO, LETTERS, TENSE

# 9-11항: the final as it sounds before a pause or a consonant
_NEUTRAL = dict(
    zip("ㄲㄳㅋㄺㄵㄶㄼㄽㄾㅀㄻㄿㅄㅍㅅㅆㅈㅊㅌㅎ", "ㄱㄱㄱㄱㄴㄴㄹㄹㄹㄹㅁㅂㅂㅂㄷㄷㄷㄷㄷㄷ", strict=True)
)
_ASPIRATE = dict(zip("ㄱㄷㅂㅈ", "ㅋㅌㅍㅊ", strict=True))
_NASAL = {"ㄱ": "ㅇ", "ㄷ": "ㄴ", "ㅂ": "ㅁ"}
_WITH_H = {"ㅎ": ("", "ㄴ"), "ㄶ": ("ㄴ", "ㄴ"), "ㅀ": ("ㄹ", "ㄹ")}  # 12항: what is left of them, and before ㄴ
_BEFORE_H = {"ㅈ": ("", "ㅊ"), "ㄵ": ("ㄴ", "ㅊ"), "ㄺ": ("ㄹ", "ㅋ"), "ㄼ": ("ㄹ", "ㅍ")}  # 12항 붙임 1: inside a word
_STEMS_ONLY = "ㄾ"  # 25항: what follows is always an ending, and tense
_FINALS = "".join(FINAL_JAMO.values())
_SOUNDING = "".join(jamo for letter, jamo in INITIAL_JAMO.items() if letter != "ㅇ")
_PAIR = re.compile(f"([{_FINALS}])( ?)([{_SOUNDING}])")
_END = re.compile(rf"[{_FINALS}](?![{''.join(INITIAL_JAMO.values())}])")


def neutral(final: str) -> str:
    """A final as it sounds before a pause: ㅅ -> ㄷ, ㅄ -> ㅂ (9-11항)."""
    return _NEUTRAL.get(final, final)


def neutralised(syllable: str) -> str:
    """A syllable with its final as it sounds before a pause: 첫 -> 첟, 값 -> 갑 (9-11항)."""
    return hangul.with_final(syllable, neutral(hangul.final(syllable)))


def assimilated(jamo: str) -> str:
    """A text in conjoining jamo with every final as it sounds before a consonant, before a pause and at the end."""
    joined = _PAIR.sub(lambda match: _met(match[1], match[2], match[3]), jamo)
    return _END.sub(lambda match: FINAL_JAMO[neutral(LETTERS[match[0]])], joined)


@functools.cache
def _met(final: str, space: str, initial: str) -> str:
    before, after = _together(LETTERS[final], LETTERS[initial], apart=bool(space))
    return FINAL_JAMO.get(before, "") + space + INITIAL_JAMO[after]


def _together(final: str, initial: str, *, apart: bool) -> tuple[str, str]:
    if final in _WITH_H and initial in "ㄱㄷㅈㅅㄴ":
        left, before_n = _WITH_H[final]
        if initial == "ㄴ":
            return before_n, "ㄹ" if before_n == "ㄹ" else "ㄴ"
        return left, "ㅆ" if initial == "ㅅ" else _ASPIRATE[initial]
    if initial == "ㅎ" and final in _BEFORE_H and not apart:
        return _BEFORE_H[final]
    sound = neutral(final)
    if initial == "ㅎ" and sound in _ASPIRATE:
        return "", _ASPIRATE[sound]
    if sound in _NASAL:
        return _after_stop(sound, initial)
    if {sound, initial} == {"ㄴ", "ㄹ"}:
        return "ㄹ", "ㄹ"
    if sound in "ㅁㅇ" and initial == "ㄹ":
        return sound, "ㄴ"
    return sound, TENSE.get(initial, initial) if final in _STEMS_ONLY else initial


def _after_stop(sound: str, initial: str) -> tuple[str, str]:
    if initial in "ㄴㅁㄹ":
        return _NASAL[sound], "ㄴ" if initial == "ㄹ" else initial
    return sound, TENSE.get(initial, initial)
