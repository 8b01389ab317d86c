"""A Latin square in closed form, many simulated ones at once.

Listener i hears sentence j in condition (i + j) mod K, so the I / K listeners of one class hear the same sentences in
the same conditions, and the J / K sentences of one class are heard by the same listeners. Differences of listeners of
one class share their sentences, and the spread among them holds no sentence; likewise for sentences. With the mean
squares within classes,

    variance of the difference = MS_L / I + MS_S / J - 2 MS_E / n,     n = I J / K ratings of each side,

as for a complete matrix, with I - K and J - K degrees of freedom. REML on the same ratings also uses what lies between
classes; it is what an analysis reports, and takes a thousand times as long: power and simulations use this.
"""

import numpy as np
from numpy.typing import NDArray

from train.listen.crossed import pooled

Floats = NDArray[np.float64]


def estimates(ratings: Floats, conditions: int) -> tuple[Floats, Floats, Floats]:
    """Difference of conditions 1 and 0, its variance and degrees of freedom, of R x I x J x 2 ratings.

    Only the ratings that a square of `conditions` asks for are read. Raises ValueError where I or J is no multiple of
    `conditions`, or less than twice as large.
    """
    _, listeners, sentences, _ = ratings.shape
    for size in (listeners, sentences):
        if size % conditions or size < 2 * conditions:
            raise ValueError(f"{size} is not a multiple of {conditions}, from {2 * conditions} on")
    k = conditions
    blocks = [[_block(ratings, g, side, k) for g in range(k)] for side in (0, 1)]
    by_listener = [blocks[1][g].mean(axis=2) - blocks[0][g].mean(axis=2) for g in range(k)]
    by_sentence = [blocks[1][(1 - h) % k].mean(axis=1) - blocks[0][-h % k].mean(axis=1) for h in range(k)]
    rest = sum(_rest(block) for side in blocks for block in side)
    rest_df = 2.0 * k * (listeners // k - 1) * (sentences // k - 1)
    degrees = (float(listeners - k), float(sentences - k), rest_df)
    squares = (
        _within(by_listener) / degrees[0] / listeners,
        _within(by_sentence) / degrees[1] / sentences,
        rest / rest_df * 2 * k / (listeners * sentences),
    )
    variance, df = pooled(squares, degrees)
    return np.mean([each.mean(axis=1) for each in by_listener], axis=0), variance, df


def _block(ratings: Floats, group: int, side: int, k: int) -> Floats:
    """The ratings of one side by one class of listeners: all of one class of sentences."""
    return ratings[:, group::k, (side - group) % k :: k, side]


def _within(differences: list[Floats]) -> Floats:
    return np.asarray(sum(((each - each.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for each in differences))


def _rest(block: Floats) -> Floats:
    rows, columns = block.mean(axis=2, keepdims=True), block.mean(axis=1, keepdims=True)
    left = block - rows - columns + block.mean(axis=(1, 2), keepdims=True)
    return np.asarray((left**2).sum(axis=(1, 2)))
