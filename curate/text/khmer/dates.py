"""Dates in Khmer: how they are written, and how each is said.

Conventions: google/language-resources km/textnorm (day ខែ month ឆ្នាំ year), written anew from its published facts, but
nothing is added to a date that names its month: 5 ឧសភា 2023 has no ខែ and no ឆ្នាំ unless they are written. Between
figures they are how the separator is said: 5/5/2023. `date_words` says where: "figures" (so), "always" (as the grammar
has it), or "never".
"""

import functools
import re
from collections.abc import Callable

from curate.text.khmer.numbers import NUMBER_WORD, cardinal
from curate.text.khmer.patterns import DASH, KHMER
from curate.text.khmer.tables import COUNTED, ENGLISH_MONTHS, ERAS, MONTH_NAMES, MONTHS, WEEKDAYS
from curate.text.rules import HEAD, TextRule, any_of

_ENGLISH = any_of(ENGLISH_MONTHS)
_SLASHED = r"\d{1,4}(?:/\d{1,4}){1,2}"
_ERA = rf"(?:{any_of([*ERAS, *ERAS.values()])})\.?"
_MONTH = any_of(MONTH_NAMES)
_ALONE = rf"(?=$|[^{KHMER}]|ឆ្នាំ)"  # behind the name of a month
_SHORT = any_of(WEEKDAYS)
_WEEKDAY = any_of(WEEKDAYS.values())


def _said(day: str, month: str, year: str | None, *, words: bool, month_word: bool = False) -> str:
    """Day, month and perhaps year, with ខែ and ឆ្នាំ or without."""
    parts = [cardinal(day) if day else "", ("ខែ" if words or month_word else "") + month]
    parts += [("ឆ្នាំ" if words else "") + cardinal(year)] if year else []
    return " ".join(part for part in parts if part)


def date(match: re.Match[str], *, words: bool) -> str:
    short = bool(match["m2"])
    day, month, year = match["day"], match["m2" if short else "month"], match["y2" if short else "year"]
    if int(month) > 12 and not short:  # 12/25/2023, as Americans write
        day, month = month, day
    if not (1 <= int(day) <= 31 and 1 <= int(month) <= 12):
        return match.group()
    return _said(day, MONTHS[int(month) - 1], year, words=words)


def english_date(match: re.Match[str]) -> str:
    """A date with the English name of a month, as one with the Khmer name; the rules for those read it."""
    day, year = int(match["d1"] or match["day"]), match["y1"] or match["year"]
    if not 1 <= day <= 31:
        return match.group()
    month = MONTHS[ENGLISH_MONTHS[match["m1"] or match["month"]] - 1]
    return f"{day} {month}" + (f" {year}" if year else "")


def named_date(match: re.Match[str], *, words: bool) -> str:
    """A day, a month by name or number, and perhaps a year with its era, which is said last where ឆ្នាំ is said."""
    day, month = match["day"], match["month"] or match["number"]
    first = f"{cardinal(match['from'])}ទៅ" if match["from"] else ""
    if not 1 <= int(day) <= 31 or (match["number"] and not 1 <= int(month) <= 12):
        return match.group()
    month = _month_name(month) if match["month"] else cardinal(month)
    said = functools.partial(_said, words=words, month_word=bool(match["number"]))
    year, era = match["year"] or match["y2"], match["era"]
    if not era:
        return first + said(day, month, year) + (match["after"] or "")
    era = ERAS.get(era.rstrip("."), era)
    return (
        f"{first}{said(day, month, year)} {era}" if words else f"{first}{said(day, month, None)} {era} {cardinal(year)}"
    )


def day_and_month(match: re.Match[str], *, words: bool) -> str:
    """20/7 behind the word for a day, and 20/07 anywhere: nobody writes a fraction with a zero before its parts."""
    day, month = match["day"], match["month"]
    named = match["named"] is not None or "0" in (day[0], month[0])
    if not (named and 1 <= int(day) <= 31 and 1 <= int(month) <= 12):
        return match.group()
    return _said(day, MONTHS[int(month) - 1], None, words=words)


def month_of_year(match: re.Match[str], *, words: bool) -> str:
    """05/2023; 1/2000 is a scale."""
    if match["year"] == "2000" and match["month"][0] != "0":
        return match.group()
    return _said("", MONTHS[int(match["month"]) - 1], match["year"], words=words)


def month_year(match: re.Match[str], *, words: bool) -> str:
    month = _said("", _month_name(match["month"]), match["year"], words=words)
    return month if words else (match["written"] or "") + month


def numbered_month(match: re.Match[str], *, words: bool, between: bool) -> str:
    """ខែ 7 2023 and ខែ 7/2023: `between` for what stands in place of the slash."""
    if not 1 <= int(match["m"]) <= 12:
        return match.group()
    word = "ឆ្នាំ" if (between if match["sign"] == "/" else words) else ""
    return f"{match[1]}{cardinal(match['m'])} {word}{cardinal(match['year'])}"


def gap(match: re.Match[str]) -> str:
    return match["gap"] or ""


def _month_name(month: str) -> str:
    at = MONTH_NAMES.index(month)
    return month if at < len(MONTHS) else MONTHS[(2, 1)[at - len(MONTHS)]]


def weekday(match: re.Match[str]) -> str:
    return f"ថ្ងៃ{WEEKDAYS[match['short']]} ទី"


def era(match: re.Match[str]) -> str:
    return ERAS[match[1]]


def joined_dates(match: re.Match[str]) -> str:
    """A dash between two dates or fractions: 12/05/2023-15/05/2023."""
    return match["a"] + "ទៅ"


NAMED_SPANS = (  # from one month or day of the week to another, by their names
    TextRule("range", re.compile(rf"(?P<a>{_MONTH}) ?{DASH} ?(?=(?:ខែ ?)?(?:{_MONTH}){_ALONE})"), joined_dates),
    TextRule("range", re.compile(rf"(?P<a>ថ្ងៃ ?(?:{_WEEKDAY})) ?{DASH} ?(?=(?:ថ្ងៃ ?)?(?:{_WEEKDAY}))"), joined_dates),
)
_DAY_FIRST = re.compile(
    rf"{HEAD}(?<![/-])(?P<day>\d{{1,2}})(?:([/.-])(?P<month>\d{{1,2}})\2(?P<year>\d{{4}})"
    r"|([/-])(?P<m2>\d{1,2})\5(?P<y2>\d\d)(?! ?ខែ))(?![\d/-]|[.,]\d)"
)
_YEAR_FIRST = re.compile(
    rf"{HEAD}(?P<year>\d{{4}})([/.-])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}})(?P<m2>)(?![\d/-]|[.,]\d)"
)
_NAMED = re.compile(
    rf"{HEAD}(?<!ឆ្នាំ)(?:(?P<from>\d{{1,2}}) ?[-–] ?)?(?P<day>\d{{1,2}}) (?:(?P<month>{_MONTH}){_ALONE}|"
    rf"ខែ ?(?P<number>\d{{1,2}})(?![\d.,/:%])(?! ?ថ្ងៃ))"
    rf"(?: (?P<era>{_ERA}) ?(?P<year>\d{{2,4}})(?!\d)|"
    rf" (?P<y2>[12]\d{{3}})(?![\d.,/:-])(?P<after> (?:នៃ|មុន) ?{_ERA})?)?"
)
_DAY_MONTH = re.compile(
    rf"(?P<named>(?<=ថ្ងៃ)|(?<=ថ្ងៃទី)|(?<=ថ្ងៃ )|(?<=ថ្ងៃទី ))?{HEAD}(?<!/)"
    r"(?P<day>\d{1,2})/(?P<month>\d{1,2})(?![\d/%]|[.,]\d)"
)
_MONTH_YEAR = re.compile(
    rf"{HEAD}(?<!/)(?<!លេខ)(?<!លេខ )(?<!ខែ)(?<!ខែ )"
    r"(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)(?![\d/%]|[.,]\d)"
)
_NAMED_YEAR = re.compile(rf"(?P<written>ខែ ?)?(?P<month>{_MONTH}) (?P<year>[12]\d{{3}})(?![\d.,/:-])")
_NUMBERED = re.compile(r"(?<=ខែ)( ?)(?P<m>\d{1,2})(?P<sign>[ /])(?P<year>[12]\d{3})(?![\d.,/:-])")
_FIRST = (
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
)
_LAST = (
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
            rf"(?P<a>(?:{_MONTH})(?: (?:ឆ្នាំ)?(?:{NUMBER_WORD})++)?) ?{DASH} ?"
            rf"(?=(?:{NUMBER_WORD})++ (?:ខែ)?(?:{_MONTH}){_ALONE})"
        ),
        joined_dates,
    ),
    TextRule("era", re.compile(rf"(?<![{KHMER}.])({any_of(ERAS)})\.?(?![{KHMER}])"), era),
)


@functools.cache
def dates(date_words: str) -> tuple[TextRule, ...]:
    """The rules for dates under a setting of `date_words`: "figures", "always" or "never"."""
    figures, named = date_words != "never", date_words == "always"
    readers: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
        (_DAY_FIRST, functools.partial(date, words=figures)),
        (_YEAR_FIRST, functools.partial(date, words=figures)),
        (_NAMED, functools.partial(named_date, words=named)),
        (_DAY_MONTH, functools.partial(day_and_month, words=figures)),
        (_MONTH_YEAR, functools.partial(month_of_year, words=figures)),
        (_NAMED_YEAR, functools.partial(month_year, words=named)),
        (_NUMBERED, functools.partial(numbered_month, words=named, between=figures)),
    )
    return (*_FIRST, *(TextRule("date", pattern, read) for pattern, read in readers), *_LAST)
