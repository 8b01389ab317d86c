"""Which other persons a clip may be of, where its own is not sure: it must not be in another split than theirs.

A source's name is taken to be right, and so is a voice with enough speech where nobody else is as near. A short or
noisy clip without a name is given to the person whom it resembles most, which is sometimes wrong. Clips of persons whom
others sound like (`lookalikes`) never count as sure, so that none is held out. Every clip is then compared once more
with the persons who are left: one that is about as near to them as to its own person may be theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.measures import linkage, telephone
from curate.measures.linkage import Labels, Vectors
from curate.steps import lookalikes, speakers

# All but seconds, shares and numbers of clips are cosines.
ENOUGH = 2.0  # seconds of speech: with a voice and as much hardly a clip was another's (docs/measures/voices.md)
RIVALLED = 0.05  # a clip without a name is in doubt all the same if its own person is nearer than others by less;
MISNAMED = 0.1  # one with a name, if another is nearer by more
CLEAR, APART = 0.65, 0.1  # with less speech, a person is sure who is this near, and nearer by this much than the next
FARTHEST, WITHIN = 0.3, 0.1  # candidates are this near, and farther than the nearest by at most this much
LIKE = 0.5  # a voice of few clips may be a larger one's this near: of 2 s and more, other speakers are at most .53
SMALL = 4  # clips: in a voice of fewer a short clip is compared with others alone
MOST = 4  # candidates of a clip, the nearest first
HELD, CLOSE = 0.45, 0.07  # who may be held out is a candidate this near, and farther than a clip's own by at most this
OWN = 0.65  # a clip without a name that is farther from the rest of its person is not held out
OTHER_BAND = 0.4  # who may be held out, and is never on the telephone, is a candidate of a telephone clip this near,
ONE_BAND = 0.1  # as long as such clips are at most this share of all: more telephone speech is of people of its own
NAMINGS = 2  # clips by which a source has to name a person to tell that person from its others


def fill(clips: pl.DataFrame) -> pl.DataFrame:
    """Fill `person_candidates` from names, voices, persons and embeddings; null where the person is sure.

    An empty list: not sure, but like nobody who is known; or not to be held out. All null where no voice is known.
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
    numbered = {name: number for number, name in enumerate(known.persons)}
    owner = clips["person"].replace_strict(numbered, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy()
    apart = _apart(clips, owner, len(known.persons))
    around = _around(vectors, np.flatnonzero(heard), known, owner, apart, lookalikes.is_fair(clips))
    nearer = np.maximum(around.own + np.where(nameless, -RIVALLED, MISNAMED), FARTHEST)
    sizes = np.bincount(known.owner[known.voice[is_known]], minlength=len(known.persons))
    compared = nameless | (np.append(sizes, 0)[owner] > 1)  # of a name's only clip nothing else tells
    rivalled = is_known & ~few & compared & (around.rival > nearer)
    rows = np.flatnonzero(rivalled | ((doubtful | few) & heard))
    labels = np.full(clips.height, -1)
    labelled = _labelled(clips.filter(pl.Series(is_known)))
    named = clips.select("source", "speaker", "voice", "person", "speaker_conflict")
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
    rest = np.where(is_known, around.own, np.float32(-1))
    for row, person in _in_others_voice(clips["voice"], owner, is_known):
        found[row] = [known.persons[person], *(each for each in found[row] or [] if each != known.persons[person])]
    alike = lookalikes.find(clips, owner, labels, rest, around.nearest, sizes)
    astray = is_known & nameless & (around.own > 0) & (around.own < OWN)  # 0: there is no other clip
    for row in np.flatnonzero(np.isin(owner, alike) | astray).tolist():
        found[row] = found[row] or []
    lone = (doubtful & nameless) | (owner < 0)
    narrow = (clips["bandwidth"] < telephone.NARROW).fill_null(False).to_numpy()
    held = np.setdiff1d(known.owner, alike)
    for row, persons in _second_look(vectors, known, owner, apart, around, held, narrow=narrow, lone=lone):
        listed = found[row] or []
        found[row] = [*listed, *(known.persons[each] for each in persons if known.persons[each] not in listed)]
    return clips.with_columns(pl.Series("person_candidates", found, dtype=pl.List(pl.String)))


def sure() -> pl.Expr:
    """Clips whose person is sure; where no voices were compared, those are all."""
    return pl.col("person_candidates").is_null()


def taken_as_sure() -> pl.Expr:
    """The same, and all clips of a language in which no person is sure: there is nobody to keep apart."""
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


def _in_others_voice(voice: pl.Series, owner: Labels, is_known: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Clips, by row, in a voice most of whose sure clips are another person's, and who that is.

    Of a name with two clips of each of two people one half stands with the other's person.
    """
    clips = pl.DataFrame({"voice": voice, "owner": owner, "known": is_known}).with_row_index("row")
    clips = clips.filter(pl.col("voice").is_not_null(), pl.col("owner") >= 0)
    counts = clips.filter("known").group_by("voice", "owner").len()
    most = counts.filter(2 * pl.col("len") > pl.col("len").sum().over("voice")).select("voice", most="owner")
    others = clips.join(most, on="voice", maintain_order="left").filter(pl.col("owner") != pl.col("most"))
    yield from others.select("row", "most").iter_rows()


@dataclass(frozen=True)
class _Apart:
    """Who is told apart by name: a source's names are different people."""

    source: Labels  # (n,) the source of a clip that it names, -1 for any other
    names: NDArray[np.bool_]  # (s, p) whether a source names a person

    def of(self, rows: Labels) -> NDArray[np.bool_]:
        """Persons (rows, p) who are not heard in these clips, as the clip's source names both."""
        source = self.source[rows]
        return np.asarray(self.names[source] & (source >= 0)[:, None])


def _apart(clips: pl.DataFrame, owner: Labels, persons: int) -> _Apart:
    source = clips.select(pl.when(~_nameless()).then(pl.col("source").rank("dense") - 1).fill_null(-1)).to_series()
    numbers = source.to_numpy().astype(np.int64)
    counts = np.zeros((int(numbers.max(initial=0)) + 1, persons), np.int64)
    both = np.flatnonzero((numbers >= 0) & (owner >= 0) & clips["speaker_conflict"].is_null().to_numpy())
    np.add.at(counts, (numbers[both], owner[both]), 1)
    # of a person with other clips a single name in a source may be a wrong label, and tells nobody apart
    lone = counts == np.bincount(owner[owner >= 0], minlength=persons)
    return _Apart(numbers, (counts >= NAMINGS) | ((counts > 0) & lone))


@dataclass(frozen=True)
class _Around:
    """How near clips (n,) are to their own person and to others; -1 where there is nobody."""

    own: Vectors  # (n,) without the clip itself
    rival: Vectors  # (n,) the nearest other
    nearest: Vectors  # (p,) of each person the nearest fair clip of another whom no source tells apart by name


def _around(
    vectors: Vectors, rows: Labels, known: _Known, owner: Labels, apart: _Apart, fair: NDArray[np.bool_]
) -> _Around:
    own, rival = np.full(len(vectors), -1, np.float32), np.full(len(vectors), -1, np.float32)
    nearest = np.full(len(known.persons), -1, np.float32)
    start = 0
    for near in _nearness(vectors, rows, known):
        some = rows[start : start + len(near)]
        start += len(near)
        has_own = np.flatnonzero(owner[some] >= 0)
        own[some[has_own]] = near[has_own, owner[some[has_own]]]
        near[has_own, owner[some[has_own]]] = -1
        rival[some] = near.max(axis=1)
        near[apart.of(some)] = -1
        nearest = np.maximum(nearest, near[fair[some]].max(axis=0, initial=-1))
    return _Around(own, rival, nearest)


def _second_look(
    vectors: Vectors,
    known: _Known,
    owner: Labels,
    apart: _Apart,
    around: _Around,
    held: Labels,
    *,
    narrow: NDArray[np.bool_],
    lone: NDArray[np.bool_],
) -> Iterator[tuple[int, list[int]]]:
    """Clips, by row, that may be of persons who may be held out (`held`), and which of these, the nearest first.

    `narrow` (n,) are clips on the telephone, and `lone` those that are not surely of a person who is known.
    """
    heard = vectors.any(axis=1)
    persons = len(known.persons)
    wide_of = np.bincount(owner[(owner >= 0) & heard & ~narrow], minlength=persons)
    narrow_of = np.bincount(known.owner[known.voice[(known.voice >= 0) & narrow]], minlength=persons)
    in_one_band = heard & narrow & (lone | (np.append(wide_of, 0)[owner] == 0))
    in_one_band &= in_one_band.sum() <= ONE_BAND * heard.sum()
    least = np.maximum(HELD, np.where(owner >= 0, around.own, around.rival) - CLOSE)
    of_held = np.flatnonzero(np.isin(known.owner, held))
    firsts = np.flatnonzero(np.diff(known.owner[of_held], prepend=-1))
    rows = np.flatnonzero(heard)
    for some, cosines in linkage.blocks(vectors[rows], linkage.unit(known.sums[of_held])):
        mine = rows[some]
        near = np.maximum.reduceat(cosines, firsts, axis=1)
        may_be = near >= least[mine, None]
        may_be |= (near >= OTHER_BAND) & in_one_band[mine, None] & (narrow_of[held] == 0)
        may_be &= ~apart.of(mine)[:, held] & (owner[mine, None] != held)
        for each in np.flatnonzero(may_be.any(axis=1)).tolist():
            order = np.argsort(-near[each], kind="stable")
            yield int(mine[each]), held[order[may_be[each, order]]].tolist()


def _is_clear(near: Vectors, own: int) -> bool:
    """Whether one person is near, and everyone else far."""
    others = np.delete(near, own)
    return own >= 0 and bool(near[own] >= CLEAR and near[own] - others.max(initial=-1.0) >= APART)


def _others(near: Vectors, own: int, least: float) -> list[int]:
    """Who it may be besides its own person, the nearest first; nobody farther than `least`."""
    order = [each for each in np.argsort(-near, kind="stable").tolist() if each != own]
    return [each for each in order[:MOST] if near[each] >= max(least, near.max() - WITHIN)]
