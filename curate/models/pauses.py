"""Short pauses inside speech: where a stretch that is too long for a clip may be cut without cutting a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Span = tuple[int, int]

VERSION = 1  # raise it when an answer changes: it enters the fingerprint
FRAME = 128  # samples at 16 kHz: 8 ms
AROUND = 250  # frames (2 s) on either side that tell how loud speech and background are there
# A pause is quieter than this share of the way from the background to the speech, in dB, and no speech to the model; or
# the model is as sure as it is of a long pause. Closures of stops are as quiet, and seldom longer than SHORTEST.
SHARE, UNSURE, SURE = 0.35, 0.8, 0.35
SHORTEST = 0.15  # seconds


def levels(samples: Floats) -> Floats:
    """The level of each whole frame in dB."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return np.asarray(10 * np.log10(frames.var(axis=1) + 1e-10), dtype=np.float32)


def find(level: Floats, probability: Floats, speech: Sequence[Span], rate: int) -> list[Span]:
    """Pauses of 0.15 s and more inside spans of speech, half-open, in samples.

    `level` and `probability` (that somebody speaks) hold one value per FRAME of the recording; spans are in samples.
    """
    found: list[Span] = []
    for start, end in speech:
        first, last = start // FRAME, min(end // FRAME, len(level), len(probability))
        if (last - first) * FRAME < 2 * SHORTEST * rate:
            continue
        loudness, sure = level[first:last], probability[first:last]
        quiet = ((loudness < _threshold(loudness)) & (sure < UNSURE)) | (sure < SURE)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
        runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        found += [
            ((first + a) * FRAME, (first + b) * FRAME)
            for a, b in runs
            if (b - a) * FRAME >= SHORTEST * rate and a > 0 and b < last - first
        ]
    return found


def _threshold(level: Floats) -> Floats:
    """Between background and speech, for each frame; both are taken from blocks of 2 s and their neighbours."""
    blocks = [level[max(0, at - AROUND) : at + 2 * AROUND] for at in range(0, len(level), AROUND)]
    floor, top = np.array([_quantiles(block) for block in blocks]).T
    return np.repeat(floor + SHARE * (top - floor), AROUND)[: len(level)].astype(np.float32)


def _quantiles(block: Floats) -> Any:
    """The quantiles 0.05 and 0.9, as np.quantile, which takes ten times that on so few values."""
    return np.interp(np.array([0.05, 0.9]) * (len(block) - 1), np.arange(len(block)), np.sort(block))
