"""AB tests: who prefers the condition, counted without a model."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

HALF = Fraction(1, 2)


def sign_test(wins: int, losses: int) -> float:
    """Two-sided exact binomial p of wins against losses; ties are left out (Dixon & Mood 1946)."""
    from scipy import stats

    return float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def preferences(answers: Iterable[tuple[str, str, Fraction]], level: float = 0.95) -> dict[str, Any]:
    """Counts and sign tests of (listener, sentence, 1 | 0.5 | 0).

    Over all answers the binomial test takes answers of one listener for independent ones: it is shown for what others
    publish. Over listeners (whom the majority of their answers counts for) and over sentences it does not.
    """
    from scipy import stats

    rows = list(answers)
    wins, losses = (sum(value == side for _, _, value in rows) for side in (1, 0))
    decided = wins + losses
    ci = stats.binomtest(wins, decided).proportion_ci(level, method="exact") if decided else None
    return {
        "wins": wins,
        "losses": losses,
        "ties": len(rows) - decided,
        "share": wins / decided if decided else None,
        "binomial": {"p": sign_test(wins, losses), "ci": None if ci is None else [float(ci.low), float(ci.high)]},
        "listeners": _majorities((listener, value) for listener, _, value in rows),
        "sentences": _majorities((sentence, value) for _, sentence, value in rows),
    }


def _majorities(answers: Iterable[tuple[str, Fraction]]) -> dict[str, Any]:
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for name, value in answers:
        sums[name] += value - HALF
    wins, losses = sum(each > 0 for each in sums.values()), sum(each < 0 for each in sums.values())
    return {"wins": wins, "losses": losses, "ties": len(sums) - wins - losses, "p": sign_test(wins, losses)}
