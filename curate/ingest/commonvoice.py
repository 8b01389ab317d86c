"""Common Voice: `LANGUAGE/{validated,train,dev,test,...}.tsv` with a header, and `clips/`.

Its columns changed over the years (10 in 2020, 13 since 2024), so they are read by name; no quoting. `validated` unless
the recipe's `splits` say otherwise. The speaker is the client id; votes, age, gender and accents are kept.
"""

from collections.abc import Iterator

from curate.errors import UserError
from curate.ingest.lines import Fields, fields, lines
from curate.ingest.row import Row
from curate.ingest.tree import Tree, folder_of, stem_of
from curate.recipe import Source


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per line of the splits."""
    for split in source.splits or ("validated",):
        index = tree.require("commonvoice", f"{split}.tsv")[0]
        records = fields(lines(tree.read(index), source.encoding), "\t")
        header = [name.strip() for name in next(records, Fields(1, [])).values]
        if not {"path", "sentence"} <= set(header):
            raise UserError(f"source {source.id}: {index} has no columns path and sentence ({', '.join(header)})")
        for line in records:
            yield _row(tree, index, header, line)


def _row(tree: Tree, index: str, header: list[str], line: Fields) -> Row:
    values = dict(zip(header, line.values, strict=False))
    error = f"{index}, {line.error}" if line.error else None
    if len(line.values) != len(header):
        error = f"{index}, line {line.number} has {len(line.values)} fields, not {len(header)}"
    name = values.get("path", "").strip()
    path = tree.find(f"clips/{name}", beside=folder_of(index), anywhere=True) if name else ""
    more: dict[str, str | None] = {
        ("accents" if key == "accent" else key): value.strip() or None
        for key, value in values.items()
        if key not in ("path", "sentence", "client_id")
    }
    more["given_split"] = stem_of(index)
    return Row(path, None if error else values["sentence"], values.get("client_id"), error=error, more=more)
