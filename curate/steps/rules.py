"""What a rule is: bounds on measured columns, where it applies, and its words; each clip keeps every rule it broke.

A rule says where it applies. Where it does not, it neither holds nor breaks; where it does and the value is missing, it
breaks: unmeasured is not good. All of them stand in `rule_catalogue`; the recipe's `[filter]`, its reference, the
report, `explain` and `check` read them there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

# Structure, not taste: with less speech than this there is nothing for a model to hear, so none is asked.
LISTENABLE_SECONDS = 0.3
MEASURABLE_SECONDS = 120.0  # an hour entered as one clip is not measured as one: memory is bounded

KEEP, DROP = "keep", "drop"  # a person's verdict

Only = tuple[tuple[pl.Expr, str], ...]  # conditions, each with what is said where it fails
Kind = Literal["threshold", "share", "seconds"]  # a number or false; 0 to 1; 0 and more


@dataclass(frozen=True)
class Bound:
    """One limit on one column, and the key of the recipe that sets it."""

    column: str
    side: Literal["at least", "at most", "below"]
    key: str  # dotted, such as filter.noisy or filter.text_mismatch.max_cer
    words: str  # what it asks, {} for the limit
    default: float | Literal[False] = False
    about: str = ""  # for the recipe's reference, with the source of the default
    kind: Kind = "threshold"
    title: str = ""  # of the column's histogram, where this limit is drawn; no title, no histogram for its sake

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition(".")[2]

    def limit(self, recipe: Any) -> Any:
        """What a recipe sets; False where it, or the table that it is in, is switched off; None where it is unset."""
        setting = recipe
        for part in self.key.split("."):
            setting = setting.get(part) if isinstance(setting, Mapping) else getattr(setting, part)
            if setting is False or setting is None:
                return setting
        return setting

    def holds(self, limit: float) -> pl.Expr:
        """Whether a clip keeps it; null where the value is missing."""
        value = pl.col(self.column)
        return {"at least": value >= limit, "at most": value <= limit, "below": value < limit}[self.side]


@dataclass(frozen=True)
class Check:
    """A rule under one recipe: what it looks at, when it holds, and where it applies."""

    rule: "Rule"
    value: pl.Expr
    holds: pl.Expr  # null: the value is missing
    threshold: Any
    only: Only = ()

    def applies(self) -> pl.Expr:
        """Whether the rule has anything to say about a clip."""
        return pl.all_horizontal(pl.lit(True), *(condition.fill_null(False) for condition, _ in self.only))

    def broken(self) -> pl.Expr:
        """Applies, and does not hold or was not measured."""
        return self.applies() & ~self.holds.fill_null(False)

    def why(self) -> pl.Expr:
        """Why the rule neither holds nor breaks; null where it applies."""
        whys = [pl.when(~condition.fill_null(False)).then(pl.lit(why)) for condition, why in self.only]
        return pl.coalesce(*whys, pl.lit(None, dtype=pl.String))


Where = Only | Callable[[Any], Only]  # plain conditions, or those that a recipe decides


@dataclass(frozen=True)
class Rule:
    """One rule: a name that reports count, its bounds, where it applies, and how it is said.

    With one bound a clip keeps the rule where it keeps the bound; `unless` says where the rule holds all the same.
    Several bounds make a table of the recipe, and `made` puts them together. `switch` is for a rule without a number
    that can be turned off. `later` marks what is decided over all clips at once, after these. `overruled` says where
    a person who heard the clip may keep it all the same: where the rule judges, and not where it states a fact.
    """

    name: str
    bounds: tuple[Bound, ...] = ()
    only: Where = ()
    words: str = ""  # what it asks where it has no number
    about: str = ""  # first line of the table of its bounds, or of its switch, in the recipe's reference
    switch: bool = False
    value: pl.Expr | None = None  # what it looks at, where that is not the bound's column
    holds: pl.Expr | None = None  # where that is not the bound
    unless: pl.Expr | None = None
    made: Callable[["Rule", Any], Check] | None = None
    later: bool = False
    overruled: bool | pl.Expr = True

    def setting(self, recipe: Any) -> Any:
        """`[filter]` NAME of a recipe; None for a rule that has no such key."""
        return getattr(recipe.filter, self.name, None)

    def where(self, recipe: Any) -> Only:
        """Where it applies, being switched on included."""
        off = self.setting(recipe)
        switched: Only = () if off is None else ((pl.lit(off is not False), "switched off in the recipe"),)
        return (*switched, *(self.only(recipe) if callable(self.only) else self.only))

    def check(self, recipe: Any) -> Check:
        """The rule under a recipe."""
        if self.made:
            return self.made(self, recipe)
        bound = self.bounds[0] if self.bounds else None
        limit: Any = bound.limit(recipe) if bound else None
        value = self.value if self.value is not None else pl.col(bound.column) if bound else pl.lit(None)
        holds = self.holds
        if holds is None:
            assert bound is not None, self.name
            holds = bound.holds(limit) if self.value is None else _limited(bound.side, value, limit)
        holds = holds if self.unless is None else holds | self.unless
        return Check(self, value, holds, limit, self.where(recipe))


def _limited(side: str, value: pl.Expr, limit: float) -> pl.Expr:
    return value >= limit if side == "at least" else value <= limit


def readable() -> pl.Expr:
    """A file that could be read, in a known language, whose speech could be looked for."""
    return pl.col("speech").is_not_null()


def listenable() -> pl.Expr:
    """Enough speech for a model to hear."""
    return readable() & (pl.col("speech_seconds") >= LISTENABLE_SECONDS)


def measurable() -> pl.Expr:
    """What the clip measures are asked about."""
    return listenable() & (pl.col("seconds") <= MEASURABLE_SECONDS)


def decide(clips: pl.DataFrame, checks: Sequence[Check], order: Sequence[str]) -> pl.DataFrame:
    """Set `broke` and `drop` from scratch, all checks in one pass over the frame; `order` names every rule there is.

    Where a person's verdict is `keep`, the rules it overrules stand in `broke` and do not drop.
    """
    bits = [check.broken().cast(pl.Int64) * 2 ** order.index(check.rule.name) for check in checks]
    flags = clips.select(pl.sum_horizontal(pl.lit(0, pl.Int64), *bits).alias("bits"))
    standing = flags["bits"].alias("standing")
    if (clips["verdict"] == KEEP).any():
        stands = pl.col("verdict").ne_missing(KEEP)
        left = [bit * (stands | ~_as_flag(check.rule.overruled)) for bit, check in zip(bits, checks, strict=True)]
        standing = clips.select(pl.sum_horizontal(pl.lit(0, pl.Int64), *left).alias("standing"))["standing"]
    return _with_broke(clips, flags.with_columns(standing), order)


def _as_flag(value: bool | pl.Expr) -> pl.Expr:
    return pl.lit(value) if isinstance(value, bool) else value.fill_null(False)


def break_rule(clips: pl.DataFrame, rule: str, broken: pl.Expr, order: Sequence[str]) -> pl.DataFrame:
    """Add `rule` to `broke` where `broken` holds (null: not), keep `broke` in order, and set `drop` to its first."""
    flags = clips.select(broken.fill_null(False).alias("broken"))
    if not flags["broken"].any():
        return clips
    bits = {name: 2**place for place, name in enumerate(order)}
    before = pl.col("broke").list.eval(pl.element().replace_strict(bits, return_dtype=pl.Int64)).list.sum()
    dropped = pl.col("drop").replace_strict(bits, return_dtype=pl.Int64)
    flags = flags.with_columns(clips.select(before.fill_null(0).alias("bits"), dropped.fill_null(0).alias("standing")))
    added = pl.when("broken").then(bits[rule]).otherwise(0)
    # what dropped the clip before still does; a clip that a person kept is dropped by what is not overruled here
    return _with_broke(clips, flags.select(pl.col("bits") | added, pl.col("standing") | added), order)


def _with_broke(clips: pl.DataFrame, flags: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    """`broke` from `bits` and `drop` from `standing`: each one number a clip, a bit for each rule in that order.

    There are many clips and few combinations of rules: a list is made once for each combination.
    """
    combinations = pl.concat([flags["bits"], flags["standing"].rename("bits")]).unique()
    lists = [[rule for place, rule in enumerate(order) if each >> place & 1] for each in combinations]
    made = pl.DataFrame({"bits": combinations, "broke": pl.Series(lists, dtype=pl.List(pl.String))})
    first = made.select(pl.col("bits").alias("standing"), pl.col("broke").list.first().alias("drop"))
    told = flags.join(made, on="bits", how="left", maintain_order="left")
    told = told.join(first, on="standing", how="left", maintain_order="left")
    return clips.with_columns(told["broke"], told["drop"])
