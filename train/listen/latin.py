"""REML of Latin squares, many simulated ones at once: the model of `mixed`, without a matrix of the ratings.

Listener i hears sentence j in condition (i + j) mod K. So the I / K listeners of one class hear the same sentences in
the same conditions, the J / K sentences of one class are heard by the same listeners, and the ratings of two
conditions are 2 K full blocks of I / K x J / K (a class of listeners in a condition). The model of an analysis,

    rating ~ 1 + x + (1|listener) + (1|sentence) + (0+x|listener) + (0+x|sentence),     x = -1/2, 1/2,

falls into independent parts, each with a variance that is a sum of the five components:

- within classes, the mean of a listener's two conditions, and their difference; the same of sentences; what is left
  within blocks: five sums of squares;
- the means of the blocks. Those of the baseline share sentences with those of the condition in the next class of
  listeners, and so on in a circle: a Fourier transform over the classes leaves K independent pairs. The first holds
  the two fixed effects, the others no more than variance.

Each test costs a few hundred numbers where `mixed` needs a dense matrix: half a millisecond for 60. The answers are
equal (tested to 1e-8).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.listen.mixed import LEAST_RESIDUAL, NEGLIGIBLE, STEPS, TOLERANCE

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
HALVINGS = 40
COMPONENTS = 5  # level of listeners, of sentences; slope of listeners, of sentences; residual


@dataclass(frozen=True)
class Square:
    """What the parts of a square's ratings have of each component."""

    loads: Floats  # sums of squares x components
    degrees: Floats  # of the sums of squares
    waves: Complex  # components x frequencies x 2 x 2
    difference: Floats  # of the variance of the difference

    @classmethod
    def of(cls, listeners: int, sentences: int, conditions: int) -> "Square":
        """Of this size, two conditions of which are compared."""
        i, j, k = listeners, sentences, conditions
        a, b = i // k, j // k
        loads = np.array(
            [[1, 0, 0, 0, 0.5 / b], [0, 0, 1, 0, 2 / b], [0, 1, 0, 0, 0.5 / a], [0, 0, 0, 1, 2 / a], [0, 0, 0, 0, 1]]
        )
        degrees = np.array([i - k, i - k, j - k, j - k, 2 * k * (a - 1) * (b - 1)], np.float64)
        own = np.array([1 / a, 1 / b, 0.25 / a, 0.25 / b, 1 / (a * b)])
        same_listeners = np.array([1 / a, 0, -0.25 / a, 0, 0])
        same_sentences = np.array([0, 1 / b, 0, -0.25 / b, 0])  # one class of listeners further on
        turn = np.exp(2j * np.pi * np.arange(1, k) / k)
        waves = np.zeros((COMPONENTS, k - 1, 2, 2), np.complex128)
        waves[..., 0, 0] = waves[..., 1, 1] = own[:, None]
        waves[..., 0, 1] = same_listeners[:, None] + same_sentences[:, None] * turn
        waves[..., 1, 0] = waves[..., 0, 1].conj()
        return cls(loads, degrees, waves, np.array([0, 0, 1 / i, 1 / j, 2 * k / (i * j)]))


@dataclass(frozen=True)
class Parts:
    """The parts of the ratings of R tests."""

    squares: Floats  # R x sums of squares
    waves: Complex  # R x 2 x frequencies
    difference: Floats  # R

    def at(self, chosen: NDArray[np.int64]) -> "Parts":
        """Those of some tests."""
        return Parts(self.squares[chosen], self.waves[chosen], self.difference[chosen])


def estimates(ratings: Floats, conditions: int) -> tuple[Floats, Floats, Floats]:
    """Difference of conditions 1 and 0, its variance and degrees of freedom, of R x I x J x 2 ratings.

    Only the ratings that a square of `conditions` asks for are read. Raises ValueError where I or J is no multiple of
    `conditions`, or less than twice as large.
    """
    _, listeners, sentences, _ = ratings.shape
    for size in (listeners, sentences):
        if size % conditions or size < 2 * conditions:
            raise ValueError(f"{size} is not a multiple of {conditions}, from {2 * conditions} on")
    square, parts = Square.of(listeners, sentences, conditions), parted(ratings, conditions)
    theta = components(square, parts)
    variance = theta @ square.difference
    free = theta > NEGLIGIBLE * theta.sum(axis=1, keepdims=True)
    _, _, information = _point(square, parts, theta)
    gradient = square.difference * free
    spread = np.einsum("rk,rk->r", gradient, _solved(information, free, gradient))
    return parts.difference, variance, 2 * variance**2 / spread


def parted(ratings: Floats, conditions: int) -> Parts:
    """The parts of R x I x J x 2 ratings."""
    k = conditions
    # R x 2 x K x I / K x J / K: the sentences that a class of listeners hears in a condition are one class
    blocks = np.stack(
        [np.stack([ratings[:, g::k, (s - g) % k :: k, s] for g in range(k)], axis=1) for s in (0, 1)], axis=1
    )
    listeners, sentences, means = blocks.mean(axis=4), blocks.mean(axis=3), blocks.mean(axis=(3, 4))
    # the two conditions of a class of sentences are heard by neighbouring classes of listeners
    sentences = np.stack([np.stack([sentences[:, s, (s - h) % k] for h in range(k)], axis=1) for s in (0, 1)], axis=1)
    rest = blocks - listeners[..., None] - blocks.mean(axis=3, keepdims=True) + means[..., None, None]
    squares = [_within(make(each)) for each in (listeners, sentences) for make in (_mean, _slope)]
    waves = np.fft.fft(means, axis=2)[:, :, 1:] / np.sqrt(k)
    return Parts(np.stack([*squares, (rest**2).sum(axis=(1, 2, 3, 4))], axis=1), waves, _slope(means).mean(axis=1))


def _mean(sides: Floats) -> Floats:
    return np.asarray(sides.mean(axis=1))


def _slope(sides: Floats) -> Floats:
    return np.asarray(sides[:, 1] - sides[:, 0])


def _within(values: Floats) -> Floats:
    """The sum of squares within classes: R x K x members."""
    return np.asarray(((values - values.mean(axis=2, keepdims=True)) ** 2).sum(axis=(1, 2)))


def components(square: Square, parts: Parts) -> Floats:
    """The components at the largest restricted likelihood, none below 0: R x 5. Fisher scoring, as in `mixed`."""
    start = np.maximum((parts.squares / square.loads.sum(axis=1)).sum(axis=1) / square.degrees.sum(), 1e-12)
    theta = np.repeat(start[:, None] / COMPONENTS, COMPONENTS, axis=1)
    least = LEAST_RESIDUAL * start
    left = np.arange(len(theta))
    for _ in range(STEPS):
        if not len(left):
            break
        theta[left], going = _moved(square, parts.at(left), theta[left], least[left])
        left = left[going]
    return theta


def _moved(square: Square, parts: Parts, theta: Floats, least: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """One step, shortened where it would lower the likelihood, and whether it was worth another."""
    likelihood, score, information = _point(square, parts, theta)
    free = (theta > 0) | (score > 0)
    step = _solved(information, free, score * free)
    best, reached = theta.copy(), likelihood.copy()
    todo = np.arange(len(theta))
    for halving in range(HALVINGS):
        wanted = np.maximum(theta[todo] + step[todo] / 2**halving, 0.0)
        wanted[:, -1] = np.maximum(wanted[:, -1], np.maximum(theta[todo, -1] / 10, least[todo]))
        found, _, _ = _point(square, parts.at(todo), wanted)
        higher = found >= likelihood[todo] - 1e-12 * np.abs(likelihood[todo])
        best[todo[higher]], reached[todo[higher]] = wanted[higher], found[higher]
        todo = todo[~higher]
        if not len(todo):
            break
    shift = np.abs(best - theta).max(axis=1)
    going = (reached - likelihood >= TOLERANCE) | (shift >= TOLERANCE * best[:, -1])
    going[todo] = False  # no step is short enough: the top
    return best, going


def _point(square: Square, parts: Parts, theta: Floats) -> tuple[Floats, Floats, Floats]:
    """Restricted likelihood (R), its slope (R x 5) and its expected information (R x 5 x 5)."""
    variances = theta @ square.loads.T
    ratio = parts.squares / variances
    likelihood = -0.5 * (square.degrees * np.log(variances) + ratio).sum(axis=1)
    score = 0.5 * ((ratio - square.degrees) / variances) @ square.loads
    information = 0.5 * np.einsum("rm,mk,ml->rkl", square.degrees / variances**2, square.loads, square.loads)
    pairs = np.einsum("rk,kfab->rfab", theta, square.waves)
    inverse = np.linalg.inv(pairs)
    weighted = np.einsum("rfab,rbf->rfa", inverse, parts.waves)
    explained = np.einsum("raf,rfa->rf", parts.waves.conj(), weighted).real
    likelihood -= 0.5 * (np.linalg.slogdet(pairs)[1] + explained).sum(axis=1)
    turned = np.einsum("rfab,kfbc->rkfac", inverse, square.waves)
    slopes = np.einsum("rfa,kfab,rfb->rk", weighted.conj(), square.waves, weighted, optimize=True)
    score += 0.5 * (slopes - np.einsum("rkfaa->rk", turned)).real
    information += 0.5 * np.einsum("rkfab,rlfba->rkl", turned, turned, optimize=True).real
    return likelihood, score, information


def _solved(information: Floats, free: NDArray[np.bool_], right: Floats) -> Floats:
    """The information of the free components, inverted, times a vector that is 0 elsewhere."""
    kept = information * (free[:, :, None] & free[:, None, :])
    kept += np.eye(COMPONENTS) * ~free[:, None, :]
    return np.asarray(np.linalg.solve(kept, right[..., None])[..., 0])
