"""Khmer numbers with what they count or measure: money, units, fractions, ordinals.

Each function reads one kind of written form: a match of a rule of `curate.text.khmer.rules` in, the words out.
Conventions: google/language-resources km/textnorm (money by its units and hundredths, Latin units by their names).
Written anew from its published facts.
"""

import re
import unicodedata

from curate.text.khmer.numbers import MINUS, cardinal, read
from curate.text.khmer.tables import (
    COUNTED,
    KHMER_UNITS,
    LONE_UNITS,
    MONEY,
    MONEY_WORDS,
    ONLY_DOTTED,
    PER,
    QUANTITIES,
    RIEL,
    SYMBOLS,
)
from curate.text.numbers import parse
from curate.text.rules import any_of

# What a number labels when it stands behind these: no unit follows such a number, and no group of three digits.
_LISTED = re.compile("(?:ថ្នាក់|ទី|លេខ|មាត្រា|កថាខណ្ឌ|ផ្លូវ|បន្ទប់|ប្លុក|ក្រុម) ?$")
_NAMED = re.compile("(?:លេខ|ទី|ផ្លូវ|កូដ) ?$")
_CLOSED = re.compile("$|[។,;)]")
_POWERS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_COUNTED = re.compile(f" ?(?:{any_of(COUNTED)})(?![\u17b6-\u17d3])")


def money(match: re.Match[str]) -> str:
    gap = match["gap"] if match["quantity"] or match.start("sign") > match.start("n") else ""
    return _minus(match) + _amount(match["n"], match["quantity"], gap, MONEY[match["sign"]])


def money_before(match: re.Match[str]) -> str:
    """The sign is written first and said last; the space behind the number stays."""
    return money(match) + ("" if match["quantity"] else match["gap"])


def money_word(match: re.Match[str]) -> str:
    name = MONEY_WORDS[match["word"] if match["word"] in MONEY_WORDS else match["word"].lower()]
    return _amount(match["n"], match["quantity"], match["gap"], name)


def _amount(number: str, quantity: str | None, gap: str, currency: tuple[str, str]) -> str:
    name, hundredth = currency
    if quantity:
        return f"{read(number)}{gap}{_quantity(quantity)}{' ' if quantity.endswith(' ') else ''}{name}"
    amount = parse(number, dots_group=True)
    if amount is None or not 1 <= len(amount.fraction) <= 2:
        return (cardinal(amount.integer) if amount and not amount.fraction.strip("0") else read(number)) + gap + name
    minor = cardinal(amount.fraction.ljust(2, "0")) + hundredth
    if not amount.integer.strip("0") and hundredth:
        return minor
    if not amount.fraction.strip("0"):
        return cardinal(amount.integer) + gap + name
    return (
        read(number) + gap + name if name == RIEL or not hundredth else f"{cardinal(amount.integer)}{gap}{name} {minor}"
    )


def _quantity(written: str) -> str:
    written = written.strip()
    return QUANTITIES.get(written) or QUANTITIES[written.lower()]


def _minus(match: re.Match[str]) -> str:
    return MINUS if match["minus"] else ""


def quantity(match: re.Match[str]) -> str:
    return read(match["n"]) + match["gap"] + _quantity(match["quantity"])


def measure(match: re.Match[str]) -> str:
    return _minus(match) + read(match["n"]) + match["gap"] + _unit(match["unit"]) + _per(match["per"])


def _unit(unit: str) -> str:
    unit = unit.replace("μ", "µ").replace("^", "")
    return PER.get(unit) or LONE_UNITS.get(unit) or PER[unit.lower()]


def _per(unit: str | None) -> str:
    return "ក្នុងមួយ" + _unit(unit) if unit else ""


def spaced_unit(match: re.Match[str]) -> str:
    """One capital letter behind a space, a unit only where the number counts something: not ថ្នាក់ទី 5 A."""
    listed = _LISTED.search(match.string, max(0, match.start() - 12), match.start())
    return match.group() if listed else read(match["n"]) + match["gap"] + LONE_UNITS[match["unit"]]


def khmer_measure(match: re.Match[str]) -> str:
    unit = match["unit"].replace(".", "").replace(" ", "")
    if unit in ONLY_DOTTED and "." not in match["unit"] and not _CLOSED.match(match.string, match.end()):
        return match.group()  # 5 ដក 3 is a subtraction
    listed = unit == "ក" and _LISTED.search(match.string, max(0, match.start() - 12), match.start())
    if listed:
        return match.group()
    power = {"²": "ការ៉េ", "2": "ការ៉េ", "³": "គូប", "3": "គូប", None: ""}[match["power"]]
    per = "ក្នុងមួយ" + KHMER_UNITS[match["per"].replace(".", "")] if match["per"] else ""
    return read(match["n"]) + match["gap"] + KHMER_UNITS[unit] + power + per


def in_one(match: re.Match[str]) -> str:
    return match["n"] + "ក្នុងមួយ"


def price_of_one(match: re.Match[str]) -> str:
    """$5/kg: money for one of a unit in Latin letters."""
    return match["n"] + _per(match["per"])


def price_of_one_khmer(match: re.Match[str]) -> str:
    """៤០០០៛/គ.ក្រ: money for one of a unit in Khmer letters."""
    return "ក្នុងមួយ" + KHMER_UNITS[match["per"].replace(".", "").replace(" ", "")]


def inches(match: re.Match[str]) -> str:
    """A straight quote behind a number is an inch where no other quote is near."""
    text, here = match.string, match.end() - 1
    if '"' in text[max(0, here - 40) : here] or '"' in text[here + 1 : here + 41]:
        return match.group()
    return read(match["n"]) + "អ៊ីញ"


def arc(match: re.Match[str]) -> str:
    """Minutes and seconds of a degree."""
    return f"{cardinal(match['m'])}នាទី" + (f"{read(match['s'])}វិនាទី" if match["s"] else "")


def feet(match: re.Match[str]) -> str:
    return f"{read(match['n'])}ហ្វ៊ូត {read(match['inch'])}អ៊ីញ"


def times(match: re.Match[str]) -> str:
    if match.group()[-1:] in "xX" and match.group()[0] == " " and match.string[match.start() - 1] >= "\u1780":
        return match.group()  # និង x2: a variable with its number
    apart = " " in match.group() or match.string[match.start() - 1] >= "\u1780"  # behind a Khmer unit
    return " គុណនឹង " if apart else "គុណនឹង"


def spaced_number(match: re.Match[str]) -> str:
    """Groups of three digits with spaces between them are one number; one group only where that is sure."""
    groups = match.group().split(" ")
    listed = _NAMED.search(match.string, max(0, match.start() - 8), match.start())
    counts = not listed and _COUNTED.match(match.string, match.end())
    one = len(groups) > 2 or groups[1].endswith("00") or groups[1].startswith("0") or counts
    return "".join(groups) if one else match.group()


def ordinal(match: re.Match[str]) -> str:
    return "ទី" + cardinal(match["n"].replace(",", ""))


def mixed(match: re.Match[str]) -> str:
    """A fraction sign behind a whole number: 16⅗ is 16 3/5."""
    return " " + unicodedata.normalize("NFKC", match["sign"]).replace("\u2044", "/")


def fraction(match: re.Match[str]) -> str:
    whole = f"{cardinal(match['whole'])} " if match["whole"] else ""
    above, below = (parse(match[name], dots_group=True) for name in ("above", "below"))
    if above is None or below is None or above.fraction or below.fraction:
        return match.group()
    return _minus(match) + f"{whole}{cardinal(above.integer)}លើ{cardinal(below.integer)}"


def over(match: re.Match[str]) -> str:
    """A pressure of the blood: 120/80 mmHg."""
    return f"{cardinal(match['above'])}លើ{match['below']}"


def rated(match: re.Match[str]) -> str:
    """8.5/10: of so many points."""
    return f"{read(match['above'])}លើ{read(match['below'])}"


def number(match: re.Match[str]) -> str:
    return _minus(match) + read(match["n"])


def exponent(match: re.Match[str]) -> str:
    """1e-5, 2.5e+3 of programs, as the power of ten that is read later."""
    return f"{match['n']}×10^{match['e'].lstrip('+')}"


def power(match: re.Match[str]) -> str:
    """A raised number and its unit: two is ការ៉េ, three is គូប, others ស្វ័យគុណ."""
    raised = "".join(_POWERS.get(character, character) for character in match["power"]).lstrip("^")
    unit = f"{match['gap']}{_unit(match['unit'])}" if match["unit"] else ""
    if raised in ("2", "3"):
        return SYMBOLS["²" if raised == "2" else "³"] + unit
    minus = MINUS if raised.startswith(("-", "−")) else ""
    return "ស្វ័យគុណ" + minus + cardinal(raised.lstrip("-−")) + unit
