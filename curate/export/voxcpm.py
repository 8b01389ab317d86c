"""VoxCPM's training lists: one JSON object a line with audio, text, duration, and ref_audio where there is one.

`voxcpm validate` reads a path as relative to the list, Hugging Face `datasets`, through which VoxCPM's trainer loads
it, as relative to the working folder: train from the folder of the export. `validate` wants every file at 16 kHz, the
rate that VoxCPM hears. `dataset_id` is left out: the trainer then calls all clips 0.
"""

from typing import Any

from curate.export.definition import Clips, File, Row, attributions, json_lines, text_file
from curate.manifest import SPLITS

PLACES = ("*.jsonl", "audio/*")
NAMES = tuple(f"{split}.jsonl" for split in SPLITS)


def files(clips: Clips) -> list[File]:
    """SPLIT.jsonl for every split, empty where it has no clips, and their sounds."""
    by_id = {row["id"]: row for row in clips.rows}
    made = [clips.loose(row) for row in clips.rows]
    # a key that only some lines or lists have is lost or refused by `datasets`, which reads the schema off the first
    refers = any(row["reference"] in by_id for row in clips.rows)
    for split in SPLITS:
        lines = [_line(clips, row, by_id.get(row["reference"]), refers=refers) for row in clips.of(split)]
        made.append(text_file(f"{split}.jsonl", json_lines(lines)))
    return [*made, attributions(clips)]


def _line(clips: Clips, row: Row, reference: Row | None, *, refers: bool) -> dict[str, Any]:
    line = {
        "audio": f"audio/{clips.file_name(row)}",
        "text": row["training_text"],
        "duration": round(clips.seconds(row), 4),
    }
    if refers:
        line["ref_audio"] = reference and f"audio/{clips.file_name(reference)}"
        line["ref_duration"] = reference and round(clips.seconds(reference), 4)
    return {**line, "id": row["id"], "language": row["language"], "licence": row["licence"]}
