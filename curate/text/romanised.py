"""Khmer and Korean in Latin letters, as acoustic models that know only those want them (`uroman`, MMS).

Letter by letter, not by sound: such models learned from text that was romanised so. The letters are those of the
Unicode names (KHMER LETTER KHA is kha, HANGUL SYLLABLE GWAN is gwan), which is what the universal romaniser uroman
(Hermjakob, May, Knight 2018) builds on too; where the two differ is told in docs/measures/word_times.md.
"""

import re
import unicodedata

VERSION = 1  # raise it when a text comes out otherwise: it enters fingerprints
COENG = "\u17d2"  # what follows it stands below: the consonant before has no vowel of its own
_SIGNS = {"NIKAHIT": "m", "REAHMUK": "h", "YUUKALEAPINTU": "'"}
_SHORT = {"y": "oe", "yy": "oe"}  # of the vowels ឹ and ឺ: what the name writes y is no y


def romanised(text: str) -> str:
    """The text in lower-case Latin letters and apostrophes, word by word; what has no letters is left out."""
    return " ".join(filter(None, map(_word, text.split())))


def _word(word: str) -> str:
    letters: list[str] = []
    inherent = ""  # the vowel of the last Khmer consonant, until another vowel takes its place
    for character in unicodedata.normalize("NFC", word):
        name = unicodedata.name(character, "")
        kind, _, last = name.rpartition(" ")
        if kind == "KHMER LETTER":
            consonant, vowel = _split(last.lower())
            letters += [inherent, consonant]
            inherent = vowel
        elif kind == "KHMER VOWEL SIGN":
            letters.append(_SHORT.get(last.lower(), last.lower()))
            inherent = ""
        elif character == COENG:
            inherent = ""
        elif last in _SIGNS and name.startswith("KHMER SIGN"):
            letters += [inherent, _SIGNS[last]]
            inherent = ""
        elif last == "MUUSIKATOAN":  # makes b of ប into p
            letters = [*letters[:-1], "p"] if letters[-1:] == ["b"] else letters
        elif not name.startswith("KHMER SIGN"):
            letters += [inherent, _other(character, name)]
            inherent = ""
    return "".join([*letters, inherent])


def _split(name: str) -> tuple[str, str]:
    """A consonant's name without its inherent vowel, and that vowel: kha is kh, a."""
    parts = re.fullmatch(r"(.*?)([ao]*)", name)
    assert parts is not None
    return parts[1], parts[2]


def _other(character: str, name: str) -> str:
    """A Korean syllable or an independent Khmer vowel by its name, a Latin letter without its marks; else nothing."""
    for kind in ("HANGUL SYLLABLE ", "KHMER INDEPENDENT VOWEL "):
        if name.startswith(kind):
            return name.removeprefix(kind).partition(" ")[0].lower()  # QOO TYPE ONE is qoo
    plain = unicodedata.normalize("NFKD", character).casefold()
    return "".join(each for each in plain if "a" <= each <= "z" or each == "'")
