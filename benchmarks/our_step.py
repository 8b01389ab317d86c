"""Our training step as `train lora` takes it from its second epoch on: `Trainer`, latents and encodings at hand."""

import copy
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from benchmarks.official_step import Official
from benchmarks.workload import Spoken
from train import config
from train.adapter.lora import Vector
from train.checkpoint import State
from train.data import sampler
from train.data.corpus import TrainingClip
from train.data.dataset import Data
from train.data.latents import Latents
from train.data.sampler import Example
from train.distributed import ALONE
from train.model import inputs, layers, losses, voxcpm
from train.model.inputs import EncodedClip
from train.prefetch import prefetch
from train.trainer import Launched, Trainer

STEPS = 1_000_000  # of a run so long that the rate stays what it is


@dataclass(frozen=True)
class Setting:
    """How a step is cut: `batch.tokens`, `batch.micro_batch_tokens`, `train.checkpointing`, `train.compile`."""

    tokens: int
    micro_batch_tokens: int | None = None
    checkpointing: bool = False
    compiled: bool = False


class Ours:
    """A frozen base with an adapter as one vector, and clips whose latents and encodings are in memory."""

    def __init__(self, official: Any, *, rank: int, device: str, keep: bool) -> None:
        """`official` has the weights; where it is to be kept, they are copied."""
        self.device, self.vae, self._shares = device, official.audio_vae, keep
        self.model = _frozen(_without(official, copied=keep), device)
        self._put_away()
        self.adapter = config.Adapter(rank=rank)
        self.vector = Vector(self.model, self.adapter)
        self.sounds: dict[str, EncodedClip] = {}
        self.clips: dict[str, Spoken] = {}

    def encode(self, spoken: Sequence[Spoken]) -> None:
        """Latents and encodings of clips, as `latents` makes them before training begins."""
        vae, encoder = self.vae.to(self.device), self.model.feat_encoder.to(self.device)
        for each in spoken:
            latents = voxcpm.encode(vae, each.samples, patch=self.model.config.patch_size).clone()
            self.remember(each, EncodedClip(latents, voxcpm.encode_patches(encoder, latents).clone()))
        self._put_away()

    def imagine(self, spoken: Sequence[Spoken]) -> None:
        """Random latents and encodings of the right size, where their values do not matter."""
        patch, width = self.model.config.patch_size, self.model.enc_to_lm_proj.weight
        for each in spoken:
            count = -(-len(each.samples) // (patch * self.vae.chunk_size))
            encoded = torch.randn(count, width.shape[1]).to(width.dtype)
            self.remember(each, EncodedClip(torch.randn(count, patch, self.model.config.feat_dim), encoded))

    def remember(self, each: Spoken, sound: EncodedClip) -> None:
        """A clip and what was made of it."""
        self.clips[each.id], self.sounds[each.id] = each, sound

    def patches(self, spoken: Sequence[Spoken]) -> int:
        """Audio patches of clips."""
        return sum(len(self.sounds[each.id].latents) for each in spoken)

    def _put_away(self) -> None:
        """Off the GPU, as in a run; the AudioVAE stays where the official side needs it."""
        self.model.feat_encoder.to("cpu")
        if not self._shares:
            self.vae.to("cpu")

    def examples(self) -> list[Example]:
        """The clips as training sees them."""
        counts = {name: len(sound.latents) for name, sound in self.sounds.items()}
        return [Example(each.id, each.language, each.text, counts[each.id]) for each in self.clips.values()]

    def trainer(self, setting: Setting) -> Trainer:
        """What takes the steps of a run with that setting."""
        run = config.Run(
            corpus=Path(),
            into=Path(),
            model="",
            adapter=self.adapter,
            batch=config.BatchSettings(tokens=setting.tokens, micro_batch_tokens=setting.micro_batch_tokens),
            train=config.Train(checkpointing=setting.checkpointing, compile=setting.compiled),
        )
        clips = {
            each.id: TrainingClip(each.id, "train", each.language, "", "", each.seconds, Path())
            for each in self.clips.values()
        }
        latents = cast(Latents, _Memory(self.sounds))
        return Trainer(run, self.model, Data(self.examples(), [], {}, clips, latents), self.vector, ALONE)

    def train(
        self, setting: Setting, *, epoch: int, most: int | None = None, stop: Callable[[], bool] = lambda: False
    ) -> float:
        """One epoch, or its first `most` steps, or until `stop`; the audio seconds in it.

        Read ahead as in a run, and on a GPU losses are read as late as in one.
        """
        trainer, examples = self.trainer(setting), self.examples()
        plan = sampler.plan(examples, tokens=setting.tokens, seed=0, epoch=epoch)[:most]
        steps = [
            (State(STEPS // 4 + number, epoch, number), [examples[position] for position in batch])
            for number, batch in enumerate(plan, start=1)
        ]
        seconds, launched = 0.0, deque[Launched]()
        try:
            for (state, chosen), pieces in prefetch(lambda each: trainer.microbatches(*each), steps):
                launched.append(trainer.launch(state, chosen, pieces, STEPS))
                while len(launched) > trainer.late:
                    seconds += trainer.read(launched.popleft()).audio_seconds
                if stop():
                    break
            return seconds + sum(trainer.read(each).audio_seconds for each in launched)
        finally:
            self.vector.parameter.grad = None  # leave no memory behind


class _Memory:
    """Latents that are in memory already."""

    def __init__(self, sounds: dict[str, EncodedClip]) -> None:
        self._sounds = sounds

    def read(self, clip: TrainingClip) -> EncodedClip:
        return self._sounds[clip.id]


def _without(official: Any, *, copied: bool) -> Any:
    """The model, or a copy, without its AudioVAE, which cannot be copied, and without its caches."""
    lms = (official.base_lm, official.residual_lm)
    caches, vae = [lm.kv_cache for lm in lms], official.audio_vae
    official.audio_vae = None
    for lm in lms:
        lm.kv_cache = None
    if not copied:
        return official
    model = copy.deepcopy(official)
    official.audio_vae = vae
    for lm, cache in zip(lms, caches, strict=True):
        lm.kv_cache = cache
    return model


def _frozen(model: Any, device: str) -> Any:
    """As `voxcpm.load` leaves a model for training: frozen, in bfloat16 on a GPU; the adapter in float32."""
    low_rank = {name: value.detach().clone() for name, value in model.named_parameters() if ".lora_" in name}
    model.to(device, voxcpm.default_dtype(device)).requires_grad_(False)
    for name, value in model.named_parameters():
        if name in low_rank:
            value.data = low_rank[name].to(device)
    layers.join(model)
    model.device = device
    return model.train()


@dataclass(frozen=True)
class Agreement:
    """Both sides' losses on the same clips, weights and draws, in float32."""

    official: tuple[float, float]  # flow matching, stop
    ours: tuple[float, float]
    difference: float  # the larger of the two, relative


def compare(official: Official, ours: Ours, spoken: Sequence[Spoken], *, seed: int) -> Agreement:
    """The official losses beside ours on the official model's own weights and draws, latents made by either side."""
    packed = official.pack(official.collate(spoken))
    drawn = official.draws(packed, seed)
    torch.manual_seed(seed)
    with official.precise(), torch.no_grad():
        theirs = tuple(float(each) for each in official.losses(packed))
        sounds = [_encoded(official.model, ours.sounds[each.id]) for each in spoken]
        rows = packed["loss_mask"].flatten().nonzero().squeeze(1)
        draws = inputs.Draws(drawn.time[rows], drawn.noise[rows], drawn.guided[rows])
        batch = inputs.collate([each.text for each in spoken], sounds)
        each = losses.losses(official.model, batch, draws, _pairs(official.model))
    own = float(each.diff.mean()), float(each.stop.mean())
    worst = max(abs(one - other) / abs(one) for one, other in zip(theirs, own, strict=True))
    return Agreement((theirs[0], theirs[1]), own, worst)


def _encoded(model: Any, sound: EncodedClip) -> EncodedClip:
    """The same latents, encoded by the official model's own encoder in its precision."""
    return EncodedClip(sound.latents, model.feat_encoder(sound.latents[None].to(model.device))[0].cpu())


def _pairs(model: Any) -> layers.LoraPairs:
    """The official LoRA layers as `losses` reads them."""
    layers = {name: part for name, part in model.named_modules() if hasattr(part, "lora_A")}
    return {name: (part.lora_A, part.lora_B, float(part.scaling), 0.0) for name, part in layers.items()}
