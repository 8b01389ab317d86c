"""How numbers in words sound: 십육 is [심뉵], 칠십일 [칠씨빌], 십오점오 [시보쩌모].

Sources: 표준 발음법 26항 (ㄷㅅㅈ after ㄹ in Sino-Korean words) and 29항 (ㄴ before 육 behind a consonant). The decimal
point is [쩜], as speakers say it and as 소수점 [소수쩜] and 영점 [영쩜] have it; the National Institute of Korean
Language answers that nothing in the rules makes 점 tense, so [점] is the other reading.
"""

import re

from curate.text.korean import hangul
from curate.text.korean.compounds import tensed
from curate.text.korean.morphemes import Token

_DIGITS = "영공일이삼사오육칠팔구"
_RUN = re.compile(f"[{_DIGITS}십백천만억조경]+(?:점[{_DIGITS}십백천]+)*")
_TENSE_AFTER_L = frozenset("삼사십조")
_POINT = "점"
# What the tagger calls a letter of a number: a numeral or a counter (일, 점), else any noun, 만 and 이 as particles.
_NUMERAL, _NUMERAL_LIKE = ("NR", "NNBC", "SN"), ("N", "J", "SN", "XPN")
_DIALLED = re.compile(  # behind 112 in words
    "(?:에|로|를|은|는|와|나|가|번|의)(?![가-힣]{3})| ?(?:신고|상황실|종합상황실|긴급|구급|구조|출동|센터|치안)"
)
_LONG = 3  # letters from which a word of digits is a number whatever the tagger calls it


def numerals(text: str, tokens: list[Token]) -> list[tuple[int, int, tuple[str, ...]]]:
    """The numbers in a text that the tagger took apart, each from where to where and with its readings."""
    runs = [match for match in _RUN.finditer(text) if len(match.group()) > 1]
    if not runs:
        return []
    tags = {at: token.tag for token in tokens for at in range(token.start, token.end)}
    return [
        (match.start(), match.end(), readings(match.group()))
        for match in runs
        if _is_number(match, [tags.get(at, "") for at in range(match.start(), match.end())])
    ]


def _is_number(match: re.Match[str], tags: list[str]) -> bool:
    if set(tags) == {"MAG"}:  # 일일이 is an adverb
        return dialled(match.string, match.start(), match.end())
    if all(tag.startswith(_NUMERAL) for tag in tags) and "NR" in tags:
        return True
    text, start, end = match.string, match.start(), match.end()
    first = start == 0 or not hangul.is_syllable(text[start - 1])
    whole = first and (end == len(text) or not hangul.is_syllable(text[end]))
    like = all(tag.startswith(_NUMERAL_LIKE) for tag in tags)
    return (whole and len(tags) >= _LONG) or (first and like and ("NR" in tags or len(tags) >= _LONG))


def dialled(text: str, start: int, end: int) -> bool:
    """Whether 일일이 is the number 112 and no adverb: 일일이로, 일일이 신고."""
    return text[start:end] == "일일이" and _DIALLED.match(text, end) is not None


def readings(number: str) -> tuple[str, ...]:
    """A number in words as its letters must be spelled for the rules to sound right; the usual reading first."""
    usual = _spelled(number, "쩜")
    return (usual,) if _POINT not in number else (usual, _spelled(number, _POINT))


def _spelled(number: str, point: str) -> str:
    spelled = number[0]
    for letter in number[1:]:
        before = hangul.final(spelled[-1])
        if letter == "육" and before:
            letter = "뉵"
        elif letter in _TENSE_AFTER_L and before == "ㄹ":
            letter = tensed(letter)
        spelled += point if letter == _POINT else letter
    return spelled
