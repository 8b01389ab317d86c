"""Whether the first or last word of a clip was cut off."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from curate.measures.spectra import Samples, finite, ones, quantiles

VERSION = 6  # raise it when an answer changes: it enters the fingerprint

EDGE_SECONDS = 0.04  # three pitch periods of a low voice; short enough not to reach a word that starts after a breath
FRAME_SECONDS = 0.02
FLOOR_SHARE = 0.1  # the quietest tenth of the frames stands for the background
PAUSE_SECONDS = 0.3  # a sound at the edge with a pause this long before the speech is a click or a breath
ROUNDED = 0.01  # of the square of a mean: what varies by less is found around that mean
LOWEST_DB = -80.0  # the floor of the answer: silence at the edge


class Edges(NamedTuple):
    """How loud a clip's two edges are: decibels over its own speech level; 0 is as loud as the speech."""

    head: float
    tail: float


def edge_levels(samples: Samples, rate: int, spans: Sequence[tuple[int, int]]) -> Edges | None:
    """The level of the first and last 40 ms above the background, relative to the speech in `spans`.

    A word that was cut is loud right at the edge; a whole one leaves a pause, a breath or its own decay. The
    background (the quietest tenth of the frames) is taken off, so a noisy clip is not mistaken for a cut one. An edge
    with a pause between it and the speech is silent (-80). A cut inside a pause, or inside the closure of a stop
    consonant, cannot be seen this way. None without speech. Spans are half-open, in samples of this clip.
    """
    signal = finite(samples)
    inside = [(max(0, start), min(end, len(signal))) for start, end in spans if max(0, start) < min(end, len(signal))]
    level = _level([signal[start:end] for start, end in inside])
    if not level > 0:  # no speech
        return None
    floor = float(quantiles(_frame_powers(signal, round(FRAME_SECONDS * rate)), (FLOOR_SHARE,))[0])
    width, pause = round(EDGE_SECONDS * rate), round(PAUSE_SECONDS * rate)
    gaps = min(start for start, _ in inside), len(signal) - max(end for _, end in inside)
    edges = (signal[:width], signal[-width:])
    above = (_power(edge) - floor if gap < pause else 0.0 for edge, gap in zip(edges, gaps, strict=True))
    return Edges(*(_decibels(power / level) for power in above))


def _level(parts: Sequence[Samples]) -> float:
    """Mean square of all parts around their common mean; 0 for nothing."""
    count = max(1, sum(map(len, parts)))
    mean = sum(float(part.sum()) for part in parts) / count
    return sum(float(part @ part) for part in parts) / count - mean * mean


def _power(signal: Samples) -> float:
    """Mean square around the mean, so that a constant offset is no sound; 0 for nothing."""
    moved = signal - signal.mean() if len(signal) else signal
    return float(moved @ moved) / max(1, len(signal))


def _frame_powers(signal: Samples, width: int) -> Samples:
    """Mean square around the mean of each whole frame; the clip is one frame where it is shorter than that."""
    count = max(1, len(signal) // width)
    frames = signal[: count * width].reshape(count, -1)
    size = np.float32(frames.shape[1])
    means = np.vecdot(frames, ones(frames.shape[1])) / size
    powers = np.asarray(np.vecdot(frames, frames) / size)
    offset = np.square(means)
    powers -= offset
    far = powers < ROUNDED * offset  # a difference of what is nearly equal
    if far.any():
        moved = frames[far] - means[far, None]
        powers[far] = np.vecdot(moved, moved) / size
    return powers


def _decibels(ratio: float) -> float:
    return max(LOWEST_DB, 10 * float(np.log10(ratio))) if ratio > 0 else LOWEST_DB
