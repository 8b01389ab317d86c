"""How alike the voice of a clip is to itself: windows of its speech, linked, and the least that two groups are alike.

Diarization and the segmentation model hear no change between several women who read at one loudness. The embeddings of
their windows still fall into groups that are far from each other; those of one person do not. Where each speaks for
little more than a second there are no groups, as each window holds two people: but then all are far from each other.
"""

import numpy as np
from numpy.typing import NDArray

from curate.measures.linkage import Vectors

VERSION = 2  # raise it when an answer changes: it enters the fingerprint
LEAST_WINDOWS = 2  # of a group: one window may hold a cough, or the turn from one person to the next
APART = 2  # windows of 1.5 s every 0.75 s: so many further on, one shares no sound with the first
# The mean of one person is higher than what their groups have, and one bound is to hold for both. 1 % of 406 clips of
# one person had a mean under .64, the lowest .62; four people whom nothing else found at most .64 (docs/measures).
HIGHER = 0.06


def least(windows: Vectors | None) -> float | None:
    """Least mean cosine of two groups of windows (n, d) that average linkage joins, or of all, where that is lower.

    Of all: of every two windows that share no sound, less HIGHER. `windows` are of length 1, in order. None for fewer
    than three (2.6 s of speech).
    """
    if windows is None or len(windows) <= APART:
        return None
    vectors = windows.astype(np.float64)
    apart = (vectors @ vectors.T)[np.triu_indices(len(vectors), APART)]
    return min(_of_groups(vectors), float(apart.mean()) - HIGHER)


def _of_groups(windows: NDArray[np.float64]) -> float:
    """Least mean cosine between two groups of LEAST_WINDOWS and more that are joined; 1 where no two are."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import pdist

    merges = linkage(pdist(windows, "cosine"), "average")
    sizes = np.concatenate([np.ones(len(windows)), merges[:, 3]])
    of_groups = sizes[merges[:, :2].astype(np.int64)].min(axis=1) >= LEAST_WINDOWS
    return float(1 - merges[of_groups, 2].max(initial=0.0))
