"""Latin letters in Korean text: acronyms by their letters, English words by CMUdict and the loanword rules."""

import functools
import re
import unicodedata
from importlib.resources import files
from typing import Any, cast

from curate.text.hygiene import LATIN
from curate.text.korean_tables import LETTERS, WORDS

# The rules leave a stop before [ju] its 으: 컴프유터 for 컴퓨터 (외래어 표기법 제3장 제1절 제9항).
_YU = {"프유": "퓨", "브유": "뷰", "크유": "큐", "그유": "규", "흐유": "휴", "므유": "뮤", "프여": "펴", "크여": "켜"}
PATTERN = re.compile(rf"[{LATIN}]+(?:['’][A-Za-z]{{1,2}}(?![A-Za-z]))?")


def read(word: str) -> str:
    """One word of Latin letters in Hangul; letters that have no base in ASCII stay."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))
    plain = plain.replace("’", "'")
    if not re.fullmatch("[A-Za-z']+", plain):
        return word
    known = WORDS.get(plain.lower())
    if known:
        return known
    if len(plain) == 1 or (plain.isupper() and (len(plain) <= 3 or not re.search("[AEIOU]", plain))):
        return _letters(plain)
    return _english(plain.lower()) or _letters(plain)


def _letters(word: str) -> str:
    return "".join(LETTERS[letter] for letter in word.upper() if letter in LETTERS)


@functools.lru_cache(maxsize=20_000)
def _english(word: str) -> str:
    """An English word in Hangul by g2pk's loanword rules (Apache-2.0), or nothing where CMUdict (BSD) lacks it.

    Taken from ko-speech-tools, which carries the same rules without importing NLTK (5 s).
    """
    phones = _phones(word) or (_phones(word.removesuffix("'s")) if word.endswith("'s") else [])
    if not phones:
        return ""
    from ko_speech_tools.g2p.english import convert_eng

    plain = word.replace("'", "")
    said: str = convert_eng(plain, cast(Any, {plain: [" ".join(phones)]}))
    for apart, together in _YU.items():
        said = said.replace(apart, together)
    return said if re.fullmatch("[가-힣]+", said) else ""


def _phones(word: str) -> list[str]:
    start = _dictionary().find(f"\n{word} ")
    if start < 0:
        return []
    line = _dictionary()[start + 1 : _dictionary().index("\n", start + 1)]
    return line.split("#")[0].split()[1:]


@functools.cache
def _dictionary() -> str:
    return "\n" + files("ko_speech_tools").joinpath("data/cmudict/cmudict.dict").read_text(encoding="utf-8") + "\n"
