"""What stands between two numbers in Khmer: ranges, scores, comparisons."""

import re

from curate.text.khmer.numbers import MINUS, read
from curate.text.khmer.patterns import CURRENCY, DASH, MONEY_WORD, UNIT
from curate.text.numbers import parse
from curate.text.rules import NUMBER, TextRule

_WORD_BEFORE, _WORD_AFTER = re.compile("[\u1780-\u17d3] $"), re.compile(" [\u1780-\u17b3]")
_SCORE = re.compile("ឈ្នះ|ចាញ់|ស្មើ|លទ្ធផល|ប្រកួត|យកឈ្នះ|គ្រាប់")


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


def against(match: re.Match[str]) -> str:
    return "ទល់"


def compared(match: re.Match[str]) -> str:
    return match.group().replace("<", "តូចជាង").replace(">", "ធំជាង")


RANGES = (
    TextRule(
        "range",
        re.compile(
            rf"(?P<a>{NUMBER} ?(?P<u>{UNIT}|{CURRENCY}|{MONEY_WORD})) ?{DASH} ?"
            rf"(?={NUMBER} ?(?:(?P=u)|{MONEY_WORD})(?![A-Za-z\d]))"
            rf"|(?P<b>(?:{CURRENCY}) ?{NUMBER}) ?{DASH} ?(?=(?:{CURRENCY}) ?\d)"
        ),
        joined_span,
    ),
    TextRule(
        "range",
        re.compile(
            rf"(?<![A-Za-z-])(?P<sign>US\$|[$€£¥฿₩៛])?(?P<a>{NUMBER})(?P<unit>%?) ?{DASH} ?"
            r"(?P<b>\d++(?:[.,]\d++)*+)(?!-)(?P=unit)"
        ),
        span,
    ),
)
