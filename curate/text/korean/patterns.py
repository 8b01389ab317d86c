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
# Longer ones, whose first syllable alone may begin another word: 4명한테; endings of the copula in chats: 5개임, 5개래.
ENDINGS = (
    "처럼|한테|같[이은]|거든|잖[아어]|길래|던데|더라|커녕|조차|모두|안팎|군요|구나|랬|냐|니까|래요"
    "|(?:임|래|다|서|분|등|외)(?:[은는이을의에]|으로)?(?![가-힣])"
)
AFTER = rf"(?:(?![가-힣])|(?=[{FOLLOWING}]|{ENDINGS}))"
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
DIMENSION = "(?:가로|세로|높이|폭|너비|길이|두께|깊이|지름)"  # what is said of a size before its number
WEEK = r"(?:\((?P<week>[월화수목금토일공])\))?"
