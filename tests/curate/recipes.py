"""A recipe of one source, read or refused, for the tests of recipes and settings."""

from pathlib import Path

import pytest

from curate.errors import UserError
from curate.recipe import Recipe, load

SOURCE = '[[source]]\nid = "studio"\nkind = "table"\npath = "in/x.tsv"\nlicence = "own"\nlanguage = "ko"\n'


def read(folder: Path, text: str | bytes, *overrides: str) -> Recipe:
    path = folder / "recipe.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path, overrides)


def refused(folder: Path, text: str | bytes, *overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, text, *overrides)
    said = str(caught.value)
    assert "\n" not in said
    return said
