"""Korean number words, Sino-Korean and native.

Numbers are written in one word, as NVIDIA's NeMo-text-processing does and as amounts are written on paper, although
한글 맞춤법 제44항 would part them by ten-thousands: sounds run on inside a number (십일 is 시빌), and words keep
theirs apart.
"""

import functools

from curate.text.numbers import Number, parse

DIGITS = "영일이삼사오육칠팔구"
PHONE_DIGITS = "공일이삼사오육칠팔구"
_SMALL = ("", "십", "백", "천")
_LARGE = ("", "만", "억", "조", "경")
_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
MOST_DIGITS = 20  # longer ones are read one by one


@functools.lru_cache(maxsize=4096)
def sino(digits: str) -> str:
    """A whole number in Sino-Korean: 12345 is 만이천삼백사십오."""
    digits = digits.lstrip("0") or "0"
    if digits == "0" or len(digits) > MOST_DIGITS:
        return "영" if digits == "0" else one_by_one(digits)
    groups = [digits[max(0, end - 4) : end] for end in range(len(digits), 0, -4)]
    pairs = [(_group(group), _LARGE[power]) for power, group in enumerate(groups)]
    words = [word + unit for word, unit in reversed(pairs) if word]
    if words[0] == "일만":
        words[0] = "만"
    return "".join(words)


def one_by_one(digits: str, names: str = PHONE_DIGITS) -> str:
    """Digit after digit in one word: 0102 is 공일공이."""
    return "".join(names[int(digit)] for digit in digits)


def native(value: int) -> str:
    """A native numeral before its counter, 1 to 99: 한, 두, 스무, 스물한."""
    return "스무" if value == 20 else _TENS[value // 10] + _ONES[value % 10]


def counted(digits: str, most_native: int) -> str:
    """A numeral before a native counter: native up to `most_native`, then Sino, but 백한 마리."""
    digits = digits.lstrip("0")
    if not digits or len(digits) > 9:
        return sino(digits)
    value = int(digits)
    if value <= most_native:
        return native(value)
    if most_native == 99 and 1 <= value % 100 <= 9:
        return sino(str(value - value % 100)) + native(value % 100)
    return sino(digits)


def spoken(number: Number) -> str:
    """A number in Sino-Korean with its decimals one by one: 3.14 is 삼점일사."""
    whole = sino(number.integer)
    return f"{whole}점{one_by_one(number.fraction, DIGITS)}" if number.fraction else whole


def read(run: str) -> str:
    """Any run of digits, dots and commas: a number, a version (dots), or a list (commas)."""
    number = parse(run, dots_group=False)
    if number and len(number.integer) > 1 and number.integer[0] == "0" and not number.fraction:
        return one_by_one(number.integer)
    if number:
        return spoken(number)
    return ", ".join("점".join(sino(part) for part in item.split(".")) for item in run.split(","))


def _group(digits: str) -> str:
    word = ""
    for power, digit in zip(range(len(digits) - 1, -1, -1), digits, strict=True):
        if digit != "0":
            word += ("" if digit == "1" and power else DIGITS[int(digit)]) + _SMALL[power]
    return word


def rises(first: str, second: str) -> bool:
    """Whether two short figures with a hyphen between them can be a range: the second is more."""
    low, high = first.replace(",", ""), second.replace(",", "")
    short = max(len(first), len(second)) <= 8 and max(low.count("."), high.count(".")) < 2
    return short and float(low) < float(high)
