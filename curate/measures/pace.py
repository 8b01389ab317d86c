"""How fast a clip is spoken, in phones a second, and how far that is from what its speaker and source usually do.

Where no recogniser hears the words, pace is what audio says of a text: one with half as many words again is spoken
half as fast again. Phones and not characters: Khmer writes up to three letters for one sound.
"""

import unicodedata

import polars as pl

from curate.text.korean import hangul

FEWEST = 10  # clips that a speaker's or a source's usual pace is taken from
# 1.4826: the median deviation of normally distributed values, brought to their standard deviation (Hampel 1974)
TO_DEVIATION = 1.4826
# Read speech of one speaker varies by a tenth and more from sentence to sentence: a corpus of clips that are alike by
# chance must not make an outlier of every other one.
LEAST_DEVIATION = 0.1


def phones(pronounced: str) -> int:
    """How many sounds a pronounced text has: letters of Hangul that sound, or letters of IPA without their marks."""
    return sum(map(_sounds, unicodedata.normalize("NFC", pronounced)))


def _sounds(character: str) -> int:
    if hangul.is_syllable(character):
        return 1 + (not hangul.silent(character)) + bool(hangul.final(character))
    return int(
        unicodedata.category(character) in ("Ll", "Lu", "Lo")
    )  # ː, ʰ (Lm) and combining marks lengthen or colour


def outlying() -> pl.Expr:
    """How many deviations the logarithm of `phone_pace` lies from its speaker's median, and from its source's.

    The smaller of the two, as one speaker may be fast and one text list slow; null where neither has FEWEST clips.
    """
    of_speaker = _robust("source", "language", "speaker")
    named = pl.when(pl.col("speaker").is_not_null()).then(of_speaker)
    of_source = _robust("source", "language")
    nearer = pl.when(named.abs() <= of_source.abs()).then(named).otherwise(of_source)
    return pl.when(named.is_null()).then(of_source).otherwise(nearer)


def _robust(*group: str) -> pl.Expr:
    value = pl.when(pl.col("phone_pace") > 0).then(pl.col("phone_pace").log())
    distance = value - value.median().over(group)
    deviation = TO_DEVIATION * distance.abs().median().over(group)
    enough = value.count().over(group) >= FEWEST
    return pl.when(enough).then(distance / pl.max_horizontal(deviation, pl.lit(LEAST_DEVIATION)))
