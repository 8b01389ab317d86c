"""How a measured column is spread, per language, kept and dropped apart: counts in bins, and where the limits lie."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.manifest import COLUMNS
from curate.recipe import LANGUAGES, Recipe

# The order of the histograms; columns that other rules draw a limit over follow. Those without a rule have titles here.
SHOWN = (
    "seconds", "pace", "loudness", "snr", "bandwidth", "clipped", "dnsmos", "distillmos", "cer", "aligned", "pitch",
)  # fmt: skip
TITLES = {"loudness": "Loudness", "pitch": "Pitch"}
BINS = 24
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FAR = 3.0  # times the range of the middle half: beyond it a value is far out (Tukey)


def distributions(clips: pl.DataFrame, recipe: Recipe) -> list[dict[str, Any]]:
    """One entry per measured column; columns that nobody measured are left out."""
    titles = TITLES | {bound.column: bound.title for rule in recipe.RULES for bound in rule.bounds if bound.title}
    columns = [*SHOWN, *(column for column in titles if column not in SHOWN)]
    own = {code: (clips["language"] == code).fill_null(False).to_numpy() for code in LANGUAGES}
    kept = clips["drop"].is_null().to_numpy()
    made = [_distribution(clips[column], titles[column], _limits(column, recipe), own, kept) for column in columns]
    return [each for each in made if each["languages"]]


def _limits(column: str, recipe: Recipe) -> list[dict[str, Any]]:
    """The thresholds drawn over a column, those switched off left out."""
    bounds = [(rule.name, bound) for rule in recipe.RULES for bound in rule.bounds if bound.title]
    limits = [(rule, bound.limit(recipe)) for rule, bound in bounds if bound.column == column]
    return [{"rule": rule, "value": limit} for rule, limit in limits if limit is not None and limit is not False]


def _distribution(
    column: pl.Series, title: str, limits: list[dict[str, Any]], own: Mapping[str, Flags], kept: Flags
) -> dict[str, Any]:
    """`own`: which clips are in each language; `kept`: which are kept."""
    values = column.cast(pl.Float64).to_numpy()  # a null is NaN
    finite = np.isfinite(values)
    low, high = range_of(pl.Series(values[finite]), [limit["value"] for limit in limits])
    about = COLUMNS[column.name]
    spread = {
        language: {
            **_spread(values[finite & mine], kept[finite & mine], about.digits, low, high),
            "missing": int((mine & ~finite).sum()),
        }
        for language, mine in own.items()
        if (finite & mine).any()
    }
    return {
        "column": column.name,
        "title": title,
        "meaning": about.meaning.replace("`", ""),
        "unit": about.unit,
        "limits": limits,
        "low": low,
        "high": high,
        "languages": spread,
    }


def range_of(values: pl.Series, limits: list[float]) -> tuple[float, float]:
    """Round ends that hold all but far outliers, and every limit; what lies beyond is counted in the outer bins."""
    if values.is_empty():
        return 0.0, 1.0
    lower, upper = (_number(values.quantile(q, interpolation="linear")) for q in (0.25, 0.75))
    reach = FAR * (upper - lower)
    smallest, largest = _number(values.min()), _number(values.max())
    low = min([max(smallest, lower - reach), *limits])
    high = max([min(largest, upper + reach), *limits])
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    return round(math.floor(low / step) * step, 6), round(math.ceil(high / step) * step, 6)


def _spread(values: Floats, kept: Flags, digits: int, low: float, high: float) -> dict[str, Any]:
    ordered = pl.Series(np.sort(values))
    quantiles = {f"p{q}": _number(ordered.quantile(q / 100, interpolation="linear")) for q in (5, 50, 95)}
    return {
        "measured": len(values),
        **{name: round(value, digits) for name, value in quantiles.items()},
        "kept": _counts(values[kept], low, high),
        "dropped": _counts(values[~kept], low, high),
    }


def _counts(values: Floats, low: float, high: float) -> list[int]:
    at = ((pl.Series(values) - low) / (high - low) * BINS).to_numpy()
    found: list[int] = np.bincount(np.clip(np.floor(at), 0, BINS - 1).astype(np.int64), minlength=BINS).tolist()
    return found


def _number(value: Any) -> float:
    return float(value) if value is not None else math.nan


def drawing(distribution: dict[str, Any], language: str) -> dict[str, Any]:
    """Where the bars, limits and marks of one histogram go, in units of a 320 x 96 picture, 72 of it bars."""
    counts = distribution["languages"][language]
    low, high = distribution["low"], distribution["high"]
    tallest = max(map(sum, zip(counts["kept"], counts["dropped"], strict=True)))
    width = 320 / BINS
    bars = []
    for i, (kept, dropped) in enumerate(zip(counts["kept"], counts["dropped"], strict=True)):
        k, d = (round(72 * count / tallest, 2) for count in (kept, dropped))
        bars.append({"x": round(i * width + 0.75, 2), "kept": k, "dropped": d})
    return {
        "bars": bars,
        "bar_width": round(width - 1.5, 2),
        "limits": _lines(distribution),
        "marks": _marks(low, high),
    }


def _lines(distribution: dict[str, Any]) -> list[dict[str, Any]]:
    low, high = distribution["low"], distribution["high"]
    return [{**limit, "x": round(320 * (limit["value"] - low) / (high - low), 2)} for limit in distribution["limits"]]


def _marks(low: float, high: float) -> list[dict[str, Any]]:
    """Marks below the axis at round numbers, three to seven of them."""
    step = 10.0 ** math.floor(math.log10(high - low))
    step = next(s for s in (step, step / 2, step / 5) if (high - low) / s >= 3)
    first = math.ceil(low / step - 1e-9)
    values = itertools.takewhile(
        lambda v: v <= high + step * 1e-9, (round((first + i) * step, 6) for i in itertools.count())
    )
    return [{"value": v + 0.0, "x": round(320 * (v - low) / (high - low), 2)} for v in values]
