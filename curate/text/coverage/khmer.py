"""What a Khmer text covers: its grapheme clusters and the letters in them as written, its phones as they sound."""

import itertools
import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl

from curate.text.coverage.found import Found, Numbers

KINDS = {
    "consonant": "consonant letters and independent vowels as written",
    "subscript": "subscript letters (coeng) as written",
    "vowel sign": "dependent vowel signs as written",
    "cluster": "grapheme clusters as written: a letter with its subscripts, vowel and signs",
    "phone": "phones as they sound; of vowels a whole run is one, as in a diphthong",
    "phone pair": "two phones in a row, inside a word",
}
_CONSONANTS = "កខគឃងចឆជឈញដឋឌឍណតថទធនបផពភមយរលវសហឡអ"  # the 33 of modern spelling
INVENTORY = {
    "consonant": tuple(_CONSONANTS),
    "subscript": tuple(f"\u17d2{letter}" for letter in _CONSONANTS if letter not in "ដឡ"),  # coeng ta is both ត and ដ
    "vowel sign": tuple(
        "\u17b6\u17b7\u17b8\u17b9\u17ba\u17bb\u17bc\u17bd\u17be\u17bf\u17c0\u17c1\u17c2\u17c3\u17c4\u17c5"
    ),
}
_LETTER = "[\u1780-\u17b3]"
_MARKS = "[\u17b6-\u17d1\u17d3\u17dd]"
_CLUSTER = rf"{_LETTER}\u{{17cc}}?(?:\u{{17d2}}{_LETTER})*{_MARKS}*"
_VOWEL = "aeiouæøœɐɑɒɔəɘɛɜɞɤɨɪɯɵʉʊʌɚɝăĕĭŏŭ"
_MODIFIERS = "[\u02b0-\u02ff\u0300-\u036f]*"  # ː, ʰ and marks over or under a letter
_PHONE = rf"(?:[{_VOWEL}]{_MODIFIERS})+|[^\W\d_\u02b0-\u02ff]{_MODIFIERS}"
_LETTERS = {
    "consonant": re.compile(f"^{_LETTER}"),
    "subscript": re.compile(f"\u17d2{_LETTER}"),
    "vowel sign": re.compile("[\u17b6-\u17c5]"),
}


class _Parts(NamedTuple):
    """Pairs of a row and a part of its text, each once: parts by their place in `different`."""

    rows: Numbers
    numbers: Numbers
    different: list[str]


def units(spoken: pl.Series, pronounced: pl.Series) -> list[Found]:
    """Every unit of n texts and their phonemes; nulls have none."""
    clusters = _distinct(spoken.fill_null("").str.extract_all(_CLUSTER))
    words = _distinct(pronounced.fill_null("").str.split(" "))
    phones = {word: re.findall(_PHONE, word) for word in words.different}
    return [
        _found("cluster", clusters, lambda cluster: [cluster]),
        *(_found(kind, clusters, pattern.findall) for kind, pattern in _LETTERS.items()),
        _found("phone", words, lambda word: phones[word]),
        _found("phone pair", words, lambda word: [f"{a} {b}" for a, b in itertools.pairwise(phones[word])]),
    ]


def _distinct(lists: pl.Series) -> _Parts:
    parts = pl.DataFrame({"row": np.arange(len(lists)), "part": lists}).explode("part").drop_nulls().unique()
    different = parts.select(pl.col("part").unique()).with_row_index("number")
    parts = parts.join(different, on="part")
    return _Parts(parts["row"].to_numpy(), parts["number"].to_numpy().astype(np.int64), different["part"].to_list())


def _found(kind: str, parts: _Parts, units_of: Callable[[str], list[str]]) -> Found:
    """The units of the parts of each row: the same part stands in many texts, and is taken apart once."""
    of_part = [sorted(set(units_of(each))) for each in parts.different]
    names = sorted({name for each in of_part for name in each})
    place = {name: number for number, name in enumerate(names)}
    flat = np.array([place[name] for each in of_part for name in each], dtype=np.int64)
    lengths = np.array([len(each) for each in of_part], dtype=np.int64)
    firsts = np.cumsum(lengths) - lengths
    # for each pair of row and part: the places in `flat` from the part's first on
    own = lengths[parts.numbers]
    at = np.repeat(firsts[parts.numbers] - np.cumsum(own) + own, own) + np.arange(own.sum())
    width = max(len(names), 1)
    pairs = pl.Series(np.repeat(parts.rows, own) * width + flat[at]).unique().to_numpy()
    return Found(kind, pairs // width, pairs % width, names)
