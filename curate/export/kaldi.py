"""Kaldi data folders: wav.scp, segments, text, utt2spk, spk2utt, utt2dur, reco2dur, utt2lang, one folder a split.

As `utils/validate_data_dir.sh` wants it: every list sorted by bytes (LC_ALL=C), the speaker first in the name of each
utterance, and all speakers' names of one length, so that sorting by either gives one order: `spk` and ten hex digits
of the person, which `spk2name` tells. Where nobody knows who speaks, a clip is a speaker of its own. Paths are relative
to the folder of the export, where Kaldi is started. Kaldi itself reads WAV alone.
"""

import hashlib
from collections.abc import Mapping

from curate.export.definition import Clips, File, Row, attributions, one_line, person, spoken, text_file

TABLES = ("wav.scp", "segments", "text", "utt2spk", "spk2utt", "utt2dur", "reco2dur", "utt2lang", "utt2licence")
PLACES = (*(f"*/{name}" for name in TABLES), "audio/*")


def files(clips: Clips) -> list[File]:
    """A data folder for every split with clips, and their sounds."""
    made = [clips.loose(row) for row in clips.rows]
    for split in clips.splits():
        rows = {utterance(row): row for row in clips.of(split)}
        made += [_list(f"{split}/{name}", table) for name, table in _tables(clips, rows).items()]
    return [*made, attributions(clips)]


def speaker(row: Row) -> str:
    """The name of a speaker, of one length for all."""
    known = person(row) or f"clip {row['id']}"
    return "spk" + hashlib.sha256(known.encode()).hexdigest()[:10]


def utterance(row: Row) -> str:
    """The name of a clip, which begins with its speaker's."""
    return f"{speaker(row)}-{row['id']}"


def _tables(clips: Clips, rows: Mapping[str, Row]) -> dict[str, dict[str, str]]:
    """File name -> key -> the rest of its line."""
    seconds = {name: f"{clips.seconds(row):.6f}" for name, row in rows.items()}
    spoken_by: dict[str, list[str]] = {}
    for name in sorted(rows):
        spoken_by.setdefault(speaker(rows[name]), []).append(name)
    return {
        "wav.scp": {name: f"audio/{clips.file_name(row)}" for name, row in rows.items()},
        "segments": {name: f"{name} 0.000000 {end}" for name, end in seconds.items()},
        "reco2dur": seconds,
        "utt2dur": seconds,
        "text": {name: spoken(row) for name, row in rows.items()},
        "utt2spk": {name: speaker(row) for name, row in rows.items()},
        "spk2utt": {name: " ".join(names) for name, names in spoken_by.items()},
        "spk2name": {speaker(row): one_line(person(row)) or "unknown" for row in rows.values()},
        "utt2lang": {name: row["language"] for name, row in rows.items()},
        "utt2licence": {name: one_line(row["licence"]) for name, row in rows.items()},
    }


def _list(name: str, table: Mapping[str, str]) -> File:
    """A list sorted by the bytes of its keys."""
    lines = sorted(f"{key} {rest}\n" for key, rest in table.items())  # keys are ASCII, and none begins another
    return text_file(name, "".join(lines))
