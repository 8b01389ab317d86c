"""Written Khmer to spoken Khmer: rules in the order in which they apply.

Conventions: google/language-resources km/textnorm (dates day ខែ month ឆ្នាំ year; times on twelve hours
with the part of the day; telephone numbers by groups; ranges with ទៅ, ratios and scores with ទល់).
Written anew from its published facts. One point differs: a comma before three digits groups thousands
(12,500 is twelve thousand five hundred), as Khmer news writes it.
"""

import re
import unicodedata

from curate.text.khmer_numbers import cardinal, one_by_one, read, with_zeros
from curate.text.khmer_tables import (
    ACRONYMS,
    ERAS,
    KHMER_UNITS,
    LETTERS,
    MONEY,
    MONEY_WORDS,
    MONTHS,
    QUANTITIES,
    SYMBOLS,
    UNITS,
)
from curate.text.numbers import parse, roman
from curate.text.rules import HEAD, NUMBER, Rule, any_of

_END = r"(?![A-Za-z\d])"  # behind a Latin unit
_WORD = r"\w\u1780-\u17dd)"  # a hyphen behind these is no minus
_KHMER_DIGITS = {ord("០") + value: str(value) for value in range(10)}
_DAYTIME = r"(ព្រឹក|រសៀល|ល្ងាច|យប់|អធ្រាត្រ|ថ្ងៃត្រង់|[AaPp]\.?[Mm]\b\.?)"


def _digits(match: re.Match[str]) -> str:
    return match.group().translate(_KHMER_DIGITS)


def _compatible(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", match.group()).replace("\u2044", "/")


def _era(match: re.Match[str]) -> str:
    return ERAS[match[1]]


def _date(match: re.Match[str]) -> str:
    day, month, year = match["day"], match["month"], match["year"]
    if not (1 <= int(day) <= 31 and 1 <= int(month) <= 12):
        return match.group()
    return f"{cardinal(day)} ខែ{MONTHS[int(month) - 1]} ឆ្នាំ{cardinal(year)}"


def _time(match: re.Match[str]) -> str:
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


def _telephone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match.group())
    count = sum(map(len, groups))
    plus = match.group().startswith("+")
    if not (8 <= count <= 13 if plus else 9 <= count <= 10):
        return match.group()
    if plus:
        return "បូក " + " ".join([cardinal(groups[0]), *map(_group, groups[1:])])
    if len(groups[0]) > 4:
        groups = [groups[0][:3], groups[0][3:]]
    return " ".join(map(_group, groups))


def _group(digits: str) -> str:
    return with_zeros(digits) if 2 <= len(digits) <= 4 else one_by_one(digits)


def _money(match: re.Match[str]) -> str:
    name, hundredth = MONEY[match["sign"]]
    amount = parse(match["n"], dots_group=True)
    if match["quantity"]:
        return f"{read(match['n'])}{match['gap']}{match['quantity']}{name}"
    if amount is None or not 1 <= len(amount.fraction) <= 2:
        gap = match["gap"] if match.start("sign") > match.start("n") else ""
        return read(match["n"]) + gap + name
    major = cardinal(amount.integer) + name
    if not amount.fraction.strip("0"):
        return major
    minor = cardinal(amount.fraction.ljust(2, "0")) + hundredth
    return f"{major} {minor}" if amount.integer.strip("0") else minor


def _money_before(match: re.Match[str]) -> str:
    """The sign is written first and said last; the space behind the number stays."""
    return _money(match) + ("" if match["quantity"] else match["gap"])


def _money_word(match: re.Match[str]) -> str:
    return read(match["n"]) + match["gap"] + MONEY_WORDS[match["word"].lower()]


def _measure(match: re.Match[str]) -> str:
    minus = "ដក" if match["minus"] else ""
    return minus + read(match["n"]) + match["gap"] + UNITS[match["unit"].replace("μ", "µ").replace("^", "")]


def _khmer_measure(match: re.Match[str]) -> str:
    return read(match["n"]) + match["gap"] + KHMER_UNITS[match["unit"].replace(".", "")]


def _range(match: re.Match[str]) -> str:
    first, last = (parse(match[name], dots_group=True) for name in ("a", "b"))
    if first is None or last is None or len(first.integer) > 15 or len(last.integer) > 15:
        return match.group()
    low, high = float(f"{first.integer}.{first.fraction}"), float(f"{last.integer}.{last.fraction}")
    short_year = len(first.integer) == 4 and len(last.integer) == 2
    if low < high or short_year:
        return f"{read(match['a'])}{match['unit'] or ''}ទៅ{match['b']}{match['unit'] or ''}"
    between = "ដក" if " " in match.group() else "ទល់"
    return f"{read(match['a'])}{between}{match['b']}" if not match["unit"] else match.group()


def _to(match: re.Match[str]) -> str:
    return "ទៅ"


def _times(match: re.Match[str]) -> str:
    return "គុណនឹង"


def _fraction(match: re.Match[str]) -> str:
    return ("ដក" if match["minus"] else "") + f"{cardinal(match['above'])}លើ{cardinal(match['below'])}"


def _ratio(match: re.Match[str]) -> str:
    return f"{cardinal(match[1])}ទល់{cardinal(match[2])}"


def _roman(match: re.Match[str]) -> str:
    value = roman(match["roman"])
    return match.group() if value is None else match[1] + match["gap"] + cardinal(str(value))


def _number(match: re.Match[str]) -> str:
    return ("ដក" if match["minus"] else "") + read(match["n"])


def _street(match: re.Match[str]) -> str:
    return "ផ្លូវលេខ "


def _hash(match: re.Match[str]) -> str:
    return "លេខ"


def _letters(match: re.Match[str]) -> str:
    word = match.group().replace(".", "")
    return ACRONYMS.get(word) or "".join(LETTERS[letter] for letter in word)


def _symbol(match: re.Match[str]) -> str:
    return SYMBOLS[match.group()]


_SIGNS = any_of(MONEY)
_QUANTITY = any_of(QUANTITIES)
_UNIT_SIGNS = any_of([*UNITS, "μm", "μg", "m^2", "m^3", "km^2"])
_DOTTED = "|".join(  # gram only with its dot: 12ក is a class of a school
    r"\.?".join(unit) + (r"(?=\.)" if unit == "ក" else "") for unit in sorted(KHMER_UNITS, key=len, reverse=True)
)
_N = rf"(?P<n>{NUMBER})(?P<gap> ?)"

RULES = (
    Rule("digits", re.compile("[០-៩]+"), _digits),
    Rule("compatible", re.compile("[①-⑳½¼¾⅓⅔Ⅰ-ⅿ㎏㎞㎝㎜㎡㎖]"), _compatible),
    Rule("era", re.compile(rf"(?<![ក-៓])({any_of(ERAS)})\.?(?![ក-៓])"), _era),
    Rule(
        "zero",
        re.compile(r"(?<=ទី)( ?)0(?=[1-9](?![\d.,]))|(?<=ខែ)( ?)0(?=[1-9](?![\d.,]))"),
        lambda m: m[1] or m[2] or "",
    ),
    Rule(
        "date", re.compile(rf"{HEAD}(?P<day>\d{{1,2}})([/.-])(?P<month>\d{{1,2}})\2(?P<year>\d{{4}})(?![\d/-])"), _date
    ),
    Rule("date", re.compile(rf"{HEAD}(?P<year>\d{{4}})([/.-])(?P<month>\d\d)\2(?P<day>\d\d)(?![\d/-])"), _date),
    Rule(
        "time",
        re.compile(
            rf"(?:ម៉ោង ?)?{HEAD}(?<![\d:])(?P<h>\d{{1,2}}) ?[:hH] ?(?P<m>\d\d)(?::(?P<s>\d\d))?"
            rf"(?![\d:])(?: ?(?P<period>{_DAYTIME}))?"
        ),
        _time,
    ),
    Rule(
        "time",
        re.compile(rf"(?:ម៉ោង ?)?{HEAD}(?<!:)(?P<h>\d{{1,2}})(?P<m>)(?P<s>) ?(?P<period>[AaPp]\.?[Mm]\b\.?)"),
        _time,
    ),
    Rule("range", re.compile(r"(?<=[ក-៓]) ?[-–—~] ?(?=ម៉ោង)"), _to),
    Rule("telephone", re.compile(r"(?<![\d.,])\+\d{1,3}(?:[ -]?\d{1,9}){1,5}+(?!\d)"), _telephone),
    Rule(
        "telephone", re.compile(rf"{HEAD}0\d{{1,3}}(?:[ .-]\d{{1,4}}){{2,4}}+(?!\d)|{HEAD}0\d{{8,9}}(?!\d)"), _telephone
    ),
    Rule("telephone", re.compile(rf"{HEAD}\d{{3}}([ -])\d{{3}}\1\d{{4}}(?!\d)"), _telephone),
    Rule(
        "range",
        re.compile(rf"(?<![A-Za-z-])(?P<a>{NUMBER})(?P<unit>%?) ?[-–—~] ?(?P<b>\d++(?:[.,]\d++)*+)(?!-)(?P=unit)"),
        _range,
    ),
    Rule(
        "money",
        re.compile(rf"(?<![A-Za-z\d])(?<!\d )(?P<sign>{_SIGNS}) ?{_N}(?P<quantity>{_QUANTITY})?"),
        _money_before,
    ),
    Rule("money", re.compile(rf"{_N}(?P<quantity>(?:{_QUANTITY}) ?)?(?P<sign>{_SIGNS})(?![A-Za-z])"), _money),
    Rule("money", re.compile(rf"{_N}(?P<word>{any_of(MONEY_WORDS)}){_END}", re.IGNORECASE), _money_word),
    Rule("measure", re.compile(rf"(?<![{_WORD}])(?P<minus>[-−])?{_N}(?P<unit>{_UNIT_SIGNS}){_END}"), _measure),
    Rule("measure", re.compile(rf"(?P<minus>){_N}(?P<unit>{_UNIT_SIGNS}){_END}"), _measure),
    Rule("measure", re.compile(rf"{_N}(?P<unit>{_DOTTED})(?:\.(?= |$)|(?![ក-៓.]))"), _khmer_measure),
    Rule(
        "fraction",
        re.compile(
            rf"(?:(?<![{_WORD}/.,-])(?P<minus>[-−]))?{HEAD}(?<!/)(?P<above>\d{{1,9}})/(?P<below>\d{{1,9}})(?![\d/])"
        ),
        _fraction,
    ),
    Rule("ratio", re.compile(rf"{HEAD}(?<!:)(\d{{1,6}}) ?: ?(\d{{1,6}})(?![\d:])"), _ratio),
    Rule("roman", re.compile(r"(ទី|ជំពូក|ភាគ|មាត្រា|កម្រិត)(?P<gap> ?)(?P<roman>[IVXLCDM]+)(?![A-Za-z])"), _roman),
    Rule("street", re.compile(r"(?<![A-Za-z])St\.? ?(?=\d)"), _street),
    Rule("hash", re.compile(r"#(?=\d)|№ ?(?=\d)"), _hash),
    Rule("times", re.compile(r"(?<=\d) ?[x*] ?(?=\d)"), _times),
    Rule("number", re.compile(rf"(?<![{_WORD}.,-])(?P<minus>[-−])?(?P<n>{NUMBER})"), _number),
    Rule("number", re.compile(r"(?P<minus>)(?P<n>\d++(?:[.,]\d++)*+)"), _number),
    Rule("letters", re.compile(r"(?<![A-Za-z.])(?<![a-z] )(?:(?:[A-Z]\.){2,6}|[A-Z]{1,6})(?! ?[a-z]|[A-Z])"), _letters),
    Rule("symbol", re.compile(f"[{re.escape(''.join(SYMBOLS))}]"), _symbol),
)
