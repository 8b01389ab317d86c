"""Control words: what measures say of a clip, in words a person would type to ask for such a voice.

A clip in the middle of a scale gets no word, for nobody asks for a voice of middling pitch, and a word that would stand
on most clips of a language says nothing and is left out: so the plain language tag is learned as well. All bounds are
of the kept clips of all splits together, so a held-out clip is described as a clip that is trained on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Control:
    """One scale with a word for either end; `value` is compared with `low` and `high`, a null value gets no word."""

    name: str
    value: pl.Expr
    low: float
    low_words: str
    high: float
    high_words: str
    source: str  # where the bounds come from

    def words(self) -> pl.Expr:
        """The words for each row, null in the middle and where most clips of the language would have the same."""
        low, high = self.value <= self.low, self.value >= self.high
        words = pl.when(low & _tells(low)).then(pl.lit(self.low_words))
        return words.when(high & _tells(high)).then(pl.lit(self.high_words))


KEPT = pl.col("drop").is_null()
MOST = 0.5  # of a language's clips; our choice


def _tells(fits: pl.Expr) -> pl.Expr:
    """Whether a word fits no more than MOST of a language's kept clips."""
    return fits.fill_null(False).filter(KEPT).mean().over("language") <= MOST


def _median(column: str) -> pl.Expr:
    return pl.col(column).filter(KEPT).median()


CONTROLS = (
    Control(
        "pitch", pl.col("pitch"), 150, "low-pitched voice", 200, "high-pitched voice",
        "Hz; Peterson and Barney (1952): men speak at 132 Hz on average, women at 223; between the two lies neither",
    ),
    Control(
        "rate", pl.col("phone_pace") / _median("phone_pace").over("language"), 0.8, "speaking slowly", 1.25,
        "speaking fast",
        "sounds per second over the language's median; four times the 5 % that listeners just notice (Quené 2007)",
    ),
    Control(
        "loudness", pl.col("loudness") - _median("loudness"), -6, "quiet", 6, "loud",
        "LU over the corpus's median (BS.1770): half and twice the amplitude; our choice",
    ),
    Control(
        "noise", pl.col("snr"), 25, "with background noise", 35, "clean recording",
        "dB of speech over background; clean read Korean has a median of 39.5 (docs/measures/snr.md); our choice",
    ),
)  # fmt: skip
NAMES = tuple(each.name for each in CONTROLS)


def describe(chosen: Sequence[str]) -> pl.Expr:
    """The control words of each kept clip, in the order of CONTROLS; null where there are none."""
    words = [each.words() for each in CONTROLS if each.name in chosen]
    if not words:
        return pl.lit(None, dtype=pl.String)
    joined = pl.concat_str(words, separator=", ", ignore_nulls=True)
    return pl.when(KEPT & (joined != "")).then(joined)
