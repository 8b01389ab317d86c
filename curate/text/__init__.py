"""Text as it is written, as it is said, as it sounds, and in words: `str -> str`, for training and for speaking alike.

>>> normalise("តម្លៃ ១២,៥០០៛", "km")
'តម្លៃ មួយម៉ឺនពីរពាន់ប្រាំរយរៀល'
>>> normalise("사과 3개", "ko")
'사과 세 개'
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Protocol, cast

from curate.errors import UserError
from curate.text import hygiene
from curate.text.rules import Change, compared

__all__ = ["FORMS", "LANGUAGES", "Change", "Normalised", "lines", "normalise", "stepped", "steps", "versions", "words"]

RULES_VERSION = "1"  # raise it with every change of rules or tables: cached answers carry it
LANGUAGES = ("km", "ko")
FORMS = ("canonical", "spoken", "pronounced", "words")
_MODULES = {"km": "khmer", "ko": "korean"}


class Language(Protocol):
    """What a language's file offers.

    `SCRIPT` is the inside of a regular expression's character class, `PACKAGES` names the libraries behind each form.
    """

    SCRIPT: str
    PACKAGES: dict[str, tuple[str, ...]]

    def canonical(self, text: str) -> str: ...
    def spoken(self, text: str) -> tuple[str, list[Change]]: ...
    def words(self, text: str) -> list[str]: ...
    def pronounced(self, text: str) -> str: ...


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


def normalise(text: str, language: str, form: str = "spoken") -> str:
    """The text in that form: canonical, spoken, pronounced, or words joined by `|`."""
    return steps(text, language, form).text


def words(text: str, language: str) -> list[str]:
    """The words of the spoken form."""
    return _language(language).words(steps(text, language).text)


def steps(text: str, language: str, form: str = "spoken") -> Normalised:
    """The text in that form with each change on the way; an unknown language or form is a UserError."""
    if form not in FORMS:
        raise UserError(f"no form {form!r} of text; there are {', '.join(FORMS)}")
    reader = _language(language)
    canonical = reader.canonical(text)
    changes = compared("canonical", text, canonical)
    if form == "canonical":
        return Normalised(canonical, changes, hygiene.unreadable(canonical, reader.SCRIPT + r"\d"))
    spoken, said = reader.spoken(canonical)
    spoken = hygiene.clean(spoken)
    left = hygiene.unreadable(spoken, reader.SCRIPT), tuple(hygiene.latin(spoken))
    return Normalised(_in_form(reader, spoken, form), changes + said, *left)


def lines(stream: Iterable[bytes], language: str, form: str = "spoken") -> Iterator[tuple[str, list[str]]]:
    """One output line with its warnings for every line of bytes; bytes that are not UTF-8 become U+FFFD."""
    return ((result.text, warnings) for result, warnings in stepped(stream, language, form))


def stepped(stream: Iterable[bytes], language: str, form: str = "spoken") -> Iterator[tuple[Normalised, list[str]]]:
    """Like `lines`, with each change on the way."""
    _language(language)
    for raw in stream:
        text = raw.rstrip(b"\r\n").decode("utf-8", errors="replace")
        broken = "\ufffd" in text and "\ufffd".encode() not in raw
        result = steps(text, language, form)
        yield result, _warnings(result, broken)


def versions(language: str, form: str) -> str:
    """What the answers of that form depend on, for cache keys: our rules and the libraries behind them."""
    packages = [f"{name} {metadata.version(name)}" for name in _language(language).PACKAGES[form]]
    return "; ".join([f"text {RULES_VERSION} {language} {form}", *packages])


def _language(language: str) -> Language:
    if language not in _MODULES:
        raise UserError(f"no language {language!r} for text; there are {', '.join(LANGUAGES)}")
    return cast(Language, import_module(f"curate.text.{_MODULES[language]}"))


def _in_form(reader: Language, spoken: str, form: str) -> str:
    if form == "words":
        return "|".join(reader.words(spoken))
    return reader.pronounced(spoken) if form == "pronounced" else spoken


def _warnings(result: Normalised, broken: bool) -> list[str]:
    warnings = ["bytes that are not UTF-8 were replaced by U+FFFD"] if broken else []
    if result.unreadable:
        named = ", ".join(f"U+{ord(character):04X}" for character in result.unreadable[:10])
        warnings.append(f"cannot be read and stays as it is: {result.unreadable[:10]} ({named})")
    if result.latin:
        warnings.append(f"left in Latin letters: {' '.join(result.latin[:10])}")
    return warnings
