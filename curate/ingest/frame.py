"""Rows of any reader as a frame: what is common to all of them is done here, once."""

import re
from collections.abc import Iterable, Sequence

import polars as pl

from curate.errors import UserError
from curate.ingest.row import Row
from curate.ingest.tree import bare, shown
from curate.manifest import COLUMNS, number_repeats
from curate.recipe import LANGUAGES, OURS, Source

WORKING = ("cannot", "asked", "was_asked")  # names that curation uses while it works
NOT_UTF8 = "the name of the file is not UTF-8; rename it"
SECONDS = ("from_seconds", "to_seconds")  # the spans as given, until the rate is known
STATED = ("session", "licence", "attribution", "url")  # of ours, what a row may say itself
GIVEN = ("session", "given_split")  # ours, under their own names where a source has such columns
SCHEMA = {
    "path": pl.String, "text": pl.String, "speaker": pl.String, "language": pl.String, "from_seconds": pl.Float64,
    "to_seconds": pl.Float64, "error": pl.String,
}  # fmt: skip


def listed(source: Source, rows: Iterable[Row]) -> pl.DataFrame:
    """One row per row, sorted by path and start, with the source's own columns behind ours."""
    chosen = [_chosen(source, row) for row in rows] if _asks(source) else list(rows)
    _require_columns(source, chosen)
    pattern = re.compile(source.speaker) if source.speaker else None
    paths = [shown(row.path) for row in chosen]
    values = {
        "path": paths,
        "text": [_text(row.text) for row in chosen],
        "speaker": [_name(row.speaker) or _match(pattern, path) for row, path in zip(chosen, paths, strict=True)],
        "language": [_name(row.language) for row in chosen],
        "from_seconds": [row.start for row in chosen],
        "to_seconds": [row.end for row in chosen],
        "error": [
            row.error or (None if path == row.path else NOT_UTF8) for row, path in zip(chosen, paths, strict=True)
        ],
    }
    frame = pl.DataFrame(values, schema=SCHEMA)
    frame = _with_facts(frame.hstack(_more(chosen)), source)
    return frame.sort("path", "from_seconds", nulls_last=False, maintain_order=True)


def _asks(source: Source) -> bool:
    return bool(source.columns) and source.kind != "table"


def _chosen(source: Source, row: Row) -> Row:
    """In a known layout the recipe may say which of its columns is one of ours."""
    for ours, theirs in source.columns.items():
        if theirs in row.more and ours in ("text", "speaker", "language"):
            setattr(row, ours, row.more[theirs])
        elif theirs in row.more and ours in STATED:
            row.more[f"our_{ours}"] = row.more[theirs]
    return row


def _require_columns(source: Source, rows: Sequence[Row]) -> None:
    if not _asks(source):
        return
    there = list(dict.fromkeys(name for row in rows for name in row.more if not name.startswith("our_")))
    for ours, theirs in source.columns.items():
        if ours == "audio" and source.kind == "huggingface":
            continue  # its reader has asked for it
        if ours in ("audio", "start", "end"):
            raise UserError(f'source {source.id}: columns.{ours} is for kind = "table", not {source.kind!r}')
        if rows and theirs not in there:
            raise UserError(f"source {source.id}: {source.kind} has no {theirs!r}; it has {', '.join(there)}")


def _text(text: str | None) -> str | None:
    """The text itself is never changed; of one that is blank there is none."""
    return text if text is not None and text.strip() else None


def _name(name: str | None) -> str | None:
    return (name if name.isascii() and name == name.strip() else bare(name)) or None if name else None


def _match(pattern: re.Pattern[str] | None, path: str) -> str | None:
    """The first group of the pattern in the path, or all of it that fits where the pattern has no group."""
    found = pattern.search(path) if pattern else None
    return _name(found[1] if pattern and pattern.groups else found[0]) if found else None


def _more(rows: Sequence[Row]) -> pl.DataFrame:
    """The source's other columns by their names, or `given_NAME` where the name is ours; numbered if repeated."""
    names = list(dict.fromkeys(name for row in rows for name in row.more))
    kept = [name if name.startswith("our_") else _outside_ours(name) for name in names]
    kept = number_repeats(kept)
    columns = [
        pl.Series(name, [row.more.get(theirs) for row in rows], dtype=pl.String)
        for name, theirs in zip(kept, names, strict=True)
    ]
    return pl.DataFrame(columns)


def _outside_ours(name: str) -> str:
    """`X_new` holds the answers for column X while they are filled in."""
    if name in GIVEN:
        return name
    ours = name.removesuffix("_new") in COLUMNS or name in OURS or name in (*WORKING, *SECONDS)
    return f"given_{name}" if ours else name


def _with_facts(rows: pl.DataFrame, source: Source) -> pl.DataFrame:
    """What the recipe says of the source, unless the row says it itself, and whether the language is known."""
    stated = {
        "session": None,
        "licence": source.licence,
        "attribution": source.attribution or None,
        "url": source.url or None,
    }
    facts = []
    for name, value in stated.items():
        own = [pl.col(f"our_{name}").str.strip_chars().replace("", None)] if f"our_{name}" in rows.columns else []
        own += [pl.col(name).str.strip_chars().replace("", None)] if name in rows.columns else []
        facts.append(pl.coalesce(*own, pl.lit(value, dtype=pl.String)).alias(name))
    language = pl.coalesce("language", pl.lit(source.language, dtype=pl.String))
    unknown = ~language.is_in(list(LANGUAGES)).fill_null(False)
    why = pl.format("language {} is not known; it must be one of " + ", ".join(LANGUAGES), language.fill_null("(none)"))
    rows = rows.with_columns(
        pl.lit(source.id).alias("source"),
        *facts,
        language.alias("language"),
        pl.when(pl.col("text").is_not_null()).then(pl.lit("given")).alias("text_from"),
    )
    rows = rows.drop(name for name in rows.columns if name.startswith("our_"))
    return rows.with_columns(pl.when(unknown & pl.col("error").is_null()).then(why).otherwise("error").alias("error"))
