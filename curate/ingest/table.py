"""A table with one clip per row: TSV, CSV, JSONL or Parquet, with audio, text, language, speaker, start and end.

The source's other columns are kept under their names. `header = false`: the columns are called "1", "2"... A row with
more fields than the header, or that ends before audio and text, is listed with its number.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curate.console import printable
from curate.errors import UserError
from curate.ingest.frame import STATED
from curate.ingest.lines import Fields, Line, fields, json_object, lines
from curate.ingest.row import Row
from curate.ingest.tree import SUFFIXES as SOUNDS
from curate.ingest.tree import Tree
from curate.manifest import number_repeats
from curate.recipe import Source

TEXTLESS = ("Binary", "Duration", "Object")  # types, also inside others, that are not written out as text
SUFFIXES = (".tsv", ".txt", ".csv", ".jsonl", ".ndjson", ".parquet")
SEPARATED, SEPARATORS = (".tsv", ".txt", ".csv"), ("\t", ";", ",", "|")
FOUND = ("audio", "text", "language", "speaker", "start", "end")  # taken by their own names, too
Record = tuple[int, dict[str, str | None], str | None]  # number of the line, values by name, what is wrong with it


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per row of the table."""
    path = tree.top / Path(source.path).name
    if path.is_dir():
        raise UserError(f'source {source.id}: {path} is a folder; name the table in it, or use kind = "folder"')
    if not path.is_file():
        raise UserError(f"source {source.id}: no table at {path}; mend source.{source.id}.path")
    names, records = _open(source, path)
    theirs = _theirs(source)
    _require(source, path, names, theirs)
    present = {ours: name for ours, name in theirs.items() if name in names}
    rest = [name for name in names if name not in present.values()]
    empty = True
    for number, values, wrong in records:
        empty = False
        yield _row(source, tree, f"{path.name}, line {number}", values, present, rest, wrong)
    if empty:
        raise UserError(f"source {source.id}: {path} has no rows{' below its header line' if source.header else ''}")


def _row(
    source: Source, tree: Tree, where: str, values: dict[str, str | None], present: dict[str, str], rest: Sequence[str],
    wrong: str | None,
) -> Row:  # fmt: skip
    given = {ours: values.get(name) for ours, name in present.items()}
    start, end = _seconds(given.get("start")), _seconds(given.get("end"))
    error = f"{where} {wrong}" if wrong else None
    audio = (given.get("audio") or "").strip()
    if not audio:
        error = error or f"{where}: no audio named in this row"
    if math.nan in (start, end):
        error = error or f"{where}: start and end are not numbers of seconds ({given.get('start')}, {given.get('end')})"
    if audio and source.audio:
        audio = _made(source.audio, {**values, **given, "audio": audio})
    more = {name: values.get(name) for name in rest}
    more |= {f"our_{ours}": given[ours] for ours in STATED if ours in given}
    return Row(
        tree.find(audio) if audio else "", None if wrong else given.get("text"), given.get("speaker"),
        given.get("language"), None if start is math.nan else start, None if end is math.nan else end, error, more,
    )  # fmt: skip


def _seconds(value: str | None) -> float | None:
    """A number of seconds; `math.nan` itself where it is none."""
    if value is None or not value.strip():
        return None
    try:
        seconds = float(value)
    except ValueError:
        return math.nan
    return seconds if math.isfinite(seconds) else math.nan


def _made(pattern: str, values: dict[str, str | None]) -> str:
    """A path with the values of columns in the place of their names in braces."""
    return re.sub(r"\{([^{}]*)\}", lambda name: (values.get(name[1]) or "").strip(), pattern)


def _theirs(source: Source) -> dict[str, str]:
    """Their name of each of our columns; one that the recipe gives to another of ours is not taken by its own name."""
    taken = set(source.columns.values())
    return {**source.columns, **{ours: ours for ours in FOUND if ours not in source.columns and ours not in taken}}


def _require(source: Source, path: Path, names: Sequence[str], theirs: dict[str, str]) -> None:
    """The audio column must be there, and so must every column that the recipe names."""
    needed = ["audio", *source.columns, *([] if source.language else ["language"])]
    for ours in dict.fromkeys(needed):
        if theirs[ours] not in names:
            _require_separator(source, path, names)
            if source.header and any(Path(name).suffix.lower() in SOUNDS for name in names):
                raise UserError(
                    f"source {source.id}: {path.name} begins with a row, not with names of columns "
                    f'({", ".join(names)}); say header = false and columns = {{ {ours} = "1" }}'
                )
            remedy = (
                f'say columns = {{ {ours} = "{"..." if source.header else "1"}" }}'
                if ours != "language"
                else 'say language = "km" or "ko", or name a column'
            )
            raise UserError(
                f"source {source.id}: {path.name} has no column {theirs[ours]!r} ({', '.join(names)}); {remedy}"
            )
    for name in re.findall(r"\{([^{}]*)\}", source.audio or ""):
        if name not in (*names, *theirs):
            raise UserError(
                f"source {source.id}: {path.name} has no column {name!r} that source.{source.id}.audio names"
            )


def _require_separator(source: Source, path: Path, names: Sequence[str]) -> None:
    """Raise UserError where the only column's name holds what most likely parts several."""
    for separator in SEPARATORS if len(names) == 1 and path.suffix.lower() in SEPARATED else ():
        if separator in names[0]:
            shown = separator.replace("\t", "\\t")
            raise UserError(
                f"source {source.id}: the first line of {path.name} is one field ({printable(names[0])}); "
                f'say separator = "{shown}" if that is what parts its columns'
            )


def _open(source: Source, path: Path) -> tuple[list[str], Iterator[Record]]:
    """The names of the columns, and the rows."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"source {source.id}: {path.name} ends in none of {', '.join(SUFFIXES)}")
    if suffix == ".parquet":
        return _parquet(source, path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"source {source.id}: {path} cannot be read: {error.strerror}") from None
    found = lines(content, source.encoding)
    if suffix in (".jsonl", ".ndjson"):
        return _jsonl(source, path, found)
    separator = source.separator or {".csv": ","}.get(suffix, "\t")
    records = fields(found, separator, quoted=suffix == ".csv")
    first = next(records, None)
    if first is None:
        raise UserError(
            f"source {source.id}: {path} is empty; it needs {'a header line and ' if source.header else ''}rows"
        )
    if source.header:
        names = number_repeats(name.strip().strip("\ufeff") for name in first.values)
        return names, _records(source, records, names)
    rows = [first, *records]
    names = [str(number + 1) for number in range(_usual_width(rows))]
    return names, _records(source, iter(rows), names)


def _usual_width(rows: Sequence[Fields]) -> int:
    """How many fields most rows have."""
    widths = [len(row.values) for row in rows]
    return max(sorted(set(widths)), key=widths.count)


def _records(source: Source, rows: Iterator[Fields], names: Sequence[str]) -> Iterator[Record]:
    theirs = _theirs(source)
    least = max([names.index(theirs[ours]) + 1 for ours in ("audio", "text") if theirs.get(ours) in names], default=1)
    for row in rows:
        if not any(value.strip() for value in row.values):
            continue
        wrong = row.error and row.error.removeprefix(f"line {row.number} ")
        if not least <= len(row.values) <= len(names):
            wrong = wrong or f"has {len(row.values)} fields, not {len(names)}"
        yield row.number, dict(zip(names, row.values, strict=False)), wrong


def _jsonl(source: Source, path: Path, found: Iterator[Line]) -> tuple[list[str], Iterator[Record]]:
    """Objects, one a line; what else stands there is listed."""
    records: list[Record] = []
    names: dict[str, None] = {}
    for line in found:
        item, wrong = json_object(line)
        values = {name.strip(): _written(value) for name, value in item.items()}
        names.update(dict.fromkeys(values))
        records.append((line.number, values, wrong))
    if not names:
        why = f"line {records[0][0]} {records[0][2]}; write an object a line" if records else "it is empty"
        raise UserError(f"source {source.id}: {path} cannot be read: {why}")
    return list(names), iter(records)


def _written(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _parquet(source: Source, path: Path) -> tuple[list[str], Iterator[Record]]:
    try:
        table = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        why = (str(error).splitlines() or [""])[0]
        raise UserError(f"source {source.id}: {path} cannot be read: {why}") from None
    readable = [name for name, dtype in table.schema.items() if not any(each in str(dtype) for each in TEXTLESS)]
    table = pl.DataFrame([_as_text(table[name]) for name in readable])
    table.columns = number_repeats(name.lstrip("\ufeff").strip() for name in table.columns)
    return table.columns, ((number, row, None) for number, row in enumerate(table.iter_rows(named=True), 1))


def _as_text(column: pl.Series) -> pl.Series:
    if not column.dtype.is_nested():
        return column.cast(pl.String)
    written = [
        None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in column.to_list()
    ]
    return pl.Series(column.name, written, dtype=pl.String)
