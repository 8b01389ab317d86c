"""Integrated loudness of one channel: ITU-R BS.1770-4, with weighting filters that are right at any rate.

The filters are those of libebur128 (De Man, AES e-Brief 2014), their coefficients pyloudnorm's. The weighting is done
in float32 up to 48 kHz: what that rounds is 50 dB under the sound and more, and adds as power.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK, PARTS = 0.4, 4  # seconds of a block; a new one begins every quarter of it
GATE, RELATIVE_GATE = -70.0, -10.0  # LUFS, and dB under the mean of what passes the first
OFFSET = -0.691  # so that a 997 Hz sine reads its level
LEAST_RATE, FLOAT32_RATE = 4000, 48_000  # Hz: the shelf lies at 1.7 kHz; above the second, low poles need float64
# Half of this at 0 Hz, which the high-pass takes out, half at the highest frequency, 240 dB down: digital silence would
# else decay into denormal numbers, which take a hundred times as long.
LIFT = 1e-12


def integrated(samples: NDArray[Any], rate: int, gain: float = 0.0) -> float | None:
    """Loudness in LUFS of samples `gain` dB louder; None under 0.4 s or where every block is gated.

    Only whole blocks count. The samples' squares must not overflow float32.
    """
    size, step = round(BLOCK * rate), round(BLOCK / PARTS * rate)
    if len(samples) < size or rate < LEAST_RATE:
        return None
    parts = (len(samples) - size) // step + PARTS
    edges = np.minimum(np.floor(np.arange(parts + 1) * (BLOCK / PARTS * rate) + 1e-6), len(samples)).astype(np.int64)
    weighted = _weighted(samples[: edges[-1]], rate)
    spans = itertools.pairwise(edges.tolist())
    energy = np.array([float(weighted[start:end] @ weighted[start:end]) for start, end in spans])
    blocks = np.convolve(energy, np.ones(PARTS), "valid") / (BLOCK * rate)
    blocks = blocks[blocks >= 10 ** ((GATE - gain - OFFSET) / 10)]
    if not len(blocks):
        return None
    blocks = blocks[blocks > blocks.mean() * 10 ** (RELATIVE_GATE / 10)]
    return OFFSET + gain + 10 * math.log10(blocks.mean())


def _weighted(samples: NDArray[Any], rate: int) -> NDArray[Any]:
    """The samples through both weighting filters, in an array of its own."""
    import scipy.signal  # slow to import

    filters = _filters(rate)
    lifted = samples.astype(filters.dtype)
    lifted[::2] += LIFT
    return np.asarray(scipy.signal.sosfilt(filters, lifted))


@functools.cache
def _filters(rate: int) -> NDArray[Any]:
    """Second-order sections: the shelf, and the high-pass."""
    from pyloudnorm.iirfilter import IIRfilter  # slow to import

    shelf = IIRfilter(3.99984385397, 0.7071752369554193, 1681.9744509555319, rate, "high_shelf_DeMan")
    high_pass = IIRfilter(0.0, 0.5003270373253953, 38.13547087613982, rate, "high_pass_DeMan")
    sections = np.array([np.concatenate([each.b, each.a]) for each in (shelf, high_pass)])
    return sections.astype(np.float32 if rate <= FLOAT32_RATE else np.float64)
