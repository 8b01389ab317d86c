"""What a step costs: FLOPs and bytes counted on the configuration without its weights; seconds by taking a few.

Counting runs the losses of `train.model.losses` on the meta device, where tensors have shapes and no memory, and looks
at every operation that torch makes of them. So what is counted is what training computes, and a change there needs
none here.

- FLOPs are those of matrix products and attention, 2 for each multiplication with its addition, as torch's
  FlopCounterMode has them. Elementwise work is not counted: it is limited by memory traffic, not by arithmetic.
- Bytes are those of all tensors alive, weights aside, at the moment when most are. The adapter with its optimizer and
  the frozen base are known without running anything. Of the workspaces inside kernels that of flash attention's way
  back is counted (`workspace`), which is the largest. What is not seen: the GPU's context, what its allocator cannot
  use, the other workspaces.
"""

import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from train import config
from train.adapter import lora
from train.adapter.lora import Vector
from train.checkpoint import State
from train.data import latents
from train.data.corpus import TrainingClip
from train.data.dataset import Data
from train.data.sampler import Example
from train.distributed import ALONE
from train.model import base, inputs, layers, losses, quantized, voxcpm
from train.trainer import Trainer

STATE_BYTES = 16  # a parameter of the adapter: float32 weight, gradient and AdamW's two moments
AVERAGE_BYTES = 4  # and one of its average, float32, where the run keeps one (EMA)
BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_backward


@dataclass(frozen=True)
class Cost:
    """What one piece of a batch costs."""

    forward: int  # FLOPs
    step: int  # FLOPs, forward and backward
    kept: int  # bytes that wait for the way back
    peak: int  # bytes, beside weights and optimizer


@dataclass(frozen=True)
class Rates:
    """FLOPs by position, linear in both: attention is counted at the run's mean length."""

    text: float  # of a position that is not a target patch
    patch: float
    forward_text: float
    forward_patch: float

    def step(self, text: float, patches: float, *, checkpointing: bool) -> float:
        """Forward and backward; checkpointing goes forward twice."""
        once = self.forward(text, patches) if checkpointing else 0.0
        return self.text * text + self.patch * patches + once

    def forward(self, text: float, patches: float) -> float:
        """Forward alone, as in validation."""
        return self.forward_text * text + self.forward_patch * patches


class CostModel:
    """Counts on a model of this configuration that has shapes and no memory.

    `averaged`: an average of the adapter is kept beside it. `quantization`: of the base, as in the run file.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        adapter: config.Adapter,
        dtype: torch.dtype,
        *,
        averaged: bool = False,
        quantization: config.Quantization = "none",
    ) -> None:
        self._model = voxcpm.on_meta(settings, vae=voxcpm.NO_VAE).to(dtype)
        self._sizes = (settings["patch_size"], settings["feat_dim"], settings["encoder_config"]["hidden_dim"])
        if quantization == "none":
            layers.join(self._model)
        else:
            quantized.quantize(self._model, "meta")
        lora.attach(self._model, adapter)
        self.parameters = lora.count(self._model)
        self.state_bytes = (STATE_BYTES + AVERAGE_BYTES * averaged) * self.parameters
        self._vector = Vector(self._model, adapter)
        self._dtype = dtype
        self._model.train()
        self.base_bytes = sum(  # on the GPU: VAE and local encoder stay off it
            value.numel() * value.element_size()
            for name, value in self._model.named_parameters()
            if ".lora_" not in name and not name.startswith(voxcpm.ENCODERS)
        ) + quantized.stored_bytes(self._model)

    def of(self, examples: Sequence[Example], *, checkpointing: bool = False) -> Cost:
        """Forward and backward of one piece, what checkpointing computes again included."""
        live = _Live((*self._model.parameters(), *self._model.buffers(), self._vector.parameter))
        counter = FlopCounterMode(display=False, custom_mapping=MAPPING)
        self._vector.parameter.grad = None
        batch, draws = self.batch(examples)
        with counter, live:
            options = layers.ComputeOptions(checkpointing=checkpointing)
            lost = losses.losses(self._model, batch, draws, self._vector.adapter(self._dtype), options)
            forward, kept = counter.get_total_flops(), live.now
            torch.autograd.backward(lost.diff.sum() + lost.stop.sum())
        self._vector.parameter.grad = None
        return Cost(forward, counter.get_total_flops(), kept, live.peak)

    def peaks(self, examples: Sequence[Example]) -> tuple[int, int]:
        """Bytes of activations at their peak, without and with checkpointing."""
        return self.of(examples).peak, self.of(examples, checkpointing=True).peak

    @property
    def fixed(self) -> int:
        """Bytes that are there whatever is computed: the base, the adapter and its optimizer."""
        return int(self.base_bytes + self.state_bytes)

    def rates(self, text: int, patches: int) -> Rates:
        """FLOPs per position, from two batches of clips of these mean lengths.

        The second has texts of twice the length and the same patches. What it costs more, by the text it has more, is
        the rate of text; the rest of the first, by its patches, is theirs. Attention grows with the square of the
        length, so rates hold near these lengths; in the published model it is 1 to 2 % of the work on clips of 8 s.
        """
        each = Example("", "", (0,) * max(1, text), max(2, patches))
        twice = replace(each, text=each.text * 2)
        first, second = self.of([each] * 4), self.of([twice] * 4)
        others, more = 4 * (each.length - each.patches), 4 * len(each.text)

        def split(one: int, two: int) -> tuple[float, float]:
            by_text = (two - one) / more
            return by_text, (one - by_text * others) / (4 * each.patches)

        step, forward = split(first.step, second.step), split(first.forward, second.forward)
        return Rates(*step, *forward)

    def batch(self, examples: Sequence[Example]) -> tuple[inputs.Batch, inputs.Draws]:
        """Examples as training lays them out, of zeros: only shapes are looked at."""
        patch, latent, width = self._sizes

        def sound(patches: int) -> inputs.EncodedClip:
            return inputs.EncodedClip(torch.zeros(patches, patch, latent), torch.zeros(patches, width))

        sounds = [sound(each.patches) for each in examples]
        voices = [sound(each.reference_patches) if each.reference else None for each in examples]
        batch = inputs.collate([each.text for each in examples], sounds, voices)
        return batch, inputs.draw([0] * len(sounds), sounds, unguided=0.0)


class _Live(TorchDispatchMode):
    """Bytes of the tensors that are alive, weights aside: now and at their peak.

    Storages are counted, not tensors: views share one. A storage is gone when Python lets go of the last tensor on it,
    and autograd of what it keeps for the way back; then its weak reference takes its bytes off.
    """

    def __init__(self, weights: Sequence[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._weights = {weight.untyped_storage()._cdata for weight in weights}
        self._alive: dict[int, weakref.ref[torch.UntypedStorage]] = {}

    def __torch_dispatch__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for value in tree_leaves(out):
            if isinstance(value, torch.Tensor) and value.device.type == "meta":
                self._hold(value.untyped_storage())
        if func is BACKWARD.default:
            self.peak = max(self.peak, self.now + workspace(*args[1:3]))
        return out

    def _hold(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._alive or key in self._weights:
            return

        def gone(_: Any) -> None:
            self.now -= size
            del self._alive[key]

        self._alive[key] = weakref.ref(storage, gone)
        self.now += size
        self.peak = max(self.peak, self.now)


def workspace(query: torch.Tensor, key: torch.Tensor) -> int:
    """Bytes that flash attention takes for itself on its way back (torch's flash_attn/flash_api.cpp, mha_bwd).

    The gradient of the queries is added up in float32, in tiles of 128 positions; of each there is one number more.
    Where several query heads share a key head, the gradients of keys and values are first made for each of them.
    """
    rows, heads, length, width = query.shape
    tiles = rows * heads * _rounded(length, 128)
    shared = 0 if heads == key.shape[1] else 2 * rows * heads * key.shape[2] * width * query.element_size()
    return tiles * (_rounded(width, 32) + 1) * 4 + shared


def _rounded(value: int, to: int) -> int:
    return -(-value // to) * to


def _attention(query: Any, key: Any, *_: Any, **__: Any) -> int:
    """Two products of all pairs, Q K' and that by V, 2 FLOPs each; torch's own count refuses grouped heads.

    Causal attention is counted in full, too, as torch does; kernels skip much of what is masked, so this is too high.
    """
    rows, heads, length, width = query
    return int(4 * rows * heads * length * key[2] * width)


def _addmm(_: Any, one: Any, other: Any, *__: Any, **___: Any) -> int:
    """A product added in place, which torch does not count."""
    return int(2 * one[0] * one[1] * other[1])


def _attention_back(_: Any, query: Any, key: Any, *__: Any, **___: Any) -> int:
    """Five products: Q K' once more, for flash attention keeps no pairs, and those for V, the pairs, Q and K."""
    return _attention(query, key) * 5 // 2


MAPPING = {layers.FLASH: _attention, BACKWARD: _attention_back, torch.ops.aten.addmm_: _addmm}


def model_of(
    run: config.Run,
    settings: dict[str, Any],
    dtype: torch.dtype,
    *,
    quantization: config.Quantization | None = None,
) -> CostModel:
    """The cost model of a run on the base of that configuration, in 4 bits or not: by default as the run has it."""
    averaged, quantization = bool(run.optimizer.ema_decay), quantization or run.train.quantization
    return CostModel(settings, run.adapter, dtype, averaged=averaged, quantization=quantization)


@dataclass(frozen=True)
class Trial:
    """What the measured steps took."""

    seconds: float  # of all of them
    memory: int  # bytes: the peak on the GPU, or of this process


def measure(run: config.Run, model: Path, data: Data, batches: Sequence[Sequence[Example]], device: str) -> Trial:
    """Train on these batches and forget it; the first goes once more before, to warm up."""
    patches = {each.id: each.patches for each in (*data.train, *data.validation)}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sounds = cast(latents.Latents, _Sounds(data.latents, model, patches))
        trainer = Trainer.fresh(run, model, replace(data, latents=sounds), device, ALONE)
        steps = []
        for number, batch in enumerate([batches[0], *batches], start=1):
            state = State(number, 0, number)
            steps.append(trainer.step(state, batch, trainer.microbatches(state, batch), len(batches) + 1))
    return Trial(sum(step.seconds for step in steps[1:]), max(step.memory for step in steps))


def encoding(model: Path, clips: Sequence[TrainingClip], kind: torch.dtype, device: str) -> float:
    """Seconds that encoding a second of audio takes, by these clips; the first goes once more before, to warm up."""
    encoders = latents.Encoders(model, device=device, dtype=kind)
    encoders.encode(clips[0])
    started = time.perf_counter()
    for clip in clips:
        encoders.encode(clip)
    return (time.perf_counter() - started) / sum(clip.seconds for clip in clips)


class _Sounds:
    """Latents from disk, or noise of the same shape where a clip is not encoded yet."""

    def __init__(self, store: latents.Latents, model: Path, patches: dict[str, int]) -> None:
        settings = base.read_config(model)
        self._store, self._patches = store, patches
        self._shape = (settings["patch_size"], settings["feat_dim"])
        self._width = settings["encoder_config"]["hidden_dim"]

    def read(self, clip: TrainingClip) -> inputs.EncodedClip:
        if self._store.path(clip).is_file() and self._store.encoded_path(clip).is_file():
            return self._store.read(clip)
        patches = self._patches[clip.id]
        return inputs.EncodedClip(torch.randn(patches, *self._shape), torch.randn(patches, self._width))
