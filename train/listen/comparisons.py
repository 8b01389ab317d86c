"""One condition against the baseline in one language: every test and every size of the difference."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.listen import bootstrap, crossed, effect_sizes, mixed, wilcoxon
from train.listen.crossed import Estimate
from train.listen.noninferiority import noninferiority
from train.listen.preferences import preferences
from train.listen.ratings import Rating
from train.listen.settings import Settings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Sums = dict[str, tuple[Fraction, int]]


@dataclass(frozen=True)
class Table:
    """Ratings as arrays: side 0 is the baseline, 1 the condition; listeners and sentences are numbered from 0."""

    y: Floats
    side: Ints
    listener: Ints
    sentence: Ints

    @property
    def shape(self) -> tuple[int, int]:
        """Listeners, sentences."""
        return int(self.listener.max()) + 1, int(self.sentence.max()) + 1

    def matrix(self, side: int) -> Floats | None:
        """Listeners x sentences of one side; None where a rating is missing."""
        here = self.side == side
        if here.sum() != self.shape[0] * self.shape[1]:
            return None
        filled = np.full(self.shape, np.nan)
        filled[self.listener[here], self.sentence[here]] = self.y[here]
        return None if np.isnan(filled).any() else filled


def table(rows: Sequence[Rating], sides: Mapping[str, int]) -> Table:
    """The arrays of the ratings in some conditions."""
    kept = [row for row in rows if row.condition in sides]
    names = [
        {name: i for i, name in enumerate(sorted({getattr(row, key) for row in kept}))}
        for key in ("listener", "sentence")
    ]
    return Table(
        y=np.array([float(row.value) for row in kept]),
        side=np.array([sides[row.condition] for row in kept], dtype=np.int64),
        listener=np.array([names[0][row.listener] for row in kept], dtype=np.int64),
        sentence=np.array([names[1][row.sentence] for row in kept], dtype=np.int64),
    )


def compare(rows: Sequence[Rating], condition: str, settings: Settings) -> dict[str, Any] | None:
    """The facts of one comparison; None where no listener rated both. `p_holm` is filled in by the family."""
    paired = settings.scale.method == "mos"
    rows = (
        _in_both(rows, settings.baseline, condition) if paired else [row for row in rows if row.condition == condition]
    )
    if not rows:
        return None
    data = table(rows, {settings.baseline: 0, condition: 1})
    level = 1 - settings.alpha
    listeners, sentences = (_differences(rows, key, settings) for key in ("listener", "sentence"))
    estimate = _paired(data) if paired else _single(data, float(settings.scale.middle))
    means = [float(np.mean(data.y[data.side == side])) if paired else None for side in (0, 1)]
    centre = effect_sizes.hodges_lehmann(listeners, level)
    limits = noninferiority(estimate, settings.margin, settings.alpha) if estimate else None
    return {
        "language": rows[0].language,
        "baseline": settings.baseline,
        "condition": condition,
        "listeners": data.shape[0],
        "sentences": data.shape[1],
        "ratings": len(data.y),
        "mos_baseline": means[0],
        "mos": means[1],
        "difference": _mean_difference(data, means, settings),
        "by_listener": wilcoxon.signed_rank(listeners).facts(),
        "by_sentence": {
            **wilcoxon.signed_rank(sentences).facts(),
            "rank_biserial": effect_sizes.rank_biserial(sentences),
        },
        "crossed": {"estimate": estimate.value, **estimate.facts(level)} if estimate else None,
        "hodges_lehmann": {"estimate": centre.estimate, "ci": [centre.low, centre.high]},
        "rank_biserial": effect_sizes.rank_biserial(listeners),
        "p_holm": None,
        "non_inferior": limits["non_inferior"] if limits else None,
        "non_inferiority": limits,
        "bootstrap": _bootstrap(data, estimate, level, settings.seed) if paired else None,
        "preferences": _preferences(rows, level) if settings.scale.method == "ab" else None,
    }


def _mean_difference(data: Table, means: Sequence[float | None], settings: Settings) -> float:
    if means[0] is None or means[1] is None:
        return float(np.mean(data.y)) - float(settings.scale.middle)
    return means[1] - means[0]


def _in_both(rows: Sequence[Rating], baseline: str, condition: str) -> list[Rating]:
    """The ratings in either condition of the listeners who have both."""
    kept = [row for row in rows if row.condition in (baseline, condition)]
    heard: dict[str, set[str]] = defaultdict(set)
    for row in kept:
        heard[row.listener].add(row.condition)
    return [row for row in kept if len(heard[row.listener]) == 2]


def _differences(rows: Sequence[Rating], key: str, settings: Settings) -> list[Fraction]:
    """Per listener or per sentence, exactly: mean in the condition less mean in the baseline, of those with both.

    A comparison is a difference already: its mean less the scale's middle.
    """
    sides: list[dict[str, list[Fraction]]] = [defaultdict(list), defaultdict(list)]
    for row in rows:
        sides[row.condition != settings.baseline][getattr(row, key)].append(row.value)
    if settings.scale.method != "mos":
        return [_mean(values) - settings.scale.middle for values in sides[1].values()]
    return [_mean(values) - _mean(sides[0][name]) for name, values in sides[1].items() if name in sides[0]]


def _mean(values: Iterable[Fraction]) -> Fraction:
    counts = Counter(values)  # few values, many ratings: fractions are slow to add
    return sum((value * times for value, times in counts.items()), Fraction(0)) / counts.total()


def _paired(data: Table) -> Estimate | None:
    """The difference of MOS over listeners and sentences: in closed form where every pair is there, else by REML."""
    if min(data.shape) < 2:
        return None
    sides = data.matrix(0), data.matrix(1)
    if sides[0] is not None and sides[1] is not None:
        return crossed.estimate(sides[1] - sides[0])
    if np.ptp(data.y) == 0 or len(np.intersect1d(*(data.sentence[data.side == side] for side in (0, 1)))) < 2:
        return None  # what sentences do to the difference cannot be told from the difference
    return _fitted(difference_model(data), np.array([0.0, 1.0]))


def _fitted(model: mixed.Model, contrast: Floats) -> Estimate | None:
    return None if model.too_large else model.fit(contrast)


def difference_model(data: Table) -> mixed.Model:
    """Ratings with levels and slopes of listeners and sentences, and a level of each cell that was rated twice."""
    ones, slope = np.ones(len(data.y)), data.side.astype(np.float64) - 0.5
    terms = [
        mixed.Term("listener", data.listener, ones),
        mixed.Term("sentence", data.sentence, ones),
        mixed.Term("listener:condition", data.listener, slope),
        mixed.Term("sentence:condition", data.sentence, slope),
    ]
    return mixed.Model(data.y, np.column_stack([ones, slope]), terms, data.listener * data.shape[1] + data.sentence)


def _single(data: Table, middle: float) -> Estimate | None:
    return mean(Table(data.y - middle, data.side, data.listener, data.sentence), 1)


def mean(data: Table, side: int = 0) -> Estimate | None:
    """The mean of one side over listeners and sentences; None below two of either, or where all ratings are equal."""
    if min(data.shape) < 2 or (np.ptp(data.y) == 0 and len(data.y) < data.shape[0] * data.shape[1]):
        return None
    matrix = data.matrix(side)
    if matrix is not None:
        return crossed.estimate(matrix)
    ones = np.ones(len(data.y))
    terms = [mixed.Term("listener", data.listener, ones), mixed.Term("sentence", data.sentence, ones)]
    return _fitted(mixed.Model(data.y, ones[:, None], terms), np.ones(1))


def variances(
    rows: Sequence[Rating], condition: str, settings: Settings, fitted: Mapping[str, Any] | None = None
) -> dict[str, float] | None:
    """Variance components of single ratings in the baseline and a condition; names as in `simulate`.

    From mean squares where the design is complete, else by REML. A slope is the difference of two effects of
    conditions, so its variance is twice theirs. `fitted`: what `compare` found of the same ratings, as written to JSON.
    """
    if fitted and fitted["method"] == "reml" and settings.scale.method == "mos":
        return _single_ratings(fitted["components"])
    rows = _in_both(rows, settings.baseline, condition)
    if settings.scale.method != "mos" or not rows:
        return None
    data = table(rows, {settings.baseline: 0, condition: 1})
    if min(data.shape) < 2 or np.ptp(data.y) == 0:
        return None
    baseline, other = data.matrix(0), data.matrix(1)
    if baseline is not None and other is not None:
        return complete_variances(baseline, other)
    fit = _fitted(difference_model(data), np.array([0.0, 1.0]))
    return _single_ratings(fit.components) if fit else None


def _single_ratings(parts: Mapping[str, float]) -> dict[str, float]:
    return {
        "listener": parts["listener"],
        "sentence": parts["sentence"],
        "listener_condition": parts["listener:condition"] / 2,
        "sentence_condition": parts["sentence:condition"] / 2,
        "listener_sentence": parts.get("cell", 0.0),
        "residual": parts["residual"],
    }


def complete_variances(baseline: Floats, condition: Floats) -> dict[str, float]:
    """The components that REML finds too where none is below 0, at a small part of the time; below 0 they are 0.

    Differences hold the slopes and twice the residual; means of the two sides the levels, the cells and half the
    residual.
    """
    slopes = crossed.estimate(condition - baseline).components
    levels = crossed.estimate((baseline + condition) / 2).components
    return {
        "listener": levels["listener"],
        "sentence": levels["sentence"],
        "listener_condition": slopes["listener"] / 2,
        "sentence_condition": slopes["sentence"] / 2,
        "listener_sentence": max(0.0, levels["residual"] - slopes["residual"] / 4),
        "residual": slopes["residual"] / 2,
    }


def _bootstrap(data: Table, estimate: Estimate | None, level: float, seed: int) -> dict[str, Any] | None:
    """Beside the mixed model, or alone where that is too large; a complete design needs neither."""
    if min(data.shape) < 2 or np.ptp(data.y) == 0 or (estimate and estimate.method == "anova"):
        return None
    if estimate is None and not difference_model(data).too_large:
        return None
    found = bootstrap.difference(data.y, data.side, data.listener, data.sentence, level=level, seed=seed)
    return {"ci": list(found), "replicates": bootstrap.REPLICATES, "seed": seed} if found else None


def _preferences(rows: Sequence[Rating], level: float) -> dict[str, Any]:
    return preferences(((row.listener, row.sentence, row.value) for row in rows), level)
