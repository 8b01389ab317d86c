"""Whether two stretches of speech say the same: cepstra of the speech alone, held against each other frame by frame.

Features: 13 mel cepstra every 20 ms, the first (level) left out, each brought to mean 0 and deviation 1 over the file,
then every frame to length 1. So level, room and channel do not matter, and the product of two frames is their likeness.
"""

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curate.models.silero import Samples

RATE = 16_000
WINDOW, HOP = 512, 320  # samples
HOP_SECONDS = HOP / RATE
BANDS, CEPSTRA = 24, 13
LOW, HIGH = 80.0, 7600.0  # Hz
DEPTH = 60.0  # dB under the loudest: below it there is nothing to compare

Features = NDArray[np.float64]


def features(speech: Samples) -> Features:
    """(frames, 13) of 16 kHz speech, silence cut away before; empty where there is nothing."""
    import scipy.fft  # slow to import

    if len(speech) < WINDOW or not speech.any():
        return np.zeros((0, CEPSTRA))
    frames = np.lib.stride_tricks.sliding_window_view(speech.astype(np.float64), WINDOW)[::HOP] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    level = 10 * np.log10(power @ _filters().T + 1e-10)
    cepstra = scipy.fft.dct(np.maximum(level, level.max() - DEPTH), axis=1, norm="ortho")[:, 1 : CEPSTRA + 1]
    scaled = (cepstra - cepstra.mean(axis=0)) / (cepstra.std(axis=0) + 1e-3)
    return np.asarray(scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-9))


def repeats(own: Features, seconds: float, *, drift: int = 2) -> float:
    """How alike the two most alike stretches of that length are, one after the other: 1 for a copy.

    They may drift apart by `drift` frames, so that what is said again a little faster is still the same.
    """
    width = round(seconds / HOP_SECONDS)
    if len(own) < 2 * width:
        return 0.0
    alike = own @ own.T
    loose = alike.copy()
    for shift in range(1, drift + 1):
        loose[:, shift:] = np.maximum(loose[:, shift:], alike[:, :-shift])
        loose[:, :-shift] = np.maximum(loose[:, :-shift], alike[:, shift:])
    best = 0.0
    for lag in range(width, len(own) - width + 1):
        sums = np.concatenate([[0.0], np.cumsum(np.diagonal(loose, lag))])
        best = max(best, float((sums[width:] - sums[:-width]).max()) / width)
    return best


def sameness(one: Features, other: Features) -> float:
    """How alike two sounds are from end to end, along the best alignment in time: 1 for copies.

    Dynamic time warping with the symmetric weights of Sakoe and Chiba (1978), filled along the antidiagonals, on which
    no cell needs another.
    """
    rows, columns = len(one), len(other)
    if not rows or not columns:
        return 0.0
    cost = 1 - one @ other.T
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(2, rows + columns + 1):
        i = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        j = diagonal - i
        here = cost[i - 1, j - 1]
        steps = np.stack([total[i - 1, j - 1] + 2 * here, total[i - 1, j] + here, total[i, j - 1] + here])
        total[i, j] = steps.min(axis=0)
    return float(1 - total[rows, columns] / (rows + columns))


def join(sound: Samples, speech: Sequence[tuple[int, int]]) -> Samples:
    """The speech of a sound alone."""
    from curate.measures.agreement import speech_only

    return speech_only(sound, speech)


@functools.cache
def _filters() -> NDArray[np.float64]:
    """Triangles, (bands, bins), even on the mel scale."""
    bins = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    edges = np.linspace(_mel(LOW), _mel(HIGH), BANDS + 2)
    at = 2595 * np.log10(1 + bins / 700)
    rising = (at[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - at[None]) / (edges[2:] - edges[1:-1])[:, None]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)), dtype=np.float64)


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))
