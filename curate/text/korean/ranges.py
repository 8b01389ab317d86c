"""Readers of what stands between two Korean numbers, letters or words: scores, ranges, comparisons, arithmetic."""

import re

from curate.text.korean import latin
from curate.text.korean.dates import month_name
from curate.text.korean.numbers import counted, fitted, has_final, one_by_one, read, sino
from curate.text.korean.tables import NATIVE, SINO
from curate.text.numbers import parse
from curate.text.rules import any_of

_COUNTER = re.compile(any_of([*NATIVE, *SINO]))
_SAID = {">": "크", "<": "작", "≥": "크거나 같", "≤": "작거나 같"}


def score(match: re.Match[str]) -> str:
    before = match.groupdict().get("before") or ""
    return f"{before}{read(match['a'])} 대 {read(match['b'])}"


def ratios(match: re.Match[str]) -> str:
    """5:3:2, but not 5:30:20, which is a time."""
    groups = re.split(" ?: ?", match.group())
    time = len(groups) == 3 and all(len(group) == 2 for group in groups[1:])
    return match.group() if time else " 대 ".join(read(group) for group in groups)


def number_range(match: re.Match[str]) -> str:
    """The first number of a range, read; the second waits for its counter."""
    first, second, counter = match["a"], match["b"], match["counter"] or ""
    low, high = parse(first, dots_group=False), parse(second, dots_group=False)
    if low is None or high is None or (match["dash"] and not _rises(first, second)):
        return match.group()
    if counter == "월":
        return f"{month_name(first)}에서 {second}월"
    if counter in NATIVE and not low.fraction and int(low.integer[:9]) <= NATIVE[counter] and counter != "대":
        return f"{counted(low.integer, NATIVE[counter])} {counter}에서 {second}{counter}"
    if counter == "년" and len(low.integer) == 4:
        return f"{read(first)}년에서 {second}{counter}"
    return f"{read(first)}에서 {second}{match['gap']}{counter}"


def _rises(first: str, second: str) -> bool:
    short = max(len(first), len(second)) <= 8
    return short and float(first.replace(",", "")) < float(second.replace(",", ""))


def from_to(match: re.Match[str]) -> str:
    return f"{match.groupdict().get('before') or ''}에서 "


def hyphen(match: re.Match[str]) -> str:
    first, second = match[1], match[2]
    if max(len(first), len(second)) > 4 or (len(first) > 1 and first[0] == "0"):
        return f"{one_by_one(first)} {one_by_one(second)}"
    counted_by = _COUNTER.match(match.string, match.end())
    return f"{sino(first)} 다시 {sino(second)}" + (" " if counted_by else "")


def compare(match: re.Match[str]) -> str:
    """a < b, and what follows: 작다, 작다면."""
    return _less(match[1], match[2], match[3]) + ("다면" if match["if"] else "다")


def at_least(match: re.Match[str]) -> str:
    """점수 ≥ 60: behind a Korean word 이상 or 이하; the number is read later."""
    return f" {match['n'].rstrip()} {'이상' if match['sign'] == '≥' else '이하'}"


def between(match: re.Match[str]) -> str:
    """a < b < c: two comparisons in one sentence."""
    return f"{_less(match[1], match[2], match[3])}고 {_less(match[3], match[4], match[5])}다"


def _less(first: str, sign: str, second: str) -> str:
    first, second = (latin.letters(one) if one.isalpha() else read(one) for one in (first, second))
    return f"{first}{fitted(first, '은')} {second}보다 {_SAID[sign]}"


def equals(match: re.Match[str]) -> str:
    said = read(match["n"])
    return f"{said}{'은' if has_final(said) else '는'} "


def equals_word(match: re.Match[str]) -> str:
    said = latin.read(match["word"])
    return f"{said}{'은' if has_final(said) else '는'} "


def operator(match: re.Match[str]) -> str:
    return {"+": " 더하기 ", "÷": " 나누기 "}.get(match.group().strip(), " 곱하기 ")


def minus_sign(match: re.Match[str]) -> str:
    return f"{read(match['n'])} 빼기 "


def power(match: re.Match[str]) -> str:
    return f"{read(match['n'])}의 {'제곱' if match['power'] == '²' else '세제곱'}"
