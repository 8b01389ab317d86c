"""Which Korean words sound otherwise than the rules say: our lexicon, and a user's that wins over it.

A lexicon is a TSV: word, its standard readings in Hangul separated by `|` (the first is preferred), and in ours the
class (the article of 표준 발음법) and the source. Licence and provenance: lexicon.LICENSE.md.
"""

import functools
import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from curate.errors import UserError
from curate.text.korean.assimilation import neutral
from curate.text.korean.hangul import final, with_final

TABLES = ("lexicon_sino.tsv", "lexicon.tsv")  # the later wins
_HANGUL = re.compile("[가-힣]{1,40}")


@dataclass(frozen=True)
class Lexicon:
    """Words and stems with their readings, ready to stand before any particle; `own` are the user's."""

    readings: dict[str, tuple[str, ...]]
    own: frozenset[str]
    longest: int

    def starting(self, text: str) -> list[str]:
        """The words that a text starts with, the longest first."""
        return [text[:end] for end in range(min(self.longest, len(text)), 0, -1) if text[:end] in self.readings]


def lexicon(
    path: Path | None = None, tables: tuple[str, ...] = TABLES, without: frozenset[str] = frozenset()
) -> Lexicon:
    """Ours, and over it the user's file, read anew when it changes; a broken line of it is a UserError.

    `tables`, and `without` of the last of them, are for measuring what they gain.
    """
    return _lexicon(path, b"" if path is None else _bytes(path), tables, without)


@functools.lru_cache(maxsize=8)
def _lexicon(path: Path | None, own: bytes, tables: tuple[str, ...], without: frozenset[str]) -> Lexicon:
    shipped = {
        word: sounds for name in tables for word, sounds in _shipped(name) if name != TABLES[-1] or word not in without
    }
    users = {} if path is None else _read(path, own)
    readings = {word: tuple(whole_coda(word, one) for one in sounds) for word, sounds in {**shipped, **users}.items()}
    stems = {word[:-1]: _stem(sounds) for word, sounds in readings.items() if word.endswith("다") and len(word) > 2}
    merged = {**{stem: sounds for stem, sounds in stems.items() if sounds}, **readings}
    return Lexicon(merged, frozenset(users), max(map(len, merged), default=0))


def lexicon_hash(path: Path | None = None) -> str:
    """What the readings come from, in sixteen hexadecimal digits: our tables and the user's file."""
    return _hash(b"" if path is None else _bytes(path))


@functools.lru_cache(maxsize=8)
def _hash(own: bytes) -> str:
    digest = hashlib.sha256()
    for part in (*((files(__package__) / name).read_bytes() for name in TABLES), own):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def _read(path: Path, own: bytes) -> dict[str, tuple[str, ...]]:
    """A user's lexicon: word, TAB, reading or readings with `|`; `#` starts a comment, more columns are passed over."""
    try:
        text = own.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8: save it as UTF-8") from error
    readings: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        line = line.split("#")[0].strip()
        if line:
            word, sounds = _row(line, f"{path} line {number}")
            readings[word] = sounds
    return readings


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the lexicon {path}: {error.strerror or error}") from error


def _row(line: str, where: str) -> tuple[str, tuple[str, ...]]:
    cells = [cell.strip() for cell in line.split("\t")]
    sounds = tuple(one.strip() for one in cells[1].split("|")) if len(cells) > 1 else ()
    if not sounds or not all(map(_HANGUL.fullmatch, (cells[0], *sounds))):
        raise UserError(
            f"{where}: {line[:60]!r} should be a Hangul word, a tab and its sound in Hangul: 솜이불\t솜니불"
        )
    return cells[0], sounds


def _shipped(name: str) -> list[tuple[str, tuple[str, ...]]]:
    lines = (files(__package__) / name).read_text(encoding="utf-8").splitlines()
    cells = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(row[0], tuple(row[1].split("|"))) for row in cells]


def whole_coda(word: str, reading: str) -> str:
    """The reading with the written final consonant, where the reading only neutralised it: 꽃잎 꼰닙 -> 꼰닢."""
    written = final(word[-1])
    if written and neutral(written) == final(reading[-1]):
        return reading[:-1] + with_final(reading[-1], written)
    return reading


def _stem(readings: tuple[str, ...]) -> tuple[str, ...]:
    """What stands before 다 in a predicate's readings; the ending finds its own sound."""
    return tuple(one[:-1] for one in readings if one[-1] in "다따")
