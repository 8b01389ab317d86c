"""Hugging Face: Parquet with the sounds inside, as `datasets` and the hub's viewer read it, and README.md.

The features stand in the schema's metadata, under `huggingface`, so that the sounds are an Audio column without a
script. Row groups are small, as a reader holds one in memory.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from curate.export import readme
from curate.export.definition import Clips, File, Row, attributions, digest, facts, spoken, text_file
from curate.export.packed import shards

ROW_GROUP = 100  # rows; what `datasets` itself writes of sounds
STRINGS = (
    "text", "original_text", "training_text", "words", "pronounced", "language", "speaker", "source", "licence",
    "attribution", "url", "reference",
)  # fmt: skip


def files(clips: Clips) -> list[File]:
    """data/SPLIT-NUMBER-of-COUNT.parquet for every split with clips, and README.md."""
    made = []
    for split in clips.splits():
        parts = shards(clips, clips.of(split))
        for number, rows in enumerate(parts):
            name = f"data/{split}-{number:05d}-of-{len(parts):05d}.parquet"
            key = digest([features(clips), *([clips.key(row), values(clips, row)] for row in rows)])
            seconds = sum(clips.seconds(row) for row in rows)
            made.append(File(name, key, partial(_write, clips, rows), seconds))
    return [*made, attributions(clips), text_file("README.md", readme.page(clips, features(clips)))]


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
