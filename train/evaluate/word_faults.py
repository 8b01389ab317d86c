"""Faults that show in the words that a trusted recogniser heard: what is missing, said twice, or beside the text.

Both sides are aligned by `curate.measures.edits`, word by word; Khmer, which is written without spaces, cluster by
cluster. A text that is heard in part, or more than once, is not another text, however many letters are wrong.
"""

from collections.abc import Iterator
from itertools import pairwise

from curate.measures import edits
from curate.text import normalise
from train.evaluate import cer

MISSING, MISSING_LETTERS = 0.12, 4  # share and number of letters that were not heard in one place
REPLACED = 0.3  # share of the text's letters in one place for which something unrelated was heard
STUTTER = 3  # letters that stand in a row in what was heard once more than in the text
UNRELATED = 0.8  # character errors of what was heard against the text
MOSTLY = 0.6  # share of a piece's clusters that stand in a text in the same pairs: then it is of that text
SHOWN = 40  # letters of a piece in a reason


def find(text: str, written: str, language: str) -> dict[str, str]:
    """Fault -> what shows it. `text`: in spoken form; `written`: as the recogniser wrote it."""
    whole, heard = cer.prepared(text, language), cer.prepared(written, language)
    if not heard:
        return {"ignored_text": "no word of it was understood"} if whole else {}
    if cer.errors(text, written, language).rate >= UNRELATED and not (
        stands_in(heard, whole) or stands_in(whole, heard)
    ):
        return {"ignored_text": f"what is heard is another text: {written[:SHOWN]!r}"}
    found: dict[str, str] = {}
    for place, given, said in _differences(text, normalise(written, language), language):
        for name, why in _faults(place, given, said, whole, heard):
            found.setdefault(name, why)
    return found


def stands_in(piece: str, text: str) -> bool:
    """Whether most of a piece stands in a text: clusters beside each other there as they are here, however often."""
    own = cer.clusters(piece)
    if len(own) < 2:
        return bool(own) and own[0] in cer.clusters(text)
    there = set(pairwise(cer.clusters(text)))
    same = [pair in there for pair in pairwise(own)]
    covered = [before or after for before, after in zip([*same, False], [False, *same], strict=True)]
    return sum(covered) >= MOSTLY * len(own)


def _differences(text: str, heard: str, language: str) -> Iterator[tuple[str, str, str]]:
    """(place, letters of the text, letters heard) where the two part."""
    if language == "km":  # without spaces a sentence would be one word, right or wrong as a whole
        text, heard = (" ".join(cer.clusters(cer.prepared(each, language))) for each in (text, heard))
    for edit in edits.compare(text, heard).edits:
        yield edit.place, cer.prepared(edit.given, language), cer.prepared(edit.heard, language)


def _faults(place: str, given: str, said: str, whole: str, heard: str) -> Iterator[tuple[str, str]]:
    many = max(MISSING_LETTERS, MISSING * len(whole))
    if len(given) - len(said) >= many or _replaced(given, said, whole):
        yield ("early_stop" if place == "end" else "omission"), f"{given[:SHOWN]!r} was not heard"
    if len(said) - len(given) >= many:
        yield ("repetition" if stands_in(said, whole) else "runaway"), f"{said[:SHOWN]!r} is beside the text"
    elif not given and len(said) >= STUTTER and 2 * said in heard and heard.count(said) > whole.count(said):
        yield "repetition", f"{said[:SHOWN]!r} is said twice in a row"


def _replaced(given: str, said: str, whole: str) -> bool:
    """Whether a long part of the text was not said, and something else in its place."""
    from rapidfuzz.distance import Levenshtein

    return len(given) >= REPLACED * len(whole) and Levenshtein.distance(given, said) >= UNRELATED * len(given)
