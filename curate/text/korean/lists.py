"""Several Korean numbers with one thing behind them: 3·4명, 6,10월, 3~4천 명, $10~20, 20~25℃."""

import itertools
import re

from curate.text.korean.amounts import numbered
from curate.text.korean.dates import month_name
from curate.text.korean.numbers import native, read, rises, sino
from curate.text.korean.patterns import AFTER, COUNTER, CURRENCY, TILDE, B
from curate.text.korean.tables import ATTACHED, DEGREES, NATIVE
from curate.text.rules import NUMBER, TextRule, any_of

_COUNTER = re.compile(COUNTER)
_ATTACHED = re.compile(any_of(ATTACHED))
# Two native numerals as one, as 3·4명 is read.
_ABOUT = dict(enumerate(["한두", "두세", "서너", "네다섯", "대여섯", "예닐곱", "일고여덟", "여덟아홉"], start=1))


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
    if "·" in match["list"] and counter != "시" and following and len(values) == 2 and values[0] in _ABOUT:
        return f"{_ABOUT[values[0]]}{gap}{counter}"
    return f"{', '.join(map(native, values))}{gap}{counter}"


def fractions(match: re.Match[str]) -> str:
    """1/2~2/3: the first of two fractions."""
    return f"{sino(match['b'])}분의 {sino(match['a'])}에서 "


def priced(match: re.Match[str]) -> str:
    """$10~20: the currency belongs to both and is said once."""
    if match["dash"] and not rises(match["a"], match["b"]):
        return match.group()
    return f"{read(match['a'])}에서 {match['sign']}"


def degrees(match: re.Match[str]) -> str:
    """20~25℃: the scale belongs to both."""
    if match["dash"] and (match["below"] or not rises(match["a"], match["b"])):
        return match.group()
    below = "영하 " if match["minus"] else ""
    return f"{DEGREES[match['unit']]} {below}{read(match['a'])}에서 {'영하 ' if match['below'] else ''}{match['b']}도"


LISTS = (
    TextRule(
        "several",
        re.compile(
            rf"(?<![\d.,A-Za-z-])(?P<a>[1-9])(?: ?{TILDE} ?|[·–-]|, ?)(?P<b>[1-9])(?P<mag>[십백천][만억]?|만|억)(?!\d)"
        ),
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
        re.compile(
            rf"(?<![A-Za-z])(?P<sign>{CURRENCY}) ?(?P<a>{NUMBER}) ?(?:{TILDE}|(?P<dash>[-–])) ?(?=(?P<b>{NUMBER}))"
        ),
        priced,
    ),
    TextRule(
        "range",
        re.compile(
            rf"(?<![A-Za-z\d.)-])(?P<minus>[-−])?(?P<a>{NUMBER}) ?(?:{TILDE}|(?P<dash>[-–])) ?(?P<below>[-−])?{B} ?"
            rf"(?P<unit>{any_of(DEGREES)})"
        ),
        degrees,
    ),
)
