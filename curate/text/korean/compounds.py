"""What is inside a Korean word and changes its sound: compounds and Sino-Korean words (표준 발음법 20, 26-29항).

A word is given as its parts, as mecab-ko-dic (Apache-2.0) takes it apart; every rule names a syllable to change. The
lists were judged for gain and for harm on words that must not change: benchmarks/pronunciation_ko.py.
"""

import itertools
from dataclasses import dataclass

from curate.text.korean.hangul import TENSE, final, initial, is_syllable, with_final, with_initial

_MOVING = frozenset("ㄱㄴㄷㄹㅁㅂ")  # finals that a word said alone can end in and that its next vowel takes over
_SONORANT = frozenset("ㄴㄹㅁㅇ")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# 29항: native words before which ㄴ comes in, and Sino-Korean last parts of longer words.
N_BEFORE = _words(
    """
    이불 이슬 이야기 이끼 이마 이랑 이엉 이삭 이파리 잎 잎사귀 입 입술 잇몸 윷 엿 여우 여울 여름 여닫이 여물 여치 여뀌
    열매 양말 양념 일꾼 이음 임자 이웃 열차 여행 요리 윤리 연필 유리 여비 이름 이빨 요법 용품 영화 염료 용수 용지 요금
    양반 여성 연령 영감 이온 염소 요강 염불 연금 연습 양식 용구 연도 이익 요기
    """
)
N_LAST = _words("약 염 용 율 률 역 욕 엿 윷 잎 옆 유 열 육")
# 28항: last parts that are tense after a sonorant in compounds.
TENSE_LAST = _words(
    """
    바닥 가락 줄기 동이 자국 다발 더미 덩이 덩어리 구멍 부리 주머니 버릇 빛 결 속 길 값 거리 방울 짐승 줄 가루 기둥 기운
    재주 재간 단지 동무 삯 자루 구덩이 솜씨 가죽 구석 둑 자리 돌 살 골 독 불
    """
)
# 26, 28항: Sino-Korean last syllables that are tense in words of three syllables and more, and the tag they must have.
SINO_LAST = {"성": "XSN", "권": "", "증": "", "죄": "", "법": "", "과": "NN"}
# 은방울, 한길, 사정거리: what it is made of or like, or how far it is.
_PLAIN_AFTER = _words(
    """
    은 금 돌 쇠 놋 별 왕 큰 군 빈 한 중 단 장 근 원 잔 온 맨 반 냉 된 날 선 생 참 민 홀 굳은 마른 고인 삼
    사정 이동 안전 제동 주행 비행 최단 최장 직선 통학 왕복
    """
)
# ㄴㄹ inside a word of two syllables is [ㄹㄹ], also at the end of a longer word: 대혼란 [대홀란].
_LR_WORDS = _words(
    """
    혼란 곤란 산란 논란 신라 전력 권력 인력 완력 원론 언론 한류 난류 연령 연료 진료 관례 전략 분량 신뢰 관련 훈련 단련
    연락 분류 인류 신록 전례 선례 판례 윤리 논리 원리 본론 반론 변론 전류 본류 난로 선로 활로 진로 관로 간로 전량 관령
    찬란 환란 문란 민란 만료 완료 원료 산림 순례 관료 산록 본령 반란 신례 안료 원림 간류 건류 대관령
    """
)
_LR_LAST = frozenset("란력량론료령례로록림류")
# 30항: ㅅ at the end of these belongs to the word and stands between no two, but for the words of _BETWEEN.
_OWN_S = tuple(
    _words(
        """
        놋 솟 옷 못 맛 붓 낫 뜻 첫 덧 헛 풋 짓 엿 멋 벗 잣 이웃 버섯 그릇 씨앗 다섯 여섯 것 송곳 옛 웃
        엇 삿 돗 숫 잇 셋 넷 탓 굿
        핫 봇 켓 릿 캣 샷 캇 텟 왓 팟 닷 롯 겟 싯 럿 댓 뭇 밋 킷 슷 빗 햇 곳 젓 버릇 갓 깃 나릇
        """
    )
)
_BETWEEN = _words(
    "빗방울 빗줄기 빗길 빗소리 빗발 빗속 빗자루 햇빛 햇살 햇볕 햇발 곳간 젓가락 숫자 댓잎 깃발 깃대 깃봉 갓길 밧줄"
)
_LONG = 2  # syllables of what a Sino-Korean last part follows


@dataclass(frozen=True)
class Part:
    """A part of a word: where it starts in the text, its letters and its tag."""

    start: int
    text: str
    tag: str


def changes(parts: list[Part]) -> dict[int, str]:
    """Which syllables of a noun sound otherwise, by position."""
    syllables = {part.start + len(part.text) - 1: nasal(part.text[-1]) for part in parts if _split_before_last(part)}
    for before, part in itertools.pairwise(parts):
        if before.start + len(before.text) == part.start:
            changed = _boundary(before, part)
            if changed:
                syllables[part.start] = changed
    return syllables


def tensed(syllable: str) -> str:
    """The syllable with a tense initial, if it has one."""
    tense = TENSE.get(initial(syllable))
    return with_initial(syllable, tense) if tense else syllable


def nasal(syllable: str) -> str:
    """The syllable with ㄴ in front: 일 -> 닐, 량 -> 냥."""
    return with_initial(syllable, "ㄴ") if initial(syllable) in ("ㅇ", "ㄹ") else syllable


def _split_before_last(part: Part) -> bool:
    """20항: a noun that the tagger leaves whole, of two syllables and one that begins with ㄹ: 의견란 [의견난]."""
    text = part.text
    long = len(text) > _LONG and text[-1] in _LR_LAST and final(text[-2]) == "ㄴ"
    return long and text[-2:] not in _LR_WORDS and part.tag == "NNG"


def _boundary(before: Part, part: Part) -> str | None:
    coda, onset, long = final(before.text[-1]), initial(part.text[0]), len(before.text) >= _LONG
    if coda and onset == "ㅇ" and (part.text in N_BEFORE or (part.text in N_LAST and long)):
        return nasal(part.text[0])
    if coda == "ㄴ" and onset == "ㄹ" and long and part.text in _LR_LAST:
        return nasal(part.text[0])
    noun = before.tag.startswith("N")  # 찬바람, 빨간불: no adjective
    if coda in _SONORANT and part.text in TENSE_LAST and noun and before.text not in _PLAIN_AFTER:
        return tensed(part.text[0])
    if (not coda or coda in _SONORANT) and long and part.tag.startswith(SINO_LAST.get(part.text, "-")):
        return tensed(part.text[0])
    return None


def between(word: str) -> list[int]:
    """30항: where ㅅ stands between two parts of a noun, before ㄱㄷㅂㅅㅈ: 냇가 [내까], also [낻까]."""
    return [
        at
        for at, (letter, after) in enumerate(itertools.pairwise(word))
        if is_syllable(letter) and is_syllable(after) and final(letter) == "ㅅ" and initial(after) in TENSE
        if not word[: at + 1].endswith(_OWN_S) or any(word.startswith(one, at) for one in _BETWEEN)
    ]


def without_s(pair: str) -> str:
    """Two syllables as they sound when the ㅅ between them is not heard: 냇가 -> 내까."""
    return with_final(pair[0], "") + tensed(pair[1])


def moved(syllable: str, after: str) -> tuple[str, str]:
    """A simple final as the initial of the syllable after it: 첟, 인 -> 처, 딘; none and ㅇ stay."""
    coda = final(syllable)
    return (with_final(syllable, ""), with_initial(after, coda)) if coda in _MOVING else (syllable, after)
