"""Korean numbers with what they count or measure: counters, money, units, fractions, ordinals.

Each function reads one kind of written form: a match of a rule of `curate.text.korean.rules` in, the words out.
"""

import re

from curate.text.korean.dates import month_name
from curate.text.korean.labels import CLOVES, MACHINES, NUMBERED, NUMBERED_BEFORE, RANKED, SOMETIMES_NUMBERED
from curate.text.korean.numbers import counted, native, one_by_one, read, sino
from curate.text.korean.particles import fitted
from curate.text.korean.patterns import AFTER
from curate.text.korean.tables import ATTACHED, DEGREES, MEASURES, MONEY, NATIVE, PER, SPEEDS, THREE_FOUR, UNITS
from curate.text.numbers import Number, parse
from curate.text.rules import any_of

_AFTER = re.compile(AFTER)
_ORDER = {"1": "첫", "2": "둘", "3": "셋", "4": "넷"}
_LABELLED = re.compile(rf" ?(?:{any_of(NUMBERED)})")
_RANKED = re.compile(rf" ?(?:{any_of(RANKED)})")
_MACHINES = re.compile(rf"(?:{any_of(MACHINES)}) ?$")
_CLOVES = re.compile(rf"(?<![가-힣])(?:통)?(?:{any_of(CLOVES)}) ?$")
_NUMBERED_BEFORE = re.compile(rf"(?<!번 )(?:{any_of(NUMBERED_BEFORE)})(?:[은는이가] )? ?$")
_OF_CLASS = re.compile(r"(?<![\d가-힣])(?:\d{1,2}|[일이삼사오육칠팔구십]{1,3}) ?반 ?$")  # 2반 15번: a pupil
_SOMETIMES = re.compile(rf"(?<!번 )(?:{any_of(SOMETIMES_NUMBERED)}) $")
_NAMED_AFTER = re.compile(
    r"(?:을|은|이|의|과|도|으로|에게|에서|에|부터|까지|만|인|입니다|이다)(?![가-힣])|[,.?!)]|$| 타[고는세]"
)
_VERSES = re.compile(r" ?\d{1,3} ?절(?![가-힣]{2})")  # 3장 2절: a chapter, no sheets
_OUGHT = re.compile(" ?[~∼-]? ?\\d{1,2} ?초")  # 3말 4초: the end of March and the beginning of April
_PEOPLE = re.compile("(?:손님|고객님?|선생님|어르신|참가자|관객|시청자|애청자|부모님|교수님|스님|수녀님) ?$")
_ENGLISH = dict(zip("12345", ["원", "투", "스리", "포", "파이브"], strict=True))
_MILLIONS = {"million": 6, "billion": 9, "trillion": 12, "M": 6, "B": 9}
_SIZED_THING = re.compile(
    r" ?(?!이?[라란]|하[고며])[가-힣A-Za-z(]|(?<=[은는이가을를과와로]) "
)  # what stands behind 32"


def ordinal(match: re.Match[str]) -> str:
    return f"제{sino(match[1])}" + (f" {match['counter']}" if match["counter"] else "")


def in_order(match: re.Match[str]) -> str:
    """1째 is 첫째, 5th 다섯 번째."""
    if match["suffix"] == "째":
        return (_ORDER.get(match["n"]) or native(int(match["n"]))) + "째"
    return ("첫" if match["n"] == "1" else counted(match["n"], 99)) + " 번째"


def english_number(match: re.Match[str]) -> str:
    """2아웃 is 투 아웃, and 1+1 of a shop 원 플러스 원."""
    plus = match["plus"] or match["bonus"]
    if plus:
        return f"{_ENGLISH[match['n']]} 플러스 {_ENGLISH[plus]}"
    return f"{_ENGLISH[match['n']]} {match['counter']}"


def money(match: re.Match[str]) -> str:
    spoken, magnitude = read(match["n"]), match["mag"] or ""
    if match["million"]:
        digits = (parse(match["n"], dots_group=False) or Number("0")).integer
        fraction = match["n"].partition(".")[2]
        spoken = sino(digits + fraction + "0" * (_MILLIONS[match["million"]] - len(fraction)))
    return _priced(big(spoken, magnitude) if magnitude else spoken, MONEY[match["sign"]])


def money_after(match: re.Match[str]) -> str:
    return _priced(read(match["n"]), MONEY[match["sign"]])


def _priced(number: str, currency: str) -> str:
    return f"{number}{'' if currency == '원' else ' '}{currency}"


def degrees(match: re.Match[str]) -> str:
    scale = DEGREES[match["unit"]]
    before = _before(match, 3).rstrip()
    below = "영하 " if match["minus"] else ""
    prefix = "" if before.endswith(scale) else scale + " "
    return ("" if before.endswith(("영하", "영상")) else prefix + below) + read(match["n"]) + " 도"


def below(match: re.Match[str]) -> str:
    before = _before(match, 3).rstrip()
    return f"{'' if before.endswith('영하') else '영하 '}{read(match['n'])} 도"


def speed(match: re.Match[str]) -> str:
    per, unit = SPEEDS[match["unit"]]
    before = _before(match, 3).rstrip()
    return ("" if before.endswith(per) else per + " ") + f"{_minus(match)}{read(match['n'])} {unit}"


def _minus(match: re.Match[str]) -> str:
    return "마이너스 " if match["minus"] else ""


def _before(match: re.Match[str], most: int) -> str:
    """What stands right before the match, so many characters at most."""
    return match.string[max(0, match.start() - most) : match.start()]


def unit(match: re.Match[str]) -> str:
    number = read(match["n"])
    spoken = big(number, match["mag"]) if match["mag"] else number
    if _before(match, 1) in tuple("만억조천"):  # 1만6000t: the number is read later, as a whole
        spoken = match["n"] + (match["mag"] or "")
    return f"{_minus(match)}{spoken} {unit_name(match['unit'], match['per'])}"


def unit_name(unit: str, per: str | None) -> str:
    """A unit, and what it is per, as said."""
    plain = unit.replace("µ", "μ").replace("^", "").replace("ℓ", "l")
    return UNITS[plain] + (f" 퍼 {PER[per]}" if per else "")


def big(number: str, magnitude: str) -> str:
    """A spoken number and the 백, 천, 만, 억 written behind it; a single one is not said, but 일억 and 일조 are."""
    return magnitude if number == "일" and magnitude not in ("억", "조") else number + magnitude


def magnitude(match: re.Match[str]) -> str:
    word = _minus(match) + big(read(match["n"]), match["mag"]) + (match["more"] or "")
    apart = match["close"] is not None and not re.match(rf"\d|{any_of(ATTACHED)}", match.string[match.end() :][:4])
    return word + (" " if apart else "")


def counter(match: re.Match[str]) -> str:
    if match["counter"] in MEASURES and not _AFTER.match(match.string, match.end()):
        return match.group()
    return _minus(match) + _counted(match)


def _counted(match: re.Match[str]) -> str:
    counter, number = match["counter"], parse(match["n"], dots_group=False)
    if counter == "월" and number and not number.fraction and 1 <= int(number.integer[:9]) <= 12:
        return month_name(number.integer)
    if counter == "월호" and match["n"] in ("6", "06", "10"):
        return month_name(match["n"]) + "호"
    if counter in ("년", "년생", "년식") and re.fullmatch(r"0\d", match["n"]):  # 08년생: of 2008
        return f"{one_by_one(match['n'])}{match['gap']}{counter}"
    if counter == "주일" and match["n"] == "1":
        return "일주일"
    gap = match["gap"] if counter in ATTACHED else " "
    before = _before(match, 6)
    if counter == "말" and _OUGHT.match(match.string, match.end()):
        return f"{sino(match['n'])}말"
    if counter == "장" and _VERSES.match(match.string, match.end()):
        return f"{sino(match['n'])} 장"
    if counter == "쪽" and number and len(number.integer) < 3 and _CLOVES.search(before):
        return f"{counted(number.integer, 99)} 쪽"
    people = counter == "분" and _PEOPLE.search(before)
    if people and number and not number.fraction:
        return f"{counted(number.integer, 99)} {counter}"
    if number is None or number.fraction or counter not in NATIVE or match["more"]:
        spoken = sino(number.integer) if number and not number.fraction else read(match["n"])
        return f"{spoken}{match['more'] or ''}{gap}{counter}"
    if counter == "번째":
        least = number.integer.lstrip("0")
        spoken = "첫" if least == "1" else (counted(least, 99) if len(least) < 3 else sino(least))
        return f"{spoken}{gap}{counter}"
    if counter in THREE_FOUR and number.integer in ("3", "4"):
        return f"{THREE_FOUR[counter][int(number.integer) - 3]} {counter}"
    labelled = counter == "번" and numbered(match.string, match.start(), match.end(), number.integer)
    decade = counter == "대" and (
        (number.integer in {str(tens) for tens in range(10, 100, 10)} and not _MACHINES.search(before))
        or _RANKED.match(match.string[match.end() : match.end() + 8]) is not None
    )
    return f"{counted(number.integer, 0 if labelled or decade else NATIVE[counter])}{gap}{counter}"


def served(match: re.Match[str]) -> str:
    """A counter that is one only after what it counts: 오징어 2축, but 3축 체계."""
    return f"{match['before']}{counted(match['n'], NATIVE['개'])} {match['counter']}"


def numbered(text: str, start: int, end: int, digits: str) -> bool:
    """Whether digits with 번, `start` to `end`, say which one and not how many times: 7번 버스, 버스 7번을."""
    before, after = text[max(0, start - 8) : start], text[end : end + 8]
    labelled = _LABELLED.match(after) or _NUMBERED_BEFORE.search(before) or _OF_CLASS.search(before)
    if len(digits.lstrip("0")) > 2 or labelled:
        return True
    return bool(_SOMETIMES.search(before) and _NAMED_AFTER.match(after))


def pieces(match: re.Match[str]) -> str:
    """2정씩: tablets."""
    number = parse(match["n"], dots_group=False)
    return f"{counted(number.integer, 20)} 정" if number and not number.fraction else match.group()


def fraction(match: re.Match[str]) -> str:
    """1과√1/2kg is 일과 이분의 루트 일 킬로그램."""
    minus = _minus(match)
    above, below = (("루트 " if match[root] else "") + sino(match[part]) for root, part in (("r", "a"), ("s", "b")))
    spoken = f"{below}분의 {above}"
    if match["whole"]:
        whole = sino(match["whole"])
        spoken = f"{whole}{fitted(whole, '과')} {spoken}"
    if match["unit"] in SPEEDS:
        return " ".join((SPEEDS[match["unit"]][0], minus + spoken, SPEEDS[match["unit"]][1]))
    return minus + spoken + (f" {unit_name(match['unit'], None)}" if match["unit"] else "")


def vague(match: re.Match[str]) -> str:
    """수백 km, 몇 kg: the unit behind a number of words."""
    return f"{match['before'].rstrip()} {unit_name(match['unit'], None)}"


def rent(match: re.Match[str]) -> str:
    """월세 500/45: what is paid once, and what every month; both numbers are read later."""
    return f"{match['cue']}{match['n']}에 "


def rated(match: re.Match[str]) -> str:
    """4.5/5: of so many points; 1.0/0.8 and 시력 0.8/1.0 are of two eyes."""
    eyes = re.search("시력[은이]? ?$", match.string[max(0, match.start() - 5) : match.start()])
    if eyes or float(match["a"]) > float(match["b"]):
        return match.group()
    apart = " " if match.string.startswith("점", match.end()) else ""
    return f"{read(match['b'])}분의 {read(match['a'])}{apart}"


def feet(match: re.Match[str]) -> str:
    """6'2" of a person."""
    return f"{read(match['feet'])} 피트 {read(match['n'])} 인치"


def inches(match: re.Match[str]) -> str:
    """32" of a screen; a quotation mark that closes what was said is none."""
    opened = len(re.findall(r'(?<!\d)"', match.string[: match.start()])) % 2
    closes = opened or len(match["n"].partition(".")[0]) > 3 or not _SIZED_THING.match(match.string, match.end())
    return match.group() if match["sign"] == '"' and closes else f"{read(match['n'])} 인치"


def parts(match: re.Match[str]) -> str:
    return f"{sino(match[1])}분의 {sino(match[2])}"


def number(match: re.Match[str]) -> str:
    return _minus(match) + read(match["n"])


def pages(match: re.Match[str]) -> str:
    """23p is a page, 1080p a height of pictures."""
    return f"{read(match['n'])} {'피' if match['n'] in ('480', '720', '1080', '1440', '2160') else '페이지'}"


def power(match: re.Match[str]) -> str:
    return f"{read(match['n'])}의 {'제곱' if match['power'] == '²' else '세제곱'}"
