"""A few real steps and encodings, for their time alone: nothing that comes of them is kept."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch

from train import config
from train.adapter import lora
from train.adapter.lora import Vector
from train.checkpoint import State
from train.data import dataset as reading
from train.data import latents
from train.data.corpus import Clip
from train.data.dataset import Data
from train.data.sampler import Example
from train.distributed import ALONE
from train.model import base, voxcpm
from train.model.inputs import Sound
from train.trainer import Trainer


@dataclass(frozen=True)
class Trial:
    """What the measured steps took."""

    seconds: float  # of all of them
    memory: int  # bytes: the peak on the GPU, or of this process


class _Sounds:
    """Latents from disk, or noise of the same shape where a clip is not encoded yet."""

    def __init__(self, store: latents.Latents, model: Path, patches: dict[str, int]) -> None:
        settings = base.read_config(model)
        self._store, self._patches = store, patches
        self._shape = (settings["patch_size"], settings["feat_dim"])
        self._width = settings["encoder_config"]["hidden_dim"]

    def read(self, clip: Clip) -> Sound:
        if self._store.path(clip).is_file() and self._store.encoded_path(clip).is_file():
            return self._store.read(clip)
        patches = self._patches[clip.id]
        return Sound(torch.randn(patches, *self._shape), torch.randn(patches, self._width))


def measure(run: config.Run, model: Path, given: Data, chosen: Sequence[Sequence[Example]], device: str) -> Trial:
    """Train on these batches and forget it; the first goes once more before, to warm up."""
    patches = {each.id: each.patches for each in (*given.train, *given.validation)}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sounds = cast(latents.Latents, _Sounds(given.latents, model, patches))
        kind = reading.precision(run, device)
        loaded = voxcpm.load(model, device=device, dtype=kind, training=True)
        lora.attach(loaded, run.adapter, seed=run.train.seed)
        vector = Vector(loaded, run.adapter, torch.float64 if kind is torch.float64 else torch.float32)
        trainer = Trainer(run, loaded, replace(given, latents=sounds), vector, ALONE)
        steps = []
        for number, batch in enumerate([chosen[0], *chosen], start=1):
            state = State(number, 0, number)
            steps.append(trainer.step(state, batch, trainer.microbatches(state, batch), len(chosen) + 1))
    return Trial(sum(step.seconds for step in steps[1:]), max(step.memory for step in steps))


def encoding(model: Path, clips: Sequence[Clip], kind: torch.dtype, device: str) -> float:
    """Seconds that encoding a second of audio takes, by these clips; the first goes once more before, to warm up."""
    encoders = latents.Encoders(model, device=device, dtype=kind)
    encoders.encode(clips[0])
    started = time.perf_counter()
    for clip in clips:
        encoders.encode(clip)
    return (time.perf_counter() - started) / sum(clip.seconds for clip in clips)
