"""Khmer number words.

The conventions are those of google/language-resources km/textnorm, in dictionary spelling (7 is ប្រាំពីរ): decimals are
read with ក្បៀស and the part behind it as a number after its zeros; thousand millions are ប៊ីលាន. The words of one number
are written together.
"""

from curate.text.numbers import Number, parse
from curate.text.rules import any_of

DIGITS = ("សូន្យ", "មួយ", "ពីរ", "បី", "បួន", "ប្រាំ", "ប្រាំមួយ", "ប្រាំពីរ", "ប្រាំបី", "ប្រាំបួន")
_TENS = ("", "ដប់", "ម្ភៃ", "សាមសិប", "សែសិប", "ហាសិប", "ហុកសិប", "ចិតសិប", "ប៉ែតសិប", "កៅសិប")
_POWERS = (
    (10**12, "ទ្រីលាន"),
    (10**9, "ប៊ីលាន"),
    (10**6, "លាន"),
    (10**5, "សែន"),
    (10**4, "ម៉ឺន"),
    (1000, "ពាន់"),
    (100, "រយ"),
)
NUMBER_WORD = any_of([*DIGITS, *_TENS[1:], *(name for _, name in _POWERS)])  # a pattern
MINUS = "ដក"
MOST_DIGITS = 15  # longer ones are account numbers and the like: read one by one


def cardinal(digits: str) -> str:
    """A whole number in words; `digits` may begin with zeros, which are not read unless there is nothing else."""
    digits = digits.lstrip("0") or "0"
    return _words(int(digits)) if len(digits) <= MOST_DIGITS else one_by_one(digits)


def one_by_one(digits: str) -> str:
    """Digit after digit, with spaces."""
    return " ".join(DIGITS[int(digit)] for digit in digits)


def with_zeros(digits: str) -> str:
    """Leading zeros one by one, then the rest as a number: 012 is សូន្យ ដប់ពីរ."""
    rest = digits.lstrip("0")
    zeros = one_by_one("0" * (len(digits) - len(rest)))
    return " ".join(part for part in (zeros, cardinal(rest) if rest else "") if part)


def spoken(number: Number) -> str:
    """A number in words, with its decimals."""
    whole = cardinal(number.integer)
    if not number.fraction:
        return whole
    few = len(number.fraction) <= 6
    return whole + "ក្បៀស" + (with_zeros(number.fraction) if few else one_by_one(number.fraction)).replace(" ", "")


def read(run: str) -> str:
    """Any run of digits, dots and commas: a number, or a version (dots), or a list (commas)."""
    number = parse(run, dots_group=True)
    if number and len(number.integer) > 1 and number.integer[0] == "0" and not number.fraction:
        return with_zeros(number.integer)
    if number:
        return spoken(number)
    return ", ".join(_version(item) for item in run.split(","))


def _version(run: str) -> str:
    """Numbers between dots: the first as a number, the others digit by digit (google textnorm, verbatim)."""
    first, *others = run.split(".")
    return "ចុច".join([with_zeros(first), *(one_by_one(part).replace(" ", "") for part in others)])


def _words(value: int) -> str:
    for power, name in _POWERS:
        if value >= power:
            rest = value % power
            return _words(value // power) + name + (_words(rest) if rest else "")
    if value >= 10:
        return _TENS[value // 10] + (DIGITS[value % 10] if value % 10 else "")
    return DIGITS[value]
