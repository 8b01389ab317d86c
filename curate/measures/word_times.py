"""Word times: a text taken apart into words for an aligner, and its answer brought to the file's own samples."""

from typing import Any

from curate.audio import LISTENING_RATE
from curate.measures.definition import Clip


def phrases(spoken: str, words: str | None) -> list[list[str]]:
    """The words of a text, in the phrases that its spaces make; the spaces make the words where the two disagree."""
    found = [word for word in (words or "").split("|") if word.strip()]
    made: list[list[str]] = []
    for phrase in spoken.split():
        own: list[str] = []
        while found and phrase.startswith("".join([*own, found[0]])):
            own.append(found.pop(0))
        if "".join(own) != phrase:
            return [[each] for each in spoken.split()]
        made.append(own)
    return made


def of_file(clip: Clip, aligned: Any) -> list[dict[str, Any]] | None:
    """The words of an alignment, their places counted in the file's samples."""
    if aligned is None:
        return None
    scale = clip.sound.rate / LISTENING_RATE
    return [
        {
            "word": each.word,
            "start": clip.start + round(each.start * scale),
            "end": clip.start + round(each.end * scale),
            "probability": round(each.probability, 4),
        }
        for each in aligned.words
    ]
