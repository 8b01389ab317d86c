"""What is done to text of any language first: composed, without invisible characters, with plain spaces."""

import functools
import re
import unicodedata

from curate.text.rules import Change

MOST_MARKS = 30  # combining marks in a row; UAX #15's Stream-Safe Text Format, and it keeps normalising linear

# Invisible letters that are not of category Cf: combining grapheme joiner, Hangul fillers, variation selectors.
_INVISIBLE = re.compile(r"[\u034f\u115f\u1160\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}  # ﬁ, as PDFs have it
_WIDER = _FULL_WIDTH | _LIGATURES

LATIN = r"A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
PUNCTUATION = r"""!"'(),\-./:;?\[\]{}~`‘’‚“”„«»‹›…‐‑‒–—―·•、。，！？：；《》〈〉「」『』【】"""


def clean(text: str) -> str:
    """The text in NFC with plain single spaces and nothing invisible in it; lone surrogates become U+FFFD.

    Source of the classes: Unicode general categories; full-width ASCII becomes ASCII, Latin ligatures their letters.
    """
    text = _SURROGATE.sub("\ufffd", text).translate(_WIDER)
    text = _INVISIBLE.sub("", text)
    if not text.isprintable():  # what `_plain` changes is not: controls, formats, separators other than the space
        text = text.translate({ord(each): _plain(each) for each in set(text)})
    if not text.isascii():
        text = unicodedata.normalize("NFC", _few_marks(text))
    return _SPACES.sub(" ", text).strip()


def without_surrogates(text: str) -> tuple[str, list[Change]]:
    """The text with U+FFFD for every lone surrogate, which no file can hold, and each kind of them as a change."""
    changes = [Change("canonical", f"U+{ord(each):04X}", "\ufffd") for each in dict.fromkeys(_SURROGATE.findall(text))]
    return _SURROGATE.sub("\ufffd", text) if changes else text, changes


def unreadable(text: str, script: str) -> str:
    """The characters, each once, in order, that are neither of the script, Latin, a space nor ordinary punctuation.

    `script` is the inside of a regular expression's character class. Digits are unreadable: nothing has spelled them.
    """
    return "".join(dict.fromkeys(re.sub(rf"[ {script}{LATIN}{PUNCTUATION}]", "", text)))


def latin(text: str) -> list[str]:
    """The Latin words in the text, in order."""
    return re.findall(rf"[{LATIN}]+", text)


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cc":
        return " " if character.isspace() else ""
    if category == "Cf":
        return ""
    return " " if category in ("Zs", "Zl", "Zp") else character


@functools.lru_cache(maxsize=65536)
def _is_mark(character: str) -> bool:
    return unicodedata.combining(character) > 0


def _few_marks(text: str) -> str:
    marks = "".join(re.escape(each) for each in set(text) if _is_mark(each))
    return re.sub(f"([{marks}]{{{MOST_MARKS}}})[{marks}]+", r"\1", text) if marks else text
