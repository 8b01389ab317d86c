"""Abbreviations, Roman numerals and signs in Khmer: a match of a rule in, the words out."""

import re
import unicodedata

from curate.text.khmer.numbers import cardinal, one_by_one
from curate.text.khmer.tables import (
    ABBREVIATIONS,
    ERAS,
    KEYS,
    LEAP_MONTHS,
    LETTERS,
    LUNAR,
    SYMBOLS,
)
from curate.text.numbers import roman

_KHMER_DIGITS = {ord("០") + value: str(value) for value in range(10)}


def digits(match: re.Match[str]) -> str:
    return match.group().translate(_KHMER_DIGITS)


def compatible(match: re.Match[str]) -> str:
    """Signs that stand for several plain ones: ① ½ ㎏ Ⅳ."""
    return unicodedata.normalize("NFKC", match.group()).replace("\u2044", "/")


def lunar(match: re.Match[str]) -> str:
    """A sign for a lunar day: its number, waxing or waning; the two zeros name the doubled month of a leap year."""
    sign = match.group()
    waning, day = divmod(ord(sign) - 0x19E0, 16)
    return LEAP_MONTHS.get(sign) or cardinal(str(day)) + LUNAR[waning]


def abbreviation(match: re.Match[str]) -> str:
    letters = match.group().strip(". ")
    return ABBREVIATIONS.get(letters) or ERAS.get(letters) or " ".join(letters.split("."))


def and_so_on(match: re.Match[str]) -> str:
    return "និងអ្វីអ្វីផ្សេងទៀត"


def for_example(match: re.Match[str]) -> str:
    return "ឧទាហរណ៍"


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


def roman_list(match: re.Match[str]) -> str:
    """I, II and III: rising; where no word says that they are numbers, one of them has more letters than one."""
    numerals = re.findall("[IVX]+", match["list"])
    values = [roman(each) or 0 for each in numerals]
    sure = match["before"] or any(len(each) > 1 for each in numerals)
    if not sure or 0 in values or values != sorted(set(values)):
        return match.group()
    return match["before"] + re.sub("[IVX]+", lambda each: cardinal(str(roman(each.group()))), match["list"])


def roman_sign(match: re.Match[str]) -> str:
    """Roman numerals that are signs of their own: Ⅳ."""
    value = roman(unicodedata.normalize("NFKC", match.group()).upper())
    return match.group() if value is None else cardinal(str(value))


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


def symbol(match: re.Match[str]) -> str:
    """A sign, or two alike; more of them in a row are a line drawn, not read."""
    run = match.group()
    return SYMBOLS[run[0]] * len(run) if len(run) <= 2 else run
