"""What the ASR heard, held against what was given: character error rate, language, and the speech to judge them on."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.errors import UserError

VERSION = 1  # raise it when `speech_only` or the language check answers otherwise: it enters their keys

Samples = NDArray[np.float32]
IGNORED = (
    "PSZC"  # punctuation, symbols, separators, control and format (ZWSP, ZWJ, ZWNJ); never M: Khmer vowels and coeng
)


class LanguageCheck(NamedTuple):
    """How sure the model is of the declared language, and of the likeliest other one (probabilities)."""

    declared: float
    other_language: str
    other: float


def character_error_rate(given: str, heard: str) -> float:
    """Edits that turn `heard` into `given`, per code point of `given`; above 1 where much was heard that is not there.

    Both lose punctuation, symbols, spaces and zero-width characters; Latin loses case. Marks stay, unlike in Whisper's
    normaliser and in `\\w`, which make a Khmer line equal to itself without vowels. Digits are compared as they
    stand: write numbers out on both sides before. Nothing given: 0 if nothing was heard, else 1.
    """
    from rapidfuzz.distance import Levenshtein

    expected, recognised = comparable(given), comparable(heard)
    if not expected:
        return float(bool(recognised))
    return Levenshtein.distance(expected, recognised) / len(expected)


def comparable(text: str) -> str:
    """The code points of a text that count when two texts are compared."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return "".join(character for character in folded if unicodedata.category(character)[0] not in IGNORED)


def wrong_language(probabilities: Mapping[str, float], declared: str) -> LanguageCheck | None:
    """What to judge a declared language by; None where nothing could be heard.

    A clip is wrong only where another language is strong and the declared one is weak: Khmer words too short for the
    model get a low probability with no strong rival.
    """
    if not probabilities:
        return None
    if declared not in probabilities:
        raise UserError(f"the language model does not know {declared!r}; declare a language code such as km or ko")
    others = {language: probability for language, probability in probabilities.items() if language != declared}
    other = min(others, key=lambda language: (-others[language], language))
    return LanguageCheck(probabilities[declared], other, others[other])


def speech_only(samples: Samples, spans: Sequence[tuple[int, int]]) -> Samples:
    """The speech of a clip, joined; spans are half-open, in samples of this clip, and are held to its length."""
    parts = [samples[max(0, start) : max(0, end)] for start, end in spans]
    return np.concatenate([samples[:0], *parts])
