"""Rules as numbers: what a page, or a test, needs to decide again with other thresholds, without asking a model.

A rule of the catalogue is an expression of Polars. Here each becomes parts, one for each of its limits: the value a
clip has, where the limit speaks, and what it asks. Parts are found by asking the rule itself with all other limits off,
so that a rule added to the catalogue has its slider without a word here; only the two rules that combine their limits
in a way of their own are written out. A rule whose parts do not decide as it did gets no slider.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.recipe import Recipe
from curate.steps import rule_catalogue
from curate.steps.composite_rules import CHANNELS_DIFFER
from curate.steps.rules import KEEP, Bound, Rule

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
TWO_SIDED = ("pace_z",)  # columns whose size counts, not their sign
# `segment.max_seconds` also cuts recordings into other clips: the rows of a page cannot tell what it would give.
NOT_HERE = ("segment.max_seconds",)
SILENCED = {"no_speech": ("music", "noise")}  # what is music or noise is not silence: see `rule_catalogue._silent`


@dataclass(frozen=True)
class Part:
    """One limit of a rule over all clips; a missing value is NaN, and breaks it."""

    key: str  # of the recipe
    column: str
    side: Literal["at least", "at most", "below"]
    limit: float | None  # None: off
    where: Flags
    value: Floats
    gate: bool = False  # without this limit the whole rule is off

    def fails(self) -> Flags:
        """Clips that do not keep the limit; none where it is off."""
        if self.limit is None:
            return np.zeros(len(self.value), dtype=np.bool_)
        with np.errstate(invalid="ignore"):
            kept = {"at least": np.greater_equal, "at most": np.less_equal, "below": np.less}[self.side](
                self.value, self.limit
            )
        return np.asarray(self.where & ~kept)


@dataclass(frozen=True)
class Sliding:
    """One rule over all clips: broken where any part fails (`all` must hold), or where each does (`any` may hold)."""

    rule: Rule
    on: bool
    always: Flags  # broken whatever the limits are
    parts: tuple[Part, ...] = ()
    mode: Literal["all", "any"] = "all"
    silenced_by: tuple[str, ...] = field(default=())
    overruled: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))  # by a person: it does not drop these

    def broken(self) -> Flags:
        """Clips that break the rule, others that silence it aside."""
        none = np.zeros(len(self.always), dtype=np.bool_)
        if not self.on or any(part.gate and part.limit is None for part in self.parts):
            return none
        fails = [part.fails() for part in self.parts]
        if self.mode == "any":
            return np.asarray(self.always | (np.logical_and.reduce(fails) if fails else none))
        return np.asarray(np.logical_or.reduce([self.always, *fails]))


def rules(clips: pl.DataFrame, recipe: Recipe) -> list[Sliding]:
    """Every rule that looks at clips one by one, in order; parts only where they decide just as the rule did."""
    kept = flags(clips, pl.col("verdict") == KEEP) if "verdict" in clips.columns else _no(clips)
    made = [
        _sliding(clips, recipe, rule) for rule in recipe.RULES if not rule.later and rule.name != rule_catalogue.REPEATS
    ]
    found = decided(made)
    right = [
        each if (found[each.rule.name] == (did := _did(clips, each.rule.name))).all() else _fixed(each, did)
        for each in made
    ]
    return [replace(each, overruled=kept & _may_overrule(clips, each.rule)) for each in right]


def decided(sliding: list[Sliding]) -> dict[str, Flags]:
    """Who breaks each rule, those silenced by others not counted."""
    broken = {each.rule.name: each.broken() for each in sliding}
    for each in sliding:
        for other in each.silenced_by:
            if other in broken:
                broken[each.rule.name] = broken[each.rule.name] & ~broken[other]
    return broken


def changed(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with these values at dotted keys, unchecked: also limits that no recipe may have."""
    for key, value in settings.items():
        table, *path = key.split(".")
        recipe = recipe.model_copy(update={table: _put(getattr(recipe, table), path, value)})
    return recipe


def _put(part: Any, path: list[str], value: Any) -> Any:
    name, *rest = path
    if rest:
        inner = getattr(part, name)
        inner = type(part).model_fields[name].default if inner is False else inner
        value = _put(inner, rest, value)
    return part.model_copy(update={name: value})


def _may_overrule(clips: pl.DataFrame, rule: Rule) -> Flags:
    if isinstance(rule.overruled, bool):
        return np.full(clips.height, rule.overruled)
    return flags(clips, rule.overruled)


def _did(clips: pl.DataFrame, name: str) -> Flags:
    return clips["broke"].list.contains(name).fill_null(False).to_numpy()


def _fixed(sliding: Sliding, did: Flags) -> Sliding:
    """Decided as it was, without a slider."""
    return replace(sliding, on=True, always=did, parts=(), silenced_by=())


def _sliding(clips: pl.DataFrame, recipe: Recipe, rule: Rule) -> Sliding:
    silenced = SILENCED.get(rule.name, ())
    recipe = changed(recipe, {f"filter.{other}": False for other in silenced})  # where it speaks, that aside
    if rule.name == "wrong_language":
        return _wrong_language(clips, recipe, rule)
    if rule.name == "several_speakers":
        return _several_speakers(clips, recipe, rule)
    bounds = [bound for bound in rule.bounds if bound.key not in NOT_HERE]
    if not bounds:  # a switch, or a rule that cannot be set
        switched = changed(recipe, {f"filter.{rule.name}": True}) if rule.switch else recipe
        return Sliding(rule, rule.setting(recipe) is not False, _broken(clips, switched, rule), silenced_by=silenced)
    parts = _parts(clips, recipe, rule, bounds)
    on = len(rule.bounds) == 1 or rule.setting(recipe) is not False
    return Sliding(rule, on, _no(clips), parts, silenced_by=silenced)


def _parts(clips: pl.DataFrame, recipe: Recipe, rule: Rule, bounds: list[Bound]) -> tuple[Part, ...]:
    alone = len(rule.bounds) == 1
    parts = []
    for bound in bounds:
        others = {other.key: False for other in rule.bounds if other.key != bound.key}
        never = np.inf if bound.side == "at least" else -np.inf
        asked = changed(recipe, others | {bound.key: never})
        value = rule.value if alone and rule.value is not None else pl.col(bound.column)
        value = value.abs() if bound.column in TWO_SIDED else value
        parts.append(
            Part(
                bound.key, bound.column, bound.side, _limit(bound, recipe), _broken(clips, asked, rule),
                _floats(clips, value), gate=alone,
            )
        )  # fmt: skip
    return tuple(parts)


def _wrong_language(clips: pl.DataFrame, recipe: Recipe, rule: Rule) -> Sliding:
    """Broken where another language is strong, the declared one weak, and there is enough speech: each must fail."""
    other, declared, speech = rule.bounds
    on = changed(recipe, {each.key: _limit(each, recipe) or each.default for each in (other, declared)})
    applies = flags(clips, rule.check(changed(on, {speech.key: 0.0})).applies())
    sides: tuple[Literal["at least", "at most", "below"], ...] = (other.side, declared.side, "below")
    parts = tuple(
        Part(
            each.key, each.column, side, _limit(each, recipe, each.default), applies,
            _floats(clips, pl.col(each.column)),
        )
        for each, side in zip(rule.bounds, sides, strict=True)
    )  # fmt: skip
    return Sliding(rule, rule.setting(recipe) is not False, _no(clips), parts, mode="any")


def _several_speakers(clips: pl.DataFrame, recipe: Recipe, rule: Rule) -> Sliding:
    """Channels that differ always break it; where diarization told nobody apart, it heard nobody else."""
    shares, overlap, similarity = rule.bounds
    applies = flags(clips, rule.check(changed(recipe, {shares.key: 0.0})).applies())
    second = pl.when((pl.col("voices") == 0).fill_null(False)).then(0.0).otherwise("second_voice")
    both = second.is_not_null() & pl.col("other_voice").is_not_null()
    others = pl.when(both).then(pl.max_horizontal(second, "other_voice"))
    parts = (
        Part(shares.key, shares.column, "at most", _limit(shares, recipe), applies, _floats(clips, others), gate=True),
        Part(
            overlap.key, overlap.column, "at most", _limit(overlap, recipe), applies,
            _floats(clips, pl.col(overlap.column)),
        ),
        Part(  # null is too little speech to tell
            similarity.key, similarity.column, "at least", _limit(similarity, recipe), applies,
            _floats(clips, pl.col(similarity.column).fill_null(1.0)),
        ),
    )  # fmt: skip
    always = applies & flags(clips, CHANNELS_DIFFER)
    return Sliding(rule, _limit(shares, recipe) is not None, always, parts)


def _limit(bound: Bound, recipe: Recipe, default: float | None = None) -> float | None:
    limit = bound.limit(recipe)
    return default if limit is False or limit is None else float(limit)


def _broken(clips: pl.DataFrame, recipe: Recipe, rule: Rule) -> Flags:
    return flags(clips, rule.check(recipe).broken())


def flags(clips: pl.DataFrame, expression: pl.Expr) -> Flags:
    """A condition over all clips; null is false, and a literal fills every row."""
    found = clips.with_columns(expression.fill_null(False).alias("_flags"))["_flags"]
    return found.to_numpy().astype(np.bool_)


def _floats(clips: pl.DataFrame, expression: pl.Expr) -> Floats:
    values = clips.select(expression.cast(pl.Float64, strict=False).alias("value"))["value"]
    return values.fill_null(float("nan")).to_numpy()


def _no(clips: pl.DataFrame) -> Flags:
    return np.zeros(clips.height, dtype=np.bool_)
