"""Written Korean to spoken Korean: rules in the order in which they apply.

Conventions: 한글 맞춤법 제43항 (a space between numeral and counter, none before 년 월 일 시 분 초 원: NeMo),
표준국어대사전 (유월, 시월), 외래어 표기법 for Latin words, NVIDIA's NeMo-text-processing (Apache-2.0) for dates, times,
money and mail, usage for the rest (telephone zero is 공, ranges 에서, scores 대, hyphened numbers 다시).
"""

import re

from curate.text.cleaning import LATIN
from curate.text.korean import amounts, codes, dates, hanja, latin, ranges, symbols
from curate.text.korean.labels import SERVED
from curate.text.korean.loanwords import NAMES, SYMBOLS
from curate.text.korean.numbers import sino
from curate.text.korean.particles import PARTICLE, with_particle
from curate.text.korean.patterns import (
    AFTER,
    COUNTER,
    CURRENCY,
    DATED,
    EVENT,
    MAGNITUDE,
    MINUS,
    PER_UNIT,
    PLAIN_NAMES,
    ROUND,
    SIGNED,
    TILDE,
    UNIT,
    VAGUE,
    N,
)
from curate.text.korean.science import SCIENCE
from curate.text.korean.scores import SCORES
from curate.text.korean.tables import DEGREES, PER_ONE, SPEEDS, UNITS
from curate.text.rules import HEAD, NUMBER, TextRule, any_of

# What is compared by a sign: a number or one letter.
_OPERAND = r"(?:\d|[A-Za-z](?![A-Za-z])|[^<>]{0,80}[&|=+])"  # behind a figure or letter and <: compared, no title
_SIDE = rf"(?<![A-Za-z\d<>≤≥] )(?<![A-Za-z\d<>≤≥])([A-Za-z]|{NUMBER})"
_OTHER = r"([A-Za-z](?![A-Za-z'\d.])|\d++(?:[.,]\d++)*+(?![A-Za-z]))"
# Behind these 1+1 is two for one, and no sum.
_SOLD = (
    "(?:" + "|".join(f"(?<={word} .)" for word in ("할인", "할인,", "세일", "세일,", "증정", "편의점", "마트")) + ")"
)

_SIZED = rf"(?:{MINUS}|(?<=\d[만억조천])){N}{MAGNITUDE}? ?"  # 38만 km, and 6000 t of 1만6000 t
_RENT = "월세|보증금|전월세|반전세|보월세|임대료|방세"  # what is paid once and what every month follow: 500/45

_SPELLINGS = (
    TextRule(
        "name",
        re.compile(
            rf"(?<![\dA-Za-z])(?P<name>{PLAIN_NAMES})(?![\dA-Za-z]){PARTICLE}|(?<!\d)(?:{any_of(DATED)})(?!\d){EVENT}"
        ),
        with_particle(lambda match: NAMES[match["name"] or match.group()]),
    ),
    TextRule("event", re.compile(rf"(?<![\d.,·])(\d{{1,2}})·(\d{{1,2}})(?![\d·]){EVENT}"), dates.event),
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
_QUANTITIES = (
    TextRule(
        "compare",
        re.compile(rf"(?<=[가-힣]) ?(?P<sign>[≥≤]) ?(?P<n>\d++(?:[.,]\d++)*+ ?(?:%|{COUNTER}|{UNIT})?)(?![A-Za-z])"),
        ranges.at_least,
    ),
    TextRule(
        "ordinal",
        re.compile(rf"(?<![가-힣])제 ?(\d{{1,9}})(?!\d|[.,]\d)(?: ?(?P<counter>{COUNTER}){AFTER})?"),
        amounts.ordinal,
    ),
    TextRule(
        "ordinal", re.compile(rf"{HEAD}(?P<n>\d{{1,2}})(?P<suffix>째|st|nd|rd|th)(?![A-Za-z가-힣])"), amounts.in_order
    ),
    TextRule(
        "English number",
        re.compile(
            rf"{HEAD}(?P<n>[1-5])(?:{_SOLD}\+(?P<bonus>[1-5])(?!\d| ?=)"
            r"|\+(?P<plus>[1-5])(?= ?(?:행사|이벤트|할인|상품|혜택|세일|증정|구성))"
            r"| ?(?P<counter>아웃|볼|스트라이크|런|룸|피스|톱)(?![가-힣]{2}))"
        ),
        amounts.english_number,
    ),
    TextRule("decimal", re.compile(r"(?<![^\s(\-−+~])\.(?=\d{1,9}(?![\d.]))"), lambda match: "0."),
    TextRule(
        "space", re.compile(r"(?<=[가-힣])(?<!\d[과와십백천만억조])(?<!\d[십백천][만억조])(?=\d)"), lambda match: " "
    ),
    TextRule("equals", re.compile(rf"{N} ?= ?(?=\d[\d.,]{{0,20}} ?[가-힣])"), ranges.equals_counted),
    TextRule(
        "rent",
        re.compile(rf"(?P<cue>(?:{_RENT})[은는이가]? ?)(?P<n>\d{{1,6}}[만억]?)/(?=\d{{1,5}}만?(?![\d/]))"),
        amounts.rent,
    ),
    TextRule(
        "fraction",
        re.compile(rf"{HEAD}(?<!/)(?P<a>\d{{1,3}}\.\d{{1,2}})/(?P<b>\d{{1,3}}(?:\.\d)?)(?![\d/]|[.,]\d){PARTICLE}"),
        with_particle(amounts.rated),
    ),
    TextRule(
        "fraction",
        re.compile(
            rf"(?<![\w).-])(?:(?P<minus>[-−]))?(?:(?<![\d/.,])(?P<whole>\d{{1,6}})[과와] ?)?"
            rf"(?<![/.,])(?P<r>√)?(?<!\d)(?P<a>\d{{1,6}})/"
            rf"(?P<s>√)?(?P<b>\d{{1,6}})(?![\d/]|[.,]\d)(?! ?분기)"
            rf"(?: ?(?P<unit>{any_of([*SPEEDS, *UNITS])})(?![A-Za-z\d/]))?{PARTICLE}"
        ),
        with_particle(amounts.fraction),
    ),
    TextRule(
        "money",
        re.compile(
            rf"(?<![A-Za-z])(?P<sign>{CURRENCY}) ?{N}{MAGNITUDE}?"
            rf"(?: ?(?P<million>million|billion|trillion|[MB](?![A-Za-z])))?"
            rf"(?: ?(?:원|달러|유로|엔|파운드|위안)(?![가-힣]{{2}}))?{PARTICLE}"
        ),
        with_particle(amounts.money),
    ),
    TextRule(
        "money", re.compile(rf"{N} ?(?P<sign>{CURRENCY})(?![A-Za-z]){PARTICLE}"), with_particle(amounts.money_after)
    ),
    TextRule(
        "seat",
        re.compile(rf"{HEAD}(\d{{1,3}})([A-K])(?= ?(?:석|좌석|게이트|구역|블록|탑승구|번 ?출구)(?![가-힣]{{2}}))"),
        symbols.seat,
    ),
    TextRule(
        "degrees", re.compile(rf"{MINUS}{N} ?(?P<unit>{any_of(DEGREES)}){PARTICLE}"), with_particle(amounts.degrees)
    ),
    TextRule("degrees", re.compile(rf"(?<![\w).])[-−]{N} ?(?:도|°)(?![A-Z]){AFTER}"), amounts.below),
    TextRule(
        "speed",
        re.compile(rf"{MINUS}{N} ?(?P<unit>{any_of(SPEEDS)})(?![A-Za-z2²]){PARTICLE}"),
        with_particle(amounts.speed),
    ),
    TextRule(
        "unit",
        re.compile(rf"(?<![A-Za-z\d])(?<!\d )(?P<unit>{any_of(PER_ONE)})(?=당(?![가-힣]{{2}})| ?단위)"),
        lambda match: UNITS[match["unit"]],
    ),
    TextRule("page", re.compile(rf"{N}p(?![A-Za-z\d]){PARTICLE}"), with_particle(amounts.pages)),
    TextRule(
        "unit", re.compile(r"(?<=\d)m(?=\d\d(?![\dA-Za-z])|\d{1,2}(?:\.\d)? ?cm(?![A-Za-z]))"), lambda match: "미터 "
    ),
    TextRule(
        "unit",
        re.compile(rf"{_SIZED}(?P<unit>{UNIT}){PER_UNIT}{PARTICLE}"),
        with_particle(amounts.unit),
    ),
    TextRule(
        "unit",
        re.compile(rf"{_SIZED}(?P<unit>{UNIT})(?P<per>)(?![A-Za-z\d]){PARTICLE}"),
        with_particle(amounts.unit),
    ),
    TextRule(
        "unit",
        re.compile(rf"(?P<before>(?:{VAGUE}|{ROUND}(?= ?[A-Za-z%]{{2}})) ?)(?P<unit>{UNIT})(?![A-Za-z\d/]){PARTICLE}"),
        with_particle(amounts.vague),
    ),
    TextRule("power", re.compile(rf"{N}(?P<power>[²³]){PARTICLE}"), with_particle(amounts.power)),
    TextRule("quarter", re.compile(rf"{HEAD}([1-4])/4(?= ?분기)"), lambda match: sino(match[1]) + "사"),
    TextRule("fraction", re.compile(rf"{HEAD}(\d{{1,6}}) ?분의 ?(\d{{1,6}})(?!\d|[.,]\d)"), amounts.parts),
    TextRule(
        "magnitude",
        re.compile(
            rf"(?<![A-Za-z])(?<![A-Za-z]-){SIGNED}{N}{MAGNITUDE}(?P<more>[여몇])?(?P<close>(?=\d|{COUNTER}))?(?:(?=\d|{COUNTER}|[만억조])|{AFTER})"
        ),
        amounts.magnitude,
    ),
    *(
        TextRule(
            "counter",
            re.compile(
                rf"(?P<before>(?<![가-힣])(?:{any_of(nouns)})[을를도은는]? ){HEAD}(?P<n>\d{{1,3}}) ?"
                rf"(?P<counter>{counter}){AFTER}"
            ),
            amounts.served,
        )
        for counter, nouns in SERVED.items()
    ),
    TextRule(
        "counter",
        re.compile(
            rf"(?<![A-Za-z])(?<![A-Za-z]-){SIGNED}{N}(?P<more>여)?(?P<gap> ?)(?P<counter>{COUNTER})"
            rf"(?:(?<=[가-힣][가-힣])|{AFTER})"
        ),
        amounts.counter,
    ),
    TextRule("counter", re.compile(rf"{N} ?(?P<counter>정)(?=씩|을|의|만|[ ,.)]|$)"), amounts.pieces),
    TextRule("compare", re.compile(rf"{_SIDE} ?([<≤]) ?{_OTHER} ?([<≤]) ?{_OTHER}"), ranges.between),
    TextRule(
        "compare",
        re.compile(rf"{_SIDE} ?([<>≤≥]) ?{_OTHER}(?! ?[<>≤≥])(?P<if>이?면)?(?: ?이?다(?![가-힣]))?"),
        ranges.compare,
    ),
    TextRule(
        "operator",
        re.compile(
            r"(?<=[\d가-힣]) ?([×÷]) ?(?=\d)|(?<=\d) ?([+*]) ?(?=\d)|(?<=[\d터]) ?x ?(?=\d)|(?<=[\d터]) x (?=[가-힣])"
        ),
        ranges.operator,
    ),
    TextRule("equals", re.compile(rf"{N} ?= ?(?=[\d-])"), ranges.equals),
    TextRule("equals", re.compile(r"^= ?(?=[\w(-])"), lambda match: "이퀄 "),
)

_NAMES = (
    TextRule("version", re.compile(r"(?<![A-Za-z])[vV](?:er)?\.? ?(?=\d{1,4}\.\d)"), lambda match: "버전 "),
    TextRule("version", re.compile(r"(?<![A-Za-z])(?:N[Oo]\.?|№) ?1(?![\d.,])"), lambda match: "넘버 원"),
    TextRule("version", re.compile(r"(?<![A-Za-z])(?:N[Oo]|no)\. ?(?=\d)"), lambda match: "넘버 "),
    TextRule("version", re.compile(r"(?<![A-Za-z])[Vv]ol\. ?(?=\d)"), lambda match: "볼륨 "),
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
    TextRule(
        "symbol", re.compile(rf"(?P<sign>[{re.escape(''.join(SYMBOLS))}]){PARTICLE}"), with_particle(symbols.symbol)
    ),
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
    *SCIENCE,
    *dates.DATES,
    *SCORES,
    *dates.TIMES,
    *codes.CODES,
    *ranges.BETWEEN,
    *_QUANTITIES,
)
RULES = (*_SPELLINGS, *_FIGURES, *_NAMES, *_LAST)
_WRITTEN = re.compile(r"[^가-힣ㄱ-ㅎㅏ-ㅣ ,.?!…]")  # something that is not said as it stands
_COUNTABLE = re.compile(rf"[\dA-Za-zα-ωΑ-Ω₀-₉ₙₓ⁰-⁹²³√°<>≤≥=+×÷→⇒➜{TILDE[1:-1]}⅐-⅞①-⑳½¼¾]|\([월화수목금토일]")


def rules_for(text: str) -> tuple[TextRule, ...]:
    """The rules that can find something in the text: none in plain Hangul, those for figures only where some are."""
    if not _WRITTEN.search(text):
        return ()
    return RULES if _COUNTABLE.search(text) else (*_SPELLINGS, *_NAMES, *_LAST)
