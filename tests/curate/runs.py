"""A corpus taken through every step with the fakes in the place of models."""

from pathlib import Path

import polars as pl

from curate import commands
from curate.corpus import Corpus
from curate.recipe import load
from tests.curate import fakes


def run(
    recipe: Path, into: Path, log: Path, *, workers: int = 1, version: str = "1", quality: bool = False
) -> pl.DataFrame:
    """Ingest and go through every step with the fakes."""
    corpus, wanted = Corpus(into), load(recipe)
    with corpus.locked():
        commands.ingest(corpus, wanted, watch)
        asked = fakes.measures(log, version=version, quality=quality)
        return commands.advance(corpus, wanted, until="tag", workers=workers, watch=watch, measures=asked)


def watch(what: str, done: float, total: float) -> None:
    assert done <= total + 1e-6, what
