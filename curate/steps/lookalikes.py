"""Persons whom others sound like: of these nothing is held out, as what sounds alike may be one person's.

One person who shouts, whispers, or is on the telephone may have two voices, or two names in two sources, and no bound
on a cosine tells such voices from those of two people. But who is held out is free to choose: those whom nobody else
sounds like, and of whom there are many clips, as a part of somebody's voice that was taken for a person is small.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.measures import linkage
from curate.measures.linkage import Labels, Vectors
from curate.measures.voices import FAIR

ALIKE = 0.4  # from this cosine on voices may be one person's: of acted and damaged speech 98 % are (docs)
PARTS = 0.1  # so much nearer counts the next voice for e times fewer clips,
MANY = 12  # of as many at most
SHARE = 0.7  # of a language's speech, that of the persons who are most like others: never held out
MOST = 0.05  # of a language's speech, what one person counts for at most: where one has nearly all, so do the others
LINKED = 0.1  # of the clips of the smaller of two persons, labels in conflict: these two are like each other
SPARED = 6  # persons of a language at least who may be held out


def find(
    clips: pl.DataFrame, owner: Labels, label: Labels, sums: Vectors, person: Labels, sizes: NDArray[np.int64]
) -> Labels:
    """Of p persons, given by number, those whom others sound like.

    `owner` (n,) is the person of each clip, and `label` the one that a label in conflict with it names, -1 where nobody
    is known. `sums` (v, d) are the totals of a person's clips in one voice, `person` (v,) whose, and `sizes` (p,) how
    many clips are surely theirs.
    """
    alike = _alike(clips, owner, sums, person, len(sizes))
    linked = _linked(owner, label, sizes)
    alike = np.where(linked, 1, alike)
    rank = alike - PARTS * np.log(np.clip(sizes, 1, MANY)) + linked
    fair = clips.select(pl.all_horizontal(bound.fill_null(True) for bound in FAIR)).to_series().to_numpy()
    seconds = np.where(fair, clips["speech_seconds"].fill_null(0.0).to_numpy(), 0.0)
    found = [each for mine in _by_language(clips) for each in _most(alike, rank, owner[mine], seconds[mine])]
    return np.unique(np.array(found, dtype=np.int64))


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
    """Persons of one language who are most like others, up to SHARE of its speech."""
    known = owner >= 0
    spoken = np.bincount(owner[known], seconds[known], minlength=len(alike))
    counted = np.minimum(spoken, MOST * spoken.sum())
    order = np.flatnonzero(spoken > 0)
    order = order[np.argsort(-rank[order], kind="stable")][: max(0, len(order) - SPARED)]
    order = order[alike[order] >= ALIKE]
    most: list[int] = order[counted[order].cumsum() <= SHARE * counted.sum()].tolist()
    return most


def _alike(clips: pl.DataFrame, owner: Labels, sums: Vectors, person: Labels, persons: int) -> Vectors:
    """For each person (p,) the cosine of the nearest voice of another, whom no source tells apart by name; -1: none."""
    named = clips.select("source", pl.Series("owner", owner), named=pl.col("speaker").fill_null("") != "")
    named = named.filter(pl.col("named") & (pl.col("owner") >= 0))
    named = named.select(pl.col("source").rank("dense") - 1, "owner").unique()
    names = np.zeros((persons, named["source"].n_unique()), np.float32)  # whether a source names somebody
    names[named["owner"].to_numpy(), named["source"].to_numpy()] = 1
    alike = np.full(persons, -1, np.float32)
    centres = linkage.unit(sums)
    for rows, cosines in linkage.blocks(centres, centres):
        mine = person[rows]
        apart = (names[mine] @ names.T > 0)[:, person] | (mine[:, None] == person)
        np.maximum.at(alike, mine, np.where(apart, -1, cosines).max(axis=1))
    return alike
