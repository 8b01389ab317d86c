"""WebDataset: tar archives in which ID.flac, ID.txt (the words as spoken) and ID.json (all else) are one sample."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from curate.export.definition import Clips, File, Row, as_json, attributions, digest, facts, spoken
from curate.export.packed import Tar, mixed, shards

GLOB = "*.tar"


def files(clips: Clips) -> list[File]:
    """SPLIT-NUMBER.tar for every split with clips; clips are mixed, as the archives are read from front to back."""
    made = []
    for split in clips.splits():
        for number, rows in enumerate(shards(clips, mixed(clips.of(split)))):
            key = digest([[clips.key(row), describe(clips, row)] for row in rows])
            seconds = sum(clips.seconds(row) for row in rows)
            made.append(File(f"{split}-{number:06d}.tar", key, partial(_write, clips, rows), seconds))
    return [*made, attributions(clips)]


def describe(clips: Clips, row: Row) -> dict[str, Any]:
    """ID.json of a clip."""
    return {
        "id": row["id"], "duration": round(clips.seconds(row), 6), "sample_rate": clips.rate(row), "text": spoken(row),
        "original_text": row["text"] or "", "training_text": row["training_text"], "words": row["words"] or "",
        "reference": row["reference"], **facts(row),
    }  # fmt: skip


def _write(clips: Clips, rows: Sequence[Row], into: Path) -> Mapping[str, int]:
    notes: dict[str, int] = {}
    with Tar(into) as tar:
        for row in rows:
            content, told = clips.sound.encoded(clips.path(row))
            notes |= {name: notes.get(name, 0) + count for name, count in told.items()}
            tar.add(clips.file_name(row), content)
            tar.add(f"{row['id']}.json", as_json(describe(clips, row)).encode())
            tar.add(f"{row['id']}.txt", spoken(row).encode())
    return notes
