"""Korean rates by a slash, said the other way round: 72회/분 is 분당 칠십이 회, 1,200원/kg 킬로그램당 천이백원.

`RATES` only move what is per to the front; the figure and its counter or unit are read by the rules that follow. A unit
of measure per another (mg/dL, km/h) is not theirs: it is read in `amounts`, with 퍼 or as a speed. Usage.
"""

import re

from curate.text.korean import amounts, hangul
from curate.text.korean.particles import PARTICLE, fitted
from curate.text.korean.patterns import MAGNITUDE, TILDE, UNIT
from curate.text.korean.tables import PER_ONE
from curate.text.rules import NUMBER, TextRule, any_of

_PER = {
    "일": "하루",
    "day": "하루",
    "주": "주",
    "월": "월",
    "년": "연",
    "연": "연",
    "시간": "시간당",
    "h": "시간당",
    "hr": "시간당",
    "분": "분당",
    "min": "분당",
    "초": "초당",
    "sec": "초당",
    "s": "초당",
    "인": "일인당",
    "명": "한 명당",
    "회": "회당",
}
_THINGS = (
    "개 장 대 병 잔 박스 상자 그릇 마리 통 권 매 세트 팩 포기 포대 건 팀 가구 세대 평 근 "
    "톤 리터 그램 킬로그램 킬로 미터 헥타르 달러 유로 위안"
)
_SPELT = {"l": "L", "m^2": "m2", "km²": "km2", "t": "톤", "ha": "헥타르"}
_COUNTERS = (  # no 일, 월, 년, 시: 5일/월 is a day and its weekday
    "회 번 명 대 장 건 개 원 달러 유로 시간 분 초 톤 그루 마리 잔 병 알 정 캡슐 포 그램 킬로그램 리터 칼로리 "
    "걸음 보 페이지 글자 자 단어 타 쪽 권 곡 편 가구 세대 가마 %"
)
_PACKS = "g kg mg ml mL L m cm 개 매 장 인분 인 명 병 팩 회 박 일 시간 분"  # 원/100g, 원/2인
_MEASURED_PER = {"일", "주", "월", "년", "연", "분", "초", "시간", "인", "명", "회", *_THINGS.split()}  # of Latin units
_MONEY = {"원", "달러", "유로"}
# What may be said of a rate before it, which is then not said again: 분당 72회/분, 하루 3회/일.
_SAID = {
    "하루": "하루(?:에|당)?|매일|(?:1|일)일",
    "주": "주|매주|(?:1|일)주(?:일에)?|일주일에",
    "월": "월|매월|매달|한 달에",
    "연": "연|매년|(?:1|일)년에?",
}
# Nothing more of a word: 3회/일정도 is a rate, and 50명/일반, 10명/월요일, 3명/분야 and 2대/주차장 are none.
_END = (
    r"(?:(?![가-힣])|(?=(?:[은는이가을를과와에만씩]|(?<!회)의|으?로|까지|부터|에서|보다|이상|이하|미만|정도)(?![가-힣])"
    "|이?[였었]|입니다|이[다며고]))"
)


def moved(match: re.Match[str]) -> str:
    """What is per in front of the amount; as it is where a unit is per another one, or the text says it before."""
    per, counter = match["per"], match["counter"] or ""
    if (match["unit"] and per not in _MEASURED_PER) or (match["pack"] and counter not in _MONEY):
        return match.group()
    name = amounts.unit_name(match["unit"], None) if match["unit"] else counter.replace("%", "퍼센트")
    amount = match["amount"] + (fitted(name, match["p"]) if match["p"] else "")
    if match["was"]:
        amount += "이었" if hangul.final(name[-1]) else "였"
    said = f"{match['pack']}당" if match["pack"] else _PER.get(per) or f"{_SPELT.get(per, per)}당"
    before = match.string[max(0, match.start() - 8) : match.start()]
    return (
        amount if re.search(rf"(?<![가-힣])(?:{_SAID.get(said, re.escape(said))}) ?$", before) else f"{said} {amount}"
    )


RATES = (
    TextRule(
        "rate",
        re.compile(
            rf"(?<![A-Za-z/~-])(?<!시 )(?P<amount>{NUMBER}(?:{TILDE}{NUMBER})?{MAGNITUDE}? ?"
            rf"(?:(?P<counter>{any_of(_COUNTERS.split())})|(?P<unit>{UNIT}))) ?/ ?"
            rf"(?:(?P<per>{any_of([*_PER, *_THINGS.split(), *PER_ONE, *_SPELT])})"
            rf"|(?P<pack>\d{{1,4}} ?(?:{any_of(_PACKS.split())})))당?"
            rf"(?![A-Za-z\d/²³^]){_END}{PARTICLE}(?P<was>였)?"
        ),
        moved,
    ),
)
