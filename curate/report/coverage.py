"""Which sounds and letters the kept clips hold, and how often: a voice learns what it hears.

Korean: initials, vowels and finals of the pronounced syllables, so that a sound change counts as what is said. Khmer:
phones of the pronounced form (IPA), and grapheme clusters of the spelling. Counted in clips, over what is kept.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Any

import polars as pl

from curate import manifest
from curate.recipe import LANGUAGES

INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
SAID_FINALS = "ㄱㄴㄷㄹㅁㅂㅇ"  # the seven that a syllable can end in when it is said
FIRST_SYLLABLE, LAST_SYLLABLE = 0xAC00, 0xD7A3
# a consonant or independent vowel with what is written under, over and around it
CLUSTER = re.compile("[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b6-\u17d1\u17d3\u17dd])*")
RARE = 10  # clips: a unit that is in fewer has hardly been heard
LISTED = 80  # of many units, the most frequent and the rarest


def coverage(clips: pl.DataFrame) -> list[dict[str, Any]]:
    """Per language and kind of unit: how many different ones there are, how often, which are rare or missing."""
    kept = manifest.kept(clips)
    korean, khmer = (kept.filter(pl.col("language") == code) for code in ("ko", "km"))
    parts = [_parts(said) for said in korean["pronounced"].drop_nulls()]
    kinds = [
        ("ko", "initials", [each[0] for each in parts], INITIALS),
        ("ko", "vowels", [each[1] for each in parts], VOWELS),
        ("ko", "finals", [each[2] for each in parts], SAID_FINALS),
        ("km", "phones", [phones(said) for said in khmer["pronounced"].drop_nulls()], ""),
        ("km", "grapheme clusters", [set(CLUSTER.findall(text)) for text in khmer["spoken"].drop_nulls()], ""),
    ]
    return [_kind(*each) for each in kinds if each[2]]


def _kind(language: str, unit: str, found: list[set[str]], known: str) -> dict[str, Any]:
    counts = Counter(each for clip in found for each in clip)
    first = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    shown = first if len(first) <= LISTED else [*first[: LISTED // 2], *first[-LISTED // 2 :]]
    return {
        "language": language,
        "name": LANGUAGES[language],
        "unit": unit,
        "clips": len(found),
        "different": len(counts),
        "rare": sum(count < RARE for count in counts.values()),
        "known": len(known),
        "missing": [each for each in known if each not in counts],
        "most": first[0][1] if first else 0,
        "units": [{"what": what, "clips": count} for what, count in shown],
    }


def _parts(said: str) -> tuple[set[str], set[str], set[str]]:
    """Initials, vowels and finals of the syllables of a text."""
    syllables = [ord(c) - FIRST_SYLLABLE for c in unicodedata.normalize("NFC", said)]
    syllables = [code for code in syllables if 0 <= code <= LAST_SYLLABLE - FIRST_SYLLABLE]
    finals = {FINALS[code % 28] for code in syllables if code % 28}
    return {INITIALS[code // 588] for code in syllables}, {VOWELS[code // 28 % 21] for code in syllables}, finals


def phones(ipa: str) -> set[str]:
    """Letters of IPA with the marks that belong to each."""
    return set(_letters(unicodedata.normalize("NFC", ipa)))


def _letters(ipa: str) -> Iterable[str]:
    letter = ""
    for character in ipa:
        kind = unicodedata.category(character)
        if kind in ("Lm", "Mn", "Mc") and letter:
            letter += character
            continue
        if letter:
            yield letter
        letter = character if kind in ("Ll", "Lu", "Lo") else ""
    if letter:
        yield letter
