"""How near each clip lies to the limits: what is dropped by a hair, what is kept by one, and what is far out.

A distance is counted in steps of its column, so that dB and shares can be compared: the range of the middle half of its
values, or half the limit where that is more. A choice for showing and for listening: nothing is decided by it.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from curate.recipe import Recipe
from curate.report import sliders
from curate.report.sliders import Floats, Part, Sliding

FAR = 99.0  # a missing value, or a rule without a number: nothing near about it


@dataclass(frozen=True)
class Nearness:
    """Per clip the distance to its nearest change of fate, which rule that is, and per rule how far beyond it lies."""

    distance: Floats  # above 0: kept, with that much to spare; below: dropped, by that much; +-FAR: no number says
    rule: list[str | None]
    beyond: dict[str, Floats]  # 0 where the rule is not broken
    rules: list[Sliding]  # what it was found by: the rules as numbers


def nearness(clips: pl.DataFrame, recipe: Recipe) -> Nearness:
    """Of every clip, by the limits of a recipe. Rules decided over all clips at once have no distance."""
    made = sliders.rules(clips, recipe)
    broken = sliders.decided(made)
    names = [each.rule.name for each in made]
    beyond = {each.rule.name: _beyond(each, broken[each.rule.name]) for each in made}
    spare = np.array([_spare(each) for each in made]).reshape(len(made), clips.height)
    over = np.array(list(beyond.values())).reshape(len(made), clips.height)
    dropped = clips["drop"].is_not_null().to_numpy()
    # a clip with several broken rules must mend all of them: the worst one counts
    by_rule = over.argmax(axis=0), spare.argmin(axis=0)
    distance = np.where(dropped, np.where(over.max(axis=0) > 0, -over.max(axis=0), -FAR), spare.min(axis=0))
    nearest = [
        (names[int(one)] if over[one, i] > 0 else None) if gone else (names[int(two)] if spare[two, i] < FAR else None)
        for i, (gone, one, two) in enumerate(zip(dropped, *by_rule, strict=True))
    ]
    distance = np.where(_judged(clips), np.where(dropped, -FAR, FAR), distance)
    return Nearness(np.asarray(np.round(distance, 3), dtype=np.float64), nearest, beyond, made)


def _judged(clips: pl.DataFrame) -> sliders.Flags:
    """Clips that a person decided: no limit is near to changing their fate."""
    return sliders.flags(clips, pl.col("verdict").is_not_null() if "verdict" in clips.columns else pl.lit(False))


def _beyond(rule: Sliding, broken: sliders.Flags) -> Floats:
    """How far beyond its limits a clip lies; FAR for what has no number."""
    if not rule.parts:
        return np.where(broken, FAR, 0.0)
    each = np.array([np.where(part.fails(), np.maximum(_over(part), 1e-3), 0.0) for part in rule.parts])
    worst = each.max(axis=0) if rule.mode == "all" else np.where(each > 0, each, FAR).min(axis=0)
    return np.where(broken, np.where(rule.always, FAR, np.minimum(worst, FAR)), 0.0)


def _spare(rule: Sliding) -> Floats:
    """How far within its limits a clip lies; FAR where none of them speaks."""
    active = [part for part in rule.parts if part.limit is not None]
    if not rule.on or not active:
        return np.full(len(rule.always), FAR)
    each = np.array(
        [np.where(part.where, np.nan_to_num(np.maximum(-_over(part), 0.0), nan=0.0), FAR) for part in active]
    )
    # where any of the parts may hold, the one that holds best counts
    return np.asarray(np.minimum(each.min(axis=0) if rule.mode == "all" else each.max(axis=0), FAR))


def _over(part: Part) -> Floats:
    """Value beyond the limit in steps of the column, negative within; FAR where it is missing."""
    if part.limit is None:
        return np.zeros(len(part.value))
    known = part.value[np.isfinite(part.value)]
    low, high = np.quantile(known, [0.25, 0.75]) if len(known) else (0.0, 0.0)
    # of a share that is nearly always 0 the middle half has no width: half the limit is a step that counts
    step = max(float(high - low), abs(part.limit) / 2) or 1.0
    over = (part.limit - part.value if part.side == "at least" else part.value - part.limit) / step
    return np.where(np.isfinite(over), over, FAR)
