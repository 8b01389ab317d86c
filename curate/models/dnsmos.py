"""DNSMOS P.835, predicted quality: Microsoft's model as the package speechmos carries it (MIT).

It was trained on English and never on Khmer or Korean: out of domain, a hint and not a verdict. It does not notice
a narrow band.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE
from curate.models import bundled

ADAPTER = 1  # raise it when an answer changes for the same model and packages: it enters the fingerprint
MIN_SAMPLES = LISTENING_RATE  # under 1 s the clip would be repeated more than nine times to fill one window
WINDOW_SECONDS = 9.01
WEIGHTS = "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd"

# From the model's output to the scale of listeners, highest power first (speechmos 0.0.1.1, `get_polyfit_val`).
TO_SIGNAL = (-0.08397278, 1.22083953, 0.0052439)
TO_BACKGROUND = (-0.13166888, 1.60915514, -0.39604546)
TO_OVERALL = (-0.06766283, 1.11546468, 0.04602535)

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Quality:
    """Predicted ratings on the scale of ITU-T P.835, about 1 (bad) to 5: all in all, the voice, the background."""

    overall: float
    signal: float
    background: float


class Dnsmos:
    """Rates 16 kHz mono clips, one answer per clip, in order; None under 1 s, for silence and for NaN.

    The numbers are those of `speechmos.dnsmos.run`, which a test compares, without its second model (P.808) and the
    feature library that one needs, and on one thread. The model loads at the first question.
    """

    @functools.cached_property
    def fingerprint(self) -> str:
        """What decides the answers: weights, the runtime's version and this adapter's version."""
        return f"dnsmos-{ADAPTER} {WEIGHTS} onnxruntime-{version('onnxruntime')}"

    def rate(self, clips: Sequence[Samples]) -> list[Quality | None]:
        """The mean of each clip's windows of 9.01 s, one a second; a shorter clip is repeated, as its authors do."""
        return [self._rate(np.asarray(clip, dtype=np.float32)) for clip in clips]

    def _rate(self, clip: Samples) -> Quality | None:
        peak = float(np.max(np.abs(clip), initial=0.0))  # NaN for a clip with NaN
        if len(clip) < MIN_SAMPLES or not 0 < peak < math.inf:
            return None
        outputs = [
            self._session.run(None, {"input_1": part[np.newaxis]})[0][0] for part in _windows(clip / max(1, peak))
        ]
        curves = (TO_SIGNAL, TO_BACKGROUND, TO_OVERALL)
        means = (
            np.mean(np.polyval(curve, values)) for curve, values in zip(curves, np.transpose(outputs), strict=True)
        )
        signal, background, overall = map(float, means)
        return Quality(overall, signal, background)

    @functools.cached_property
    def _session(self) -> Any:
        import onnxruntime  # slow to import

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = bundled.packaged("speechmos", "dnsmos_models/sig_bak_ovr.onnx", WEIGHTS)
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _windows(clip: Samples) -> list[Samples]:
    """The stretches that speechmos rates: the same doubling, the same cuts."""
    length = int(WINDOW_SECONDS * LISTENING_RATE)
    while len(clip) < length:
        clip = np.append(clip, clip)
    hops = int(len(clip) // LISTENING_RATE - WINDOW_SECONDS) + 1
    parts = [clip[hop * LISTENING_RATE : int((hop + WINDOW_SECONDS) * LISTENING_RATE)] for hop in range(hops)]
    return [part for part in parts if len(part) >= length]  # rounding can leave one a sample short
