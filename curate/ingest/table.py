"""A table with one clip per row: TSV, CSV, JSONL or Parquet, with audio, text, language and speaker."""

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl

from curate.errors import UserError
from curate.manifest import COLUMNS
from curate.recipe import Source

OURS = ("audio", "text", "language", "speaker")


def read(source: Source) -> pl.DataFrame:
    """One row per line; the source's other columns are kept, as `given_NAME` where the name is ours."""
    path = Path(source.path)
    if path.is_dir():
        raise UserError(f'source {source.id}: {path} is a folder; name the table in it, or use kind = "folder"')
    if not path.is_file():
        raise UserError(f"source {source.id}: no table at {path}; mend source.{source.id}.path")
    table = _strings(_open(source, path))
    theirs = {ours: source.columns.get(ours, ours) for ours in OURS}
    _require(source, path, table, theirs)
    present = {theirs[ours]: ours for ours in OURS if theirs[ours] in table.columns}
    kept = {name: f"given_{name}" for name in table.columns if name not in present and _is_ours(name)}
    table = table.rename({**present, **kept})
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


def _is_ours(name: str) -> bool:
    return name in COLUMNS or name in OURS or name == "cannot"


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
        raise UserError(f"source {source.id}: {path} cannot be read: {str(error).splitlines()[0]}") from None
    if table.is_empty():
        raise UserError(f"source {source.id}: {path} has no rows")
    return table


def _tsv(path: Path) -> pl.DataFrame:
    # no quoting: transcripts hold bare quotes
    return pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False, encoding="utf8")


def _csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False, encoding="utf8")


def _jsonl(path: Path) -> pl.DataFrame:
    return pl.read_ndjson(path, infer_schema_length=None)


def _strings(table: pl.DataFrame) -> pl.DataFrame:
    """Every column as text; a BOM, and blanks around names, are not part of a name."""
    nested = [name for name, dtype in table.schema.items() if dtype.is_nested()]
    table = table.with_columns(pl.col(name).map_elements(str, return_dtype=pl.String) for name in nested)
    return table.cast(pl.String).rename({name: name.lstrip("\ufeff").strip() for name in table.columns})


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
