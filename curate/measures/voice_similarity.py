"""How alike the voice of a clip is to itself: parts of its speech, put in groups, and the least that two are alike.

Diarization and the segmentation model hear no change between several women who read at one loudness. The embeddings of
parts of 1 to 1.5 s still fall into groups that are far from each other; those of one person do not. Where each speaks
for little more than a second there may be no groups, as each part holds two people: but then all are far from each
other. Where two people take turns of 1 to 3 s, parts are told apart too little one by one; but all that is likely of
one, embedded at once, is far from all that is likely of the other. The embeddings are signed, as `campplus` says.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curate.measures.linkage import Vectors

VERSION = 5  # raise it when an answer changes: it enters the fingerprint
LEAST_PIECES = 5  # half seconds
LEAST_WINDOWS = 2  # of a group: one window may hold a cough, or the turn from one person to the next
APART = 2  # windows of 1 s every 0.5 s: so many further on, one shares no sound with the first
# One bound (0.55) is to hold for all three figures: 5 of 452 clips of one person have groups or wholes under 0.565 or a
# mean of pairs under 0.41, and 163 of 199 of two in turn (docs/measures/overlap.md).
GROUPS_HIGHER = 0.015
PAIRS_LOWER = 0.14
CHANGE = 0.2  # what a change of speaker costs, in cosines of windows of 1 s, so that a word or a breath makes none
LEAST_SECONDS = 3  # windows of 1 s, every 0.5 s, of a group
ROUNDS = 10


class Pieces(Protocol):
    """Half seconds of speech that can be embedded in any combination (curate/models/campplus.py)."""

    def __len__(self) -> int: ...

    def embed(self, weights: NDArray[np.float64]) -> Vectors:
        """Embeddings (k, d) of length 1 of groups of half seconds, by how often each is in one (k, n)."""
        ...


def least(pieces: Pieces | None) -> float | None:
    """Least cosine of parts of a clip's speech, of three figures; None for less than 2.5 s of speech.

    These are the least mean cosine of two groups of windows of 1.5 s that average linkage joins, and the cosine of two
    groups of half seconds, each embedded as a whole, both less GROUPS_HIGHER; and the mean cosine of every two windows
    of 1 s that share no sound, and PAIRS_LOWER.
    """
    if pieces is None or len(pieces) < LEAST_PIECES:
        return None
    parts = _windows(len(pieces), 2)
    seconds = pieces.embed(parts).astype(np.float64)
    groups = _of_groups(pieces.embed(_windows(len(pieces), 3)).astype(np.float64))
    wholes = _of_wholes(pieces, parts, seconds)
    return min(groups - GROUPS_HIGHER, wholes - GROUPS_HIGHER, _of_pairs(seconds) + PAIRS_LOWER)


def _windows(pieces: int, long: int) -> NDArray[np.float64]:
    """Which half seconds are in each window of so many, one every half second: (windows, pieces)."""
    return np.array([np.eye(pieces)[start : start + long].sum(axis=0) for start in range(pieces - long + 1)])


def _of_pairs(windows: NDArray[np.float64]) -> float:
    """Mean cosine of every two windows that share no sound."""
    return float((windows @ windows.T)[np.triu_indices(len(windows), APART)].mean())


def _of_wholes(pieces: Pieces, parts: NDArray[np.float64], windows: NDArray[np.float64]) -> float:
    """Cosine of the two people that the half seconds are best told apart into; 1 where that leaves nearly all to one.

    Windows of 1 s, embeddings of `parts`, are given to the nearer of two, by dynamic programming (Viterbi), which are
    then embedded anew from all that was given to them, until nothing changes. It begins with both sides of the
    direction in which the windows differ most.
    """
    centred = windows - windows.mean(axis=0)
    second = centred @ np.linalg.svd(centred, full_matrices=False)[2][0] > 0
    for _ in range(ROUNDS):
        if min(second.sum(), (~second).sum()) < LEAST_SECONDS:
            return 1.0
        two = pieces.embed(np.stack([parts[~second].sum(axis=0), parts[second].sum(axis=0)])).astype(np.float64)
        before, second = second, _given(windows @ two.T)
        if np.array_equal(before, second):
            break
    return float(two[0] @ two[1])


def _given(likeness: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of two each window is given to, by its cosines with both (n, 2), where each change costs CHANGE."""
    best, changed = likeness[0], np.zeros(likeness.shape, bool)
    for place in range(1, len(likeness)):
        other = best[::-1] - CHANGE
        changed[place] = other > best
        best = np.maximum(best, other) + likeness[place]
    who, given = int(best.argmax()), np.zeros(len(likeness), bool)
    for place in range(len(likeness) - 1, -1, -1):
        given[place] = who
        who = 1 - who if changed[place, who] else who
    return given


def _of_groups(windows: NDArray[np.float64]) -> float:
    """Least mean cosine between two groups of LEAST_WINDOWS and more that are joined; 1 where no two are."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import pdist

    merges = linkage(pdist(windows, "cosine"), "average")
    sizes = np.concatenate([np.ones(len(windows)), merges[:, 3]])
    of_groups = sizes[merges[:, :2].astype(np.int64)].min(axis=1) >= LEAST_WINDOWS
    return float(1 - merges[of_groups, 2].max(initial=0.0))
