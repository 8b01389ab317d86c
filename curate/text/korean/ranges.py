"""What stands between two Korean numbers, letters or words: scores, ranges, comparisons, arithmetic.

`SCORES` come before times of the day, which have a colon too; `BETWEEN` comes after telephone numbers and codes, which
have hyphens.
"""

import itertools
import re

from curate.text.korean import hangul, latin
from curate.text.korean.amounts import numbered
from curate.text.korean.dates import month_name
from curate.text.korean.numbers import counted, native, one_by_one, read, sino
from curate.text.korean.particles import fitted
from curate.text.korean.patterns import AFTER, COUNTER, CURRENCY, TILDE, UNIT, B, N
from curate.text.korean.tables import ATTACHED, DEGREES, NATIVE
from curate.text.numbers import parse
from curate.text.rules import HEAD, NUMBER, TextRule, any_of

_RATIOS = "비율|배율|축척|경쟁률|스코어|확률|승률|교환비|혼합비|가성비|구성비"  # what a ratio with a colon follows
_SCORED = "세트|전반전?|후반전?|연장전?|승부차기|쿼터|스코어|점수|최종|합계"  # what a hyphened score follows
_NOT_SCORE = r"%|(?:번지|동|호|개|명|분|년|월|일|점|살|세|회)(?![가-힣]{2})"
_WON = (
    r"(?= ?(?:로|으로|의)? ?(?:승|완승|역전|패|졌|지고|이[겼기긴겨길]|꺾|앞[섰서선설]|뒤[졌지진질]|리드|무승부|동점"
    r"|비[겼기긴]|제압|격파|눌|끝|마[쳤무]|끌려|밀[렸리린]|물리[쳤치친]|따돌|진출|통과|우승|정상|[가-힣\d]{1,6} ?(?:강|승|위|라운드|결승전?)에 (?:올|진출|오르)|대승|신승|석패|완패|대패))"
)
_COUNTER = re.compile(COUNTER)
_ATTACHED = re.compile(any_of(ATTACHED))
# Two native numerals as one, as 3·4명 is read.
_ABOUT = dict(
    zip([(n, n + 1) for n in range(1, 9)], "한두 두세 서너 네다섯 대여섯 예닐곱 일고여덟 여덟아홉".split(), strict=True)
)
_SETS = re.compile(r"(\d{1,2})(?:[-:]| 대 )(\d{1,2})")
_COMPARISONS = {">": "크", "<": "작", "≥": "크거나 같", "≤": "작거나 같"}


def score(match: re.Match[str]) -> str:
    before = match.groupdict().get("before") or ""
    return f"{before}{read(match['a'])} 대 {read(match['b'])}"


def sets(match: re.Match[str]) -> str:
    """3-1(25-20 23-25): the sets behind a score."""
    spoken = _SETS.sub(lambda pair: f"{sino(pair[1])} 대 {sino(pair[2])}", match.group())
    return spoken.replace("<", "(").replace(">", ")")


def ratios(match: re.Match[str]) -> str:
    """5:3:2, but not 5:30:20, which is a time."""
    groups = re.split(" ?: ?", match.group())
    time = len(groups) == 3 and all(len(group) == 2 for group in groups[1:])
    return match.group() if time else " 대 ".join(read(group) for group in groups)


def several(match: re.Match[str]) -> str:
    """3~4천: 삼사천 where one follows the other, else 삼천에서 오천; what is counted is read later."""
    first, second, magnitude = match["a"], match["b"], match["mag"]
    if int(second) == int(first) + 1:
        both = "오륙" if first == "5" else sino(first) + sino(second)
        apart = _COUNTER.match(match.string, match.end()) and not _ATTACHED.match(match.string, match.end())
        return f"{both}{magnitude}{' ' if apart else ''}"
    if int(second) <= int(first) or magnitude[0] not in "십백천":
        return match.group()
    return f"{'' if first == '1' else sino(first)}{magnitude}에서 {second}{magnitude}"


def series(match: re.Match[str]) -> str:
    """3·4명 is 서너 명, 6,10월 유월, 시월: what is counted or named belongs to every number."""
    counter, numbers = match["counter"], re.findall(r"\d+", match["list"])
    values = [int(number) for number in numbers]
    following = all(after == before + 1 for before, after in itertools.pairwise(values))
    if not all(values) or (" " in match["list"] and not following and counter != "월"):
        return match.group()
    if counter == "월":
        return ", ".join(map(month_name, numbers)) if max(values) <= 12 else match.group()
    gap = "" if counter in ATTACHED else " "
    label = counter == "번" and numbered(match.string, match.start(), match.end(), numbers[-1])
    if counter not in NATIVE or label or max(values) > min(NATIVE[counter], 19):
        return match.group()
    if "·" in match["list"] and counter != "시" and following and tuple(values) in _ABOUT:
        return f"{_ABOUT[tuple(values)]}{gap}{counter}"
    return f"{', '.join(map(native, values))}{gap}{counter}"


def fractions(match: re.Match[str]) -> str:
    """1/2~2/3: the first of two fractions."""
    return f"{sino(match['b'])}분의 {sino(match['a'])}에서 "


def priced(match: re.Match[str]) -> str:
    """$10~20: the currency belongs to both and is said once."""
    return f"{read(match['a'])}에서 {match['sign']}"


def degrees(match: re.Match[str]) -> str:
    """20~25℃: the scale belongs to both."""
    below = "영하 " if match["minus"] else ""
    return f"{DEGREES[match['unit']]} {below}{read(match['a'])}에서 {'영하 ' if match['below'] else ''}{match['b']}도"


def number_range(match: re.Match[str]) -> str:
    """The first number of a range, read; the second waits for its counter."""
    first, second, counter = match["a"], match["b"], match["counter"] or ""
    low, high = parse(first, dots_group=False), parse(second, dots_group=False)
    if low is None or high is None or (match["dash"] and not _rises(first, second)):
        return match.group()
    if counter == "월":
        return f"{month_name(first)}에서 {second}월"
    if counter == "번" and not low.fraction and numbered(match.string, match.start(), match.end(), second):
        return f"{sino(first)}에서 {sino(second)} 번"
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


SCORES = (
    TextRule(
        "score",
        re.compile(
            rf"{HEAD}(?<![-:/])\d{{1,2}}(?:[-:]| 대 )\d{{1,2}} ?[(<]\d{{1,2}}-\d{{1,2}}(?:(?:[ ,·/]|, )\d{{1,2}}-\d{{1,2}}){{0,6}}[)>]"
        ),
        sets,
    ),
    TextRule(
        "score",
        re.compile(
            r"(?:(?<=^)|(?<=[,(] )|(?<=[,(]))(?P<before>[가-힣A-Za-z]{2,10} )(?P<a>\d{1,2})-(?P<b>\d{1,2})"
            r"(?= [가-힣A-Za-z]{2,10}(?:[,.)]|$))"
        ),
        score,
    ),
    TextRule(
        "score",
        re.compile(rf"\((?:\d{{1,2}}-\d{{1,2}}(?:[ ,·/]|, )){{1,6}}\d{{1,2}}-\d{{1,2}}\)(?={_WON})"),
        sets,
    ),
    TextRule("score", re.compile(rf"{HEAD}(?<!:)(?P<a>\d{{1,3}}) ?: ?(?P<b>\d{{1,3}})(?![\d:]){_WON}"), score),
    TextRule(
        "score",
        re.compile(
            rf"(?P<before>(?:{_RATIOS})(?:[은는이가도]|[이가] 약)? ?)(?P<a>\d{{1,4}}) ?[:-] ?"
            r"(?P<b>\d{1,3}(?:,\d{3})+|\d{1,7})(?![\d:-]|\.\d)"
        ),
        score,
    ),
    TextRule(
        "score",
        re.compile(rf"{HEAD}(?<!:)(?P<a>\d{{1,4}}) ?: ?(?P<b>\d{{1,3}}(?:,\d{{3}})+|\d{{4,7}})(?![\d:]|\.\d)"),
        score,
    ),
    TextRule("score", re.compile(rf"{HEAD}(?<!:)\d{{1,3}}(?: ?: ?\d{{1,3}}){{2,5}}+(?![\d:])"), ratios),
)
BETWEEN = (
    TextRule("page", re.compile(r"(?<![A-Za-z])pp?\. ?(\d{1,4}) ?[-–] ?(?=\d{1,4}(?![\d-]))"), first_page),
    TextRule("page", re.compile(r"(?<![A-Za-z])pp?\. ?(?=\d)"), lambda match: "페이지 "),
    TextRule(
        "set",
        re.compile(
            rf"{HEAD}([1-7]) ?(?=세트 ?\d{{1,3}}[-:]|세트(?:[를을]? ?(?:먼저 )?(?:따[내냈]|내[주줬]|가져|잡[아았고]|빼앗|듀스)| ?(?:초반|중반|후반|막판|도중)))"
        ),
        lambda match: f"{sino(match[1])} ",
    ),
    TextRule(
        "score",
        re.compile(rf"{HEAD}(?<!:)(?P<a>\d{{1,4}}(?:\.\d{{1,4}})?) ?: ?(?P<b>\d{{1,4}}\.\d{{1,4}})(?![\d:.])"),
        score,
    ),
    TextRule(
        "score",
        re.compile(rf"{HEAD}(?<!:)(?P<a>\d{{1,4}}\.\d{{1,4}}) ?: ?(?P<b>\d{{1,4}})(?![\d:]|\.\d)"),
        score,
    ),
    TextRule("score", re.compile(rf"{HEAD}(?<!:)(?P<a>\d{{1,3}}) ?: ?(?P<b>\d{{1,3}})(?![\d:])"), score),
    TextRule(
        "score",
        re.compile(rf"{HEAD}(?P<a>\d{{1,3}}) ?대 ?(?P<b>\d{{1,3}})(?=[^\d가-힣,.]|$|로|으로|의|{_WON}| ?[승패무역])"),
        score,
    ),
    TextRule("minus", re.compile(rf"{N} ?[-−] ?(?=\d++(?:[.,]\d++)*+ ?=)"), minus_sign),
    TextRule(
        "score",
        re.compile(rf"(?P<before>(?:{_SCORED}) ?)(?P<a>\d{{1,3}})-(?P<b>\d{{1,3}})(?![\d-]| ?(?:{_NOT_SCORE}))"),
        score,
    ),
    TextRule(
        "score",
        re.compile(
            rf"{HEAD}(?<!-)(?P<a>\d{{1,3}})-(?P<b>\d{{1,3}})(?![\d-])"
            rf"(?:(?=(?:, ?\d{{1,3}}-\d{{1,3}}){{1,6}}{_WON})|{_WON})"
        ),
        score,
    ),
    TextRule(
        "several",
        re.compile(rf"(?<![\d.,A-Za-z-])(?P<a>[1-9])(?: ?{TILDE} ?|[·–-]|, ?)(?P<b>[1-9])(?P<mag>[십백천][만억]?|만|억)(?!\d)"),
        several,
    ),
    TextRule(
        "several",
        re.compile(
            rf"(?<![\d.,·/A-Za-z-])(?P<list>\d{{1,2}}(?:(?:·|, ?)\d{{1,2}}){{1,6}}) ?(?P<counter>{COUNTER}){AFTER}"
        ),
        series,
    ),
    TextRule(
        "range",
        re.compile(rf"(?<![\d/.])(?P<a>\d{{1,3}})/(?P<b>\d{{1,3}}) ?{TILDE} ?(?=\d{{1,3}}/\d)"),
        fractions,
    ),
    TextRule(
        "range",
        re.compile(rf"(?<![A-Za-z])(?P<sign>{CURRENCY}) ?(?P<a>{NUMBER}) ?{TILDE} ?(?=\d)"),
        priced,
    ),
    TextRule(
        "range",
        re.compile(
            rf"(?<![A-Za-z\d.)-])(?P<minus>[-−])?(?P<a>{NUMBER}) ?{TILDE} ?(?P<below>[-−])?{B} ?(?P<unit>{any_of(DEGREES)})"
        ),
        degrees,
    ),
    TextRule(
        "range",
        re.compile(rf"(?<![A-Za-z-])(?P<a>{NUMBER}) ?{TILDE}(?P<dash>) ?{B}(?P<gap> ?)(?P<counter>{COUNTER})?"),
        number_range,
    ),
    TextRule(
        "range",
        re.compile(
            rf"(?<![A-Za-z-])(?P<a>{NUMBER})(?P<dash>[-–]){B}(?P<gap> ?)"
            rf"(?P<counter>(?!번지|동|호){COUNTER}|%|{UNIT})"
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
            rf"|(?<=[년월일시분초]) ?{TILDE} ?(?=[가-힣])"
        ),
        from_to,
    ),
    TextRule("arrow", re.compile(r"(?<=[가-힣A-Za-z\d%]) ?(?:→|⇒|➜|->|=>) ?(?=[가-힣A-Za-z\d])"), from_to),
    TextRule("hyphen", re.compile(rf"{HEAD}(?<![A-Za-z-])(\d++)-(\d++)(?![.,]\d|-)"), hyphen),
)
