"""Hugging Face data sets on disk: Parquet with an Audio feature, as bytes or paths.

Bytes are written out as files below the corpus (see `embedded`). Which columns are sound and text is known by their
usual names, else by `columns`. Names of classes (gender) are read from the schema's own metadata.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curate.errors import UserError
from curate.ingest import embedded
from curate.ingest.row import Row
from curate.ingest.tree import Tree, folder_of, stem_of
from curate.recipe import Source

USUAL = {
    "text": ("text", "sentence", "transcription", "transcript", "raw_transcription", "normalized_text"),
    "speaker": ("speaker", "speaker_id", "client_id", "spk_id"),
    "audio": embedded.USUAL,
}


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per row of every Parquet file."""
    wanted = Path(source.path).name if source.path.endswith(".parquet") else "*.parquet"
    for index in tree.require("huggingface", wanted):
        split = stem_of(index).partition("-")[0]  # of train-00000-of-00003
        if split.isdigit():  # of train/0000.parquet, as the hub converts
            split = folder_of(index).rpartition("/")[2]
        if not source.splits or split in source.splits:
            yield from _table(source, tree, index, split)


def _table(source: Source, tree: Tree, index: str, split: str) -> Iterator[Row]:
    file = tree.file(index)
    try:
        table = pl.scan_parquet(file)
        schema = table.collect_schema()
        classes = _classes(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UserError(f"{file} is no Parquet file, or is cut short ({str(error).splitlines()[0]})") from None
    audio = _audio(source, Path(file), index, list(schema))
    text = _one_of("text", list(schema))
    names = [name for name in schema if name != audio and "Binary" not in str(schema[name])]
    rows = table.select(*names, _path(source, index, audio, schema[audio]).alias("audio:path")).collect()
    for number, values in enumerate(rows.iter_rows(named=True)):
        told = {name: _written(values[name], classes.get(name)) for name in names}
        speaker = _one_of("speaker", names)
        yield Row(
            _file(tree, index, number, values["audio:path"]), told.get(text or ""), told.get(speaker or ""),
            more={**told, "given_split": split},
        )  # fmt: skip


def _audio(source: Source, file: Path, index: str, names: Sequence[str]) -> str:
    """The column of sounds: the recipe's, else the one that holds bytes, else one of a usual name."""
    called = source.columns.get("audio")
    audio = called if called in names else None
    if not called:
        audio = embedded.audio_column(file) or _one_of("audio", names)
    if audio is None:
        missing, there = repr(called) if called else "of sounds", ", ".join(names)
        raise UserError(
            f'source {source.id}: {index} has no column {missing} ({there}); say columns = {{ audio = "..." }}'
        )
    return audio


def _path(source: Source, index: str, audio: str, kind: pl.DataType) -> pl.Expr:
    """The path that each row names, null where it holds the sound itself."""
    fields = [field.name for field in kind.fields] if isinstance(kind, pl.Struct) else []
    if "path" in fields:
        return pl.col(audio).struct.field("path").cast(pl.String)
    if "bytes" in fields or kind == pl.Binary:
        return pl.lit(None, dtype=pl.String)
    if kind not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise UserError(
            f"source {source.id}: column {audio!r} of {index} is {kind}: "
            "sounds are read as the bytes of files or as paths; save it with datasets' Audio feature, "
            "or name another by columns.audio"
        )
    return pl.col(audio).cast(pl.String)


def _one_of(ours: str, names: Sequence[str]) -> str | None:
    return next((name for name in USUAL[ours] if name in names), None)


def _file(tree: Tree, index: str, number: int, path: str | None) -> str:
    """The sound that was written out for a row, else the file that the row names."""
    written = tree.find(f"{embedded.folder_of_table(index)}/{number:07d}.wav")
    return written if written in tree else tree.find(path, beside=folder_of(index), anywhere=True) if path else written


def _classes(file: str) -> dict[str, list[str]]:
    """The names of each column's classes."""
    import pyarrow.parquet as pq

    metadata: dict[bytes, bytes] = pq.read_schema(file).metadata or {}
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: each["names"] for name, each in features.items() if isinstance(each, dict) and each.get("names")}


def _written(value: Any, classes: Sequence[str] | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if classes and isinstance(value, int) and 0 <= value < len(classes):
        return classes[value]
    return json.dumps(value, ensure_ascii=False, default=str)
