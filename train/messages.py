"""Words: those of a command line before they are parsed, and counts in a line."""

import os
from collections.abc import Sequence

from curate.errors import UserError


def counted(number: int, thing: str) -> str:
    """A count with its thing: 1 clip, 2 clips."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def check(words: Sequence[str]) -> None:
    """Raise UserError where a word is empty, or it or the working folder has letters that the locale has not."""
    for before, word in zip(["the command", *words], words, strict=False):
        name, equals, value = word.partition("=")
        option = name.startswith("--") and equals and not value
        if not word or option:
            raise UserError(f"there is only '' after {name if option else before}: is a variable of the shell unset?")
    if odd := [word for word in (*words, _here()) if _undecoded(word)]:
        raise UserError(f"{odd[0]!a} cannot be read in this locale: set PYTHONUTF8=1, or give a name in UTF-8")


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def _undecoded(word: str) -> bool:
    """Whether bytes of it were no text: Python puts surrogates for them, which no library reads."""
    return any("\ud800" <= letter <= "\udfff" for letter in word)
