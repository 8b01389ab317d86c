"""FLEURS and FLEURS-R: `data/LANGUAGE/{train,dev,test}.tsv` and `audio/SPLIT.tar.gz`.

No header, no quoting; id, file, raw transcription, transcription (lower case, no punctuation), characters, samples,
gender. The id is that of the sentence, which several people read: it is kept as `sentence`, and files are the rows.
FLEURS names no speakers.
"""

from collections.abc import Iterator

from curate.ingest.lines import fields, lines
from curate.ingest.row import Row
from curate.ingest.tree import Tree, folder_of, stem_of
from curate.recipe import LANGUAGES, Source

SPLITS = ("train", "dev", "test")


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per line of every split."""
    splits = source.splits or SPLITS
    for index in tree.require("fleurs", *(f"{split}.tsv" for split in splits)):
        for line in fields(lines(tree.read(index), source.encoding), "\t"):
            if line.values[0].strip() == "id":  # copies with a header
                continue
            error = f"{index}, {line.error}" if line.error else None
            if len(line.values) not in (6, 7):
                error = f"{index}, line {line.number} has {len(line.values)} fields, not 7"
            yield _row(tree, index, line.values, error)


def _row(tree: Tree, index: str, values: list[str], error: str | None) -> Row:
    sentence, file, raw, normalised = [*values, "", "", ""][:4]
    gender = values[-1].strip()
    split = stem_of(index)
    code = folder_of(index).rpartition("/")[2].partition("_")[0]  # km of km_kh
    path = file.strip()
    for folder in (f"audio/{split}/", f"{split}/", "audio/", ""):
        path = tree.find(f"{folder}{file.strip()}", beside=folder_of(index))
        if path in tree:
            break
    else:
        path = tree.find(f"audio/{split}/{file.strip()}", beside=folder_of(index), anywhere=True)
    more = {
        "sentence": sentence.strip(), "given_split": split, "raw": raw, "normalised": normalised,
        "gender": gender.lower() if gender.lower() in ("male", "female", "other") else None,
    }  # fmt: skip
    return Row(path, None if error else raw, language=code if code in LANGUAGES else None, error=error, more=more)
