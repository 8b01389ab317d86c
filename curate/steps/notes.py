"""What a person should know of a choice and of a split: one line for each thing that is not as it was asked."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from curate.recipe import LANGUAGES, Recipe
from curate.steps import coverage_facts, split_causes

WITHIN = 0.005  # of the hours asked: nearer is as asked
NAMED = 6  # units and rules that are named in a line


def notes(clips: pl.DataFrame, recipe: Recipe) -> list[str]:
    """Lines about hours, caps, coverage and splits of a decided manifest."""
    if not clips["split"].count() and clips["drop"].is_null().any():
        return []  # nothing is chosen yet
    return [*hours(clips, recipe), *uncovered(clips), *splits(clips, recipe)]


def hours(clips: pl.DataFrame, recipe: Recipe) -> Iterator[str]:
    """Languages that fall short of the hours asked, or have more, and why."""
    asked: dict[str, float] = dict(recipe.balance.hours.items())
    for language, wanted in asked.items():
        own = clips.filter(pl.col("language") == language)
        kept = _hours(own.filter(pl.col("drop").is_null()))
        name = LANGUAGES[language]
        if wanted > 0 and own.is_empty():
            remedy = f"add a source, or leave balance.hours.{language} out"
            yield f"{name}: {wanted:g} h are wanted, and no clip is in it; {remedy}"
        elif wanted - kept > WITHIN * wanted:
            yield f"{name}: {kept:.2f} of {wanted:g} h: {wanted - kept:.2f} h short; {_why_short(own, recipe)}"


def _why_short(own: pl.DataFrame, recipe: Recipe) -> str:
    over = {name: _hours(own.filter(pl.col("drop") == name)) for name in ("capped", "leak", "surplus")}
    rest = own.filter(pl.col("drop").is_not_null(), ~pl.col("drop").is_in(list(over)))
    by_rule = (
        rest.group_by("drop").agg(pl.col("seconds").sum() / 3600).sort("seconds", "drop", descending=[True, False])
    )
    parts, remedies = [], []
    if over["capped"]:
        caps = [name for name in type(recipe.balance).model_fields if name.startswith("max_")]
        set_caps = [f"balance.{name}" for name in caps if getattr(recipe.balance, name) is not None]
        parts.append(f"{over['capped']:.2f} h are over a cap")
        remedies.append(f"raise {' or '.join(set_caps)}")
    if over["leak"]:
        parts.append(f"{over['leak']:.2f} h would leak from held-out clips")
    if over["surplus"]:
        parts.append(f"clips of {over['surplus']:.2f} h are each longer than what is left")
    if not by_rule.is_empty():
        named = ", ".join(f"{rule} {amount:.2f} h" for rule, amount in by_rule.head(3).iter_rows())
        parts.append(f"rules dropped {by_rule['seconds'].sum():.2f} h ({named})")
    parts = parts or ["all there is is kept"]
    return f"{', '.join(parts)}; {' or '.join([*remedies, 'add recordings'])}"


def uncovered(clips: pl.DataFrame) -> Iterator[str]:
    """Per language, the units that no kept clip has: of closed kinds, and of what could have been kept."""
    for each in coverage_facts.phonetic_coverage(clips):
        parts = [part for kind in each["kinds"] for part in _missing(kind)]
        if parts:
            yield f"{LANGUAGES[each['language']]}: no kept clip has {'; '.join(parts)}"


def _missing(kind: dict[str, Any]) -> Iterator[str]:
    if kind["absent"]:
        yield f"{_some(kind['kind'], len(kind['absent']), kind['absent'])} of {kind['inventory']} there are"
    elif kind["lost"] and kind["inventory"] is None:
        yield f"{_some(kind['kind'], kind['lost'], kind['lost_first'])} of {kind['pool']} that clips had"


def _some(kind: str, count: int, units: list[str]) -> str:
    named = ", ".join(units[:NAMED])
    return f"{count} {kind}{'s' if count > 1 else ''} ({named}{', ...' if count > NAMED else ''})"


def splits(clips: pl.DataFrame, recipe: Recipe) -> list[str]:
    """A line for each language whose held-out shares are not as asked."""
    shares = {"validation": recipe.split.validation, "test": recipe.split.test}
    asked = recipe.split
    found = split_causes.of(clips, shares=shares, apart=asked.apart, seed=asked.seed, given=asked.given)
    lines = [split_causes.line(each, shares) for each in found]
    lost = clips.filter(pl.col("drop") == "leak").group_by("language").agg(pl.col("seconds").sum() / 3600)
    return lines + [
        f"{LANGUAGES.get(language, language)}: {hours:.2f} h are dropped as `leak`: they share "
        f"{' or '.join(recipe.split.apart)} with held-out clips"
        for language, hours in lost.sort("language").iter_rows()
    ]


def _hours(clips: pl.DataFrame) -> float:
    return float(clips["seconds"].sum()) / 3600
