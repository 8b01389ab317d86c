"""VoxCPM's training manifests: one JSON object a line with audio, text, duration (seconds).

Read by `voxcpm.training.load_audio_text_datasets` through Hugging Face datasets, which opens `audio` as a path; paths
are absolute so that the file works from any folder. `dataset_id` is left out: VoxCPM's script then calls all clips 0.
"""

import json
from pathlib import Path

import polars as pl

from curate import files, manifest

SPLITS = ("train", "validation", "test")


def write(clips: pl.DataFrame, audio: Path, into: Path) -> list[Path]:
    """Write SPLIT.jsonl for every split; a split without clips has an empty file, so that nothing stale remains."""
    written = []
    for name in SPLITS:
        # a clip that was kept without a text (`no_text = false`) is nothing to train speech from text on
        rows = manifest.kept(clips).filter((pl.col("split") == name) & pl.col("training_text").is_not_null())
        lines = [
            json.dumps(
                {"audio": str((audio / f"{id}.flac").absolute()), "text": text, "duration": seconds}, ensure_ascii=False
            )
            for id, text, seconds in rows.select("id", "training_text", pl.col("seconds").round(4)).iter_rows()
        ]
        files.write_text(into / f"{name}.jsonl", "".join(f"{line}\n" for line in lines))
        written.append(into / f"{name}.jsonl")
    return written
