"""Wilcoxon's signed-rank test with its exact p where there are ties and zeros.

scipy is exact only without them (with them up to n = 13); beyond that its p is asymptotic. Here the conditional null
distribution is counted: given the absolute differences, each sign is + or - with probability one half, so the sum of
positive ranks is a sum of independent terms, each its rank or 0. Mid-ranks are halves of integers; doubled they are
integers, and one pass per rank over an array of sums gives the whole distribution (Streitberg & Roehmel 1986).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

LARGE = 300  # ranks, beyond which an interval, which asks for many p, takes the normal distribution
ZeroMethod = Literal["pratt", "wilcox", "zsplit"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SignedRank:
    """The test on n differences; `w` is the smaller of the two rank sums, as scipy's statistic."""

    n: int
    zeros: int
    w_plus: float
    w_minus: float
    p_exact: float
    p_asymptotic: float

    @property
    def w(self) -> float:
        """The smaller rank sum."""
        return min(self.w_plus, self.w_minus)

    def facts(self) -> dict[str, Any]:
        """As written to JSON."""
        names = ("w", "p_exact", "p_asymptotic", "n", "zeros", "w_plus", "w_minus")
        return {name: getattr(self, name) for name in names}


def integers(differences: Sequence[Fraction | int]) -> list[int]:
    """The differences over their common denominator: ties among integers are exact, ties among floats are noise."""
    fractions = [Fraction(each) for each in differences]
    common = lcm(*(each.denominator for each in fractions)) if fractions else 1
    return [int(each * common) for each in fractions]


def signed_rank(differences: Sequence[Fraction | int], zero_method: ZeroMethod = "pratt") -> SignedRank:
    """Two-sided test that the differences are symmetric about 0.

    pratt ranks zeros with the rest, then drops their ranks; wilcox drops them first; zsplit gives half of their ranks
    to each side. No difference but zeros: both p are 1.
    """
    values = integers(differences)
    ranks, signs = doubled_ranks(values, zero_method)
    zeros = values.count(0)
    shared = int(ranks[signs == 0].sum()) if zero_method == "zsplit" else 0  # doubled ranks; half of them each
    plus, minus = int(ranks[signs > 0].sum()), int(ranks[signs < 0].sum())
    free = ranks[signs != 0]
    return SignedRank(
        n=len(values),
        zeros=zeros,
        w_plus=(plus + shared / 2) / 2,
        w_minus=(minus + shared / 2) / 2,
        p_exact=min(1.0, 2 * float(null(free)[: min(plus, minus) + 1].sum())),
        p_asymptotic=asymptotic(values, zero_method),
    )


def doubled_ranks(values: Sequence[int], zero_method: ZeroMethod) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Twice the mid-rank of each absolute value, and its sign; `wilcox` leaves zeros out of both."""
    kept = [each for each in values if each or zero_method != "wilcox"]
    sizes = sorted(abs(each) for each in kept)
    # Python's integers have no largest one, so the ranks are made here and not by scipy.
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for place, size in enumerate(sizes, start=1):
        first.setdefault(size, place)
        last[size] = place
    ranks = [first[abs(each)] + last[abs(each)] for each in kept]
    signs = [(each > 0) - (each < 0) for each in kept]
    return np.array(ranks, dtype=np.int64), np.array(signs, dtype=np.int64)


def two_sided(ranks: NDArray[np.int64], smaller: int) -> float:
    """The p of the smaller doubled rank sum: exact, and by the normal distribution beyond `LARGE` ranks."""
    if len(ranks) <= LARGE:
        return min(1.0, 2 * float(null(ranks)[: smaller + 1].sum()))
    from scipy import stats

    spread = np.sqrt((ranks.astype(float) ** 2).sum()) / 2
    return float(2 * stats.norm.cdf((smaller - ranks.sum() / 2) / spread))


def null(ranks: NDArray[np.int64]) -> Floats:
    """Probability of each sum of doubled positive ranks, from 0 to their total; they are halved, never divided late."""
    chances = np.zeros(int(ranks.sum()) + 1)
    chances[0] = 1.0
    reach = 0
    for rank in ranks:
        shifted = chances[: reach + 1].copy()
        reach += int(rank)
        chances[int(rank) : reach + 1] += shifted
        chances[: reach + 1] /= 2
    return chances


def asymptotic(values: Sequence[int], zero_method: ZeroMethod) -> float:
    """scipy's p by the normal approximation without continuity correction; it sees the order of sizes alone."""
    from scipy import stats

    if not any(values):
        return 1.0
    order = {size: place for place, size in enumerate(sorted({0, *(abs(each) for each in values)}))}
    small = [order[abs(each)] * ((each > 0) - (each < 0)) for each in values]
    return float(stats.wilcoxon(small, zero_method=zero_method, correction=False, method="asymptotic").pvalue)
