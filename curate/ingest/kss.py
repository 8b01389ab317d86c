"""KSS, the Korean Single Speaker Speech dataset: `transcript.v.1.x.txt`, fields parted by pipes, no header, no quoting.

path | original | expanded | decomposed | seconds | English. Five fields before version 1.4; in the first release four,
with one script. `text` is the expanded script, in which numbers are written as they were read; `original` by `columns`.
"""

from collections.abc import Iterator

from curate.ingest.lines import fields, lines
from curate.ingest.row import Row
from curate.ingest.tree import Tree, folder_of
from curate.recipe import Source

NAMES = {
    4: ("path", "expanded", "decomposed", "seconds"),
    5: ("path", "original", "expanded", "decomposed", "seconds"),
    6: ("path", "original", "expanded", "decomposed", "seconds", "english"),
}


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per line of the newest transcript."""
    index = max(tree.require("kss", "transcript*.txt"))
    for line in fields(lines(tree.read(index), source.encoding), "|"):
        values = dict(zip(NAMES.get(len(line.values), ()), line.values, strict=False))
        path = tree.find(line.values[0].strip(), beside=folder_of(index), anywhere=True)
        ragged = None if values else f"{index}, line {line.number} has {len(line.values)} fields, not 4 to 6"
        scripts = {name: values.get(name) for name in ("original", "expanded", "english")}
        scripts["original"] = scripts["original"] or scripts["expanded"]
        error = f"{index}, {line.error}" if line.error else ragged
        yield Row(path, None if error else values["expanded"], "kss", error=error, more=scripts)
