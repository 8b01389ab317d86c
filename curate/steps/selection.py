"""Choosing in order, for whole columns at once: a seeded order of ids, and what fits one after the other."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def shuffled(column: str | pl.Expr, *, seed: int) -> pl.Expr:
    """A key to sort by: chance, but the same for the same id and seed whatever stands beside it."""
    import polars_hash as plh  # sha256 inside Polars

    digest: pl.Expr = plh.concat_str(pl.lit(f"{seed} "), column).chash.sha2_256()
    return digest.str.slice(0, 15).str.to_integer(base=16, dtype=pl.Int64)  # 60 bits tell a million ids apart


def first_fit(sizes: Floats, *, used: Floats, limits: Floats) -> NDArray[np.bool_]:
    """Which rows of `sizes` (n, k) are taken when each, in order, is taken if it still fits under all k limits.

    `used` (k,) is taken already. A limit does not count for a row that has nothing under it. The answer is that of a
    loop over the rows, found in a few rounds: take all up to the first that does not fit, pass over it and over
    whatever is larger than the room that is left, and go on with the rest.
    """
    taken = np.zeros(len(sizes), dtype=np.bool_)
    waiting = np.arange(len(sizes))
    while len(waiting):
        parts = sizes[waiting]
        after = np.add.accumulate(np.vstack([used, parts]), axis=0)[1:]
        too_much = ((parts > 0) & (after > limits)).any(axis=1)
        stop = int(too_much.argmax()) if too_much.any() else len(waiting)
        taken[waiting[:stop]] = True
        used = after[stop - 1] if stop else used
        waiting = waiting[stop + 1 :]
        parts = sizes[waiting]
        waiting = waiting[((parts == 0) | (used + parts <= limits)).all(axis=1)]
    return taken
