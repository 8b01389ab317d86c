"""The sounds of a text as a list of units, for choosing clips that cover a language."""

import re
import unicodedata

from curate.errors import UserError
from curate.text import LANGUAGES, normalise, words
from curate.text.khmer import segmentation


def units(text: str, language: str) -> list[str]:
    """The units of a written text, in order and with repeats.

    Khmer: phonemes by khmerphonemizer. Korean: initial, vowel and final letters of the sounding form, as conjoining
    jamo, so that an initial and a final consonant are two units. Digits and signs count as they are said.
    """
    if language == "km":
        return [phoneme for word in words(text, "km") for phoneme in segmentation.phonemes_of(word)]
    if language == "ko":
        return re.findall("[\\u1100-\\u11ff]", unicodedata.normalize("NFD", normalise(text, "ko", "pronounced")))
    raise UserError(f"no language {language!r} for text; there are {', '.join(LANGUAGES)}")
