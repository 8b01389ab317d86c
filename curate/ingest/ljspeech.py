"""Sets laid out like LJSpeech: `metadata.csv`, fields parted by pipes, no header; bare quotes are text.

id | text | normalised text (two fields do). `text` is the normalised one, as it was read, where there is one; the
other by `columns = { text = "original" }`.
"""

from collections.abc import Iterator

from curate.ingest.lines import fields, lines
from curate.ingest.row import Row
from curate.ingest.tree import Tree, folder_of
from curate.recipe import Source


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per line."""
    index = tree.require("ljspeech", "metadata.csv", "metadata.txt")[0]
    for line in fields(lines(tree.read(index), source.encoding), "|"):
        name, *texts = line.values
        error = f"{index}, {line.error}" if line.error else None
        if len(texts) not in (1, 2):
            error = f"{index}, line {line.number} has {len(line.values)} fields, not 2 or 3"
        text = next((each for each in reversed(texts) if each.strip()), None)
        more = {"original": texts[0] if texts else None, "normalised": texts[1] if len(texts) == 2 else None}
        yield Row(_path(tree, index, name.strip()), None if error else text, error=error, more=more)


def _path(tree: Tree, index: str, name: str) -> str:
    """In `wavs/`, or where the id, which may be a path, says."""
    beside = folder_of(index)
    for candidate in (f"wavs/{name}.wav", f"{name}.wav", name):
        if (path := tree.find(candidate, beside=beside)) in tree:
            return path
    return tree.find(f"wavs/{name}.wav", beside=beside, anywhere=True)
