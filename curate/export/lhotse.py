"""lhotse: recordings, supervisions and cuts with their sounds beside them, and the same cuts as Shar archives.

Written as lhotse's own `to_dict` and `SharWriter` do, without lhotse. Paths are relative to the folder of the export:
`with_path_prefix` makes them whole. Shar needs no paths.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from curate.export.definition import (
    Clips,
    File,
    Row,
    as_json,
    attributions,
    digest,
    facts,
    json_lines,
    language_name,
    person,
    spoken,
)  # fmt: skip
from curate.export.packed import Tar, gzipped, mixed, shards

KINDS = ("recordings", "supervisions", "cuts")
PLACES = (*(f"{kind}_*.jsonl.gz" for kind in KINDS), "audio/*", "shar/*/cuts.*.jsonl.gz", "shar/*/recording.*.tar")


def files(clips: Clips) -> list[File]:
    """KIND_SPLIT.jsonl.gz for each of KINDS, sounds, and shar/SPLIT/ with cuts and recordings."""
    made = [clips.loose(row) for row in clips.rows]
    for split in clips.splits():
        rows = clips.of(split)
        placed = {row["id"]: recording(clips, row, "file", f"audio/{clips.file_name(row)}") for row in rows}
        lists = {
            "recordings": [placed[row["id"]] for row in rows],
            "supervisions": [supervision(clips, row) for row in rows],
            "cuts": [cut(clips, row, placed[row["id"]]) for row in rows],
        }
        made += [_gzipped(f"{kind}_{split}.jsonl.gz", lists[kind]) for kind in KINDS]
        for number, part in enumerate(shards(clips, mixed(rows))):
            made += _shard(clips, f"shar/{split}", f"{number:06d}", part)
    return [*made, attributions(clips)]


def recording(clips: Clips, row: Row, kind: str, source: str) -> dict[str, Any]:
    """A Recording; of Shar the source is empty."""
    return {
        "id": row["id"], "sources": [{"type": kind, "channels": [0], "source": source}],
        "sampling_rate": clips.rate(row), "num_samples": clips.frames(row), "duration": clips.seconds(row),
        "channel_ids": [0],
    }  # fmt: skip


def supervision(clips: Clips, row: Row) -> dict[str, Any]:
    """A SupervisionSegment over the whole clip; what lhotse has no field for is in `custom`."""
    told = facts(row)
    custom = {name: told[name] for name in ("source", "licence", "attribution", "url")}
    return {
        "id": row["id"], "recording_id": row["id"], "start": 0.0, "duration": clips.seconds(row), "channel": 0,
        "text": spoken(row), "language": language_name(row), "speaker": person(row) or row["id"],
        "custom": {**custom, "original_text": row["text"] or "", "training_text": row["training_text"],
                   "words": row["words"] or ""},
    }  # fmt: skip


def cut(clips: Clips, row: Row, of: Mapping[str, Any]) -> dict[str, Any]:
    """A MonoCut over the whole clip."""
    return {
        "id": row["id"], "start": 0.0, "duration": clips.seconds(row), "channel": 0,
        "supervisions": [supervision(clips, row)], "recording": of, "type": "MonoCut",
    }  # fmt: skip


def _gzipped(name: str, objects: Sequence[Mapping[str, Any]]) -> File:
    text = json_lines(objects)

    def make(into: Path) -> Mapping[str, int]:
        into.write_bytes(gzipped(text))
        return {}

    return File(name, digest(text), make)


def _shard(clips: Clips, folder: str, number: str, rows: Sequence[Row]) -> list[File]:
    """The cuts of a shard and the archive of their sounds."""
    held = [recording(clips, row, "shar", "") for row in rows]
    cuts = [cut(clips, row, of) for row, of in zip(rows, held, strict=True)]
    key = digest([[clips.key(row), of] for row, of in zip(rows, held, strict=True)])
    seconds = sum(clips.seconds(row) for row in rows)
    sounds = File(f"{folder}/recording.{number}.tar", key, partial(_archive, clips, rows, held), seconds)
    return [sounds, _gzipped(f"{folder}/cuts.{number}.jsonl.gz", cuts)]


def _archive(clips: Clips, rows: Sequence[Row], held: Sequence[Mapping[str, Any]], into: Path) -> Mapping[str, int]:
    """Each sound and its Recording, in this order, as lhotse's TarIterator takes them in pairs."""
    with Tar(into) as tar:
        for row, of in zip(rows, held, strict=True):
            content, _ = clips.sound.encoded(clips.path(row))  # what is to be told of it is told of the loose one
            tar.add(clips.file_name(row), content)
            tar.add(f"{row['id']}.json", as_json(of).encode() + b"\n")
    return {}
