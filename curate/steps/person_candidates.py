"""Whose a clip may be as well, where its person is not sure: with whom it must not stand in two splits.

A source's name is taken to be right, and so is a voice over enough speech. A short or noisy clip without a name goes by
whom it sounds like most, and some of these are another's.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from curate.measures import linkage
from curate.measures.linkage import Labels, Vectors
from curate.steps import speakers

ENOUGH = 2.0  # seconds of speech: of clips with a voice and as much hardly one was another's (docs/measures/voices.md)
CLEAR, APART = 0.65, 0.1  # with less, a voice is sure this near, and nearer by this much than the next person's
FARTHEST, WITHIN = 0.3, 0.1  # others that it may be of: this near, and farther than the nearest by at most this much
LIKE = 0.5  # a voice of few clips may be a larger one's this near: of 2 s and more, other speakers are at most .53
MOST = 4  # of a clip, the nearest first


def fill(clips: pl.DataFrame) -> pl.DataFrame:
    """Fill `person_candidates` from names, voices, persons and embeddings; null where the person is sure.

    An empty list: not sure, and like nobody who is known. All null where no voice is known to compare with.
    """
    doubtful = clips.select(_doubtful()).to_series().to_numpy()
    vectors = speakers.unit_embeddings(clips["embedding"])
    heard = vectors.any(axis=1)
    known = np.flatnonzero(~doubtful & heard)
    found: list[list[str] | None] = [[] if unsure and len(known) else None for unsure in doubtful.tolist()]
    few = clips.select(_of_few()).to_series().to_numpy() & ~doubtful
    rows = np.flatnonzero((doubtful | few) & heard) if len(known) else known
    persons, centres, owner = _centres(clips[known], vectors[known])
    numbered = {name: number for number, name in enumerate(persons)}
    labelled = _labelled(clips[known])
    named = clips.select("source", "speaker", "voice", "person", "speaker_conflict")
    for row, near in zip(rows.tolist(), _nearness(vectors[rows], centres, owner), strict=True):
        clip = named.row(row, named=True)
        own = numbered.get(clip["person"], -1)
        if clip["speaker_conflict"] is not None:
            near[numbered.get(labelled.get((clip["source"], clip["speaker"]), ""), own)] = 1.0  # it may be right
        others = [persons[each] for each in _others(near, own, LIKE if few[row] else FARTHEST)]
        clear = clip["speaker_conflict"] is None and clip["voice"] is not None and _is_clear(near, own)
        found[row] = None if (few[row] and not others) or (clear and not few[row]) else others
    return clips.with_columns(pl.Series("person_candidates", found, dtype=pl.List(pl.String)))


def sure() -> pl.Expr:
    """Clips that are surely their person's; where no voices were compared, nothing speaks against any."""
    return pl.col("person_candidates").is_null()


def _doubtful() -> pl.Expr:
    """Clips whose person may be another: without a name and a voice over enough speech, or with a doubtful label."""
    nameless = pl.col("speaker").is_null() | (pl.col("speaker") == "")
    told = pl.col("voice").is_not_null() & (pl.col("speech_seconds").fill_null(0.0) >= ENOUGH)
    return pl.col("person").is_null() | pl.col("speaker_conflict").is_not_null() | (nameless & ~told)


def _of_few() -> pl.Expr:
    """Clips without a name in a voice that is too small to be sure of."""
    nameless = pl.col("speaker").is_null() | (pl.col("speaker") == "")
    return (nameless & (pl.len().over("voice") < speakers.SEVERAL) & pl.col("voice").is_not_null()).fill_null(False)


def _labelled(clips: pl.DataFrame) -> dict[tuple[str, str], str]:
    """The person of each name in its source: that of most of its clips."""
    named = clips.filter(pl.col("speaker").is_not_null())
    persons = named.group_by("source", "speaker").agg(pl.col("person").mode().sort().first())
    return {(source, name): person for source, name, person in persons.iter_rows()}


def _centres(clips: pl.DataFrame, vectors: Vectors) -> tuple[list[str], Vectors, Labels]:
    """The persons, a centre for each voice of each, and the number of the person it is of, by person."""
    pairs = clips.select(pl.struct("person", "voice").rank("dense").alias("pair"), "person").with_row_index()
    centres = linkage.unit(linkage.totals(vectors, pairs["pair"].to_numpy().astype(np.int64) - 1)[0])
    of = pairs.unique("pair", keep="first").sort("pair")["person"]
    return of.unique(maintain_order=True).to_list(), centres, of.rle_id().to_numpy().astype(np.int64)


def _nearness(vectors: Vectors, centres: Vectors, owner: Labels) -> Iterator[Vectors]:
    """For each vector the cosine with every person: that of the nearest of their centres."""
    firsts = np.flatnonzero(np.diff(owner, prepend=-1))
    for _, cosines in linkage.blocks(vectors, centres):
        yield from np.maximum.reduceat(cosines, firsts, axis=1)


def _is_clear(near: Vectors, own: int) -> bool:
    """Whether one person is near, and everyone else far."""
    others = np.delete(near, own)
    return own >= 0 and bool(near[own] >= CLEAR and near[own] - others.max(initial=-1.0) >= APART)


def _others(near: Vectors, own: int, least: float) -> list[int]:
    """Who it may be besides its own person, the nearest first; nobody farther than `least`."""
    order = [each for each in np.argsort(-near, kind="stable").tolist() if each != own]
    return [each for each in order[:MOST] if near[each] >= max(least, near.max() - WITHIN)]
