"""Whether a condition is no worse than the baseline by more than a margin; p > .05 of a difference shows nothing."""

from typing import Any

from train.listen.crossed import Estimate


def noninferiority(estimate: Estimate, margin: float, alpha: float = 0.05) -> dict[str, Any]:
    """One-sided test at `alpha` that the difference is above -margin: the lower end of the 1 - 2 alpha interval is.

    `equivalent`: the whole interval is within the margin on both sides (two one-sided tests, Schuirmann 1987).
    """
    from scipy import stats

    low, high = estimate.interval(1 - 2 * alpha)
    if estimate.se > 0:
        p = float(stats.t.sf((estimate.value + margin) / estimate.se, estimate.df))
    else:
        p = 0.0 if estimate.value > -margin else 1.0
    return {
        "margin": margin, "level": 1 - 2 * alpha, "ci": [low, high], "p": p, "non_inferior": low > -margin,
        "equivalent": low > -margin and high < margin,
    }  # fmt: skip
