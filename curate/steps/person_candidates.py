"""Whose a clip may be as well, where its person is not sure: with whom it must not stand in two splits.

A source's name is taken to be right, and so is a voice over enough speech where nobody else is as near. A short or
noisy clip without a name goes by whom it sounds like most, and some of these are another's. Of persons whom others
sound like (`lookalikes`) no clip counts as sure, so that none is held out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from curate.measures import linkage, telephone
from curate.measures.linkage import Labels, Vectors
from curate.steps import lookalikes, speakers

ENOUGH = 2.0  # seconds of speech: of clips with a voice and as much hardly one was another's (docs/measures/voices.md)
RIVALLED = 0.05  # such a clip is in doubt all the same where it is nearer to its own person than to others by less
CLEAR, APART = 0.65, 0.1  # with less, a voice is sure this near, and nearer by this much than the next person's
FARTHEST, WITHIN = 0.3, 0.1  # others that it may be of: this near, and farther than the nearest by at most this much
LIKE = 0.5  # a voice of few clips may be a larger one's this near: of 2 s and more, other speakers are at most .53
SMALL = 4  # clips: a short clip of a voice of fewer has no more of its own than of others, who are compared without it
MOST = 4  # of a clip, the nearest first


def fill(clips: pl.DataFrame) -> pl.DataFrame:
    """Fill `person_candidates` from names, voices, persons and embeddings; null where the person is sure.

    An empty list: not sure, and like nobody who is known, or a lookalike's. All null where no voice is known.
    """
    doubtful = clips.select(_doubtful()).to_series().to_numpy()
    vectors = telephone.unit_embeddings(clips)
    heard = vectors.any(axis=1)
    is_known = ~doubtful & heard
    found: list[list[str] | None] = [[] if unsure and is_known.any() else None for unsure in doubtful.tolist()]
    if not is_known.any():
        return clips.with_columns(pl.Series("person_candidates", found, dtype=pl.List(pl.String)))
    known = _known(clips, vectors, np.flatnonzero(is_known))
    few = clips.select(_of_fewer(speakers.SEVERAL)).to_series().to_numpy() & ~doubtful
    small = clips.select(_of_fewer(SMALL)).to_series().to_numpy() & doubtful
    nameless = clips.select(_nameless()).to_series().to_numpy()
    rows = _rivalled(vectors, np.flatnonzero(is_known & nameless & ~few), known)
    rows = np.sort(np.concatenate([rows, np.flatnonzero((doubtful | few) & heard)]))
    labels = np.full(clips.height, -1)
    labelled = _labelled(clips.filter(pl.Series(is_known)))
    named = clips.select("source", "speaker", "voice", "person", "speaker_conflict")
    numbered = {name: number for number, name in enumerate(known.persons)}
    nearness = (near for block in _nearness(vectors, rows, known) for near in block)
    for row, near in zip(rows.tolist(), nearness, strict=True):
        clip = named.row(row, named=True)
        own = numbered.get(clip["person"], -1)
        if small[row] and own >= 0:
            near[own] = -1.0
        may_be = _others(near, own, LIKE if few[row] else FARTHEST)
        label = numbered.get(labelled.get((clip["source"], clip["speaker"]), ""))
        if clip["speaker_conflict"] is not None and label is not None:
            labels[row] = label
            may_be = [label, *(each for each in may_be if each != label)] if label != own else may_be  # it may be right
        others = [known.persons[each] for each in may_be]
        clear = doubtful[row] and clip["speaker_conflict"] is None and clip["voice"] is not None
        sure = _is_clear(near, own) if clear else is_known[row] and not others
        found[row] = None if sure else others
    owner = clips["person"].replace_strict(numbered, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy()
    sizes = np.bincount(known.owner[known.voice[is_known]], minlength=len(known.persons))
    alike = lookalikes.find(clips, owner, labels, known.sums, known.owner, sizes)
    for row in np.flatnonzero(np.isin(owner, alike)).tolist():
        found[row] = found[row] or []
    return clips.with_columns(pl.Series("person_candidates", found, dtype=pl.List(pl.String)))


def sure() -> pl.Expr:
    """Clips that are surely their person's; where no voices were compared, nothing speaks against any."""
    return pl.col("person_candidates").is_null()


def taken_as_sure() -> pl.Expr:
    """The same, and all clips of a language in which nobody is known: there is nobody to keep apart."""
    return sure() | ~sure().any().over("language")


def _nameless() -> pl.Expr:
    return pl.col("speaker").is_null() | (pl.col("speaker") == "")


def _doubtful() -> pl.Expr:
    """Clips whose person may be another: without a name and a voice over enough speech, or with a doubtful label."""
    told = pl.col("voice").is_not_null() & (pl.col("speech_seconds").fill_null(0.0) >= ENOUGH)
    return pl.col("person").is_null() | pl.col("speaker_conflict").is_not_null() | (_nameless() & ~told)


def _of_fewer(clips: int) -> pl.Expr:
    """Clips without a name in a voice of fewer clips."""
    small = (pl.len().over("voice") < clips) & pl.col("voice").is_not_null()
    return (_nameless() & small).fill_null(False)


def _labelled(clips: pl.DataFrame) -> dict[tuple[str, str], str]:
    """The person of each name in its source: that of most of its clips."""
    named = clips.filter(pl.col("speaker").is_not_null())
    persons = named.group_by("source", "speaker").agg(pl.col("person").mode().sort().first())
    return {(source, name): person for source, name, person in persons.iter_rows()}


@dataclass(frozen=True)
class _Known:
    """Those whose clips are sure, and a centre for each voice of each: (v, d), by person."""

    persons: list[str]
    sums: Vectors  # (v, d) of the embeddings of a person's clips in one voice
    owner: Labels  # (v,) the number of the person
    voice: Labels  # (n,) in which of these a clip is counted; -1 for those that are not sure


def _known(clips: pl.DataFrame, vectors: Vectors, rows: Labels) -> _Known:
    pairs = clips[rows].select(pl.struct("person", "voice").rank("dense").alias("pair"), "person")
    voice = np.full(len(vectors), -1)
    voice[rows] = pairs["pair"].to_numpy().astype(np.int64) - 1
    of = pairs.unique("pair", keep="first").sort("pair")["person"]
    sums, _ = linkage.totals(vectors[rows], voice[rows])
    return _Known(of.unique(maintain_order=True).to_list(), sums, of.rle_id().to_numpy().astype(np.int64), voice)


def _nearness(vectors: Vectors, rows: Labels, known: _Known) -> Iterator[Vectors]:
    """For some of the rows at a time the cosines with all persons: of the nearest of their voices, without the clip."""
    firsts = np.flatnonzero(np.diff(known.owner, prepend=-1))
    for some, cosines in linkage.blocks(vectors[rows], linkage.unit(known.sums)):
        counted = np.flatnonzero(known.voice[rows[some]] >= 0)
        own, mine = known.voice[rows[some]][counted], vectors[rows[some]][counted]
        cosines[counted, own] = np.einsum("nd,nd->n", linkage.unit(known.sums[own] - mine), mine)
        yield np.maximum.reduceat(cosines, firsts, axis=1)


def _rivalled(vectors: Vectors, rows: Labels, known: _Known) -> Labels:
    """Those of the rows, of clips that count as sure, to which somebody else is about as near as their own person."""
    persons, doubted = known.owner[known.voice[rows]], np.zeros(len(rows), np.bool_)
    start = 0
    for near in _nearness(vectors, rows, known):
        end = start + len(near)
        here = np.arange(len(near)), persons[start:end]
        mine, near[here] = near[here], -1.0
        doubted[start:end] = near.max(axis=1) > np.maximum(mine - RIVALLED, FARTHEST)
        start = end
    return rows[doubted]


def _is_clear(near: Vectors, own: int) -> bool:
    """Whether one person is near, and everyone else far."""
    others = np.delete(near, own)
    return own >= 0 and bool(near[own] >= CLEAR and near[own] - others.max(initial=-1.0) >= APART)


def _others(near: Vectors, own: int, least: float) -> list[int]:
    """Who it may be besides its own person, the nearest first; nobody farther than `least`."""
    order = [each for each in np.argsort(-near, kind="stable").tolist() if each != own]
    return [each for each in order[:MOST] if near[each] >= max(least, near.max() - WITHIN)]
