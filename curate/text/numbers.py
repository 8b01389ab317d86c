"""Runs of digits, dots and commas taken apart; no words of any language here."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """A number as digits: `integer` without separators, `fraction` empty where there is none."""

    integer: str
    fraction: str = ""


_COMMAS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})++(?:\.(\d++))?")
_DOTS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})++(?:,(\d++))?")
_PLAIN = re.compile(r"\d++")
_POINT = re.compile(r"(\d++)\.(\d++)")
_COMMA = re.compile(r"(\d++)[.,](\d++)")


def parse(run: str, *, dots_group: bool) -> Number | None:
    """The number that a run writes, or None where it is a list or a version.

    Commas before three digits group thousands. With `dots_group` dots do too, and a comma may be the decimal sign
    (Khmer); without it only a dot is (Korean).
    """
    if _PLAIN.fullmatch(run):
        return Number(run)
    for pattern, separator in ((_COMMAS, ","), (_DOTS, ".")):
        grouped = pattern.fullmatch(run) if separator == "," or dots_group else None
        if grouped:
            fraction = grouped[1] or ""
            whole = run[: len(run) - len(fraction) - 1] if fraction else run
            return Number(whole.replace(separator, ""), fraction)
    point = (_COMMA if dots_group else _POINT).fullmatch(run)
    return Number(point[1], point[2]) if point else None


def roman(letters: str) -> int | None:
    """The value of a Roman numeral up to 3999, or None for letters that are none."""
    if not re.fullmatch(r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})", letters) or not letters:
        return None
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}[letter] for letter in letters]
    return sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True))
