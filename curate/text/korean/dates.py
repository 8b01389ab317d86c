"""Dates and times of the day in Korean: how they are written, and how each is said."""

import re

from curate.text.korean.numbers import counted, one_by_one, read, sino
from curate.text.korean.patterns import COUNTER, TILDE, UNIT, WEEK
from curate.text.korean.tables import NATIVE, PERIODS, WEEKDAYS
from curate.text.rules import HEAD, TextRule


def date(match: re.Match[str]) -> str:
    """A whole date with or without its weekday; what is no date stays."""
    groups = match.groupdict()
    year, month, day = groups.get("year"), groups["month"], groups["day"]
    if int(month) > 12 and groups.get("swaps"):
        month, day = day, month
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match.group()
    spoken = f"{month_name(month)} {sino(day)}일"
    spoken = f"{_year(year)}년 {spoken}" if year else spoken
    return spoken + (f" {WEEKDAYS[groups['week']]}" if groups.get("week") else "")


def _year(digits: str) -> str:
    """05 of 2005 is 공오, as in 05년생."""
    return one_by_one(digits) if len(digits) == 2 and digits[0] == "0" else sino(digits)


def to_day(match: re.Match[str]) -> str:
    """The last day of a range, without the year of its first: ~ 5.3."""
    return f"에서 {date(match)}"


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
    return " " + "에서 ".join(days)


def from_day(match: re.Match[str]) -> str:
    """The first day of a range with its weekday, its numbers still in digits; NeMo says 부터 here and for decades."""
    return f"{match['day']} {WEEKDAYS[match['week']]}부터 "


def from_decade(match: re.Match[str]) -> str:
    return f"{sino(match['a'])}부터 "


def years(match: re.Match[str]) -> str:
    """1950-1953년, 2023-26년, (1756-1791): from one year to another, whose number is read later."""
    first, second, named = match["a"], match["b"], match["year"]
    if not (_is_span(first, second) if named else _is_life(match)):
        return match.group()
    if named == "년대":
        return f"{sino(first)}부터 {second}"
    return f"{sino(first)}{'년' if named else ''}에서 {second}"


def _is_span(first: str, second: str) -> bool:
    """Whether the second year is the later one, also where its century is not written: 1998-02년."""
    return int(second) > int(first) if len(second) == 4 else second > first[2:] or second < "10" < "90" < first[2:]


def _is_life(match: re.Match[str]) -> bool:
    """Whether two numbers by themselves are years, and no telephone number: behind a name in brackets, or of late."""
    first, second = match["a"], match["b"]
    near = match.string[max(0, match.start() - 14) : match.start()]
    bracketed = re.search("[가-힣A-Za-z][(]$", near) and match.string.startswith(")", match.end())
    late = first[:2] in ("17", "19", "20")  # no service number begins so
    later = len(second) == 4 and 0 < int(second) - int(first) <= _LIFETIME
    return later and bool(bracketed or late) and not _DIALLED_NEAR.search(near)


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
    spoken_hours = f"{counted(match['h'], NATIVE['시간'])} 시간 " if hours else ""
    return f"{spoken_hours}{sino(match['m'])}분 {sino(match['s'])}초"


def half_day(match: re.Match[str]) -> str:
    """9 pm: 오후 아홉시."""
    return f"{PERIODS[match['after'].lower()]} {hour(match['h'])}시"


def hour(digits: str) -> str:
    return counted(digits, NATIVE["시"])


def season(match: re.Match[str]) -> str:
    """2023-24시즌: a season of two years, one after the other."""
    first, second = match["a"], match["b"]
    if (int(first) + 1 - int(second)) % 100:
        return match.group()
    return f"{read(first)} {read(second)} "


def hundredths(match: re.Match[str]) -> str:
    """9초58: of a second, figure by figure."""
    return f"{sino(match[1])}초 {one_by_one(match[2])}"


_DIALLED_NEAR = re.compile("전화|문의|연락|상담|번호|팩스|센터|고객|대표|예약|[☎☏℡]|(?i:tel|fax)")
_LIFETIME = 120  # years
_LEAGUE = (  # what has a season of two years
    r"(?= ?(?:[가-힣A-Z]{1,8} )?"
    r"(?:시즌|회계연도|학년도|[가-힣A-Z]{0,6}리그|라리가|분데스리가|세리에|[A-Z]{3}(?![A-Za-z])))"
)
DATES = (
    TextRule(
        "season",
        re.compile(rf"{HEAD}(?<![-/])(?P<a>(?:19|20)?\d\d)[-–/](?P<b>(?:19|20)?\d\d)(?![\d-]|[./,]\d){_LEAGUE} ?"),
        season,
    ),
    TextRule(
        "years",
        re.compile(
            rf"{HEAD}(?<![A-Za-z/-])(?P<a>1\d{{3}}|20\d\d)[-–](?P<b>1\d{{3}}|20\d\d|\d\d)(?![\d-]|[.,/:]\d)"
            r"(?:(?= ?(?P<year>년대?)(?![생식]))|)"
        ),
        years,
    ),
    TextRule(
        "date",
        re.compile(
            rf"{HEAD}(?P<year>\d{{4}})(?P<mark>[./-]) ?(?P<month>\d{{1,2}})(?P=mark) ?(?P<day>\d{{1,2}})"
            rf"(?!\d|-\d)(?:\.(?=\(|,| ?{TILDE}| ?[가-힣]))?{WEEK}"
        ),
        date,
    ),
    TextRule(
        "date",
        re.compile(rf"{HEAD}(?P<month>\d{{1,2}})/(?P<swaps>(?P<day>\d{{1,2}}))/(?P<year>\d{{4}})(?![\d/]){WEEK}"),
        date,
    ),
    TextRule(
        "date",
        re.compile(
            rf"(?<![A-Za-z전] )(?<![\dA-Za-z.])['‘’]?(?P<year>\d\d)\. ?(?P<month>\d{{1,2}})\. ?(?P<day>\d{{1,2}})"
            rf"(?!\d|[.,]\d|[%A-Za-z])(?:\.(?=\(|,| ?{TILDE}| [가-힣]))?{WEEK}"
        ),
        date,
    ),
    TextRule(
        "date",
        re.compile(r"(?<![\d.,/-])(?P<year>(?:19|20)\d\d)\. ?(?P<month>1[0-2]|0?[1-9])\.(?! ?\d)"),
        month_of_year,
    ),
    TextRule(
        "date",
        re.compile(r"(?<![\d/.])(?P<month>\d{1,2})[./](?P<day>\d{1,2})\((?P<week>[월화수목금토일])\)"),
        date,
    ),
    TextRule(
        "date",
        re.compile(
            r"(?:(?<=[가-힣]일 )(?<!매일 )(?<!과일 )|(?<=오는 )|(?<=지난 )|(?<=올해 )|(?<=내년 )|(?<=작년 )"
            r"|(?<=다음 달 ))"
            rf"(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})(?![\d/]| ?(?:{COUNTER}|{UNIT}))"
            r"|(?<![\d/.])(?<!의 )(?P<month2>\d{1,2})/(?P<day2>\d{1,2})"
            r"(?= ?(?:까지|부터|일정|마감|개봉|출시|개강|오전|오후|예정))"
        ),
        day_of_year,
    ),
    TextRule(
        "date",
        re.compile(r"(?<![\d.,/-])(?P<year>(?:19|20)\d\d)[./-](?P<month>0[1-9]|1[0-2])(?![\d%]|[./,-]\d|[A-Za-z])"),
        month_of_year,
    ),
    TextRule(
        "date",
        re.compile(
            r"(?<![\d.,])(?<![\d.] )(?P<month>\d{1,2})(?:\. (?P<day>\d{1,2})\.?|\.(?P<day2>\d{1,2})\.)(?P<month2>)"
            r"(?= ?(?:까지|부터|자(?![가-힣]|로)|에(?![가-힣])|에는|마감))"
        ),
        day_of_year,
    ),
    TextRule(
        "date",
        re.compile(
            r"(?<![\d/.-])(?P<year>\d\d)(?P<mark>[/-])(?P<month>0?[1-9]|1[0-2])(?P=mark)(?P<day>0?[1-9]|[12]\d|3[01])"
            rf"(?![\d/-]|[.,]\d){WEEK}"
        ),
        date,
    ),
    TextRule(
        "date",
        re.compile(
            r"(?<![\d/.])(?P<month>1[0-2]|0?[1-9])/(?P<day>0?[1-9]|[12]\d|3[01])"
            rf"(?= ?{TILDE} ?(?:1[0-2]|0?[1-9])/(?:0?[1-9]|[12]\d|3[01])(?![\d/]| ?(?:{COUNTER}|{UNIT})))"
        ),
        date,
    ),
    TextRule(
        "date",
        re.compile(
            rf"(?P<before>(?<=일) ?{TILDE} ?)(?P<month>1[0-2]|0?[1-9])(?:/|\. ?)(?P<day>0?[1-9]|[12]\d|3[01])"
            rf"(?!\d|[.,/]\d)(?:\.(?=\(|,| ?[가-힣]))?{WEEK}"
        ),
        to_day,
    ),
    TextRule("year", re.compile(r"['‘’](?=\d\d ?(?:년|학번))"), lambda match: ""),
    TextRule(
        "from",
        re.compile(
            rf"(?P<day>\d{{1,2}}월 ?\d{{1,2}}일)\((?P<week>[월화수목금토일공])\) ?{TILDE} ?(?=\d{{1,4}} ?[년월일])"
        ),
        from_day,
    ),
    TextRule("from", re.compile(rf"(?<=일 [월화수목금토일]요일) ?{TILDE} ?(?=[\d가-힣])"), lambda match: "부터 "),
    TextRule("from", re.compile(rf"{HEAD}(?P<a>\d{{2,4}}) ?{TILDE} ?(?=\d{{2,4}} ?년대)"), from_decade),
    TextRule("weekday", re.compile(r"(?<=\d일)(?=[월화수목금토일]요일)"), lambda match: " "),
    TextRule("weekday", re.compile(rf"(?<=일)\(([월화수목금토일])(?:{TILDE}([월화수목금토일]))?\)"), weekday),
)
TIMES = (
    TextRule(
        "hundredths",
        re.compile(rf"{HEAD}(\d{{1,2}})초 ?(\d\d)(?!\d|[.,:/-]\d|{TILDE}|[-/A-Za-z]| ?(?:{COUNTER}|{UNIT}))"),
        hundredths,
    ),
    TextRule(
        "duration",
        re.compile(
            rf"{HEAD}(?P<h>\d{{1,2}}):(?P<m>\d\d):(?P<s>\d\d)"
            r"(?=(?:의|로|만에|이라는)? ?(?:기록|완주|골인|우승|주파|만에))"
        ),
        duration,
    ),
    TextRule(
        "time",
        re.compile(
            rf"(?P<before>\b[AaPp]\.?[Mm]\.? ?)?{HEAD}(?<!:)(?P<h>\d{{1,2}}):(?P<m>\d\d)(?::(?P<s>\d\d))?(?![\d:])"
            r"(?: ?분(?=[에부까쯤경정 ,.)~]|$))?(?![가-힣]{2}기)(?: ?(?P<after>[ap]\.m\.|[AaPp][Mm](?![A-Za-z])))?"
        ),
        time,
    ),
    TextRule("time", re.compile(r"(?<![A-Za-z])(?P<period>[AP]M) ?(?=\d{1,2} ?시(?!간))"), period),
    TextRule("time", re.compile(rf"{HEAD}(?P<h>\d{{1,2}}) ?(?P<after>[AaPp][Mm])(?![A-Za-z])"), half_day),
    TextRule(
        "half",
        re.compile(r"(?<=\d)( ?(?:시간|시|달|년|개월|살|되|말|마리|바퀴))반(?![가-힣])"),
        lambda match: match[1] + " 반",
    ),
)
