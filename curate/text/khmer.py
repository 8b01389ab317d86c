"""Khmer text: canonical encoding, the spoken form, words and phonemes."""

import functools
import logging
import re
import warnings
from collections.abc import Callable

from curate.text.hygiene import clean
from curate.text.khmer_order import ordered
from curate.text.khmer_rules import RULES
from curate.text.rules import Change, Rule, rewrite

SCRIPT = "\u1780-\u17b3\u17b6-\u17da\u17dc\u17dd"  # letters, signs and punctuation; digits and ៛ are spelled out
PACKAGES = {
    "canonical": (),
    "spoken": ("khmercut",),
    "words": ("khmer-nltk",),
    "pronounced": ("khmer-nltk", "khmerphonemizer"),
}

_LONGEST = 60  # characters before ៗ that are segmented to find the word it repeats
_WINDOW = 2000  # characters segmented at once, so that memory stays flat on endless lines
_REPEAT = re.compile(rf"([\u1780-\u17d3\u17dd]{{1,{_LONGEST}}})ៗ")
_PHRASES = ("បន្តិចម្តង", "ម្តងបន្តិច", "ពីរបី", "បីបួន", "មួយពីរ")  # repeated whole, not by their last word
_PIECES = re.compile(rf"[^ ]{{1,{_WINDOW}}}")


def canonical(text: str) -> str:
    """NFC, no invisible characters, Khmer in the order of its encoding structure. Idempotent."""
    return ordered(clean(text))


def spoken(text: str) -> tuple[str, list[Change]]:
    """Canonical text as it is said, and every change with its rule; what has nothing to say stays as it is."""
    return rewrite(text, (*RULES, Rule("repeat", _REPEAT, _repeated)) if "ៗ" in text else RULES)


def words(text: str) -> list[str]:
    """The words of a text, by khmer-nltk (Apache-2.0); joined they give the text without its spaces."""
    return [word for piece in _PIECES.findall(text) for word in _segmented(piece)]


def pronounced(text: str) -> str:
    """The phonemes of every word by khmerphonemizer (MIT), words apart by spaces; punctuation falls away."""
    return " ".join("".join(phonemes) for word in words(text) if (phonemes := phonemes_of(word)))


@functools.lru_cache(maxsize=50_000)
def phonemes_of(word: str) -> tuple[str, ...]:
    """The phonemes of one word; none for punctuation and for what is not Khmer or Latin."""
    letters = re.sub("[^A-Za-z\u1780-\u17d3\u17dd]", "", word)
    if not letters:
        return ()
    from khmerphonemizer import phonemize_single  # 0.05 s, a lexicon and a transducer

    return tuple(phonemize_single(letters) or ())


def _repeated(match: re.Match[str]) -> str:
    before = match[1]
    phrase = next((phrase for phrase in _PHRASES if before.endswith(phrase)), None)
    return before + (phrase or _last_word(before))


def _last_word(text: str) -> str:
    from khmercut import tokenize  # the model of khmer-nltk, loaded in 0.04 s where that takes 3 s

    last: str = tokenize(text)[-1]
    return last


def _segmented(piece: str) -> list[str]:
    found = [token for token in _tokenizer()(piece) if token.strip()]
    if "".join(found) == piece:
        return found
    from khmercut import tokenize  # khmer-nltk "corrects" a few words; this one never alters text

    return [token for token in tokenize(piece) if token]


@functools.cache
def _tokenizer() -> Callable[[str], list[str]]:
    """khmer-nltk's tokenizer with its model loaded, kept from writing to standard error."""
    with warnings.catch_warnings():  # it writes "\(" in plain strings
        warnings.simplefilter("ignore")
        import khmernltk

        logging.getLogger("khmer-nltk").setLevel(logging.WARNING)
        khmernltk.word_tokenize("ក")
    tokenize: Callable[[str], list[str]] = khmernltk.word_tokenize
    return tokenize
