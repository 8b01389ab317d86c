"""How well a recogniser understands what was spoken: character errors, and how many it makes on people.

One policy for both sides: read out as in training (`curate.text`, so that 12 and "twelve" are the same), NFC, no
spaces, no punctuation or symbols, nothing of zero width (ZWSP, ZWJ, ZWNJ), Latin in one case. Marks stay: Whisper's own
normaliser takes Khmer vowels and coeng for punctuation and finds no error where a quarter of the letters are wrong.

Words of unsegmented Khmer are not counted: their errors would be those of a segmenter. A cluster is a letter with all
that is written on it, a subscript consonant included: what a reader sees as one, where code points count its strokes.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from curate.measures.agreement import comparable
from curate.text import normalise

COENG = "\u17d2"  # joins the next consonant to the one before, as its subscript
# Where a recogniser makes so many errors on people, what it hears of a model says little of the model.
WEAK = 0.3


@dataclass(frozen=True)
class Errors:
    """Edits against the length of the reference, in code points and in clusters."""

    edits: int
    length: int
    cluster_edits: int
    clusters: int

    @property
    def rate(self) -> float:
        """Edits per code point; above 1 where much was heard that is not there."""
        return self.edits / self.length if self.length else float(self.edits > 0)

    @property
    def cluster_rate(self) -> float:
        """Edits per cluster."""
        return self.cluster_edits / self.clusters if self.clusters else float(self.cluster_edits > 0)


def prepared(text: str, language: str) -> str:
    """A text as both sides are compared."""
    return comparable(normalise(text, language))


def errors(text: str, heard: str, language: str) -> Errors:
    """What was heard against what was to be said, both as they are written by whoever wrote them."""
    from rapidfuzz.distance import Levenshtein

    reference, hypothesis = prepared(text, language), prepared(heard, language)
    one, other = clusters(reference), clusters(hypothesis)
    return Errors(
        Levenshtein.distance(reference, hypothesis), len(reference), Levenshtein.distance(one, other), len(one)
    )


def clusters(text: str) -> list[str]:
    """The text cut where a reader sees one sign end: marks belong to their letter, a subscript to what it stands under.

    Unicode's extended grapheme clusters, but for coeng: those rules join its consonant only from version 16 on.
    """
    found: list[str] = []
    for letter in unicodedata.normalize("NFC", text):
        if found and (unicodedata.category(letter)[0] == "M" or found[-1].endswith(COENG)):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def pooled(found: Sequence[Errors]) -> Errors:
    """All errors over all texts: long sentences count as much as they are long."""
    return Errors(
        *(sum(part) for part in zip(*((e.edits, e.length, e.cluster_edits, e.clusters) for e in found), strict=True))
    )
