"""Henderson's mixed model equations at one set of variances: likelihood, its slope and its information.

For  y = X b + sum_k Z_k u_k + e  let U = [X Z], R the diagonal residual (one value per class of rows), W = U'R^-1 U,
and G the inverse of the equations  W + diag(0, 1 / theta). Then  P = R^-1 - R^-1 U G U'R^-1  (Patterson & Thompson
1971; Harville 1977), so all that REML asks of P is asked of W and G.

A rating has one listener and one sentence. So the columns of the factor with more levels (1,000 sentences with a level
and a slope each, say) meet only within a level: their part of W is a row of small blocks. That part is eliminated
block by block, which leaves a dense matrix of the other columns only (fixed effects and the smaller factor, m columns):

    G = [0 0; 0 B] + L A L',      A the inverse of the m x m Schur complement, B small blocks.

Everything below follows from this form, at a cost of (columns x m^2) where a dense inverse costs columns^3. Columns
are scaled by the roots of their variances, so that one of 0 is no division.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """Where columns stand: `fixed`, then the kept terms' levels, then `levels` blocks of `width` absorbed terms."""

    fixed: int
    kept: tuple[tuple[int, slice], ...]  # number of the term, its columns
    absorbed: tuple[int, ...]  # numbers of the terms, in the order in a block
    levels: int

    @property
    def small(self) -> int:
        """Columns that are not absorbed."""
        return self.kept[-1][1].stop if self.kept else self.fixed

    @property
    def width(self) -> int:
        """Columns of an absorbed level."""
        return len(self.absorbed)

    @property
    def terms(self) -> int:
        """How many random terms there are."""
        return len(self.kept) + len(self.absorbed)


def layout(fixed: int, levels: Sequence[NDArray[np.int64]]) -> Layout:
    """Terms that go by the same levels are of one factor; the factor with the most levels is absorbed."""
    counts = [int(each.max()) + 1 for each in levels]
    first = counts.index(max(counts))
    absorbed = tuple(i for i, each in enumerate(levels) if each is levels[first] or np.array_equal(each, levels[first]))
    kept = [i for i in range(len(levels)) if i not in absorbed]
    edges = np.cumsum([fixed, *(counts[i] for i in kept)]).tolist()
    spans = tuple((i, slice(a, b)) for i, (a, b) in zip(kept, pairwise(edges), strict=True))
    return Layout(fixed, spans, absorbed, counts[first])


@dataclass(frozen=True)
class Products:
    """Cross-products of [kept, absorbed, y] over the rows of a class, whose variance is sigma + size * theta_cell."""

    size: int
    rows: int
    kept: Floats  # m x m
    across: Floats  # m x levels x width
    blocks: Floats  # levels x width x width
    y: tuple[Floats, Floats]  # m; levels x width
    yy: float

    @classmethod
    def of(cls, place: Layout, size: int, rows: int, table: sparse.csr_array) -> "Products":
        """From the sparse cross-products of [kept, absorbed by level, y]."""
        m, levels, p = place.small, place.levels, place.width
        n = m + levels * p
        inner = sparse.coo_array(table[m:n, m:n])
        blocks = np.zeros((levels, p, p))
        blocks[inner.row // p, inner.row % p, inner.col % p] = inner.data
        last = np.ravel(table[:, [n]].toarray())
        across = table[:m, m:n].toarray().reshape(m, levels, p)
        return cls(size, rows, table[:m, :m].toarray(), across, blocks,
                   (last[:m], last[m:n].reshape(levels, p)), float(last[n]))  # fmt: skip

    def scaled(self, factor: float) -> "Products":
        """All products times a factor."""
        y = (self.y[0] * factor, self.y[1] * factor)
        return Products(self.size, self.rows, self.kept * factor, self.across * factor, self.blocks * factor, y,
                        self.yy * factor)  # fmt: skip

    def plus(self, other: "Products", sign: float = 1.0) -> "Products":
        """The sum of two tables."""
        y = (self.y[0] + sign * other.y[0], self.y[1] + sign * other.y[1])
        return Products(self.size, self.rows, self.kept + sign * other.kept, self.across + sign * other.across,
                        self.blocks + sign * other.blocks, y, self.yy + sign * other.yy)  # fmt: skip


def total(tables: Sequence[Products]) -> Products:
    """The sum of all."""
    whole = tables[0]
    for each in tables[1:]:
        whole = whole.plus(each)
    return whole


class Point:
    """The restricted likelihood at variances `theta` (random terms, perhaps the cell, the residual)."""

    def __init__(self, place: Layout, classes: Sequence[Products], theta: Floats) -> None:
        self.place, self.classes, self.theta = place, classes, theta
        self.cells = len(theta) > place.terms + 1
        cell = theta[-2] if self.cells else 0.0
        self.variances = [float(theta[-1] + each.size * cell) for each in classes]
        self.w = w = total([each.scaled(1 / value) for each, value in zip(classes, self.variances, strict=True)])
        self.root = np.ones(place.small)
        for number, span in place.kept:
            self.root[span] = np.sqrt(theta[number])
        root = np.sqrt(theta[list(place.absorbed)])
        blocks = root[:, None] * w.blocks * root + np.eye(place.width)
        inverse = np.linalg.inv(blocks)
        self.b = root[:, None] * inverse * root
        across = self.root[:, None, None] * w.across * root
        eliminated = np.einsum("mjp,jpq->mjq", across, inverse)
        # L is diag(root) over the kept columns; this is its part of the absorbed ones, levels x width x m
        self.l = -np.moveaxis(eliminated * root, 0, 2)
        schur = self.root[:, None] * w.kept * self.root - _flat(eliminated) @ _flat(across).T
        schur[place.fixed :, place.fixed :] += np.eye(place.small - place.fixed)
        self.factor = linalg.cholesky(schur, lower=True)
        self.a = linalg.cho_solve((self.factor, True), np.eye(place.small))
        logs = 2 * np.log(np.diag(self.factor)).sum() + np.linalg.slogdet(blocks)[1].sum()
        logs += sum(each.rows * np.log(value) for each, value in zip(classes, self.variances, strict=True))
        self.solution = self._solved(w.y)
        fitted = w.y[0] @ self.solution[0] + np.sum(w.y[1] * self.solution[1])
        self.likelihood = -0.5 * (float(logs) + w.yy - float(fitted))

    def _solved(self, right: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        """G times a vector."""
        core = self.a @ (self.root * right[0] + np.einsum("jpm,jp->m", self.l, right[1]))
        return self.root * core, np.einsum("jpq,jq->jp", self.b, right[1]) + self.l @ core

    @property
    def covariance(self) -> Floats:
        """(X'HX)^-1 with H = V^-1: that of the fixed effects."""
        return np.asarray(self.a[: self.place.fixed, : self.place.fixed])

    def contrast(self, wanted: Floats) -> tuple[float, float]:
        """Value and variance of a contrast of the fixed effects."""
        return float(wanted @ self.solution[0][: self.place.fixed]), float(wanted @ self.covariance @ wanted)

    def slopes(self, contrast: Floats) -> Floats:
        """How the variance of a contrast changes with each component.

        d/d theta_k of (X'HX)^-1 is (X'HX)^-1 X'H V_k H X (X'HX)^-1; and R H X is U times (1, less what the random
        effects alone take of X).
        """
        x, place = self.place.fixed, self.place
        weights = np.zeros(place.small)
        weights[:x] = contrast @ self.covariance
        side = self.w.kept @ weights, np.einsum("mjp,m->jp", self.w.across, weights)
        root = self.root[x:]
        schur = self.factor @ self.factor.T
        core = self.l[:, :, x:]
        right = root * side[0][x:] + np.einsum("jpm,jp->m", core, side[1])
        taken = linalg.cho_solve(linalg.cho_factor(schur[x:, x:]), right)
        weights[x:] = -root * taken
        inner = -(np.einsum("jpq,jq->jp", self.b, side[1]) + core @ taken)
        left = _times(self.w, weights, inner)
        found = np.zeros(place.terms)
        for number, span in place.kept:
            found[number] = np.sum(left[0][span] ** 2)
        found[list(place.absorbed)] = np.sum(left[1] ** 2, axis=0)
        rows = []
        for each, value in zip(self.classes, self.variances, strict=True):
            own = _times(each, weights, inner)
            rows.append(float(weights @ own[0] + np.sum(inner * own[1])) / value**2)
        return np.array([*found, *self._of_classes(rows)])

    def _of_classes(self, rows: Sequence[float]) -> list[float]:
        """From a slope in the variance of each class of rows to those in the cells' (if any) and the residual's."""
        sizes = [each.size for each in self.classes]
        return [*([float(np.dot(sizes, rows))] if self.cells else []), float(sum(rows))]

    @cached_property
    def turned(self) -> list[tuple[Floats, Floats]]:
        """T L for the table T of each class: kept rows (m x m) and absorbed ones (levels x width x m)."""
        made = []
        for each in self.classes:
            kept = each.kept * self.root + _flat(each.across) @ _flat(self.l, last=True)
            inner = np.moveaxis(each.across, 0, 2) * self.root + each.blocks @ self.l
            made.append((kept, inner))
        return made

    @cached_property
    def within(self) -> list[Floats]:
        """L'T L for the table T of each class."""
        return [
            self.root[:, None] * kept + _flat(self.l, last=True).T @ _flat(inner, last=True)
            for kept, inner in self.turned
        ]

    @cached_property
    def f(self) -> tuple[Floats, Floats]:
        """W L."""
        pairs = list(zip(self.turned, self.variances, strict=True))
        kept = np.sum([turned[0] / v for turned, v in pairs], axis=0)
        return np.asarray(kept), np.asarray(np.sum([turned[1] / v for turned, v in pairs], axis=0))

    @cached_property
    def own(self) -> Floats:
        """The blocks of W - W [0 0; 0 B] W: U'PU of the absorbed columns is these less F A F'."""
        return np.asarray(self.w.blocks - self.w.blocks @ self.b @ self.w.blocks)

    @cached_property
    def projected(self) -> tuple[Floats, Floats]:
        """U'PU of the kept columns, and between kept and absorbed ones (m x levels x width)."""
        w, (f, inner) = self.w, self.f
        taken = np.einsum("mjp,jpq->mjq", w.across, self.b)
        kept = w.kept - _flat(taken) @ _flat(w.across).T - f @ self.a @ f.T
        across = w.across - np.einsum("mjp,jpq->mjq", taken, w.blocks)
        return kept, across - np.moveaxis(inner @ (self.a @ f.T), 2, 0)

    def score(self) -> Floats:
        """The slope of the likelihood in each component."""
        place, (kept, _), inner = self.place, self.projected, self.f[1]
        fitted = _times(self.w, *self.solution)
        left = self.w.y[0] - fitted[0], self.w.y[1] - fitted[1]  # U'Py
        diagonal = np.einsum("jpp->jp", self.own) - np.einsum("jpm,jpm->jp", inner @ self.a, inner)
        slopes = np.zeros(place.terms)
        for number, span in place.kept:
            slopes[number] = np.sum(left[0][span] ** 2) - np.trace(kept[span, span])
        slopes[list(place.absorbed)] = np.sum(left[1] ** 2 - diagonal, axis=0)
        rows = []
        for each, value, within in zip(self.classes, self.variances, self.within, strict=True):
            trace = each.rows / value - (np.sum(self.b * each.blocks) + np.sum(self.a * within)) / value**2
            rows.append(_left_over(each, self.solution) / value**2 - trace)
        return np.array([*slopes, *self._of_classes(rows)]) / 2

    def information(self) -> Floats:
        """Expected information: half the trace of P V_k P V_l."""
        count, rows = self.place.terms, len(self.classes)
        full = np.zeros((count + rows, count + rows))
        full[:count, :count] = self._between_terms()
        full[:count, count:] = self._terms_and_rows()
        full[count:, :count] = full[:count, count:].T
        full[count:, count:] = self._between_rows()
        turn = np.zeros((count + rows, count + self.cells + 1))
        turn[:count, :count] = np.eye(count)
        if self.cells:
            turn[count:, count] = [float(each.size) for each in self.classes]
        turn[count:, -1] = 1.0
        return np.asarray(0.5 * turn.T @ full @ turn)

    def _between_terms(self) -> Floats:
        """Sums of squares of the blocks of U'PU."""
        place, (kept, across), inner = self.place, self.projected, self.f[1]
        found = np.zeros((place.terms, place.terms))
        for number, span in place.kept:
            for other, columns in place.kept:
                found[number, other] = np.sum(kept[span, columns] ** 2)
            found[number, list(place.absorbed)] = np.sum(across[span] ** 2, axis=(0, 1))
            found[list(place.absorbed), number] = found[number, list(place.absorbed)]
        taken = inner @ self.a
        grams = [inner[:, q].T @ inner[:, q] @ self.a for q in range(place.width)]
        for q, number in enumerate(place.absorbed):
            for r, other in enumerate(place.absorbed):
                alone = self.own[:, q, r]
                both = np.sum(taken[:, q] * inner[:, r], axis=1)
                squares = np.sum(alone**2) - 2 * np.sum(alone * both) + np.sum(grams[q] * grams[r].T)
                found[number, other] = squares
        return found

    def _terms_and_rows(self) -> Floats:
        """Of (1 - G W)' T (1 - G W) the diagonal, summed over the columns of a term, for the table T of each class."""
        place, (f, inner) = self.place, self.f
        found = np.zeros((place.terms, len(self.classes)))
        core = self.a @ f.T
        kept = np.eye(place.small) - self.root[:, None] * core
        below = -(self.b @ np.moveaxis(self.w.across, 0, 2)) - self.l @ core
        narrow = np.eye(place.width) - self.b @ self.w.blocks
        low = self.a @ _flat(inner, last=True).T  # m x (levels width)
        for c, (each, value) in enumerate(zip(self.classes, self.variances, strict=True)):
            turned, within = self.turned[c][1], self.within[c]
            # kept columns
            top = each.kept @ kept + _flat(each.across) @ _flat(below, last=True)
            bottom = np.moveaxis(each.across, 0, 2) @ kept + each.blocks @ below
            diagonal = np.sum(kept * top, axis=0) + np.sum(below * bottom, axis=(0, 1))
            for number, span in place.kept:
                found[number, c] = diagonal[span].sum() / value**2
            # absorbed ones: N - L H with N small blocks and H = A F'
            alone = np.einsum("jaq,jab,jbq->jq", narrow, each.blocks, narrow)
            mixed = np.einsum("jaq,jam->jqm", narrow, turned)
            crossed = np.sum(_flat(mixed, last=True) * low.T, axis=1)
            square = np.sum(low * (within @ low), axis=0)
            columns = alone + (square - 2 * crossed).reshape(alone.shape)
            found[list(place.absorbed), c] = columns.sum(axis=0) / value**2
        return found

    def _between_rows(self) -> Floats:
        """The traces of P D P D' for the rows D of each class."""
        found = np.zeros((len(self.classes), len(self.classes)))
        for c, (each, v) in enumerate(zip(self.classes, self.variances, strict=True)):
            trace = np.sum(self.b * each.blocks) + np.sum(self.a * self.within[c])
            found[c, c] += each.rows / v**2 - 2 * trace / v**3
            for d, (other, w) in enumerate(zip(self.classes, self.variances, strict=True)):
                small = np.einsum("jab,jbc,jcd,jda->", self.b, each.blocks, self.b, other.blocks, optimize=True)
                side = _flat(self.b @ self.turned[c][1], last=True).T @ _flat(self.turned[d][1], last=True)
                middle = 2 * np.sum(self.a * side)
                rest = np.sum((self.a @ self.within[c]) * (self.a @ self.within[d]).T)
                found[c, d] += (small + middle + rest) / (v * w) ** 2
        return found


def _flat(values: Floats, *, last: bool = False) -> Floats:
    """Levels and their columns as one axis: m x (levels width), or with `last` (levels width) x m."""
    return values.reshape(-1, values.shape[-1]) if last else values.reshape(len(values), -1)


def _times(table: Products, kept: Floats, inner: Floats) -> tuple[Floats, Floats]:
    """A table times a vector."""
    top = table.kept @ kept + np.einsum("mjp,jp->m", table.across, inner)
    return top, np.einsum("mjp,m->jp", table.across, kept) + np.einsum("jpq,jq->jp", table.blocks, inner)


def _left_over(table: Products, solution: tuple[Floats, Floats]) -> float:
    """The sum of squares of y less what is fitted, over the rows of a class."""
    top, inner = _times(table, *solution)
    fitted = solution[0] @ (top - 2 * table.y[0]) + np.sum(solution[1] * (inner - 2 * table.y[1]))
    return table.yy + float(fitted)
