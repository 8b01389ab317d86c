"""Readers of Korean dates, times, telephone numbers and other codes."""

import re

from curate.text.korean import latin
from curate.text.korean.numbers import DIGITS, counted, fitted, one_by_one, sino
from curate.text.korean.tables import AREA_CODES, NATIVE, PERIODS, WEEKDAYS

_KOREAN = re.compile(rf"(?:\+82[ .-]?)?\(?{AREA_CODES}\D|\+82[ .-]?[1-7]\d?\D")


def date(match: re.Match[str]) -> str:
    """A whole date with or without its weekday; what is no date stays."""
    groups = match.groupdict()
    year, month, day = groups.get("year"), groups["month"], groups["day"]
    if int(month) > 12 and groups.get("swaps"):
        month, day = day, month
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match.group()
    said = f"{month_name(month)} {sino(day)}일"
    said = f"{sino(year)}년 {said}" if year else said
    return said + (f" {WEEKDAYS[groups['week']]}" if groups.get("week") else "")


def day_of_year(match: re.Match[str]) -> str:
    """3/5 where a date is meant."""
    month, day = match["month"] or match["month2"], match["day"] or match["day2"]
    return f"{month_name(month)} {sino(day)}일" if 1 <= int(month) <= 12 and 1 <= int(day) <= 31 else match.group()


def month_of_year(match: re.Match[str]) -> str:
    return f"{sino(match['year'])}년 {month_name(match['month'])}"


def month_name(digits: str) -> str:
    return {"6": "유월", "10": "시월"}.get(digits.lstrip("0"), sino(digits) + "월")


def event(match: re.Match[str]) -> str:
    """4·15 총선: the month as a number, the day digit by digit."""
    day = sino(match[2]) if match[2].endswith("0") else one_by_one(match[2])
    return sino(match[1]) + day


def weekday(match: re.Match[str]) -> str:
    """(월) behind a day, or (월~금)."""
    days = [WEEKDAYS[day] for day in match.groups() if day]
    return " " + "부터 ".join(days)


def from_day(match: re.Match[str]) -> str:
    """The first day of a range, its numbers still in digits."""
    week = f" {WEEKDAYS[match['week']]}" if match["week"] else ""
    return f"{match['day']}{week}부터 "


def from_number(match: re.Match[str]) -> str:
    before = match["before"].rstrip()
    return f"{before}{' ' if before else ''}{sino(match['a'])}부터 "


def time(match: re.Match[str]) -> str:
    hours, minutes, seconds = int(match["h"]), int(match["m"]), int(match["s"] or 0)
    if hours > 24 or minutes > 59 or seconds > 59:
        return match.group()
    period = (match["before"] or match["after"] or "").lower().strip()
    parts = [PERIODS[period]] if period else []
    parts.append(f"{hour(match['h'])}시")
    parts += [f"{sino(match['m'])}분"] if minutes else []
    parts += [f"{sino(match['s'])}초"] if seconds else []
    return " ".join(parts)


def period(match: re.Match[str]) -> str:
    """PM 3시: the hour is read later."""
    return f"{PERIODS[match['period'].lower()]} "


def duration(match: re.Match[str]) -> str:
    """1:23:45 of a race: hours, minutes and seconds that it took."""
    hours = int(match["h"])
    said = f"{counted(match['h'], NATIVE['시간'])} 시간 " if hours else ""
    return f"{said}{sino(match['m'])}분 {sino(match['s'])}초"


def half_day(match: re.Match[str]) -> str:
    """9 pm: 오후 아홉시."""
    return f"{PERIODS[match['after'].lower()]} {hour(match['h'])}시"


def hour(digits: str) -> str:
    return counted(digits, NATIVE["시"])


def telephone(match: re.Match[str]) -> str:
    """A telephone number group by group; zero is 공 in Korea's and 영 in others (NeMo)."""
    number = match.group()
    names = (
        "공" + DIGITS[1:] if _KOREAN.match(number) or (not number.startswith(("+", "(")) and _bare(number)) else DIGITS
    )
    groups = re.findall(r"\d+", number)
    if number.startswith("+"):
        return f"국가번호 {one_by_one(groups[0], names)} " + " ".join(one_by_one(group, names) for group in groups[1:])
    return " ".join(one_by_one(group, names) for group in groups)


def _bare(number: str) -> bool:
    return re.fullmatch(r"1[5-9]\d\d-\d{4}", number) is not None


def mobile(match: re.Match[str]) -> str:
    """A number without signs: 01012345678."""
    number = match.group()
    return " ".join(one_by_one(group) for group in (number[:3], number[3:-4], number[-4:]))


def digits(match: re.Match[str]) -> str:
    """Groups of digits one by one; zero is 공."""
    return re.sub(r"\d+", lambda group: one_by_one(group[0]), match.group()).replace("-", " ")


def code(match: re.Match[str]) -> str:
    said = " ".join(one_by_one(group) for group in re.findall(r"\d+", match["n"]))
    return match["cue"] + (match["mid"] or " ") + said + (fitted(said, match["p"]) if match["p"] else "")


def seat(match: re.Match[str]) -> str:
    """12A석: a number and a letter of a seat, a gate or a block, no unit."""
    return f"{sino(match[1])} {latin.letters(match[2])}"


def first_page(match: re.Match[str]) -> str:
    """pp. 3-7: the page from which."""
    return f"페이지 {sino(match[1])}에서 "


def verse(match: re.Match[str]) -> str:
    return f"{match[1]} {sino(match[2])} 장 {sino(match[3])} 절"
