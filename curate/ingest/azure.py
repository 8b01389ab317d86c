"""Azure Custom Speech: `trans.txt` with a mark at its beginning and CR LF, file name <TAB> text, beside the files."""

from collections.abc import Iterator

from curate.ingest.lines import fields, lines
from curate.ingest.row import Row
from curate.ingest.tree import Tree, folder_of
from curate.recipe import Source


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per line of every transcript."""
    for index in tree.require("azure", "trans.txt", "transcript.txt", "transcripts.txt"):
        for line in fields(lines(tree.read(index), source.encoding), "\t"):
            name, *texts = line.values
            error = f"{index}, {line.error}" if line.error else None
            if len(texts) != 1:
                error = f"{index}, line {line.number} has {len(line.values)} fields, not 2"
            path = tree.find(name.strip(), beside=folder_of(index), anywhere=True)
            yield Row(path, None if error else texts[0], error=error)
