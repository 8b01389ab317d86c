"""Word times: a text taken apart into words for an aligner, and its answer brought to the file's own samples."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from curate.audio import LISTENING_RATE
from curate.measures.definition import Clip

VERSION = 1  # raise it when word times come out otherwise: it enters the fingerprint
# Attention lets a word go up to 0.3 s before it ends, so that the next one begins with that and the pause: less speech
# than this before a pause is the last word's. It seldom holds one too long.
SPILL, JITTER = round(0.4 * LISTENING_RATE), round(0.1 * LISTENING_RATE)

Span = tuple[int, int]


def in_speech(words: Sequence[Any], spans: Sequence[Span]) -> list[Any]:
    """Words that attention placed, held to the speech: there one begins where another ends, so pauses are in words.

    `words` have `start` and `end` and follow each other; `spans` are speech, in the same samples. A word without any
    speech stays where it is.
    """
    held = [_held(each, spans) for each in words]
    return [
        replace(each, start=_first(each, before, spans), end=_last(each, after, spans))
        for before, each, after in zip([None, *held[:-1]], held, [*held[1:], None], strict=True)
    ]


def _held(word: Any, spans: Sequence[Span]) -> Any:
    """Without the pauses at its ends, nor what little speech lies beyond them: of the word before, mostly."""
    parts = [(max(word.start, a), min(word.end, b)) for a, b in spans if max(word.start, a) < min(word.end, b)]
    if not parts:
        return word
    own = list(parts)
    while len(own) > 1 and own[-1][1] - own[-1][0] < JITTER:
        own.pop()
    while len(own) > 1 and own[0][1] - own[0][0] < SPILL:
        own.pop(0)
    return replace(word, start=own[0][0], end=own[-1][1])


def _first(word: Any, before: Any, spans: Sequence[Span]) -> int:
    """Its start, or that of the speech it is the first word of, where that is near."""
    begun = [a for a, b in spans if a <= word.start < b and word.start - a < SPILL]
    return begun[0] if begun and (before is None or before.end <= begun[0]) else word.start


def _last(word: Any, after: Any, spans: Sequence[Span]) -> int:
    """Its end, or that of the speech it is the last word of, where that is near."""
    ended = [b for a, b in spans if a < word.end <= b and b - word.end < SPILL]
    return ended[0] if ended and (after is None or after.start >= ended[0]) else word.end


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


def of_file(clip: Clip, aligned: Any, *, held: bool = False) -> list[dict[str, Any]] | None:
    """The words of an alignment, their places counted in the file's samples; `held`: to the clip's speech first."""
    if aligned is None:
        return None
    words = in_speech(aligned.words, clip.speech(LISTENING_RATE)) if held else aligned.words
    scale = clip.sound.rate / LISTENING_RATE
    return [
        {
            "word": each.word,
            "start": clip.start + round(each.start * scale),
            "end": clip.start + round(each.end * scale),
            "probability": round(each.probability, 4),
        }
        for each in words
    ]
