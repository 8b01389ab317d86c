"""Written Korean to spoken Korean: rules in the order in which they apply.

Conventions: 한글 맞춤법 제43항 (a space between numeral and counter, none before 년 월 일 시 분 초 원: NeMo),
표준국어대사전 (유월, 시월), 외래어 표기법 for Latin words, NVIDIA's NeMo-text-processing (Apache-2.0) for dates, times,
money and mail, usage for the rest (telephone zero is 공, ranges 에서, scores 대, hyphened numbers 다시).
"""

import re

from curate.text.cleaning import LATIN
from curate.text.korean import amounts, codes, dates, hanja, latin, places, ranges, symbols
from curate.text.korean.names import DATED_EVENTS, NAMES, SYMBOLS
from curate.text.korean.particles import PARTICLE, with_particle
from curate.text.korean.patterns import (
    AFTER,
    COUNTER,
    DATED,
    DAYS,
    EVENT,
    MINUS,
    PLAIN_NAMES,
    TILDE,
    UNIT,
    N,
)
from curate.text.korean.quantities import QUANTITIES
from curate.text.korean.rates import RATES
from curate.text.korean.science import SCIENCE
from curate.text.korean.scores import SCORES
from curate.text.rules import TextRule, any_of

# What is compared by a sign: a number or one letter.
_OPERAND = r"(?:\d|[A-Za-z](?![A-Za-z])|[^<>]{0,80}[&|=+])"  # behind a figure or letter and <: compared, no title

_SPELLINGS = (
    TextRule(
        "name",
        re.compile(
            rf"(?<![\dA-Za-z])(?P<name>{PLAIN_NAMES})(?![\dA-Za-z]){PARTICLE}|(?<!\d)(?:{any_of(DATED)})(?!\d){EVENT}"
        ),
        with_particle(lambda match: NAMES[match["name"] or match.group()]),
    ),
    TextRule(
        "name",
        re.compile(rf"(?<![\d.,·])(?P<name>{DAYS})(?![\d·]|[.,]\d| ?(?!전)(?:(?:{COUNTER}){AFTER}|{UNIT}|%))"),
        symbols.name,
    ),
    TextRule("event", re.compile(rf"(?<![\d.,·])(\d{{1,2}})·(\d{{1,2}})(?![\d·]){EVENT}"), dates.event),
    TextRule(
        "event",
        re.compile(
            r"(?<![\d.,·])(1[0-2]|[1-9])\.(3[01]|[12]\d|[1-9])(?![\d·]|[.,]\d)"
            rf"(?= ?(?:{any_of(DATED_EVENTS)}))"
        ),
        dates.event,
    ),
    TextRule(
        "compatible", re.compile("[\u2150-\u2188\u2460-\u24ff\u3200-\u33ff\u2113\u2116½¼¾￦]"), symbols.compatible
    ),
    TextRule("name", re.compile(r"(?P<name>\((?:주|사|재)\)|(?<!\S)\(유\)(?=[가-힣]))"), symbols.name),
    TextRule(
        "name", re.compile(r"(?<!\w)(\((?:U|[Yy]ou)\))(?=[가-힣])"), symbols.apart
    ),  # no (유), which is a company's
    TextRule("hanja", re.compile(r"(?<=[가-힣'\"”’」])\(([\u3400-\u9fff ·]{1,40})\)"), symbols.nothing),
    TextRule("hanja", re.compile(r"[\u3400-\u9fff]{1,40}\(([가-힣 ]{1,40})\)"), symbols.inner),
    TextRule("hanja", hanja.PATTERN, hanja.read),
    TextRule("compare", re.compile(r"(?<=[\w)%]) ?(?P<sign><=|>=) ?(?=[\w(-])"), ranges.at_least_sign),
    TextRule(
        "title",
        re.compile(rf"(?<!<)(?:(?<![A-Za-z\d)])<|<(?!{_OPERAND}))(?![\s=,.])([^<>]{{1,80}})(?<![\s,])>(?!>)"),
        symbols.inner,
    ),
    TextRule(
        "emoticon",
        re.compile(r"\^[_.]?\^[;]*|(?<!\S)[:;]-?[)(D](?!\S)|(?<!\w)T[_.]T(?!\w)|-_-;*|>_<|\^\^"),
        symbols.nothing,
    ),
    TextRule("place", places.ROAD, places.road),
    TextRule("place", places.BEFORE_KIND, latin.place),
    TextRule("bullet", re.compile("^[※▶►■□◆◇●○•▪☞] *(?=[가-힣A-Za-z0-9])"), symbols.nothing),
    TextRule(
        "address",
        re.compile(r"(?<![\w.])[A-Za-z][\w.-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z]{2,10}){1,3}(?![A-Za-z])", re.A),
        latin.address,
    ),
    TextRule(
        "address",
        re.compile(
            r"(?<![\w.@])(?:(?:https?://|www\.)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}(?:/[\w.-]{1,60}){0,4}/?"
            r"|[A-Za-z][A-Za-z0-9-]{0,63}(?:\.[A-Za-z0-9-]{1,63}){0,2}\.(?:com|net|org|kr|jp|io|gov|edu)(?![A-Za-z.])"
            r"(?:/[\w.-]{1,60}){0,4})",
            re.A,
        ),
        latin.address,
    ),
    TextRule(
        "extension",
        re.compile(
            r"(?<=[\w)])\.(jpe?g|png|gif|pdf|hwpx?|docx?|xlsx?|pptx?|txt|zip|mp[34]|exe|csv)(?![A-Za-z\d])", re.I
        ),
        latin.extension,
    ),
    TextRule(
        "domain",
        re.compile(rf"(?<![\w.])\.(?P<label>com|net|org|kr|jp|io|gov|edu|exe|pdf|zip|hwp)(?![A-Za-z\d.]){PARTICLE}"),
        with_particle(latin.domain),
    ),
    TextRule(
        "blood", re.compile(rf"(?<![A-Za-z])(?:Rh|RH) ?(?P<sign>[+\-−]){PARTICLE}"), with_particle(symbols.rhesus)
    ),
    TextRule(
        "grade",
        re.compile(r"(?<![A-Za-z])(?P<letter>[A-F])[-−](?= ?(?:학점|등급|이상|이하|를 |을 |까지))"),
        symbols.grade,
    ),
    TextRule("hyphen", re.compile(r"(?<=[A-Za-z]\d)-(?=[A-Za-z]\d)"), lambda match: " "),
    TextRule("underscore", re.compile(r"(?<=[A-Za-z\d])_(?=[A-Za-z\d])"), lambda match: " 언더바 "),
    TextRule(
        "abbreviation", re.compile(r"(?<![A-Za-z.])(Mr|Mrs|Ms|Dr|Jr|Sr|vs|Inc|Ltd|Co)\.(?=[ ,]|$)"), symbols.inner
    ),
    TextRule("era", re.compile(r"(?<![A-Za-z])(?:B\.C\.E?\.?|BCE?) ?(?=\d)"), lambda match: "기원전 "),
    TextRule("era", re.compile(r"(?<![A-Za-z])(?:A\.D\.|AD) ?(?=\d)"), lambda match: "기원후 "),
    TextRule("dotted", re.compile(r"(?<![A-Za-z.])(?:[A-Z]\.){2,8}[A-Z]?(?![A-Za-z])"), latin.dotted),
    TextRule(
        "roman",
        re.compile(
            r"(?<![A-Za-z'])(?P<ordinal>제 ?)?(?P<r>[IVX]{1,7})(?![A-Za-z'.])"
            r"(?P<counter> ?(?:세|장|부|권|급|단계|편|차|과|항)(?![가-힣]{2}))?"
        ),
        symbols.roman_numeral,
    ),
)

_NAMES = (
    TextRule("version", re.compile(r"(?<![A-Za-z])[vV](?:er)?\.? ?(?=\d{1,4}\.\d)"), lambda match: "버전 "),
    TextRule("version", re.compile(r"(?<![A-Za-z])(?:N[Oo]\.?|№) ?1(?![\d.,])"), lambda match: "넘버 원"),
    TextRule("version", re.compile(r"(?<![A-Za-z])(?:N[Oo]|no)\. ?(?=\d)"), lambda match: "넘버 "),
    TextRule("version", re.compile(r"(?<![A-Za-z])[Vv]ol\. ?(?=\d)"), lambda match: "볼륨 "),
    TextRule("version", re.compile(r"(?<![A-Za-z])(?:LV|[Ll]v)\.? ?(?=\d)"), lambda match: "레벨 "),
    TextRule(
        "version", re.compile(r"(?<![A-Za-z])(?P<word>EP|Ep)\. ?(?=\d)"), lambda match: f"{match['word'].upper()} "
    ),
    TextRule("hash", re.compile(r"#(?=\d)"), lambda match: "샵 "),
    TextRule("countdown", re.compile(r"(?<![A-Za-z])D-(?=\d)(?!\d{1,2} ?비자)"), lambda match: "디 마이너스 "),
    TextRule(
        "model",
        re.compile(
            rf"(?P<word>(?<![A-Za-z])[A-Za-z]{{1,20}})-?(?P<n>\d{{1,9}}(?:\.\d{{1,3}})?)(?!\d|[.,]\d){PARTICLE}"
        ),
        with_particle(symbols.model),
    ),
    TextRule("number", re.compile(rf"{MINUS}{N}{PARTICLE}"), with_particle(amounts.number)),
    TextRule("number", re.compile(rf"(?P<minus>)(?P<n>\d++(?:[.,]\d++)*+){PARTICLE}"), with_particle(amounts.number)),
    TextRule(
        "hash",
        re.compile(rf"#(?=[가-힣{LATIN}])(?!(?:[은는이가을를과와]|으?로)(?![가-힣]))"),
        lambda match: "해시태그 ",
    ),
    TextRule(
        "and",
        re.compile(r"(?<=[A-Za-z가-힣]) ?& ?(?=[A-Za-z가-힣])"),
        lambda match: "앤" if " " not in match.group() else " 앤 ",
    ),
    TextRule(
        "equals", re.compile(r"(?P<word>(?<![A-Za-z])[A-Za-z]{1,20}) ?= ?(?=[가-힣A-Za-z(-])"), ranges.equals_word
    ),
    TextRule("latin", re.compile(rf"(?P<word>{latin.PATTERN.pattern}){PARTICLE}"), with_particle(symbols.word)),
    TextRule(
        "equals",
        re.compile(r"(?:(?<=제곱)|(?<=[가-힣]\))|(?<=[영일이삼사오육칠팔구십백천] 도)) ?= ?(?=[가-힣(])"),
        ranges.equals_words,
    ),
    TextRule("equals", re.compile(r"(?<=[가-힣]) ?= ?(?=[가-힣])"), lambda match: ", "),
    TextRule("symbol", re.compile(rf"(?P<sign>[{re.escape(''.join(SYMBOLS))}]){PARTICLE}"), symbols.symbol),
)

# What symbols became may stand beside an arrow or a tilde: once more, so that reading again changes nothing.
_LAST = (
    TextRule("arrow", re.compile(r"(?<=[가-힣A-Za-z]) {0,3}(?:→|⇒|➜|->) {0,3}(?=[가-힣A-Za-z])"), ranges.from_to),
    TextRule(
        "range",
        re.compile(
            rf"(?<=[가-힣A-Za-z])(?<![요다네야아어지죠]){TILDE}(?=[가-힣A-Za-z])|(?<=[시분])[-–](?=[가-힣])"
            rf"|(?<=[년월일시분초]) {{0,3}}{TILDE} {{0,3}}(?=[가-힣])"
        ),
        ranges.from_to,
    ),
)

_FIGURES = (
    *RATES,
    *SCIENCE,
    *dates.DATES,
    *SCORES,
    *dates.TIMES,
    *codes.CODES,
    *ranges.BETWEEN,
    *QUANTITIES,
)
RULES = (*_SPELLINGS, *_FIGURES, *_NAMES, *_LAST)
# Rules for figures that find something where there are none, too: x², sinθ, 3월(월), 서울~부산, A < B.
_ALSO = "formula function power minus subscript weekday range arrow unit compare operator equals"
_ALSO_WITHOUT = frozenset(_ALSO.split())
_LETTERS = (*_SPELLINGS, *(rule for rule in _FIGURES if rule.name in _ALSO_WITHOUT), *_NAMES, *_LAST)
_WRITTEN = re.compile(r"[^가-힣ㄱ-ㅎㅏ-ㅣ ,.?!…]")  # something that is not said as it stands
_COUNTABLE = re.compile("[\\d½¼¾\u2150-\u2188\u2460-\u24ff\u3200-\u33ff]")  # a figure, or what a rule makes one of


def rules_for(text: str) -> tuple[TextRule, ...]:
    """The rules that can find something in the text: none in plain Hangul, those for figures only where some are."""
    if not _WRITTEN.search(text):
        return ()
    return RULES if _COUNTABLE.search(text) else _LETTERS
