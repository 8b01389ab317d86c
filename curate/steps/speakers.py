"""Who speaks: given names and estimated voices, and which of them are one person.

Names and voices that belong together are joined into a person, by which balance, split and the check for leaks go.
Three links, each with evidence of its own:

- A name and the voice that most of its clips have.
- A name and a further voice of its clips that is like the first: one person in two rooms. A further voice that is
  unlike it is somebody else's: these clips have a wrong label, which `speaker_conflict` reports.
- Two names of one voice, in two sources or in one, where each has several clips there, hardly any elsewhere, and the
  two are as alike as each is to itself. Otherwise the voice is divided between them, clip by clip.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.measures import linkage, telephone
from curate.measures.linkage import Labels, Vectors

SEVERAL = 3  # clips: fewer are no evidence against a label; names: fewer are none against a voice
MAIN = 0.5  # share of a name's clips that its voices have at least; a label with less stands on several people
FURTHER = 0.05  # share of a name's clips that a further voice has at least, unless most of that voice are the name's
OWN = 0.8  # share of a name's clips that lie in a voice which it shares with another name of the same person
KIN = 0.75  # cosine from which two voices of one name are one person's
SAME = 0.8  # likeness (`linkage.likeness`) from which two names of one voice are one person's;
SAME_IN_SOURCE = 0.87  # the same in one source, which says that they are two
LIKELY = 0.5  # cosine from which a nameless clip without a voice counts as the person's whose voice is nearest
STRAY = 0.65  # cosine from which a nameless voice of one or two clips counts as the person's whose voice is nearest
NEARER = 0.1  # a clip with a wrong label is this much nearer to the other voice than to its name's


def persons(clips: pl.DataFrame) -> pl.DataFrame:
    """Fill `person` and `speaker_conflict`, from the names as given, the voices and the embeddings."""
    heard = _heard(clips)
    owners = _owners(heard)
    group = _joined(heard, owners)
    voice = np.where(heard.voice >= 0, heard.voice, _likely(heard))
    owner = _owner_of_clips(heard, owners, voice)
    conflict = _conflicts(heard, owner, group)
    voice_side = np.where(owner >= 0, owner, np.where(voice >= 0, len(heard.names) + voice, -1))
    person_of_name = _followed(heard, voice_side, owner, group)
    holder = _holders(heard, owner, conflict, voice, person_of_name)
    voice_side = np.where(holder >= 0, holder, voice_side)
    by_voice = _looked_up(group, voice_side)
    by_voice = np.where(holder >= 0, _looked_up(person_of_name, holder), by_voice)
    by_name = _looked_up(person_of_name, heard.name)
    person = np.where(conflict | (by_name < 0), by_voice, by_name)
    person = np.where(person < 0, heard.name, person)  # a label on several people, and no voice to go by
    labels = [*heard.names, *heard.voices]
    return clips.with_columns(
        _labelled(person, labels).alias("person"),
        _labelled(np.where(conflict, voice_side, -1), labels).alias("speaker_conflict"),
    )


def name(clips: pl.DataFrame) -> pl.DataFrame:
    """Where the source names no speaker, the voice stands in."""
    return clips.with_columns(pl.coalesce("speaker", "voice").alias("speaker"))


@dataclass(frozen=True)
class _Heard:
    """Who is named and who is heard in n clips, by number; -1 for nobody."""

    names: list[str]
    voices: list[str]
    source: Labels  # (g,) of each name
    name: Labels  # (n,)
    voice: Labels  # (n,)
    vectors: Vectors  # (n, d) embeddings; zeros where there is none
    pairs: NDArray[np.int64]  # (p, 2) the name and voice of clips that have both, by name
    counts: NDArray[np.int64]  # (p,) of these clips
    sums: Vectors  # (p, d) of their embeddings
    voice_counts: NDArray[np.float64]  # (v,) of all clips of a voice
    voice_sums: Vectors  # (v, d)

    def place(self, name: Labels, voice: Labels) -> Labels:
        """Where these pairs stand in `pairs`; -1 for one that is not there."""
        keys = self.pairs[:, 0] * (len(self.voices) + 1) + self.pairs[:, 1]
        wanted = name * (len(self.voices) + 1) + voice
        at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        return np.where(keys[at] == wanted, at, -1) if len(keys) else np.full(len(wanted), -1)


def _heard(clips: pl.DataFrame) -> _Heard:
    given = clips.select(pl.when(pl.col("speaker") != "").then(pl.format("{} {}", "source", "speaker"))).to_series()
    (names, name), (voices, voice) = _numbered(given), _numbered(clips["voice"])
    source = np.empty(len(names), np.int64)
    source[name[name >= 0]] = _numbered(clips["source"])[1][name >= 0]
    vectors = telephone.unit_embeddings(clips)
    both, told = np.flatnonzero((name >= 0) & (voice >= 0)), np.flatnonzero(voice >= 0)
    together = np.stack([name[both], voice[both]], axis=1)
    pairs, pair, counts = np.unique(together, axis=0, return_inverse=True, return_counts=True)
    sums, _ = linkage.totals(vectors[both], pair.reshape(-1), len(pairs))
    voice_sums, voice_counts = linkage.totals(vectors[told], voice[told], len(voices))
    return _Heard(names, voices, source, name, voice, vectors, pairs, counts, sums, voice_counts, voice_sums)


def _owners(heard: _Heard) -> dict[int, list[int]]:
    """The pairs (places in `pairs`) through which each voice is some name's, the strongest first."""
    claims: dict[int, list[int]] = {}
    for mine in _own_voices(heard):
        for pair in mine:
            claims.setdefault(int(heard.pairs[pair, 1]), []).append(pair)
    totals = np.bincount(heard.pairs[:, 0], heard.counts, minlength=len(heard.names))
    # a single clip in another voice is a wrong label or a stray; one source holds two names to be two all the same
    proven = np.bincount(heard.pairs[:, 0], np.where(heard.counts > 1, heard.counts, 0), minlength=len(heard.names))
    owners = {}
    for voice, pairs in claims.items():
        first, *others = sorted(pairs, key=lambda pair: (-heard.counts[pair], pair))
        home = heard.source[heard.pairs[first, 0]]
        needed = np.where(heard.source == home, totals, proven) * OWN
        strong = [p for p in others if heard.counts[p] >= max(SEVERAL, needed[heard.pairs[p, 0]])]
        owners[voice] = [first, *strong]
    return owners


def _own_voices(heard: _Heard) -> Iterator[list[int]]:
    """For each name the pairs with the voices that are its own: the most frequent one and those like it."""
    for pairs in np.split(np.arange(len(heard.pairs)), np.flatnonzero(np.diff(heard.pairs[:, 0])) + 1):
        if not len(pairs):
            continue
        pairs = pairs[np.lexsort((heard.voice_counts[heard.pairs[pairs, 1]], -heard.counts[pairs]))]
        voices, counts = heard.pairs[pairs, 1], heard.counts[pairs]
        centres = linkage.unit(heard.voice_sums[voices])
        sizes = heard.voice_counts[voices]
        # a single clip must not win a large voice that is like the name's own: it may be one with a wrong label
        enough = (counts >= SEVERAL) & ((counts >= FURTHER * counts.sum()) | (counts >= MAIN * sizes))
        mine = (enough & (centres @ centres[0] >= KIN)) | (sizes < SEVERAL)
        mine[0] = True
        if counts[mine].sum() >= MAIN * counts.sum():
            yield pairs[mine].tolist()


def _joined(heard: _Heard, owners: dict[int, list[int]]) -> Labels:
    """The person of each name, then of each voice: the smallest number of those that are joined."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = []
    for voice, pairs in owners.items():
        names = heard.pairs[pairs, 0].tolist()
        alike = [other for pair, other in zip(pairs, names, strict=True) if _same(heard, pairs[0], pair)]
        edges += [(names[0], other) for other in alike]
        if len(alike) == len(names):
            edges.append((names[0], len(heard.names) + voice))
    edges += [(len(heard.names) + one, len(heard.names) + other) for one, other in _stray(heard, owners)]
    size = len(heard.names) + len(heard.voices)
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    _, first = np.unique(labels, return_index=True)
    return np.asarray(first[labels], dtype=np.int64)


def _stray(heard: _Heard, owners: dict[int, list[int]]) -> Iterator[tuple[int, int]]:
    """Nameless voices of one or two clips, each with the larger voice that it most likely belongs to."""
    centres = linkage.unit(heard.voice_sums)
    named = np.isin(np.arange(len(heard.voices)), list(owners))
    small = np.flatnonzero((heard.voice_counts < SEVERAL) & ~named)
    large = np.flatnonzero(heard.voice_counts >= SEVERAL)
    best, cosines = linkage.nearest(centres[small], centres[large])
    near = cosines >= STRAY
    yield from zip(small[near].tolist(), large[best[near]].tolist(), strict=True)


def _same(heard: _Heard, one: int, other: int) -> bool:
    """Whether two names of one voice are one person's."""
    if one == other:
        return True
    if min(heard.counts[one], heard.counts[other]) < SEVERAL:
        return False
    of_one, of_other = heard.source[heard.pairs[[one, other], 0]]
    least = SAME_IN_SOURCE if of_one == of_other else SAME
    return linkage.likeness(heard.sums[one], heard.counts[one], heard.sums[other], heard.counts[other]) >= least


def _likely(heard: _Heard) -> Labels:
    """For each clip (n,) without name and voice the nearest voice, -1 for any other and where none is near.

    The likeliest person is good enough to keep people apart: without one, such a clip could be in another split than
    the other clips of the same person.
    """
    likely = np.full(len(heard.name), -1)
    nobody = np.flatnonzero((heard.name < 0) & (heard.voice < 0) & heard.vectors.any(axis=1))
    best, cosines = linkage.nearest(heard.vectors[nobody], linkage.unit(heard.voice_sums))
    likely[nobody] = np.where(cosines >= LIKELY, best, -1)
    return likely


def _owner_of_clips(heard: _Heard, owners: dict[int, list[int]], voice: Labels) -> Labels:
    """For each clip (n,) the name that its voice (n,) is of, or -1; of several names its own, else the nearest."""
    owner_of_voice = np.full(len(heard.voices) + 1, -1)  # the last for clips without a voice
    for each, pairs in owners.items():
        owner_of_voice[each] = heard.pairs[pairs[0], 0]
    owner = owner_of_voice[voice]
    for each, pairs in owners.items():
        if len(pairs) > 1:
            here = np.flatnonzero(voice == each)
            names = heard.pairs[pairs, 0]
            best, _ = linkage.nearest(heard.vectors[here], linkage.unit(heard.sums[pairs]))
            owner[here] = np.where(np.isin(heard.name[here], names), heard.name[here], names[best])
    return owner


def _conflicts(heard: _Heard, owner: Labels, group: Labels) -> NDArray[np.bool_]:
    """Clips whose voice is surely another's than their name's.

    A name that has no voice of its own, because all its few clips are in the voice of a name in another source, may be
    a second name of that person.
    """
    conflict = np.zeros(len(heard.name), np.bool_)
    own_sums = _own_sums(heard, owner)
    named = np.flatnonzero((heard.name >= 0) & (heard.voice >= 0) & (owner != heard.name))
    if not len(named):
        return conflict
    name, voice, vectors = heard.name[named], heard.voice[named], heard.vectors[named]
    side = np.where(owner[named] >= 0, owner[named], len(heard.names) + voice)
    others = linkage.unit(heard.voice_sums[voice] - vectors)  # without the clip itself
    nearer = np.einsum("nd,nd->n", others - linkage.unit(own_sums[name]), vectors) >= NEARER
    known = _settled(heard, owner)[name] | (owner[named] < 0)
    known |= heard.source[name] == heard.source[np.maximum(owner[named], 0)]
    known &= (owner[named] >= 0) | ~_contested(heard, owner)[voice]
    conflict[named] = nearer & known & (heard.voice_counts[voice] >= SEVERAL) & (group[side] != group[name])
    return conflict


def _contested(heard: _Heard, owner: Labels) -> NDArray[np.bool_]:
    """Whether each voice (v,) is nobody's: most of its clips have names with a voice of their own, three and more.

    None of them has a majority. One person's clips are seldom labelled as several others'; on the telephone several
    people are alike.
    """
    claims = _settled(heard, owner)[heard.pairs[:, 0]]
    voices, counts = heard.pairs[claims, 1], heard.counts[claims]
    most = np.zeros(len(heard.voices))
    np.maximum.at(most, voices, counts)
    names, named = np.bincount(voices, minlength=len(most)), np.bincount(voices, counts, minlength=len(most))
    half = MAIN * heard.voice_counts
    return np.asarray((names >= SEVERAL) & (named > half) & (most <= half))


def _holders(
    heard: _Heard, owner: Labels, conflict: NDArray[np.bool_], voice: Labels, person_of_name: Labels
) -> Labels:
    """For each clip (n,) whose voice (n,) no name owns the name of a person that most of that voice has, or -1.

    Two clips are too few to own a voice, but the voice's other clips then go with that person.
    """
    here = np.flatnonzero((heard.name >= 0) & (heard.voice >= 0) & (owner < 0) & ~conflict)
    pairs, counts = np.unique(np.stack([heard.voice[here], heard.name[here]], axis=1), axis=0, return_counts=True)
    most = pairs[(counts > MAIN * heard.voice_counts[pairs[:, 0]]) & (person_of_name[pairs[:, 1]] >= 0)]
    holder_of_voice = np.full(len(heard.voices) + 1, -1)  # the last for clips without a voice
    holder_of_voice[most[:, 0]] = most[:, 1]
    return np.where(owner < 0, holder_of_voice[voice], -1)


def _settled(heard: _Heard, owner: Labels) -> NDArray[np.bool_]:
    """Whether each name (g,) has a voice of its own, in which half of its clips are."""
    told = (heard.name >= 0) & (heard.voice >= 0)
    own = told & (owner == heard.name)
    size = len(heard.names)
    counts = np.bincount(heard.name[own], minlength=size)
    return (counts > 0) & (counts >= MAIN * np.bincount(heard.name[told], minlength=size))


def _followed(heard: _Heard, side: Labels, owner: Labels, group: Labels) -> Labels:
    """The person of each name (g,): its own; of one that has no voice of its own that of most of its clips; or -1."""
    followed = group[: len(heard.names)].copy()
    is_settled = np.append(_settled(heard, owner), True)  # the last for clips without a name
    heard_where = (heard.name >= 0) & (heard.voice >= 0) & ~is_settled[heard.name]
    persons, counts = np.unique(
        np.stack([heard.name[heard_where], group[side[heard_where]]], axis=1), axis=0, return_counts=True
    )
    total = np.bincount(persons[:, 0], counts, minlength=len(heard.names))
    followed[persons[:, 0]] = -1
    most = counts >= MAIN * total[persons[:, 0]]
    followed[persons[most, 0]] = persons[most, 1]
    return followed


def _own_sums(heard: _Heard, owner: Labels) -> Vectors:
    """Sums (g, d) of the clips of each name that have a voice of its own."""
    own = np.flatnonzero((owner == heard.name) & (owner >= 0))
    return linkage.totals(heard.vectors[own], heard.name[own], len(heard.names))[0]


def _looked_up(values: Labels, places: Labels) -> Labels:
    """The values at some places, -1 where the place is."""
    return np.append(values, -1)[places]


def _numbered(values: pl.Series) -> tuple[list[str], Labels]:
    """Different values in order of appearance, and the number of each row's value, -1 for null."""
    distinct = values.drop_nulls().unique(maintain_order=True)
    numbers = values.replace_strict(distinct, pl.int_range(len(distinct), eager=True), default=-1)
    return distinct.to_list(), numbers.fill_null(-1).to_numpy().astype(np.int64)


def _labelled(numbers: Labels, labels: list[str]) -> pl.Series:
    """Numbers as what they stand for, -1 as null."""
    known = pl.Series(np.where(numbers < 0, 0, numbers))
    texts = pl.Series(labels or [""], dtype=pl.String).gather(known)
    return pl.select(pl.when(pl.Series(numbers >= 0)).then(texts)).to_series()
