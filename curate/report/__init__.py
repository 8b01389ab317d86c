"""The dataset quality report: a page for people, and the same numbers as JSON."""

import json
import os
from pathlib import Path

import polars as pl

from curate import manifest
from curate.recipe import Recipe
from curate.report import facts, page


def write(clips: pl.DataFrame, recipe: Recipe, into: Path, audio: Path) -> Path:
    """Write `index.html` and `report.json`; returns the page.

    `audio` holds the kept clips as ID.flac; the page plays them by a relative path. Equal frames give equal bytes.
    """
    found = facts.gather(clips, recipe)
    relative = Path(os.path.relpath(audio, into)).as_posix()
    manifest.write_text(json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False) + "\n", into / "report.json")
    manifest.write_text(page.render(found, relative), into / "index.html")
    return into / "index.html"
