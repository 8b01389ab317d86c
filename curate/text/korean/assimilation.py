"""What a final and the initial after it sound like together: 표준 발음법 9-12, 18-20 and 23항, every pair of letters.

g2pk's table says the same but for cells that are cut off (ㄺ before ㅋ), missing (ㅄ before ㅌ) or wrong (ㅎ, ㅊ).
Letters are conjoining jamo: finals U+11A8 to U+11C2, initials U+1100 to U+1112.
"""

import functools
import re

_FIRST, _CODAS = 0xAC00, 28
_CODA_LETTERS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_FINALS = dict(zip(_CODA_LETTERS, map(chr, range(0x11A8, 0x11C3)), strict=True))
_INITIALS = dict(zip("ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", map(chr, range(0x1100, 0x1113)), strict=True))
_LETTERS = {jamo: letter for letter, jamo in (*_FINALS.items(), *_INITIALS.items())}
# 9-11항: the final as it sounds before a pause or a consonant
_ALONE = dict(zip("ㄲㄳㅋㄺㄵㄶㄼㄽㄾㅀㄻㄿㅄㅍㅅㅆㅈㅊㅌㅎ", "ㄱㄱㄱㄱㄴㄴㄹㄹㄹㄹㅁㅂㅂㅂㄷㄷㄷㄷㄷㄷ", strict=True))
_TENSE = dict(zip("ㄱㄷㅂㅅㅈ", "ㄲㄸㅃㅆㅉ", strict=True))
_ASPIRATE = dict(zip("ㄱㄷㅂㅈ", "ㅋㅌㅍㅊ", strict=True))
_NASAL = {"ㄱ": "ㅇ", "ㄷ": "ㄴ", "ㅂ": "ㅁ"}
_WITH_H = {"ㅎ": ("", "ㄴ"), "ㄶ": ("ㄴ", "ㄴ"), "ㅀ": ("ㄹ", "ㄹ")}  # 12항: what is left of them, and before ㄴ
_BEFORE_H = {"ㅈ": ("", "ㅊ"), "ㄵ": ("ㄴ", "ㅊ"), "ㄺ": ("ㄹ", "ㅋ"), "ㄼ": ("ㄹ", "ㅍ")}  # 12항 붙임 1: inside a word
_STEMS_ONLY = "ㄾ"  # 25항: what follows is always an ending, and tense
_PAIR = re.compile(f"([{''.join(_FINALS.values())}])( ?)([{''.join(_INITIALS.values()).replace(_INITIALS['ㅇ'], '')}])")
_END = re.compile(rf"[{''.join(_FINALS.values())}](?=\W|$)")


def closed(syllable: str) -> str:
    """A syllable with its final as it sounds before a pause: 첫 -> 첟, 값 -> 갑 (9-11항)."""
    coda = (ord(syllable) - _FIRST) % _CODAS
    sound = _CODA_LETTERS.index(_alone(_CODA_LETTERS[coda - 1])) + 1 if coda else 0
    return chr(ord(syllable) - coda + sound)


def heard(jamo: str) -> str:
    """A text in conjoining jamo with every final as it sounds before a consonant, before a pause and at the end."""
    met = _PAIR.sub(lambda found: _met(*found.groups()), jamo)
    return _END.sub(lambda found: _FINALS[_alone(_LETTERS[found[0]])], met)


@functools.cache
def _met(final: str, space: str, initial: str) -> str:
    before, after = _together(_LETTERS[final], _LETTERS[initial], apart=bool(space))
    return _FINALS.get(before, "") + space + _INITIALS[after]


def _together(final: str, initial: str, *, apart: bool) -> tuple[str, str]:
    if final in _WITH_H and initial in "ㄱㄷㅈㅅㄴ":
        left, before_n = _WITH_H[final]
        if initial == "ㄴ":
            return before_n, "ㄹ" if before_n == "ㄹ" else "ㄴ"
        return left, "ㅆ" if initial == "ㅅ" else _ASPIRATE[initial]
    if initial == "ㅎ" and final in _BEFORE_H and not apart:
        return _BEFORE_H[final]
    sound = _alone(final)
    if initial == "ㅎ" and sound in _ASPIRATE:
        return "", _ASPIRATE[sound]
    if sound in _NASAL:
        return _after_stop(sound, initial)
    if {sound, initial} == {"ㄴ", "ㄹ"}:
        return "ㄹ", "ㄹ"
    if sound in "ㅁㅇ" and initial == "ㄹ":
        return sound, "ㄴ"
    return sound, _TENSE.get(initial, initial) if final in _STEMS_ONLY else initial


def _after_stop(sound: str, initial: str) -> tuple[str, str]:
    if initial in "ㄴㅁㄹ":
        return _NASAL[sound], "ㄴ" if initial == "ㄹ" else initial
    return sound, _TENSE.get(initial, initial)


def _alone(final: str) -> str:
    return _ALONE.get(final, final)
