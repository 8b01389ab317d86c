"""VoxCPM2's control channel: words in parentheses before a text say how it is to be spoken, and are not spoken.

So a text must not begin with a parenthesis of its own, and control words go into the parenthesis of the language tag.
Curation writes training text by these rules, training reads it and adapters speak by them.
"""

import re

SPACES = re.compile(r"\s+")
# Half-width ones are the channel's; VoxCPM's own normaliser turns full-width ones into them. Invisible characters
# before them are not seen by anybody.
BEGINS = re.compile(r"^[\s\u200b-\u200f\u2060\ufeff]*[(（]")
OPENING, CLOSING = "(（", ")）"


def plain(text: str) -> str:
    """A text as it stands behind a tag: in one line, no parenthesis at its beginning.

    The words in such a parenthesis stay, for they are spoken: `(괄호)시작` becomes `괄호 시작`.
    """
    written = SPACES.sub(" ", text).strip()
    while begins := BEGINS.match(written):
        written = _opened(written[begins.end() :]).strip()
    return written


def _opened(text: str) -> str:
    """Without the parenthesis that closes the one before the text; a space where letters would else be joined."""
    depth = 1
    for place, letter in enumerate(text):
        depth += (letter in OPENING) - (letter in CLOSING)
        if not depth:
            inside, rest = text[:place].rstrip(), text[place + 1 :]
            return f"{inside} {rest}" if rest[:1].isalnum() else inside + rest
    return text  # it is never closed


def closed(text: str) -> bool:
    """Whether each parenthesis has its other half, in order."""
    depth = 0
    for letter in text:
        depth += (letter in OPENING) - (letter in CLOSING)
        if depth < 0:
            return False
    return not depth


def tag_around(tag: str) -> tuple[str, str]:
    """What stands before and after control words in a language tag: in its last parenthesis, or in one of their own."""
    bare = tag.rstrip()
    if "(" in bare and bare.endswith(")"):
        return f"{bare[:-1]}, ", ")" + tag[len(bare) :]
    return f"{tag}(", ")"


def with_words(tag: str, words: str | None) -> str:
    """A language tag with control words: (Korean) and `slowly` make (Korean, slowly)."""
    return words.join(tag_around(tag)) if words else tag


def without_words(tag: str, words: str | None) -> str:
    """The language tag that `with_words` was given; any other text as it is."""
    bare = tag.rstrip()
    if not words:
        return tag
    if bare.endswith(f", {words})"):
        return bare.removesuffix(f", {words})") + ")" + tag[len(bare) :]
    return tag.removesuffix(f"({words})")
