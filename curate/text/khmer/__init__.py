"""Khmer text: canonical encoding, the spoken form, words and phonemes."""

import re

from curate.text.cleaning import clean
from curate.text.khmer.canonical import INHERENT, ordered
from curate.text.khmer.numbers import NUMBER_WORD
from curate.text.khmer.pronunciation import pronounced
from curate.text.khmer.segmentation import PACKAGES, words
from curate.text.khmer.tables import COUNTED
from curate.text.rules import DEFAULT, Change, Options, TextRule, any_of, rewrite

__all__ = ["SCRIPT", "canonical", "depends", "pronounced", "spoken", "words"]

SCRIPT = "\u1780-\u17b3\u17b6-\u17da\u17dc\u17dd"  # letters, signs and punctuation; digits and ៛ are spelled out

_LONGEST = 60  # characters before ៗ that are segmented to find the word it repeats
_MOST_REPEATS = 3  # more signs in a row are no speech
_REPEAT = re.compile(rf"([\u1780-\u17d3\u17dd]{{1,{_LONGEST}}})(?P<signs>ៗ(?: ?ៗ)*+)")
_PHRASES = ("បន្តិចម្តង", "ម្តងបន្តិច", "ពីរបី", "បីបួន", "មួយពីរ")  # repeated whole, not by their last word
_COUNTERS = any_of([*COUNTED, "ម្តង"])
_COUNT = re.compile(f"(?:{NUMBER_WORD})++(?:{_COUNTERS})$")  # two people at a time: said again whole
# ជា makes adverbs, and what it is put before is said again: ជារឿយៗ. Words that merely begin so: ជាតិ ជាប់លាប់ ជាងមាស.
_ADVERB = re.compile("^ជា(?!តិ|តក|លិកា|ង[ក-អ]|[ក-អ][\u17cb\u17d0])(?=[ក-អ][^ក-អ]*[ក-អ])")


def canonical(text: str) -> str:
    """NFC, no invisible characters, Khmer in the order of its encoding structure. Idempotent."""
    return ordered(clean(INHERENT.sub("", text)))


def spoken(text: str, options: Options = DEFAULT) -> tuple[str, list[Change]]:
    """Canonical text as it is said, and every change with its rule; what has nothing to say stays as it is."""
    from curate.text.khmer.rules import rules_for  # hundreds of patterns: compiled where something is read

    rewritten, changes = rewrite(text, rules_for(text, options))
    if changes:  # a stray vowel may stand behind a word now
        rewritten = ordered(rewritten)
    if "ៗ" not in rewritten:
        return rewritten, changes
    repeated, more = rewrite(rewritten, (TextRule("repeat", _REPEAT, _repeated),))
    return ordered(repeated), changes + more


def depends(form: str, options: Options = DEFAULT) -> tuple[str, ...]:
    """The packages that a form of Khmer text comes from, besides our own rules."""
    behind = {
        "spoken": ("khmercut", f"clock {options.clock}", f"date_words {options.date_words}"),
        "words": PACKAGES.get(options.words, ()),
        "pronounced": (*PACKAGES.get(options.words, ()), "khmerphonemizer"),
    }
    return behind.get(form, ())


def _repeated(match: re.Match[str]) -> str:
    before = match[1]
    phrase = next((phrase for phrase in _PHRASES if before.endswith(phrase)), None)
    counted = _COUNT.search(before)
    again = phrase or (counted.group() if counted else _ADVERB.sub("", _last_word(before)))
    return before + again * min(match["signs"].count("ៗ"), _MOST_REPEATS)


def _last_word(text: str) -> str:
    from khmercut import tokenize  # the model of khmer-nltk, loaded in 0.04 s where that takes 3 s

    last: str = tokenize(text)[-1]
    return last
