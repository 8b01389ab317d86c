"""What a CTC model's vocabulary wants to read, found from the vocabulary: a language's own letters, its syllables taken
apart, or Latin letters."""

import functools
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from curate.errors import UserError
from curate.text import romanised
from curate.text.korean import hangul

NAMES = {"km": "Khmer", "ko": "Korean"}
PROBES = {  # letters that a vocabulary must have before it is taken to write a language
    "km": "កខគងចឆជញដថទធនបផពភមយរលវសហអាិីឹុូួើេែៃោៅំះ្",
    "ko": "키스의고유조건은입술끼리만나야하고특별한기술은필요치않다",
}
ENOUGH = 0.9  # of them


def spelling(folder: Path, vocabulary: Mapping[str, int], language: str) -> Callable[[str], str]:
    """How this vocabulary writes the language: the first way that it has the letters for."""
    probe = PROBES[language]
    for spell in _spellings():
        letters = spell(probe)
        if letters and sum(letter in vocabulary for letter in letters) >= ENOUGH * len(letters):
            return spell
    lacking = [letter for letter in probe if letter not in vocabulary]
    raise UserError(
        f"{folder} has no letters for {NAMES[language]}: its vocabulary lacks {' '.join(lacking[:5])}... "
        f"and Latin ones; name a model that was trained on {NAMES[language]}, or on romanised text"
    )


def _spellings() -> Iterator[Callable[[str], str]]:
    for spell in (_composed, _conjoining, _letters, _latin):
        yield from (spell, functools.partial(_upper, spell))


def _composed(word: str) -> str:
    return unicodedata.normalize("NFC", word).lower()


def _conjoining(word: str) -> str:
    return unicodedata.normalize("NFD", word).lower()


def _letters(word: str) -> str:
    """Korean syllables as the letters that a keyboard has."""
    parts = (
        hangul.initial(each) + hangul.vowel(each) + hangul.final(each) if hangul.is_syllable(each) else each
        for each in word
    )
    return "".join(parts)


def _latin(word: str) -> str:
    return romanised.romanised(word).replace(" ", "")


def _upper(spell: Callable[[str], str], word: str) -> str:
    return spell(word).upper()
