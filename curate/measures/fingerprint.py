"""Near-duplicate audio: fingerprints that survive gain, trimming, MP3, resampling and light noise.

After Haitsma & Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002): one 32-bit number per frame, each
bit the sign of a difference of band energies across frequency and time. A frame without sound, or without change, says
nothing and is left out; a clip with too few others has an empty print, which is like nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
import soxr
from numpy.typing import NDArray

from curate.manifest import COLUMNS

VERSION = 1  # of a clip's print: raise it when an answer changes, it enters the fingerprint
SIMILAR_VERSION = 1  # of the pairs that sound alike

Samples = NDArray[np.float32]
Print = NDArray[np.uint32]

RATE = 6000  # Hz: all that is looked at lies under 2 kHz
WINDOW, HOP = (
    1536,
    120,
)  # samples: 256 ms, 20 ms; at 92 % overlap a trim between two frames changes little
LOW, HIGH, BANDS = 300.0, 2000.0, 33  # Hz: kept by telephones and low bit-rates; 33 bands give 32 bits
QUIET = 30.0  # dB under the loudest frames: what noise or a codec may change
STEADY = 1e-3  # a frame whose bands move by less than this share of their sum is a tone; its signs are rounding errors
SILENT = 1e-4  # a peak under -80 dBFS is silence
LEAST = 40  # frames (0.8 s): shorter prints agree by chance
OVERLAP = 0.5  # of the frames of the shorter print: how much two clips must share
THRESHOLD = 0.4  # measured: other speech stays under 0.29, copies over 0.8, copies clipped by 18 dB over 0.49
FLOOR = 0.3  # other speech stays below (measured: at most 0.28), so any sensible threshold can be decided
VOTES = 3  # equal frames at one offset before two clips are compared
CROWD, NEIGHBOURS = 50, 4  # a frame found more often than that is common: it votes only for its next neighbours
NOTHING = np.uint32(0)  # a frame left out; no other frame has this value


def fingerprint(samples: Samples, rate: int) -> bytes:
    """The print of a clip: 4 bytes per 20 ms, or none for silence, steady sound and clips with under 0.8 s of sound."""
    clean = np.nan_to_num(np.ravel(samples).astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    peak = float(np.abs(clean).max(initial=0.0))
    if peak < SILENT or rate <= 0:
        return b""
    sound = soxr.resample(clean / peak, rate, RATE, quality="HQ") if rate != RATE else clean / peak
    energy = _energy(sound)
    if len(energy) <= LEAST:
        return b""
    slope = energy[:, :-1] - energy[:, 1:]
    moved = slope[1:] - slope[:-1]
    numbers = ((moved > 0) << np.arange(BANDS - 1, dtype=np.uint32)).sum(axis=1, dtype=np.uint32)
    numbers[numbers == NOTHING] = 1
    numbers[~_telling(energy[1:], moved)] = NOTHING
    return numbers.astype("<u4").tobytes() if np.count_nonzero(numbers) >= LEAST else b""


def similarity(a: bytes, b: bytes) -> float:
    """How alike two prints are at their best offset: 1 the same, 0 no more than chance. Empty prints are like nothing.

    1 - 2 x the share of bits that differ, over the frames both have; at least half of the shorter print must overlap.
    """
    import scipy.fft  # slow to import

    if not a or not b:
        return 0.0
    first, second = _numbers(a), _numbers(b)
    size = scipy.fft.next_fast_len(len(first) + len(second), real=True)
    signs, frames = _correlated(_signs(first), _signs(second), size)
    least = max(LEAST, OVERLAP * min(np.count_nonzero(first), np.count_nonzero(second)))
    enough = np.rint(frames) >= least
    if not enough.any():
        return 0.0
    alike = signs[enough] / (frames[enough] * (BANDS - 1))
    return round(float(np.clip(alike.max(), 0.0, 1.0)), 6)


def pairs(prints: Sequence[bytes], threshold: float = THRESHOLD) -> list[tuple[int, int, float]]:
    """All pairs i < j of a corpus whose similarity reaches the threshold, in order.

    Two prints are compared where three of their frames are equal at one offset. A frame found over 50 times counts only
    between neighbours in order, so a sound copied more often than that is found as a chain, not as every pair.
    """
    compared = ((i, j, similarity(prints[i], prints[j])) for i, j in _candidates(prints))
    return [(i, j, alike) for i, j, alike in compared if alike >= threshold]


# ---- frames


def _energy(sound: Samples) -> NDArray[np.float64]:
    """Energy (frames, bands) in bands evenly spaced by logarithm."""
    import scipy.fft  # slow to import
    import scipy.signal  # slow to import

    if len(sound) < WINDOW:
        return np.zeros((0, BANDS))
    cut = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    spectrum = scipy.fft.rfft(cut * scipy.signal.get_window("hann", WINDOW).astype(np.float32), axis=1)
    power = spectrum.real.astype(np.float64) ** 2 + spectrum.imag.astype(np.float64) ** 2
    edges = np.round(np.geomspace(LOW, HIGH, BANDS + 1) * WINDOW / RATE).astype(int)
    return np.asarray(np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1))


def _telling(energy: NDArray[np.float64], moved: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Frames that are loud enough and change."""
    total = energy.sum(axis=1)
    loud = total > np.quantile(total, 0.95) * 10 ** (-QUIET / 10)
    return np.asarray(loud & (np.abs(moved).sum(axis=1) > STEADY * total))


# ---- comparing


def _numbers(print_: bytes) -> Print:
    return np.frombuffer(print_, dtype="<u4").astype(np.uint32)


def _signs(numbers: Print) -> Samples:
    """(33, frames): each bit as +1 or -1, 0 in frames left out; the last row is 1 in the others."""
    bits = (numbers >> np.arange(BANDS - 1, dtype=np.uint32)[:, None]) & np.uint32(1)
    kept = (numbers != NOTHING).astype(np.float32)
    return np.concatenate([(2 * bits.astype(np.float32) - 1) * kept, kept[None]])


def _correlated(a: Samples, b: Samples, size: int) -> tuple[Samples, Samples]:
    """Per offset: bits that agree less bits that differ, and the frames both have."""
    import scipy.fft  # slow to import

    product = scipy.fft.rfft(a, size, axis=1) * scipy.fft.rfft(b, size, axis=1).conj()
    both = scipy.fft.irfft(np.stack([product[:-1].sum(axis=0), product[-1]]), size, axis=1)
    return both[0], both[1]


# ---- an index over a corpus


def _candidates(prints: Sequence[bytes]) -> list[tuple[int, int]]:
    """Pairs i < j that share enough frames at one offset, in order."""
    numbers, clips, places = _postings(prints)
    votes = [np.zeros(0, np.int64)]
    crowded = _sizes(numbers) > CROWD
    for apart in range(1, CROWD):
        left = np.flatnonzero(numbers[apart:] == numbers[:-apart])
        left = left[~crowded[left]] if apart > NEIGHBOURS else left
        left = left[clips[left] != clips[left + apart]]
        pair = clips[left] * len(prints) + clips[left + apart]
        votes.append((pair << 20) + places[left] - places[left + apart] + (1 << 19))
    return [divmod(pair, len(prints)) for pair in _voted(np.concatenate(votes))]


def _postings(prints: Sequence[bytes]) -> tuple[Print, NDArray[np.int64], NDArray[np.int64]]:
    """Number, clip and place of each frame that differs from the one before it, sorted by number, clip, place."""
    rows = [_numbers(one) for one in prints]
    numbers = np.concatenate([np.zeros(0, np.uint32), *rows])
    clips = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    places = np.concatenate([np.zeros(0, np.int64), *(np.arange(len(row)) for row in rows)])
    used = np.flatnonzero((numbers != NOTHING) & (numbers != np.concatenate([[NOTHING], numbers[:-1]])))
    order = used[np.argsort(numbers[used], kind="stable")]
    return numbers[order], clips[order], places[order]


def _sizes(numbers: Print) -> NDArray[np.int64]:
    """For each of the sorted numbers, how many are equal to it."""
    _, counts = np.unique(numbers, return_counts=True)
    return np.repeat(counts, counts)


def _voted(votes: NDArray[np.int64]) -> list[int]:
    """The pairs that enough votes name at about one offset (80 ms; in two grids, so that no edge parts them)."""
    good = [np.zeros(0, np.int64)]
    for shift in (0, 2):
        values, counts = np.unique((votes + shift) >> 2, return_counts=True)
        good.append(values[counts >= VOTES] >> 18)
    return [int(pair) for pair in np.unique(np.concatenate(good))]


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
