"""How alike the voice of a clip is to itself: parts of its speech, put in groups, and the least that two are alike.

Diarization and the segmentation model hear no change between several women who read at one loudness. The embeddings of
parts of 1 to 1.5 s still fall into groups that are far from each other; those of one person do not. Where each speaks
for little more than a second there may be no groups, as each part holds two people: but then all are far from each
other. Where two people take turns of 1 to 3 s, parts are told apart too little one by one; but all that is likely of
one, embedded at once, is far from all that is likely of the other. Voices of one sex that were recorded alike are told
apart better by what is left of parts of 1 s without the direction that all voices share.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curate.measures.linkage import Vectors

VERSION = 5  # raise it when an answer changes: it enters the fingerprint
LEAST_WINDOWS = 2  # of a group: one window may hold a cough, or the turn from one person to the next
APART = 2  # windows of 1.5 s every 0.75 s, of 1 s every 0.5 s: so many further on, one shares no sound with the first
# The mean of one person is higher than what their groups have, and one bound is to hold for both. 1 % of 406 clips of
# one person had a mean under .64, the lowest .62; four people whom nothing else found at most .64 (docs/measures).
HIGHER = 0.06
# So are two groups that are embedded as wholes: 1 % of 213 clips of one person had less than .65 (docs/measures).
WHOLES_HIGHER = 0.10
# Without what all share, pairs are less alike: 96 of 118 files of three and four people had a mean under .34, of 265
# clips of one person only one, which was called several before; the next was .351 (docs/measures).
WITHOUT_COMMON_LOWER = 0.21
# A mean of one to three pairs says little: so many pairs of one person, as alike as in the middle, are averaged in.
# Of 237 clips of one person 2 are called several instead of 8, of 133 of two in turn 103 found instead of 108 (docs).
PRIOR_PAIRS, PRIOR_COSINE = 0.2, 0.76
PRIOR_PAIRS_WITHOUT_COMMON, PRIOR_COSINE_WITHOUT_COMMON = 1.0, 0.51
CHANGE = 0.2  # what a change of speaker costs, in cosines of windows of 1 s, so that a word or a breath makes none
LEAST_SECONDS = 3  # windows of 1 s, every 0.5 s, of a group
ROUNDS = 10


class Pieces(Protocol):
    """Half seconds of speech that can be embedded in any combination (curate/models/campplus.py)."""

    def __len__(self) -> int: ...

    @property
    def common(self) -> Vectors:
        """The direction (d,), of length 1, that embeddings of all people share."""
        ...

    def embed(self, weights: NDArray[np.float64]) -> Vectors:
        """Embeddings (k, d) of length 1 of groups of half seconds, by how often each is in one (k, n)."""
        ...


def least(windows: Vectors | None, pieces: Pieces) -> float | None:
    """Least mean cosine of two groups of windows (n, d) that average linkage joins, or a lower one of two others.

    These are: of every two windows that share no sound, less HIGHER; the same of windows of 1 s without what all voices
    share, with WITHOUT_COMMON_LOWER; and the cosine of two groups of half seconds, each embedded as a whole, less
    WHOLES_HIGHER. `windows` are of length 1, in order. None for fewer than three (2.6 s of speech).
    """
    if windows is None or len(windows) <= APART:
        return None
    vectors = windows.astype(np.float64)
    parts = np.eye(len(pieces) - 1, len(pieces)) + np.eye(len(pieces) - 1, len(pieces), 1)
    seconds = pieces.embed(parts).astype(np.float64)
    own = seconds - np.outer(seconds @ pieces.common, pieces.common)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    return min(
        _of_groups(vectors),
        _of_pairs(vectors, PRIOR_PAIRS, PRIOR_COSINE) - HIGHER,
        _of_pairs(own, PRIOR_PAIRS_WITHOUT_COMMON, PRIOR_COSINE_WITHOUT_COMMON) + WITHOUT_COMMON_LOWER,
        _of_wholes(pieces, parts, seconds) - WHOLES_HIGHER,
    )


def _of_pairs(vectors: NDArray[np.float64], prior_pairs: float, prior_cosine: float) -> float:
    """Mean cosine of every two windows that share no sound, and of so many pairs of that cosine besides."""
    cosines = (vectors @ vectors.T)[np.triu_indices(len(vectors), APART)]
    return float((cosines.sum() + prior_pairs * prior_cosine) / (len(cosines) + prior_pairs))


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
