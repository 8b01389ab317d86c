"""Chinese characters in Korean text: one reading each, words that read otherwise, and the initial-sound rule."""

import functools
import re
from importlib.resources import files

from curate.text.korean.hangul import final, initial, vowel, with_initial

_KANA = re.compile("[\u3040-\u30ff]")
PATTERN = re.compile("[\u3400-\u9fff々]{1,200}")

# Readings that are the usual ones in words, where CLDR sorts by another.
_USUAL = {
    "金": "금",
    "宅": "택",
    "率": "률",
    "茶": "차",
    "更": "갱",
    "泌": "비",
    "龜": "귀",
    "糸": "사",
    "不": "불",
    "匂": "내",
}
_NUMERALS = "〇一二三四五六七八九十百千萬億兆"
_SURNAME = re.compile("金(?![融屬剛曜利額銀賞權鑛庫冠色塔閣品錢貨星石言力])[\u3400-\u9fff]{1,2}$|金$")
# Words whose characters do not read as usual (표준국어대사전); a longer word wins.
_WORDS_TEXT = """
六月 유월 十月 시월 五六月 오뉴월 初八日 초파일 十方 시방 木瓜 모과 牧丹 모란 困難 곤란 論難 논란 議論 의논
許諾 허락 受諾 수락 喜怒哀樂 희로애락 大怒 대로 智異山 지리산 漢拏山 한라산 自轉車 자전거 人力車 인력거
停車場 정거장 車馬 거마 車馬費 거마비 音樂 음악 樂器 악기 樂譜 악보 樂團 악단 聲樂 성악 國樂 국악 娛樂 오락
快樂 쾌락 樂園 낙원 樂觀 낙관 極樂 극락 享樂 향락 苦樂 고락 安樂 안락 道樂 도락 遊說 유세 說客 세객 省略 생략
標識 표지 標識板 표지판 索莫 삭막 要塞 요새 塞翁之馬 새옹지마 窮塞 궁색 閉塞 폐색 語塞 어색 敗北 패배 一切 일체
沈淸 심청 沈氏 심씨 句讀點 구두점 般若 반야 般若心經 반야심경 什器 집기 謁見 알현 行列 행렬 忖度 촌탁 承諾 승낙
龜裂 균열 龜尾 구미 率先 솔선 引率 인솔 輕率 경솔 統率 통솔 率直 솔직 眞率 진솔 家率 가솔 推敲 퇴고 變更 변경
更迭 경질 更正 경정 三更 삼경 五更 오경 容易 용이 簡易 간이 平易 평이 難易度 난이도 安易 안이 雪糖 설탕 砂糖 사탕
沙糖 사탕 湯 탕 相殺 상쇄 殺到 쇄도 惱殺 뇌쇄 減殺 감쇄 便所 변소 小便 소변 大便 대변 便器 변기 便秘 변비 用便 용변
降伏 항복 降服 항복 投降 투항 拓本 탁본 洞察 통찰 洞察力 통찰력 暴惡 포악 橫暴 횡포 復活 부활 復興 부흥
復活節 부활절 憎惡 증오 嫌惡 혐오 惡寒 오한 好惡 호오 狀態 상태 狀況 상황 形狀 형상 現狀 현상 症狀 증상 賞狀 상장
令狀 영장 答狀 답장 告訴狀 고소장 告發狀 고발장 拘束令狀 구속영장 招待狀 초대장 年賀狀 연하장 茶房 다방 茶道 다도
茶菓 다과 茶禮 다례 參拾 삼십 參萬 삼만 數 수 宿 숙 星宿 성수 布施 보시 貯蓄 저축 一杯 일배 內人 나인 宅內 댁내
新女性 신여성 重勞動 중노동 非論理的 비논리적 南男北女 남남북녀 男尊女卑 남존여비 年年歲歲 연년세세
會計年度 회계연도 新年 신년 海千山千 해천산천 分別 분별 奈落 나락 幕間 막간 辰時 진시 生辰 생신 誕辰 탄신 日辰 일진
一日 일일 罷業 파업 刺客 자객 刺殺 척살 則 칙 然則 연즉 葉氏 섭씨 迦葉 가섭 遊戲 유희 六二五 육이오 不實 부실
不知 부지 不渡 부도 金浦 김포 金海 김해 金泉 김천 金堤 김제 金氏 김씨 金哥 김가
"""
_WORDS = dict(zip(_WORDS_TEXT.split()[::2], _WORDS_TEXT.split()[1::2], strict=True))
_LONGEST = max(map(len, _WORDS))
_BU_BEFORE = ("ㄷ", "ㅈ")  # what 不 is 부 before, and not 불


def read(match: re.Match[str]) -> str:
    """A run of Chinese characters in Hangul; beside kana, or with one that has no reading, it stays as it is."""
    run, table = match.group(), _table()
    beside = match.string[max(0, match.start() - 1) : match.start()] + match.string[match.end() : match.end() + 1]
    if any(character not in table for character in run) or _KANA.search(beside):
        return run
    start = not re.match(r"[가-힣\d]", match.string[match.start() - 1]) if match.start() else True
    if start and _SURNAME.match(run) and run not in _WORDS:
        return "김" + _spelled(run[1:], False)
    return _spelled(run, start)


def _spelled(run: str, start: bool) -> str:
    spelled, position = "", 0
    while position < len(run):
        length = next((size for size in range(_LONGEST, 1, -1) if run[position : position + size] in _WORDS), 0)
        if length:
            spelled += _WORDS[run[position : position + length]]
        else:
            first = (start and position == 0) or (len(run) in (4, 6) and position in (2, 4))
            spelled += _one(run, position, spelled, first)
        position += length or 1
    return spelled


def _one(run: str, position: int, before: str, first: bool) -> str:
    character = run[position]
    reading = _table()[character]
    if character == "不" and position + 1 < len(run) and initial(_table()[run[position + 1]][0]) in _BU_BEFORE:
        return "부"
    if first and not (character == "年" and position and run[position - 1] in _NUMERALS):
        return _initial(reading)
    if reading in ("렬", "률") and before and final(before[-1]) in ("", "ㄴ"):
        return "열" if reading == "렬" else "율"
    return reading


def _initial(syllable: str) -> str:
    """두음 법칙 (한글 맞춤법 제10-12항): 녀 becomes 여, 료 becomes 요, 로 becomes 노."""
    if vowel(syllable) in "ㅑㅒㅕㅖㅛㅠㅣ" and initial(syllable) in "ㄴㄹ":
        return with_initial(syllable, "ㅇ")
    return with_initial(syllable, "ㄴ") if initial(syllable) == "ㄹ" else syllable


@functools.cache
def _table() -> dict[str, str]:
    lines = files(__package__).joinpath("hanja.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return {character: reading for reading, characters in rows for character in characters} | _USUAL
