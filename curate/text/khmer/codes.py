"""Telephone numbers, and the numbers of accounts, documents, codes and plates, in Khmer.

Conventions: google/language-resources km/textnorm (telephone numbers by groups), written anew from its published facts.
A number behind a word for an account or a document is no telephone, however it begins: it is said digit by digit.
"""

import re

from curate.text.khmer.numbers import cardinal, one_by_one, with_zeros
from curate.text.khmer.patterns import CURRENCY, MONEY_WORD
from curate.text.khmer.tables import ACCOUNTS, COUNTED, DOCUMENTS_NAMED, KEYS, QUANTITIES, SECRETS
from curate.text.rules import HEAD, TextRule, any_of

_COLON = "[ :៖ៈ.]{0,3}"
_BRAND = r"(?:[A-Z]{2,8}" + _COLON + ")?"  # of the bank: ABA
_GROUPED = r"\d{3,}(?:[ -]\d{2,})*+"
_NO_AMOUNT = (
    rf"(?![\d%]|[.,]\d| ?(?:{CURRENCY}|{MONEY_WORD}|{any_of(QUANTITIES)}|(?:{any_of(COUNTED)})(?!\u17d2)|លេខ|ជួរ|បន្ទាត់))"
)
_VERIFIED = "ផ្ទៀងផ្ទាត់|បញ្ជាក់|សម្ងាត់|សំងាត់|ប្រៃសណីយ៍|អតិថិជន|ទំនិញ"
_HOTLINE = "ទូរស័ព្ទលេខ|លេខទូរស័ព្ទ|ហៅលេខ|ហៅទូរស័ព្ទលេខ|លេខបន្ទាន់|លេខសេវា|[Hh]otline|HOTLINE"


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


def digit_by_digit(match: re.Match[str]) -> str:
    return match["before"] + one_by_one(re.sub(r"\D", "", match["n"]))


def dialled(match: re.Match[str]) -> str:
    """119, or 117 ឬ 118, behind a word of calling."""
    return match["before"] + re.sub(r"\d+", lambda number: one_by_one(number[0]), match["n"])


def account(match: re.Match[str]) -> str:
    """A number behind a word for an account: a short one without a zero may be what is on it."""
    long = len(re.sub(r"\D", "", match["n"])) >= 6 or match["n"].startswith("0")
    return digit_by_digit(match) if long else match.group()


def free_of_charge(match: re.Match[str]) -> str:
    """1800-209-999: a number that costs nothing, digit by digit in its groups."""
    return " ".join(map(one_by_one, match.group().split("-")))


def either(match: re.Match[str]) -> str:
    """016/017 555 666: one of two prefixes."""
    return with_zeros(match["n"]) + " ឬ "


def blood(match: re.Match[str]) -> str:
    """A group of the blood with its sign, where blood is spoken of."""
    told = "ឈាម" in match.string[max(0, match.start() - BLOOD_WITHIN) : match.start()]
    return match["group"] + "ដក" if told else match.group()


BLOOD_WITHIN = 40  # characters
_NAMES = any_of([*ACCOUNTS, *DOCUMENTS_NAMED, *SECRETS])
_NUMBERED = (  # លេខគណនី, អត្តសញ្ញាណប័ណ្ណ ... លេខ; a letter may begin the number: N01234567
    rf"(?:លេខ ?(?:{_NAMES}){{1,3}}[\u1780-\u17d3]{{0,15}}|(?:{_NAMES})[\u1780-\u17d3 ]{{0,20}}?លេខ)"
    rf"{_COLON}{_BRAND}[A-Z]?"
)
_SECRET = rf"(?:{any_of(SECRETS)})(?:{_VERIFIED})?{_COLON}{_BRAND}"
_ACCOUNT = rf"(?:{any_of(ACCOUNTS)})[\u1780-\u17d3]{{0,20}}{_COLON}{_BRAND}"
_CALLED = rf"(?:(?<!ផ្ទះ)(?<!ផ្លូវ)(?<!បន្ទប់)លេខ[\u1780-\u17d3]{{0,12}}|ហៅ|ទូរស័ព្ទ){_COLON}"
_RESCUE = "ប៉ូលិស|នគរបាល|រថយន្តសង្គ្រោះ|ឡានពេទ្យ|សង្គ្រោះ|(?:អ្នក)?ពន្លត់អគ្គិភ័យ|អគ្គិភ័យ|ជំនួយ"
_CALLING = "(?:ហៅ|ទូរស័ព្ទ|(?<!\u17d2)(?:តេ|ខល)(?=ទៅ|មក|លេខ))"
_TOWARDS = "(?:ទៅ|មក)(?:កាន់)?"
_CALL = rf"{_CALLING}(?:{_TOWARDS})?(?:{_RESCUE})?{_COLON}"
_CALL_TO = rf"{_CALLING}(?:{_TOWARDS})?(?:{_RESCUE})?លេខ{_COLON}"
_ENDS = r"(?! ?[.-]?\d)" + _NO_AMOUNT
_AND = "(?: ?(?:ឬ|និង|,|/) ?"
_DIALLED = rf"[1-9]\d{{2,3}}(?!\d){_AND}1\d{{2,3}}(?!\d)){{0,4}}{_ENDS}"
_EMERGENCY = rf"11\d(?!\d){_AND}1[12]\d{{1,2}}(?!\d)){{0,4}}{_ENDS}"  # enough behind a word of calling alone
_PLATE = rf"{HEAD}(?<![A-Za-z])\d{{1,2}}[A-Z]{{1,2}}[-.]?"
_BY_DIGITS = (  # what stands before, and the number that is said digit by digit there
    ("code", _NUMBERED, _GROUPED + _NO_AMOUNT),
    ("code", _SECRET, r"\d{3,}+" + _NO_AMOUNT),
    ("code", rf"(?<!\u17d2)កូដ[\u1780-\u17d3]{{2,20}}{_COLON}", r"\d{4,}+" + _NO_AMOUNT),  # កូដសាខា 1204
    ("code", f"(?:{_HOTLINE}){_COLON}", r"[1-9]\d{2,5}(?! ?[.-]?\d)" + _NO_AMOUNT),
    ("code", _CALLED, r"([1-9])\3{3}" + _NO_AMOUNT),  # 8888
    ("code", rf"អត្តលេខ[\u1780-\u17d3]{{0,15}}{_COLON}{_BRAND}[A-Z]?", _GROUPED + _NO_AMOUNT),
    ("plate", _PLATE, r"\d{4}(?![\dA-Za-z])"),
    ("code", r"(?<![A-Za-z])[A-Z]{1,2}", r"0\d{4,}+(?![A-Za-z])"),
)
_CALLS = tuple(
    TextRule("telephone", re.compile(f"(?P<before>{before})(?P<n>{n})"), dialled)
    for before, n in ((_CALL_TO, _DIALLED), (_CALL, _EMERGENCY))
)
BLOOD = TextRule("blood", re.compile(r"(?<![A-Za-z\d])(?P<group>AB|[ABO])[-−](?![A-Za-z\d])"), blood)
DOCUMENTS = (
    *_CALLS,
    TextRule("code", re.compile(f"(?P<before>{_ACCOUNT})(?P<n>{_GROUPED}){_NO_AMOUNT}"), account),
    *(TextRule(name, re.compile(f"(?P<before>{before})(?P<n>{n})"), digit_by_digit) for name, before, n in _BY_DIGITS),
)
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
    TextRule("telephone", re.compile(rf"{HEAD}1[38]00-\d{{3}}-\d{{3,4}}(?![\d-])"), free_of_charge),
)
