"""What the rules of `curate.text.korean_rules` write: one reader for each kind of written form."""

import re
import unicodedata

from curate.text import korean_latin
from curate.text.korean_numbers import counted, has_final, one_by_one, read, sino
from curate.text.korean_tables import DEGREES, MONEY, NAMES, NATIVE, NUMBERED, SPEEDS, SYMBOLS, UNITS
from curate.text.numbers import parse
from curate.text.rules import any_of

_FIRST = {("1", "번째"): "첫 번째", ("1", "주일"): "일주일"}


def compatible(match: re.Match[str]) -> str:
    value = unicodedata.numeric(match.group(), None)
    if value is not None and value == int(value):
        return str(int(value))
    return unicodedata.normalize("NFKC", match.group()).replace("\u2044", "/")


def inner(match: re.Match[str]) -> str:
    return match[1]


def name(match: re.Match[str]) -> str:
    return NAMES[match.group()]


def address(match: re.Match[str]) -> str:
    """A mail address or a web address, part by part."""
    parts = re.findall(r"[A-Za-z]+|\d+|[.@/_-]", re.sub("^https?://", "", match.group()))
    names = {".": "점", "@": "골뱅이", "/": "슬래시", "_": "언더바", "-": "하이픈"}
    said = [names.get(part) or (one_by_one(part) if part.isdigit() else korean_latin.read(part)) for part in parts]
    return " ".join(said).replace("점 컴", "닷컴").replace("점 씨오엠", "닷컴")


def date(match: re.Match[str]) -> str:
    month, day = match["month"], match["day"]
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match.group()
    return f"{sino(match['year'])} 년 {month_name(month)} {sino(day)} 일"


def month_name(digits: str) -> str:
    return {"6": "유월", "10": "시월"}.get(digits.lstrip("0"), sino(digits) + "월")


def time(match: re.Match[str]) -> str:
    hours, minutes, seconds = int(match["h"]), int(match["m"]), int(match["s"] or 0)
    if hours > 24 or minutes > 59 or seconds > 59:
        return match.group()
    parts = [f"{hour(match['h'])} 시"]
    parts += [f"{sino(match['m'])} 분"] if minutes else []
    parts += [f"{sino(match['s'])} 초"] if seconds else []
    return " ".join(parts)


def hour(digits: str) -> str:
    return counted(digits, NATIVE["시"])


def telephone(match: re.Match[str]) -> str:
    number = match.group()
    groups = re.findall(r"\d+", number)
    if len(groups) == 1:
        groups = [number[:3], number[3:-4], number[-4:]]
    plus = "플러스 " if number.startswith("+") else ""
    return plus + " ".join(one_by_one(group) for group in groups)


def score(match: re.Match[str]) -> str:
    return f"{sino(match[1])} 대 {sino(match[2])}"


def number_range(match: re.Match[str]) -> str:
    """The first number of a range, read; the second waits for its counter."""
    first, second, counter = match["a"], match["b"], match["counter"] or ""
    low, high = parse(first, dots_group=False), parse(second, dots_group=False)
    hyphen = not re.search("[~∼〜]", match.group())
    if (
        low is None
        or high is None
        or (hyphen and (len(low.integer) > 8 or len(high.integer) > 8 or not rises(first, second)))
    ):
        return match.group()
    if counter == "월":
        return f"{month_name(first)}에서 {second}월"
    if counter in NATIVE and not low.fraction and int(low.integer[:9]) <= NATIVE[counter]:
        return f"{counted(low.integer, NATIVE[counter])} {counter}에서 {second}{counter}"
    return f"{read(first)}에서 {second}{match['gap']}{counter}"


def rises(first: str, second: str) -> bool:
    return float(first.replace(",", "")) < float(second.replace(",", ""))


def from_to(match: re.Match[str]) -> str:
    return "에서 "


def hyphen(match: re.Match[str]) -> str:
    first, second = match[1], match[2]
    if max(len(first), len(second)) > 4 or (len(first) > 1 and first[0] == "0"):
        return f"{one_by_one(first)} {one_by_one(second)}"
    return f"{sino(first)} 다시 {second}"  # the second waits for its counter


def ordinal(match: re.Match[str]) -> str:
    return f"제{sino(match[1])}" + (f" {match['counter']}" if match["counter"] else "")


def money(match: re.Match[str]) -> str:
    name = MONEY[match["sign"]]
    number = read(match["n"])
    magnitude = match["mag"] or ""
    return f"{big(number, magnitude) if magnitude else number} {name}"


def money_after(match: re.Match[str]) -> str:
    return f"{read(match['n'])} {MONEY[match['sign']]}"


def degrees(match: re.Match[str]) -> str:
    scale = DEGREES[match["unit"]]
    before = match.string[max(0, match.start() - 3) : match.start()].rstrip()
    below = "영하 " if match["minus"] else ""
    said = "" if before.endswith(scale) else scale + " "
    return ("" if before.endswith(("영하", "영상")) else said + below) + read(match["n"]) + " 도"


def below(match: re.Match[str]) -> str:
    return f"영하 {read(match['n'])} 도"


def speed(match: re.Match[str]) -> str:
    per, unit = SPEEDS[match["unit"]]
    before = match.string[max(0, match.start() - 3) : match.start()].rstrip()
    return ("" if before.endswith(per) else per + " ") + f"{read(match['n'])} {unit}"


def unit(match: re.Match[str]) -> str:
    minus = "마이너스 " if match["minus"] else ""
    return f"{minus}{read(match['n'])} {UNITS[match['unit'].replace('µ', 'μ').replace('^', '').replace('ℓ', 'l')]}"


def big(number: str, magnitude: str) -> str:
    """A spoken number and the 백, 천, 만, 억 written behind it; a single one is not said, but 일억 and 일조 are."""
    return magnitude if number == "일" and magnitude not in ("억", "조") else number + magnitude


def magnitude(match: re.Match[str]) -> str:
    word = big(read(match["n"]), match["mag"]) + (match["more"] or "")
    return word if match["close"] is None else word + " "


def counter(match: re.Match[str]) -> str:
    counter = match["counter"]
    number = parse(match["n"], dots_group=False)
    if counter == "월" and number and not number.fraction and 1 <= int(number.integer[:9]) <= 12:
        return month_name(number.integer)
    if (match["n"], counter) in _FIRST:
        return _FIRST[match["n"], counter]
    if number is None or number.fraction or counter not in NATIVE or match["more"]:
        return f"{read(match['n'])}{match['more'] or ''} {counter}"
    labelled = counter == "번" and re.match(rf" ?(?:{any_of(NUMBERED)})", match.string[match.end() : match.end() + 8])
    decade = counter == "대" and number.integer in {str(tens) for tens in range(10, 100, 10)}
    most = 0 if labelled or decade else NATIVE[counter]
    return f"{counted(number.integer, most)} {counter}"


def fraction(match: re.Match[str]) -> str:
    below, above = (match[2], match[1]) if "/" in match.group() else (match[1], match[2])
    return f"{sino(below)}분의 {sino(above)}"


def equals(match: re.Match[str]) -> str:
    said = read(match["n"])
    return f"{said}{'은' if has_final(said) else '는'} "


def operator(match: re.Match[str]) -> str:
    return {"+": " 더하기 ", "×": " 곱하기 ", "x": " 곱하기 ", "*": " 곱하기 ", "÷": " 나누기 "}[match[1]]


def minus_sign(match: re.Match[str]) -> str:
    return f"{read(match['n'])} 빼기 "


def number(match: re.Match[str]) -> str:
    return ("마이너스 " if match["minus"] else "") + read(match["n"])


def model(match: re.Match[str]) -> str:
    number = match[2]
    said = read(number)
    return f"{match[1]} {said}" if len(number) > 1 or "-" in match.group() else match[1] + said


def word(match: re.Match[str]) -> str:
    return korean_latin.read(match.group())


def ampersand(match: re.Match[str]) -> str:
    return "앤"


def symbol(match: re.Match[str]) -> str:
    return SYMBOLS[match.group()]


def year(match: re.Match[str]) -> str:
    return ""


def hash(match: re.Match[str]) -> str:
    return "해시태그 "
