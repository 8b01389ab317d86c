"""DistillMOS, predicted quality, by Microsoft (MIT): one number per clip, 1 (bad) to 5.

It was not trained on Khmer or Korean: out of domain, a hint and not a verdict.
"""

import functools
import math
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE
from curate.models import bundled, compute

ADAPTER = 1  # raise it when an answer changes for the same model and packages: it enters the fingerprint
MIN_SAMPLES = LISTENING_RATE  # the window is 7.68 s; under 1 s it would rate its own padding
WEIGHTS = "b18b3ac60227267cfb91e5d00ce22cc7b73716fd92f269484da1446e27031a40"

Samples = NDArray[np.float32]


class DistillMos:
    """Rates 16 kHz mono clips, one answer per clip, in order; None under 1 s, for silence and for NaN.

    It scales every clip to its own peak, so level and peaks above 1 do not matter. It runs on the threads that torch
    was given in this process, or on the GPU `device`. The model loads at the first question.
    """

    def __init__(self, *, device: str = "cpu") -> None:
        self._device = device

    @functools.cached_property
    def fingerprint(self) -> str:
        """What decides the answers: weights, package versions and this adapter's version."""
        packages = " ".join(f"{package}-{version(package)}" for package in ("distillmos", "xls-r-sqa", "torch"))
        return f"distillmos-{ADAPTER} {WEIGHTS} {packages}{compute.mark(self._device)}"

    def rate(self, clips: Sequence[Samples]) -> list[float | None]:
        """The mean of each clip's windows of 7.68 s; a shorter clip is padded with silence, as its authors do."""
        return [self._rate(np.ascontiguousarray(clip, dtype=np.float32)) for clip in clips]

    def _rate(self, clip: Samples) -> float | None:
        peak = float(np.max(np.abs(clip), initial=0.0))  # NaN for a clip with NaN
        if len(clip) < MIN_SAMPLES or not 0 < peak < math.inf:
            return None
        import torch

        with torch.inference_mode():
            return float(self._model(torch.from_numpy(clip / np.float32(peak))[None].to(self._device)))

    @functools.cached_property
    def _model(self) -> Any:
        import torch
        from distillmos import ConvTransformerSQAModel

        path = bundled.packaged("distillmos", "weights/distill_mos_v7.pt", WEIGHTS)
        model = ConvTransformerSQAModel(load_weights=False)  # its own loading prints
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["model"])
        return model.eval().to(self._device)
