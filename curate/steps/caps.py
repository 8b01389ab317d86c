"""Which of several caps keep a language from its hours."""

from typing import Any

import polars as pl

from curate.steps import sessions
from curate.steps.relations import bare_text

LABELS: dict[str, pl.Expr] = {
    "max_speaker_hours": pl.col("person"),
    "max_source_hours": pl.col("source"),
    "max_session_hours": sessions.session(),
    "max_text_clips": bare_text(),
}


def to_raise(own: pl.DataFrame, balance: Any, wanted: float) -> str:
    """The caps of `[balance]` that have to be raised for the hours wanted, in words.

    `own`: all clips of a language. A cap that alone leaves less than the hours has to be raised in any case; where each
    alone leaves enough, it is that they come together, and raising any may help.
    """
    asked = {name: getattr(balance, name) for name in LABELS if getattr(balance, name) is not None}
    named = own.select("seconds", "drop", *(LABELS[name].alias(name) for name in asked))
    can = named.filter(pl.col("drop").is_null() | pl.col("drop").is_in(["capped", "surplus"]))
    enough = min(wanted, float(can["seconds"].sum()) / 3600)
    short = [name for name, cap in asked.items() if _room(can, name, cap) < enough * (1 - 1e-9)]
    return (" and " if short else " or ").join(f"balance.{name}" for name in short or asked)


def _room(can: pl.DataFrame, name: str, cap: float) -> float:
    """Hours that a cap alone leaves at most."""
    free = float(can.filter(pl.col(name).is_null())["seconds"].sum())
    under = can.drop_nulls(name).group_by(name)
    if name == "max_text_clips":
        most = under.agg(pl.col("seconds").top_k(int(cap)).sum())
        return (free + float(most["seconds"].sum())) / 3600
    most = under.agg(pl.min_horizontal(pl.col("seconds").sum(), pl.lit(cap * 3600)))
    return (free + float(most["seconds"].sum())) / 3600
