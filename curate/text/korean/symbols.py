"""Names, Roman numerals, abbreviations and signs in Korean: a match of a rule in, the words out."""

import re
import unicodedata

from curate.text.korean import hangul, latin
from curate.text.korean.names import NAMES, SYMBOLS
from curate.text.korean.numbers import read, sino
from curate.text.korean.particles import with_particle
from curate.text.korean.tables import UNITS
from curate.text.numbers import roman


def compatible(match: re.Match[str]) -> str:
    """Circled, squared and Roman characters as the plain ones that they stand for."""
    value = unicodedata.numeric(match.group(), None)
    around = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 1]
    if value is not None and value == int(value):
        circled = not "\u3200" <= match.group() <= "\u33ff"  # a label: ①번 is 일 번, not 한 번
        return (
            sino(str(int(value))) + " " * (re.match("[가-힣]", around[1]) is not None) if circled else str(int(value))
        )
    unit = unicodedata.normalize("NFKC", match.group())
    if "\u3371" <= match.group() <= "\u33df" and unit in UNITS and not _counted(match):
        return UNITS[unit]
    if match.group() == "№" and around[1][:1] in " 0123456789":
        return "No."
    plain = unicodedata.normalize("NFKC", match.group()).replace("\u2044", "/").replace("\u2215", "/")
    if "/" in plain and value is not None and around[1].isnumeric():  # ½½ are two
        plain += " "
    plain = "".join(hangul.LETTERS.get(letter, letter) for letter in plain)
    return f"과{plain}" if value is not None and around[0].isdigit() else plain


def _counted(match: re.Match[str]) -> bool:
    """Whether a number stands before the match, where a unit is read with it."""
    return bool(re.search(r"[\d/A-Za-z] ?$", match.string[max(0, match.start() - 2) : match.start()]))


def roman_numeral(match: re.Match[str]) -> str:
    """The number that a Roman numeral labels; letters that are more often something else need a place."""
    letters, value = match["r"], roman(match["r"])
    placed = match["ordinal"] or match["counter"]
    if value is None or (not placed and (len(letters) < 2 or letters in ("IV", "XX", "XXX", "VI", "XI", "VV"))):
        return match.group()
    counter = f" {match['counter'].strip()}" if match["counter"] else ""
    return f"{match['ordinal'] or ''}{sino(str(value))}{counter}"


def inner(match: re.Match[str]) -> str:
    return match[1]


def apart(match: re.Match[str]) -> str:
    """What it matches, with a space behind it."""
    return f"{match[1]} "


def nothing(match: re.Match[str]) -> str:
    return ""


def name(match: re.Match[str]) -> str:
    return NAMES[match["name"]]


def rhesus(match: re.Match[str]) -> str:
    """Rh- and Rh+ of blood."""
    return f"알에이치 {'플러스' if match['sign'] == '+' else '마이너스'}"


def grade(match: re.Match[str]) -> str:
    """A- of a school."""
    return f"{latin.letters(match['letter'])} 마이너스"


def model(match: re.Match[str]) -> str:
    number, letters = read(match["n"]), latin.read(match["word"])
    if (letters[-1:], match["n"]) == ("씨", "8"):  # 씨팔 would swear
        number = "에이트"
    together = len(match["n"]) == 1 and len(match["word"]) == 1 and "-" not in match.group()
    return letters + ("" if together else " ") + number


def word(match: re.Match[str]) -> str:
    """A word of Latin letters; `a` is the letter but for an English word behind it."""
    if match["word"] == "a" and re.match(" [A-Za-z]{2}", match.string[match.end() : match.end() + 3]):
        return "어"
    return latin.read(match["word"])


def symbol(match: re.Match[str]) -> str:
    """A sign and its particle; behind a sign that stands before numbers 이 is the two of √2 or ±2%."""
    if match["p"] == "이" and SYMBOLS[match["sign"]].endswith(" ") and match["sign"] not in _ENDING:
        return f"{SYMBOLS[match['sign']]}이"
    return _fitted_sign(match)


def _sign(match: re.Match[str]) -> str:
    reading = SYMBOLS[match["sign"]]
    return reading.rstrip() if match["p"] else reading


_ENDING = "=#"  # 이퀄이, 샵이 are said of the signs themselves
_fitted_sign = with_particle(_sign)


def seat(match: re.Match[str]) -> str:
    """12A석: a number and a letter of a seat, a gate or a block, no unit."""
    return f"{sino(match[1])} {latin.letters(match[2])}"
