"""Times of the day, durations and time zones in Khmer: how they are written, and how each is said.

A time is said as its writer wrote it: 14:30 is ម៉ោងដប់បួន សាមសិបនាទី. With `clock` "12-hour" it is put on twelve hours
with the part of the day, as google/language-resources km/textnorm does. A colon is ម៉ោង before and នាទី behind; :00 is
not said.
"""

import functools
import re
from collections.abc import Callable

from curate.text.khmer.numbers import MINUS, cardinal
from curate.text.khmer.patterns import DASH
from curate.text.khmer.tables import LETTERS
from curate.text.rules import HEAD, TextRule

_DAYTIME = r"(ព្រឹក|រសៀល|ល្ងាច|យប់|អធ្រាត្រ|ថ្ងៃត្រង់|[AaPp]\.?[Mm](?![A-Za-z])\.?)"
_DOTTED = r"(?:[01]?\d|2[0-4])\.[0-5]\d(?![\d%])(?!\.\d|,\d)"
_H = r"(?<![A-Za-z]\d)(?<![A-Za-z]\d\d) ?[hH]"  # 8h30, but not in a formula: C6H12
_BETWEEN = rf"(?: ?{DASH} ?| ?(?:រហូតដល់|ដល់|ទៅ|និង|ឬ) ?)(?:ម៉ោង ?)?"


def time(match: re.Match[str], *, clock: str) -> str:
    hours, minutes, seconds = int(match["h"]), int(match["m"] or 0), int(match["s"] or 0)
    if hours > 24 or minutes > 59 or seconds > 59:
        return match.group()
    period = (match["period"] or "").replace(".", "").lower()
    twelve = clock == "12-hour" or period in ("am", "pm")
    parts = ["ម៉ោង" + cardinal(str((hours % 12 or 12) if twelve else hours))]
    parts += [cardinal(str(minutes)) + "នាទី"] if minutes else []
    parts += [cardinal(str(seconds)) + "វិនាទី"] if seconds else []
    if period in ("", "am", "pm"):
        parts += [_part_of_day(hours, period)] if twelve else []
    else:
        parts += [match["period"]]
    return " ".join(part for part in parts if part)


def _part_of_day(hours: int, period: str) -> str:
    """The word for the part of the day; none in the morning unless AM is written."""
    if period:
        hours = hours % 12 + (12 if period == "pm" else 0)
        if 0 < hours < 12:
            return "ព្រឹក"
    if hours in (0, 24):
        return "អធ្រាត្រ"
    if hours <= 12:
        return "ថ្ងៃត្រង់" if period else ""
    return "រសៀល" if hours <= 15 else "ល្ងាច" if hours <= 18 else "យប់"


def duration(match: re.Match[str]) -> str:
    """5h30mn: hours and minutes that something takes, no time of the day."""
    return f"{cardinal(match['h'])}ម៉ោង{cardinal(match['m'])}នាទី"


def zone(match: re.Match[str]) -> str:
    """Hours from the standard time: GMT+7."""
    sign = "បូក" if match["sign"] == "+" else MINUS
    minutes = f" {cardinal(match['m'])} នាទី" if match["m"] and int(match["m"]) else ""
    letters = "".join(LETTERS[letter] for letter in match["name"])
    return f"{letters} {sign} {cardinal(match['h'])} ម៉ោង{minutes}"


def to(match: re.Match[str]) -> str:
    return "ទៅ"


def colons(match: re.Match[str]) -> str:
    """8.30 for 8:30, where a word says that it is a time."""
    return re.sub(r"(?<=\d)\.(?=\d)", ":", match.group())


_DURATIONS = (
    TextRule(
        "duration",
        re.compile(
            rf"(?<!ម៉ោង)(?<!ម៉ោង ){HEAD}(?P<h>\d{{1,2}}) ?h ?(?P<m>\d{{1,2}})"
            r"(?: ?(?:mn|mins?|m)(?![A-Za-z])|(?<=រយៈពេល \dh\d\d)|(?<=រយៈពេល\dh\d\d))"
        ),
        duration,
    ),
    TextRule(
        "time",
        re.compile(
            rf"ម៉ោង ?{_DOTTED}(?:{_BETWEEN}{_DOTTED})?"
            rf"|{HEAD}{_DOTTED}(?:{_BETWEEN}{_DOTTED})?(?= ?{_DAYTIME}(?![\u1780-\u17dd]))"  # not 12.50 យប់មិញ
        ),
        colons,
    ),
    TextRule("time", re.compile(r"(?P<name>GMT|UTC) ?(?P<sign>[+-]) ?(?P<h>\d{1,2})(?::(?P<m>\d\d))?(?!\d)"), zone),
)
_CLOCK = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:ម៉ោង ?)?{HEAD}(?<![\d:])(?P<h>\d{{1,2}})(?: ?: ?|[ៈ៖]|{_H})(?P<m>\d\d)(?::(?P<s>\d\d))?"
        rf"(?![\d:])(?! ?:)(?: ?(?:នាទី|mn(?![A-Za-z])|mins?(?![A-Za-z])))?(?: ?(?P<period>{_DAYTIME}))?",
        rf"(?:ម៉ោង ?)?{HEAD}(?<!:)(?P<h>\d{{1,2}})(?P<m>)(?P<s>) ?"
        r"(?P<period>[AaPp]\.?[Mm](?![A-Za-z])(?:(?<=\..)\.)?)",
    )
)
_SPAN = TextRule("range", re.compile(rf"(?<=[ក-៓]) ?{DASH} ?(?=ម៉ោង)"), to)


@functools.cache
def times(clock: str) -> tuple[TextRule, ...]:
    """The rules for times under a setting of `clock`: "written" or "12-hour"."""
    read: Callable[[re.Match[str]], str] = functools.partial(time, clock=clock)
    return (*_DURATIONS, *(TextRule("time", pattern, read) for pattern in _CLOCK), _SPAN)
