"""Written Korean to spoken Korean: rules in the order in which they apply.

Conventions: 한글 맞춤법 제43-44항 (a space between numeral and counter, numerals by ten-thousands),
표준국어대사전 (유월, 시월, 첫 번째), 외래어 표기법 for Latin words, usage for the rest
(telephone zero is 공, ranges 에서, scores 대, hyphened numbers 다시).
"""

import re

from curate.text import korean_latin
from curate.text import korean_readers as readers
from curate.text.hygiene import LATIN
from curate.text.korean_numbers import one_by_one, sino
from curate.text.korean_tables import DEGREES, EVENTS, MONEY, NAMES, NATIVE, SINO, SPEEDS, SYMBOLS, UNITS
from curate.text.rules import HEAD, NUMBER, Rule, any_of

# What may follow a counter: no Hangul, or the first syllable of a particle, suffix or copula. So 3대학 has none.
_FOLLOWING = (
    "은는이가을를의에도만로으와과부까씩쯤정미초당간짜들밖마보처나고며인"
    "였입예뿐뒤후전동반말중경남넘째라란랑치차께배꼴자여하호생"
)
_AFTER = rf"(?![가-힣])|(?=[{_FOLLOWING}])"
_COUNTER = any_of([*NATIVE, *SINO])
_MAGNITUDE = r"(?P<mag>[십백천]?[만억조]|[십백천])"


_AREA = r"(?<![\d+])(?:\+\d{1,3}[ -]?\d{1,2}[ .-]|\(0\d{1,2}\) ?|0\d{1,2}[ .-])"
_N = rf"(?P<n>{NUMBER})"
_B = r"(?P<b>\d++(?:[.,]\d++)*+)"
_MINUS = r"(?<![\w).-])(?P<minus>[-−])?"
_MONEY = any_of(MONEY)
_UNITS = any_of([*UNITS, "µm", "µg", "m^2", "m^3", "ℓ", "㎖"])
_EVENT = rf"(?= ?(?:{any_of(EVENTS)}))"
_DATED = [name for name in NAMES if re.fullmatch(r"\d+[·.]\d+", name)]
_PLAIN_NAMES = any_of(name for name in NAMES if name not in _DATED)
_EMERGENCY = r"(?= ?(?:에 |로 )?(?:신고|구급|구조|소방|상황실|안전|전화))"

RULES = (
    Rule(
        "name",
        re.compile(rf"(?<![\dA-Za-z])(?:{_PLAIN_NAMES})(?![\dA-Za-z])|(?<!\d)(?:{any_of(_DATED)})(?!\d){_EVENT}"),
        readers.name,
    ),
    Rule("compatible", re.compile("[\u2150-\u2188\u2460-\u24ff\u3200-\u33ff\u2116½¼¾￦]"), readers.compatible),
    Rule("hanja", re.compile(r"(?<=[가-힣])\(([\u3400-\u9fff ·]{1,40})\)"), lambda match: ""),
    Rule("hanja", re.compile(r"[\u3400-\u9fff]{1,40}\(([가-힣 ]{1,40})\)"), readers.inner),
    Rule("title", re.compile(r"<([^<>]{1,80})>"), readers.inner),
    Rule(
        "address",
        re.compile(r"(?<![\w.])[A-Za-z][\w.-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z]{2,10}){1,3}(?![A-Za-z])", re.A),
        readers.address,
    ),
    Rule(
        "address",
        re.compile(
            r"(?<![\w.])(?:https?://|www\.)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}(?:/[\w.-]{1,60}){0,4}", re.A
        ),
        readers.address,
    ),
    Rule(
        "date",
        re.compile(
            rf"{HEAD}(?P<year>\d{{4}})([./-]) ?(?P<month>\d{{1,2}})\2 ?(?P<day>\d{{1,2}})(?!\d|-\d)(?:\.(?=\())?"
        ),
        readers.date,
    ),
    Rule("year", re.compile(r"['‘’](?=\d\d ?년)"), readers.year),
    Rule(
        "time",
        re.compile(rf"{HEAD}(?<!:)(?P<h>\d{{1,2}}):(?P<m>\d\d)(?::(?P<s>\d\d))?(?![\d:]) ?분?(?![가-힣]{{2}}기)"),
        readers.time,
    ),
    Rule("telephone", re.compile(rf"{_AREA}\d{{3,4}}[ .-]\d{{4}}(?![\d-])"), readers.telephone),
    Rule("telephone", re.compile(rf"{HEAD}(?:1[5-9]\d\d-\d{{4}}|01\d{{8,9}})(?!\d)"), readers.telephone),
    Rule(
        "telephone",
        re.compile(rf"{HEAD}(?:119|112|114){_EMERGENCY}"),
        lambda match: one_by_one(match.group(), "영일이삼사오육칠팔구"),
    ),
    Rule("score", re.compile(rf"{HEAD}(?<!:)(\d{{1,3}}) ?: ?(\d{{1,3}})(?![\d:])"), readers.score),
    Rule(
        "score",
        re.compile(rf"{HEAD}(\d{{1,3}}) ?대 ?(\d{{1,3}})(?=[^\d가-힣,.]|$|로|으로|의| ?[승패무역])"),
        readers.score,
    ),
    Rule("minus", re.compile(rf"{_N} ?[-−] ?(?=\d++(?:[.,]\d++)*+ ?=)"), readers.minus_sign),
    Rule(
        "range",
        re.compile(rf"(?<![A-Za-z-])(?P<a>{NUMBER}) ?[~∼〜] ?{_B}(?P<gap> ?)(?P<counter>{_COUNTER})?"),
        readers.number_range,
    ),
    Rule(
        "range",
        re.compile(rf"(?<![A-Za-z-])(?P<a>{NUMBER})[-–]{_B}(?P<gap> ?)(?P<counter>{_COUNTER}|%|{_UNITS})"),
        readers.number_range,
    ),
    Rule("range", re.compile(r"(?<=[가-힣%A-Za-z\d]) ?[~∼〜] ?(?=[\d가-힣])"), readers.from_to),
    Rule(
        "score",
        re.compile(rf"{HEAD}(?<!-)(\d{{1,2}})-(\d{{1,2}})(?![\d-])(?=로 |으로 | ?(?:승리|패배|무승부|역전|완승))"),
        readers.score,
    ),
    Rule("hyphen", re.compile(rf"{HEAD}(?<![A-Za-z-])(\d++)-(\d++)(?![.,]\d|-)"), readers.hyphen),
    Rule(
        "ordinal",
        re.compile(rf"(?<![가-힣])제 ?(\d{{1,9}})(?![\d.,])(?:(?P<counter>{_COUNTER})(?:{_AFTER}))?"),
        readers.ordinal,
    ),
    Rule("space", re.compile(r"(?<=[가-힣])(?=\d)"), lambda match: " "),
    Rule(
        "money", re.compile(rf"(?P<sign>{_MONEY}) ?{_N}{_MAGNITUDE}?(?: ?(?:원|달러|유로|엔|파운드))?"), readers.money
    ),
    Rule("money", re.compile(rf"{_N} ?(?P<sign>{_MONEY})(?![A-Za-z])"), readers.money_after),
    Rule("degrees", re.compile(rf"{_MINUS}{_N} ?(?P<unit>{any_of(DEGREES)})"), readers.degrees),
    Rule("degrees", re.compile(rf"(?<![\w).])[-−]{_N} ?(?:도|°)(?![가-힣A-Z])"), readers.below),
    Rule("speed", re.compile(rf"{_N} ?(?P<unit>{any_of(SPEEDS)})(?![A-Za-z])"), readers.speed),
    Rule("unit", re.compile(rf"{_MINUS}{_N} ?(?P<unit>{_UNITS})(?![A-Za-z\d])"), readers.unit),
    Rule("quarter", re.compile(rf"{HEAD}([1-4])/4(?= ?분기)"), lambda match: sino(match[1]) + "사"),
    Rule("fraction", re.compile(rf"{HEAD}(?<!/)(\d{{1,6}})/(\d{{1,6}})(?![\d/])"), readers.fraction),
    Rule("fraction", re.compile(rf"{HEAD}(\d{{1,6}}) ?분의 ?(\d{{1,6}})(?![\d.,])"), readers.fraction),
    Rule(
        "magnitude",
        re.compile(rf"{_N}{_MAGNITUDE}(?P<more>[여몇])?(?P<close>(?=\d|{_COUNTER}))?(?:(?=\d|{_COUNTER})|{_AFTER})"),
        readers.magnitude,
    ),
    Rule(
        "counter",
        re.compile(rf"{_N}(?P<more>여)? ?(?P<counter>{_COUNTER})(?:(?<=[가-힣][가-힣])|{_AFTER})"),
        readers.counter,
    ),
    Rule("operator", re.compile(r"(?<=\d) ?([+×÷*x]) ?(?=\d)"), readers.operator),
    Rule("equals", re.compile(rf"{_N} ?= ?(?=[\d-])"), readers.equals),
    Rule("version", re.compile(r"(?<![A-Za-z])[vV](?:er)?\.? ?(?=\d{1,4}\.\d)"), lambda match: "버전 "),
    Rule("version", re.compile(r"(?<![A-Za-z])[Nn]o\. ?(?=\d)"), lambda match: "넘버 "),
    Rule("model", re.compile(r"([A-Za-z])-?(\d{1,9})(?![\d.,])"), readers.model),
    Rule("number", re.compile(rf"{_MINUS}{_N}"), readers.number),
    Rule("number", re.compile(r"(?P<minus>)(?P<n>\d++(?:[.,]\d++)*+)"), readers.number),
    Rule("hash", re.compile(rf"#(?=[가-힣{LATIN}])"), readers.hash),
    Rule("and", re.compile(r"(?<=[A-Za-z]) ?& ?(?=[A-Za-z])"), readers.ampersand),
    Rule("latin", korean_latin.PATTERN, readers.word),
    Rule("symbol", re.compile(f"[{re.escape(''.join(SYMBOLS))}]"), readers.symbol),
)
