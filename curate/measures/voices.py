"""Who speaks, across files: embeddings grouped into voices, for sources that do not say.

Voices are found on clean clips of one person only: a song, a synthesiser under music or two people at once give an
embedding between people, and a few of these glue men and women together. The bounds are fixed, not the recipe's
thresholds: they say what an embedding can be trusted on, not what is wanted in a corpus. What the voices of a corpus
share (language, room, manner of speaking) hides who speaks, and is taken off first. Clean clips are linked by the
mean of all cosines between two groups (`linkage`), where one impure clip is one among many; a group of several modes
is parted again; the other clips go to a voice where they are surely its, or stay unnamed.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.measures import linkage, telephone
from curate.measures.linkage import Labels, Vectors

VERSION = 6  # raise it when an answer changes: it enters the fingerprint
INPUTS = (
    "embedding", "speech_seconds", "snr", "music", "voices", "second_voice", "clipped", "bandwidth",
    "overlap", "voice_similarity",
)  # fmt: skip


# Fixed bounds on what was measured. What was not measured does not speak against a clip.
ONE_VOICE = (  # not `other_voice`: the segmentation model hears a second person in lively speech of one
    pl.col("voices") <= 1,
    pl.col("second_voice") <= 0.05,
    pl.col("overlap") <= 0.08,
    pl.col("voice_similarity") >= 0.55,
)
WIDE = pl.col("bandwidth") >= telephone.NARROW  # two people on the telephone are nearer to each other
CLEAN = (
    *ONE_VOICE,
    pl.col("speech_seconds") >= 2.0,
    pl.col("snr") >= 10.0,
    pl.col("music") <= 0.2,
    pl.col("clipped") <= 0.02,
    WIDE,
)
FAIR = (*ONE_VOICE, pl.col("speech_seconds") >= 1.0, pl.col("snr") >= 5.0, pl.col("music") <= 0.5)

FIRST = 0.45  # clips are linked down to this mean cosine, to see what the voices of a corpus share,
FEW = 14  # of which as much is taken off as voices are to voices and so many more: the mean of few is partly theirs
LINKED = 0.35  # two groups are one voice at this mean cosine between their clips and above
NEAR = 0.6  # a clip this near to the centre of a group is its, while many clips are gathered
MODES = 0.7  # a voice whose halves are alike by less than this, how tight each is taken into account, is several;
MORE_MODES = 0.72  # and one whose three parts and more are
MOST_MODES = 6  # parts that a voice is taken apart in at a time, to see that it is several
LEAST_MODE = 3  # clips that a half has at least
LEAST_FAIR = 2  # fair clips that make a voice,
LEAST_NARROW = 3  # and beside wide-band speech those that do with telephone speech: two of two people are alike
ABSORBED = (
    0.39,
    0.1,
)  # a voice of one or two clips goes to a larger one this near, and nearer by this much than the next
SURE, APART = 0.34, 0.06  # another clip goes to a voice this near, and nearer by this much than to the next one


def find(clips: pl.DataFrame) -> pl.DataFrame:
    """Group clips by voice: columns id, voice (`voice-001`... in order of appearance; null: not surely anybody's)."""
    embedded = clips.filter(pl.col("embedding").is_not_null())
    if embedded.is_empty():
        return pl.DataFrame(schema={"id": pl.String, "voice": pl.String})
    clean, wide, fair = (_within(embedded, bounds) for bounds in (CLEAN, (*FAIR, WIDE), FAIR))
    vectors = _without_common(telephone.signed_embeddings(embedded), fair)
    tiers = [(clean, 1), (wide, LEAST_FAIR), (fair, LEAST_NARROW if wide.any() else LEAST_FAIR)]
    numbers = _numbers(vectors, tiers)
    order = {int(n): i for i, n in enumerate(dict.fromkeys(n for n in numbers.tolist() if n >= 0), 1)}
    names = [f"voice-{order[n]:03d}" if n >= 0 else None for n in numbers.tolist()]
    return pl.DataFrame({"id": embedded["id"], "voice": pl.Series(names, dtype=pl.String)})


def _within(clips: pl.DataFrame, bounds: Sequence[pl.Expr]) -> NDArray[np.bool_]:
    return clips.select(pl.all_horizontal(bound.fill_null(True) for bound in bounds)).to_series().to_numpy()


def _without_common(vectors: Vectors, fair: NDArray[np.bool_]) -> Vectors:
    """Embeddings (n, d), of length 1, without what voices share: the mean of those that fair clips make two by two.

    Of many clips at most `linkage.EXACT` are looked at, evenly over all: a mean wants no more.
    """
    rows = np.flatnonzero(fair)
    rows = rows[:: -(-len(rows) // linkage.EXACT) or 1]
    sums, counts = linkage.totals(vectors[rows], linkage.link(vectors[rows], threshold=FIRST, near=NEAR))
    centres = linkage.unit(sums[counts >= LEAST_FAIR])
    return linkage.unit(vectors - centres.sum(axis=0) / (len(centres) + FEW))


def _numbers(vectors: Vectors, tiers: Sequence[tuple[NDArray[np.bool_], int]]) -> Labels:
    """The number of each clip's voice, -1 where it is nobody's.

    Tier by tier (which clips, and how many of them make a voice): clips that are surely of a voice found before are
    given to it, and the others are linked. At last the rest is given to voices, and what was given before to a voice
    that is no longer the nearest goes to the nearest: its own may have been found later.
    """
    numbers = np.full(len(vectors), -1)
    given = np.ones(len(vectors), np.bool_)
    for founding, least in tiers:
        _assign(numbers, founding & (numbers < 0), vectors)
        left = np.flatnonzero(founding & (numbers < 0))
        if len(left):
            groups = _parted(vectors[left], linkage.link(vectors[left], threshold=LINKED, near=NEAR))
            large = np.bincount(groups)[groups] >= least
            numbers[left[large]] = numbers.max() + 1 + linkage.ordered(groups[large])
            given[left[large]] = False
        _absorb(numbers, vectors)
    _assign(numbers, given, vectors)
    return numbers


def _assign(numbers: Labels, which: NDArray[np.bool_], vectors: Vectors) -> None:
    """Give clips to voices, where they are surely theirs; those that have one already keep it otherwise."""
    named, rows = np.flatnonzero(numbers >= 0), np.flatnonzero(which)
    centres = linkage.unit(linkage.totals(vectors[named], numbers[named])[0])
    surely = _surely(vectors[rows], centres, near=SURE, apart=APART)
    numbers[rows] = np.where(surely >= 0, surely, numbers[rows])


def _absorb(numbers: Labels, vectors: Vectors) -> None:
    """Give voices of fewer clips than LEAST_MODE to a larger one, where they are surely its; numbers stay free."""
    named = np.flatnonzero(numbers >= 0)
    sums, counts = linkage.totals(vectors[named], numbers[named])
    small, large = np.flatnonzero((counts > 0) & (counts < LEAST_MODE)), np.flatnonzero(counts >= LEAST_MODE)
    into = np.arange(len(counts))
    if len(large):
        best = _surely(linkage.unit(sums[small]), linkage.unit(sums[large]), near=ABSORBED[0], apart=ABSORBED[1])
        into[small[best >= 0]] = large[best[best >= 0]]
        numbers[named] = into[numbers[named]]


def _parted(vectors: Vectors, labels: Labels) -> Labels:
    """Groups of two modes taken apart: numbers of the groups that are left."""
    parts = [part for members in _members(labels) for part in _modes(vectors, members)]
    parted = np.empty(len(labels), np.int64)
    for number, part in enumerate(parts):
        parted[part] = number
    return parted


def _members(labels: Labels) -> list[Labels]:
    """The places of each label."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)


def _modes(vectors: Vectors, members: Labels) -> Iterator[Labels]:
    """A group as it is, or parted where parts of it are less alike than a voice's are, and each part again.

    Two parts do not show three people: where one part holds two of them it is loose itself, and the third is about as
    like them as they are to each other. So it is parted in three and more as well, and parts that are alike are joined.
    """
    most = min(MOST_MODES, len(members) // LEAST_MODE)
    for labels in linkage.partitions(vectors[members], most) if most > 1 else ():
        group = _joined_where_alike(vectors[members], labels, MODES if labels.max() == 1 else MORE_MODES)
        if group.any():
            for part in range(int(group.max()) + 1):
                yield from _modes(vectors, members[group == part])
            return
    yield members


def _joined_where_alike(vectors: Vectors, labels: Labels, least: float) -> Labels:
    """Numbers (n,) of the groups that parts are, where those alike by `least`, directly or through others, are one.

    All one where a part has fewer members than LEAST_MODE.
    """
    from scipy.sparse.csgraph import connected_components

    sums, counts = linkage.totals(vectors, labels)
    if counts.min() < LEAST_MODE:
        return np.zeros(len(labels), np.int64)
    parts = range(len(counts))
    alike = [[linkage.likeness(sums[a], counts[a], sums[b], counts[b]) >= least for a in parts] for b in parts]
    return np.asarray(connected_components(np.array(alike), directed=False)[1][labels], dtype=np.int64)


def _surely(vectors: Vectors, centres: Vectors, *, near: float, apart: float) -> Labels:
    """The nearest centre of each vector where it is that near and the next one is that much less so, else -1."""
    numbers = np.full(len(vectors), -1)
    for rows, dots in linkage.blocks(vectors, centres):
        best = dots.argmax(axis=1)
        every = np.arange(len(dots))
        first = dots[every, best]
        dots[every, best] = -1
        numbers[rows] = np.where((first >= near) & (first - dots.max(axis=1) >= apart), best, -1)
    return numbers
