"""Rules for Korean numbers with what they count or measure, and for what stands between two of them.

Part of `curate.text.korean.rules`; what they match is read in `amounts`, `ranges` and `symbols`.
"""

import re

from curate.text.korean import amounts, ranges, symbols
from curate.text.korean.labels import SERVED, SPOONED
from curate.text.korean.numbers import sino
from curate.text.korean.particles import PARTICLE, with_particle
from curate.text.korean.patterns import (
    AFTER,
    COUNTER,
    CURRENCY,
    DIMENSION,
    MAGNITUDE,
    MINUS,
    PER_UNIT,
    ROUND,
    SIGNED,
    UNIT,
    VAGUE,
    N,
)
from curate.text.korean.tables import DEGREES, PER, PER_ONE, SPEEDS, UNITS
from curate.text.rules import HEAD, NUMBER, TextRule, any_of

_SIDE = rf"(?<![A-Za-z\d<>≤≥] )(?<![A-Za-z\d<>≤≥])([A-Za-z]|{NUMBER})"
_OTHER = r"([A-Za-z](?![A-Za-z'\d.])|\d++(?:[.,]\d++)*+(?![A-Za-z]))"
# Behind these 1+1 is two for one, and no sum.
_SOLD = (
    "(?:" + "|".join(f"(?<={word} .)" for word in ("할인", "할인,", "세일", "세일,", "증정", "편의점", "마트")) + ")"
)

_SIZED = rf"(?:{MINUS}|(?<=\d[만억조천])){N}{MAGNITUDE}? ?"  # 38만 km, and 6000 t of 1만6000 t
_RENT = "월세|보증금|전월세|반전세|보월세|임대료|방세"  # what is paid once and what every month follow: 500/45

QUANTITIES = (
    TextRule(
        "compare",
        re.compile(
            r"(?:^|(?<=[가-힣(\[,:;])|(?<=[가-힣,:;] )|(?<=[A-Za-z]{2})|(?<=[A-Za-z]{2} )) ?(?P<sign>[≥≤]|>=|<=) ?"
            rf"(?P<n>\d++(?:[.,]\d++)*+ ?(?:%|{any_of(DEGREES)}|{COUNTER}|{UNIT})?)(?![A-Za-z])"
        ),
        ranges.at_least,
    ),
    TextRule(
        "ordinal",
        re.compile(
            rf"(?:(?<![가-힣])|(?<=[조항호장절편]))제 ?(\d{{1,9}})(?!\d|[.,]\d)(?: ?(?P<counter>{COUNTER}){AFTER})?"
        ),
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
    TextRule(
        "unit", re.compile(r"(?<![\d.,°'′])(?P<feet>\d{1,2})['′] ?(?P<n>\d{1,2}(?:\.\d)?)[\"″](?!\d)"), amounts.feet
    ),
    TextRule(
        "unit",
        re.compile(rf"(?<![\d.,°'′A-Za-z]){N}(?P<sign>[\"″])(?!\d){PARTICLE}"),
        with_particle(amounts.inches),
    ),
    TextRule(
        "spoon",
        re.compile(rf"(?P<before>(?<![가-힣])(?:{any_of(SPOONED)}) ?{NUMBER}(?:/\d)?) ?(?P<spoon>[Tt])(?![A-Za-z\d])"),
        lambda match: match["before"] + (" 큰술" if match["spoon"] == "T" else " 작은술"),
    ),
    TextRule(
        "spoon",
        re.compile(rf"(?P<before>{NUMBER}(?:/\d)?|[½¼¾]) ?(?P<spoon>[Tt]bsp|TBSP|T[sS]|[Tt]sp|ts)(?![A-Za-z\d])\.?"),
        lambda match: match["before"] + (" 작은술" if match["spoon"] in ("tsp", "Tsp", "ts") else " 큰술"),
    ),
    TextRule(
        "operator",
        re.compile(rf"(?<=\d)x(?=\d{{1,6}}(?:\.\d{{1,3}})?(?:x\d{{1,6}}(?:\.\d{{1,3}})?)? ?(?:{UNIT})(?![A-Za-z\d]))"),
        lambda match: " 곱하기 ",
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
        "degrees",
        re.compile(rf"(?<![\w).-])(?P<minus>[-−–])?{N} ?(?P<unit>{any_of(DEGREES)}){PARTICLE}"),
        with_particle(amounts.degrees),
    ),
    TextRule("degrees", re.compile(rf"(?<![\w).])[-−–]{N} ?(?:도|°)(?![A-Z]){AFTER}"), amounts.below),
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
    TextRule(
        "unit",
        re.compile(
            rf"(?<=[\d만억회개⁰¹²³⁴-⁹곱]) ?/(?P<per>{any_of(unit for unit in PER if len(unit) > 1)})(?![A-Za-z\d/²³])"
        ),
        lambda match: f" 퍼 {PER[match['per']]}",
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
            r"(?<=[\d가-힣]) ?([×÷]) ?(?=\d)|(?<=\d) ?([+*]) ?(?=\d)"
            r"|(?<=[\d터]) ?\* ?(?=[\d영일이삼사오육칠팔구십백천만])|(?<=[\d터]) ?x ?(?=\d)|(?<=[\d터]) x (?=[가-힣])"
            rf"|(?<=[\d터]) ?[*x] ?(?={DIMENSION}(?![가-힣]))"
        ),
        ranges.operator,
    ),
    TextRule("equals", re.compile(rf"{N} ?= ?(?=[\d-])"), ranges.equals),
    TextRule("equals", re.compile(r"^= ?(?=[\w(-])"), lambda match: "이퀄 "),
)
