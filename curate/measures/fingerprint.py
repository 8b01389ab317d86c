"""Near-duplicate audio: fingerprints that survive gain, trimming, MP3, resampling, light noise, another speed or room.

After Haitsma & Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002): one 32-bit number per frame, each
bit the sign of a difference of band energies across frequency and time. A frame without sound, or without change, says
nothing and is left out. The bands overlap and lie 5.9 % apart, so that a clip played faster is compared with its bits
moved by a band. Which clips are compared, and at which speed, is found by `landmarks`. A clip with too few frames that
say something is a single word, which is compared by its waveform (`single_words`); `print_layout` is a print as bytes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE, resample
from curate.manifest import COLUMNS
from curate.measures import coherence, equal_frames, landmarks, print_layout, single_words
from curate.measures.alignment import (
    FLOOR,
    LEAST,
    STEPS,
    Alignment,
    Judged,
    Levels,
    Side,
    all_through,
    likeness,
)
from curate.measures.decimation import LISTENING, Band, decimated
from curate.measures.equal_frames import NOTHING, Print
from curate.measures.shared_part import each_goes_on
from curate.measures.spectra import Samples, cuts, finite, hann, quantiles
from curate.measures.wander import Wander, wander

VERSION = 9  # of a clip's print: raise it when an answer changes, it enters the fingerprint
SIMILAR_VERSION = 9  # of the pairs that sound alike

RATE = 5000  # Hz: all that is looked at lies under 2.2 kHz
BAND = Band(RATE, 2200.0, 2800.0, 80.0)
WINDOW, HOP = 1280, 100  # samples: 256 ms, 20 ms; at 92 % overlap a trim between two frames changes little
LOW, HIGH, BANDS = 300.0, 2000.0, 33  # Hz: kept by telephones and low bit-rates; 33 bands give 32 bits
AT_ONCE = 48  # frames transformed at a time: they stay in the processor's cache
WIDTH = 1.5  # half of a band, in distances between bands: with narrow ones a half-way shift finds nothing alike
QUIET = 30.0  # dB under the loudest frames: what noise or a codec may change
LEVEL = 2.0  # dB from one level to the next
STEADY = 1e-3  # a frame whose bands move by less than this share of their sum is a tone; its signs are rounding errors
SILENT = 1e-4  # a peak under -80 dBFS is silence
THRESHOLD = 0.4  # measured: see docs/measures/duplicates.md
SURE = 0.8  # as alike as this at the same speed: no other is tried
NO_TAKE = 0.7  # as alike as this are no two takes
TEMPO = 0.13  # by so much more than the waveforms do the bits agree where a tempo was changed: there 0.14 and more
REFINED = 1.0  # frames by which the ends of two clips must part for their speed to be told anew
TAKE = 0.25  # what two takes are called: less than any threshold
SHORT, MANY = (0.1, 3.0), 2 * LEAST  # seconds, and frames that say something, of a clip that is looked at as a word


def fingerprint(samples: Samples, rate: int) -> bytes:
    """The print of a clip: 6.5 bytes per 20 ms, 8 per landmark; none for silence and steady sound.

    Of short clips (under 1.6 s of sound in 3 s) 2.05 kB a second besides; those alone where there is under 0.8 s.
    """
    if rate > LISTENING_RATE:  # in two steps: the first is made for other measures too
        samples, rate = decimated(samples, rate, LISTENING), LISTENING_RATE
    clean = finite(samples)
    peak = max(clean.max(initial=0.0), -clean.min(initial=0.0))
    if peak < SILENT or rate <= 0:
        return b""
    sound = decimated(clean / peak, rate, BAND) if rate > RATE else resample(clean / peak, rate, RATE)
    energy = _energy(sound)
    numbers, levels = _described(energy)
    told = np.count_nonzero(numbers)
    short = told < MANY and SHORT[0] * RATE <= len(sound) <= SHORT[1] * RATE
    word = single_words.packed(clean / peak, rate) if short else print_layout.NO_WORD
    if told >= LEAST:
        return print_layout.packed(numbers, landmarks.find(energy), levels, coherence.signs(sound), word)
    if not len(word):
        return b""
    return print_layout.packed(numbers[:0], landmarks.find(energy[:0]), levels[:0], print_layout.NO_WORD, word)


def _described(energy: NDArray[np.float32]) -> tuple[Print, Levels]:
    """The frames, NOTHING where they say nothing, and their levels."""
    if len(energy) < 2:
        return np.zeros(0, np.uint32), np.zeros(0, np.uint8)
    slope = energy[:, :-1] - energy[:, 1:]
    moved = slope[1:] - slope[:-1]
    numbers = np.packbits(moved > 0, axis=1, bitorder="little").view("<u4").ravel().astype(np.uint32)
    numbers[numbers == NOTHING] = 1
    total = energy[1:].sum(axis=1)
    top = quantiles(total, (0.95,))[0]
    numbers[~_telling(total, top, moved)] = NOTHING
    return numbers, _levels(total, top)


def similarity(a: bytes, b: bytes) -> float:
    """How alike two prints are at their best offset: 1 the same, 0 no more than chance. Empty prints are like nothing.

    1 - 2 x the share of bits that differ, over the frames both have; at least half of the shorter print must overlap.
    Where the landmarks say that one is faster, they are also compared at that speed, at the same pitch and at the pitch
    that goes with it; that one counts at which most is explained. Clips that share a jingle or their first words are as
    alike as the least alike 0.5 s of them, and those that differ by a word as that word (`alignment`). Words alone are
    compared by their waveforms (`single_words`).
    """
    if not a or not b:
        return 0.0
    a, b = sorted((a, b), key=print_layout.order)
    if print_layout.is_word(a) or print_layout.is_word(b):
        return _word_similarity(print_layout.word(a), print_layout.word(b))
    first, second = print_layout.frames(a), print_layout.frames(b)
    compared = [_compared(first, second, 1.0, 0)]
    if compared[0].judged.explained < SURE:
        faster = landmarks.speed(print_layout.marks(a), print_layout.marks(b))
        if faster != 1:
            compared += [_compared(first, second, faster, shift) for shift in _shifts(faster)]
    best = max(compared, key=_explained)
    if best.judged.alike < FLOOR:
        return _rounded(best.judged.alike)
    if each_goes_on(Alignment(first, best.second, best.shift, 0), best.judged):
        return min(TAKE, _rounded(best.judged.alike))
    if best.judged.explained < NO_TAKE:
        best = _refined(first, second, best)
    heard = coherence.heard(print_layout.wave(a, first), print_layout.wave(b, second), best.judged.path, best.faster)
    if _another(first, best, heard):
        return min(TAKE, _rounded(best.judged.alike))
    return _rounded(best.judged.alike)


def _word_similarity(one: single_words.Packed, other: single_words.Packed, *, faster: bool = True) -> float:
    """How coherent two words are, if they are copies, maybe at another speed; else no more than takes are called."""
    if not len(one) or not len(other):
        return 0.0
    found = single_words.alike(one, other, faster=faster)
    return _rounded(found.whole if found.is_copy() else min(TAKE, found.whole))


def _rounded(alike: float) -> float:
    return round(float(np.clip(alike, 0.0, 1.0)), 6)


def pairs(prints: Sequence[bytes], threshold: float = THRESHOLD) -> list[tuple[int, int, float]]:
    """All pairs i < j of a corpus whose similarity reaches the threshold, in order.

    Compared are those that have equal frames or whose landmarks agree. What is found over 50 times counts only between
    neighbours in order, so a sound copied more often than that is found as a chain, not as every pair.
    """
    likely = {
        *equal_frames.candidates([print_layout.numbers(p) for p in prints]),
        *landmarks.candidates([print_layout.marks(p) for p in prints]),
    }
    compared = {(i, j): similarity(prints[i], prints[j]) for i, j in likely} | dict(_word_pairs(prints))
    return [(i, j, alike) for (i, j), alike in sorted(compared.items()) if alike >= threshold]


def _word_pairs(prints: Sequence[bytes]) -> Iterator[tuple[tuple[int, int], float]]:
    """Words alone that may be copies of other short clips, and how alike they are."""
    words = [print_layout.word(p) for p in prints]
    frames = [single_words.frames(word) for word in words]
    alone = [print_layout.is_word(p) for p in prints]
    played = [each[speed] for speed in range(1, len(single_words.WINDOWS)) for each in frames]
    likely = equal_frames.short_candidates([each[0] for each in frames], played)
    for (i, j), faster in likely.items():
        if alone[i] or alone[j]:
            one, other = sorted((i, j), key=lambda each: print_layout.order(prints[each]))
            yield (i, j), _word_similarity(words[one], words[other], faster=faster)


# ---- frames


def _energy(sound: Samples) -> NDArray[np.float32]:
    """Energy (frames, bands) in bands evenly spaced by logarithm."""
    import scipy.fft  # slow to import

    if len(sound) < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    cut = cuts(sound, WINDOW, HOP)
    (first, bands), window = _bands(), hann(WINDOW)
    energy = np.empty((len(cut), BANDS), np.float32)
    shaped = np.empty((AT_ONCE, WINDOW), np.float32)
    power = np.empty((AT_ONCE, len(bands)), np.float32)
    for at in range(0, len(cut), AT_ONCE):
        some = cut[at : at + AT_ONCE]
        spectrum = scipy.fft.rfft(np.multiply(some, window, out=shaped[: len(some)]), axis=1, overwrite_x=True)
        part = np.abs(spectrum[:, first : first + len(bands)], out=power[: len(some)])
        np.matmul(np.square(part, out=part), bands, out=energy[at : at + AT_ONCE])
    return energy


@functools.cache
def _bands() -> tuple[int, Samples]:
    """The first bin; and (bins, bands): how much of each bin's power from there on a band takes.

    Raised cosines over the logarithm of frequency.
    """
    step = math.log(HIGH / LOW) / BANDS
    top = math.ceil(HIGH * math.exp(WIDTH * step) * WINDOW / RATE)
    place = (
        np.log(np.maximum(np.arange(top), 0.5) * RATE / WINDOW / LOW) / step - 0.5
    )  # in bands: 0 is the lowest's middle
    apart = np.abs(place[:, None] - np.arange(BANDS)) / WIDTH
    taken = np.where(apart < 1, 1 + np.cos(np.pi * apart), 0).astype(np.float32)
    first = int(taken.any(axis=1).argmax())
    return first, taken[first:].copy()


def _telling(total: NDArray[np.float32], top: float, moved: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Frames that are loud enough and change."""
    loud = total > top * 10 ** (-QUIET / 10)
    return np.asarray(loud & (np.abs(moved).sum(axis=1) > STEADY * total))


def _levels(total: NDArray[np.float32], top: float) -> Levels:
    """How far each frame lies under the loud ones, in levels."""
    under = np.log10(np.maximum(total / top, 1e-4)) * (-10 / LEVEL)
    return np.asarray(np.clip(under, 0, STEPS - 1), np.uint8)


# ---- comparing


class _Compared(NamedTuple):
    """Two prints beside each other, the second `faster` times as fast and its bits `shift` higher."""

    judged: Judged
    second: Side  # at that speed
    faster: float
    shift: int


def _compared(first: Side, second: Side, faster: float, shift: int) -> _Compared:
    if faster != 1:
        at = np.rint(np.arange(int(len(second.numbers) * faster)) / faster).astype(np.int64)
        second = Side(second.numbers[at], second.levels[at])
    best, offset = likeness(first.numbers, second.numbers, shift)
    judged = all_through(best, Alignment(first, second, shift, offset))
    return _Compared(judged, second, faster, shift)


def _shifts(faster: float) -> Iterable[int]:
    """Bands by which a clip so much faster may be higher: not at all, or as it is where it is played faster."""
    steps = math.log(faster) / (math.log(HIGH / LOW) / BANDS)
    return dict.fromkeys((0, math.floor(steps), math.ceil(steps)))


def _explained(compared: _Compared) -> tuple[float, float]:
    return compared.judged.explained, compared.judged.alike


def _refined(first: Side, second: Side, compared: _Compared) -> _Compared:
    """The same, at the speed that fits better, told from the prints themselves."""
    seen = _wander(first, compared)
    if seen is None or abs(seen.slope) * len(compared.second.numbers) <= REFINED:
        return compared
    faster = compared.faster * (1 + seen.slope)
    finer = max((_compared(first, second, faster, shift) for shift in _shifts(faster)), key=_explained)
    return max(compared, finer, key=lambda each: each.judged.explained)


def _another(first: Side, compared: _Compared, heard: coherence.Heard | None) -> bool:
    """Whether it is another take of the words, or another word was put into it.

    A tempo changed at the same pitch leaves no waveform in one piece: such a copy agrees by its bits alone.
    """
    judged = compared.judged
    if judged.explained >= NO_TAKE:
        return heard is not None and heard.another_word and heard.alike > judged.explained - TEMPO
    if heard is None:  # too little of it is loud
        seen = _wander(first, compared)
        return seen is not None and seen.is_take(judged.alike, compared.faster)
    return heard.is_take(judged.explained) or heard.another_word


def _wander(first: Side, compared: _Compared) -> Wander | None:
    return wander(first.numbers, compared.second.numbers, compared.shift, compared.judged.path)


# ---- the corpus as a whole


def similar_clips(clips: pl.DataFrame) -> pl.DataFrame:
    """For each clip with a fingerprint, the clips that sound like it: columns id, similar."""
    printed = clips.filter(pl.col("fingerprint").is_not_null())
    ids, prints = printed["id"].to_list(), printed["fingerprint"].to_list()
    alike = {(i, j): how_much for i, j, how_much in pairs(prints, FLOOR)}
    for first, other in _uncompared(alike, len(prints)):
        how_much = similarity(prints[first], prints[other])
        if how_much >= FLOOR:
            alike[first, other] = how_much
    similar: dict[str, list[dict[str, object]]] = {each: [] for each in ids}
    for (first, second), how_much in sorted(alike.items()):
        similar[ids[first]].append({"id": ids[second], "similarity": round(how_much, 4)})
        similar[ids[second]].append({"id": ids[first], "similarity": round(how_much, 4)})
    schema = {"id": pl.String, "similar": COLUMNS["similar"].dtype}
    return pl.DataFrame([{"id": each, "similar": those} for each, those in similar.items()], schema=schema)


def _uncompared(alike: Mapping[tuple[int, int], float], count: int) -> Iterator[tuple[int, int]]:
    """The first of each family with those of it that it was not compared with (of many copies only neighbours are)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not alike:
        return
    ends = np.array(list(alike)).T
    graph = coo_array((np.ones(ends.shape[1], np.int8), (ends[0], ends[1])), shape=(count, count))
    _, family = connected_components(graph, directed=False)
    first_of: dict[int, int] = {}
    for member in np.unique(ends).tolist():
        first = first_of.setdefault(int(family[member]), member)
        if member != first and (first, member) not in alike:
            yield first, member
