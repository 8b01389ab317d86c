"""Means with 95 % intervals over sentences or clips, paired: the same sentence under two conditions is one difference.

What varies most in speech is the sentence, and both conditions share it; so intervals are made of the differences and
not of the two means. Units are sentences (their takes averaged first) or clips. Student's t, n - 1 degrees of freedom;
over weighted clips the ratio estimator's variance (Cochran, Sampling Techniques, 6.3) with the same t.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

ALPHA = 0.05


@dataclass(frozen=True)
class Interval:
    """A mean over n units with its interval; None where fewer than two units give none."""

    mean: float
    low: float | None
    high: float | None
    n: int

    def json(self) -> dict[str, Any]:
        """Rounded, for reports."""
        return {name: _rounded(value) for name, value in asdict(self).items()}


def mean(values: Sequence[float], weights: Sequence[float] | None = None, *, alpha: float = ALPHA) -> Interval | None:
    """The (weighted) mean of independent units and its 1 - alpha interval; None where there is none."""
    if not values:
        return None
    weights = list(weights) if weights is not None else [1.0] * len(values)
    total, count = math.fsum(weights), len(values)
    middle = math.fsum(value * weight for value, weight in zip(values, weights, strict=True)) / total
    if count < 2:
        return Interval(middle, None, None, count)
    squares = math.fsum((weight * (value - middle)) ** 2 for value, weight in zip(values, weights, strict=True))
    error = math.sqrt(squares * count / (count - 1)) / total
    margin = t_quantile(1 - alpha / 2, count - 1) * error
    return Interval(middle, middle - margin, middle + margin, count)


def paired(
    after: Mapping[str, float],
    before: Mapping[str, float],
    weights: Mapping[str, float] | None = None,
    *,
    alpha: float = ALPHA,
) -> Interval | None:
    """The mean of after - before over the units that both have."""
    both = [key for key in after if key in before]
    differences = [after[key] - before[key] for key in both]
    return mean(differences, [weights[key] for key in both] if weights else None, alpha=alpha)


def t_quantile(share: float, df: float) -> float:
    """Student's t below which that share lies."""
    from scipy.special import stdtrit  # slow to import

    return float(stdtrit(df, share))


def _rounded(value: float | None) -> float | None:
    return value if value is None or isinstance(value, int) else round(value, 6)
