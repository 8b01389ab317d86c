"""Hugging Face: Parquet with the sounds inside, as `datasets` and the hub read it, with card and Croissant metadata.

The features stand in the schema's metadata, under `huggingface`, so that the sounds are an Audio column without a
script. Row groups are small, as a reader holds one in memory.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from curate import files as disk
from curate.export import card, croissant
from curate.export.definition import Clips, File, Row, attributions, digest, facts, spoken
from curate.export.description import DataFile
from curate.export.packed import shards

ROW_GROUP = 100  # rows; what `datasets` itself writes of sounds
STRINGS = (
    "text", "original_text", "training_text", "words", "pronounced", "language", "speaker", "source", "licence",
    "attribution", "url", "reference",
)  # fmt: skip
MEANINGS = {  # of columns that are not the manifest's of that name
    "text": "what is said: numbers and signs read out",
    "original_text": "the text as its source gives it",
    "speaker": "who speaks, across sources; empty where nobody knows",
    "duration": "length of the sound (s)",
    "sample_rate": "of the sound (Hz)",
}
TYPES = {"string": "sc:Text", "float64": "sc:Float", "int32": "sc:Integer"}
GLOB = "data/*.parquet"


def files(clips: Clips) -> list[File]:
    """data/SPLIT-NUMBER-of-COUNT.parquet for every split with clips, sources.tsv, README.md and croissant.json."""
    made = []
    for split in clips.splits():
        parts = shards(clips, clips.of(split))
        for number, rows in enumerate(parts):
            name = f"data/{split}-{number:05d}-of-{len(parts):05d}.parquet"
            key = digest([features(clips), *([clips.key(row), values(clips, row)] for row in rows)])
            seconds = sum(clips.seconds(row) for row in rows)
            made.append(File(name, key, partial(_write, clips, rows), seconds))
    pages = [_page("README.md", made, partial(_card, clips))]
    if made:  # a table without files cannot be described
        pages.append(_page("croissant.json", made, partial(_croissant, clips)))
    return [*made, attributions(clips), *pages]


def _page(name: str, parquet: Sequence[File], render: Callable[[Sequence[DataFile]], str]) -> File:
    """A page that tells sizes or hashes of the Parquet files, written when they are there.

    What they will be follows from their keys; the page without them, and the keys, stand for the page.
    """
    unknown = render([DataFile(each.name, "", 0) for each in parquet])

    def make(into: Path) -> Mapping[str, int]:
        paths = [(each.name, into.parent / each.name) for each in parquet]
        there = [DataFile(name, disk.sha256(path), path.stat().st_size) for name, path in paths]
        into.write_text(render(there), encoding="utf-8")
        return {}

    return File(name, digest([unknown, *(each.key for each in parquet)]), make)


def _card(clips: Clips, parquet: Sequence[DataFile]) -> str:
    globs = {split: f"data/{split}-*.parquet" for split in clips.splits()}
    sizes = {split: sum(each.bytes for each in parquet if each.path.startswith(f"data/{split}-")) for split in globs}
    told = [{"name": name, "dtype": _dtype(each)} for name, each in features(clips).items()]
    return card.render(clips.described(), clips.recipe, data_files=globs, features=told, bytes_per_split=sizes)


def _dtype(feature: Mapping[str, Any]) -> Any:
    """A feature's type as `dataset_info` of a card has it."""
    if feature["_type"] != "Audio":
        return feature["dtype"]
    return {"audio": {"sampling_rate": feature["sampling_rate"]}} if "sampling_rate" in feature else "audio"


def _croissant(clips: Clips, parquet: Sequence[DataFile]) -> str:
    columns = {
        name: croissant.SOUND if each["_type"] == "Audio" else TYPES[each["dtype"]]
        for name, each in features(clips).items()
    }
    table = croissant.Table(parquet, columns, glob=GLOB, meanings=MEANINGS)
    return croissant.render(clips.described(), clips.recipe, table)


def features(clips: Clips) -> dict[str, Any]:
    """The columns as `datasets` describes them."""
    rate = {"sampling_rate": clips.sound.rate} if clips.sound.rate else {}
    text = {"dtype": "string", "_type": "Value"}
    return {
        "id": text, "audio": {**rate, "_type": "Audio"}, **dict.fromkeys(STRINGS, text),
        "duration": {"dtype": "float64", "_type": "Value"}, "sample_rate": {"dtype": "int32", "_type": "Value"},
    }  # fmt: skip


def values(clips: Clips, row: Row) -> dict[str, Any]:
    """A row, without its sound."""
    known = {**facts(row), "text": spoken(row), "original_text": row["text"]}
    known |= {name: row[name] for name in ("training_text", "words", "pronounced", "reference")}
    seconds = round(clips.seconds(row), 6)
    return {"id": row["id"], **{name: known[name] for name in STRINGS}, "duration": seconds,
            "sample_rate": clips.rate(row)}  # fmt: skip


def _write(clips: Clips, rows: Sequence[Row], into: Path) -> Mapping[str, int]:
    import pyarrow.parquet as pq

    schema = _schema(clips)
    notes: dict[str, int] = {}
    compressed = {name: "zstd" for name in schema.names if name != "audio"}
    settings = {"compression": compressed | {"audio.bytes": "none", "audio.path": "zstd"}, "version": "2.6"}
    plain = [name for name in schema.names if name != "audio"]  # a dictionary of sounds would be of no use
    with into.open("wb") as sink, pq.ParquetWriter(sink, schema, use_dictionary=plain, **settings) as writer:
        for first in range(0, len(rows), ROW_GROUP):
            writer.write_table(_table(clips, rows[first : first + ROW_GROUP], schema, notes))
    return notes


def _schema(clips: Clips) -> Any:
    import pyarrow as pa

    kinds = {"float64": pa.float64(), "int32": pa.int32(), "string": pa.string()}
    sound = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = features(clips)
    fields = [(name, sound if each["_type"] == "Audio" else kinds[each["dtype"]]) for name, each in columns.items()]
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": columns}})})


def _table(clips: Clips, rows: Sequence[Row], schema: Any, notes: dict[str, int]) -> Any:
    import pyarrow as pa

    described = []
    for row in rows:
        content, told = clips.sound.encoded(clips.path(row))
        notes.update({name: notes.get(name, 0) + count for name, count in told.items()})
        described.append({**values(clips, row), "audio": {"bytes": bytes(content), "path": clips.file_name(row)}})
    return pa.Table.from_pylist(described, schema=schema)
