"""Dates and times of the day in Khmer: which patterns of writing they have."""

import re

from curate.text.khmer import symbols as say
from curate.text.khmer.numbers import NUMBER_WORD
from curate.text.khmer.tables import COUNTED, ENGLISH_MONTHS, ERAS, MONTH_NAMES, WEEKDAYS
from curate.text.rules import HEAD, Rule, any_of

KHMER = r"\u1780-\u17dd"
DASH = "[-–—~]"
_DAYTIME = r"(ព្រឹក|រសៀល|ល្ងាច|យប់|អធ្រាត្រ|ថ្ងៃត្រង់|[AaPp]\.?[Mm](?![A-Za-z])\.?)"
_ENGLISH = any_of(ENGLISH_MONTHS)
_SLASHED = r"\d{1,4}(?:/\d{1,4}){1,2}"
_ERA = rf"(?:{any_of([*ERAS, *ERAS.values()])})\.?"
_MONTH = any_of(MONTH_NAMES)
_ALONE = rf"(?=$|[^{KHMER}]|ឆ្នាំ)"  # behind the name of a month
_SHORT = any_of(WEEKDAYS)
_WEEKDAY = any_of(WEEKDAYS.values())


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


NAMED_SPANS = (  # from one month or day of the week to another, by their names
    Rule("range", _pattern(rf"(?P<a>{_MONTH}) ?{DASH} ?(?=(?:ខែ ?)?(?:{_MONTH}){_ALONE})"), say.joined_dates),
    Rule("range", _pattern(rf"(?P<a>ថ្ងៃ ?(?:{_WEEKDAY})) ?{DASH} ?(?=(?:ថ្ងៃ ?)?(?:{_WEEKDAY}))"), say.joined_dates),
)
DATES = (
    Rule(
        "date",
        _pattern(
            rf"(?<![A-Za-z])(?P<m1>{_ENGLISH})\.? (?P<d1>\d{{1,2}})(?:, ?| )(?P<y1>\d{{4}})(?![\d.,/])"
            rf"|{HEAD}(?P<day>\d{{1,2}})([ -])(?P<month>{_ENGLISH})(?![A-Za-z])"
            r"(?:\.?,?(?:\5| )(?P<year>\d{4})(?![\d.,/]))?"
        ),
        say.english_date,
    ),
    Rule(
        "range",
        _pattern(rf"(?<![/-]){HEAD}(?P<a>{_SLASHED}) ?{DASH} ?(?={_SLASHED}(?![\d/]))"),
        say.joined_dates,
    ),
    Rule("weekday", _pattern(rf"ថ្ងៃ ?(?P<short>{_SHORT}) ?\. ?(?:ទី ?)?(?=\d)"), say.weekday),
    Rule(
        "weekday",
        _pattern(rf"(?<![{KHMER}.])(?P<short>{_SHORT}) ?\. ?(?:ទី ?)?(?=\d{{1,2}} (?:{_MONTH}|ខែ ?\d))"),
        say.weekday,
    ),
    Rule(
        "date",
        _pattern(
            rf"{HEAD}(?<![/-])(?P<day>\d{{1,2}})(?:([/.-])(?P<month>\d{{1,2}})\2(?P<year>\d{{4}})"
            r"|([/-])(?P<m2>\d{1,2})\5(?P<y2>\d\d)(?! ?ខែ))(?![\d/-]|[.,]\d)"
        ),
        say.date,
    ),
    Rule(
        "date",
        _pattern(rf"{HEAD}(?P<year>\d{{4}})([/.-])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}})(?P<m2>)(?![\d/-]|[.,]\d)"),
        say.date,
    ),
    Rule(
        "date",
        _pattern(
            rf"{HEAD}(?<!ឆ្នាំ)(?:(?P<from>\d{{1,2}}) ?[-–] ?)?(?P<day>\d{{1,2}}) (?:(?P<month>{_MONTH}){_ALONE}|"
            rf"ខែ ?(?P<number>\d{{1,2}})(?![\d.,/:%])(?! ?ថ្ងៃ))"
            rf"(?: (?P<era>{_ERA}) ?(?P<year>\d{{2,4}})(?!\d)|"
            rf" (?P<y2>[12]\d{{3}})(?![\d.,/:-])(?P<after> (?:នៃ|មុន) ?{_ERA})?)?"
        ),
        say.named_date,
    ),
    Rule(
        "date",
        _pattern(
            rf"(?P<named>(?<=ថ្ងៃ)|(?<=ថ្ងៃទី)|(?<=ថ្ងៃ )|(?<=ថ្ងៃទី ))?{HEAD}(?<!/)"
            r"(?P<day>\d{1,2})/(?P<month>\d{1,2})(?![\d/%]|[.,]\d)"
        ),
        say.day_and_month,
    ),
    Rule(
        "date",
        _pattern(
            rf"{HEAD}(?<!/)(?<!លេខ)(?<!លេខ )(?<!ខែ)(?<!ខែ )"
            r"(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)(?![\d/%]|[.,]\d)"
        ),
        say.month_of_year,
    ),
    Rule("date", _pattern(rf"(?:ខែ ?)?(?P<month>{_MONTH}) (?P<year>[12]\d{{3}})(?![\d.,/:-])"), say.month_year),
    Rule("date", _pattern(r"(?<=ខែ)( ?)(?P<m>\d{1,2})(?: |/)(?P<year>[12]\d{3})(?![\d.,/:-])"), say.numbered_month),
    Rule("zero", _pattern(r"(?<=ទី)(?P<gap> ?)0(?=[1-9](?![\d.,]))|(?<=ខែ) ?0(?=[1-9](?![\d.,]))"), say.gap),
    Rule(
        "zero",
        _pattern(rf"{HEAD}(?<![:ៈ៖h])(?<!លេខ)(?<!លេខ )(?P<gap>)0(?=[1-9] ?(?:{any_of(COUNTED)})(?![\u17b6-\u17d3]|ទី))"),
        say.gap,
    ),
    Rule(
        "range",
        _pattern(
            rf"(?P<a>ខែ(?:{_MONTH})(?: ឆ្នាំ(?:{NUMBER_WORD})++)?) ?{DASH} ?"
            rf"(?=(?:{NUMBER_WORD})++ ខែ(?:{_MONTH}){_ALONE})"
        ),
        say.joined_dates,
    ),
    Rule("era", _pattern(rf"(?<![{KHMER}.])({any_of(ERAS)})\.?(?![{KHMER}])"), say.era),
)
TIMES = (
    Rule(
        "duration",
        _pattern(
            rf"(?<!ម៉ោង)(?<!ម៉ោង ){HEAD}(?P<h>\d{{1,2}}) ?h ?(?P<m>\d{{1,2}})"
            r"(?: ?(?:mn|mins?|m)(?![A-Za-z])|(?<=រយៈពេល \dh\d\d)|(?<=រយៈពេល\dh\d\d))"
        ),
        say.duration,
    ),
    Rule("time", _pattern(r"(?P<name>GMT|UTC) ?(?P<sign>[+-]) ?(?P<h>\d{1,2})(?::(?P<m>\d\d))?(?!\d)"), say.zone),
    Rule(
        "time",
        _pattern(
            rf"(?:ម៉ោង ?)?{HEAD}(?<![\d:])(?P<h>\d{{1,2}})(?: ?: ?|[ៈ៖]| ?[hH])(?P<m>\d\d)(?::(?P<s>\d\d))?"
            rf"(?![\d:])(?! ?:)(?: ?(?:នាទី|mn(?![A-Za-z])|mins?(?![A-Za-z])))?(?: ?(?P<period>{_DAYTIME}))?"
        ),
        say.time,
    ),
    Rule(
        "time",
        _pattern(
            rf"ម៉ោង ?(?P<h>\d{{1,2}})\.(?P<m>[0-5]\d)(?P<s>)(?= ?(?:នាទី|{_DAYTIME}))"
            rf"(?: ?នាទី)?(?: ?(?P<period>{_DAYTIME}))?"
        ),
        say.time,
    ),
    Rule(
        "time",
        _pattern(
            rf"(?:ម៉ោង ?)?{HEAD}(?<!:)(?P<h>\d{{1,2}})(?P<m>)(?P<s>) ?"
            r"(?P<period>[AaPp]\.?[Mm](?![A-Za-z])(?:(?<=\..)\.)?)"
        ),
        say.time,
    ),
    Rule("range", _pattern(rf"(?<=[ក-៓]) ?{DASH} ?(?=ម៉ោង)"), say.to),
)
