"""Letters that stand for something in Khmer text: cells of a table, variables, chemical formulas.

A letter by itself is said by its name, small or capital. Letters in a row are said so only beside a sign of
arithmetic (ax + b = 0, E = mc²); elsewhere they are a word, and words are `curate.text.khmer.latin`'s.
"""

import re
import unicodedata

from curate.text.khmer.latin import spelled
from curate.text.khmer.tables import LETTERS, LOANS, MONEY, SPELLED, SYMBOLS, UNITS
from curate.text.rules import TextRule

_CELL = r"\$?[A-Z]{1,3}\$?\d{1,5}(?![A-Za-z\d])"
_OPERATORS = "=+×÷<>≤≥≠²³^⁰¹⁴⁵⁶⁷⁸⁹⁻−√≈±"
_POWERS = ("²", "³", "2", "3")
_NEAR = 30  # letters in which an equation has its sign
_SHEET = re.compile(r"(?:ក្រឡា|[:=(,]) ?$")


def to(match: re.Match[str]) -> str:
    return match[1] + "ទៅ"


def absolute(match: re.Match[str]) -> str:
    """$A$1: a cell that does not move, its signs said in order. A$5 is money unless a table is near."""
    column, row = match["column"] or match["lone"], match["row"] or match["line"]
    if match["lone"] and f"{column}$" in MONEY:
        near = _SHEET.search(match.string, max(0, match.start() - 8), match.start())
        if not near and match.string[match.end() : match.end() + 1] != ":":
            return match.group()
    dollar = SYMBOLS["$"]
    first = f"{dollar} " if match["column"] else ""
    second = f" {dollar} " if match["fixed"] or match["lone"] else ""
    return f"{first}{spelled(column)}{second}{row}"


def subscript(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", match.group())


def variable(match: re.Match[str]) -> str:
    """One letter or two beside a sign of arithmetic; a unit with its power is a unit: m²."""
    letters, text = match["letters"], match.string
    after, before = text[match.end() : match.end() + 2].lstrip()[:1], text[max(0, match.start() - 2) : match.start()]
    if after in _POWERS and letters in UNITS and letters + after in UNITS:
        return UNITS[letters]
    if letters.lower() in LOANS or letters.lower() in SPELLED:
        return match.group()
    beside = (after and after in _OPERATORS) or before.rstrip()[-1:] in (*_OPERATORS, "")[:-1]
    return spelled(letters) if beside else match.group()


def times_or_variable(match: re.Match[str]) -> str:
    """2x is twice, and two of x in an equation."""
    text = match.string
    after = text[match.end() : match.end() + 2].lstrip()[:1]
    before = text[max(0, match.start() - 20) : match.start()].rstrip("0123456789.,").rstrip()[-1:]
    minus = text.startswith(" ដក ", match.end()) or (
        after in ("-", "–") and "=" in text[match.end() : match.end() + _NEAR]
    )
    in_equation = (after and after in _OPERATORS) or (before and before in "=+") or minus
    return LETTERS["X"] if in_equation else "ដង"


def multiplied(match: re.Match[str]) -> str:
    """The last term of 2a + 3b, whose number is read later; 3m is a measure."""
    return match.group() if match["letter"] in UNITS else f"{match['n']}{spelled(match['letter'])}"


def minus(match: re.Match[str]) -> str:
    """A dash behind a variable, in an equation: x - 3 = 0."""
    text, start, end = match.string, match.start(), match.end()
    return " ដក " if "=" in text[max(0, start - _NEAR) : start] + text[end : end + _NEAR] else match.group()


def sharp(match: re.Match[str]) -> str:
    """Languages of programmers: C#."""
    return f"{LETTERS[match[1]]} សាប"


CELLS = (
    TextRule(
        "variable",
        re.compile(r"(?:(?<=[=+×÷−])|(?<=[=+×÷−] ))(?P<n>\d{1,4})(?P<letter>[a-wyz])(?![A-Za-z\d_])"),
        multiplied,
    ),
    TextRule("minus", re.compile(r"(?<=(?<![A-Za-z])[A-Za-z]|[²³)]) [-–] (?=[A-Za-z\d(])"), minus),
    TextRule("cell", re.compile(rf"(?<![A-Za-z\d$])(\$?[A-Z]{{1,3}}\$?\d{{1,5}}):(?={_CELL})"), to),
    TextRule(
        "cell",
        re.compile(
            r"(?<![A-Za-z\d$])(?:\$(?P<column>[A-Z]{1,3})(?P<fixed>\$?)(?P<row>\d{1,5})"
            r"|(?P<lone>[A-Z]{1,3})\$(?P<line>\d{1,5}))(?![A-Za-z\d$]|[.,]\d)"
        ),
        absolute,
    ),
)
SUBSCRIPTS = (TextRule("formula", re.compile(r"(?<=[A-Za-z)\]])[₀-₉]{1,9}"), subscript),)
VARIABLES = (
    TextRule("letters", re.compile(r"(?<![A-Za-z\d])([CFJ])#(?![A-Za-z\d])"), sharp),
    TextRule(
        "compared",
        re.compile(r"(?<=(?<![A-Za-z<>])[A-Za-z]) ?[<>] ?(?=[A-Za-z](?![A-Za-z]))"),
        lambda match: match.group().replace("<", "តូចជាង").replace(">", "ធំជាង"),
    ),
    TextRule(
        "variable",
        re.compile(r"(?<![A-Za-z_@./'’:&-])(?P<letters>[A-Za-z]{1,2})(?![A-Za-z_@'’/:&-]|\.[A-Za-z])"),
        variable,
    ),
)
