"""Average linkage of unit vectors: exact, without the matrix of all pairs, and in one pass where there are many.

The mean cosine between the members of two clusters is the dot product of their mean vectors, so a cluster is its sum
and its count. Two clusters that are each other's nearest may be merged at any time: with average linkage no merge
brings a third one nearer than it was (it is reducible: Murtagh 1983), so all such pairs are merged at once, and the
result is that of merging the closest pair again and again.
"""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]

BLOCK = 2048  # rows whose cosines with all others are held at once
ROUNDS = 8
EXACT = 8192  # up to so many vectors are linked as they are; of more, near ones are gathered first


def link(vectors: Vectors, *, threshold: float, near: float) -> Labels:
    """The number of each vector's cluster, 0 and up in order of appearance; clusters at a mean cosine of `threshold`.

    `vectors` (n, d) of length 1. Of more than EXACT vectors those at a mean cosine of `near` (above `threshold`) are
    gathered block by block first. Memory: (n, d) and a block of cosines; time: n times the number of clusters.
    """
    if len(vectors) <= EXACT:
        return _ordered(merge(vectors, np.ones(len(vectors)), threshold=threshold))
    first = gather(vectors, threshold=threshold, near=near)
    sums, counts = totals(vectors, first)
    return _ordered(merge(sums, counts, threshold=threshold)[first])


def gather(vectors: Vectors, *, threshold: float, near: float) -> Labels:
    """First clusters, block by block: a vector joins the nearest centre so far where it is `near`.

    Those left of a block are linked among themselves down to a mean cosine of `threshold`.
    """
    sums = np.zeros((0, vectors.shape[1]), np.float32)
    counts = np.zeros(0)
    labels = np.empty(len(vectors), np.int64)
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        joined, likeness = nearest(block, unit(sums))
        left = np.flatnonzero(likeness < near)
        if len(left):
            joined[left] = len(counts) + _ordered(merge(block[left], np.ones(len(left)), threshold=threshold))
        size = max(len(counts), int(joined.max()) + 1)
        new_sums, new_counts = totals(block, joined, size)
        new_sums[: len(sums)] += sums
        new_counts[: len(counts)] += counts
        sums, counts = new_sums, new_counts
        labels[start : start + BLOCK] = joined
    return labels


def merge(sums: Vectors, counts: NDArray[np.float64], *, threshold: float) -> Labels:
    """Merge clusters, given by the sums (n, d) and counts (n,) of their members, down to a mean cosine of `threshold`.

    Returns a label (n,) per given cluster: the place of one of those it was merged with.
    """
    sums, counts = sums.astype(np.float32), counts.astype(np.float64)
    parent = np.arange(len(sums))
    alive = np.ones(len(sums), np.bool_)
    partner, likeness = _partners(sums, counts, np.arange(len(sums)), alive)
    while True:
        open_ones = np.flatnonzero(alive & (likeness >= threshold))
        if not len(open_ones):
            return _roots(parent)
        kept, gone = _mutual(open_ones, partner, likeness)
        sums[kept] += sums[gone]
        counts[kept] += counts[gone]
        alive[gone] = False
        parent[gone] = kept
        touched = np.zeros(len(sums), np.bool_)
        touched[kept] = touched[gone] = True
        stale = open_ones[alive[open_ones] & touched[partner[open_ones]] | (alive & touched)[open_ones]]
        partner[stale], likeness[stale] = _partners(sums, counts, stale, alive)


def unit(vectors: Vectors) -> Vectors:
    """The same directions, of length 1; what has no direction stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def means(sums: Vectors, counts: NDArray[np.float64]) -> Vectors:
    """Mean vectors of clusters."""
    return (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)


def totals(vectors: Vectors, labels: Labels, size: int | None = None) -> tuple[Vectors, NDArray[np.float64]]:
    """Sums and counts of the vectors of each label, 0 to `size`."""
    from scipy.sparse import csr_array

    size = int(labels.max(initial=-1)) + 1 if size is None else size
    members = csr_array((np.ones(len(labels), np.float32), (labels, np.arange(len(labels)))), shape=(size, len(labels)))
    return np.asarray(members @ vectors, dtype=np.float32), np.bincount(labels, minlength=size).astype(np.float64)


def likeness(one: Vectors, members: float, other: Vectors, others: float) -> float:
    """Mean cosine between two groups (sums and counts) over the mean cosine within each, 1 for groups of one mode.

    Groups of one member are taken to be as tight as the other. A loose group is not allowed to excuse everything.
    """
    within = [
        max(0.2, float(total @ total - count) / (count * (count - 1)))
        for total, count in ((one, members), (other, others))
        if count > 1
    ]
    between = float(one @ other) / (members * others)
    return between / float(np.exp(np.mean(np.log(within)))) if within else between


def halves(vectors: Vectors) -> NDArray[np.bool_]:
    """Which side of their widest axis vectors (n, d) fall on, then on which of the two means (spherical 2-means)."""
    centred = vectors - vectors.mean(axis=0)
    axis = centred[int(np.square(centred).sum(axis=1).argmax())]  # of the farthest one: no draw, so always the same
    for _ in range(ROUNDS):
        axis = unit((centred.T @ (centred @ axis))[None])[0]
    side = centred @ axis > 0
    for _ in range(ROUNDS):
        if side.all() or not side.any():
            break
        centres = unit(np.stack([vectors[~side].sum(axis=0), vectors[side].sum(axis=0)]))
        side = np.asarray((vectors @ centres.T).argmax(axis=1) == 1)
    return side


def nearest(vectors: Vectors, centres: Vectors) -> tuple[Labels, Vectors]:
    """The nearest centre of each vector and its dot product with it; -1 and -1 where there is no centre."""
    place, likeness = np.full(len(vectors), -1), np.full(len(vectors), -1, np.float32)
    if len(centres):
        for start in range(0, len(vectors), BLOCK):
            dots = vectors[start : start + BLOCK] @ centres.T
            place[start : start + BLOCK] = best = dots.argmax(axis=1)
            likeness[start : start + BLOCK] = dots[np.arange(len(dots)), best]
    return place, likeness


def _partners(sums: Vectors, counts: NDArray[np.float64], rows: Labels, alive: NDArray[np.bool_]) -> tuple[Labels, Vectors]:
    """For some clusters the nearest other one that is alive, and the mean cosine with it."""
    others = np.flatnonzero(alive)
    centres = means(sums[others], counts[others])
    partner, likeness = np.full(len(rows), -1), np.full(len(rows), -1, np.float32)
    for start in range(0, len(rows), BLOCK):
        here = rows[start : start + BLOCK]
        dots = means(sums[here], counts[here]) @ centres.T
        dots[np.arange(len(here)), np.searchsorted(others, here)] = -2
        best = dots.argmax(axis=1)
        partner[start : start + BLOCK] = others[best]
        likeness[start : start + BLOCK] = dots[np.arange(len(here)), best]
    return partner, likeness


def _mutual(open_ones: Labels, partner: Labels, likeness: Vectors) -> tuple[Labels, Labels]:
    """Pairs that are each other's nearest; equal cosines can go round in a circle: then the one closest pair."""
    mutual = open_ones[(partner[partner[open_ones]] == open_ones) & (open_ones < partner[open_ones])]
    if not len(mutual):
        mutual = open_ones[[int(likeness[open_ones].argmax())]]
    return mutual, partner[mutual]


def _roots(parent: Labels) -> Labels:
    """Each one's last parent."""
    while not np.array_equal(parent[parent], parent):
        parent = parent[parent]
    return parent


def _ordered(labels: Labels) -> Labels:
    """Labels renumbered 0, 1... in order of appearance."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(first.argsort().argsort()[inverse], dtype=np.int64)
