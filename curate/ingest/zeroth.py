"""Zeroth-Korean (OpenSLR 40): `train_data_01/003/SPEAKER/SPEAKER_003_NNNN.flac`, a `.trans.txt` per speaker folder.

id <SPACE> text. `AUDIO_INFO` at the top has a header, and by pipes speaker id, name, sex, script, data set; the names
of people are not taken over.
"""

from collections.abc import Iterator

from curate.ingest.lines import fields, lines
from curate.ingest.row import Row
from curate.ingest.tree import Tree, folder_of
from curate.recipe import Source

SEX = {"m": "male", "f": "female"}


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per line of every transcript."""
    sex = _sex(source, tree)
    for index in tree.require("zeroth", "*.trans.txt"):
        split = _split(index)
        if source.splits and split not in source.splits:
            continue
        for line in lines(tree.read(index), source.encoding):
            name, space, text = line.text.strip("\r\n").partition(" ")
            error = f"{index}, line {line.number} {line.error}" if line.error else None
            if not space:
                error = f"{index}, line {line.number} has an id and no text"
            speaker = name.partition("_")[0]
            path = tree.find(f"{name}.flac", beside=folder_of(index))
            more = {"gender": sex.get(speaker), "given_split": split}
            yield Row(path, None if error else text, speaker, error=error, more=more)


def _sex(source: Source, tree: Tree) -> dict[str, str]:
    """Of each speaker, where AUDIO_INFO is there."""
    people: dict[str, str] = {}
    for index in tree.named("AUDIO_INFO*"):
        for line in fields(lines(tree.read(index), source.encoding), "|"):
            if len(line.values) >= 3 and (sex := SEX.get(line.values[2].strip().lower())):
                people[line.values[0].strip()] = sex
    return people


def _split(index: str) -> str | None:
    """train of train_data_01/..."""
    return next((part.partition("_data")[0] for part in index.split("/") if "_data_" in part), None)
