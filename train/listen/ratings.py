"""Reading ratings: one row per rating, and one clear line for what is wrong with a file."""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from curate.errors import UserError
from train.listen.scales import Scale
from train.messages import counted

REQUIRED = ("listener", "sentence", "language", "condition", "rating")
KINDS = ("test", "training", "gold", "trap", "repeat", "anchor")
OPTIONAL = (
    "kind", "expected", "plan", "trial", "replays", "seconds_to_rate", "heard_to_end", "device", "headphones", "native",
    "region", "first", "given_at",
)  # fmt: skip
SEPARATORS = (",", ";", "\t", "|")
YES, NO = ("1", "true", "yes", "y", "t"), ("0", "false", "no", "n", "f")
NUMBER = r"[-+]?\d+(?:\.\d+)?"
BETWEEN = re.compile(rf"({NUMBER})(?:\s*(?:\.\.|to|[-:/;–])\s*({NUMBER}))?")


@dataclass(frozen=True)
class Rating:
    """One answer of a listener; `expected` bounds the right answer of a gold item or a trap, ends included."""

    listener: str
    sentence: str
    language: str
    condition: str
    value: Fraction
    line: int
    kind: str = "test"
    expected: tuple[Fraction, Fraction] | None = None
    plan: str = ""
    trial: str = ""
    seconds_to_rate: float | None = None
    heard_to_end: bool | None = None
    headphones: bool | None = None
    native: bool | None = None
    fields: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def who(self) -> tuple[str, str]:
        """A listener is named within a language: L01 of Khmer and L01 of Korean are two people."""
        return self.language, self.listener

    @property
    def stimulus(self) -> tuple[str, str]:
        """What was heard."""
        return self.sentence, self.condition


@dataclass(frozen=True)
class Ratings:
    """All ratings of a file, each once, and what is to be said about the file."""

    rows: list[Rating]
    notes: list[str]


def read(path: Path, scale: Scale) -> Ratings:
    """Read a long CSV (comma, semicolon, tab or bar; UTF-8, with or without a byte order mark).

    Raises UserError naming the line for: a column missing, a row cut off, a value missing or no number, a rating that
    is not on the scale, two different ratings of one stimulus by one listener, ratings of different plans. A row that
    is there twice is counted once and told.
    """
    notes: list[str] = []
    rows = [_rating(fields, line, scale, path) for fields, line in _records(path, notes)]
    if not rows:
        raise UserError(f"{path} has no ratings: there is a header and nothing below it")
    plans = sorted({row.plan for row in rows} - {""})
    if len(plans) > 1:
        raise UserError(
            f"{path} holds ratings of {len(plans)} plans ({', '.join(p[:12] for p in plans)}): analyse each alone"
        )
    _check_case(rows, path)
    for key in ("listener", "sentence"):
        notes += _alike(rows, key)
    kept = list(_once(rows, path, notes))
    return Ratings(kept, notes)


def _check_case(rows: Sequence[Rating], path: Path) -> None:
    """Raise UserError for two conditions that differ in capitals alone: they would be compared with each other."""
    seen: dict[str, Rating] = {}
    for row in rows:
        before = seen.setdefault(row.condition.casefold(), row)
        if before.condition != row.condition:
            raise UserError(
                f"{path}, lines {before.line} and {row.line}: conditions {before.condition} and {row.condition} differ "
                f"in capitals alone: write one of them"
            )


def _alike(rows: Sequence[Rating], key: str) -> list[str]:
    """A note on names that differ in capitals alone: ids may, and they count as two."""
    names: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        name = getattr(row, key)
        names.setdefault((row.language, name.casefold()), {})[name] = None
    return [
        f"{language}: {key}s {' and '.join(each)} differ in capitals alone, and are counted as {len(each)}"
        for (language, _), each in names.items()
        if len(each) > 1
    ]


def _records(path: Path, notes: list[str]) -> Iterator[tuple[dict[str, str], int]]:
    """Each row by column name, with its line."""
    text = unicodedata.normalize("NFC", _text(path))  # a name is one name, on whatever system it was written
    lines = list(io.StringIO(text, newline=""))  # CR, LF or both; str.splitlines cuts at U+2028 inside a cell, too
    named = re.fullmatch(r'"?sep=(.)"?', lines[0].strip(" \r\n"))  # Excel's own first line
    separator = named[1] if named else max(SEPARATORS, key=lines[0].count)
    if named:
        lines[0] = "\n"  # an empty row, so that lines keep their numbers
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        header = [name.strip().lower() for name in next(filter(None, reader), [])]
        _check_header(header, path, notes)
        for values in reader:
            if any(value.strip() for value in values):
                if len(values) != len(header):
                    cut = ": is the file cut off?" if len(values) < len(header) else ": is a separator in a name?"
                    raise UserError(f"{path}, line {reader.line_num}: {len(values)} of {len(header)} fields{cut}")
                yield dict(zip(header, (value.strip() for value in values), strict=True)), reader.line_num
    except csv.Error as problem:
        raise UserError(f"{path}, line {reader.line_num}: {problem}: is the file cut off, or no CSV?") from None


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"there is no {path}") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder: name the CSV of ratings") from None
    except UnicodeDecodeError as problem:
        raise UserError(f"{path} is not UTF-8 (byte {problem.start}): save it as CSV in UTF-8") from None
    if not text.strip():
        raise UserError(f"{path} is empty")
    if "\0" in text:
        raise UserError(f"{path} is no text: save it as CSV in UTF-8")
    return text


def _check_header(header: Sequence[str], path: Path, notes: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise UserError(
            f"{path} has no column {missing[0]}: it wants {', '.join(REQUIRED)} and has {', '.join(header)}"
        )
    if twice := [name for name, times in Counter(header).items() if times > 1]:
        raise UserError(f"{path} has the column {twice[0] or 'without a name'} twice")
    unknown = [name for name in header if name not in (*REQUIRED, *OPTIONAL)]
    if unknown:
        notes.append(f"columns that the analysis does not use: {', '.join(unknown)}")


def _rating(fields: dict[str, str], line: int, scale: Scale, path: Path) -> Rating:
    place = f"{path}, line {line}"
    empty = [name for name in REQUIRED if not fields[name]]
    if empty:
        raise UserError(f"{place}: {empty[0]} is empty: is the file cut off?")
    kind = fields.get("kind", "").lower() or "test"
    if kind not in KINDS:
        raise UserError(f"{place}: kind is {fields['kind']!r}, not one of {', '.join(KINDS)}")
    value = _number(fields["rating"], "rating", place)
    if not scale.holds(value):
        raise UserError(f"{place}: a rating of {fields['rating']} is not on the scale of {scale.meaning}")
    seconds = fields.get("seconds_to_rate")
    return Rating(
        listener=fields["listener"],
        sentence=fields["sentence"],
        language=fields["language"].lower(),
        condition=fields["condition"],
        value=value,
        line=line,
        kind=kind,
        expected=_expected(fields.get("expected", ""), place, scale.gold_slack if kind == "gold" else 0),
        plan=fields.get("plan", ""),
        trial=fields.get("trial", ""),
        seconds_to_rate=float(_number(seconds, "seconds_to_rate", place)) if seconds else None,
        heard_to_end=_flag(fields, "heard_to_end", place),
        headphones=_flag(fields, "headphones", place),
        native=_flag(fields, "native", place),
        fields=fields,
    )


def _number(text: str, name: str, place: str) -> Fraction:
    number = _fraction(text)
    if number is None:
        raise UserError(f"{place}: {name} is {text!r}, not a number")
    return number


@lru_cache(maxsize=4096)  # a scale has few values, and a file many ratings
def _fraction(text: str) -> Fraction | None:
    plain = text.replace(",", ".") if text.count(",") == 1 else text  # 3,5 where the separator is a semicolon
    if not re.fullmatch(rf"{NUMBER}(?:[eE][-+]?\d\d?)?", plain, re.ASCII):
        return None
    return Fraction(plain)


def _expected(text: str, place: str, slack: int) -> tuple[Fraction, Fraction] | None:
    """4..5, 4-5 and 4:5 bound the right answer; 4 is the answer itself, give or take `slack`."""
    if not text:
        return None
    match = BETWEEN.fullmatch(text)
    if not match:
        raise UserError(f"{place}: expected is {text!r}, neither a rating (4) nor two (4..5)")
    low = Fraction(match[1])
    return (low, Fraction(match[2])) if match[2] else (low - slack, low + slack)


def _flag(fields: dict[str, str], name: str, place: str) -> bool | None:
    """Yes, no, or None for an empty cell or column; headphones may name a kind of them, and that is yes."""
    text = fields.get(name, "").lower()
    if not text or text == "unknown":
        return None
    if text in NO or (name == "headphones" and text in ("none", "speakers", "loudspeaker", "failed")):
        return False
    if text in YES or name == "headphones":
        return True
    if name == "native":
        return text == fields["language"].lower()  # a language is named: the listener's own
    raise UserError(f"{place}: {name} is {fields[name]!r}, neither yes nor no")


def _once(rows: Sequence[Rating], path: Path, notes: list[str]) -> Iterator[Rating]:
    """Each rating once; training, gold and traps may come again, what is compared may not."""
    seen: dict[tuple[str, ...], Rating] = {}
    again = 0
    for row in rows:
        key = (*row.who, *row.stimulus, row.kind, row.trial if row.kind not in ("test", "anchor") else "")
        before = seen.setdefault(key, row)
        if before is row:
            yield row
        elif before.value == row.value:
            again += 1
        elif row.kind in ("test", "anchor"):
            raise UserError(
                f"{path}, lines {before.line} and {row.line}: listener {row.listener} rated sentence {row.sentence} "
                f"in {row.condition} twice ({float(before.value):g} and {float(row.value):g}): keep one, or give the "
                f"second kind `repeat`"
            )
        else:
            yield row
    if again:
        notes.append(f"{counted(again, 'row')} there twice with the same rating, counted once")
