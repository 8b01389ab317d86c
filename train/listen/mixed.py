"""A linear mixed model with crossed random effects, for designs that are not complete matrices.

In a Latin square a listener hears a sentence in one condition only, so there is no difference to take. The model is on
ratings:  y = X b + sum_k Z_k u_k + e,  u_k ~ N(0, theta_k).  It is fitted by REML (Patterson & Thompson 1971) with
Fisher scoring; degrees of freedom are Satterthwaite's, from the expected information, as SAS and lmerTest have them.

Ratings of one cell (the same listener and sentence) may share an effect of their own. There are as many cells as
ratings or half as many, so these effects are not solved for: an orthogonal turn inside each cell gives one row, its
mean times root n, with variance sigma + n theta, and n - 1 rows with variance sigma. All rows are independent then,
and every term of the likelihood and its derivatives needs only cross-products of the effects' columns per class of
rows (I + J + I + J columns: 144 for 24 x 48), never a matrix as large as the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from train.listen.crossed import Estimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STEPS = 200
TOLERANCE = 1e-9  # of the likelihood, and of each component relative to the residual


@dataclass(frozen=True)
class Term:
    """One random effect: `level` of each rating (0 to levels - 1) times `weight`: 1, or what its slope is of."""

    name: str
    level: Ints
    weight: Floats


@dataclass(frozen=True)
class Products:
    """Cross-products of the columns [X Z y] over the rows of one class, whose variance is sigma + size * theta_cell."""

    size: int
    rows: int
    table: Floats


class Model:
    """The data of one model, reduced to cross-products; `fit` estimates one contrast of the fixed effects."""

    def __init__(self, y: Floats, fixed: Floats, terms: Sequence[Term], cells: Ints | None = None) -> None:
        self.names = [term.name for term in terms]
        blocks = [_columns(term) for term in terms]  # sparse: a rating is in one column of each
        self.fixed = fixed.shape[1]
        edges = np.cumsum([self.fixed, *(block.shape[1] for block in blocks)])
        self.spans = [slice(int(a), int(b)) for a, b in pairwise(edges)]
        self.columns = int(edges[-1])
        data = sparse.hstack([sparse.csr_array(fixed), *blocks, sparse.csr_array(y[:, None])]).tocsr()
        self.classes = _classes(data, cells)
        self.cells = any(each.size for each in self.classes)
        self.n = len(y)

    def fit(self, contrast: Floats) -> Estimate:
        """Estimate `contrast` of the fixed effects; variances that are 0 leave the degrees of freedom alone."""
        theta = self._scored()
        point = _Point(self, theta)
        value, variance = point.contrast(contrast)
        free = theta > 0
        information = point.information()[np.ix_(free, free)]
        gradient = self._gradient(theta, contrast)[free]
        spread = float(gradient @ linalg.lstsq(information, gradient)[0])
        df = 2 * variance**2 / spread if spread > 0 else float(self.n - self.fixed)
        names = [*self.names, *(["cell"] if self.cells else []), "residual"]
        return Estimate(value, float(np.sqrt(variance)), df, "reml", dict(zip(names, theta.tolist(), strict=True)))

    def _scored(self) -> Floats:
        """The components at the largest restricted likelihood, none below 0."""
        theta = self._start()
        point = _Point(self, theta)
        for _ in range(STEPS):
            score = point.score()
            free = (theta > 0) | (score > 0)
            step = np.zeros_like(theta)
            step[free] = linalg.lstsq(point.information()[np.ix_(free, free)], score[free])[0]
            moved = self._climbed(theta, step, point)
            if moved is None:
                break
            gained = moved.likelihood - point.likelihood
            shift = float(np.abs(moved.theta - theta).max())
            theta, point = moved.theta, moved
            if gained < TOLERANCE and shift < TOLERANCE * theta[-1]:
                break
        return theta

    def _climbed(self, theta: Floats, step: Floats, before: "_Point") -> "_Point | None":
        """The first of ever shorter steps that does not lower the likelihood; None where none is left."""
        for halving in range(40):
            wanted = np.maximum(theta + step / 2**halving, 0.0)
            wanted[-1] = max(wanted[-1], theta[-1] / 10)  # the residual stays above 0
            try:
                point = _Point(self, wanted)
            except linalg.LinAlgError:  # ratings that the model fits whole: a residual too near to 0 for the digits
                continue
            if point.likelihood >= before.likelihood - 1e-12 * abs(before.likelihood):
                return point
        return None

    def _start(self) -> Floats:
        table = _total([each.table for each in self.classes])
        x, y = table[: self.fixed, : self.fixed], table[: self.fixed, -1]
        residual = float(table[-1, -1] - y @ linalg.lstsq(x, y)[0]) / max(1, self.n - self.fixed)
        count = len(self.names) + self.cells + 1
        return np.full(count, max(residual, 1e-12) / count)

    def _gradient(self, theta: Floats, contrast: Floats) -> Floats:
        """How the contrast's variance changes with each component."""
        point = _Point(self, theta)
        weights = contrast @ point.covariance
        # d/d theta_k of (X'HX)^-1 is (X'HX)^-1 X'H V_k H X (X'HX)^-1
        random = [float(np.sum((weights @ point.xhz[:, span]) ** 2)) for span in self.spans]
        rows = [float(weights @ each @ weights) for each in point.xhdhx]
        sizes = [each.size for each in self.classes]
        cell = [sum(size * row for size, row in zip(sizes, rows, strict=True))] if self.cells else []
        return np.array([*random, *cell, sum(rows)])


class _Point:
    """The restricted likelihood at one set of components, and its derivatives.

    H = V^-1 and P = H - H X (X'HX)^-1 X'H. With C^-1 the (generalised) inverse of Henderson's mixed model equations,
    P = R^-1 - R^-1 U C^-1 U' R^-1 for U = [X Z]; R is diagonal, one value per class of rows.
    """

    def __init__(self, model: Model, theta: Floats) -> None:
        self.model, self.theta = model, theta
        self.classes = model.classes
        cell = theta[-2] if model.cells else 0.0
        self.variances = [float(theta[-1] + each.size * cell) for each in self.classes]
        weighted = _total([each.table / value for each, value in zip(self.classes, self.variances, strict=True)])
        x, n = model.fixed, model.columns
        root = np.ones(n)
        for span, value in zip(model.spans, theta, strict=False):
            root[span] = np.sqrt(value)
        table = root[:, None] * weighted[:n, :n] * root
        table[x:, x:] += np.eye(n - x)
        factor = linalg.cholesky(table, lower=True)
        self.inverse = root[:, None] * linalg.cho_solve((factor, True), np.eye(n)) * root
        random = linalg.cholesky(table[x:, x:], lower=True)
        # X'HX by eliminating the random effects; its determinant is what is left of the whole table's
        logs = 2 * (np.log(np.diag(factor)).sum())
        logs += sum(each.rows * np.log(value) for each, value in zip(self.classes, self.variances, strict=True))
        self.solution = self.inverse @ weighted[:n, -1]
        self.quadratic = float(weighted[-1, -1] - weighted[:n, -1] @ self.solution)
        self.likelihood = -0.5 * (logs + self.quadratic)
        self.covariance = self.inverse[:x, :x]
        half = linalg.solve_triangular(random, root[x:, None] * weighted[x:n, :n], lower=True)
        self.h = weighted[:n, :n] - half.T @ half  # U'HU
        self.xhz = self.h[:x]
        self.weighted = weighted[:n, :n]

    def contrast(self, wanted: Floats) -> tuple[float, float]:
        """Value and variance of a contrast of the fixed effects."""
        return float(wanted @ self.solution[: self.model.fixed]), float(wanted @ self.covariance @ wanted)

    @property
    def xhdhx(self) -> list[Floats]:
        """X'H D H X for the rows D of each class."""
        x, n = self.model.fixed, self.model.columns
        keep = np.zeros((n, x))
        keep[:x] = np.eye(x)
        # H X = R^-1 (X - U_z G_z U_z' R^-1 X): the random effects alone are eliminated
        gone = np.zeros((n, x))
        gone[x:] = self._random_inverse() @ self.weighted[x:, :x]
        kept = keep - gone
        return [
            kept.T @ each.table[:n, :n] @ kept / value**2
            for each, value in zip(self.classes, self.variances, strict=True)
        ]

    def _random_inverse(self) -> Floats:
        """The inverse of the random effects' own equations: that of the whole less what the fixed effects add."""
        x = self.model.fixed
        corner, side = self.inverse[:x, :x], self.inverse[x:, :x]
        return np.asarray(self.inverse[x:, x:] - side @ linalg.solve(corner, side.T, assume_a="pos"))

    def score(self) -> Floats:
        """The slope of the likelihood in each component."""
        n = self.model.columns
        zpz, zpy = self.projected
        random = [np.sum(zpy[span] ** 2) - np.trace(zpz[span, span]) for span in self.model.spans]
        rows, sizes = [], []
        residual = np.append(-self.solution, 1.0)
        for each, value in zip(self.classes, self.variances, strict=True):
            trace = each.rows / value - np.sum(self.inverse * each.table[:n, :n]) / value**2
            rows.append(float(residual @ each.table @ residual) / value**2 - trace)
            sizes.append(each.size)
        cell = [np.dot(sizes, rows)] if self.model.cells else []
        return np.array([*random, *cell, sum(rows)]) / 2

    def information(self) -> Floats:
        """Expected information: half the trace of P V_k P V_l."""
        model, n = self.model, self.model.columns
        zpz, _ = self.projected
        spans, count = model.spans, len(model.spans)
        kept = np.eye(n) - self.turned  # P U = R^-1 U kept
        # of kept' (U'U) kept only the diagonal is asked for
        across = [
            np.einsum("ij,ij->j", kept, each.table[:n, :n] @ kept) / v**2
            for each, v in zip(self.classes, self.variances, strict=True)
        ]
        alone = len(self.classes) == 1
        turned = [
            self.turned * v if alone else self.inverse @ each.table[:n, :n]
            for each, v in zip(self.classes, self.variances, strict=True)
        ]
        rows = len(self.classes)
        full = np.zeros((count + rows, count + rows))
        for a in range(count):
            for b in range(count):
                full[a, b] = np.sum(zpz[spans[a], spans[b]] ** 2)
            for c in range(rows):
                full[a, count + c] = full[count + c, a] = across[c][spans[a]].sum()
        for a, (first, v) in enumerate(zip(self.classes, self.variances, strict=True)):
            full[count + a, count + a] = first.rows / v**2 - 2 * np.trace(turned[a]) / v**3
            for b, w in enumerate(self.variances):
                full[count + a, count + b] += np.sum(turned[a] * turned[b].T) / (v * w) ** 2
        return 0.5 * self._chained(full, count)

    def _chained(self, full: Floats, count: int) -> Floats:
        """From one variance per class of rows to the cells' and the residual's."""
        sizes = np.array([float(each.size) for each in self.classes])
        turn = np.zeros((full.shape[0], count + self.model.cells + 1))
        turn[:count, :count] = np.eye(count)
        if self.model.cells:
            turn[count:, count] = sizes
        turn[count:, -1] = 1.0
        return np.asarray(turn.T @ full @ turn)

    @cached_property
    def turned(self) -> Floats:
        """C^-1 U'R^-1 U."""
        return np.asarray(self.inverse @ self.weighted)

    @cached_property
    def projected(self) -> tuple[Floats, Floats]:
        """U'PU and U'Py."""
        n = self.model.columns
        weighted_y = sum(each.table[:n, -1] / v for each, v in zip(self.classes, self.variances, strict=True))
        zpz = self.weighted - self.weighted @ self.turned
        return zpz, np.asarray(weighted_y - self.weighted @ self.solution)


def _columns(term: Term) -> Any:
    rows = np.arange(len(term.level))
    return sparse.csr_array((term.weight, (rows, term.level)), shape=(len(rows), int(term.level.max()) + 1))


def _classes(data: Any, cells: Ints | None) -> list[Products]:
    """Cross-products per class of rows; without cells, or where none has two ratings, there is one class."""
    whole = _product(data)
    if cells is None or np.bincount(cells).max() < 2:
        return [Products(0, data.shape[0], whole)]
    _, cells, counts = np.unique(cells, return_inverse=True, return_counts=True)
    # one row per cell, with 1 / root n at each of its n ratings: the mean times root n
    turn = sparse.csr_array((1 / np.sqrt(counts[cells]), (cells, np.arange(len(cells)))))
    means = turn @ data
    groups = [Products(int(n), int((counts == n).sum()), _product(means[counts == n])) for n in np.unique(counts)]
    return [Products(0, len(cells) - len(counts), whole - _product(means)), *groups]


def _total(tables: Sequence[Floats]) -> Floats:
    return np.asarray(np.sum(tables, axis=0))


def _product(rows: Any) -> Floats:
    return np.asarray((rows.T @ rows).toarray())
