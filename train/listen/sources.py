"""What a plan is made from: a folder of stimuli by condition, and the sentences that were spoken."""

import csv
import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curate.errors import UserError
from train.listen.plan import LANGUAGES, PLAIN, File, Sentence

ENDINGS = (".wav", ".flac")
TABLE = "sentences.tsv"
LARGEST_TABLE = 50_000_000  # bytes


@dataclass
class Source:
    """Sentences by language, and the file of each CONDITION/SENTENCE that has one."""

    sentences: dict[str, list[Sentence]]
    files: dict[str, Path] = field(default_factory=dict)
    half: list[str] = field(default_factory=list)  # conditions of an evaluation or a sweep that is not complete
    empty: list[str] = field(default_factory=list)  # folders without a sound of any sentence

    @property
    def conditions(self) -> list[str]:
        """All conditions that have a file, sorted."""
        return sorted({name.partition("/")[0] for name in self.files})


def read(folder: Path, table: Path | None = None) -> Source:
    """Read STIMULI/<condition>/<sentence>.wav|flac, or what `train evaluate` wrote: audio/ and sentences.tsv.

    Of a sweep, its evaluation/.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: give one with a folder for each condition")
    half = _half(folder)
    if (folder / "evaluation" / TABLE).is_file():
        folder = folder / "evaluation"
    audio = folder / "audio" if (folder / "audio").is_dir() and (folder / TABLE).is_file() else folder
    table = table or folder / TABLE
    if not table.is_file():
        raise UserError(f"there is no {table}: give --sentences FILE, a TSV with the columns id, language and text")
    source = Source(_sentences(table), half=half)
    known = {sentence.id for group in source.sentences.values() for sentence in group}
    for condition in sorted(path for path in audio.iterdir() if path.is_dir() and not path.name.startswith(".")):
        before = len(source.files)
        _add(source, condition, known)
        source.empty += [condition.name] if len(source.files) == before else []
    if not source.files:
        raise UserError(f"{audio} holds no condition: sounds are looked for at CONDITION/SENTENCE.wav or .flac")
    return source


def _half(folder: Path) -> list[str]:
    """What was begun or asked for in a sweep or an evaluation, and is not in its tables yet."""
    place = folder / "evaluation" if (folder / "evaluation" / TABLE).is_file() else folder
    begun = {path.parent.name for path in (place / "answers").glob("*/condition.json")}
    try:
        if (folder / "about.json").is_file():
            begun |= {f"r{rank}" for rank in json.loads((folder / "about.json").read_text(encoding="utf-8"))["ranks"]}
        table = place / "evaluation.json"
        whole = json.loads(table.read_text(encoding="utf-8"))["conditions"] if begun and table.is_file() else {}
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{folder} is damaged: run the `train sweep` or `train evaluate` that made it again") from None
    return sorted(begun - set(whole))


def _add(source: Source, folder: Path, known: set[str]) -> None:
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.stem in known):
        name = f"{folder.name}/{path.stem}"
        if name in source.files:
            raise UserError(f"{name} is there twice, as {source.files[name].name} and {path.name}: keep one")
        source.files[name] = path


def _sentences(table: Path) -> dict[str, list[Sentence]]:
    """The sentences of a TSV by language, in its order."""
    found: dict[str, list[Sentence]] = {}
    seen: set[str] = set()
    for number, row in enumerate(_rows(table, ("id", "language", "text")), start=2):
        name, language, text = row["id"].strip(), row["language"].strip(), row["text"].strip()
        if not re.fullmatch(PLAIN, name):
            raise UserError(f"{table}, line {number}: {name!r} cannot be a file's name: give a plain id")
        if name in seen:
            raise UserError(f"{table}, line {number}: sentence {name} stands there twice")
        if language not in LANGUAGES:
            raise UserError(f"{table}, line {number}: language {language!r} is none of {', '.join(LANGUAGES)}")
        seen.add(name)
        found.setdefault(language, []).append(Sentence(id=name, text=text))
    if not found:
        raise UserError(f"{table} holds no sentence")
    return found


def _rows(table: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a TSV with a header; every row has every wanted column."""
    try:
        if table.stat().st_size > LARGEST_TABLE:
            raise UserError(f"{table} is too large to be a table of sentences")
        lines = table.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{table} cannot be read as UTF-8 text: {problem}") from None
    rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    missing = [name for name in columns if not lines or name not in lines[0].split("\t")]
    if missing:
        raise UserError(f"{table} has no column {missing[0]}: it needs {', '.join(columns)}, apart by tabs")
    for number, row in enumerate(rows, start=2):
        if None in row or any(row[name] is None for name in columns):
            raise UserError(f"{table}, line {number} has not as many fields as the first line: is it cut off?")
    return rows


def traps(folder: Path, language: str, texts: dict[int, str]) -> dict[int, Path]:
    """The spoken trap of each value that FOLDER/<language>/<value>.wav|flac has; UserError where there is none."""
    found: dict[int, Path] = {}
    for value in texts:
        for path in (folder / language / f"{value}{ending}" for ending in ENDINGS):
            if path.is_file():
                found[value] = path
    if not found:
        value, text = list(texts.items())[min(1, len(texts) - 1)]
        place = folder / language / f"{value}.wav"
        raise UserError(f"a trap is spoken and {place} is not there: record “{text}”, or say --traps 0")
    return found


@dataclass(frozen=True)
class GoldFile:
    """A sound whose rating is known beforehand."""

    language: str
    path: Path
    low: int
    high: int


def gold(table: Path) -> list[GoldFile]:
    """Gold items of one's own: a TSV with language, audio (relative to it), low and high."""
    found = []
    for number, row in enumerate(_rows(table, ("language", "audio", "low", "high")), start=2):
        path = table.parent / row["audio"].strip()
        try:
            low, high = int(row["low"]), int(row["high"])
        except ValueError:
            raise UserError(f"{table}, line {number}: low and high are whole numbers of the scale") from None
        if row["language"] not in LANGUAGES:
            raise UserError(f"{table}, line {number}: language {row['language']!r} is none of {', '.join(LANGUAGES)}")
        if not path.is_file():
            raise UserError(f"{table}, line {number}: there is no {path}")
        found.append(GoldFile(row["language"], path, low, high))
    return found


def entry(path: Path, relative_to: Path) -> File:
    """A file as the plan names it."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror}") from None
    place = Path(os.path.relpath(path.resolve(), relative_to.resolve())).as_posix()
    return File(path=place, sha256=hashlib.sha256(content).hexdigest())
