"""What a step costs: FLOPs and bytes counted on the configuration without its weights, seconds measured where asked."""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from train import config
from train.adapter import lora
from train.adapter.lora import Vector
from train.data.sampler import Example
from train.model import inputs, losses, voxcpm

STATE_BYTES = 16  # a parameter of the adapter: float32 weight, gradient and AdamW's two moments
FLASH = torch.ops.aten._scaled_dot_product_flash_attention
BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_backward


@dataclass(frozen=True)
class Cost:
    """What one piece of a batch costs."""

    forward: int  # FLOPs
    step: int  # FLOPs, forward and backward
    kept: int  # bytes that wait for the way back
    peak: int  # bytes, beside weights and optimizer
    layer: int  # bytes that the largest layer keeps: what is there twice under checkpointing


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
    """Counts on a model of this configuration that has shapes and no memory."""

    def __init__(self, settings: dict[str, Any], adapter: config.Adapter, dtype: torch.dtype) -> None:
        self._model = voxcpm.on_meta(settings).to(dtype)
        self._sizes = (settings["patch_size"], settings["feat_dim"], settings["encoder_config"]["hidden_dim"])
        lora.attach(self._model, adapter)
        self.parameters = lora.count(self._model)
        self._vector = Vector(self._model, adapter)
        self._dtype = dtype
        self._model.train()
        self.base_bytes = sum(
            value.numel() * value.element_size()
            for name, value in self._model.named_parameters()
            if ".lora_" not in name and not name.startswith(voxcpm.ENCODERS)
        )

    def of(self, examples: Sequence[Example], *, checkpointing: bool = False) -> Cost:
        """Forward and backward of one piece; under checkpointing its recomputation is estimated, not run.

        A trial on the published configuration was 2 % above what running it gave.
        """
        live = _Live((*self._model.parameters(), *self._model.buffers(), self._vector.parameter))
        calls = _Flash(live)
        counter = FlopCounterMode(display=False, custom_mapping={FLASH: _attention, BACKWARD: _attention_back})
        self._vector.parameter.grad = None
        batch, draws = self._batch(examples)
        with counter, live, calls:
            options = losses.ComputeOptions(checkpointing=checkpointing)
            found = losses.losses(self._model, batch, draws, self._vector.adapter(self._dtype), options)
            forward, kept = counter.get_total_flops(), live.now
            layer = max((after - before for before, after in zip(calls.seen, calls.seen[1:], strict=False)), default=0)
            if checkpointing:
                return Cost(forward, 0, kept, kept, layer)
            torch.autograd.backward(found.diff.sum() + found.stop.sum())
        return Cost(forward, counter.get_total_flops(), kept, live.peak, layer)

    def peaks(self, examples: Sequence[Example]) -> tuple[int, int]:
        """Bytes of activations at their peak, without and with checkpointing."""
        plain, lean_ = self.of(examples), self.of(examples, checkpointing=True)
        return plain.peak, lean_.kept + plain.layer + plain.peak - plain.kept

    def rates(self, text: int, patches: int) -> Rates:
        """FLOPs per position, from two batches of clips of these mean lengths."""
        each = Example("", "", (0,) * max(1, text), max(2, patches))
        twice = replace(each, text=each.text * 2)
        first, second = self.of([each] * 4), self.of([twice] * 4)
        others, more = 4 * (each.length - each.patches), 4 * len(each.text)

        def split(one: int, two: int) -> tuple[float, float]:
            by_text = (two - one) / more
            return by_text, (one - by_text * others) / (4 * each.patches)

        step, forward = split(first.step, second.step), split(first.forward, second.forward)
        return Rates(*step, *forward)

    def _batch(self, examples: Sequence[Example]) -> tuple[inputs.Batch, inputs.Draws]:
        patch, latent, width = self._sizes

        def sound(patches: int) -> inputs.Sound:
            return inputs.Sound(torch.zeros(patches, patch, latent), torch.zeros(patches, width))

        sounds = [sound(each.patches) for each in examples]
        voices = [sound(each.reference_patches) if each.reference else None for each in examples]
        batch = inputs.collate([each.text for each in examples], sounds, voices)
        return batch, inputs.draw([0] * len(sounds), sounds, unguided=0.0)


class _Live(TorchDispatchMode):
    """Bytes of the tensors that are alive, weights aside: now and at their peak."""

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


class _Flash(TorchFunctionMode):
    """Attention as a GPU computes it, without the matrix of all pairs; notes what is alive each time, once a layer."""

    def __init__(self, live: _Live) -> None:
        super().__init__()
        self.seen: list[int] = []
        self._live = live

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        self.seen.append(self._live.now)
        return FLASH(*args[:3], 0.0, bool((kwargs or {}).get("is_causal", False)))[0]


def _attention(query: Any, key: Any, *_: Any, **__: Any) -> int:
    """Two products of all pairs; torch's own count refuses grouped heads."""
    rows, heads, length, width = query
    return int(4 * rows * heads * length * key[2] * width)


def _attention_back(_: Any, query: Any, key: Any, *__: Any, **___: Any) -> int:
    """Five products: one of the forward's is made again."""
    return _attention(query, key) * 5 // 2
