"""What was decided before clips were added: a decision goes on from it, as one goes on from a recipe."""

from dataclasses import dataclass, field

import polars as pl

from curate.steps import held_out


@dataclass(frozen=True)
class Before:
    """Clips chosen by `balance`, by id, and clips held out by `split` (columns of `held_out.SCHEMA`)."""

    chosen: frozenset[str] = frozenset()
    held: pl.DataFrame = field(default_factory=held_out.nothing)


NOTHING_BEFORE = Before()
