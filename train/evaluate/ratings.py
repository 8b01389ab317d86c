"""What listeners said, as `train listen analyse --json` writes it: comparisons of conditions by language.

An analysis compares all conditions with one baseline. Two of the same ratings, with zero-shot and with the best rank as
the baseline, say all that a selection needs; both can be given.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.errors import UserError

NEEDED = ("language", "baseline", "condition", "mos_baseline", "mos", "difference")
# A rank is non-inferior where the lower end of this interval lies above less this many points, unless the analysis,
# by its plan, took others.
LEVEL, MARGIN = 0.90, 0.10


def read(path: Path) -> list[dict[str, Any]]:
    """The comparisons of an analysis. Raises UserError where the file is none."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        comparisons = table["comparisons"]
        rows = [dict(row) for row in comparisons]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise UserError(
            f"{path} is no analysis of ratings ({type(problem).__name__}): write one by `train listen analyse "
            "RATINGS.csv --baseline zero-shot --json > analysis.json`"
        ) from None
    seen = set()
    for row in rows:
        if lacking := [name for name in NEEDED if name not in row]:
            raise UserError(
                f"{path}: a comparison lacks {lacking[0]}; was it written by `train listen analyse --json`?"
            )
        for name in ("mos", "mos_baseline", "difference"):
            if isinstance(row[name], bool) or not isinstance(row[name], int | float) or not math.isfinite(row[name]):
                raise UserError(
                    f"{path}: {name} of {row['condition']} is {row[name]!r}, no number: only MOS can select a rank"
                )
        key = (row["language"], row["baseline"], row["condition"])
        if key in seen:
            raise UserError(f"{path}: {' '.join(map(str, key))} is compared twice: leave one of each")
        seen.add(key)
    if not rows:
        raise UserError(f"{path} compares nothing")
    return rows


def gathered(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The comparisons of several analyses; one that is in two of them must be the same. Raises UserError."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for path in paths:
        for row in read(path):
            key = (row["language"], row["baseline"], row["condition"])
            if key in found and found[key] != row:
                raise UserError(
                    f"{path} says something else of {' '.join(key)} than {paths[0]}: give analyses of one test"
                )
            found[key] = row
    return list(found.values())


def check_conditions(rows: Sequence[Mapping[str, Any]], known: Sequence[str]) -> None:
    """Raise UserError where none of the conditions that were rated is of this sweep."""
    rated = sorted({row["condition"] for row in rows} | {row["baseline"] for row in rows})
    if not set(rated) & set(known):
        raise UserError(
            f"the ratings are of {', '.join(rated)}, this sweep has {', '.join(known)}: are they of another test?"
        )


def find(rows: Sequence[Mapping[str, Any]], language: str, baseline: str, condition: str) -> Mapping[str, Any] | None:
    """One comparison, as it stands."""
    return next(
        (r for r in rows if (r["language"], r["baseline"], r["condition"]) == (language, baseline, condition)), None
    )


def change(row: Mapping[str, Any]) -> list[float | None]:
    """[low, mean, high] of the difference: the crossed 95 % interval, where it could be made."""
    ci = (row.get("crossed") or {}).get("ci") or [None, None]
    return [_finite(ci[0]), float(row["difference"]), _finite(ci[1])]


@dataclass(frozen=True)
class Limits:
    """The interval of a difference that non-inferiority looks at, and the loss that is none."""

    low: float
    high: float
    level: float = LEVEL
    margin: float = MARGIN

    @property
    def turned(self) -> "Limits":
        """Of the difference taken the other way round."""
        return Limits(-self.high, -self.low, self.level, self.margin)


def non_inferior(rows: Sequence[Mapping[str, Any]], language: str, condition: str, best: str) -> bool | None:
    """Whether a condition is no worse than the best by more than the margin; None where no comparison tells."""
    if condition == best:
        return True
    row = find(rows, language, best, condition)
    if row is not None and isinstance(row.get("non_inferior"), bool):
        return bool(row["non_inferior"])
    found = limits(rows, language, condition, best)
    return None if found is None else found.low > -found.margin


def limits(rows: Sequence[Mapping[str, Any]], language: str, condition: str, best: str) -> Limits | None:
    """The interval of a condition less the best.

    From the analysis with the best as baseline where it was given; else, where the condition was the baseline of one,
    turned around.
    """
    if (row := find(rows, language, best, condition)) is not None:
        return _limits(row)
    if (row := find(rows, language, condition, best)) is not None and (found := _limits(row)):
        return found.turned
    return None


def _limits(row: Mapping[str, Any]) -> Limits | None:
    """As the analysis has it, with its own margin and level; else 90 % from a crossed interval of 95 %."""
    from scipy.special import stdtrit  # slow to import

    told = row.get("non_inferiority") or {}
    low, high = map(_finite, told.get("ci") or [None, None])
    if low is not None and high is not None:
        level, margin = _finite(told.get("level")), _finite(told.get("margin"))
        return Limits(low, high, LEVEL if level is None else level, MARGIN if margin is None else margin)
    crossed = row.get("crossed") or {}
    low, high = map(_finite, crossed.get("ci") or [None, None])
    df = _finite(crossed.get("df"))
    if low is None or high is None or df is None or df <= 0:
        return None
    # around its own middle, which the difference of plain means is not where ratings are missing
    half = (high - low) / 2 * float(stdtrit(df, 0.95) / stdtrit(df, 0.975))
    return Limits((low + high) / 2 - half, (low + high) / 2 + half)


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
