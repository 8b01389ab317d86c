"""Who speaks, across files: embeddings grouped into voices, for sources that do not say.

Voices are found on clean clips of one person only: a song, a synthesiser under music or two people at once give an
embedding between people, and a few of these glue men and women together. The bounds are fixed, not the recipe's
thresholds: they say what an embedding can be trusted on, not what is wanted in a corpus. Clean clips are linked by the
mean of all cosines between two groups (`linkage`), where one impure clip is one among many; a group of two modes is
parted again; the other clips go to a voice where they are surely its, or stay unnamed.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.measures import linkage
from curate.measures.linkage import Labels, Vectors

VERSION = 2  # raise it when an answer changes: it enters the fingerprint
INPUTS = ("embedding", "speech_seconds", "snr", "music", "noise", "voices", "second_voice", "clipped")

# Fixed bounds for a clip that may found a voice; what was not measured does not speak against it.
CLEAN = (
    pl.col("speech_seconds") >= 2.0,
    pl.col("snr") >= 10.0,
    pl.col("music") <= 0.2,
    pl.col("noise") <= 0.5,
    pl.col("voices") <= 1,
    pl.col("second_voice") <= 0.05,
    pl.col("clipped") <= 0.02,
)

LINKED = 0.45  # two groups are one voice at this mean cosine between their clips and above
NEAR = 0.65  # a clip this near to the centre of a group is its, while many clips are gathered
MODES = 0.8  # a voice whose halves are alike by less than this, how tight each is taken into account, is two
LEAST_MODE = 3  # clips that a half has at least
SURE, APART = 0.5, 0.1  # another clip goes to a voice this near, and nearer by this much than to the next one


def find(clips: pl.DataFrame) -> pl.DataFrame:
    """Group clips by voice: columns id, voice (`voice-001`... in order of appearance; null where nobody is surely it)."""
    embedded = clips.filter(pl.col("embedding").is_not_null())
    if embedded.is_empty():
        return pl.DataFrame(schema={"id": pl.String, "voice": pl.String})
    vectors = linkage.unit(np.array(embedded["embedding"].to_list(), dtype=np.float32))
    numbers = _numbers(vectors, embedded.select(clean()).to_series().to_numpy())
    order = {int(n): i for i, n in enumerate(dict.fromkeys(n for n in numbers.tolist() if n >= 0), 1)}
    names = [f"voice-{order[n]:03d}" if n >= 0 else None for n in numbers.tolist()]
    return pl.DataFrame({"id": embedded["id"], "voice": pl.Series(names, dtype=pl.String)})


def clean() -> pl.Expr:
    """Whether a clip may found a voice: enough clean speech of one person."""
    return pl.all_horizontal(bound.fill_null(True) for bound in CLEAN)


def _numbers(vectors: Vectors, is_clean: NDArray[np.bool_]) -> Labels:
    """The number of each clip's voice, -1 where it is nobody's."""
    numbers = np.full(len(vectors), -1)
    founding = np.flatnonzero(is_clean)
    if len(founding):
        found = _parted(vectors[founding], linkage.link(vectors[founding], threshold=LINKED, near=NEAR))
        numbers[founding] = found
        rest = np.flatnonzero(~is_clean)
        numbers[rest] = _assigned(vectors[rest], linkage.unit(linkage.totals(vectors[founding], found)[0]))
    return numbers


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
    """A group as it is, or parted in two, and each part again, where its halves are less alike than a voice's are."""
    if len(members) >= 2 * LEAST_MODE:
        side = linkage.halves(vectors[members])
        one, other = members[~side], members[side]
        if min(len(one), len(other)) >= LEAST_MODE:
            sums = vectors[one].sum(axis=0), vectors[other].sum(axis=0)
            if linkage.likeness(sums[0], len(one), sums[1], len(other)) < MODES:
                yield from _modes(vectors, one)
                yield from _modes(vectors, other)
                return
    yield members


def _assigned(vectors: Vectors, centres: Vectors) -> Labels:
    """The voice of clips that founded none: the nearest, where it is near and the next one is not."""
    numbers = np.full(len(vectors), -1)
    for start in range(0, len(vectors), linkage.BLOCK):
        near = vectors[start : start + linkage.BLOCK] @ centres.T
        best = near.argmax(axis=1)
        rows = np.arange(len(near))
        first = near[rows, best]
        near[rows, best] = -1
        sure = (first >= SURE) & (first - near.max(axis=1) >= APART)
        numbers[start : start + linkage.BLOCK] = np.where(sure, best, -1)
    return numbers
