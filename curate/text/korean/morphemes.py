"""The morphemes of a Korean text, their parts, and how letters of it may be said."""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

from curate.text.korean.compounds import Part


class Token(NamedTuple):
    """A morpheme of the tagger: where it stands, its tag, and what it is made of."""

    start: int
    end: int
    tag: str
    expression: str | None

    def pieces(self) -> list[tuple[str, str]]:
        """Form and tag of what it is made of: 솜/NNG, 이불/NNG."""
        parts = [part.split("/") for part in (self.expression or "").split("+")]
        return [(part[0], part[1]) for part in parts if len(part) > 1]


@dataclass(frozen=True)
class Choice:
    """Letters from `start` on that may be said in several ways; the first is preferred."""

    start: int
    end: int
    readings: tuple[str, ...]
    numeral: bool = False


@dataclass(frozen=True)
class Plan:
    """How a text is respelled: choices in its order, and `closed`, the letters whose final ends a word (15항)."""

    choices: list[Choice]
    closed: list[int]


def parts(text: str, token: Token) -> list[Part]:
    """The parts of a compound, or the word itself."""
    surface = text[token.start : token.end]
    pieces = token.pieces() if token.tag.startswith("N") else []
    if "".join(form for form, _ in pieces) != surface:
        return [Part(token.start, surface, token.tag)]
    starts = itertools.accumulate((len(form) for form, _ in pieces), initial=token.start)
    return [Part(at, form, tag) for at, (form, tag) in zip(starts, pieces, strict=False)]
