"""How good the rules are by what people said: of the clips that a rule broke and a person judged, how many they drop.

Judged clips are seldom a random sample (people are shown borderline ones first), so this is about the clips that were
judged. Requests to be taken out say nothing of a clip's quality and do not count.
"""

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from curate.recipe import Recipe
from curate.steps.rules import DROP, KEEP, Rule
from curate.steps.verdicts import taken_down

Z = 1.959963984540054  # of a 95 % interval
Numbers = dict[str, Any]


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share: Wilson (1927), J. Am. Stat. Assoc. 22, 209-212; of nothing, 0 to 1."""
    if not of:
        return 0.0, 1.0
    share, spread = hits / of, Z**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def verdicts(clips: pl.DataFrame, recipe: Recipe) -> Numbers:
    """What people said, what became of it, and how well each rule agrees with them; counts and hours as everywhere."""
    judged = clips.filter(pl.col("verdict").is_not_null())
    keeps, drops = (judged.filter(pl.col("verdict") == each) for each in (KEEP, DROP))
    about_quality = judged.filter(~taken_down())
    return {
        "judged": amount(judged),
        "keep": amount(keeps),
        "drop": amount(drops),
        "taken_down": amount(judged.filter(taken_down())),
        "who": _who(judged),
        "overruled": _by_rule(_overruled(keeps), recipe),
        "not_followed": _by_rule(keeps.select(pl.col("drop").alias("rule")), recipe),
        "precision": {rule.name: said for rule in _judging(recipe) if (said := _said(about_quality, rule))["judged"]},
        "passed": _agreement(about_quality.filter(_broke_nothing(recipe))),
    }


def _who(judged: pl.DataFrame) -> dict[str, int]:
    """Verdicts by who gave them; a request to be taken out is nobody's, as it may be signed by the speaker."""
    who = pl.when(~taken_down()).then("verdict_who").fill_null("").alias("who")
    return dict(judged.group_by(who).len().sort("len", "who").iter_rows())


def _judging(recipe: Recipe) -> list[Rule]:
    """The rules that look at a clip; how much is wanted, and what people said, cannot be right or wrong."""
    return [rule for rule in recipe.RULES if not rule.later and rule.name != "rejected"]


def _broke_nothing(recipe: Recipe) -> pl.Expr:
    names = [rule.name for rule in _judging(recipe)]
    return pl.col("broke").list.set_intersection(names).list.len() == 0


def _said(judged: pl.DataFrame, rule: Rule) -> Numbers:
    return _agreement(judged.filter(pl.col("broke").list.contains(rule.name)))


def _agreement(judged: pl.DataFrame) -> Numbers:
    """Judged clips, how many of them people drop and keep, and the share they drop with its 95 % interval."""
    drops = int((judged["verdict"] == DROP).sum())
    low, high = wilson(drops, judged.height)
    share = round(drops / judged.height, 4) if judged.height else None
    interval = [round(low, 4), round(high, 4)]
    return {"judged": judged.height, "drop": drops, "keep": judged.height - drops, "share": share, "ci": interval}


def _overruled(keeps: pl.DataFrame) -> pl.DataFrame:
    """The rules that a followed keep overruled, one row for each."""
    return keeps.filter(pl.col("drop").is_null()).select(pl.col("broke").alias("rule")).explode("rule")


def _by_rule(rules: pl.DataFrame, recipe: Recipe) -> dict[str, int]:
    counts: Mapping[str, int] = dict(rules.drop_nulls().group_by("rule").len().iter_rows())
    return {rule.name: counts[rule.name] for rule in recipe.RULES if rule.name in counts}


def amount(rows: pl.DataFrame) -> Numbers:
    """Clips and hours."""
    return {"clips": rows.height, "hours": round(float(rows["seconds"].sum() or 0.0) / 3600, 6)}
