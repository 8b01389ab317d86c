"""How Korean text sounds, by g2pk's rules (Apache-2.0) on spoken text: no digits and no Latin letters come here.

g2pk reads its tables anew for every call and tags text whose idioms it has already respelled; here the tables are
prepared once and the words as written are tagged. What only a dictionary knows comes from `lexicon`, what the
parts of a word tell from `compounds`: both respell a word before g2pk's rules join it to its particle
(솜이불을 -> 솜니불을 -> 솜니부를). Syllables never move over a space, so words stay aligned one to one; across a
space the standard's assimilations change letters on either side (책 넣는다 -> 챙 넌는다).
"""

import functools
import importlib
import importlib.util
import re
import sys
import types
import warnings
from pathlib import Path
from typing import Any

from curate.text.korean import assimilation, hangul, respelling
from curate.text.korean.lexicon import Lexicon, lexicon_hash
from curate.text.korean.lexicon import lexicon as load
from curate.text.korean.morphemes import Choice, Plan, Token

__all__ = ["Sounds", "alternatives", "lexicon_hash", "pronounced"]

_LONGEST = 200  # characters at once; tagging is quadratic in the spaces of a line
_PIECES = re.compile(rf"\S[^\n]{{0,{_LONGEST}}}(?= |$)|\S{{1,{_LONGEST}}}")
_BEFORE_TENSE = re.compile("(ᆯ/E )([ᄀᄃᄇᄉᄌ])")  # 27항: 할 것을; endings such as 할걸 are `respelling`'s
_CLOSING = re.compile("\u11ae\u1112\u1167(?![\u11a8-\u11ba\u11bc-\u11c2])")  # 5, 17항: 닫혀 [다처], but not 맏형
_UI = re.compile("([\u1100-\u110a\u110c-\u1112])\u1174(?![\u11a8-\u11c2]?/U)")  # 5항: 희망 [히망], but 합의 [하븨]
_MOST = 8  # readings of a word that are given
_TENSE_JAMO = {hangul.INITIAL_JAMO[plain]: hangul.INITIAL_JAMO[tense] for plain, tense in hangul.TENSE.items()}


def pronounced(text: str, lexicon: Path | None = None) -> str:
    """The text in Hangul as it sounds: one word out for every word in. `lexicon`: a user's file of readings."""
    words, sounds = load(lexicon), _sounds()
    return " ".join(word for piece in _pieces(text) for word in sounds.words(piece, words))


def alternatives(text: str, lexicon: Path | None = None) -> list[tuple[str, ...]]:
    """The standard readings of every word (어절), the first the one that `pronounced` gives."""
    words, sounds = load(lexicon), _sounds()
    return [readings for piece in _pieces(text) for readings in sounds.readings(piece, words)]


def _pieces(text: str) -> list[str]:
    return _PIECES.findall(text) if len(text) > _LONGEST else [text]


@functools.cache
def _sounds() -> "Sounds":
    return Sounds()


class Sounds:
    """g2pk's rules, prepared once; loading takes about a second, without NLTK."""

    def __init__(self) -> None:
        with warnings.catch_warnings():  # g2pk leaves its tables open and writes "\d" in plain strings
            warnings.simplefilter("ignore")
            self._special, self._regular, self._utils = _g2pk("special", "regular", "utils")
        self._mecab: Any = importlib.import_module("mecab").MeCab()

    def words(self, text: str, words: Lexicon, *, compound: bool = True) -> list[str]:
        """The words of one short text as they sound; `compound=False` leaves out what compounds tell, to measure it."""
        tokens = self._tokens(text)
        return self._spoken(text, tokens, respelling.planned(text, tokens, words, compound=compound))

    def readings(self, text: str, words: Lexicon) -> list[tuple[str, ...]]:
        """Every standard reading of every word, the preferred one first."""
        tokens = self._tokens(text)
        plan = respelling.planned(text, tokens, words)
        every = Plan(plan.choices + respelling.free(text, tokens, plan.choices), plan.closed)
        by_word: list[list[str]] = [[word] for word in self._spoken(text, tokens, plan)]
        for choice in every.choices:
            for other in choice.readings[1:]:
                for at, word in enumerate(self._spoken(text, tokens, every, (choice, other))):
                    by_word[at].append(word)
        return [tuple(dict.fromkeys(_with_we(readings)))[:_MOST] for readings in by_word]

    def _tokens(self, text: str) -> list[Token]:
        return [
            Token(one.span.start, one.span.end, one.feature.pos, one.feature.expression)
            for one in self._mecab.parse(text)
        ]

    def _spoken(self, text: str, tokens: list[Token], plan: Plan, other: tuple[Choice, str] | None = None) -> list[str]:
        letters = respelling.letters(text, plan, tokens, other=other)
        sound, written = self.sound("".join(letters)).split(), text.split()
        return (
            sound
            if len(sound) == len(written)
            else [self.sound(word.replace("/", respelling.SLASH)) or word for word in written]
        )

    def sound(self, text: str) -> str:
        """One text as its letters sound; no word and no tag is known."""
        special, regular = self._special, self._regular
        jamo = _CLOSING.sub("\u110e\u1165", self._utils.h2j(text))
        jamo = _UI.sub("\\1\u1175", jamo).replace("/U", "")
        for step in (special.jyeo, special.rieulgiyeok, special.rieulbieub, special.verb_nieun):
            jamo = step(jamo)
        jamo = jamo.replace("/P", "")  # or 밟아 would be taken for 밟 before a consonant
        for step in (special.balb, special.palatalize):
            jamo = step(jamo)
        jamo = assimilation.assimilated(re.sub("/[PE]", "", _BEFORE_TENSE.sub(_tense_after_l, jamo)))
        for step in (regular.link1, regular.link2, regular.link4, special.jyeo):  # 붙여 is 부쳐 by now, and said 부처
            jamo = step(jamo)
        composed: str = self._utils.compose(jamo)
        return composed.replace(respelling.SLASH, "/")


def _tense_after_l(match: re.Match[str]) -> str:
    return match[1] + _TENSE_JAMO[match[2]]


def _g2pk(*names: str) -> list[Any]:
    """g2pk's modules of rules, past its own start, which loads NLTK (4 s) for the English that never comes here."""
    spec = importlib.util.find_spec("g2pk")
    if spec is None or "g2pk" in sys.modules:
        return [importlib.import_module(f"g2pk.{name}") for name in names]
    package = types.ModuleType("g2pk")
    package.__path__ = list(spec.submodule_search_locations or [])
    sys.modules["g2pk"] = package
    try:
        return [importlib.import_module(f"g2pk.{name}") for name in names]
    finally:
        del sys.modules["g2pk"]


def _with_we(readings: list[str]) -> list[str]:
    """Each reading, and at the end each with ㅞ for ㅚ (4항 붙임)."""
    return readings + ["".join(_we(letter) for letter in word) for word in readings]


def _we(letter: str) -> str:
    return hangul.with_vowel(letter, "ㅞ") if hangul.vowel(letter) == "ㅚ" else letter
