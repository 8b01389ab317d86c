"""The headline interval: a mean over listeners and sentences that are both samples.

Clark (1973) and Baayen, Davidson & Bates (2008): to speak of new listeners and new sentences, both must enter the
error. For a complete matrix d[i, j] of paired differences, with d = mu + L_i + S_j + E_ij all random, the mean
squares give

    variance of the mean = (MS_L + MS_S - MS_E) / (I J)

with Satterthwaite's degrees of freedom: what lmerTest gives for lmer(d ~ 1 + (1|listener) + (1|sentence)). Other
designs go to `mixed`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean or a difference with its standard error and degrees of freedom, and where its variance comes from."""

    value: float
    se: float
    df: float
    method: str  # "anova": the closed form; "reml": the mixed model
    components: dict[str, float]

    @property
    def t(self) -> float | None:
        """The t statistic against 0; None: there is no error to divide by."""
        return self.value / self.se if self.se > 0 else None

    def p(self, null: float = 0.0) -> float:
        """Two-sided p. Without any spread the data say 0 or 1."""
        from scipy import stats

        if not self.se > 0:
            return 1.0 if self.value == null else 0.0
        return float(2 * stats.t.sf(abs(self.value - null) / self.se, self.df))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The two-sided interval."""
        from scipy import stats

        half = self.se * float(stats.t.ppf(0.5 + level / 2, self.df))
        return self.value - half, self.value + half

    def facts(self, level: float = 0.95) -> dict[str, Any]:
        """As written to JSON."""
        tested = {"t": self.t, "df": self.df, "p": self.p(), "ci": list(self.interval(level)), "se": self.se}
        return {**tested, "method": self.method, "components": self.components}


def estimate(matrix: Floats) -> Estimate:
    """The mean of a complete matrix (listeners x sentences, both at least 2) with its standard error."""
    mean, variance, df = estimates(matrix[None])
    listeners, sentences, error = (float(each[0]) for each in mean_squares(matrix[None]))
    rows, columns = matrix.shape
    components = {
        "listener": max(0.0, (listeners - error) / columns),
        "sentence": max(0.0, (sentences - error) / rows),
        "residual": error,
    }
    return Estimate(float(mean[0]), float(np.sqrt(variance[0])), float(df[0]), "anova", components)


def mean_squares(matrices: Floats) -> tuple[Floats, Floats, Floats]:
    """MS of listeners, of sentences and of the rest, of R complete matrices (R x I x J)."""
    _, rows, columns = matrices.shape
    grand = matrices.mean(axis=(1, 2), keepdims=True)
    by_row = matrices.mean(axis=2, keepdims=True) - grand
    by_column = matrices.mean(axis=1, keepdims=True) - grand
    rest = matrices - grand - by_row - by_column
    listeners = columns * (by_row**2).sum(axis=(1, 2)) / (rows - 1)
    sentences = rows * (by_column**2).sum(axis=(1, 2)) / (columns - 1)
    return listeners, sentences, (rest**2).sum(axis=(1, 2)) / ((rows - 1) * (columns - 1))


def estimates(matrices: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, its variance and its degrees of freedom, of R complete matrices at once (for simulations)."""
    _, rows, columns = matrices.shape
    squares = mean_squares(matrices)
    variance, df = pooled(squares, (rows - 1.0, columns - 1.0, (rows - 1.0) * (columns - 1.0)))
    return matrices.mean(axis=(1, 2)), variance / (rows * columns), df


def pooled(squares: Sequence[Floats], degrees: tuple[float, float, float]) -> tuple[Floats, Floats]:
    """MS_L + MS_S - MS_E and its degrees of freedom (Satterthwaite 1946).

    Where a listener's or a sentence's mean square is not above the error, its component is 0, and the largest of the
    three mean squares stands alone with its own degrees of freedom: the sum would claim less than any of its parts.
    """
    listeners, sentences, error = squares
    total = listeners + sentences - error
    parts = sum(square**2 / df for square, df in zip(squares, degrees, strict=True))
    inside = np.minimum(listeners, sentences) > error
    with np.errstate(divide="ignore", invalid="ignore"):
        satterthwaite = total**2 / parts
    stacked = np.stack(list(squares))
    largest = stacked.argmax(axis=0)
    variance = np.where(inside, total, stacked.max(axis=0))
    return variance, np.where(inside, satterthwaite, np.asarray(degrees)[largest])
