"""VoxCPM's training lists: one JSON object a line with audio, text, duration, and ref_audio where there is one.

`voxcpm validate` reads a path as relative to the list, Hugging Face `datasets`, through which VoxCPM's trainer loads
it, as relative to the working folder: train from the folder of the export. `validate` wants every file at 16 kHz, the
rate that VoxCPM hears. `dataset_id` is left out: the trainer then calls all clips 0.
"""

from curate.export.definition import Clips, File, Row, attributions, plain, text_file
from curate.manifest import SPLITS

PLACES = ("*.jsonl", "audio/*")
NAMES = tuple(f"{split}.jsonl" for split in SPLITS)


def files(clips: Clips) -> list[File]:
    """SPLIT.jsonl for every split, empty where it has no clips, and their sounds."""
    sounds = {row["id"]: clips.loose(row) for row in clips.rows}
    # a key that only some lines or lists have is lost or refused by `datasets`, which reads the schema off the first
    refers = any(row["reference"] in sounds for row in clips.rows)
    lists = []
    for split in SPLITS:
        lines = [_line(row, sounds[row["id"]], sounds.get(row["reference"]), refers=refers) for row in clips.of(split)]
        lists.append(text_file(f"{split}.jsonl", "".join(lines)))
    return [*sounds.values(), *lists, attributions(clips)]


def _line(row: Row, sound: File, reference: File | None, *, refers: bool) -> str:
    """One object, ended by a line break."""
    heard = ""
    if refers:
        name, seconds = (reference.name, round(reference.seconds, 4)) if reference else (None, None)
        heard = f'"ref_audio": {plain(name)}, "ref_duration": {plain(seconds)}, '
    return (
        f'{{"audio": {plain(sound.name)}, "text": {plain(row["training_text"])}, '
        f'"duration": {round(sound.seconds, 4)}, {heard}"id": {plain(row["id"])}, '
        f'"language": {plain(row["language"])}, "licence": {plain(row["licence"])}}}\n'
    )
