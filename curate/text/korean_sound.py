"""How Korean text sounds, by g2pk (Apache-2.0) on spoken text: no digits and no Latin letters come here.

g2pk reads its list of idioms anew and compiles it for every call; here it and the table are compiled
once. Its liaison across spaces is left out: it moves consonants into the next word (십오일 오후 -> 시보이 로후),
and words stay aligned one to one.
"""

import functools
import re
import warnings
from pathlib import Path
from typing import Any

from curate.models import bundled

_LONGEST = 200  # characters at once; g2pk's tagging is quadratic in the spaces of a line
_PIECES = re.compile(rf"\S[^\n]{{0,{_LONGEST}}}(?= |$)|\S{{1,{_LONGEST}}}")


def pronounced(text: str) -> str:
    """The text in Hangul as it sounds: one word out for every word in."""
    return " ".join(_piece(piece) for piece in _PIECES.findall(text)) if len(text) > _LONGEST else _piece(text)


def _piece(text: str) -> str:
    sound = _sounds()(text)
    if len(sound.split()) == len(text.split()):
        return sound
    return " ".join(_sounds()(word) or word for word in text.split())


@functools.cache
def _sounds() -> "Sounds":
    return Sounds()


class Sounds:
    """g2pk's rules, prepared once; loading takes about 6 s (NLTK) and finds CMUdict offline."""

    def __init__(self) -> None:
        import nltk

        nltk.data.path.insert(0, str(bundled.cmudict_root()))
        with warnings.catch_warnings():  # g2pk leaves its tables open and writes "\d" in plain strings
            warnings.simplefilter("ignore")
            from g2pk import g2pk as library
            from g2pk.utils import parse_table

            self._table = [(re.compile(seen), said) for seen, said, _ in parse_table()]
            self._mecab: Any = library.mecab.MeCab()
        self._library: Any = library
        self._idioms = _idioms(Path(library.__file__).with_name("idioms.txt"))

    def __call__(self, text: str) -> str:
        """One short text in Hangul as it sounds."""
        rules = self._library
        for pattern, said in self._idioms:
            text = pattern.sub(said, text)
        jamo = rules.h2j(rules.annotate(text, self._mecab))
        for step in (
            rules.jyeo,
            rules.ye,
            rules.consonant_ui,
            rules.josa_ui,
            rules.vowel_ui,
            rules.jamo,
            rules.rieulgiyeok,
        ):
            jamo = step(jamo)
        for step in (rules.rieulbieub, rules.verb_nieun, rules.balb, rules.palatalize, rules.modifying_rieul):
            jamo = step(jamo)
        jamo = re.sub("/[PJEB]", "", jamo)
        for pattern, said in self._table:
            jamo = pattern.sub(said, jamo)
        for step in (rules.link1, rules.link2, rules.link4):
            jamo = step(jamo)
        composed: str = rules.compose(jamo)
        return composed


def _idioms(path: Path) -> list[tuple[re.Pattern[str], str]]:
    pairs = [line.split("#")[0].strip().split("===") for line in path.read_text(encoding="utf-8").splitlines()]
    return [(re.compile(pair[0]), pair[1]) for pair in pairs if len(pair) == 2]
