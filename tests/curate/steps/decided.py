"""What one clip breaks under a recipe, for the tests of rules."""

from pathlib import Path
from typing import Any

from curate import pipeline
from curate.recipe import Recipe, load
from tests.curate.frames import clips

SOURCE = '[[source]]\nid = "s"\nkind = "table"\npath = "x.tsv"\nlicence = "own"\nlanguage = "ko"\n'


def recipe_with(folder: Path, *overrides: str) -> Recipe:
    """A recipe of one Korean source that rates quality, changed by `table.key=value`."""
    (folder / "recipe.toml").write_text(SOURCE + "[filter.low_quality]\ndnsmos = 2.0\n")
    return load(folder / "recipe.toml", overrides)


def broke(wanted: Recipe, **values: Any) -> list[str]:
    """What one clip breaks, good but for these values; everything that filter does, duplicates included."""
    found: list[str] = pipeline.decide(wanted, clips([values]), until="filter")["broke"].to_list()[0]
    return found
