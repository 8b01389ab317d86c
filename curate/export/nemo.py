"""NeMo's manifests: one JSON object a line with audio_filepath, duration, text, and what else is known of a clip.

A path is relative to the manifest, which is how NeMo reads one that is not absolute. NeMo keeps fields that it does not
know.
"""

from curate.export.definition import Clips, File, attributions, facts, json_lines, spoken, text_file

PLACES = ("*_manifest.json", "audio/*")


def files(clips: Clips) -> list[File]:
    """SPLIT_manifest.json for every split with clips, and their sounds."""
    made = [clips.loose(row) for row in clips.rows]
    for split in clips.splits():
        lines = [
            {
                "audio_filepath": f"audio/{clips.file_name(row)}",
                "duration": round(clips.seconds(row), 6),
                "text": spoken(row),
                "lang": row["language"],
                "sample_rate": clips.rate(row),
                "id": row["id"],
                "original_text": row["text"] or "",
                **facts(row),
            }
            for row in clips.of(split)
        ]
        made.append(text_file(f"{split}_manifest.json", json_lines(lines)))
    return [*made, attributions(clips)]
