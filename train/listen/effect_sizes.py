"""Sizes of paired differences: Hodges-Lehmann's estimate with its exact interval, and the rank-biserial correlation."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from train.listen import wilcoxon
from train.listen.wilcoxon import ZeroMethod


@dataclass(frozen=True)
class HodgesLehmann:
    """The median of all averages of two differences, and the interval of those shifts that the exact test keeps."""

    estimate: float
    low: float | None
    high: float | None


def hodges_lehmann(differences: Sequence[Fraction | int], level: float = 0.95) -> HodgesLehmann:
    """Estimate and interval of the centre of paired differences; zeros count (exactRankTests drops them).

    The interval is the closed hull of the shifts that the exact signed-rank test (pratt) of `differences - shift` does
    not reject at 1 - `level`. With ties the p of that test depends on the shift, so it is not read from a table: it is
    asked at the Walsh averages and between them. Ends are None where so few differences reject nothing.
    """
    values = [Fraction(each) for each in differences]
    scale = 2 * int(np.lcm.reduce([each.denominator for each in values]))  # averages of two are integers, too
    scaled = np.array([int(each * scale) for each in values], dtype=np.int64)
    upper = np.triu_indices(len(scaled))
    walsh = np.sort((scaled[upper[0]] + scaled[upper[1]]) // 2)
    alpha = 1 - level
    low = _first_kept(scaled, np.unique(walsh), alpha)
    high = _first_kept(-scaled, np.unique(-walsh), alpha)
    return HodgesLehmann(
        estimate=float(np.median(walsh)) / scale,
        low=None if low is None else low / scale,
        high=None if high is None else -high / scale,
    )


def _first_kept(values: NDArray[np.int64], averages: NDArray[np.int64], alpha: float) -> float | None:
    """The smallest Walsh average at or just above which a shift is kept; None: even below all of them one is kept.

    As the shift grows the sum of positive ranks falls, so below the median shifts go from rejected to kept: halved.
    Ties let p wobble by a step, so what was found is followed outwards while it is kept.
    """
    if not _rejected(values, float(averages[0]) - 1, alpha):
        return None
    low, high = 0, len(averages) // 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _kept(values, averages, middle, alpha) else (middle + 1, high)
    while low and _kept(values, averages, low - 1, alpha):
        low -= 1
    return float(averages[low])


def _kept(values: NDArray[np.int64], averages: NDArray[np.int64], place: int, alpha: float) -> bool:
    """Whether the shift by a Walsh average, or by what lies between it and the next, is not rejected."""
    here = float(averages[place])
    after = float(averages[place + 1]) if place + 1 < len(averages) else here + 2
    return not (_rejected(values, here, alpha) and _rejected(values, (here + after) / 2, alpha))


def _rejected(values: NDArray[np.int64], shift: float, alpha: float) -> bool:
    moved = [int(each) for each in 2 * values - round(2 * shift)]
    ranks, signs = wilcoxon.doubled_ranks(moved, "pratt")
    plus, minus = int(ranks[signs > 0].sum()), int(ranks[signs < 0].sum())
    return wilcoxon.two_sided(ranks[signs != 0], min(plus, minus)) <= alpha


def rank_biserial(differences: Sequence[Fraction | int], zero_method: ZeroMethod = "pratt") -> float | None:
    """(R+ - R-) / (R+ + R-): 1 where every difference is positive, 0 where neither side leads (Kerby 2014)."""
    ranks, signs = wilcoxon.doubled_ranks(wilcoxon.integers(differences), zero_method)
    total = int(ranks[signs != 0].sum())
    return float((ranks * signs).sum()) / total if total else None
