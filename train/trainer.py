"""One step of the optimizer: a batch over all processes, in pieces; losses summed, divided once by all patches."""

import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from curate.errors import UserError
from train import config, memory
from train.adapter import lora
from train.adapter.lora import Vector
from train.checkpoint import State
from train.clip_losses import ClipLosses, by_language, refusal
from train.data import dataset, sampler
from train.data.dataset import Data, training_seed
from train.data.sampler import Example
from train.distributed import World
from train.model import losses, voxcpm
from train.model.inputs import Batch, Draws, draw, seed_of
from train.model.layers import ComputeOptions
from train.optimizer import Optimizer, learning_rate

RECENT = 50  # steps that a loss is compared with, to see whether it explodes


@dataclass(frozen=True)
class Step:
    """One step of the optimizer."""

    step: int
    steps: int  # of the whole run
    loss: float
    diff: float
    stop: float
    languages: dict[str, float]  # language -> loss, in this batch
    learning_rate: float
    gradient_norm: float
    audio_seconds: float
    positions: int  # computed, no padding among them
    seconds: float
    memory: int  # bytes: the peak on this GPU, or of this process


@dataclass(frozen=True)
class Piece:
    """What one process computes at once."""

    batch: Batch
    draws: Draws
    owner: torch.Tensor  # (R,) which clip of the whole step's batch each target patch is of


@dataclass(frozen=True)
class Launched:
    """A step that the GPU has been given, and may not have done yet."""

    step: int
    steps: int
    batch: Sequence[Example]
    learning_rate: float
    values: torch.Tensor  # (3 + 2 x clips,) in double: norm, usual loss, refused; each clip's sum of diff, then of stop
    arrived: torch.cuda.Event | None  # when they are on the CPU; None: they are
    started: float


class Trainer:
    """A model, its adapter and its optimizer, that take steps."""

    def __init__(self, run: config.Run, model: Any, data: Data, vector: Vector, world: World) -> None:
        self.run, self.model, self.data, self.vector, self.world = run, model, data, vector, world
        self.optimizer = Optimizer(vector, run.optimizer)
        self.options = ComputeOptions(run.train.checkpointing, bool(run.train.compile))
        self._recent: deque[torch.Tensor] = deque(maxlen=RECENT)  # losses, where the model is
        self._read = 0.0  # when the last step was done
        self.late = str(model.device).startswith("cuda")  # losses are worth reading a step late
        model.train()  # once: it walks through 3,000 modules

    @classmethod
    def fresh(
        cls,
        run: config.Run,
        model: Path,
        data: Data,
        device: str,
        world: World,
        start: lora.Saved | None = None,
    ) -> "Trainer":
        """The run's adapter, as before its first step, on the checkpoint in the folder `model`.

        It changes nothing yet, or is `start`, an adapter of its shape.
        """
        dtype = dataset.precision(run, device)  # of the frozen base; the adapter is in float32, or in double over it
        loaded = voxcpm.load(model, device=device, dtype=dtype, training=True, quantization=run.train.quantization)
        lora.attach(loaded, run.adapter, seed=run.train.seed)
        if start:
            lora.put(loaded, start.weights)
        vector = Vector(loaded, run.adapter, torch.float64 if dtype is torch.float64 else torch.float32)
        return cls(run, loaded, data, vector, world)

    def remember(self, losses: Sequence[float]) -> None:
        """Take the losses of the steps before a resume, which an exploding one is compared with."""
        self._recent.extend(torch.tensor(losses, dtype=torch.float64).to(self.model.device).unbind())

    def microbatches(self, state: State, batch: Sequence[Example]) -> list[Piece]:
        """This process's part of a batch, in pieces, with everything that is random in it, ready for the GPU.

        All processes split the same batch in the same way and take the part of their rank, so nothing is sent around.
        """
        tokens = self.run.batch.micro_batch_tokens or self.run.batch.tokens
        parts = sampler.shard(range(len(batch)), batch, ranks=self.world.size, tokens=tokens)
        pieces = []
        for positions in parts[self.world.rank]:
            clips = [batch[position] for position in positions]
            inputs, sounds = self.data.batch(clips)
            seeds = [training_seed(self.run, state.epoch, each) for each in clips]
            draws = draw(seeds, sounds, unguided=self.model.feat_decoder.training_cfg_rate)
            owner = torch.tensor(positions)[inputs.clip]
            if self.vector.parameter.is_cuda:
                inputs, draws = inputs.pinned(self.model.fusion_concat_proj.weight.dtype), draws.pinned()
                owner = owner.pin_memory()
            pieces.append(Piece(inputs, draws, owner))
        return pieces

    def step(self, state: State, batch: Sequence[Example], pieces: Sequence[Piece], steps: int) -> Step:
        """Train on a batch and wait for it: `launch`, then `read`."""
        return self.read(self.launch(state, batch, pieces, steps))

    def launch(self, state: State, batch: Sequence[Example], pieces: Sequence[Piece], steps: int) -> Launched:
        """Hand a step to the GPU, from the first product to the last weight, without waiting for anything it computes.

        All processes clip the same sum of gradients and take the same step with it, so their adapters stay equal
        without being sent around. A loss that is no number or explodes is refused where it is computed: the optimizer
        leaves every weight as it is, and whoever reads the losses (`read`), be it later, is told why.
        """
        started = time.perf_counter()
        rate = learning_rate(state.step, steps, self.run.optimizer)
        patches = sum(each.patches for each in batch)
        sums = self._backward(state.step, patches, batch, pieces)
        if self.vector.parameter.grad is None:  # this process's share of a small batch is empty
            self.vector.parameter.grad = torch.zeros_like(self.vector.parameter)
        self.world.add_up(self.vector.parameter.grad)
        self.world.add_up(sums)  # of each clip one process has a sum, the others zero
        norm = torch.nn.utils.clip_grad_norm_([self.vector.parameter], self.run.optimizer.clip).double()
        loss = sums.sum() / patches
        enough = len(self._recent) >= RECENT // 5
        usual = torch.stack([*self._recent]).mean() if enough else torch.full_like(loss, math.inf)
        refused = ~torch.isfinite(loss + norm) | (loss > self.run.train.explodes_at * usual)
        self.optimizer.step(rate, state.step, refused)
        self._recent.append(loss)
        values = torch.cat((torch.stack((norm, usual, refused.double())), sums.flatten()))
        values, arrived = _fetched(values)
        return Launched(state.step, steps, batch, rate, values, arrived, started)

    def read(self, launched: Launched) -> Step:
        """The losses of a step, once it is done. Raises UserError where it was refused."""
        if launched.arrived:
            launched.arrived.synchronize()
        norm, usual, refused = launched.values[:3].tolist()
        sums = launched.values[3:].view(2, -1).T.tolist()
        clips = [
            ClipLosses(each.id, each.language, each.patches, *values)
            for each, values in zip(launched.batch, sums, strict=True)
        ]
        patches = sum(clip.patches for clip in clips)
        diff, stop = (math.fsum(getattr(clip, name) for clip in clips) / patches for name in ("diff", "stop"))
        if refused:
            raise UserError(refusal(launched.step, diff + stop, norm, usual, clips))
        before, self._read = max(self._read, launched.started), time.perf_counter()
        return Step(
            step=launched.step,
            steps=launched.steps,
            loss=diff + stop,
            diff=diff,
            stop=stop,
            languages=by_language(clips),
            learning_rate=launched.learning_rate,
            gradient_norm=norm,
            audio_seconds=self.data.seconds(launched.batch),
            positions=sum(each.length for each in launched.batch),
            seconds=self._read - before,
            memory=memory.peak(self.model.device),
        )

    def rehearse(self, batch: Sequence[Example]) -> None:
        """Go forward and back on a piece and forget it: what is out of memory is so now, and kernels are compiled.

        Called with the heaviest piece of a run before its first step. Raises torch.cuda.OutOfMemoryError.
        """
        inputs, sounds = self.data.batch(batch)
        adapter = self.vector.adapter(self.model.fusion_concat_proj.weight.dtype)
        draws = draw([0] * len(sounds), sounds, unguided=0.0)
        self.model.fsq_layer.train()
        try:
            lost = losses.losses(self.model, inputs, draws, adapter, self.options)
            torch.autograd.backward(lost.diff.sum() + lost.stop.sum())
            if self.late:
                torch.cuda.synchronize()
        finally:
            self.vector.parameter.grad = None

    def _backward(self, step: int, patches: int, batch: Sequence[Example], pieces: Sequence[Piece]) -> torch.Tensor:
        """Add this process's share of the gradient; returns sums of losses, (2, clips): diff and stop of each.

        The loss of a step is the sum over its patches by their number, `patches`, those of all pieces of all processes.
        So each piece divides by that, and gradients add up to those of the batch computed at once.
        """
        self.model.fsq_layer.train()  # where a validation left it: only in this mode it passes gradients
        self.optimizer.zero_grad()
        weight = self.model.fusion_concat_proj.weight
        sums = torch.zeros(2, len(batch), dtype=torch.float64, device=weight.device)
        try:
            for number, piece in enumerate(pieces):
                with _seeded(self.run, step, self.world.rank, number):
                    adapter = self.vector.adapter(weight.dtype)
                    lost = losses.losses(self.model, piece.batch, piece.draws, adapter, self.options)
                    torch.autograd.backward((lost.diff.sum() + lost.stop.sum()) / patches)
                owner = piece.owner.to(weight.device, non_blocking=True)
                sums.index_add_(1, owner, torch.stack(lost).detach().double())
            return sums
        except torch.cuda.OutOfMemoryError:
            clips = [batch[position] for position in sorted(set(piece.owner.tolist()))]
            raise UserError(memory.out_of_memory(self.run, clips)) from None


def _fetched(values: torch.Tensor) -> tuple[torch.Tensor, torch.cuda.Event | None]:
    """Values on their way to the CPU, and what happens when they are there; None where they are there already."""
    there = values.to("cpu", non_blocking=True)  # from a GPU into pinned memory
    if values.device.type != "cuda":
        return there, None
    arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
    arrived.record()
    return there, arrived


@contextmanager
def _seeded(run: config.Run, step: int, rank: int, piece: int) -> Iterator[None]:
    """Dropout draws from the run's seed; the losses' own draws are made apart, from each clip's."""
    with torch.random.fork_rng(enabled=bool(run.adapter.dropout)):
        if run.adapter.dropout:
            torch.manual_seed(seed_of(run.train.seed, "dropout", step, rank, piece))
        yield
