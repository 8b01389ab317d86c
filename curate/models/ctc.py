"""Where each word of a given text was said, by a CTC acoustic model and `torchaudio.functional.forced_align`.

No model comes with the packages: the recipe names one, a folder or a hub id with its commit (`[models] aligner`).
torchaudio is BSD-2-Clause, transformers Apache-2.0; a model has its own licence (MMS: CC-BY-NC-4.0).
"""

import functools
import itertools
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from curate.audio import LISTENING_RATE
from curate.models import compute, ctc_checkpoint
from curate.models.ctc_checkpoint import Checkpoint
from curate.models.silero import Samples, clean
from curate.models.whisper import Aligned, Word
from curate.text import romanised

ADAPTER = 1  # raise it when an answer changes for the same model and packages: it enters the fingerprint
CORE_SECONDS, CONTEXT_SECONDS = (
    20,
    2,
)  # a longer clip is heard so: memory stays flat, and no frame lacks what is around it
LEAST_PROBABILITY = 1e-4  # of a letter in the score
LEAST_SAMPLES = 800  # less gives such networks no frame to speak of

Phrases = Sequence[Sequence[str]]  # words, in the phrases between two spaces


class CtcAligner:
    """Aligns 16 kHz mono clips with their texts, one answer per clip, in order, each from its clip alone.

    `model`: a folder, or `owner/name@commit` on the hub. The threads are torch's: a worker that wants one calls
    `torch.set_num_threads(1)`. The weights load at the first question.
    """

    def __init__(self, model: str, language: str, *, device: str = "cpu") -> None:
        self._name, self._language, self._device = model, language, device
        compute.index(device)  # refuses what is no device
        self._folder = folder if (folder := Path(model).expanduser()).is_dir() else None
        if self._folder is None:
            ctc_checkpoint.split_hub_id(model)
        else:
            ctc_checkpoint.read(self._folder, language)  # what cannot serve is told before hours are spent

    @functools.cached_property
    def fingerprint(self) -> str:
        """What decides the answers: weights, package versions, settings and this adapter's version."""
        weights = ctc_checkpoint.hashes(self._checkpoint) if self._folder else self._name
        packages = " ".join(f"{package}-{version(package)}" for package in ("torch", "torchaudio", "transformers"))
        settings = f"{self._device.partition(':')[0]} {self._language} windows-{CORE_SECONDS}-{CONTEXT_SECONDS}"
        return f"ctc-{ADAPTER} {weights} {packages} {settings} romanised-{romanised.VERSION}"

    def align(self, clips: Sequence[Samples], texts: Sequence[Phrases]) -> list[Aligned | None]:
        """Where each word was said, in samples, and how surely: mean probability of its letters.

        The score is the geometric mean over all letters, so that a few words which were not said weigh. A word of which
        the model knows no letter stands at the end of the one before it, with probability 0. None without sound or
        letters, or with more letters than the clip has frames.
        """
        compute.require(self._device)
        return [self._align(clean(clip), text) for clip, text in zip(clips, texts, strict=True)]

    def _align(self, clip: Samples, phrases: Phrases) -> Aligned | None:
        words = [word for phrase in phrases for word in phrase]
        letters = [self._checkpoint.tokens(word) for word in words]
        tokens, owners = self._tokens(phrases, letters)
        if len(clip) < LEAST_SAMPLES or not clip.any() or not any(letters):
            return None
        emission = self._emission(clip)
        if len(tokens) + _repeats(tokens) > len(emission):
            return None
        spans = _spans(emission, tokens, self._checkpoint.blank)
        return _place(words, owners, spans, self._checkpoint.stride, len(clip))

    def _tokens(self, phrases: Phrases, letters: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
        """All tokens of a text, with the word of each; -1 for the separator between two phrases."""
        tokens: list[int] = []
        owners: list[int] = []
        word = 0
        for phrase in phrases:
            if tokens and self._checkpoint.separator is not None and tokens[-1] != self._checkpoint.separator:
                tokens.append(self._checkpoint.separator)
                owners.append(-1)
            for _ in phrase:
                tokens += letters[word]
                owners += [word] * len(letters[word])
                word += 1
        return tokens, owners

    def _emission(self, clip: Samples) -> Any:
        """Log probabilities (frames, tokens) on the CPU; a long clip in windows that overlap."""
        import torch

        if self._checkpoint.normalised:
            clip = (clip - clip.mean()) / np.sqrt(clip.var() + 1e-7)
        stride = self._checkpoint.stride
        parts = []
        for begin, first, last, end in _windows(len(clip), stride):
            samples = torch.from_numpy(np.ascontiguousarray(clip[begin:end]))[None].to(self._device)
            frames = self._network(samples).cpu()
            at = (first - begin) // stride
            parts.append(frames[at : None if last is None else at + (last - first) // stride])
        return torch.cat(parts)

    @functools.cached_property
    def _checkpoint(self) -> Checkpoint:
        folder = self._folder or ctc_checkpoint.fetch(self._name, self._language)
        return ctc_checkpoint.read(folder, self._language)

    @functools.cached_property
    def _network(self) -> Any:
        return ctc_checkpoint.network(self._checkpoint, self._device)


def _windows(samples: int, stride: int) -> Iterator[tuple[int, int, int | None, int]]:
    """Where each window begins, its own first and last sample (None: all that is left), and where it ends.

    Its own part stands between CONTEXT_SECONDS on both sides; all are whole frames, so that frames fit together.
    """
    core, context = (round(seconds * LISTENING_RATE / stride) * stride for seconds in (CORE_SECONDS, CONTEXT_SECONDS))
    first = 0
    while True:
        is_last = first + core + context >= samples
        last = None if is_last else first + core
        yield max(0, first - context), first, last, samples if last is None else last + context
        if last is None:
            return
        first = last


def _repeats(tokens: Sequence[int]) -> int:
    """Between two equal tokens there must be a blank."""
    return sum(one == other for one, other in itertools.pairwise(tokens))


def _spans(emission: Any, tokens: Sequence[int], blank: int) -> list[tuple[int, int, float]]:
    """First frame, one past the last, and mean probability of each token."""
    import torch
    from torchaudio.functional import forced_align, merge_tokens

    aligned, scores = forced_align(emission[None], torch.tensor([list(tokens)], dtype=torch.int32), blank=blank)
    merged = merge_tokens(aligned[0], scores[0].exp(), blank=blank)
    assert len(merged) == len(tokens)
    return [(span.start, span.end, float(span.score)) for span in merged]


def _place(
    words: Sequence[str], owners: Sequence[int], spans: Sequence[tuple[int, int, float]], stride: int, length: int
) -> Aligned:
    own: dict[int, list[tuple[int, int, float]]] = {}
    for owner, span in zip(owners, spans, strict=True):
        own.setdefault(owner, []).append(span)
    own.pop(-1, None)
    placed: list[Word] = []
    for i, word in enumerate(words):
        if i in own:
            start, end = (min(frame * stride, length) for frame in (own[i][0][0], own[i][-1][1]))
            placed.append(Word(word, start, end, float(np.mean([probability for *_, probability in own[i]]))))
        else:
            at = placed[-1].end if placed else 0
            placed.append(Word(word, at, at, 0.0))
    certain = np.maximum([span[2] for each in own.values() for span in each], LEAST_PROBABILITY)
    return Aligned(tuple(placed), float(np.exp(np.log(certain).mean())))
