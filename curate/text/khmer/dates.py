"""Dates and times of the day in Khmer: how they are written, and how each is said.

Conventions: google/language-resources km/textnorm (day ខែ month ឆ្នាំ year; times on twelve hours with the part of the
day). Written anew from its published facts.
"""

import re

from curate.text.khmer.numbers import MINUS, NUMBER_WORD, cardinal
from curate.text.khmer.patterns import DASH, KHMER
from curate.text.khmer.tables import COUNTED, ENGLISH_MONTHS, ERAS, LETTERS, MONTH_NAMES, MONTHS, WEEKDAYS
from curate.text.rules import HEAD, TextRule, any_of

_DAYTIME = r"(ព្រឹក|រសៀល|ល្ងាច|យប់|អធ្រាត្រ|ថ្ងៃត្រង់|[AaPp]\.?[Mm](?![A-Za-z])\.?)"
_ENGLISH = any_of(ENGLISH_MONTHS)
_SLASHED = r"\d{1,4}(?:/\d{1,4}){1,2}"
_ERA = rf"(?:{any_of([*ERAS, *ERAS.values()])})\.?"
_MONTH = any_of(MONTH_NAMES)
_ALONE = rf"(?=$|[^{KHMER}]|ឆ្នាំ)"  # behind the name of a month
_SHORT = any_of(WEEKDAYS)
_WEEKDAY = any_of(WEEKDAYS.values())


def _day_month(day: str, month: str) -> str:
    return f"{cardinal(day)} ខែ{month}"


def date(match: re.Match[str]) -> str:
    short = bool(match["m2"])
    day, month, year = match["day"], match["m2" if short else "month"], match["y2" if short else "year"]
    if int(month) > 12 and not short:  # 12/25/2023, as Americans write
        day, month = month, day
    if not (1 <= int(day) <= 31 and 1 <= int(month) <= 12):
        return match.group()
    return f"{_day_month(day, MONTHS[int(month) - 1])} ឆ្នាំ{cardinal(year)}"


def english_date(match: re.Match[str]) -> str:
    """A date with the English name of a month, as one in figures; the rules for those read it."""
    day, year = int(match["d1"] or match["day"]), match["y1"] or match["year"]
    if not 1 <= day <= 31:
        return match.group()
    month = ENGLISH_MONTHS[match["m1"] or match["month"]]
    return f"{day:02}/{month:02}" + (f"/{year}" if year else "")


def named_date(match: re.Match[str]) -> str:
    """A day, a month by name or number, and perhaps a year with its era, which is said last."""
    day, month = match["day"], match["month"] or match["number"]
    first = f"{cardinal(match['from'])}ទៅ" if match["from"] else ""
    if not 1 <= int(day) <= 31 or (match["number"] and not 1 <= int(month) <= 12):
        return match.group()
    month = _month_name(month) if match["month"] else cardinal(month)
    year = match["year"] or match["y2"]
    if not year:
        return first + _day_month(day, month)
    era = match["era"]
    after = f" {ERAS.get(era.rstrip('.'), era)}" if era else match["after"] or ""
    return f"{first}{_day_month(day, month)} ឆ្នាំ{cardinal(year)}{after}"


def day_and_month(match: re.Match[str]) -> str:
    """20/7 behind the word for a day, and 20/07 anywhere: nobody writes a fraction with a zero before its parts."""
    day, month = match["day"], match["month"]
    named = match["named"] is not None or "0" in (day[0], month[0])
    if not (named and 1 <= int(day) <= 31 and 1 <= int(month) <= 12):
        return match.group()
    return _day_month(day, MONTHS[int(month) - 1])


def month_of_year(match: re.Match[str]) -> str:
    """05/2023; 1/2000 is a scale."""
    if match["year"] == "2000" and match["month"][0] != "0":
        return match.group()
    return f"ខែ{MONTHS[int(match['month']) - 1]} ឆ្នាំ{cardinal(match['year'])}"


def month_year(match: re.Match[str]) -> str:
    return f"ខែ{_month_name(match['month'])} ឆ្នាំ{cardinal(match['year'])}"


def numbered_month(match: re.Match[str]) -> str:
    if not 1 <= int(match["m"]) <= 12:
        return match.group()
    return f"{match[1]}{cardinal(match['m'])} ឆ្នាំ{cardinal(match['year'])}"


def gap(match: re.Match[str]) -> str:
    return match["gap"] or ""


def _month_name(month: str) -> str:
    at = MONTH_NAMES.index(month)
    return month if at < len(MONTHS) else MONTHS[(2, 1)[at - len(MONTHS)]]


def weekday(match: re.Match[str]) -> str:
    return f"ថ្ងៃ{WEEKDAYS[match['short']]} ទី"


def era(match: re.Match[str]) -> str:
    return ERAS[match[1]]


def time(match: re.Match[str]) -> str:
    hours, minutes, seconds = int(match["h"]), int(match["m"] or 0), int(match["s"] or 0)
    if hours > 24 or minutes > 59 or seconds > 59:
        return match.group()
    period = (match["period"] or "").replace(".", "").lower()
    parts = ["ម៉ោង" + cardinal(str(hours - 12 if hours > 12 else hours or 12))]
    parts += [cardinal(str(minutes)) + "នាទី"] if minutes else []
    parts += [cardinal(str(seconds)) + "វិនាទី"] if seconds else []
    parts += [_part_of_day(hours, period) if period in ("", "am", "pm") else match["period"]]
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


def joined_dates(match: re.Match[str]) -> str:
    """A dash between two dates or fractions: 12/05/2023-15/05/2023."""
    return match["a"] + "ទៅ"


def to(match: re.Match[str]) -> str:
    return "ទៅ"


NAMED_SPANS = (  # from one month or day of the week to another, by their names
    TextRule("range", re.compile(rf"(?P<a>{_MONTH}) ?{DASH} ?(?=(?:ខែ ?)?(?:{_MONTH}){_ALONE})"), joined_dates),
    TextRule("range", re.compile(rf"(?P<a>ថ្ងៃ ?(?:{_WEEKDAY})) ?{DASH} ?(?=(?:ថ្ងៃ ?)?(?:{_WEEKDAY}))"), joined_dates),
)
DATES = (
    TextRule(
        "date",
        re.compile(
            rf"(?<![A-Za-z])(?P<m1>{_ENGLISH})\.? (?P<d1>\d{{1,2}})(?:, ?| )(?P<y1>\d{{4}})(?![\d.,/])"
            rf"|{HEAD}(?P<day>\d{{1,2}})([ -])(?P<month>{_ENGLISH})(?![A-Za-z])"
            r"(?:\.?,?(?:\5| )(?P<year>\d{4})(?![\d.,/]))?"
        ),
        english_date,
    ),
    TextRule(
        "range",
        re.compile(rf"(?<![/-]){HEAD}(?P<a>{_SLASHED}) ?{DASH} ?(?={_SLASHED}(?![\d/]))"),
        joined_dates,
    ),
    TextRule("weekday", re.compile(rf"ថ្ងៃ ?(?P<short>{_SHORT}) ?\. ?(?:ទី ?)?(?=\d)"), weekday),
    TextRule(
        "weekday",
        re.compile(rf"(?<![{KHMER}.])(?P<short>{_SHORT}) ?\. ?(?:ទី ?)?(?=\d{{1,2}} (?:{_MONTH}|ខែ ?\d))"),
        weekday,
    ),
    TextRule(
        "date",
        re.compile(
            rf"{HEAD}(?<![/-])(?P<day>\d{{1,2}})(?:([/.-])(?P<month>\d{{1,2}})\2(?P<year>\d{{4}})"
            r"|([/-])(?P<m2>\d{1,2})\5(?P<y2>\d\d)(?! ?ខែ))(?![\d/-]|[.,]\d)"
        ),
        date,
    ),
    TextRule(
        "date",
        re.compile(rf"{HEAD}(?P<year>\d{{4}})([/.-])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}})(?P<m2>)(?![\d/-]|[.,]\d)"),
        date,
    ),
    TextRule(
        "date",
        re.compile(
            rf"{HEAD}(?<!ឆ្នាំ)(?:(?P<from>\d{{1,2}}) ?[-–] ?)?(?P<day>\d{{1,2}}) (?:(?P<month>{_MONTH}){_ALONE}|"
            rf"ខែ ?(?P<number>\d{{1,2}})(?![\d.,/:%])(?! ?ថ្ងៃ))"
            rf"(?: (?P<era>{_ERA}) ?(?P<year>\d{{2,4}})(?!\d)|"
            rf" (?P<y2>[12]\d{{3}})(?![\d.,/:-])(?P<after> (?:នៃ|មុន) ?{_ERA})?)?"
        ),
        named_date,
    ),
    TextRule(
        "date",
        re.compile(
            rf"(?P<named>(?<=ថ្ងៃ)|(?<=ថ្ងៃទី)|(?<=ថ្ងៃ )|(?<=ថ្ងៃទី ))?{HEAD}(?<!/)"
            r"(?P<day>\d{1,2})/(?P<month>\d{1,2})(?![\d/%]|[.,]\d)"
        ),
        day_and_month,
    ),
    TextRule(
        "date",
        re.compile(
            rf"{HEAD}(?<!/)(?<!លេខ)(?<!លេខ )(?<!ខែ)(?<!ខែ )"
            r"(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)(?![\d/%]|[.,]\d)"
        ),
        month_of_year,
    ),
    TextRule("date", re.compile(rf"(?:ខែ ?)?(?P<month>{_MONTH}) (?P<year>[12]\d{{3}})(?![\d.,/:-])"), month_year),
    TextRule("date", re.compile(r"(?<=ខែ)( ?)(?P<m>\d{1,2})(?: |/)(?P<year>[12]\d{3})(?![\d.,/:-])"), numbered_month),
    TextRule("zero", re.compile(r"(?<=ទី)(?P<gap> ?)0(?=[1-9](?![\d.,]))|(?<=ខែ) ?0(?=[1-9](?![\d.,]))"), gap),
    TextRule(
        "zero",
        re.compile(
            rf"{HEAD}(?<![:ៈ៖h])(?<!លេខ)(?<!លេខ )(?P<gap>)0(?=[1-9] ?(?:{any_of(COUNTED)})(?![\u17b6-\u17d3]|ទី))"
        ),
        gap,
    ),
    TextRule(
        "range",
        re.compile(
            rf"(?P<a>ខែ(?:{_MONTH})(?: ឆ្នាំ(?:{NUMBER_WORD})++)?) ?{DASH} ?"
            rf"(?=(?:{NUMBER_WORD})++ ខែ(?:{_MONTH}){_ALONE})"
        ),
        joined_dates,
    ),
    TextRule("era", re.compile(rf"(?<![{KHMER}.])({any_of(ERAS)})\.?(?![{KHMER}])"), era),
)
TIMES = (
    TextRule(
        "duration",
        re.compile(
            rf"(?<!ម៉ោង)(?<!ម៉ោង ){HEAD}(?P<h>\d{{1,2}}) ?h ?(?P<m>\d{{1,2}})"
            r"(?: ?(?:mn|mins?|m)(?![A-Za-z])|(?<=រយៈពេល \dh\d\d)|(?<=រយៈពេល\dh\d\d))"
        ),
        duration,
    ),
    TextRule("time", re.compile(r"(?P<name>GMT|UTC) ?(?P<sign>[+-]) ?(?P<h>\d{1,2})(?::(?P<m>\d\d))?(?!\d)"), zone),
    TextRule(
        "time",
        re.compile(
            rf"(?:ម៉ោង ?)?{HEAD}(?<![\d:])(?P<h>\d{{1,2}})(?: ?: ?|[ៈ៖]| ?[hH])(?P<m>\d\d)(?::(?P<s>\d\d))?"
            rf"(?![\d:])(?! ?:)(?: ?(?:នាទី|mn(?![A-Za-z])|mins?(?![A-Za-z])))?(?: ?(?P<period>{_DAYTIME}))?"
        ),
        time,
    ),
    TextRule(
        "time",
        re.compile(
            rf"ម៉ោង ?(?P<h>\d{{1,2}})\.(?P<m>[0-5]\d)(?P<s>)(?= ?(?:នាទី|{_DAYTIME}))"
            rf"(?: ?នាទី)?(?: ?(?P<period>{_DAYTIME}))?"
        ),
        time,
    ),
    TextRule(
        "time",
        re.compile(
            rf"(?:ម៉ោង ?)?{HEAD}(?<!:)(?P<h>\d{{1,2}})(?P<m>)(?P<s>) ?"
            r"(?P<period>[AaPp]\.?[Mm](?![A-Za-z])(?:(?<=\..)\.)?)"
        ),
        time,
    ),
    TextRule("range", re.compile(rf"(?<=[ក-៓]) ?{DASH} ?(?=ម៉ោង)"), to),
)
