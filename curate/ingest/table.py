"""A table with one clip per row: TSV, CSV, JSONL or Parquet, with audio, text, language and speaker."""

import codecs
import json
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl

from curate.errors import UserError
from curate.manifest import COLUMNS, number_repeats
from curate.recipe import Source

OURS = ("audio", "text", "language", "speaker")
WORKING = ("cannot", "asked", "was_asked")  # names that curation uses while it works
TEXTLESS = ("Binary", "Duration", "Object")  # types, also inside others, that are not written out as text


def read(source: Source) -> pl.DataFrame:
    """One row per line; the source's other columns are kept, as `given_NAME` where the name is ours."""
    path = Path(source.path)
    if path.is_dir():
        raise UserError(f'source {source.id}: {path} is a folder; name the table in it, or use kind = "folder"')
    if not path.is_file():
        raise UserError(f"source {source.id}: no table at {path}; mend source.{source.id}.path")
    table = _strings(_open(source, path))
    theirs = _theirs(source)
    _require(source, path, table, theirs)
    table = _renamed(table, {theirs[ours]: ours for ours in theirs if theirs[ours] in table.columns})
    blank = [
        pl.col(name).str.strip_chars().replace("", None).alias(name)
        for name in ("audio", "language", "speaker")
        if name in table.columns
    ]
    if "text" in table.columns:  # the text itself is never changed
        blank.append(pl.when(pl.col("text").str.strip_chars() != "").then("text").alias("text"))
    table = table.with_columns(blank)
    missing = pl.when(pl.col("audio").is_null()).then(pl.lit(f"{path.name}: no audio named in this row")).alias("error")
    relative = (
        pl.col("audio").fill_null("").map_elements(lambda file: _relative(path.parent, file), return_dtype=pl.String)
    )
    return table.with_columns(missing, relative.alias("path")).drop("audio")


def _theirs(source: Source) -> dict[str, str]:
    """Their name of each of our columns; one that the recipe gives to another of ours is not taken by its own name."""
    taken = set(source.columns.values())
    absent = {ours: ours for ours in OURS if ours not in source.columns and ours not in taken}
    return {**source.columns, **absent}


def _renamed(table: pl.DataFrame, present: dict[str, str]) -> pl.DataFrame:
    """Our names for our columns; the others keep theirs, behind `given_` where it is ours, and numbered if repeated."""
    names = [present.get(each, f"given_{each}" if _is_ours(each) else each) for each in table.columns]
    ours = set(present.values())
    # ours first, so that no other column takes the name
    numbered = dict(
        zip(
            order := sorted(range(len(names)), key=lambda i: names[i] not in ours),
            number_repeats([names[i] for i in order]),
            strict=True,
        )
    )
    table.columns = [numbered[i] for i in range(len(names))]
    return table


def _is_ours(name: str) -> bool:
    # `X_new` holds the answers for column X while they are filled in
    return name.removesuffix("_new") in COLUMNS or name in OURS or name in WORKING


def _relative(folder: Path, file: str) -> str:
    """A path as the manifest keeps it: relative to the table, with forward slashes."""
    file = file.replace("\\", "/")
    if Path(file).is_absolute():
        file = os.path.relpath(file, folder)
    return os.path.normpath(file).replace(os.sep, "/") if file else ""


def _open(source: Source, path: Path) -> pl.DataFrame:
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".tsv": _tsv, ".txt": _tsv, ".csv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".parquet": pl.read_parquet,
    }  # fmt: skip
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"source {source.id}: {path.name} ends in none of {', '.join(readers)}")
    try:
        table = reader(path)
    except pl.exceptions.NoDataError:
        raise UserError(f"source {source.id}: {path} is empty; it needs a header line and rows") from None
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError) as error:
        why = (str(error).splitlines() or [""])[0]
        raise UserError(f"source {source.id}: {path} cannot be read: {why}{_remedy(why)}") from None
    table = table.filter(~pl.all_horizontal(pl.all().is_null()))  # blank lines
    if table.is_empty():
        raise UserError(f"source {source.id}: {path} has no rows below its header line")
    return table


def _remedy(why: str) -> str:
    if "utf" in why.lower():
        return "; save the table as UTF-8"
    if "more fields" in why:
        return "; a row has more fields than the header (a separator in a text?)"
    return ""


def _tsv(path: Path) -> pl.DataFrame:
    # no quoting: transcripts hold bare quotes
    return pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False, encoding="utf8")


def _csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False, encoding="utf8")


def _jsonl(path: Path) -> pl.DataFrame:
    return pl.read_ndjson(path.read_bytes().removeprefix(codecs.BOM_UTF8), infer_schema_length=None)


def _strings(table: pl.DataFrame) -> pl.DataFrame:
    """Every column as text, but for what has no text; a BOM, and blanks around names, are not part of a name."""
    readable = [name for name, dtype in table.schema.items() if not any(each in str(dtype) for each in TEXTLESS)]
    table = pl.DataFrame([_text(table[name]) for name in readable])
    table.columns = number_repeats(name.lstrip("\ufeff").strip() for name in table.columns)
    return table


def _text(column: pl.Series) -> pl.Series:
    if not column.dtype.is_nested():
        return column.cast(pl.String)
    written = [
        None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in column.to_list()
    ]
    return pl.Series(column.name, written, dtype=pl.String)


def _require(source: Source, path: Path, table: pl.DataFrame, theirs: dict[str, str]) -> None:
    """The audio column must be there, and so must every column that the recipe names."""
    needed = ["audio", *source.columns, *([] if source.language else ["language"])]
    for ours in dict.fromkeys(needed):
        if theirs[ours] not in table.columns:
            remedy = (
                f'say columns = {{ {ours} = "..." }}'
                if ours != "language"
                else 'say language = "km" or "ko", or name a column'
            )
            raise UserError(
                f"source {source.id}: {path.name} has no column {theirs[ours]!r} ({', '.join(table.columns)}); {remedy}"
            )
