"""How much of each language, speaker and source: what is over a cap is `capped`, over the wanted hours `surplus`."""

import hashlib
from collections.abc import Mapping

import polars as pl

from curate.measures import voices
from curate.steps.rules import break_rule


def balance(
    clips: pl.DataFrame,
    *,
    hours: Mapping[str, float],
    max_speaker_hours: float | None,
    max_source_hours: float | None,
    seed: int,
) -> pl.DataFrame:
    """Cap speakers and sources, then keep the wanted hours per language, spread evenly over speakers."""
    for whose, cap in ((voices.person(), max_speaker_hours), (pl.col("source"), max_source_hours)):
        if cap is not None:
            over = _over_cap(clips, whose, cap, seed)
            clips = break_rule(clips, "capped", pl.col("id").is_in(over))
    surplus = [id for language, wanted in hours.items() for id in _over_hours(clips, language, wanted, seed)]
    return break_rule(clips, "surplus", pl.col("id").is_in(surplus))


def _candidates(clips: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Clips still kept, in an order that depends only on the seed and their ids."""
    order = pl.col("id").map_elements(lambda id: _shuffled(seed, id), return_dtype=pl.String)
    return clips.filter(pl.col("drop").is_null()).sort(order)


def _shuffled(seed: int, id: str) -> str:
    return hashlib.sha256(f"{seed} {id}".encode()).hexdigest()


def _over_cap(clips: pl.DataFrame, whose: pl.Expr, cap: float, seed: int) -> list[str]:
    """Ids beyond the cap of each speaker or source, per language; a clip without a speaker is nobody's."""
    named = _candidates(clips, seed).filter(whose.is_not_null())
    so_far = named.with_columns(pl.col("seconds").cum_sum().over("language", whose).alias("so_far"))
    return so_far.filter(pl.col("so_far") > cap * 3600)["id"].to_list()


def _over_hours(clips: pl.DataFrame, language: str, wanted: float, seed: int) -> list[str]:
    """Ids beyond the wanted hours when speakers take turns, whoever has least so far first."""
    pool = _candidates(clips.filter(pl.col("language") == language), seed)
    if pool["seconds"].sum() <= wanted * 3600:
        return []
    # how much a speaker has before a clip decides when the clip's turn comes
    before = (pl.col("seconds").cum_sum() - pl.col("seconds")).over(voices.person())
    in_turn = pool.with_columns(before.alias("before")).sort("before", maintain_order=True)
    surplus, total = [], 0.0
    for id, seconds in in_turn.select("id", "seconds").iter_rows():
        if total + seconds <= wanted * 3600:
            total += seconds
        else:
            surplus.append(id)
    return surplus
