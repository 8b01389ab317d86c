"""Integrated loudness of one channel: ITU-R BS.1770-4, with weighting filters that are right at any rate.

The filters are those of libebur128 (De Man, AES e-Brief 2014), their coefficients pyloudnorm's. They run as products of
matrices instead of sample by sample (see `_weighted`): a third of the time, and float32 then rounds 140 dB under the
sound.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.measures.spectra import Floats, Samples

BLOCK, PARTS = 0.4, 4  # seconds of a block; a new one begins every quarter of it
GATE, RELATIVE_GATE = -70.0, -10.0  # LUFS, and dB under the mean of what passes the first
OFFSET = -0.691  # so that a 997 Hz sine reads its level
LEAST_RATE = 4000  # Hz: the shelf lies at 1.7 kHz
ROW, GROUP = 64, 8  # samples filtered by one product, up to 48 kHz; rows whose states are found by one
FORGOTTEN = 0.1  # seconds after which the filters' state is 10^-9 of what it was


def integrated(samples: NDArray[Any], rate: int, gain: float = 0.0) -> float | None:
    """Loudness in LUFS of samples `gain` dB louder; None under 0.4 s or where every block is gated.

    Only whole blocks count. The samples' squares must not overflow float32.
    """
    size, step = round(BLOCK * rate), round(BLOCK / PARTS * rate)
    if len(samples) < size or rate < LEAST_RATE:
        return None
    parts = (len(samples) - size) // step + PARTS
    edges = np.minimum(np.floor(np.arange(parts + 1) * (BLOCK / PARTS * rate) + 1e-6), len(samples)).astype(np.int64)
    weighted = _weighted(samples[: edges[-1]], rate)
    blocks = np.convolve(_energies(weighted, edges.tolist()), np.ones(PARTS), "valid") / (BLOCK * rate)
    blocks = blocks[blocks >= 10 ** ((GATE - gain - OFFSET) / 10)]
    if not len(blocks):
        return None
    blocks = blocks[blocks > blocks.mean() * 10 ** (RELATIVE_GATE / 10)]
    return OFFSET + gain + 10 * math.log10(blocks.mean())


def _energies(weighted: Samples, edges: list[int]) -> Floats:
    """The sum of squares from each edge to the next."""
    if edges[-1] == edges[1] * (len(edges) - 1):
        rows = weighted.reshape(-1, edges[1])
        return np.asarray(np.vecdot(rows, rows), dtype=np.float64)
    return np.array([float(weighted[start:end] @ weighted[start:end]) for start, end in itertools.pairwise(edges)])


class Filters(NamedTuple):
    """Both weighting filters as matrices for rows of samples; a state is four numbers.

    GROUP rows are a group, so many groups a stretch of at least FORGOTTEN. What is left by a row or a group is the
    state at the start of the next.
    """

    row: int  # samples
    groups: int
    through: Samples  # (row + 4, row): a row and the state before it in, the filtered row out
    state: Samples  # (row, 4): a row in, the state that it leaves
    within: Samples  # (4 GROUP, 4 GROUP + 4): what the rows of a group leave, the states at the start of each, and of
    # the next group
    inside: Samples  # (4 groups, 4 groups): what the groups of a stretch leave, the states at the start of each
    onward: Samples  # the same, at the start of each group of the next stretch
    spread: Samples  # (4, 4 GROUP): the state at the start of a group, at the start of each of its rows


def _weighted(samples: NDArray[Any], rate: int) -> Samples:
    """The samples through both weighting filters.

    What a row of samples gives is its own response and that of the state before it. States go on from row to row inside
    a group, from group to group inside a stretch and into the next stretch, by a product each; what is older is
    nothing.
    """
    filters = _filters(rate)
    row, many = filters.row, filters.groups * GROUP
    whole, rest = divmod(len(samples), row)
    given = np.zeros((-(-len(samples) // (row * many)) * many, row + 4), np.float32)  # rows, and the states before them
    given[:whole, :row] = samples[: whole * row].reshape(-1, row)
    given[whole : whole + 1, :rest] = samples[whole * row :]
    states = (given[:, :row] @ filters.state).reshape(-1, 4 * GROUP) @ filters.within
    left = states[:, 4 * GROUP :].reshape(-1, 4 * filters.groups)
    starts = left @ filters.inside
    starts[1:] += left[:-1] @ filters.onward
    given[:, row:] = (states[:, : 4 * GROUP] + starts.reshape(-1, 4) @ filters.spread).reshape(-1, 4)
    return (given @ filters.through).reshape(-1)[: len(samples)]


@functools.cache
def _filters(rate: int) -> Filters:
    row = ROW * math.ceil(rate / 48_000)
    groups = math.ceil(FORGOTTEN * rate / (row * GROUP))
    nothing, states = np.zeros((row, 4)), np.eye(4)
    impulses, passed = np.eye(row), np.zeros((4, row * groups * GROUP))
    through, state = _filtered(impulses, nothing, rate)
    ringing, _ = _filtered(passed, states, rate)
    _, after = _filtered(passed[:, :row], states, rate)
    # a state is counted in what it will give: rounding then weighs the same in all four numbers
    counted = np.linalg.qr(ringing.T).R.T
    back = np.linalg.inv(counted)
    steps = [np.eye(4)]  # what a state has become so many rows later
    for _ in range(2 * groups * GROUP):
        steps.append(steps[-1] @ back @ after @ counted)
    by_group = steps[::GROUP]
    matrices = (
        np.concatenate([through, (back @ ringing)[:, :row]]),
        state @ counted,
        _onward(steps, GROUP, range(GROUP + 1)),
        _onward(by_group, groups, range(groups)),
        _onward(by_group, groups, range(groups, 2 * groups)),
        np.concatenate(steps[:GROUP], axis=1),
    )
    return Filters(row, groups, *(np.ascontiguousarray(each, dtype=np.float32) for each in matrices))


def _onward(steps: list[Floats], many: int, starts: Iterable[int]) -> Floats:
    """(4 many, 4 starts): what so many parts leave at their ends, at the start of later ones."""
    nothing = np.zeros((4, 4))
    return np.block([[steps[at - part - 1] if at > part else nothing for at in starts] for part in range(many)])


def _filtered(rows: Floats, states: Floats, rate: int) -> tuple[Floats, Floats]:
    """Each row through the shelf and then the high-pass, from a state on; and the state after it."""
    import scipy.signal  # slow to import
    from pyloudnorm.iirfilter import IIRfilter  # slow to import

    shelf = IIRfilter(3.99984385397, 0.7071752369554193, 1681.9744509555319, rate, "high_shelf_DeMan")
    high_pass = IIRfilter(0.0, 0.5003270373253953, 38.13547087613982, rate, "high_pass_DeMan")
    sections = np.array([np.concatenate([each.b, each.a]) for each in (shelf, high_pass)])
    given = states.reshape(-1, 2, 2).transpose(1, 0, 2)
    passed, left = scipy.signal.sosfilt(sections, rows, axis=1, zi=given)
    return passed, left.transpose(1, 0, 2).reshape(-1, 4)
