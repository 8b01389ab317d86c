"""Places in a clip that are found again in a copy of it, slower, faster or in another room too.

After Anguera, Garzon & Adamek, "MASK: Robust Local Features for Audio Fingerprinting" (ICME 2012): around each peak and
valley of the level, 32 comparisons of broad bands at two times give a number. As everything is told relative to the
landmark itself, a copy played 5 % faster gives nearly the same numbers, where a frame of a fingerprint does not. Two
landmarks match where their numbers differ in no other bits than the three that were decided by the least.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.uint32]  # (landmarks, 2): the number; its frame (16 bits) and its three weakest bits (5 each)
Energy = NDArray[np.float32]
Numbers = NDArray[np.int64]

GROUPS, SPREAD = 9, 5.0  # broad bands over the fingerprint's; half the width of one, in bands of the fingerprint
STEP, REACH = 5, 4  # frames between the times that are compared; steps before and after the landmark
SMOOTH = np.hanning(9)[1:-1] / np.hanning(9).sum()  # over time: which frame is the peak must not hang on noise
FLOOR = 1e-4  # of the loudest frame: what lies 40 dB below says nothing
DEEPEST = 7.0  # nepers (30 dB) under the loudest: a landmark there is noise
WEAK = 3
PLACES = np.array([16, 21, 26], np.uint32)  # where the weak bits stand in the second number
# Each bit: is this group louder at the first time than at the second? Groups from 9 on are relative to the mean of all
# at that time. Of the 540 such comparisons those that changed least in copies at 0.95-1.05 times the speed and under
# reverberation, without two that say the same (on half of the shared and the demonstration's speech; the other judged).
BITS = np.array([
    (2, 4, 5), (4, 6, 6), (5, 8, 5), (1, 4, 3), (3, 6, 8), (2, 7, 6), (3, 4, 7), (0, 4, 5), (4, 5, 2), (1, 6, 5),
    (1, 4, 8), (5, 8, 8), (1, 5, 10), (3, 6, 14), (5, 8, 9), (0, 3, 10), (2, 6, 15), (0, 4, 14), (2, 4, 17),
    (1, 6, 14), (2, 4, 14), (4, 7, 9), (3, 8, 10), (2, 7, 10), (2, 4, 16), (1, 5, 17), (0, 4, 16), (2, 5, 9),
    (3, 4, 15), (1, 4, 9), (5, 7, 14), (1, 4, 11),
])  # fmt: skip

SPEEDS = np.round(np.arange(0.93, 1.0701, 0.005), 3)  # of one clip against another that are thought of
CLOSE = 3  # frames (60 ms) between where a landmark is and where the others say that it should be
CROWD, NEIGHBOURS = 50, 4  # a number found more often than that is common: it votes only for its next neighbours
# Matches that must follow one that they agree with, for two clips to be compared: of a short clip, which has under 16
# landmarks, and of others. One at the same speed counts twice.
FEW, NEEDED = 16, (1, 2)
# Or, of a short clip, one that matches, one beside it that differs in so many bits, and so many like that in all.
ALMOST, SEVERAL = 4, 3
CHUNK = 30_000  # landmarks whose matches are held at a time
FRAME_BITS, CLIP_BITS = 13, 22  # how a vote is packed: 164 s, and 4 million clips; the rest are the clips of a chunk
MOST_FRAMES = 2**FRAME_BITS - 1


def find(energy: Energy) -> Table:
    """The landmarks of a clip, from the energy (frames, bands) of its fingerprint."""
    total = energy.sum(axis=1)
    if not len(total) or not total.max() > 0:
        return np.zeros((0, 2), np.uint32)
    floor = np.float32(FLOOR) * total.max()
    level = np.convolve(np.log(total + floor), SMOOTH, "same")
    inner, before, after = level[1:-1], level[:-2], level[2:]
    turns = ((inner > before) & (inner >= after)) | ((inner < before) & (inner <= after))
    places = np.flatnonzero(turns & (inner > level.max() - DEEPEST)) + 1
    places = places[places <= MOST_FRAMES]
    return _described(energy, floor, places)


def _described(energy: Energy, floor: np.float32, places: Numbers) -> Table:
    import scipy.ndimage  # slow to import

    around = np.zeros((len(energy) + 2 * REACH * STEP, GROUPS), np.float32)  # beyond its ends a clip is silent
    np.matmul(energy, _groups(energy.shape[1]), out=around[REACH * STEP : -REACH * STEP])
    loud = scipy.ndimage.convolve1d(np.log(around + floor), SMOOTH, axis=0, mode="constant", output=np.float64)
    loud = np.concatenate([loud, loud - loud.mean(axis=1, keepdims=True)], axis=1)
    first, second, group = BITS.T
    apart = loud[places[:, None] + first * STEP, group] - loud[places[:, None] + second * STEP, group]
    numbers = ((apart > 0) << np.arange(len(BITS), dtype=np.uint32)).sum(axis=1, dtype=np.uint32)
    weakest = np.argsort(np.abs(apart), axis=1, kind="stable")[:, :WEAK].astype(np.uint32)
    told = (weakest << PLACES).sum(axis=1, dtype=np.uint32) | places.astype(np.uint32)
    return np.stack([numbers, told], axis=1)


@functools.cache
def _groups(bands: int) -> NDArray[np.float32]:
    """(bands, GROUPS): how much of each band a group takes."""
    centres = np.linspace(SPREAD / 2, bands - 1 - SPREAD / 2, GROUPS)
    apart = np.abs(np.arange(bands)[:, None] - centres) / SPREAD
    return np.where(apart < 1, 1 + np.cos(np.pi * apart), 0).astype(np.float32)


def speed(first: Table, second: Table) -> float:
    """How many times faster the second clip is than the first, as far as their landmarks tell; 1 where they do not.

    The speed at which most of the matches lie at one offset, and then the straight line through those.
    """
    ours, theirs = _in_line(first, second)
    if len(ours) < 2:
        return 1.0
    x, y = theirs - theirs.mean(), ours - ours.mean()
    line = float((x * y).sum() / (x * x).sum()) if x.any() else 1.0
    return min(max(line, float(SPEEDS[0])), float(SPEEDS[-1]))


def _in_line(first: Table, second: Table) -> tuple[Numbers, Numbers]:
    """The frames of landmarks that match, of either clip, at the speed at which most lie at one offset."""
    ours, theirs = _matches(first, second)
    if len(ours) < 2:
        return ours, theirs
    offsets = ours - np.outer(SPEEDS, theirs)
    rows = np.sort(offsets, axis=1)
    upto = np.stack([np.searchsorted(row, row + 2 * CLOSE, "right") for row in rows])
    agreed = upto - np.arange(len(ours))
    best = agreed.max(axis=1)
    which = np.flatnonzero(best == best.max())
    which = which[len(which) // 2]
    start = rows[which, agreed[which].argmax()]
    inside = (offsets[which] >= start) & (offsets[which] <= start + 2 * CLOSE)
    return ours[inside], theirs[inside]


def _several(first: Table, second: Table) -> bool:
    """Whether SEVERAL landmarks of each clip are at about the same distances in the other."""
    for found in (_matches, _in_line):  # the cheaper one first
        if min(len(np.unique(frames)) for frames in found(first, second)) < SEVERAL:
            return False
    return True


def _matches(first: Table, second: Table) -> tuple[Numbers, Numbers]:
    """The frames of landmarks that match, of either clip; of short clips, which have few, also those that almost do."""
    differ = first[:, None, 0] ^ second[None, :, 0]
    mine, yours = (np.bitwise_or.reduce(np.uint32(1) << _weakest(table), axis=1) for table in (first, second))
    match = ((differ & ~mine[:, None]) == 0) | ((differ & ~yours) == 0)
    if min(len(first), len(second)) < FEW:
        match |= np.bitwise_count(differ) <= ALMOST
    ours, theirs = np.nonzero(match)
    return _frames(first[ours]), _frames(second[theirs])


def _weakest(table: Table) -> Table:
    """(landmarks, 3): which bits were decided by the least."""
    return (table[:, 1, None] >> PLACES) & np.uint32(31)


# ---- an index over a corpus


def candidates(tables: Sequence[Table]) -> list[tuple[int, int]]:
    """Pairs i < j of clips with enough landmarks that match, in the same order and at about the same distances.

    Time and memory grow with the number of clips, not of pairs: numbers that are common vote for few.
    """
    used = np.flatnonzero([len(table) for table in tables]).tolist()  # clips without landmarks are not counted
    every = np.concatenate([np.zeros((0, 2), np.uint32), *tables])
    counts = np.array([len(tables[which]) for which in used], dtype=np.int64)
    clips = np.repeat(np.arange(len(used)), counts)
    order = np.argsort(every[:, 0], kind="stable")  # of equal numbers in the order of clips and frames
    index = _index(every[order], clips[order])
    corpus = _Corpus(counts, every[:, 0], clips << FRAME_BITS | _frames(every))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    found, doubtful = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start, end in _chunks(counts):
        asked = slice(start, end)
        votes = [_votes(index, every[asked], clips[asked], place[asked], flip) for flip in range(2**WEAK)]
        enough, almost = _agreed(np.concatenate(votes), corpus, int(clips[start]))
        found.append(enough)
        doubtful.append(almost)
    sure = set(np.concatenate(found).tolist())
    both = sorted(sure.union(np.concatenate(doubtful).tolist()))
    pairs = [(used[pair // len(used)], used[pair % len(used)], pair in sure) for pair in both]
    return [(one, two) for one, two, known in pairs if known or _several(tables[one], tables[two])]


class _Corpus(NamedTuple):
    """How many landmarks each clip has; of every landmark the number and, in order, clip and frame as one number."""

    counts: Numbers
    numbers: NDArray[np.uint32]
    places: Numbers


class _Index(NamedTuple):
    """Every landmark of a corpus, sorted by number, clip and frame."""

    numbers: NDArray[np.uint32]
    sizes: Numbers  # of the first of equal numbers, how many there are
    clips: Numbers
    frames: Numbers


def _index(table: Table, clips: Numbers) -> _Index:
    numbers = np.ascontiguousarray(table[:, 0])
    starts = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]])[: len(numbers)])
    sizes = np.zeros(len(numbers), np.int64)
    sizes[starts] = np.diff(np.append(starts, len(numbers)))
    return _Index(numbers, sizes, clips, _frames(table))


def _frames(table: Table) -> Numbers:
    return (table[:, 1] & np.uint32(0xFFFF)).astype(np.int64)


def _chunks(counts: Numbers) -> Iterator[tuple[int, int]]:
    """Stretches of landmarks: whole clips, together about CHUNK of them."""
    ends = np.cumsum(counts)
    start = 0
    while len(ends) and start < ends[-1]:
        end = int(ends[np.searchsorted(ends, min(start + CHUNK, ends[-1]))])
        yield start, end
        start = end


def _votes(index: _Index, asked: Table, clips: Numbers, place: Numbers, flip: int) -> Numbers:
    """Which other clips have the number of each landmark, some of its weak bits flipped; packed as `_agreed` reads."""
    chosen = np.array([flip >> bit & 1 for bit in range(WEAK)], np.uint32)
    wanted = asked[:, 0] ^ np.bitwise_or.reduce((np.uint32(1) << _weakest(asked)) * chosen, axis=1)
    asker = np.argsort(wanted)  # a search in order stays in the cache: half the time at 100,000 clips, and linear
    left = np.searchsorted(index.numbers, wanted[asker])
    left[left == len(index.numbers)] = 0
    found = index.numbers[left] == wanted[asker]
    asker, left = asker[found], left[found]
    right = left + index.sizes[left]
    crowded = right - left > CROWD
    left = np.where(crowded, place[asker] + 1 if not flip else right, left)
    right = np.where(crowded, np.minimum(left + NEIGHBOURS, right), right)
    length = right - left
    asker = np.repeat(asker, length)
    other = np.arange(length.sum()) + np.repeat(left - (np.cumsum(length) - length), length)
    mine, theirs = clips[asker], index.clips[other]
    kept = mine != theirs
    pair = (mine[kept] - clips[0]) << CLIP_BITS | theirs[kept]
    votes: Numbers = pair << 2 * FRAME_BITS | _frames(asked)[asker[kept]] << FRAME_BITS | index.frames[other[kept]]
    return votes


def _agreed(votes: Numbers, corpus: _Corpus, first: int) -> tuple[Numbers, Numbers]:
    """The pairs (as i x clips + j, i < j) for which enough votes say that one clip is the other, up to its speed.

    And those of short clips for which only one does, and a landmark that is almost the same.
    """
    votes = np.sort(votes)
    votes = votes[np.concatenate([[True], votes[1:] != votes[:-1]])[: len(votes)]]
    pair, mine, theirs = votes >> 2 * FRAME_BITS, votes >> FRAME_BITS & MOST_FRAMES, votes & MOST_FRAMES
    agrees = np.zeros(len(pair), np.int64)
    for apart in range(1, WEAK + 1):  # a false match may stand between two right ones
        ours, others = mine[apart:] - mine[:-apart], theirs[apart:] - theirs[:-apart]
        same = (ours > 0) & (pair[apart:] == pair[:-apart])
        close = same & (np.abs(others - ours) <= CLOSE + ours * (SPEEDS[-1] - 1))
        exact = same & (np.abs(others - ours) < CLOSE)  # at the same speed, which chance seldom gives
        agrees[apart:] = np.maximum(agrees[apart:], close.astype(np.int64) + exact)
    if not len(pair):
        return pair, pair
    starts = np.flatnonzero(np.concatenate([[True], pair[1:] != pair[:-1]]))
    pairs, agreed = pair[starts], np.add.reduceat(agrees, starts)
    counts = corpus.counts
    one, two = (pairs >> CLIP_BITS) + first, pairs & (2**CLIP_BITS - 1)
    short = np.minimum(counts[one], counts[two]) < FEW
    enough = agreed >= np.where(short, *NEEDED)
    sizes = np.diff(np.append(starts, len(pair)))
    alone = np.repeat(short & ~enough, sizes)
    which = np.repeat(np.arange(len(pairs)), sizes)[alone]
    almost = _almost(corpus, one[which] << FRAME_BITS | mine[alone], two[which] << FRAME_BITS | theirs[alone])
    found: Numbers = np.minimum(one, two) * len(counts) + np.maximum(one, two)
    return found[enough], found[np.unique(which[almost])]


def _almost(corpus: _Corpus, ours: Numbers, theirs: Numbers) -> NDArray[np.bool_]:
    """Of landmarks that match, given by clip and frame: whether one beside them almost does, at about that distance."""
    ours, theirs = (np.searchsorted(corpus.places, each) for each in (ours, theirs))
    almost = np.zeros(len(ours), bool)
    for step in (-1, 1):
        (these, ahead), (those, further) = (_next(corpus, each, step) for each in (ours, theirs))
        near = np.abs(ahead - further) <= CLOSE + np.abs(ahead) * (SPEEDS[-1] - 1)
        differ = np.bitwise_count(corpus.numbers[these] ^ corpus.numbers[those])
        almost |= near & (ahead != 0) & (further != 0) & (differ <= ALMOST)
    return almost


def _next(corpus: _Corpus, at: Numbers, step: int) -> tuple[Numbers, Numbers]:
    """The landmarks `step` further in the same clip, and by how many frames; 0 frames where there is none."""
    there = np.clip(at + step, 0, len(corpus.places) - 1)
    inside = corpus.places[there] >> FRAME_BITS == corpus.places[at] >> FRAME_BITS
    return there, np.where(inside, corpus.places[there] - corpus.places[at], 0)
