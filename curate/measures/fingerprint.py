"""Near-duplicate audio: fingerprints that survive gain, trimming, MP3, resampling, light noise, another speed or room.

After Haitsma & Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002): one 32-bit number per frame, each
bit the sign of a difference of band energies across frequency and time. A frame without sound, or without change, says
nothing and is left out; a clip with too few others has an empty print, which is like nothing else. The bands overlap
and lie 5.9 % apart, so that a clip played faster is compared with its bits moved by a band. Which clips are compared,
and at which speed, is found by `landmarks`, which a print begins with.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
import soxr
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE, resample
from curate.manifest import COLUMNS
from curate.measures import equal_frames, landmarks
from curate.measures.equal_frames import NOTHING
from curate.measures.spectra import Samples, finite, hann, power_of, quantiles

VERSION = 5  # of a clip's print: raise it when an answer changes, it enters the fingerprint
SIMILAR_VERSION = 4  # of the pairs that sound alike

Print = NDArray[np.uint32]

RATE = 5000  # Hz: all that is looked at lies under 2.2 kHz
WINDOW, HOP = 1280, 100  # samples: 256 ms, 20 ms; at 92 % overlap a trim between two frames changes little
LOW, HIGH, BANDS = 300.0, 2000.0, 33  # Hz: kept by telephones and low bit-rates; 33 bands give 32 bits
AT_ONCE = 48  # frames transformed at a time: they stay in the processor's cache
WIDTH = 1.5  # half of a band, in distances between bands: with narrow ones a half-way shift finds nothing alike
QUIET = 30.0  # dB under the loudest frames: what noise or a codec may change
STEADY = 1e-3  # a frame whose bands move by less than this share of their sum is a tone; its signs are rounding errors
SILENT = 1e-4  # a peak under -80 dBFS is silence
LEAST = 40  # frames (0.8 s): shorter prints agree by chance
OVERLAP = 0.5  # of the frames of the shorter print: how much two clips must share
THRESHOLD = 0.4  # measured: see docs/measures/duplicates.md
FLOOR = 0.3  # other speech stays below, so any sensible threshold can be decided
SURE = 0.8  # as alike as this at the same speed: no other is tried
STRETCH = 25  # frames (0.5 s) of both: how short a part is looked at by itself
# A stretch under this is not the same sound: copies have 0.20 and more at 10 dB SNR, other speech at most 0.05.
UNLIKE = 0.15
MOVED = 0.45  # what is unlike there, but as alike as this elsewhere in the other clip, was moved by an edited pause
# Another word in its place is shorter. Noise makes stretches of this length as unlike, but then nine in ten others are
# not so alike: with noise at 10 dB they reach 0.72, where a word was replaced 0.78 and more.
WORD, OTHER_WORD, SURE_ELSEWHERE = 10, 0.25, 0.75
SMEAR = WINDOW // HOP  # frames that hear some of the sound beside them


def fingerprint(samples: Samples, rate: int) -> bytes:
    """The print of a clip: 4 bytes per 20 ms, 8 per landmark; none for silence, steady and short sound (0.8 s)."""
    if rate > LISTENING_RATE:  # in two steps: the first is made for other measures too
        samples, rate = resample(samples, rate, LISTENING_RATE), LISTENING_RATE
    clean = finite(samples)
    peak = max(clean.max(initial=0.0), -clean.min(initial=0.0))
    if peak < SILENT or rate <= 0:
        return b""
    sound = soxr.resample(clean / peak, rate, RATE, quality="HQ") if rate != RATE else clean / peak
    energy = _energy(sound)
    if len(energy) <= LEAST:
        return b""
    slope = energy[:, :-1] - energy[:, 1:]
    moved = slope[1:] - slope[:-1]
    numbers = np.packbits(moved > 0, axis=1, bitorder="little").view("<u4").ravel().astype(np.uint32)
    numbers[numbers == NOTHING] = 1
    numbers[~_telling(energy[1:], moved)] = NOTHING
    return packed(numbers, landmarks.find(energy)) if np.count_nonzero(numbers) >= LEAST else b""


def packed(numbers: Print, marks: landmarks.Table) -> bytes:
    """A print: how many landmarks, the landmarks, the frames; all as 32-bit numbers, little-endian."""
    return np.concatenate([[len(marks)], marks.ravel(), numbers]).astype("<u4").tobytes()


def similarity(a: bytes, b: bytes) -> float:
    """How alike two prints are at their best offset: 1 the same, 0 no more than chance. Empty prints are like nothing.

    1 - 2 x the share of bits that differ, over the frames both have; at least half of the shorter print must overlap.
    Where the landmarks say that one is faster, they are also compared at that speed, at the same pitch and at the pitch
    that goes with it. Clips that share a jingle or their first words are as alike as the least alike 0.5 s of them.
    """
    if not a or not b:
        return 0.0
    a, b = min(a, b), max(a, b)  # rounding must not depend on which comes first
    first, second = _numbers(a), _numbers(b)
    likeness, offset = _likeness(first, second)
    alike = _all_through(likeness, _Alignment(first, second, 0, offset))
    if likeness < SURE:
        faster = landmarks.speed(_marks(a), _marks(b))
        if faster != 1:
            steps = math.log(faster) / (math.log(HIGH / LOW) / BANDS)
            second = second[np.rint(np.arange(int(len(second) * faster)) / faster).astype(np.int64)]
            for shift in dict.fromkeys((0, math.floor(steps), math.ceil(steps))):
                likeness, offset = _likeness(first, second, shift)
                alike = max(alike, _all_through(likeness, _Alignment(first, second, shift, offset)))
    return round(float(np.clip(alike, 0.0, 1.0)), 6)


def pairs(prints: Sequence[bytes], threshold: float = THRESHOLD) -> list[tuple[int, int, float]]:
    """All pairs i < j of a corpus whose similarity reaches the threshold, in order.

    Compared are those that have equal frames or whose landmarks agree. What is found over 50 times counts only between
    neighbours in order, so a sound copied more often than that is found as a chain, not as every pair.
    """
    likely = {
        *equal_frames.candidates([_numbers(p) for p in prints]),
        *landmarks.candidates([_marks(p) for p in prints]),
    }
    compared = ((i, j, similarity(prints[i], prints[j])) for i, j in sorted(likely))
    return [(i, j, alike) for i, j, alike in compared if alike >= threshold]


# ---- frames


def _energy(sound: Samples) -> NDArray[np.float32]:
    """Energy (frames, bands) in bands evenly spaced by logarithm."""
    import scipy.fft  # slow to import

    if len(sound) < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    cut = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    (first, bands), window = _bands(), hann(WINDOW)
    energy = np.empty((len(cut), BANDS), np.float32)
    for at in range(0, len(cut), AT_ONCE):
        spectrum = scipy.fft.rfft(cut[at : at + AT_ONCE] * window, axis=1, overwrite_x=True)
        np.matmul(power_of(spectrum[:, first : first + len(bands)]), bands, out=energy[at : at + AT_ONCE])
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


def _telling(energy: NDArray[np.float32], moved: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Frames that are loud enough and change."""
    total = energy.sum(axis=1)
    loud = total > quantiles(total, (0.95,))[0] * 10 ** (-QUIET / 10)
    return np.asarray(loud & (np.abs(moved).sum(axis=1) > STEADY * total))


# ---- comparing


def _numbers(print_: bytes) -> Print:
    every = np.frombuffer(print_, dtype="<u4").astype(np.uint32)
    return every[1 + 2 * int(every[0]) :] if len(every) else every


def _marks(print_: bytes) -> landmarks.Table:
    every = np.frombuffer(print_, dtype="<u4").astype(np.uint32)
    return every[1 : 1 + 2 * int(every[0])].reshape(-1, 2) if len(every) else np.zeros((0, 2), np.uint32)


class _Alignment(NamedTuple):
    """Two prints where they are most alike: frame i + offset and frame i; the bits of the second are `shift` higher."""

    first: Print
    second: Print
    shift: int
    offset: int


def _likeness(first: Print, second: Print, shift: int = 0, least: float | None = None) -> tuple[float, int]:
    """The likeness of two prints at their best offset, with the bits of the second `shift` bands higher; the offset.

    `least` is how many frames they must share.
    """
    import scipy.fft  # slow to import

    size = scipy.fft.next_fast_len(len(first) + len(second), real=True)
    signs, frames = _correlated(_signs(first, max(0, -shift), shift), _signs(second, max(0, shift), -shift), size)
    if least is None:
        least = max(LEAST, OVERLAP * min(np.count_nonzero(first), np.count_nonzero(second)))
    enough = np.rint(frames) >= least
    alike = np.divide(signs, frames * (BANDS - 1 - abs(shift)), out=np.zeros_like(signs), where=enough)
    best = int(alike.argmax())
    return float(alike[best]), best if best < len(first) else best - size


def _all_through(likeness: float, at: _Alignment) -> float:
    """The likeness of two aligned prints, or that of their least alike stretch where that is another sound.

    After a pause that was shortened or lengthened the rest lies at another offset: that is no other sound, but for a
    word in it that neither offset explains.
    """
    if likeness < FLOOR:
        return likeness
    agree = _agreement(at)
    for unlike in (_unlike(agree, STRETCH, UNLIKE), _other_word(agree)):
        if unlike is None:
            continue
        part = at.second[unlike.part]
        moved, offset = _likeness(at.first, part, at.shift, OVERLAP * np.count_nonzero(part))
        if moved < MOVED:
            return unlike.likeness
        explained = np.fmax(agree, _agreement(at._replace(offset=offset - unlike.part.start)))
        explained[: unlike.part.start] = explained[unlike.part.stop :] = np.nan
        word = _unlike(explained, WORD, OTHER_WORD)
        if word and _alike_elsewhere(agree, unlike.part):
            return word.likeness
    return likeness


class _Unlike(NamedTuple):
    """Frames of the second print that are another sound in the first, and how alike the least alike stretch is."""

    part: slice
    likeness: float


def _agreement(at: _Alignment) -> Samples:
    """For each frame of the second print, how much its bits agree, -1 to 1; NaN where either says nothing."""
    start, end = max(0, -at.offset), min(len(at.second), len(at.first) - at.offset)
    agree = np.full(len(at.second), np.nan, np.float32)
    if start < end:
        first = _signs(at.first, max(0, -at.shift), at.shift)[:, start + at.offset : end + at.offset]
        second = _signs(at.second, max(0, at.shift), -at.shift)[:, start:end]
        summed = (first[:-1] * second[:-1]).sum(axis=0) / (BANDS - 1 - abs(at.shift))
        agree[start:end] = np.where(first[-1] * second[-1] > 0, summed, np.nan)
    return agree


def _unlike(agree: Samples, frames: int, bound: float) -> _Unlike | None:
    """The least alike stretch of so many frames, with all beside it that is below the bound; None where none is."""
    told = np.flatnonzero(~np.isnan(agree))
    stretches = _means(agree[told], frames)
    if not len(stretches) or stretches.min() >= bound:
        return None
    which = int(stretches.argmin())
    fine = np.flatnonzero(np.concatenate([[True], stretches >= bound, [True]])) - 1
    begin, stop = fine[fine < which][-1] + 1, fine[fine > which][0] - 1
    return _Unlike(slice(int(told[begin]), int(told[stop + frames - 1]) + 1), float(stretches[which]))


def _other_word(agree: Samples) -> _Unlike | None:
    """A word that differs in clips that are else the same."""
    word = _unlike(agree, WORD, OTHER_WORD)
    return word if word and _alike_elsewhere(agree, word.part) else None


def _alike_elsewhere(agree: Samples, part: slice) -> bool:
    """Whether nine stretches in ten outside a part are too alike for noise to have made it unlike."""
    rest = np.concatenate([agree[: max(0, part.start - SMEAR)], agree[part.stop + SMEAR :]])
    stretches = _means(rest[~np.isnan(rest)], WORD)
    return len(stretches) > 0 and bool(np.quantile(stretches, 0.1) >= SURE_ELSEWHERE)


def _means(values: Samples, count: int) -> Samples:
    """The mean of each run of so many values."""
    if len(values) < count:
        return values[:0]
    return np.convolve(values, np.full(count, 1 / count), "valid")


def _signs(numbers: Print, low: int = 0, top: int = 0) -> Samples:
    """(bits + 1, frames): each bit as +1 or -1, 0 in frames left out; the last row is 1 in the others.

    Left out are the `low` lowest bits and, where `top` is more than 0, that many of the highest.
    """
    used = np.arange(low, BANDS - 1 - max(0, top), dtype=np.uint32)
    bits = (numbers >> used[:, None]) & np.uint32(1)
    kept = (numbers != NOTHING).astype(np.float32)
    return np.concatenate([(2 * bits.astype(np.float32) - 1) * kept, kept[None]])


def _correlated(a: Samples, b: Samples, size: int) -> tuple[Samples, Samples]:
    """Per offset: bits that agree less bits that differ, and the frames both have."""
    import scipy.fft  # slow to import

    product = scipy.fft.rfft(a, size, axis=1) * scipy.fft.rfft(b, size, axis=1).conj()
    both = scipy.fft.irfft(np.stack([product[:-1].sum(axis=0), product[-1]]), size, axis=1)
    return both[0], both[1]


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
