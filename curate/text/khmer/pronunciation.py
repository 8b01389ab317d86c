"""How Khmer words sound: their phonemes by khmerphonemizer (MIT), from its lexicon or by its transducer."""

import functools
import re

from curate.text.khmer.segmentation import words
from curate.text.rules import DEFAULT, Options

_LONGEST = 100  # letters of a word that are pronounced at once; no real word is longer
# letters that the transducer does not know, by what they stand for (Unicode chapter 16.4), and signs without a sound
_KNOWN = str.maketrans(
    {"ឝ": "ស", "ឞ": "ស", "ឣ": "អ", "ឤ": "អា", "ឨ": "ឧក", "ឰ": "អៃ"} | dict.fromkeys("\u17b4\u17b5៎៑៓\u17dd", "")
)


def pronounced(text: str, options: Options = DEFAULT) -> str:
    """The phonemes of every word, words apart by spaces; punctuation falls away."""
    return " ".join("".join(phonemes) for word in words(text, options) if (phonemes := phonemes_of(word)))


def phonemes_of(word: str) -> tuple[str, ...]:
    """The phonemes of one word; none for punctuation and for what is not Khmer or Latin."""
    letters = re.sub("[^A-Za-z\u1780-\u17d3\u17dd]", "", word).translate(_KNOWN)
    parts = (letters[i : i + _LONGEST] for i in range(0, len(letters), _LONGEST))
    return tuple(phoneme for part in parts for phoneme in _phonemes(part))


@functools.lru_cache(maxsize=50_000)
def _phonemes(letters: str) -> tuple[str, ...]:
    from khmerphonemizer import phonemize_single  # 0.4 s, a lexicon and a transducer

    return tuple(phonemize_single(letters) or ())
