"""What other tools have found of the same files: transcripts by any recogniser, scores as VERSA writes them.

VERSA (a toolkit of 90 speech measures, Apache-2.0) scores a list of WAVs and writes a line of JSON for each, its key
and one number per measure: {"key": "r64/ko0001", "utmos": 4.1, "dns_overall": 3.2}. A key here is `condition/sentence`,
with `/2` for the second take, or the path of the WAV below DIR/audio, or in any folder, with or without .wav.
"""

import csv
import io
import json
import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from curate.errors import UserError

Key = tuple[str, str, int]  # condition, sentence, take
KEYS = ("key", "file", "audio", "path", "wav", "id", "utt_id")
TEXTS = ("heard", "transcript", "text", "hypothesis", "hyp", "pred_text", "pred")
LEFT_OUT = ("ref_text", "seed", "take", "duration")  # not scores


def transcripts(path: Path, known: Collection[Key]) -> dict[Key, str]:
    """What another recogniser has heard: TSV or CSV with a header, or JSONL; a key and a text in each.

    Raises UserError where a line is of a sentence that was not spoken here, or one is there twice.
    """
    found: dict[Key, str] = {}
    for number, row in _rows(path):
        key = _key(row, path, number, known)
        name = next((each for each in TEXTS if row.get(each) is not None), None)
        if name is None:
            raise UserError(f"{path}, line {number}: no transcript; its column is called one of {', '.join(TEXTS)}")
        _once(found, key, path, number)
        found[key] = str(row[name])
    if not found:
        raise UserError(f"{path} holds no transcripts")
    return found


def scores(path: Path, known: Collection[Key]) -> dict[Key, dict[str, float]]:
    """The numbers of another tool, such as VERSA's JSONL, by its names. Raises UserError as `transcripts` does."""
    found: dict[Key, dict[str, float]] = {}
    for number, row in _rows(path):
        key = _key(row, path, number, known)
        _once(found, key, path, number)
        found[key] = dict(_numbers(row))
    if not any(found.values()):
        raise UserError(f"{path} holds no scores: a line has a key and one number per measure")
    return found


def _numbers(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in row.items():
        if name in (*KEYS, *TEXTS, *LEFT_OUT, "condition", "sentence") or isinstance(value, bool):
            continue
        try:
            score = float(value)
        except (TypeError, ValueError, OverflowError):
            continue  # transcripts and the like, which VERSA writes beside
        if math.isfinite(score):
            yield name, score


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{path} cannot be read as UTF-8 text ({problem})") from problem
    if text.lstrip().startswith("{"):
        yield from _json_rows(text, path)
        return
    if text.lstrip().startswith("["):
        raise UserError(f"{path} is one JSON array: write a line of JSON for each file (JSONL), or TSV")
    tabs = "\t" in text.partition("\n")[0]
    # A recogniser may write a quote that it never closes: in TSV it is a letter like any other.
    how: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if tabs else {"delimiter": ","}
    rows = csv.DictReader(io.StringIO(text, newline=None), strict=not tabs, **how)
    try:
        for row in rows:
            if None in row or None in row.values():
                raise UserError(f"{path}, line {rows.line_num}: not as many fields as the first line names")
            yield rows.line_num, {name: _unquoted(value) if tabs else value for name, value in row.items()}
    except csv.Error as problem:
        raise UserError(
            f"{path}, line {rows.line_num}: not to be read as CSV ({problem}); TSV needs no quotes"
        ) from None


def _unquoted(value: str) -> str:
    """A field of TSV without the quotes that some programs write around it."""
    whole = len(value) > 1 and value[0] == value[-1] == '"'
    return value[1:-1].replace('""', '"') if whole else value


def _json_rows(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):  # U+2028 in a text ends no line
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise UserError(f"{path}, line {number}: no JSON object; is the file cut?")
        yield number, row


def _key(row: Mapping[str, Any], path: Path, number: int, known: Collection[Key]) -> Key:
    """The file that a row is of."""
    if row.get("condition") is not None and row.get("sentence") is not None:
        written = f"{row['condition']}/{row['sentence']}/{row.get('take') or 1}"
    else:
        name = next((each for each in KEYS if row.get(each) is not None), None)
        if name is None:
            raise UserError(
                f"{path}, line {number}: nothing says which file it is of; give a column key, condition/sentence"
            )
        written = str(row[name])
    key = _parsed(written)
    if key is None or key not in known:
        raise UserError(
            f"{path}, line {number}: {written!r} is no sentence that was spoken here; a key is condition/sentence, "
            "or the path of a WAV in audio/"
        )
    return key


def _parsed(written: str) -> Key | None:
    parts = [part for part in PurePosixPath(written.replace("\\", "/")).parts if part not in ("/", ".")]
    if parts and parts[-1].lower().endswith(".wav"):
        parts[-1] = parts[-1][:-4]
    if len(parts) >= 3 and parts[-2].startswith("take-") and parts[-2][5:].isdecimal():
        return parts[-3], parts[-1], int(parts[-2][5:])
    if len(parts) >= 3 and parts[-1].isdecimal() and int(parts[-1]) < 100 and "audio" not in parts:
        return parts[-3], parts[-2], int(parts[-1])
    return (parts[-2], parts[-1], 1) if len(parts) >= 2 else None


def _once(found: Mapping[Key, object], key: Key, path: Path, number: int) -> None:
    if key in found:
        raise UserError(f"{path}, line {number}: {'/'.join(map(str, key))} for the second time: leave one line of each")
