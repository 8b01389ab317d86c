"""Text as it is written, as it is said, as it sounds, and in words: `str -> str`, for training and for speaking alike.

>>> normalise("តម្លៃ ១២,៥០០៛", "km")
'តម្លៃ មួយម៉ឺនពីរពាន់ប្រាំរយរៀល'
>>> normalise("사과 3개", "ko")
'사과 세 개'
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from typing import Protocol, cast

from curate.errors import UserError
from curate.text import cleaning
from curate.text.rules import DEFAULT, Change, Options, compared

__all__ = [
    "DEFAULT", "FORMS", "LANGUAGES", "Change", "Normalised", "Options",
    "normalise", "script", "stepped", "steps", "versions", "words",
]  # fmt: skip

SHOWN = 40  # letters of a word in a warning
RULES_VERSION = "12"  # raise it with every change of rules or tables: cached answers carry it
LANGUAGES = ("km", "ko")
FORMS = ("canonical", "spoken", "pronounced", "words")
_PASSES = 4  # of reading; a fifth has changed nothing in any text we have, and in most the second does not
_MODULES = {"km": "khmer", "ko": "korean"}


class Language(Protocol):
    """What a language's file offers.

    `SCRIPT` is the inside of a regular expression's character class; `depends` names what the answers of a form depend
    on besides our rules: packages, and files by their hash.
    """

    SCRIPT: str

    def canonical(self, text: str) -> str: ...
    def spoken(self, text: str, options: Options) -> tuple[str, list[Change]]: ...
    def words(self, text: str, options: Options) -> list[str]: ...
    def pronounced(self, text: str, options: Options) -> str: ...
    def depends(self, form: str, options: Options) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Normalised:
    """A text in one form, the changes that led there, and what stayed unread.

    `unreadable`: characters of the spoken form that are of no script we read, each once;
    `latin`: Latin words left as written.
    """

    text: str
    changes: list[Change]
    unreadable: str
    latin: tuple[str, ...] = ()


def normalise(text: str, language: str, form: str = "spoken", options: Options = DEFAULT) -> str:
    """The text in that form: canonical, spoken, pronounced, or words joined by `|`."""
    return steps(text, language, form, options).text


def words(text: str, language: str, *, model: str = DEFAULT.words) -> list[str]:
    """The words of the spoken form; for Khmer by that model."""
    return _language(language).words(steps(text, language).text, Options(words=model))


def steps(text: str, language: str, form: str = "spoken", options: Options = DEFAULT) -> Normalised:
    """The text in that form with each change on the way; an unknown language or form is a UserError."""
    reader = _checked(language, form)
    text, broken = cleaning.without_surrogates(text)
    canonical = reader.canonical(text)
    changes = broken + compared("canonical", text, canonical)
    if form == "canonical" and not cleaning.unreadable(canonical, reader.SCRIPT):
        return Normalised(canonical, changes, "")
    spoken, read = _spoken(reader, canonical, options)
    unreadable = cleaning.unreadable(spoken, reader.SCRIPT)
    if form == "canonical":  # nothing is read yet, but what could not be is known
        return Normalised(canonical, changes, unreadable)
    result = _in_form(reader, spoken, form, options)
    reshaped = [] if form == "spoken" else compared(form, spoken, result)
    return Normalised(result, changes + read + reshaped, unreadable, tuple(cleaning.latin(spoken)))


def stepped(
    stream: Iterable[bytes], language: str, form: str = "spoken", options: Options = DEFAULT
) -> Iterator[tuple[Normalised, list[str]]]:
    """One result with its warnings for every line of bytes; bytes that are not UTF-8 become U+FFFD."""
    _checked(language, form)  # also where no line comes
    for raw in stream:
        text = raw.rstrip(b"\r\n").decode("utf-8", errors="replace")
        broken = text.count("\ufffd") > raw.count("\ufffd".encode())
        result = steps(text, language, form, options)
        yield result, _warnings(result, broken)


def script(language: str) -> str:
    """The characters that a language is written in: the inside of a regular expression's character class."""
    return _language(language).SCRIPT


def versions(language: str, form: str, options: Options = DEFAULT) -> str:
    """What the answers of that form depend on, for cache keys: our rules, the libraries behind them, a lexicon."""
    behind = [_versioned(name) for name in _language(language).depends(form, options)]
    return "; ".join([f"text {RULES_VERSION} {language} {form}", *behind])


@cache  # a package's metadata is a mail to parse: 2 ms
def _versioned(name: str) -> str:
    """A package with its version; what says more than a name stays as it is."""
    return name if " " in name else f"{name} {metadata.version(name)}"


def _checked(language: str, form: str) -> Language:
    if form not in FORMS:
        raise UserError(f"no form {form!r} of text; there are {', '.join(FORMS)}")
    return _language(language)


def _language(language: str) -> Language:
    if language not in _MODULES:
        raise UserError(f"no language {language!r} for text; there are {', '.join(LANGUAGES)}")
    return cast(Language, import_module(f"curate.text.{_MODULES[language]}"))


def _spoken(reader: Language, text: str, options: Options) -> tuple[str, list[Change]]:
    """The spoken form, read until reading it again changes nothing: what one rule wrote another may know."""
    from curate.text import markup  # many patterns: compiled where something is read

    changes: list[Change] = []
    for _ in range(_PASSES):
        plain, removed = markup.without_markup(text, reader.canonical)
        spoken, read = reader.spoken(plain, options)
        changes += removed + read
        text, before = cleaning.clean(spoken), text
        if text == before:
            break
    return text, changes


def _in_form(reader: Language, spoken: str, form: str, options: Options) -> str:
    if form == "words":
        return "|".join(reader.words(spoken, options))
    return reader.pronounced(spoken, options) if form == "pronounced" else spoken


def _warnings(result: Normalised, broken: bool) -> list[str]:
    warnings = ["bytes that are not UTF-8 were replaced by U+FFFD"] if broken else []
    if result.unreadable:
        named = ", ".join(f"U+{ord(character):04X}" for character in result.unreadable[:10])
        warnings.append(f"cannot be read and stays as it is: {result.unreadable[:10]} ({named})")
    if result.latin:
        warnings.append(f"left in Latin letters: {', '.join(map(_shown, result.latin[:10]))}")
    return warnings


def _shown(word: str) -> str:
    return word if len(word) <= SHOWN else word[:SHOWN] + "..."
