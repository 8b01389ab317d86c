"""What stands between two Korean numbers, letters or words: ranges, comparisons, arithmetic.

`BETWEEN` comes after telephone numbers and codes, which have hyphens.
"""

import re

from curate.text.korean import hangul, latin
from curate.text.korean.amounts import numbered
from curate.text.korean.dates import month_name
from curate.text.korean.lists import LISTS
from curate.text.korean.numbers import counted, one_by_one, read, rises, sino
from curate.text.korean.particles import fitted
from curate.text.korean.patterns import COUNTER, MAGNITUDE, TILDE, UNIT, B, N
from curate.text.korean.scores import LATER_SCORES
from curate.text.korean.tables import NATIVE
from curate.text.numbers import parse
from curate.text.rules import HEAD, NUMBER, TextRule

_COUNTER = re.compile(COUNTER)
_TABLETS = 20  # native numbers of them
_COMPARISONS = {">": "크", "<": "작", "≥": "크거나 같", "≤": "작거나 같"}


def number_range(match: re.Match[str]) -> str:
    """The first number of a range, read; the second waits for its counter."""
    first, second, counter = match["a"], match["b"], match["counter"] or ""
    low, high = parse(first, dots_group=False), parse(second, dots_group=False)
    if low is None or high is None or (match["dash"] and not rises(first, second)):
        return match.group()
    if match["dash"] and counter in ("동", "호") and len(second) > max(2, len(first)):  # 101-1203호: a house and a flat
        return match.group()
    if counter == "월":
        return f"{month_name(first)}에서 {second}월"
    if counter == "번" and not low.fraction and numbered(match.string, match.start(), match.end(), second):
        return f"{sino(first)}에서 {sino(second)} 번"
    most = _TABLETS if counter == "정" else NATIVE.get(counter, 0)
    if not low.fraction and int(low.integer[:9]) <= most and counter != "대":
        return f"{counted(low.integer, most)} {counter}에서 {second}{counter}"
    if counter == "년" and len(low.integer) == 4:
        return f"{read(first)}년에서 {second}{counter}"
    return f"{read(first)}에서 {second}{match['gap']}{counter}"


def large_range(match: re.Match[str]) -> str:
    """100-200만 원: a range by a hyphen where it rises; the second number is read with its unit."""
    return f"{read(match['a'])}에서 " if rises(match["a"], match["b"]) else match.group()


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
    """점수 ≥ 60, BMI ≤ 25, ≥ 10명: behind a word or nothing 이상 or 이하; the number is read later."""
    apart = " " if re.match("[가-힣A-Za-z,:;]", match.string[match.start() - 1 : match.start()]) else ""
    return f"{apart}{match['n'].rstrip()} {'이상' if match['sign'] in ('≥', '>=') else '이하'}"


def at_least_sign(match: re.Match[str]) -> str:
    """The one sign that two of the keyboard stand for."""
    return " ≥ " if match["sign"] == ">=" else " ≤ "


def between(match: re.Match[str]) -> str:
    """a < b < c: two comparisons in one sentence."""
    return f"{_less(match[1], match[2], match[3])}고 {_less(match[3], match[4], match[5])}다"


def _less(first: str, sign: str, second: str) -> str:
    first, second = (latin.letters(one) if one.isalpha() else read(one) for one in (first, second))
    return f"{first}{fitted(first, '은')} {second}보다 {_COMPARISONS[sign]}"


def equals(match: re.Match[str]) -> str:
    spoken = read(match["n"])
    return f"{spoken}{fitted(spoken, '은')} "


def equals_counted(match: re.Match[str]) -> str:
    """5 = 20일 때: what is on the right is counted and read before; the number on the left waits."""
    return f"{match['n']}{fitted(read(match['n']), '은')} "


def equals_word(match: re.Match[str]) -> str:
    spoken = latin.read(match["word"])
    return f"{spoken}{fitted(spoken, '은')} "


def equals_words(match: re.Match[str]) -> str:
    """What is read is followed by 은 or 는; behind a bracket by what its last letter asks for."""
    last = match.string[max(0, match.start() - 2) : match.start()].rstrip(")")[-1:]
    return f"{fitted(last, '은') if hangul.is_syllable(last) else '는'} "


def operator(match: re.Match[str]) -> str:
    return {"+": " 더하기 ", "÷": " 나누기 "}.get(match.group().strip(), " 곱하기 ")


def minus_sign(match: re.Match[str]) -> str:
    return f"{read(match['n'])} 빼기 "


def first_page(match: re.Match[str]) -> str:
    """pp. 3-7: the page from which."""
    return f"페이지 {sino(match[1])}에서 "


BETWEEN = (
    TextRule("page", re.compile(r"(?<![A-Za-z])pp?\. ?(\d{1,4}) ?[-–] ?(?=\d{1,4}(?![\d-]))"), first_page),
    TextRule("page", re.compile(r"(?<![A-Za-z])pp?\. ?(?=\d)"), lambda match: "페이지 "),
    TextRule("minus", re.compile(rf"{N} ?[-−] ?(?=\d++(?:[.,]\d++)*+ ?=)"), minus_sign),
    *LATER_SCORES,
    *LISTS,
    TextRule(
        "range",
        re.compile(
            rf"(?<![A-Za-z-])(?P<a>{NUMBER}) ?{TILDE}(?P<dash>) ?{B}(?P<gap> ?)"
            rf"(?P<counter>{COUNTER}|정(?=씩|을|의|만|[ ,.)]|$))?"
        ),
        number_range,
    ),
    TextRule(
        "range",
        re.compile(
            rf"(?<![A-Za-z-])(?P<a>{NUMBER})(?P<dash>[-–]){B}(?P<gap> ?)"
            rf"(?P<counter>(?!번[지길])(?:{COUNTER})|%|{UNIT})"
        ),
        number_range,
    ),
    TextRule("range", re.compile(rf"(?P<before>\d[가-힣%]{{0,3}}) ?{TILDE} ?(?=[\d가-힣])"), from_to),
    TextRule(
        "range",
        re.compile(
            rf"(?<=[가-힣A-Za-z])(?<![요다네야아어지죠]) ?{TILDE} ?(?=\d)"
            rf"|(?<=[가-힣A-Za-z])(?<![요다네야아어지죠]){TILDE}(?=[가-힣A-Za-z])"
        ),
        from_to,
    ),
    TextRule(
        "range",
        re.compile(
            rf"(?<=\d) ?{TILDE} ?(?=[₩$€£¥])|(?<=[년월일시분])[-–](?=\d)|(?<=[시분])[-–](?=[가-힣])"
            rf"|(?<=[년월일시분초]) ?{TILDE} ?(?=[가-힣])|(?<=\d[만억조])[-–](?=\d{{1,4}}[천만억조])"
        ),
        from_to,
    ),
    TextRule(
        "range",
        re.compile(
            rf"{HEAD}(?<![A-Za-z-])(?P<a>{NUMBER})[-–]"
            rf"(?=(?P<b>{NUMBER}) ?{MAGNITUDE} ?(?:{COUNTER}|원|달러|유로|엔|위안|톤))"
        ),
        large_range,
    ),
    TextRule("arrow", re.compile(r"(?<=[가-힣A-Za-z\d%]) ?(?:→|⇒|➜|->|=>) ?(?=[가-힣A-Za-z\d])"), from_to),
    TextRule("hyphen", re.compile(rf"{HEAD}(?<![A-Za-z-])(\d++)-(\d++)(?![.,]\d|-)"), hyphen),
)
