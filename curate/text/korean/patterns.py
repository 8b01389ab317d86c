"""The pieces of patterns that the Korean rules share."""

import re

from curate.text.korean.loanwords import EVENTS, NAMES
from curate.text.korean.tables import MONEY, NATIVE, PER, SINO, UNITS
from curate.text.rules import NUMBER, any_of

# What may follow a counter: no Hangul, or the first syllable of a particle, suffix or copula. So 3대학 has none.
FOLLOWING = (
    "은는이가을를의에도만로으와과부까씩쯤정미초당간짜들밖마보처나고며인"
    "였입예뿐뒤후전동반말중경남넘째라란랑치차께배꼴자여하호생야요네지죠든"
)
AFTER = rf"(?:(?![가-힣])|(?=[{FOLLOWING}]))"
COUNTER = any_of([*NATIVE, *SINO])
MAGNITUDE = r"(?P<mag>[십백천]?[만억조]|[십백천])"
# A particle that takes the shape of the word before it, and nothing behind it but another particle.
PARTICLE = r"(?P<p>(?:은|는|이|가|을|를|과|와)(?![가-힣])|으?로(?=(?:는|도|만|의|서|써|부터)?(?![가-힣])))?"

N = rf"(?P<n>{NUMBER})"
B = r"(?P<b>\d++(?:[.,]\d++)*+)"
MINUS = r"(?<![\w).-])(?P<minus>[-−])?"
# A sign right before the first digit, not a hyphen inside a word, a code or a range.
_SIGNED_UNIT = "원|점|포인트|달러|퍼센트|도|엔|유로"
SIGNED = (
    r"(?:(?<![^\s(])(?P<minus>[-−])(?=\d[\d,.]{0,24} ?(?:[십백천]?[만억조]|[십백천])?여? ?"
    rf"(?:{_SIGNED_UNIT}){AFTER}))?"
)
CURRENCY = any_of(MONEY)
UNIT = any_of([*UNITS, "µm", "µg", "m^2", "m^3", "ℓ", "㎖"])
PER_UNIT = rf"(?:/(?P<per>{any_of(PER)}))?(?![A-Za-z\d/])"
EVENT = rf"(?= ?(?:{any_of(EVENTS)}))"
DATED = [name for name in NAMES if re.fullmatch(r"\d+[·./]\d+", name) and name != "24/7"]
PLAIN_NAMES = any_of(name for name in NAMES if name not in DATED)
TILDE = "[~∼〜～]"
RATIOS = "비율|배율|축척|경쟁률|스코어|확률|승률|교환비|혼합비|가성비|구성비"  # what a ratio with a colon follows
SCORED = "세트|전반전?|후반전?|연장전?|승부차기|쿼터|스코어|점수|최종|합계"  # what a hyphened score follows
NOT_SCORE = r"%|(?:번지|동|호|개|명|분|년|월|일|점|살|세|회)(?![가-힣]{2})"
WEEK = r"(?:\((?P<week>[월화수목금토일공])\))?"
SEP = r"[ .-]"
WON = (
    r"(?= ?(?:로|으로|의)? ?(?:승|완승|역전|패|졌|지고|이[겼기긴겨길]|꺾|앞[섰서선설]|뒤[졌지진질]|리드|무승부|동점"
    r"|비[겼기긴]|제압|격파|눌|끝|마[쳤무]|끌려|밀[렸리린]|물리[쳤치친]|따돌|대승|신승|석패|완패|대패))"
)
