"""Average linkage of unit vectors in bounded memory: exact for thousands, and for more after near ones are gathered.

The mean cosine between the members of two clusters is the dot product of their mean vectors, so a cluster is its sum
and its count. No merge brings a third cluster nearer than it was (average linkage is reducible: Murtagh 1983). So
whichever clusters are not within the threshold of each other, directly or through others, are linked apart, each such
component by a chain of nearest neighbours over its matrix of cosines. Scipy's linkage cannot begin with clusters that
have members already, and needs the distance of every pair: of 200,000 vectors 160 GB.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]
Counts = NDArray[np.float64]

BLOCK = 2048  # rows whose cosines with all others are held at once
EXACT = 6000  # as many are linked over one matrix of cosines (144 MB)
GONE = -2.0  # below any cosine
LOOSEST = 0.2  # mean cosine within a group, the least that `likeness` takes into account
ROUNDS = 8  # of two means, and of the search for the widest axis


def link(vectors: Vectors, *, threshold: float, near: float) -> Labels:
    """The number of each vector's cluster, in order of appearance: clusters at a mean cosine of `threshold` or more.

    `vectors` (n, d) of length 1. Of more than EXACT those within a cosine of `near` of a centre are gathered first.
    Memory: (n, d), a matrix of EXACT and a block of cosines; time: n times the number of clusters.
    """
    if len(vectors) <= EXACT:
        return ordered(merge(vectors, np.ones(len(vectors)), threshold=threshold))
    first = gather(vectors, threshold=threshold, near=near)
    return ordered(merge(*totals(vectors, first), threshold=threshold)[first])


def gather(vectors: Vectors, *, threshold: float, near: float) -> Labels:
    """First clusters, block by block: a vector joins the nearest centre so far where it is `near`.

    Those left of a block are linked among themselves down to a mean cosine of `threshold`.
    """
    sums, counts = np.zeros((0, vectors.shape[1]), np.float32), np.zeros(0)
    labels = np.empty(len(vectors), np.int64)
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        joined, cosines = nearest(block, unit(sums))
        left = np.flatnonzero(cosines < near)
        joined[left] = len(counts) + ordered(merge(block[left], np.ones(len(left)), threshold=threshold))
        new_sums, new_counts = totals(block, joined, max(len(counts), int(joined.max()) + 1))
        new_sums[: len(sums)] += sums
        new_counts[: len(counts)] += counts
        sums, counts = new_sums, new_counts
        labels[start : start + BLOCK] = joined
    return labels


def merge(sums: Vectors, counts: Counts, *, threshold: float) -> Labels:
    """Merge clusters, given by the sums (n, d) and counts (n,) of their members, down to a mean cosine of `threshold`.

    Returns (n,) for each given cluster the place of one of those that it is merged with. A component of more than EXACT
    clusters is linked in pieces, again and again for as long as that helps.
    """
    place = np.arange(len(sums))
    sums, counts = sums.copy(), counts.copy()
    while True:
        alive = np.unique(place)
        helped = False
        for component in _components(means(sums[alive], counts[alive]), threshold):
            for start in range(0, len(component), EXACT):
                piece = alive[component[start : start + EXACT]]
                into = piece[_chain(sums[piece], counts[piece], threshold)]
                gone = into != piece
                np.add.at(sums, into[gone], sums[piece[gone]])
                np.add.at(counts, into[gone], counts[piece[gone]])
                moved = np.arange(len(place))
                moved[piece] = into
                place = moved[place]
                helped |= len(component) > EXACT and bool(gone.any())
        if not helped:
            return place


def means(sums: Vectors, counts: Counts) -> Vectors:
    """Mean vectors of clusters."""
    return np.asarray(sums / np.maximum(counts, 1)[:, None], dtype=np.float32)


def unit(vectors: Vectors) -> Vectors:
    """The same directions, of length 1; what has no direction stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def totals(vectors: Vectors, labels: Labels, size: int | None = None) -> tuple[Vectors, Counts]:
    """Sums and counts of the vectors of each label, 0 to `size`."""
    from scipy.sparse import csr_array

    size = int(labels.max(initial=-1)) + 1 if size is None else size
    members = csr_array((np.ones(len(labels), np.float32), (labels, np.arange(len(labels)))), shape=(size, len(labels)))
    return np.asarray(members @ vectors, dtype=np.float32), np.bincount(labels, minlength=size).astype(np.float64)


def likeness(one: Vectors, members: float, other: Vectors, others: float) -> float:
    """Mean cosine between two groups (sums and counts) over the mean cosine within them; 1 for groups of one mode.

    A group of one is taken to be as tight as the other; how loose a group is excuses only so much.
    """
    within = [
        max(LOOSEST, float(total @ total - count) / (count * (count - 1)))
        for total, count in ((one, members), (other, others))
        if count > 1
    ]
    between = float(one @ other) / (members * others)
    return between / float(np.exp(np.mean(np.log(within)))) if within else between


def halves(vectors: Vectors) -> NDArray[np.bool_]:
    """Which of two means each of the vectors (n, d) is nearer to, begun from the two sides of their widest axis."""
    centred = vectors - vectors.mean(axis=0)
    axis = centred[int(np.square(centred).sum(axis=1).argmax())]  # of the farthest one: no draw, so always the same
    for _ in range(ROUNDS):
        axis = unit((centred.T @ (centred @ axis))[None])[0]
    side: NDArray[np.bool_] = np.asarray(centred @ axis > 0)
    for _ in range(ROUNDS):
        if side.all() or not side.any():
            break
        centres = unit(np.stack([vectors[~side].sum(axis=0), vectors[side].sum(axis=0)]))
        side = np.asarray((vectors @ centres.T).argmax(axis=1) == 1)
    return side


def partitions(vectors: Vectors, most: int) -> Iterator[Labels]:
    """Partitions (n,) of vectors (n, d) into 2, 3... `most` parts by k-means, each begun from the one before.

    The part that strays most from its mean is halved. Ends early where no part can be halved any more.
    """
    labels = np.zeros(len(vectors), np.int64)
    for parts in range(2, most + 1):
        sums, counts = totals(vectors, labels, parts - 1)
        loosest = int((counts - np.square(sums).sum(axis=1) / np.maximum(counts, 1)).argmax())
        members = np.flatnonzero(labels == loosest)
        side = halves(vectors[members])
        if side.all() or not side.any():
            return
        labels[members[side]] = parts - 1
        for _ in range(ROUNDS if parts > 2 else 0):  # `halves` has moved two means already
            moved = (vectors @ unit(totals(vectors, labels, parts)[0]).T).argmax(axis=1)
            if len(np.unique(moved)) < parts or np.array_equal(moved, labels):
                break
            labels = moved
        yield labels.copy()


def nearest(vectors: Vectors, centres: Vectors) -> tuple[Labels, Vectors]:
    """The nearest centre of each vector and its dot product with it; -1 and -1 where there is no centre."""
    place, dots = np.full(len(vectors), -1), np.full(len(vectors), -1, np.float32)
    for rows, near in blocks(vectors, centres):
        place[rows] = best = near.argmax(axis=1)
        dots[rows] = near[np.arange(len(near)), best]
    return place, dots


def blocks(vectors: Vectors, centres: Vectors) -> Iterator[tuple[slice, Vectors]]:
    """Dot products of some vectors at a time with all centres; none where there are none."""
    for start in range(0, len(vectors) if len(centres) else 0, BLOCK):
        yield slice(start, start + BLOCK), vectors[start : start + BLOCK] @ centres.T


def ordered(labels: Labels) -> Labels:
    """Labels renumbered 0, 1... in order of appearance."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(first.argsort().argsort()[inverse], dtype=np.int64)


def _components(centres: Vectors, threshold: float) -> Iterator[Labels]:
    """Places of clusters that hang together, each within the threshold of some other; those alone are left out."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if len(centres) <= EXACT:
        if len(centres) > 1:
            yield np.arange(len(centres))
        return
    edges = []
    for rows, near in blocks(centres, centres):
        one, other = np.nonzero(near >= threshold)
        edges.append(np.stack([one + rows.start, other]).astype(np.int32))
    one, other = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(len(centres), len(centres)))
    _, labels = connected_components(graph, directed=False)
    order = np.argsort(labels, kind="stable")
    for component in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if len(component) > 1:
            yield component


def _chain(sums: Vectors, counts: Counts, threshold: float) -> Labels:
    """Average linkage over one matrix, by a chain of nearest neighbours; for each cluster the one it is merged into.

    From any cluster on to its nearest, and on, until two are each other's nearest: these are merged, and the mean
    cosines of the two with any third become one, weighted by members (Lance and Williams 1967).
    """
    centres = means(sums, counts)
    cosines = centres @ centres.T
    np.fill_diagonal(cosines, GONE)
    members, into = counts.copy(), np.arange(len(counts))
    is_open = np.ones(len(counts), np.bool_)
    chain: list[int] = []
    while chain or is_open.any():
        last = chain[-1] if chain else int(is_open.argmax())
        chain = chain or [last]
        row = cosines[last]
        best = int(row.argmax())
        before = chain[-2] if len(chain) > 1 else -1
        if before >= 0 and row[before] >= row[best]:  # equal cosines must not lead round in a circle
            best = before
        if row[best] < threshold:  # nobody will come nearer
            is_open[chain.pop()] = False
            cosines[last], cosines[:, last] = GONE, GONE
        elif best == before:
            kept, gone = min(last, best), max(last, best)
            both = (members[kept] * cosines[kept] + members[gone] * cosines[gone]) / (members[kept] + members[gone])
            both[[kept, gone]] = GONE
            cosines[kept], cosines[:, kept] = both, both
            cosines[gone], cosines[:, gone] = GONE, GONE
            members[kept] += members[gone]
            into[gone], is_open[gone] = kept, False
            del chain[-2:]
        else:
            chain.append(best)
    while not np.array_equal(into[into], into):
        into = into[into]
    return into
