"""A linear mixed model with crossed random effects, for designs that are not complete matrices.

In a Latin square a listener hears a sentence in one condition only, so there is no difference to take. The model is on
ratings:  y = X b + sum_k Z_k u_k + e,  u_k ~ N(0, theta_k).  It is fitted by REML (Patterson & Thompson 1971) with
Fisher scoring; degrees of freedom are Satterthwaite's, from the expected information, as SAS and lmerTest have them.

Ratings of one cell (the same listener and sentence) may share an effect of their own. There are as many cells as
ratings or half as many, so these effects are not solved for: an orthogonal turn inside each cell gives one row, its
mean times root n, with variance sigma + n theta, and n - 1 rows with variance sigma. All rows are independent then,
and every term of the likelihood and its derivatives needs only cross-products of the effects' columns per class of
rows, never a matrix as large as the data; `equations` has the algebra.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from train.listen import equations
from train.listen.crossed import Estimate
from train.listen.equations import Layout, Point, Products

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STEPS = 200
TOLERANCE = 1e-9  # of the likelihood, and of each component relative to the residual
LEAST_RESIDUAL = 1e-5  # of the ratings' spread: effects that fit all ratings leave none, and the likelihood no top
NEGLIGIBLE = 1e-9  # of all components: one that has crept from 0 by rounding is no better known than one of 0
LARGEST = 2e9  # columns times the square of the smaller factor's: 400 x 1,000 is within, at about a minute a fit


@dataclass(frozen=True)
class Term:
    """One random effect: `level` of each rating (0 to levels - 1) times `weight`: 1, or what its slope is of."""

    name: str
    level: Ints
    weight: Floats


class Model:
    """The data of one model, reduced to cross-products; `fit` estimates one contrast of the fixed effects."""

    def __init__(self, y: Floats, fixed: Floats, terms: Sequence[Term], cells: Ints | None = None) -> None:
        self.names = [term.name for term in terms]
        self.fixed, self.n = fixed.shape[1], len(y)
        self.place = equations.layout(self.fixed, [term.level for term in terms])
        if self.too_large:
            return  # the tables alone would fill the memory
        self.classes = _classes(self.place, _columns(self.place, y, fixed, terms), cells)
        self.cells = any(each.size for each in self.classes)

    @property
    def too_large(self) -> bool:
        """Whether a fit would take minutes, and much memory."""
        return (self.place.small + self.place.levels * self.place.width) * self.place.small**2 > LARGEST

    def at(self, theta: Floats) -> Point:
        """The equations at some variances: those of the terms, of the cells if there are any, of the residual."""
        return Point(self.place, self.classes, theta)

    def fit(self, contrast: Floats) -> Estimate:
        """Estimate `contrast` of the fixed effects; variances that are 0 leave the degrees of freedom alone.

        Not of a model that is `too_large`.
        """
        point = self._scored()
        theta = point.theta
        value, variance = point.contrast(contrast)
        free = theta > NEGLIGIBLE * theta.sum()
        information = point.information()[np.ix_(free, free)]
        gradient = point.slopes(contrast)[free]
        spread = float(gradient @ linalg.lstsq(information, gradient)[0])
        df = 2 * variance**2 / spread if spread > 0 else float(self.n - self.fixed)
        names = [*self.names, *(["cell"] if self.cells else []), "residual"]
        return Estimate(value, float(np.sqrt(variance)), df, "reml", dict(zip(names, theta.tolist(), strict=True)))

    def _scored(self) -> Point:
        """The components at the largest restricted likelihood, none below 0."""
        point = self.at(self._start())
        least = LEAST_RESIDUAL * float(point.theta.sum())
        for _ in range(STEPS):
            theta, score = point.theta, point.score()
            free = (theta > 0) | (score > 0)
            step = np.zeros_like(theta)
            step[free] = linalg.lstsq(point.information()[np.ix_(free, free)], score[free])[0]
            moved = self._climbed(step, point, least)
            if moved is None:
                break
            gained = moved.likelihood - point.likelihood
            shift = float(np.abs(moved.theta - theta).max())
            point = moved
            if gained < TOLERANCE and shift < TOLERANCE * moved.theta[-1]:
                break
        return point

    def _climbed(self, step: Floats, before: Point, least: float) -> Point | None:
        """The first of ever shorter steps that does not lower the likelihood; None where none is left."""
        theta = before.theta
        for halving in range(40):
            wanted = np.maximum(theta + step / 2**halving, 0.0)
            wanted[-1] = max(wanted[-1], theta[-1] / 10, least)  # the residual stays above 0
            try:
                point = self.at(wanted)
            except linalg.LinAlgError:  # ratings that the model fits whole: a residual too near to 0 for the digits
                continue
            if point.likelihood >= before.likelihood - 1e-12 * abs(before.likelihood):
                return point
        return None

    def _start(self) -> Floats:
        table = equations.total(self.classes)
        x = self.fixed
        fitted = linalg.lstsq(table.kept[:x, :x], table.y[0][:x])[0]
        residual = (table.yy - float(table.y[0][:x] @ fitted)) / max(1, self.n - x)
        count = len(self.names) + self.cells + 1
        return np.full(count, max(residual, 1e-12) / count)


def _columns(place: Layout, y: Floats, fixed: Floats, terms: Sequence[Term]) -> Any:
    """[X, kept terms, absorbed terms level by level, y] as a sparse matrix: a rating is in one column of each term."""
    rows = np.arange(len(y))
    starts = [(span.start, 1, terms[number]) for number, span in place.kept]
    starts += [(place.small + q, place.width, terms[number]) for q, number in enumerate(place.absorbed)]
    columns = [start + step * term.level for start, step, term in starts]
    values = np.concatenate([term.weight for *_, term in starts])
    shape = (len(y), place.small + place.levels * place.width)
    random = sparse.csr_array((values, (np.tile(rows, len(starts)), np.concatenate(columns))), shape=shape)
    blocks = [sparse.csr_array(fixed), random[:, place.fixed :], sparse.csr_array(y[:, None])]
    return sparse.hstack(blocks).tocsr()


def _classes(place: Layout, data: Any, cells: Ints | None) -> list[Products]:
    """Cross-products per class of rows; without cells, or where none has two ratings, there is one class."""
    whole = Products.of(place, 0, data.shape[0], (data.T @ data).tocsr())
    if cells is None or np.bincount(cells).max() < 2:
        return [whole]
    _, cells, counts = np.unique(cells, return_inverse=True, return_counts=True)
    # one row per cell, with 1 / root n at each of its n ratings: the mean times root n
    turn = sparse.csr_array((1 / np.sqrt(counts[cells]), (cells, np.arange(len(cells)))))
    means = turn @ data
    groups = []
    for n in np.unique(counts):
        rows = means[counts == n]
        groups.append(Products.of(place, int(n), rows.shape[0], (rows.T @ rows).tocsr()))
    apart = whole.plus(equations.total(groups), sign=-1.0)
    return [Products(0, len(cells) - len(counts), apart.kept, apart.across, apart.blocks, apart.y, apart.yy), *groups]
