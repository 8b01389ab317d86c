"""The two-way bootstrap: listeners and sentences drawn anew, independently of each other.

Owen's pigeonhole bootstrap (2007): a rating counts as often as its listener times its sentence was drawn. It takes no
normal distribution and any design, and its variance is too large by about twice that of the residual, so its
interval is wide; it stands beside the mixed model's, which is the headline.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
REPLICATES = 2000


def difference(
    y: Floats, side: Ints, listener: Ints, sentence: Ints, *, level: float = 0.95, seed: int = 0
) -> tuple[float, float] | None:
    """Percentile interval of the mean of side 1 less that of side 0; None where hardly any draw has both.

    Levels of listeners and sentences are taken out first (least squares): in a Latin square the two sides are heard on
    different sentences, and drawing sentences would count the sentences' own levels as error of the difference.
    """
    rng = np.random.default_rng(seed)
    shape = (int(listener.max()) + 1, int(sentence.max()) + 1)
    left = y - _levels(y, side, listener, sentence)
    drawn = [rng.multinomial(size, np.full(size, 1 / size), REPLICATES).astype(float) for size in shape]
    means = []
    for here in (side == 0, side == 1):
        sums, counts = np.zeros(shape), np.zeros(shape)
        np.add.at(sums, (listener[here], sentence[here]), left[here])
        np.add.at(counts, (listener[here], sentence[here]), 1.0)
        weights = (drawn[0] @ counts * drawn[1]).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            means.append((drawn[0] @ sums * drawn[1]).sum(axis=1) / weights)
    spread = means[1] - means[0]
    spread = spread[np.isfinite(spread)]
    if len(spread) < REPLICATES / 2:
        return None
    low, high = np.quantile(spread, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def _levels(y: Floats, side: Ints, listener: Ints, sentence: Ints) -> Floats:
    """The fitted levels of listeners and sentences, beside the difference of the sides."""
    rows, who, what = np.arange(len(y)), listener, int(listener.max()) + 1 + sentence
    places = np.concatenate([who, what, np.full(len(y), int(what.max()) + 1)])
    values = np.concatenate([np.ones(2 * len(y)), side])
    columns = sparse.csr_array((values, (np.tile(rows, 3), places)))
    fitted = linalg.lstsq((columns.T @ columns).toarray(), columns.T @ y)[0]
    fitted[-1] = 0.0
    return np.asarray(columns @ fitted)
