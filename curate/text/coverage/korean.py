"""What a Korean text covers: the parts of its syllables as they sound, and the sound changes between text and sound.

Whole columns at once: all texts stand in one array of code points, and what is counted is arithmetic on it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.text.coverage.found import Found
from curate.text.korean.hangul import FINALS, INITIALS, VOWELS

KINDS = {
    "initial": "initial consonants as they sound",
    "vowel": "vowels as they sound",
    "final": "final consonants as they sound",
    "syllable": "syllables as they sound",
    "contact": "a final and the initial after it, inside a word, as they sound",
    "sound change": "letters that sound otherwise than they are written: ㄱ+ㄴ>ㅇ+ㄴ of 국내 [궁내]",
}
# Every one that standard Korean has; of the other kinds only what a corpus holds is known.
INVENTORY = {"initial": tuple(INITIALS), "vowel": tuple(VOWELS), "final": tuple("ㄱㄴㄷㄹㅁㅂㅇ")}
_FIRST, _LAST = ord("가"), ord("힣")
_NONE = len(INITIALS)  # the initial after a final where no syllable follows
_BETWEEN = 1  # code points between two syllables of neighbouring words: the space
Codes = NDArray[Any]


def units(spoken: pl.Series, pronounced: pl.Series) -> list[Found]:
    """Every unit of n texts and their pronounced forms; nulls have none.

    Sound changes are found where both forms have equally many letters, so that they stand one above the other.
    """
    said, written = _plain(pronounced), _plain(spoken)
    alike = said.str.len_chars() == written.str.len_chars()
    both = (_codes(pl.select(pl.when(alike).then(text).otherwise(pl.lit(""))).to_series()) for text in (said, written))
    (rows, heard), (_, spelled) = both
    return _parts(*_codes(said)) + _changes(rows, heard, spelled)


def _plain(texts: pl.Series) -> pl.Series:
    """Syllables and single spaces only; a null is empty."""
    return texts.fill_null("").str.replace_all(r"[^가-힣\s]", "").str.replace_all(r"\s+", " ").str.strip_chars()


def _codes(texts: pl.Series) -> tuple[Codes, Codes]:
    """The code points of all texts in a row, each text ended by a zero, and the number of the text they are of."""
    joined = np.frombuffer(("\0".join(texts.to_list()) + "\0").encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    ends = joined == 0
    return np.cumsum(ends) - ends, joined


def _found(kind: str, rows: Codes, numbers: Codes, name: Callable[[int], str]) -> Found:
    """Distinct pairs of row and number, the number with its name."""
    span = int(numbers.max(initial=0)) + 1
    row, number = np.divmod(pl.Series(rows * span + numbers).unique().to_numpy(), span)
    seen = np.flatnonzero(np.bincount(number, minlength=1))
    return Found(kind, row, np.searchsorted(seen, number), [name(each) for each in seen.tolist()])


def _split(codes: Codes) -> tuple[Codes, Codes, Codes]:
    """Initial, vowel and final of syllables, by number (as `hangul` counts them)."""
    offset = codes - _FIRST
    return offset // (len(VOWELS) * len(FINALS)), offset // len(FINALS) % len(VOWELS), offset % len(FINALS)


def _parts(rows: Codes, codes: Codes) -> list[Found]:
    is_syllable = (codes >= _FIRST) & (codes <= _LAST)
    row, syllables = rows[is_syllable], codes[is_syllable]
    initial, vowel, final = _split(syllables)
    ends = final > 0
    next_to = is_syllable[:-1] & is_syllable[1:]
    before, after = codes[:-1][next_to], codes[1:][next_to]
    contact = _split(before)[2] * len(INITIALS) + _split(after)[0]
    return [
        _found("initial", row, initial, lambda n: INITIALS[n]),
        _found("vowel", row, vowel, lambda n: VOWELS[n]),
        _found("final", row[ends], final[ends], lambda n: FINALS[n]),
        _found("syllable", row, syllables, chr),
        _found("contact", rows[:-1][next_to], contact, lambda n: _pair(*divmod(n, len(INITIALS)))),
    ]


def _changes(rows: Codes, said: Codes, written: Codes) -> list[Found]:
    """Where a final, the initial after it, or a vowel is not as it is written."""
    at = np.flatnonzero((said >= _FIRST) & (said <= _LAST) & (written >= _FIRST) & (written <= _LAST))
    after = at + 1
    # said in one breath: the next syllable, or the one behind a space
    after = np.where(said[np.minimum(after, len(said) - 1)] == ord(" "), after + _BETWEEN, after)
    after = np.minimum(after, len(said) - 1)
    follows = (said[after] >= _FIRST) & (written[after] >= _FIRST)
    final, heard_final = _split(written[at])[2], _split(said[at])[2]
    initial = np.where(follows, _split(np.maximum(written[after], _FIRST))[0], _NONE)
    heard_initial = np.where(follows, _split(np.maximum(said[after], _FIRST))[0], _NONE)
    changed = (final != heard_final) | (initial != heard_initial)
    base = _NONE + 1
    numbers = ((final * base + initial) * len(FINALS) + heard_final) * base + heard_initial
    vowel, heard_vowel = _split(written[at])[1], _split(said[at])[1]
    other = vowel != heard_vowel
    return [
        _found("sound change", rows[at[changed]], numbers[changed], _change),
        _found("sound change", rows[at[other]], (vowel * len(VOWELS) + heard_vowel)[other], _vowel_change),
    ]


def _change(number: int) -> str:
    base = _NONE + 1
    rest, heard_initial = divmod(number, base)
    rest, heard_final = divmod(rest, len(FINALS))
    final, initial = divmod(rest, base)
    return f"{_pair(final, initial)}>{_pair(heard_final, heard_initial)}"


def _vowel_change(number: int) -> str:
    vowel, heard = divmod(number, len(VOWELS))
    return f"{VOWELS[vowel]}>{VOWELS[heard]}"


def _pair(final: int, initial: int) -> str:
    """ㄱ+ㄴ; a final before a pause stands alone, no final at all is an empty place."""
    return FINALS[final] + (f"+{INITIALS[initial]}" if initial < _NONE else "")
