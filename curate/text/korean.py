"""Korean text: canonical encoding, the spoken form, words and sound."""

import re
import unicodedata

from curate.text.hygiene import clean
from curate.text.korean_rules import RULES
from curate.text.rules import Change, rewrite

SCRIPT = "가-힣ㄱ-ㅎㅏ-ㅣ"
PACKAGES = {
    "canonical": (),
    "spoken": ("ko-speech-tools",),
    "words": ("ko-speech-tools",),
    "pronounced": ("ko-speech-tools", "g2pk", "python-mecab-ko", "python-mecab-ko-dic"),
}
_HALF_WIDTH = re.compile("[\uffa1-\uffdc]")


def canonical(text: str) -> str:
    """NFC with composed syllables, no half-width letters, no invisible characters. Idempotent."""
    return clean(_HALF_WIDTH.sub(_full_width, text))


def spoken(text: str) -> tuple[str, list[Change]]:
    """Canonical text as it is said, and every change with its rule; what has nothing to say stays as it is."""
    return rewrite(text, RULES)


def words(text: str) -> list[str]:
    """The words of a text: 어절, what stands between spaces."""
    return text.split()


def pronounced(text: str) -> str:
    """The text in Hangul as it sounds, one word for every word."""
    from curate.text import korean_sound

    return korean_sound.pronounced(text)


def _full_width(match: re.Match[str]) -> str:
    wide = unicodedata.decomposition(match.group()).removeprefix("<narrow> ")
    return chr(int(wide, 16)) if wide else match.group()
