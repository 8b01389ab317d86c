"""Power spectra of a clip, and which of them lie in speech: what noise and bandwidth are measured on.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]
Spans = Sequence[tuple[int, int]]

WINDOW, HOP = 0.032, 0.016  # seconds of one spectrum, and between two
LOWEST = 20.0  # Hz: what is lower is not heard
PAUSE_MARGIN = 0.06  # seconds beside speech that may still hold its tail
ENOUGH_FRAMES = 10  # 0.16 s: fewer say too little about what moves


@dataclass(frozen=True)
class Frames:
    """Power spectra of a clip (frames, bins), scaled so that a row sums to the frame's mean square."""

    power: Samples
    step: float  # Hz between bins
    speech: NDArray[np.bool_]  # frames whose middle lies in speech
    pause: NDArray[np.bool_]  # frames well away from it


def frames_of(samples: Floats, rate: int, speech: Spans) -> Frames:
    """The spectra of a clip's samples, every 16 ms; spans of speech are half-open, in samples of the clip."""
    import scipy.fft  # slow to import
    import scipy.signal  # slow to import

    size, hop = max(16, round(WINDOW * rate)), max(8, round(HOP * rate))
    padded = np.pad(samples, (0, max(0, size - len(samples)))).astype(np.float32)
    window = scipy.signal.get_window("hann", size).astype(np.float32)
    cut = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    level = cut.mean(axis=1, keepdims=True)  # per frame, so that digital silence stays zero
    spectrum = scipy.fft.rfft((cut - level) * window, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) * np.float32(2 / (size * float((window**2).sum())))
    power[:, : math.ceil(LOWEST * size / rate)] = 0
    middles = np.arange(len(power)) * hop + size // 2
    inside, beside = _touching(middles, speech, 0), _touching(middles, speech, round(PAUSE_MARGIN * rate))
    return Frames(power, rate / size, inside, ~beside)


def _touching(middles: NDArray[np.int64], spans: Spans, margin: int) -> NDArray[np.bool_]:
    touched = np.zeros(len(middles), dtype=np.bool_)
    for start, end in spans:
        touched |= (middles >= start - margin) & (middles < end + margin)
    return touched
