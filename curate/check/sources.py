"""What a recipe's sources hold: their rows, files, hours, languages and licences; a few files are opened."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curate import audio, text
from curate.errors import Unreadable, UserError
from curate.files import Root
from curate.ingest import frame, list_rows, unlisted
from curate.ingest.place import open_tree, packed, root
from curate.ingest.tree import HEADERLESS, SUFFIXES, Tree
from curate.recipe import LANGUAGES, Recipe, Source
from curate.report import licences
from curate.report.facts import PROVENANCE

Facts = dict[str, Any]
Listed = tuple[Source, pl.DataFrame, Tree | None]  # a source, its rows, its files

PROBED = 20  # files of a source that are opened
COMPRESSED_BYTES = 50_000_000  # of these at most: compressed files are decoded to be counted
NAMED = 3  # missing or unreadable files that are named
PLAIN = (".wav", ".aiff", ".aif", ".au", ".caf")


def listed_sources(recipe: Recipe, file: Path | None) -> list[Listed]:
    """Every source with its rows and files; one UserError names all that are not there, and where to get them."""
    listed, missing = [], []
    for source in recipe.source:
        try:
            listed.append(_open(source))
        except UserError as error:
            missing.append(f"{error}{_where(source, file)}")
    if missing:
        many = f"{len(missing)} of {len(recipe.source)} sources cannot be read. " if len(missing) > 1 else ""
        raise UserError(many + ". ".join(missing))
    return listed


def _where(source: Source, file: Path | None) -> str:
    """Where to get a source that is not there, and the command."""
    if source.hub or source.download:
        origin = f"hub {source.hub}" if source.hub else source.download[0].url
        return f"; `curate fetch {file or 'RECIPE'} --source {source.id}` gets it ({origin})"
    if source.by_hand:
        return f"; get it: {source.by_hand}"
    return f"; it is published at {source.url}" if source.url else ""


def _open(source: Source) -> Listed:
    """A source's rows and files; without rows where all of it is still in an archive."""
    try:
        tree = open_tree(source, None)
        rows = list_rows(source, tree)
    except UserError:
        if not packed(source):
            raise
        return source, frame.listed(source, []), None
    present = any(_size(root(source) / path) is not None for path in rows["path"].unique() if path)
    if not present and not packed(source):
        paths = [path for path in rows["path"].unique(maintain_order=True) if path]
        first = root(source) / paths[0] if paths else tree.top
        raise UserError(
            f"source {source.id}: none of its {len(paths)} files is there, such as {first}; "
            f"mend source.{source.id}.path or its audio column"
        )
    return source, rows, tree


def source_facts(source: Source, rows: pl.DataFrame, tree: Tree | None) -> Facts:
    top = root(source) if tree else Path(source.path)
    paths = list(dict.fromkeys(rows.filter(pl.col("path") != "")["path"]))
    sizes = {path: size for path in paths if (size := _size(top / path)) is not None}
    missing = [path for path in paths if path not in sizes]
    known = rows.filter(pl.col("language").is_in(list(LANGUAGES)))
    left = unlisted(source, tree, rows) if tree else []
    return {
        "id": source.id, "kind": source.kind, "transcript": source.transcript, "licence": source.licence,
        "flags": licences.flags(source.licence), "attribution": source.attribution, "url": source.url,
        **{name: getattr(source, name) for name in PROVENANCE},
        "rows": rows.height, "files": len(paths),
        "missing": {"files": len(missing), "first": missing[:NAMED]}, "hours": _hours(top, sizes),
        "packed": packed(source), "unlisted": {"files": len(left), "first": left[:NAMED]},
        "unusable": _unusable(rows),
        "languages": {code: known.filter(pl.col("language") == code).height for code in LANGUAGES},
        "unknown_language": rows.height - known.height, "speakers": rows["speaker"].drop_nulls().n_unique(),
        "without_speaker": rows["speaker"].null_count(), "with_text": rows["text"].count(),
        "to_be_cut": _to_be_cut(source, rows), "columns_left": _columns_left(source, rows),
        "foreign_texts": _foreign_texts(rows),
        "other_files": sum(Path(path).suffix.lower() not in (*SUFFIXES, HEADERLESS) for path in sizes),
    }  # fmt: skip


def _to_be_cut(source: Source, rows: pl.DataFrame) -> int:
    """Rows of a source that lists clips which are taken for recordings, as they have no text."""
    return 0 if source.kind == "folder" else rows.filter(pl.col("text").is_null(), pl.col("error").is_null()).height


def _columns_left(source: Source, rows: pl.DataFrame) -> list[str]:
    """Where a table has rows and no text at all: its columns that are taken for nothing."""
    if source.kind != "table" or rows["text"].count() or rows.is_empty():
        return []
    taken = {*frame.SCHEMA, *frame.STATED, "source", "text_from"}
    return [name for name in rows.columns if name not in taken and rows[name].count()]


def _foreign_texts(rows: pl.DataFrame) -> list[Facts]:
    """Per language, texts with letters of which none is of its script."""
    found = []
    for code in LANGUAGES:
        own = rows.filter(pl.col("language") == code, pl.col("text").is_not_null())
        texts = own["text"]
        foreign = texts.filter(texts.str.contains(r"\p{L}") & ~texts.str.contains(f"[{text.script(code)}]"))
        if len(foreign):
            found.append({"language": code, "texts": len(foreign), "of": len(texts), "first": foreign[0]})
    return found


def _unusable(rows: pl.DataFrame) -> Facts:
    """Rows of the index that cannot be used as they stand, other than for their language."""
    wrong = rows.filter(pl.col("error").is_not_null() & pl.col("language").is_in(list(LANGUAGES)))
    return {"rows": wrong.height, "first": wrong["error"].head(NAMED).to_list()}


def licence_facts(listed: Sequence[Listed], sources: Sequence[Facts]) -> list[Facts]:
    """Hours by licence, a source's shared out by its rows."""
    hours: dict[str, float] = {}
    for (source, rows, _), facts in zip(listed, sources, strict=True):
        counts = rows.group_by("licence", maintain_order=True).len().iter_rows()
        for licence, count in counts if rows.height else [(source.licence, 1)]:
            share = count / max(rows.height, 1)
            hours[licence] = hours.get(licence, 0.0) + facts["hours"]["hours"] * share
    return [{"licence": name, "hours": round(each, 4), "flags": licences.flags(name)} for name, each in hours.items()]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _hours(top: Root, sizes: dict[str, int]) -> Facts:
    """Hours by opening a few files and taking the rest to hold as much sound per byte as those of their kind."""
    seconds: dict[str, tuple[float, int]] = {}  # per suffix: seconds, bytes
    unreadable = []
    chosen = _chosen(sizes)
    for path in chosen:
        try:
            info = audio.probe(top / path)
        except (Unreadable, OSError) as error:
            unreadable.append(f"{path}: {error}")
            continue
        kind = Path(path).suffix.lower()
        before = seconds.get(kind, (0.0, 0))
        seconds[kind] = (before[0] + info.frames / info.rate, before[1] + sizes[path])
    every = [sum(each) for each in zip(*seconds.values(), strict=True)] or [0.0, 0]
    about = sum(
        size * _per_byte(seconds.get(Path(path).suffix.lower(), (every[0], int(every[1]))))
        for path, size in sizes.items()
    )
    counted = len(chosen) == len(sizes)
    hours = (every[0] if counted else about) / 3600
    return {"hours": round(hours, 4), "exact": counted, "opened": len(chosen), "unreadable": unreadable}


def _per_byte(measured: tuple[float, int]) -> float:
    return measured[0] / measured[1] if measured[1] else 0.0


def _chosen(sizes: dict[str, int]) -> list[str]:
    """Files spread evenly over the list, one at least; of compressed ones no more than can be decoded in a moment."""
    paths = list(sizes)
    spread = [paths[i * len(paths) // min(PROBED, len(paths))] for i in range(min(PROBED, len(paths)))]
    chosen, budget = [], COMPRESSED_BYTES
    for path in spread:
        cost = 0 if Path(path).suffix.lower() in PLAIN else sizes[path]
        if cost <= budget:
            chosen.append(path)
            budget -= cost
    return chosen or ([min(paths, key=lambda path: sizes[path])] if paths else [])


def language_facts(
    recipe: Recipe, listed: Sequence[tuple[Source, pl.DataFrame]], sources: Sequence[Facts]
) -> dict[str, Facts]:
    """Per language: hours (a source's shared out by its rows), texts, speakers, and who can listen."""
    languages = {}
    hours: dict[str, float] = dict(recipe.balance.hours.items())
    recognisers: dict[str, str] = dict(recipe.models.asr.items())
    for code, name in LANGUAGES.items():
        shares = [(facts, facts["languages"][code] / max(facts["rows"], 1)) for facts in sources]
        rows = [(source, frame.filter(pl.col("language") == code)) for source, frame in listed]
        clips = sum(frame.height for _, frame in rows)
        wanted = hours.get(code)
        if not clips and wanted is None:
            continue
        unwritten = [frame["text"].null_count() for source, frame in rows if source.transcript == "heard"]
        languages[code] = {
            "name": name, "rows": clips, "wanted": wanted,
            "hours": round(sum(facts["hours"]["hours"] * share for facts, share in shares), 4),
            "without_text": sum(frame["text"].null_count() for _, frame in rows), "text_to_be_heard": sum(unwritten),
            "without_speaker": sum(frame["speaker"].null_count() for _, frame in rows),
            "speakers": sum(frame["speaker"].drop_nulls().n_unique() for _, frame in rows),
            "asr": recognisers.get(code),
        }  # fmt: skip
    return languages
