"""How each written form is said in Khmer: a match of a rule in, the words out.

Conventions: google/language-resources km/textnorm (dates day ខែ month ឆ្នាំ year; times on twelve hours with the part of
the day; telephone numbers by groups; money by its units and hundredths). Written anew from its published facts.
"""

import re
import unicodedata

from curate.text.khmer.amounts import MINUS
from curate.text.khmer.numbers import cardinal, one_by_one, read
from curate.text.khmer.tables import (
    ABBREVIATIONS,
    COUNTED,
    ENGLISH_MONTHS,
    ERAS,
    KEYS,
    LEAP_MONTHS,
    LETTERS,
    LUNAR,
    MONTH_NAMES,
    MONTHS,
    SYMBOLS,
    WEEKDAYS,
)
from curate.text.numbers import parse, roman
from curate.text.rules import any_of

_KHMER_DIGITS = {ord("០") + value: str(value) for value in range(10)}
_POWERS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_WORD_BEFORE, _WORD_AFTER = re.compile("[\u1780-\u17d3] $"), re.compile(" [\u1780-\u17b3]")
_COUNTED = re.compile(f" ?(?:{any_of(COUNTED)})(?![\u17b6-\u17d3])")
_LISTED = re.compile("(?:លេខ|ទី|ផ្លូវ|កូដ) ?$")
_SCORE = re.compile("ឈ្នះ|ចាញ់|ស្មើ|លទ្ធផល|ប្រកួត|យកឈ្នះ|គ្រាប់")


def digits(match: re.Match[str]) -> str:
    return match.group().translate(_KHMER_DIGITS)


def compatible(match: re.Match[str]) -> str:
    """Signs that stand for several plain ones: ① ½ ㎏ Ⅳ."""
    return unicodedata.normalize("NFKC", match.group()).replace("\u2044", "/")


def mixed(match: re.Match[str]) -> str:
    """A fraction sign behind a whole number: 16⅗ is 16 3/5."""
    return " " + unicodedata.normalize("NFKC", match["sign"]).replace("\u2044", "/")


def power(match: re.Match[str]) -> str:
    """A raised number: two is ការេ, three is គូប, others ស្វ័យគុណ."""
    raised = "".join(_POWERS.get(character, character) for character in match["power"]).lstrip("^")
    if raised in ("2", "3"):
        return SYMBOLS["²" if raised == "2" else "³"]
    minus = MINUS if raised.startswith(("-", "−")) else ""
    return "ស្វ័យគុណ" + minus + cardinal(raised.lstrip("-−"))


def lunar(match: re.Match[str]) -> str:
    """A sign for a lunar day: its number, waxing or waning; the two zeros name the doubled month of a leap year."""
    sign = match.group()
    waning, day = divmod(ord(sign) - 0x19E0, 16)
    return LEAP_MONTHS.get(sign) or cardinal(str(day)) + LUNAR[waning]


def era(match: re.Match[str]) -> str:
    return ERAS[match[1]]


def abbreviation(match: re.Match[str]) -> str:
    letters = match.group().strip(".")
    return ABBREVIATIONS.get(letters) or ERAS.get(letters) or " ".join(letters.split("."))


def and_so_on(match: re.Match[str]) -> str:
    return "និងអ្វីអ្វីផ្សេងទៀត"


def for_example(match: re.Match[str]) -> str:
    return "ឧទាហរណ៍"


def spaced_number(match: re.Match[str]) -> str:
    """Groups of three digits with spaces between them are one number; one group only where that is sure."""
    groups = match.group().split(" ")
    listed = _LISTED.search(match.string, max(0, match.start() - 8), match.start())
    counts = not listed and _COUNTED.match(match.string, match.end())
    one = len(groups) > 2 or groups[1].endswith("00") or groups[1].startswith("0") or counts
    return "".join(groups) if one else match.group()


def ordinal(match: re.Match[str]) -> str:
    return "ទី" + cardinal(match["n"].replace(",", ""))


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


def time(match: re.Match[str]) -> str:
    hours, minutes, seconds = int(match["h"]), int(match["m"] or 0), int(match["s"] or 0)
    if hours > 24 or minutes > 59 or seconds > 59:
        return match.group()
    said = (match["period"] or "").replace(".", "").lower()
    parts = ["ម៉ោង" + cardinal(str(hours - 12 if hours > 12 else hours or 12))]
    parts += [cardinal(str(minutes)) + "នាទី"] if minutes else []
    parts += [cardinal(str(seconds)) + "វិនាទី"] if seconds else []
    parts += [_part_of_day(hours, said) if said in ("", "am", "pm") else match["period"]]
    return " ".join(part for part in parts if part)


def _part_of_day(hours: int, said: str) -> str:
    """The word for the part of the day; none in the morning unless AM is written."""
    if said:
        hours = hours % 12 + (12 if said == "pm" else 0)
        if 0 < hours < 12:
            return "ព្រឹក"
    if hours in (0, 24):
        return "អធ្រាត្រ"
    if hours <= 12:
        return "ថ្ងៃត្រង់" if said else ""
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


def span(match: re.Match[str]) -> str:
    """Two numbers with a dash: from to where the second is more, a score or a subtraction where it is less."""
    first, last = (parse(match[name], dots_group=True) for name in ("a", "b"))
    if first is None or last is None or len(first.integer) > 15 or len(last.integer) > 15:
        return match.group()
    sign, unit = match["sign"] or "", match["unit"] or ""
    low, high = float(f"{first.integer}.{first.fraction}"), float(f"{last.integer}.{last.fraction}")
    behind = match.string[match.end() : match.end() + 3]
    if "=" in behind:
        return match["a"] + MINUS + match["b"]
    score = not unit and not sign and _SCORE.search(match.string, max(0, match.start() - 25), match.start())
    short_year = len(first.integer) == 4 and len(last.integer) == 2
    hours = match.string.endswith(("ម៉ោង", "ម៉ោង "), 0, match.start())  # ម៉ោង 8-5
    if not score and (low < high or short_year or hours):
        return f"{read(match['a'])}{unit}ទៅ{match['b']}{unit}{sign}"
    teams = _WORD_BEFORE.search(match.string, max(0, match.start() - 2), match.start()) and _WORD_AFTER.match(behind)
    between = MINUS if " " in match.group() and not score and not teams else "ទល់"
    return f"{read(match['a'])}{between}{match['b']}" if not unit and not sign else match.group()


def joined_span(match: re.Match[str]) -> str:
    """A dash between two numbers that both have their unit."""
    return (match["a"] or match["b"]) + "ទៅ"


def joined_dates(match: re.Match[str]) -> str:
    """A dash between two dates or fractions: 12/05/2023-15/05/2023."""
    return match["a"] + "ទៅ"


def to(match: re.Match[str]) -> str:
    return "ទៅ"


def fraction(match: re.Match[str]) -> str:
    whole = f"{cardinal(match['whole'])} " if match["whole"] else ""
    above, below = (parse(match[name], dots_group=True) for name in ("above", "below"))
    if above is None or below is None or above.fraction or below.fraction:
        return match.group()
    return (MINUS if match["minus"] else "") + f"{whole}{cardinal(above.integer)}លើ{cardinal(below.integer)}"


def against(match: re.Match[str]) -> str:
    return "ទល់"


def roman_number(match: re.Match[str]) -> str:
    value = roman(match["roman"])
    return match.group() if value is None else match["before"] + cardinal(str(value))


def roman_range(match: re.Match[str]) -> str:
    """Two Roman numerals with a dash, rising: XII-XIII. Single letters only behind a word for what is numbered."""
    first, last = roman(match["roman"]), roman(match["to"])
    sure = match["before"] or len(match["roman"]) + len(match["to"]) > 2
    if first is None or last is None or first >= last or not sure:
        return match.group()
    return f"{match['before']}{cardinal(str(first))}ទៅ{match['last']}{cardinal(str(last))}"


def roman_sign(match: re.Match[str]) -> str:
    """Roman numerals that are signs of their own: Ⅳ."""
    value = roman(unicodedata.normalize("NFKC", match.group()).upper())
    return match.group() if value is None else cardinal(str(value))


def number(match: re.Match[str]) -> str:
    return (MINUS if match["minus"] else "") + read(match["n"])


def screen(match: re.Match[str]) -> str:
    """The lines of a screen by twos: 1080p is ten eighty."""
    return f"{cardinal(match[1])}{cardinal(match[2])} {LETTERS[match['scan'].upper()]}"


def named_number(match: re.Match[str]) -> str:
    return match["name"] + one_by_one(match["n"])


def post_box(match: re.Match[str]) -> str:
    return "ប្រអប់សំបុត្រ"


def key(match: re.Match[str]) -> str:
    return match["named"] + KEYS[match["key"]]


def street(match: re.Match[str]) -> str:
    return "ផ្លូវលេខ "


def number_sign(match: re.Match[str]) -> str:
    return "លេខ"


def about(match: re.Match[str]) -> str:
    return "ប្រហែល"


def compared(match: re.Match[str]) -> str:
    return match.group().replace("<", "តូចជាង").replace(">", "ធំជាង")


def symbol(match: re.Match[str]) -> str:
    """A sign, or two alike; more of them in a row are a line drawn, not read."""
    run = match.group()
    return SYMBOLS[run[0]] * len(run) if len(run) <= 2 else run
