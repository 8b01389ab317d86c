"""Latin words, acronyms and addresses of the net inside Khmer text.

Capitals are spelled by the names of their letters; words that Khmer has taken over are read from a table; what is left
stays in Latin letters and is reported. Addresses follow google/language-resources km/textnorm (electronic).
"""

import re

from curate.text.cleaning import LATIN
from curate.text.khmer.numbers import DIGITS
from curate.text.khmer.tables import ACRONYMS, CASED, LETTERS, LOANS, PARTS_OF_ADDRESSES, SHORTENED, SPELLED, TITLES
from curate.text.rules import TextRule

_SIGNS = {
    ".": "ដត់", "@": "អ៊ែត", "_": "អាន់ឌើស្ករ", "-": "ត្រេ", ":": "ចុចពីរ", "/": "ស្លាស", "?": "សញ្ញាសួរ", "=": "ស្មើ",
    "&": "និង", "%": "ភាគរយ", "#": "ទ្រុងជ្រូក", "+": "បូក", "~": "ប្រហែល",
}  # fmt: skip
_PROTOCOL = "ចុចពីរបន្ទាត់ទ្រេតពីរ"  # ://
_DOMAINS = "com|org|net|edu|gov|info|asia|io|kh"
_NAME = r"[A-Za-z0-9-]{1,63}+"
_EMAIL = rf"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]++@{_NAME}(?:\.{_NAME})++"
_URL = r"(?<![A-Za-z])(?:https?://|www\.)[!-;=?-~]{1,300}"
_BARE = rf"(?<![A-Za-z0-9.@-])(?:{_NAME}\.){{1,4}}(?:{_DOMAINS})(?![A-Za-z0-9-])(?:/[!-;=?-~]{{0,200}})?"
_SHORT = rf"(?<![A-Za-z0-9.@-])(?:{_NAME}\.){{1,3}}(?:ly|me|gl|gle|co|be|tv|app|dev|us|vn|th|sg)/[!-;=?-~]{{1,200}}"
_ADDRESS = re.compile(f"{_URL}|{_EMAIL}|{_BARE}|{_SHORT}", re.IGNORECASE)
_PIECE = re.compile(r"://|[A-Za-z]+|\d|.", re.DOTALL)
_HASHTAG = re.compile(rf"(?<![\w#\u17b4-\u17dd])#(?=[{LATIN}\u1780-\u17b3])([\w\u17b4-\u17dd]{{1,100}})")
_WORD = rf"[{LATIN}](?:[{LATIN}'’]|[.&-](?=[{LATIN}]))*+\.?+"
_RUN = re.compile(rf"(?<![{LATIN}]){_WORD}(?: {_WORD})*+")
_HOUSE = re.compile("ផ្ទះ|បន្ទប់|ផ្លូវ")
_KHMER = re.compile("[\u1780-\u17b3]")
_CAPITALS = re.compile("[A-Z]{2,}s?")
_MOST_LETTERS = 4  # longer capitals with vowels between are more often a word than an acronym
_VOWELLESS = re.compile(r"[^AEIOUY]+|[A-Z]*[^AEIOUY]{4}[A-Z]*")


def _address(match: re.Match[str]) -> str:
    address = match.group().rstrip(".,;:!?)'")
    spoken = " ".join(_piece(piece) for piece in _PIECE.findall(address))
    return spoken + match.group()[len(address) :]


def _piece(piece: str) -> str:
    if piece == "://":
        return _PROTOCOL
    if piece.isdigit():
        return DIGITS[int(piece)]
    if piece.lower() == "www":
        return " ".join([LETTERS["W"]] * 3)
    return PARTS_OF_ADDRESSES.get(piece.lower()) or _SIGNS.get(piece) or spelled(piece)


def spelled(letters: str) -> str:
    """The names of the letters; what is no letter of English stays."""
    return "".join(LETTERS.get(letter, letter) for letter in letters.upper())


def house_letters(match: re.Match[str]) -> str:
    """Letters of a house's number, which need not be capitals: ផ្ទះលេខ 25Eo."""
    house = _HOUSE.search(match.string, max(0, match.start() - 20), match.start())
    return spelled(match["letters"]) if house else match.group()


def _hashtag(match: re.Match[str]) -> str:
    return f"{_SIGNS['#']} {match[1].lower().replace('_', ' ')}"


def _run(match: re.Match[str]) -> str:
    """Words in a row: read one by one, or left as they are where most of them are words of another language."""
    words = match.group().split(" ")
    before = match.string[max(0, match.start() - 2) : match.start()]
    if len(match.group()) == 1 and before.endswith((":", ";", ":-")):
        return match.group()  # a smiling face
    glued = before[-1:] >= "\u1780" and not match.string.endswith("ជាង", 0, match.start())
    if glued and len(words[0]) == 1 and words[0].islower():
        return match.group()  # 5s: a letter of the number before it
    if before.endswith("_") or match.string.startswith("_", match.end()):
        return match.group()  # a name in a program: file_name
    readings = [_word(word) for word in words]
    unknown = readings.count(None)
    unknown += sum(len(word) == 1 and word.islower() for word in words) if unknown else 0
    if unknown > 1:
        return _in_phrase(match, words)
    joined = match.string[match.end() : match.end() + 1] not in ("", " ")  # S23: a letter of the number behind it
    lone = {
        at
        for at, word in enumerate(words)
        if unknown and len(word) == 1 and (word.islower() or at + 1 < len(words) or not joined)
    }
    return " ".join(word if at in lone else readings[at] or word for at, word in enumerate(words))


def _in_phrase(match: re.Match[str], words: list[str]) -> str:
    """In a phrase of another language only capitals are read, and only where Khmer is near."""
    text, start, end = match.string, match.start(), match.end()
    if not (_KHMER.search(text, max(0, start - 200), start) or _KHMER.search(text, end, end + 200)):
        return match.group()
    return " ".join((_CAPITALS.fullmatch(word) and _word(word)) or word for word in words)


def _word(word: str) -> str | None:
    """How one word is said, or None."""
    core = word.rstrip(".")
    if core in TITLES and (word != core or core == "Miss"):
        return TITLES[core]
    if core in SHORTENED:
        return SHORTENED[core]
    if core in CASED:
        return CASED[core]
    if core.lower() in SPELLED or re.fullmatch("[a-z]", core):
        return spelled(core) + word[len(core) :]
    known = LOANS.get(core.lower().replace("’", "'"))
    if known:
        return known + word[len(core) :]
    if re.fullmatch(r"[A-Z](?:\.[A-Z])+", core):
        return _acronym(core.replace(".", ""))
    read = _acronym(core) if core.isascii() else None
    if read is None and re.search("[&-]", core):
        parts = [_word(part) for part in re.split("[&-]", core)]
        read = None if None in parts else ("អែន" if "&" in core else " ").join(part for part in parts if part)
        if (
            "&" in core and "-" not in core and None in parts and any(parts)
        ):  # B&x: what can be read is read, here as anywhere
            read = "និង".join(reading or part for reading, part in zip(parts, core.split("&"), strict=True))
    return None if read is None else read + word[len(core) :]


def _acronym(core: str) -> str | None:
    """Capitals, perhaps with a plural s."""
    core = core[:-1] if re.fullmatch("[A-Z]{2,}s", core) else core
    if not re.fullmatch("[A-Z]+", core):
        return None
    if core in ACRONYMS:
        return ACRONYMS[core]
    short = len(core) <= _MOST_LETTERS or (len(core) <= _MOST_LETTERS + 2 and _VOWELLESS.fullmatch(core))
    return spelled(core) if short else None


HASHTAG = TextRule("hashtag", _HASHTAG, _hashtag)
ELECTRONIC = (TextRule("address", _ADDRESS, _address), HASHTAG)
WORDS = (TextRule("letters", _RUN, _run),)
