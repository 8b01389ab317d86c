"""What both the terminal and the report tell of a decided frame, counted once for the two of them."""

from dataclasses import dataclass

import polars as pl

from curate.recipe import Recipe
from curate.report import numbers
from curate.report.numbers import Numbers
from curate.steps import coverage_facts, notes
from curate.steps.coverage_facts import Facts
from curate.text.coverage.known import Known


@dataclass(frozen=True)
class Summary:
    """The numbers of a corpus, what its kept clips cover, and a line for each thing that is not as it was asked."""

    status: Numbers
    coverage: list[Facts]
    notes: list[str]


def summary(clips: pl.DataFrame, recipe: Recipe, known: Known | None = None) -> Summary:
    """Of the frame after any step; `known`: the units of its texts, where they were found already."""
    coverage = coverage_facts.phonetic_coverage(clips, known)
    return Summary(numbers.status(clips, recipe), coverage, notes.notes(clips, recipe, coverage))
