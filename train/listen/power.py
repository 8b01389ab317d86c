"""How many listeners and sentences a test needs: the analysis itself, run on simulated listeners."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.errors import UserError
from train.listen import analysis, crossed, latin, simulate
from train.listen.ratings import Rating
from train.listen.settings import ALPHA, MARGIN, Settings
from train.listen.simulate import Deviations

Floats = NDArray[np.float64]
CHUNK = 2_000_000  # ratings simulated at once, for memory
ROUNDING = 1 / 12  # variance that rounding to whole steps adds
LEAST_RESIDUAL = 0.05
HELD = (0.8, 1.2)  # of alpha: between these a test errs as often as it says


ASSUMED = Deviations()


@dataclass(frozen=True)
class Question:
    """What is to be shown: a difference in MOS; or, where there is none, that there is no loss beyond a margin."""

    mos: float = 3.85  # the published baseline's
    difference: float = 0.2
    margin: float = MARGIN
    alpha: float = ALPHA
    comparisons: int = 1  # Holm's first step: alpha over their number, for the difference
    deviations: Deviations = ASSUMED
    design: simulate.Design = "full"
    conditions: int = 2  # in the test, the baseline among them
    replicates: int = 1000
    seed: int = 0


def power(question: Question, listeners: Sequence[int], sentences: Sequence[int]) -> list[dict[str, Any]]:
    """One row per size: the chance to show the difference, and to show no loss, each with its Monte Carlo error.

    `type_1_error` is how often the test at alpha finds a difference where there is none; `holds` is False where that is
    plainly outside .8 to 1.2 alpha (.04 to .06 at .05). Sizes of a Latin square are rounded up to one that closes.
    Equal questions give equal rows, whatever the grid. Raises UserError for what cannot be simulated.
    """
    _check(question, [*listeners, *sentences])
    sizes = {(closing(question, i), closing(question, j)) for i in listeners for j in sentences}
    return [_row(question, *size) for size in sorted(sizes)]


def _check(question: Question, sizes: Sequence[int]) -> None:
    top = question.mos + question.difference
    if not (1 < question.mos < 5 and 1 < top < 5):
        raise UserError(f"a MOS of {question.mos:g} and one of {top:g}: both must lie between 1 and 5")
    if not sizes or min(sizes) < 2:
        raise UserError("listeners and sentences are counted from 2 on")
    if max(sizes) > 1000:
        raise UserError(f"{max(sizes)} listeners or sentences are too many to simulate: up to 1000")
    if question.replicates < 100:
        raise UserError(f"{question.replicates} replicates are too few to estimate a power: from 100 on")
    if question.design == "latin" and question.conditions < 2:
        raise UserError("a Latin square has two conditions or more: --conditions")


def closing(question: Question, size: int) -> int:
    """The size itself, or the next at which the square closes with two of each class at least."""
    if question.design == "full":
        return size
    return max(2, -(-size // question.conditions)) * question.conditions


def _row(question: Question, listeners: int, sentences: int) -> dict[str, Any]:
    (shown,) = _chances(question, listeners, sentences, question.difference)
    kept, wrong = _chances(question, listeners, sentences, 0.0)
    heard = sentences * (question.conditions if question.design == "full" else 1)
    error = _error(wrong, question.replicates)
    return {
        "listeners": listeners,
        "sentences": sentences,
        "ratings_per_listener": heard,
        "power": shown,
        "power_error": _error(shown, question.replicates),
        "power_non_inferiority": kept,
        "power_non_inferiority_error": _error(kept, question.replicates),
        "type_1_error": wrong,
        "type_1_error_error": error,
        "holds": wrong + 2 * error >= HELD[0] * question.alpha and wrong - 2 * error <= HELD[1] * question.alpha,
    }


def _error(chance: float, replicates: int) -> float:
    """Standard error of a simulated chance; at 0 and 1 that of half a success, not 0."""
    inside = min(max(chance, 0.5 / replicates), 1 - 0.5 / replicates)
    return float(np.sqrt(inside * (1 - inside) / replicates))


def _chances(question: Question, listeners: int, sentences: int, difference: float) -> list[float]:
    """The share of simulated tests that show the difference; where it is 0, that show no loss, and a difference."""
    rng = np.random.default_rng([question.seed, listeners, sentences, int(difference != 0)])
    at_once = max(1, CHUNK // (listeners * sentences))
    found, left = np.zeros(1 if difference else 2), question.replicates
    while left:
        shape = (min(left, at_once), listeners, sentences)
        means, spreads = [question.mos, question.mos + difference], [question.deviations] * 2
        ratings = simulate.matrices(rng, shape, means, spreads)
        found += _shown(question, ratings, difference)
        left -= shape[0]
    return [float(each) for each in found / question.replicates]


def _shown(question: Question, ratings: Floats, difference: float) -> list[int]:
    from scipy import stats

    if question.design == "full":
        value, variance, df = crossed.estimates(ratings[..., 1] - ratings[..., 0])
    else:
        value, variance, df = latin.estimates(ratings, question.conditions)
    error = np.sqrt(variance)
    if difference:
        side = np.sign(difference)
        beyond = stats.t.ppf(1 - question.alpha / question.comparisons / 2, df) * error
        return [int((side * value > beyond).sum())]
    no_loss = value - stats.t.ppf(1 - question.alpha, df) * error > -question.margin
    wrong = np.abs(value) > stats.t.ppf(1 - question.alpha / 2, df) * error
    return [int(no_loss.sum()), int(wrong.sum())]


def of_pilot(rows: Sequence[Rating], settings: Settings) -> dict[str, tuple[float, Deviations]]:
    """Per language the baseline's MOS and the deviations that a pilot's ratings show.

    They are of rounded ratings: what rounding adds is taken from the residual. Raises UserError where nothing can be
    estimated.
    """
    facts = analysis.variances_by_language(rows, settings)
    if not facts:
        raise UserError(
            "the pilot has no two listeners and two sentences in two conditions: no variance can be estimated"
        )
    made = {}
    for language, parts in facts.items():
        base = [float(row.value) for row in rows if row.language == language and row.condition == settings.baseline]
        made[language] = (float(np.mean(base)), _deviations(parts))
    return made


def _deviations(parts: Mapping[str, float]) -> Deviations:
    roots = {name: float(np.sqrt(value)) for name, value in parts.items()}
    residual = float(np.sqrt(max(parts["residual"] - ROUNDING, LEAST_RESIDUAL**2)))
    return replace(Deviations(), **{**roots, "residual": residual})
