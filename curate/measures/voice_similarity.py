"""How alike the voice of a clip is to itself: windows of its speech, linked, and the least that two groups are alike.

Diarization and the segmentation model hear no change between several women who read at one loudness. The embeddings of
their windows still fall into groups that are far from each other; those of one person do not.
"""

import numpy as np

from curate.measures.linkage import Vectors

VERSION = 1  # raise it when an answer changes: it enters the fingerprint
LEAST_WINDOWS = 2  # of a group: one window may hold a cough, or the turn from one person to the next


def least(windows: Vectors | None) -> float | None:
    """Least mean cosine between two groups of windows (n, d) that average linkage joins; 1 where it joins no two.

    `windows` are of length 1. None for fewer than two groups of LEAST_WINDOWS.
    """
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import pdist

    if windows is None or len(windows) < 2 * LEAST_WINDOWS:
        return None
    merges = linkage(pdist(windows.astype(np.float64), "cosine"), "average")
    sizes = np.concatenate([np.ones(len(windows)), merges[:, 3]])
    of_groups = sizes[merges[:, :2].astype(np.int64)].min(axis=1) >= LEAST_WINDOWS
    return float(1 - merges[of_groups, 2].max(initial=0.0))
