"""How numbers in words sound, from a table of neighbours written by hand: the reference that `pronounced` is held to.

Every pair that stands in a number of four digits, and every end of one before a counter, is written out with its
sound as 표준국어대사전 and 표준 발음법 (13, 18, 20, 23, 26, 29항) give it. A longer number is put together from its
pairs: a syllable has its onset from the pair before it and its coda from the pair behind it. Nothing of `curate` is
used here.
"""

import itertools
import unicodedata

_PAIRS_TEXT = """
이십 이십 삼십 삼십 사십 사십 오십 오십 육십 육씹 칠십 칠씹 팔십 팔씹 구십 구십
이백 이백 삼백 삼백 사백 사백 오백 오백 육백 육빽 칠백 칠백 팔백 팔백 구백 구백
이천 이천 삼천 삼천 사천 사천 오천 오천 육천 육천 칠천 칠천 팔천 팔천 구천 구천
십일 시빌 십이 시비 십삼 십쌈 십사 십싸 십오 시보 십육 심뉵 십칠 십칠 십팔 십팔 십구 십꾸
백일 배길 백이 배기 백삼 백쌈 백사 백싸 백오 배고 백육 뱅뉵 백칠 백칠 백팔 백팔 백구 백꾸 백십 백씹
천일 처닐 천이 처니 천삼 천삼 천사 천사 천오 처노 천육 천뉵 천칠 천칠 천팔 천팔 천구 천구 천십 천십 천백 천백
일일 이릴 이일 이일 삼일 사밀 사일 사일 오일 오일 육일 유길 칠일 치릴 팔일 파릴 구일 구일 십일 시빌 백일 배길 천일 처닐
일원 이뤈 이원 이원 삼원 사뭔 사원 사원 오원 오원 육원 유권 칠원 치뤈 팔원 파뤈 구원 구원 십원 시붠 백원 배권 천원 처눤
일억 이럭 이억 이억 삼억 사먹 사억 사억 오억 오억 육억 유걱 칠억 치럭 팔억 파럭 구억 구억 십억 시벅 백억 배걱 천억 처넉
일년 일련 이년 이년 삼년 삼년 사년 사년 오년 오년 육년 융년 칠년 칠련 팔년 팔련 구년 구년 십년 심년 백년 뱅년 천년 천년
일번 일번 이번 이번 삼번 삼번 사번 사번 오번 오번 육번 육뻔 칠번 칠번 팔번 팔번 구번 구번 십번 십뻔 백번 백뻔 천번 천번
일인 이린 이인 이인 삼인 사민 사인 사인 오인 오인 육인 유긴 칠인 치린 팔인 파린 구인 구인 십인 시빈 백인 배긴 천인 처닌
일위 이뤼 이위 이위 삼위 사뮈 사위 사위 오위 오위 육위 유귀 칠위 치뤼 팔위 파뤼 구위 구위 십위 시뷔 백위 배귀 천위 처뉘
인분 인분
"""
# Digits one by one, as in telephone numbers and behind the decimal point: what the pairs above do not have.
_DIGITS_TEXT = """
일이 이리 일삼 일쌈 일사 일싸 일오 이로 일육 일륙 일칠 일칠 일팔 일팔 일구 일구 일공 일공 일영 이령
이이 이이 이삼 이삼 이사 이사 이오 이오 이육 이육 이칠 이칠 이팔 이팔 이구 이구 이공 이공 이영 이영
삼이 사미 삼삼 삼삼 삼사 삼사 삼오 사모 삼육 삼뉵 삼칠 삼칠 삼팔 삼팔 삼구 삼구 삼공 삼공 삼영 사명
사이 사이 사삼 사삼 사사 사사 사오 사오 사육 사육 사칠 사칠 사팔 사팔 사구 사구 사공 사공 사영 사영
오이 오이 오삼 오삼 오사 오사 오오 오오 오육 오육 오칠 오칠 오팔 오팔 오구 오구 오공 오공 오영 오영
육이 유기 육삼 육쌈 육사 육싸 육오 유고 육육 융뉵 육칠 육칠 육팔 육팔 육구 육꾸 육공 육꽁 육영 유경
칠이 치리 칠삼 칠쌈 칠사 칠싸 칠오 치로 칠육 칠륙 칠칠 칠칠 칠팔 칠팔 칠구 칠구 칠공 칠공 칠영 치령
팔이 파리 팔삼 팔쌈 팔사 팔싸 팔오 파로 팔육 팔륙 팔칠 팔칠 팔팔 팔팔 팔구 팔구 팔공 팔공 팔영 파령
구이 구이 구삼 구삼 구사 구사 구오 구오 구육 구육 구칠 구칠 구팔 구팔 구구 구구 구공 구공 구영 구영
공일 공일 공이 공이 공삼 공삼 공사 공사 공오 공오 공육 공뉵 공칠 공칠 공팔 공팔 공구 공구 공공 공공
영일 영일 영이 영이 영삼 영삼 영사 영사 영오 영오 영육 영뉵 영칠 영칠 영팔 영팔 영구 영구 영영 영영
일점 일쩜 이점 이쩜 삼점 삼쩜 사점 사쩜 오점 오쩜 육점 육쩜 칠점 칠쩜 팔점 팔쩜 구점 구쩜 영점 영쩜 십점 십쩜 백점 백쩜
점일 저밀 점이 저미 점삼 점삼 점사 점사 점오 저모 점육 점뉵 점칠 점칠 점팔 점팔 점구 점구 점영 저명
"""
_WORDS = f"{_PAIRS_TEXT} {_DIGITS_TEXT}".split()
PAIRS = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
_DIGITS = "영일이삼사오육칠팔구"


def sound(word: str) -> str:
    """A number in words, with what counts behind it, as it sounds."""
    onsets, codas = [_letters(word[0])[0]], []
    for pair in map("".join, itertools.pairwise(word)):
        before, after = map(_letters, PAIRS[pair])
        codas.append(before[2])
        onsets.append(after[0])
    codas.append(_letters(word[-1])[2])
    vowels = [_letters(syllable)[1] for syllable in word]
    parts = zip(onsets, vowels, codas, strict=True)
    return unicodedata.normalize("NFC", "".join(onset + vowel + coda for onset, vowel, coda in parts))


def _letters(syllable: str) -> tuple[str, str, str]:
    onset, vowel, *coda = unicodedata.normalize("NFD", syllable)
    return onset, vowel, "".join(coda)


def in_words(value: int) -> str:
    """A number from 1 to 9,999 in Sino-Korean words."""
    word = ""
    for unit, size in (("천", 1000), ("백", 100), ("십", 10), ("", 1)):
        digit = value // size % 10
        if digit:
            word += ("" if digit == 1 and unit else _DIGITS[digit]) + unit
    return word
