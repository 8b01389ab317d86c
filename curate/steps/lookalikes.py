"""Persons whom others sound like: none of their clips is held out, as the two may be one person.

One person who shouts, whispers, or is on the telephone may have two voices, or two names in two sources, and no bound
on a cosine separates such voices from those of two people. But which persons are held out is a free choice: those whom
no clip of another person resembles, whose own clips are alike, and who have many clips, as a fragment of a voice that
was taken for a person is small.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.measures.linkage import Labels, Vectors
from curate.measures.voices import FAIR

ALIKE = 0.4  # cosine: below it nobody is like another; of acted speech two voices of one person lie above (docs)
PARTS = 0.1  # cosine added to the rank for e times fewer clips,
MANY = 12  # up to as many
TIGHT = 0.8  # cosine of a person's clips with the rest of them, three in four; what is missing is added to the rank
ALONE = 0.6  # the same, taken for a person of one clip
SHARE = 0.7  # of a language's speech: the persons who are most like others have it, and are never held out
MOST = 0.05  # of a language's speech, what one person counts for at most, however much they have
LINKED = 0.1  # of the clips of the smaller of two persons: as many labels in conflict make the two alike
SPARED = 6  # persons of a language at least who may be held out


def find(
    clips: pl.DataFrame, owner: Labels, label: Labels, own: Vectors, nearest: Vectors, sizes: NDArray[np.int64]
) -> Labels:
    """The persons, of p given by number, whom others sound like.

    `owner` (n,) is the person of each clip, and `label` the one that a label in conflict with it names, -1 where nobody
    is known. `own` (n,) is the cosine of a clip with the rest of its person, -1 where there is no rest or the clip is
    not surely theirs; `nearest` (p,) that of the nearest clip of another, and `sizes` (p,) how many clips are surely
    theirs.
    """
    linked = _linked(owner, label, sizes)
    alike = np.where(linked, 1, nearest)
    loose = np.maximum(TIGHT - _tightness(owner, own, len(sizes)), 0)
    rank = alike - PARTS * np.log(np.clip(sizes, 1, MANY)) + loose + linked
    fair = is_fair(clips)
    seconds = np.where(fair, clips["speech_seconds"].fill_null(0.0).to_numpy(), 0.0)
    found = [each for mine in _by_language(clips) for each in _most(alike, rank, owner[mine], seconds[mine])]
    return np.unique(np.array(found, dtype=np.int64))


def is_fair(clips: pl.DataFrame) -> NDArray[np.bool_]:
    """Clips (n,) that are good enough to tell voices by, whatever a recipe drops."""
    return clips.select(pl.all_horizontal(bound.fill_null(True) for bound in FAIR)).to_series().to_numpy()


def _tightness(owner: Labels, own: Vectors, persons: int) -> NDArray[np.float64]:
    """For each person (p,) the lower quartile of the cosines of their clips with the rest."""
    told = pl.DataFrame({"owner": owner, "own": own.astype(np.float64)}).filter(pl.col("owner") >= 0, pl.col("own") > 0)
    quartiles = told.group_by("owner").agg(pl.col("own").quantile(0.25, "linear"))
    tightness = np.full(persons, ALONE)
    tightness[quartiles["owner"].to_numpy()] = quartiles["own"].to_numpy()
    return tightness


def _linked(owner: Labels, label: Labels, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Persons (p,) of whom a voice has clips that are labelled as another's, or the other way round."""
    both = np.flatnonzero((owner >= 0) & (label >= 0) & (owner != label))
    pairs, counts = np.unique(np.sort(np.stack([owner[both], label[both]], axis=1), axis=1), axis=0, return_counts=True)
    linked = np.zeros(len(sizes), np.bool_)
    linked[pairs[counts >= LINKED * sizes[pairs].min(axis=1)]] = True
    return linked


def _by_language(clips: pl.DataFrame) -> Iterator[Labels]:
    """The rows of each language."""
    rows = clips.select("language", pl.int_range(pl.len()).alias("row"))
    yield from (each["row"].to_numpy() for each in rows.partition_by("language"))


def _most(alike: Vectors, rank: NDArray[np.float64], owner: Labels, seconds: NDArray[np.float64]) -> list[int]:
    """Persons of one language who are most like others, up to SHARE of its speech; and who have no fair clip."""
    known = owner >= 0
    spoken = np.bincount(owner[known], seconds[known], minlength=len(alike))
    counted = np.minimum(spoken, MOST * spoken.sum())
    order = np.flatnonzero(spoken > 0)
    order = order[np.argsort(-rank[order], kind="stable")][: max(0, len(order) - SPARED)]
    unfair = np.setdiff1d(owner[known], np.flatnonzero(spoken > 0)) if np.count_nonzero(spoken) >= SPARED else order[:0]
    order, unfair = order[alike[order] >= ALIKE], unfair[alike[unfair] >= ALIKE]
    return [*order[counted[order].cumsum() <= SHARE * counted.sum()].tolist(), *unfair.tolist()]
