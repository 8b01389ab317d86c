"""What the ASR heard, held against what was given: character error rate, language, and the speech to judge them on."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.errors import UserError

VERSION = 1  # raise it when `speech_only` or the language check answers otherwise: it enters their keys

Samples = NDArray[np.float32]
MOSTLY_SPEECH = 0.75  # p(declared) of such clips is the same within 0.04, heard whole or as speech alone
ACTIVE_FRAME, ACTIVE_DEPTH = 320, 40.0  # samples at 16 kHz; dB
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
    return folded.translate(_COUNTED)


class _Counted(dict[int, int | None]):
    """Code points to themselves, or to None where they do not count; each is looked up once."""

    def __missing__(self, code: int) -> int | None:
        counted = unicodedata.category(chr(code))[0] not in IGNORED
        self[code] = code if counted else None
        return self[code]


_COUNTED = _Counted()


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


def mostly_speech(samples: Samples, spans: Sequence[tuple[int, int]]) -> Samples:
    """The clip itself where MOSTLY_SPEECH of it is speech, else its speech alone: long silence makes a model guess."""
    speech = speech_only(samples, spans)
    return samples if len(speech) >= MOSTLY_SPEECH * len(samples) else speech


def levelled(samples: Samples, level: float) -> Samples:
    """The clip with its active frames (20 ms, within 40 dB of the loudest) at an RMS of `level` dBFS.

    A clip without sound, or with NaN, comes back as it is. Peaks may pass 1: who listens scales them.
    """
    frames = samples[: len(samples) // ACTIVE_FRAME * ACTIVE_FRAME].reshape(-1, ACTIVE_FRAME).astype(np.float64)
    power = (frames**2).mean(axis=1) if len(frames) else np.zeros(1)
    loudest = float(power.max())  # NaN for a clip with NaN
    if not 0 < loudest < np.inf:
        return samples
    active = float(power[power >= loudest * 10 ** (-ACTIVE_DEPTH / 10)].mean())
    return np.asarray(samples * (10 ** (level / 20) / active**0.5), dtype=np.float32)


def speech_only(samples: Samples, spans: Sequence[tuple[int, int]]) -> Samples:
    """The speech of a clip, joined; spans are half-open, in samples of this clip, and are held to its length."""
    parts = [samples[max(0, start) : max(0, end)] for start, end in spans]
    return np.concatenate([samples[:0], *parts])
