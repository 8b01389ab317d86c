"""How much of each language, speaker and source: what is over a cap is `capped`, over the wanted hours `surplus`."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from curate.steps.rule_catalogue import ORDER
from curate.steps.rules import break_rule
from curate.steps.selection import first_fit, shuffled


def balance(
    clips: pl.DataFrame,
    *,
    hours: Mapping[str, float],
    max_speaker_hours: float | None,
    max_source_hours: float | None,
    seed: int,
    order: Sequence[str] = ORDER,
) -> pl.DataFrame:
    """Cap speakers and sources, then keep the wanted hours per language, spread evenly over speakers."""
    pool = clips.select("id", "drop", "language", "source", "seconds", "person")
    pool = pool.with_row_index("row").filter(pl.col("drop").is_null()).drop("drop")
    capped, surplus = pl.Series(dtype=pl.UInt32), pl.Series(dtype=pl.UInt32)
    for whose, cap in (("person", max_speaker_hours), ("source", max_source_hours)):
        if cap is not None:
            over = _over_cap(pool, whose, cap * 3600, seed)
            pool = pool.filter(~pl.col("row").is_in(over.implode()))
            capped = capped.append(over)
    for language, wanted in hours.items():
        surplus = surplus.append(_over_hours(pool.filter(pl.col("language") == language), wanted * 3600, seed))
    clips = break_rule(clips, "capped", _flags(capped, clips.height), order)
    return break_rule(clips, "surplus", _flags(surplus, clips.height), order)


def _flags(rows: pl.Series, count: int) -> pl.Expr:
    """True at these rows."""
    flags = np.zeros(count, dtype=np.bool_)
    flags[rows.to_numpy()] = True
    return pl.lit(pl.Series(flags))


def _over_cap(pool: pl.DataFrame, whose: str, cap: float, seed: int) -> pl.Series:
    """Rows beyond the cap (seconds) of each speaker or source, per language; a clip without a speaker is nobody's."""
    total = pl.col("seconds").sum().over("language", whose)
    crowded = pool.filter(pl.col(whose).is_not_null(), total > cap).sort(shuffled("id", seed=seed))
    return crowded.filter(pl.col("seconds").cum_sum().over("language", whose) > cap)["row"]


def _over_hours(pool: pl.DataFrame, wanted: float, seed: int) -> pl.Series:
    """Rows beyond the wanted seconds when speakers take turns, whoever has least so far first."""
    if pool["seconds"].sum() <= wanted:
        return pool["row"].clear()
    # how much a speaker has before a clip decides when the clip's turn comes
    before = (pl.col("seconds").cum_sum() - pl.col("seconds")).over("person")
    in_turn = pool.sort(shuffled("id", seed=seed)).sort(before, maintain_order=True)
    sizes = in_turn["seconds"].to_numpy()[:, None]
    taken = first_fit(sizes, used=np.zeros(1), limits=np.array([wanted]))
    return in_turn["row"].filter(pl.Series(~taken))
