"""OpenSLR's crowd-sourced TTS sets, such as SLR 42 (Khmer): `line_index.tsv` and `wavs/`.

id <TAB> text, or id <TAB> user <TAB> text with the user left empty; no header, no quoting. The speaker is the second
part of the id: khm_0995_1957158632.
"""

from collections.abc import Iterator

from curate.ingest.lines import fields, lines
from curate.ingest.row import Row
from curate.ingest.tree import Tree, folder_of
from curate.recipe import Source


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per line of every index (sets with women and men have one each)."""
    for index in tree.require("openslr", "line_index*.tsv"):
        for line in fields(lines(tree.read(index), source.encoding), "\t"):
            name, parts = line.values[0].strip(), line.values[0].strip().split("_")
            path = _path(tree, index, name)
            error = f"{index}, {line.error}" if line.error else None
            if len(line.values) not in (2, 3):
                error = f"{index}, line {line.number} has {len(line.values)} fields, not 2 or 3"
            yield Row(
                path, None if error else line.values[-1], parts[1] if len(parts) > 2 else None, error=error,
                more={"line_id": name},
            )  # fmt: skip


def _path(tree: Tree, index: str, name: str) -> str:
    """In `wavs/`, or beside the index."""
    for folder in ("wavs/", ""):
        path = tree.find(f"{folder}{name}.wav", beside=folder_of(index))
        if path in tree:
            return path
    return tree.find(f"wavs/{name}.wav", beside=folder_of(index), anywhere=True)
