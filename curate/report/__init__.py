"""The dataset quality report: a page for people, and the same numbers as JSON."""

import json
import os
from pathlib import Path

import polars as pl

from curate import files
from curate.recipe import Recipe
from curate.report import facts, page


def write(clips: pl.DataFrame, recipe: Recipe, into: Path, audio: Path) -> Path:
    """Write `index.html` and `report.json`; returns the page.

    `audio` holds the kept clips as ID.flac; the page plays them by a relative path. Equal frames give equal bytes.
    """
    gathered = facts.gather(clips, recipe)
    relative = Path(os.path.relpath(audio, into)).as_posix()
    files.write_text(into / "report.json", json.dumps(gathered, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    files.write_text(into / "index.html", page.render(gathered, relative))
    return into / "index.html"
