"""Do listeners agree? Intraclass correlations, split halves, and each listener with himself."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.listen import crossed, exclusions, mixed
from train.listen.ratings import Rating

Floats = NDArray[np.float64]
SPLITS = 200
LARGEST = 1500  # stimuli and listeners together whose model is fitted: beyond it the correlation is left out


def icc(matrix: Floats) -> tuple[float, float]:
    """ICC(2,1) and ICC(2,k) of targets (rows) by raters (columns): two-way random, absolute agreement.

    Shrout & Fleiss (1979). Of one rating, and of the mean over all raters.
    """
    targets, raters = matrix.shape
    between, judges, error = (float(each[0]) for each in crossed.mean_squares(matrix[None]))
    single = between + (raters - 1) * error + raters * (judges - error) / targets
    mean = between + (judges - error) / targets
    return _ratio(between - error, single), _ratio(between - error, mean)


def agreement(rows: Sequence[Rating], seed: int = 0) -> dict[str, Any]:
    """All there is to say of one language's ratings; None where the design does not allow it.

    Where every listener rated every stimulus the correlations are the closed forms, else they are made of the variance
    components of a mixed model, with k the mean number of ratings of a stimulus.
    """
    names = sorted({row.listener for row in rows})
    stimuli = sorted({row.stimulus for row in rows if row.kind == "test"})
    table = np.full((len(stimuli), len(names)), np.nan)
    places = {stimulus: place for place, stimulus in enumerate(stimuli)}
    for row in rows:
        if row.kind == "test":
            table[places[row.stimulus], names.index(row.listener)] = float(row.value)
    single, mean, k = _icc(table)
    return {
        "icc_2_1": single,
        "icc_2_k": mean,
        "ratings_per_stimulus": k,
        "split_half": split_half(table, seed),
        "repeats": _repeats(rows),
    }


def _icc(table: Floats) -> tuple[float | None, float | None, float]:
    known = np.isfinite(table)
    k = float(known.sum() / max(1, len(table)))
    if min(table.shape) < 2 or k < 1.5 or np.nanvar(table) == 0:
        return None, None, k
    if known.all():
        return (*icc(table), k)
    if sum(table.shape) > LARGEST:
        return None, None, k
    stimulus, listener = np.nonzero(known)
    ones = np.ones(len(stimulus))
    terms = [mixed.Term("stimulus", stimulus, ones), mixed.Term("listener", listener, ones)]
    parts = mixed.Model(table[known], ones[:, None], terms).fit(np.ones(1)).components
    noise = parts["listener"] + parts["residual"]
    return (
        _ratio(parts["stimulus"], parts["stimulus"] + noise),
        _ratio(parts["stimulus"], parts["stimulus"] + noise / k),
        k,
    )


def split_half(table: Floats, seed: int = 0) -> float | None:
    """Mean correlation of stimulus means over random halves of the listeners, stepped up to all (Spearman-Brown).

    `table` is stimuli x listeners, NaN where there is no rating; a listener's own level is taken out, for in a Latin
    square the halves of a stimulus are rated by whoever heard it.
    """
    if min(table.shape) < 3:
        return None
    rng = np.random.default_rng(seed)
    known = np.isfinite(table)
    left = np.where(known, table - np.nanmean(table, axis=0), 0.0)
    found = []
    for _ in range(SPLITS):
        half = rng.permutation(table.shape[1]) < table.shape[1] // 2
        counts = known[:, half].sum(axis=1), known[:, ~half].sum(axis=1)
        both = (counts[0] > 0) & (counts[1] > 0)
        means = [
            left[both][:, part].sum(axis=1) / count[both] for part, count in zip((half, ~half), counts, strict=True)
        ]
        if both.sum() > 2 and min(np.ptp(each) for each in means) > 0:
            r = float(np.corrcoef(*means)[0, 1])
            if r > -1:
                found.append(2 * r / (1 + r))
    return float(np.mean(found)) if found else None


def _repeats(rows: Sequence[Rating]) -> dict[str, Any] | None:
    """Each listener's second rating of the same stimulus against the first."""
    answers: dict[str, list[Rating]] = defaultdict(list)
    for row in rows:
        answers[row.listener].append(row)
    gaps = [gap for each in answers.values() for gap in exclusions.repeat_gaps(each)]
    if not gaps:
        return None
    return {"n": len(gaps), "same": float(np.mean([gap == 0 for gap in gaps])), "mean_difference": float(np.mean(gaps))}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float(part > 0)
