"""The pieces of patterns that the Korean rules share."""

import re

from curate.text.korean.names import EVENTS, NAMES
from curate.text.korean.tables import MONEY, NATIVE, PER, SINO, UNITS
from curate.text.rules import NUMBER, any_of

# What may follow a counter: no Hangul, or the first syllable of a particle, suffix or copula. So 3대학 has none.
FOLLOWING = (
    "은는이가을를의에도만로으와과부까씩쯤정미초당간짜들밖마보나고며인"
    "였입예뿐뒤후전동반말중경남넘째라란랑치차께배꼴자여하호생야요네지죠든"
)
AFTER = rf"(?:(?![가-힣])|(?=[{FOLLOWING}]|처럼))"
COUNTER = any_of([*NATIVE, *SINO])
MAGNITUDE = r"(?P<mag>[십백천]?[만억조]|[십백천])"

N = rf"(?P<n>{NUMBER})"
B = r"(?P<b>\d++(?:[.,]\d++)*+)"
MINUS = r"(?<![\w).-])(?P<minus>[-−])?"
# A sign right before the first digit, not a hyphen inside a word, a code or a range.
_SIGNED_UNIT = "원|점|포인트|달러|퍼센트|도|엔|유로"
SIGNED = (
    r"(?:(?<![^\s(])(?P<minus>[-−])(?=(?<=[가-힣:] .)\d|\d[\d,.]{0,24} ?(?:[십백천]?[만억조]|[십백천])?여? ?"
    rf"(?:{_SIGNED_UNIT}){AFTER}))?"
)
CURRENCY = any_of(MONEY)
UNIT = any_of([*UNITS, "µm", "µg", "m^2", "m^3", "ℓ", "㎖"])
PER_UNIT = rf"(?:/(?P<per>{any_of(PER)}))?(?![A-Za-z\d/])"
EVENT = rf"(?= ?(?:{any_of(EVENTS)}))"
DATED = [name for name in NAMES if re.fullmatch(r"\d+[·./]\d+", name) and name != "24/7"]
DAYS = any_of(name for name in DATED if "·" in name and name not in ("10·4", "3·1"))  # 6·25 by itself, too
PLAIN_NAMES = any_of(name for name in NAMES if name not in DATED and name != "(유)")  # (유) is U read, too
# A number of words, whose unit is written in Latin: 수백 km, 몇 kg; a unit of one letter only where it is vague.
VAGUE = r"(?<![가-힣])(?:몇|[수몇][십백천만]{1,2}여?)"
ROUND = r"(?<![가-힣])[십백천만억]{1,2}여?"
TILDE = "[~∼〜～]"
WEEK = r"(?:\((?P<week>[월화수목금토일공])\))?"
