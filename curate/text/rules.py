"""Rewriting rules that leave a trace: what each rule saw and what it wrote; and what a caller may choose of them."""

import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from curate.errors import UserError
from curate.text.gates import Needs, needs, present


@dataclass(frozen=True)
class Change:
    """One rewriting: the rule's name, what stood there and what stands there now."""

    rule: str
    before: str
    after: str


@dataclass(frozen=True)
class TextRule:
    """Where a pattern matches, `read` says what to write; to decline it returns the match as it is.

    Patterns must be linear: one that begins with a run of digits is guarded by `HEAD`, so that it starts once per run.
    """

    name: str
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str]], str]

    @functools.cached_property
    def needs(self) -> Needs:
        return needs(self.pattern)


HEAD = r"(?<!\d)(?<!\d[.,])"  # the first digit of a number
NUMBER = HEAD + r"\d++(?:[.,]\d++)*+"  # a whole run of digits, dots and commas; `curate.text.numbers` takes it apart


def rewrite(text: str, rules: Iterable[TextRule]) -> tuple[str, list[Change]]:
    """The text after every rule in order, and the changes they made; a rule is tried where it can match."""
    changes: list[Change] = []
    characters = present(text)
    for rule in rules:
        for needed in rule.needs:
            if needed.isdisjoint(characters):
                break
        else:
            before = text
            text = rule.pattern.sub(lambda match, rule=rule: _traced(rule, match, changes), text)  # type: ignore[misc]
            if text != before:
                characters = present(text)
    return text, changes


def _traced(rule: TextRule, match: re.Match[str], changes: list[Change]) -> str:
    after = rule.read(match)
    if after != match.group():
        changes.append(Change(rule.name, match.group(), after))
    return after


def compared(rule: str, before: str, after: str) -> list[Change]:
    """The changes between two texts word by word, or as a whole where words came or went."""
    old, new = before.split(), after.split()
    if len(old) != len(new):
        return [Change(rule, before, after)]
    changes = [Change(rule, one, other) for one, other in zip(old, new, strict=True) if one != other]
    return changes or ([Change(rule, before, after)] if before != after else [])


def any_of(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


CLOCKS = ("written", "12-hour")  # how a time of the day is said in Khmer
DATE_WORDS = ("figures", "always", "never")  # in which Khmer dates unwritten ខែ and ឆ្នាំ are said
WORDS = ("khmer-nltk", "khmercut.nn")  # models of Khmer words: the fast one, the finer one


@dataclass(frozen=True)
class Options:
    """What shapes some forms and leaves the others as they are.

    `words`: the model of Khmer words. `lexicon`: a file of Korean pronunciations that win over ours.
    `alternatives`: every standard reading of a Korean word, `/` between them, where `pronounced` has the first alone.
    `clock`: a Khmer time of the day as it is written (14:30 is ម៉ោងដប់បួន ...), or on twelve hours with the part of the
    day. `date_words`: where ខែ and ឆ្នាំ are said that are not written: between the figures of a date (5/5/2023), in
    every date (5 ឧសភា 2023), or never.
    """

    words: str = WORDS[0]
    lexicon: Path | None = None
    alternatives: bool = False
    clock: str = CLOCKS[0]
    date_words: str = DATE_WORDS[0]


DEFAULT = Options()


def chosen(
    language: str,
    form: str,
    *,
    words: str | None = None,
    lexicon: Path | None = None,
    alternatives: bool = False,
    clock: str | None = None,
    date_words: str | None = None,
) -> Options:
    """Options that a person asked for; a UserError where one would change nothing."""
    korean = {"--lexicon": lexicon, "--alternatives": alternatives or None}
    for name, given in korean.items():
        if given is not None and (language, form) != ("ko", "pronounced"):
            raise UserError(f"{name} is for --language ko --form pronounced")
    if words is not None and (language != "km" or form not in ("words", "pronounced")):
        raise UserError("--words-model is for --language km --form words or pronounced")
    if words is not None and words not in WORDS:
        raise UserError(f"no model {words!r} of Khmer words; there are {', '.join(WORDS)}")
    for name, value, values in (("--clock", clock, CLOCKS), ("--date-words", date_words, DATE_WORDS)):
        if value is not None and (language != "km" or form == "canonical"):
            raise UserError(f"{name} is for --language km --form spoken, pronounced or words")
        if value is not None and value not in values:
            raise UserError(f"no {name} {value!r}; there are {', '.join(values)}")
    return Options(words or WORDS[0], lexicon, alternatives, clock or CLOCKS[0], date_words or DATE_WORDS[0])
