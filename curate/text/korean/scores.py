"""Scores and ratios in Korean: 3-1(25-20 23-25), 5:3:2, 비율 1:1.618.

`SCORES` come before times of the day, which have a colon too; `LATER_SCORES` after telephone numbers and codes, which
have hyphens.
"""

import re

from curate.text.korean.numbers import read, sino
from curate.text.rules import HEAD, TextRule

_RATIOS = "비율|배율|축척|경쟁률|스코어|확률|승률|교환비|혼합비|가성비|구성비"  # what a ratio with a colon follows
_SCORED = "세트|전반전?|후반전?|연장전?|승부차기|쿼터|스코어|점수|최종|합계"  # what a hyphened score follows
_NOT_SCORE = r"%|(?:번지|동|호|개|명|분|년|월|일|점|살|세|회)(?![가-힣]{2})"
_WON = (
    r"(?= ?(?:로|으로|의)? ?(?:승|완승|연승|연패|역전|패|졌|지고|이[겼기긴겨길]|꺾|앞[섰서선설]|뒤[졌지진질]"
    r"|리드|무승부|동점"
    r"|비[겼기긴]|제압|격파|눌|끝|마[쳤무]|끌려|밀[렸리린]|물리[쳤치친]|따돌|대승|신승|석패|완패|대패|진출|통과|우승|정상"
    r"|[가-힣\d]{1,6} ?(?:강|승|위|라운드|결승전?)에 (?:올|진출|오르)))"
)
# A set that is won or lost, and no set of cosmetics.
_SET_WON = "세트(?:[를을]? ?(?:먼저 )?(?:따[내냈]|내[주줬]|가져|잡[아았고]|빼앗|듀스)| ?(?:초반|중반|후반|막판|도중))"
# What a hyphened score behind 세트를 or 전반에서 is followed by, and no range: 25-23으로, but not 25-30명.
_SCORED_IN = r"(?:[를을은는이가도]|에서[는도]?|에[는도]?) ?(?:[가-힣]{1,8} ){0,2}"
_PAIR_END = r"(?!\d)(?: ?(?=으로|로|[의,)]|$|승|패|까지)|(?=\.(?!\d)|이?[었였다]))"
_READ = "[영일이삼사오육칠팔구십]{1,4}"  # with a colon it is read by now
_SET_SCORED = (
    rf"세트{_SCORED_IN}(?:\d{{1,2}} ?(?:[-:]|대) ?\d{{1,2}}(?:{_PAIR_END}|{_WON})"
    rf"|{_READ} 대 {_READ}(?:으로|로|(?![가-힣])))"
)
_TAKEN = "(?= ?(?:으로|로) ?(?:따[내냈낸]|내[주줬준]|가져))"
_SCORE_TOLD = re.compile(rf"(?:\d ?[:-] ?| ?대 ?)\d{{1,2}}(?!\d){_WON}|세트|스코어|[완역]승|[완역]전승|[완석]패")
_SETS = re.compile(r"(\d{1,2})(?:[-:]| 대 )(\d{1,2})")


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


def sets_in_brackets(match: re.Match[str]) -> str:
    """(25-23, 22-25) where a score was told before: 3:2로 끝났다; three and more where not all rise or fall."""
    told = _SCORE_TOLD.search(match.string, max(0, match.start() - 60), match.start())
    pairs = [tuple(map(int, pair)) for pair in _SETS.findall(match.group())]
    both = len(pairs) > 2 and len({first > second for first, second in pairs}) == 2  # sets won and lost: no ranges
    return sets(match) if told or both else match.group()


SCORES = (
    TextRule(
        "score",
        re.compile(
            rf"{HEAD}(?<![-:/])(?:\d{{1,2}}-\d{{1,2}},? ){{0,4}}"  # 6-4, 7-6(7-4)
            r"\d{1,2}(?:[-:]| 대 )\d{1,2} ?[(<]\d{1,2}-\d{1,2}(?:(?:[ ,·/]|, )\d{1,2}-\d{1,2}){0,6}[)>]"
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
    TextRule("score", re.compile(r"\((?:\d{1,2}-\d{1,2}(?:[ ,·/]|, )){1,6}\d{1,2}-\d{1,2}\)"), sets_in_brackets),
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
LATER_SCORES = (
    TextRule(
        "set",
        re.compile(rf"{HEAD}([1-7]) ?(?=세트 ?\d{{1,3}}[-:]|{_SET_WON}|{_SET_SCORED})"),
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
    TextRule(
        "score",
        re.compile(rf"(?P<before>(?:{_SCORED}) ?)(?P<a>\d{{1,3}})-(?P<b>\d{{1,3}})(?![\d-]| ?(?:{_NOT_SCORE}))"),
        score,
    ),
    TextRule(
        "score",
        re.compile(
            rf"(?P<before>(?:{_SCORED}){_SCORED_IN})(?P<a>\d{{1,3}})-(?P<b>\d{{1,3}})(?![\d-])"
            rf"(?:{_PAIR_END}|{_WON})"
        ),
        score,
    ),
    TextRule(
        "score",
        re.compile(
            rf"{HEAD}(?<!-)(?P<a>\d{{1,3}})-(?P<b>\d{{1,3}})(?![\d-])"
            rf"(?:(?=(?:, ?\d{{1,3}}-\d{{1,3}}){{1,6}}(?:{_WON}|{_TAKEN}))|{_WON}|{_TAKEN})"
        ),
        score,
    ),
)
