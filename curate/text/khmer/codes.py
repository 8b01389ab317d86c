"""Telephone numbers and codes in Khmer.

Conventions: google/language-resources km/textnorm (telephone numbers by groups). Written anew from its published facts.
"""

import re

from curate.text.khmer.numbers import cardinal, one_by_one, with_zeros
from curate.text.khmer.tables import KEYS
from curate.text.rules import HEAD, TextRule


def telephone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match.group())
    plus = match.group().startswith("+")
    if not (8 <= sum(map(len, groups)) <= 13 if plus else 9 <= sum(map(len, groups)) <= 10):
        return match.group()
    if plus and len(groups) == 1:
        return "បូក " + one_by_one(groups[0])
    if plus:
        return "បូក " + " ".join([cardinal(groups[0]), *map(_group, groups[1:])])
    if len(groups[0]) > 3:  # the network's number is three digits
        groups = [groups[0][:3], groups[0][3:], *groups[1:]]
    return " ".join(map(_group, groups))


def _group(digits: str) -> str:
    return with_zeros(digits) if 2 <= len(digits) <= 4 else one_by_one(digits)


def code(match: re.Match[str]) -> str:
    """A code in brackets: (023) 456 789, +855 (0)12 345 678."""
    plus = "+" if match["code"] == "855" else ""
    return f"{plus}{match['code'] or ''} "


def star_code(match: re.Match[str]) -> str:
    """A code typed on a telephone: *123#."""
    return " ".join(KEYS.get(each) or cardinal(each) for each in match.group())


def either(match: re.Match[str]) -> str:
    """016/017 555 666: one of two prefixes."""
    return with_zeros(match["n"]) + " ឬ "


CODES = (
    TextRule("telephone", re.compile(r"\*\d{2,4}(?:\*\d{1,6}){0,3}#"), star_code),
    TextRule("telephone", re.compile(r"(?<=\d) ?\(0\) ?(?=\d)|\((?P<code>\+\d{1,3}|0\d{1,2}|855)\) ?(?=\d)"), code),
    TextRule(
        "telephone",
        re.compile(rf"{HEAD}(?<!/)(?P<n>0\d{{2}}) ?/ ?(?=0\d{{2}}(?: ?/ ?0\d{{2}})* ?\d{{3}})"),
        either,
    ),
    TextRule("telephone", re.compile(r"(?<![\d.,])\+\d{1,13}(?:[ .-]?\d{1,9}){0,5}+(?!\d)"), telephone),
    TextRule(
        "telephone",
        re.compile(rf"{HEAD}0\d{{1,3}}(?:(?:[ .-]\d{{1,4}}){{2,4}}+|[ .-]\d{{6,7}})(?!\d)|{HEAD}0\d{{8,9}}(?!\d)"),
        telephone,
    ),
    TextRule("telephone", re.compile(rf"{HEAD}\d{{3}}([ -])\d{{3}}\1\d{{4}}(?!\d)"), telephone),
)
