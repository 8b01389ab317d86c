"""Latin letters in Korean text: acronyms by letters, English words by CMUdict and the loanword rules, addresses."""

import functools
import re
import unicodedata
from importlib.resources import files

from curate.text.cleaning import LATIN
from curate.text.korean import english, places
from curate.text.korean.loanwords import LETTERS, WORDS
from curate.text.korean.numbers import one_by_one

PATTERN = re.compile(rf"[{LATIN}]+(?:['’][A-Za-z]{{1,2}}(?![A-Za-z]))?")
LONGEST = 40  # letters; a longer run is no word
_PARTS = {"web": "웹", "bit": "비트"}  # parts of compounds that usage writes in another way than the rules
_HUMPS = re.compile("[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]")


def read(word: str) -> str:
    """One word of Latin letters in Hangul; letters without a base in ASCII and unknown words stay as they are."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))
    plain = plain.replace("’", "'")
    if not re.fullmatch("[A-Za-z']+", plain) or len(plain) > LONGEST:
        return word
    return _read(plain) or word


@functools.lru_cache(maxsize=20_000)
def _read(word: str) -> str:
    known = WORDS.get(word) or WORDS.get(word.lower())
    if known:
        return known
    if _is_acronym(word):
        return letters(word)
    return (
        _english(word.lower())
        or _parts(word)
        or ("" if len(word) > 4 and re.search("[aeiouy]", word) else letters(word))
    )


def letters(word: str) -> str:
    """The names of the letters: TV is 티브이."""
    return "".join(LETTERS[letter] for letter in word.upper() if letter in LETTERS)


def _is_acronym(word: str) -> bool:
    capitals = word.rstrip("s") if word[-1:] == "s" and word[:-1].isupper() else word
    vowels = re.search("[AEIOU]", capitals)
    return (
        len(word) == 1
        or (capitals.isupper() and (len(capitals) <= 3 or not vowels))
        or not re.search("[aeiouyAEIOUY]", word)
    )


def _parts(word: str) -> str:
    """A name written with inner capitals, part by part: ChatGPT is 챗지피티."""
    humps = _HUMPS.findall(word)
    if len(humps) < 2 or "".join(humps) != word:
        return ""
    readings = [_read(hump) for hump in humps]
    return "".join(readings) if all(readings) else ""


def _english(word: str) -> str:
    """An English word in Hangul, or nothing where CMUdict (BSD, bundled by ko-speech-tools) lacks it and its parts."""
    stem = word.removesuffix("'s") if not _phones(word) else word
    plain = stem.replace("'", "")
    place = english.split(plain, _phones) if len(plain) > 5 else 0
    if place:
        reading = "".join(_PARTS.get(part) or _english(part) for part in (plain[:place], plain[place:]))
    elif _phones(stem):
        reading = english.hangul(plain, _phones(stem))
    elif plain.endswith("s") and len(plain) > 4 and (WORDS.get(plain[:-1]) or _phones(plain[:-1])):
        reading = (WORDS.get(plain[:-1]) or _english(plain[:-1])) + "스"
    else:
        return ""
    return reading + ("스" if stem != word and reading else "")


def _phones(word: str) -> list[str]:
    return _dictionary().get(word, "").split("#")[0].split()


@functools.cache
def _dictionary() -> dict[str, str]:
    text = files("ko_speech_tools").joinpath("data/cmudict/cmudict.dict").read_text(encoding="utf-8")
    return dict(line.split(" ", 1) for line in text.splitlines() if " " in line)


def address(match: re.Match[str]) -> str:
    """A mail address or a web address, part by part; the dot is 닷 (NeMo)."""
    parts = re.findall(r"[A-Za-z]+|\d+|[.@/_:?=&-]", re.sub("^https?://", "", match.group()))
    names = {
        ".": "닷",
        "@": "골뱅이",
        "/": "슬래시",
        "_": "언더바",
        "-": "대시",
        ":": "콜론",
        "?": "물음표",
        "=": "이퀄",
    }
    label = _korean_label if "kr" in parts else _label
    reading = " ".join(names.get(part) or (one_by_one(part) if part.isdigit() else label(part)) for part in parts)
    return reading.replace("닷 컴", "닷컴").replace("닷 네트", "닷 넷")


def _label(part: str) -> str:
    spelled = part.lower() if part.lower() in ("com", "net", "app") else (part.upper() if len(part) <= 3 else part)
    read_as = read(spelled)
    return letters(part) if read_as == spelled else read_as


def _korean_label(part: str) -> str:
    """A label of a Korean address: a Korean name where it is no word known; of one syllable it is an acronym (moel)."""
    name = "" if is_known(part) else places.read(part)
    return name if len(name) > 1 else _label(part)


def is_known(word: str) -> bool:
    """Whether a table or CMUdict has the word as a whole."""
    return bool(WORDS.get(word) or WORDS.get(word.lower()) or _phones(word.lower()))


def place(match: re.Match[str]) -> str:
    """samsori길: a Korean name before what only a place can be; what can be none stays."""
    name = match["name"]
    known = name.lower() not in places.KNOWN and is_known(name)
    return name if known else places.read(name) or name


def extension(match: re.Match[str]) -> str:
    return f" 닷 {letters(match[1])}"


def domain(match: re.Match[str]) -> str:
    """.com by itself: 닷컴."""
    return "닷" + ({"com": "컴", "net": "넷"}.get(match["label"]) or letters(match["label"]))


def dotted(match: re.Match[str]) -> str:
    """U.S.A. by its letters."""
    return letters(match.group())
