"""Where an evaluation lies on disk, and which one it is.

    DIR/
      begun.json                          what is evaluated: the base model, the sentences, every setting of the speech
      sentences.tsv                       id, language, text of each sentence, as it is read
      audio/<condition>/<id>.wav          the first take of each sentence; the listening test takes its stimuli here
      audio/<condition>/take-2/<id>.wav   further takes, with other seeds
      audio/natural/<id>.wav              the recording of the same sentence, where there is one
      answers/<condition>/*.jsonl         what was measured so far, a line each; a killed evaluation goes on from there
      results.jsonl                       a line per condition, sentence and take
      losses.jsonl                        a line per condition and held-out clip
      evaluation.json                     all of it by condition and language, with intervals
      index.html                          the same to read and to listen to

Everything but begun.json and the answers is made anew at the end of each command, from the answers.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate import files
from curate.errors import UserError

NATURAL, ZERO_SHOT, PLAIN = "natural", "zero-shot", "zero-shot-plain"
OURS = (NATURAL, ZERO_SHOT, PLAIN)  # names of conditions that no adapter may have
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # of a condition or sentence: a file, in every system and address
BEGUN = "begun.json"


@dataclass(frozen=True)
class Sentence:
    """A sentence to be spoken; its text is in spoken form, without a tag."""

    id: str
    language: str
    text: str
    recording: Path | None = None  # of the same sentence, by a person
    speaker: str = ""
    pronounced: str | None = None  # the other form that an adapter may have learned


def wav(folder: Path, condition: str, sentence: str, take: int = 1) -> Path:
    """Where a sentence that a condition has spoken lies."""
    place = folder / "audio" / condition
    return (place if take == 1 else place / f"take-{take}") / f"{sentence}.wav"


def answers(folder: Path, condition: str, name: str) -> Path:
    """Where what was found of a condition is noted."""
    return folder / "answers" / condition / f"{name}.jsonl"


def locked(folder: Path, condition: str) -> AbstractContextManager[None]:
    """Hold one condition for one process. Raises Busy, a UserError, where another has it."""
    place = folder / "answers" / condition
    place.mkdir(parents=True, exist_ok=True)
    return files.locked(place / ".lock", f"{condition} of {folder} is being evaluated by another process: wait for it")


def begin(
    folder: Path, now: dict[str, Any], remedy: str = "choose another --into", defaults: Mapping[str, Any] | None = None
) -> None:
    """Note what is evaluated, or hold it to what was noted. Raises UserError where the folder is of something else.

    `defaults`: the values of entries that an earlier version did not note, for it did not have them.
    """
    path = folder / BEGUN
    try:
        if not path.is_file():
            if folder.is_dir() and (there := sorted(each.name for each in folder.iterdir() if each.name[0] != ".")):
                raise UserError(f"{folder} is not empty ({there[0]} is there): {remedy}")
            folder.mkdir(parents=True, exist_ok=True)
            files.write_text(path, json.dumps(now, indent=2, ensure_ascii=False) + "\n")
    except OSError as problem:
        raise UserError(f"{folder} cannot be written ({problem.strerror}): {remedy}") from problem
    check(path, now, remedy, defaults or {})


def check(path: Path, now: dict[str, Any], remedy: str, defaults: Mapping[str, Any]) -> None:
    """Raise UserError where another thing was noted in a file than `now`."""
    try:
        before = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as problem:
        raise UserError(f"{path} is damaged ({problem}): {remedy}") from problem
    for name, there, here in _differences(_completed(before, defaults), now):
        raise UserError(f"{path.parent} was begun with {name} {there}, and this is {here}: {remedy}, or put it back")


def _completed(before: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What was noted, with the defaults of what was not."""
    completed = dict(before)
    for name, value in defaults.items():
        there = completed.setdefault(name, value)
        if isinstance(there, dict) and isinstance(value, dict):
            completed[name] = _completed(there, value)
    return completed


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What differs, by its name and both values; of tables the entry."""
    for name in [*now, *(key for key in before if key not in now)]:
        there, here = before.get(name), now.get(name)
        if isinstance(there, dict) and isinstance(here, dict):
            yield from ((f"{name} {key}", old, new) for key, old, new in _differences(there, here))
        elif there != here:
            yield name, _shown(there), _shown(here)


def digest(value: object) -> str:
    """16 hex digits that tell plain values apart."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_sentences(folder: Path, sentences: Sequence[Sentence]) -> None:
    """sentences.tsv: id, language, text."""
    rows = [("id", "language", "text"), *((each.id, each.language, each.text) for each in sentences)]
    files.write_text(folder / "sentences.tsv", "".join("\t".join(row) + "\n" for row in rows))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of answers; what a kill has left half is none."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):  # U+2028 in a text ends no line
        try:
            value = json.loads(line)
        except ValueError:
            continue
        found += [value] if isinstance(value, dict) else []
    return found


class Answers:
    """What was found so far, by key, in a file that a line is added to at each; the last line of a key counts."""

    def __init__(self, path: Path, key: Callable[[dict[str, Any]], object]) -> None:
        self._path, self._key = path, key
        self.found = {key(line): line for line in read_lines(path)}

    def add(self, records: Iterable[dict[str, Any]]) -> None:
        """Note records; a file whose end a kill has left half is mended first."""
        path = self._path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and (path.read_bytes()[-1:] or b"\n") != b"\n":
            files.write_text(path, "".join(map(line, self.found.values())))
        for record in records:
            with path.open("a", encoding="utf-8") as file:
                file.write(line(record))
            self.found[self._key(record)] = record


def line(record: dict[str, Any]) -> str:
    """A record as a line of JSON. Raises ValueError for NaN, which is no JSON."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def _shown(value: object) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
