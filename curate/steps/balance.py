"""How much of each language, speaker and source: what is over a cap is `capped`, over the wanted hours `surplus`."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from curate.steps import speakers
from curate.steps.rules import break_rule
from curate.steps.selection import first_fit, shuffled


def balance(
    clips: pl.DataFrame,
    *,
    hours: Mapping[str, float],
    max_speaker_hours: float | None,
    max_source_hours: float | None,
    seed: int,
) -> pl.DataFrame:
    """Cap speakers and sources, then keep the wanted hours per language, spread evenly over speakers."""
    for whose, cap in ((speakers.person(), max_speaker_hours), (pl.col("source"), max_source_hours)):
        if cap is not None:
            over = _over_cap(clips, whose, cap, seed)
            clips = break_rule(clips, "capped", pl.col("id").is_in(over.implode()))
    for language, wanted in hours.items():
        over = _over_hours(clips, language, wanted, seed)
        clips = break_rule(clips, "surplus", pl.col("id").is_in(over.implode()))
    return clips


def _candidates(clips: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Clips still kept, in an order that depends only on the seed and their ids."""
    return clips.filter(pl.col("drop").is_null()).sort(shuffled("id", seed=seed))


def _over_cap(clips: pl.DataFrame, whose: pl.Expr, cap: float, seed: int) -> pl.Series:
    """Ids beyond the cap of each speaker or source, per language; a clip without a speaker is nobody's."""
    named = _candidates(clips.select("id", "drop", "language", "seconds", whose.alias("whose")), seed)
    named = named.filter(pl.col("whose").is_not_null())
    so_far = pl.col("seconds").cum_sum().over("language", "whose")
    return named.filter(so_far > cap * 3600)["id"]


def _over_hours(clips: pl.DataFrame, language: str, wanted: float, seed: int) -> pl.Series:
    """Ids beyond the wanted hours when speakers take turns, whoever has least so far first."""
    ours = clips.filter(pl.col("language") == language, pl.col("drop").is_null())
    if ours["seconds"].sum() <= wanted * 3600:
        return ours["id"].clear()
    pool = _candidates(ours.select("id", "drop", "seconds", speakers.person().alias("person")), seed)
    # how much a speaker has before a clip decides when the clip's turn comes
    before = (pl.col("seconds").cum_sum() - pl.col("seconds")).over("person")
    in_turn = pool.sort(before, maintain_order=True)
    limit = np.array([wanted * 3600])
    taken = first_fit(in_turn["seconds"].to_numpy()[:, None], used=np.zeros(1), limits=limit)
    return in_turn["id"].filter(pl.Series(~taken))
