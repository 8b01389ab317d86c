"""Korean names in Latin letters: the Revised Romanisation back to Hangul, for addresses and the net.

Source: 국어의 로마자 표기법 (Ministry of Culture 2000-8), chapter 2. It writes sounds, so what comes back is a
spelling that sounds right and not always the one on the sign (신림 is Sillim). What can be no Korean name stays.
"""

import functools
import re

from curate.text.korean import hangul
from curate.text.korean.technical import pairs

_INITIALS_TEXT = "kk tt pp ss jj ch g n d r l m b s j k t p h"
_VOWELS_TEXT = "yae yeo wae ae ya eo ye wa oe yo wo we wi yu eu ui a e o u i"  # the longer before what they begin with
_INITIALS = dict(zip(_INITIALS_TEXT.split(), "ㄲㄸㅃㅆㅉㅊㄱㄴㄷㄹㄹㅁㅂㅅㅈㅋㅌㅍㅎ", strict=True))
_VOWELS = dict(zip(_VOWELS_TEXT.split(), "ㅒㅕㅙㅐㅑㅓㅖㅘㅚㅛㅝㅞㅟㅠㅡㅢㅏㅔㅗㅜㅣ", strict=True))
_FINALS = {"ng": "ㅇ", "k": "ㄱ", "n": "ㄴ", "t": "ㄷ", "l": "ㄹ", "m": "ㅁ", "p": "ㅂ", "": ""}
_INITIAL = "kk|tt|pp|ss|jj|ch|[gndrlmbsjktph]"
_VOWEL = "|".join(_VOWELS)
# A consonant between vowels begins a syllable, but ng ends one, and n before a glide: Anyang, Minwon.
_SYLLABLE = re.compile(
    rf"(?P<initial>(?<=l)l|(?!l)(?:{_INITIAL})|)(?P<vowel>{_VOWEL})"
    rf"(?P<final>ng|n(?=[wy])|m(?=w)|[kntlmp](?!(?:{_VOWEL}))(?!h(?:{_VOWEL}))|)"
)
_KINDS = {
    "daero": "대로", "ro": "로", "beon-gil": "번길", "gil": "길", "dong": "동", "gu": "구", "si": "시", "gun": "군",
    "eup": "읍", "myeon": "면", "ri": "리", "do": "도",
}  # fmt: skip
# Written as it sounds, and spelled otherwise; and n before g, which looks like ng.
_KNOWN_TEXT = """
teheran 테헤란 jongno 종로 jeolla 전라 jeollanam 전라남 jeollabuk 전라북 sillim 신림 seolleung 선릉 hangang 한강
pangyo 판교 wangsimni 왕십리 jungnang 중랑 seoul 서울 silla 신라 songnisan 속리산 ulleung 울릉 gangneung 강릉
yeongdeungpo 영등포 seongbuk 성북
"""
KNOWN = pairs(_KNOWN_TEXT)
_LEAST = 4  # letters of a name


@functools.lru_cache(maxsize=4096)
def read(name: str) -> str:
    """A name in Hangul, or nothing where it can be none: samsori is 삼소리, site nothing."""
    word = name.lower()
    if word in KNOWN:
        return KNOWN[word]
    syllables, at = [], 0
    while at < len(word):
        match = _SYLLABLE.match(word, at)
        if match is None:
            return ""
        initial = _INITIALS.get(match["initial"], "ㅇ")
        syllables.append(hangul.composed(initial, _VOWELS[match["vowel"]], _FINALS[match["final"]]))
        at = match.end()
    return "".join(syllables) if len(word) >= _LEAST else ""


def road(match: re.Match[str]) -> str:
    """Gangnam-daero, Hannam-dong: a name and what it is a name of."""
    name = read(match["name"])
    return f"{name}{_KINDS[match['kind'].lower()]}" if name else match.group()


ROAD = re.compile(
    rf"(?<![A-Za-z-])(?P<name>[A-Za-z]{{{_LEAST},20}})-(?P<kind>{'|'.join(_KINDS)})(?![A-Za-z])", re.IGNORECASE
)
# A name before what only a place can be; 로 is a particle, too, unless a number of a house follows.
BEFORE_KIND = re.compile(
    rf"(?<![A-Za-z-])(?P<name>[A-Za-z]{{{_LEAST},20}})"
    r"(?=(?:번?길|대로)(?![가-힣])|(?:로|동) ?\d|(?:[읍면리군]|마을)(?![가-힣]))"
)
