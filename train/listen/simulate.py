"""Simulated listeners: ratings with known true means, for tests, power and the study's rehearsal.

A latent opinion is  m[condition] + listener + sentence + listener x sentence + listener x condition + sentence x
condition + residual,  all normal and independent; a rating is the nearest step of the scale. Rounding and the ends of
the scale move the mean, so m is solved for: the expected rating of a condition is the MOS that was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Design = Literal["full", "latin"]
Trial = tuple[str, str, str]  # listener, sentence, condition


@dataclass(frozen=True)
class Deviations:
    """Standard deviations of a latent opinion, in points of the scale.

    The defaults are assumptions, not measurements: with them a rating on 1..5 near 4 has a standard deviation of .8 to
    .9, listeners' means one of about .4, as absolute category ratings of speech tend to have. A pilot is better.
    """

    listener: float = 0.4
    sentence: float = 0.3
    listener_condition: float = 0.2
    sentence_condition: float = 0.25
    listener_sentence: float = 0.3
    residual: float = 0.65

    @property
    def total(self) -> float:
        """Of one opinion in one condition."""
        return float(np.sqrt(sum(each**2 for each in asdict(self).values())))


OWN = ("listener_condition", "sentence_condition", "residual")  # drawn anew for each condition


def latent_mean(mos: float, deviation: float, scale: tuple[int, int]) -> float:
    """The mean of a normal opinion whose rounded, bounded rating has the mean `mos`.

    Raises ValueError where `mos` is not inside the scale.
    """
    from scipy import optimize, stats

    low, high = scale
    if not low < mos < high:
        raise ValueError(f"a true mean of {mos} is not between {low} and {high}")
    steps = np.arange(low, high) + 0.5
    reach = high - low + 40 * deviation

    def missing(mean: float) -> float:
        return float(low + stats.norm.sf(steps, mean, deviation).sum() - mos)

    return float(optimize.brentq(missing, low - reach, high + reach, xtol=1e-10))


def rounded(opinions: Floats, scale: tuple[int, int]) -> Floats:
    """The nearest step of the scale."""
    return np.clip(np.rint(opinions), *scale)


def matrices(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    mos: Sequence[float],
    deviations: Sequence[Deviations],
    scale: tuple[int, int] = (1, 5),
) -> Floats:
    """Ratings of every sentence in every condition by every listener: replicates x listeners x sentences x conditions.

    `shape` is (replicates, listeners, sentences); `deviations` has one entry for each condition. What is not of a
    condition's `OWN` is shared by all and taken from the first entry.
    """
    runs, listeners, sentences = shape
    base = deviations[0]
    shared = base.listener * rng.standard_normal((runs, listeners, 1))
    shared = shared + base.sentence * rng.standard_normal((runs, 1, sentences))
    shared = shared + base.listener_sentence * rng.standard_normal(shape)
    ratings = np.empty((*shape, len(mos)))
    for place, (mean, own) in enumerate(zip(mos, deviations, strict=True)):
        total = replace(base, **{name: getattr(own, name) for name in OWN}).total
        opinion = latent_mean(mean, total, scale) + shared
        opinion = opinion + own.listener_condition * rng.standard_normal((runs, listeners, 1))
        opinion = opinion + own.sentence_condition * rng.standard_normal((runs, 1, sentences))
        ratings[..., place] = rounded(opinion + own.residual * rng.standard_normal(shape), scale)
    return ratings


def latin(listeners: int, sentences: int, conditions: int) -> Ints:
    """The condition of each listener (rows) and sentence (columns) in a Latin square: (j + i) mod conditions."""
    return (np.arange(listeners)[:, None] + np.arange(sentences)) % conditions


def rate(
    trials: Sequence[Trial],
    true_mos: Mapping[str, float],
    *,
    deviations: Deviations | None = None,
    scale: tuple[int, int] = (1, 5),
    seed: int = 0,
) -> list[int]:
    """A rating for each trial of a plan, in order; the same seed gives the same ratings.

    Raises KeyError for a condition without a true mean. Draws go by sorted names, so the order of trials changes only
    which residual a trial gets.
    """
    own = deviations or Deviations()
    rng = np.random.default_rng(seed)
    listeners = {name: place for place, name in enumerate(sorted({trial[0] for trial in trials}))}
    sentences = {name: place for place, name in enumerate(sorted({trial[1] for trial in trials}))}
    conditions = {name: place for place, name in enumerate(sorted({trial[2] for trial in trials}))}
    means = {name: latent_mean(true_mos[name], own.total, scale) for name in conditions}
    listener = own.listener * rng.standard_normal(len(listeners))
    sentence = own.sentence * rng.standard_normal(len(sentences))
    by_listener = own.listener_condition * rng.standard_normal((len(listeners), len(conditions)))
    by_sentence = own.sentence_condition * rng.standard_normal((len(sentences), len(conditions)))
    shared = own.listener_sentence * rng.standard_normal((len(listeners), len(sentences)))
    residual = own.residual * rng.standard_normal(len(trials))
    ratings = []
    for (who, what, condition), noise in zip(trials, residual, strict=True):
        i, j, c = listeners[who], sentences[what], conditions[condition]
        level = means[condition] + listener[i] + sentence[j] + shared[i, j]
        opinion = level + by_listener[i, c] + by_sentence[j, c] + noise
        ratings.append(int(rounded(np.array(opinion), scale)))
    return ratings
