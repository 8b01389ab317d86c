"""What a layer is made of: norms, gates, rotations and products with their adapters, each with its own way back.

Autograd would give the same gradients, and keep and read more on the way.
"""

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch.nn import functional

from train.model import nf4
from train.model.nf4 import Nf4


class LowRank(NamedTuple):
    """A layer's share of the adapter: x -> scale x A' B'."""

    down: Tensor  # A, (rank, in)
    up: Tensor  # B, (out, rank)
    scale: float
    dropout: float


class Projection(NamedTuple):
    """Linear layers that read the same input, with what the adapter adds to each."""

    weight: Tensor | Nf4  # frozen, (outs, in): those of all, end to end; as they are, or in 4 bits
    bias: Tensor | None
    sizes: tuple[int, ...]  # outs of each
    adapters: tuple[LowRank | None, ...]  # of each


class Norm(NamedTuple):
    """RMS norm."""

    weight: Tensor
    epsilon: float


class Rotation(NamedTuple):
    """Rotary embedding of every position: (N, 1, width of a head)."""

    cosine: Tensor
    sine: Tensor


def flat_heads(attended: Tensor) -> Tensor:
    """What `_folded_attention` returned as (N, heads x width), a copy; what is so already as it is."""
    return attended if attended.dim() == 2 else attended.permute(0, 3, 1, 2, 4).flatten(0, 1).flatten(1)


def _as_heads(gradient: Tensor, inputs: Tensor) -> Tensor:
    """(N, heads x width) the other way: in the order of `inputs`."""
    if inputs.dim() == 2:
        return gradient
    rows, keys, heads, length, width = inputs.shape
    return gradient.view(rows, length, keys, heads, width).permute(0, 2, 3, 1, 4)


class _Normed(torch.autograd.Function):
    """RMS norm as VoxCPM rounds it (`rms_layernorm`), keeping for backward only its input and one number per row.

    Autograd would keep a float32 copy of the input, too: at bfloat16, three times the memory. y = h s w with
    s = (mean(h^2) + e)^(-1/2), so dL/dh = s w g - h s^3 sum(w g h) / C.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        variance = hidden.to(torch.float32).pow(2).mean(dim=-1, keepdim=True)  # float32 in a double model, too
        scale = torch.rsqrt(variance + epsilon)
        ctx.save_for_backward(hidden, weight, scale)
        return (hidden * scale).to(hidden.dtype) * weight

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        hidden, weight, scale = ctx.saved_tensors
        weighted = precise(gradients[0] * weight)
        of_scale = (weighted * hidden).sum(dim=-1, keepdim=True).to(torch.float32)
        of_variance = -0.5 * of_scale * scale.pow(3)
        through_scale = hidden.to(torch.float32) * (2 / hidden.shape[-1] * of_variance)
        return (weighted * scale + through_scale).to(hidden.dtype), None, None


class _Gated(torch.autograd.Function):
    """silu(gate) x up, keeping for backward only these two: silu(gate), as large as either, is computed again."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        ctx.save_for_backward(gate, up)
        return functional.silu(gate) * up

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        gate, up = ctx.saved_tensors
        return torch.ops.aten.silu_backward(gradients[0] * up, gate), gradients[0] * functional.silu(gate)


def gated(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) x up."""
    return cast(Tensor, _Gated.apply(gate, up))  # type: ignore[no-untyped-call]


def normed(norm: Norm, hidden: Tensor) -> Tensor:
    """RMS norm of (N, C)."""
    return cast(Tensor, _Normed.apply(hidden, norm.weight, norm.epsilon))  # type: ignore[no-untyped-call]


def rotated(each: Tensor, rotation: Rotation) -> Tensor:
    """Queries or keys (N, heads, width) turned by their positions."""
    value = each.to(torch.float32)  # as `apply_rotary_pos_emb` does, in a double model, too
    left, right = value.chunk(2, dim=-1)
    return (value * rotation.cosine + torch.cat((-right, left), dim=-1) * rotation.sine).to(each.dtype)


def apply(projection: Projection, inputs: Tensor) -> tuple[Tensor, ...]:
    """x W' + b + scale dropout(x) A' B' of each layer, for x (N, in), or as `_folded_attention` returns it.

    Dropout falls on the adapter's input, as in PEFT, with draws of its own for each layer. VoxCPM's own layer
    (modules/layers/lora.py) drops from its output; when it speaks there is no difference.
    """
    dropping = any(each and each.dropout for each in projection.adapters)
    if dropping or not any(projection.adapters):
        inputs = flat_heads(inputs)
        outputs = torch.split(_frozen(projection, inputs), list(projection.sizes), dim=1)
        if not dropping:
            return outputs
        return tuple(_dropping(out, inputs, each) for out, each in zip(outputs, projection.adapters, strict=True))
    scales = tuple(each.scale if each else 0.0 for each in projection.adapters)
    pairs = [
        half.to(inputs.dtype) if half is not None else None for each in projection.adapters for half in _halves(each)
    ]
    stored = _stored(projection)
    frozen = (projection.bias, projection.sizes, scales, len(stored), *stored)
    return cast(tuple[Tensor, ...], _Adapted.apply(inputs, *frozen, *pairs))  # type: ignore[no-untyped-call]


def _stored(projection: Projection) -> tuple[Tensor, ...]:
    """The tensors that a frozen weight is kept in: itself, or those of an `Nf4`."""
    weight = projection.weight
    return tuple(weight) if isinstance(weight, Nf4) else (weight,)


def _weight(stored: tuple[Tensor, ...], sizes: tuple[int, ...], inputs: Tensor, *, back: bool = False) -> Tensor:
    """The weight (outs, in) that they are, for a product with (N, in)."""
    if len(stored) == 1:
        return stored[0]
    return nf4.dense(stored, (sum(sizes), inputs.shape[1]), inputs.dtype, back=back)


def _frozen(projection: Projection, inputs: Tensor) -> Tensor:
    """x W' + b of all layers, side by side."""
    stored = _stored(projection)
    if len(stored) == 1:
        return functional.linear(inputs, stored[0], projection.bias)
    return cast(Tensor, _Quantized.apply(inputs, projection.bias, projection.sizes, *stored))  # type: ignore[no-untyped-call]


def _halves(pair: LowRank | None) -> tuple[Tensor | None, Tensor | None]:
    return (pair.down, pair.up) if pair else (None, None)


def _dropping(outputs: Tensor, inputs: Tensor, pair: LowRank | None) -> Tensor:
    if pair is None:
        return outputs
    low = functional.linear(functional.dropout(inputs, pair.dropout), pair.down.to(inputs.dtype))  # (N, rank)
    return torch.addmm(outputs, low, pair.up.to(inputs.dtype).t(), alpha=pair.scale)


class _Quantized(torch.autograd.Function):
    """x W' + b of a W in 4 bits, keeping those for backward and not the W that is made of them each time."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, bias: Tensor | None, sizes: tuple[int, ...], *stored: Tensor) -> Tensor:
        ctx.save_for_backward(*stored)
        ctx.sizes = sizes
        return functional.linear(inputs, _weight(stored, sizes, inputs), bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        stored, (gradient,) = ctx.saved_tensors, gradients
        if not ctx.needs_input_grad[0]:
            return None, None, None, *(None for _ in stored)
        columns = 2 * stored[0].numel() // gradient.shape[1]
        weight = nf4.dense(stored, (gradient.shape[1], columns), gradient.dtype, back=True)
        return gradient @ weight, None, None, *(None for _ in stored)


class _Adapted(torch.autograd.Function):
    """Layers of one input x with their adapters: y_i = x W_i' + b_i + s_i x A_i' B_i'.

    Autograd would read x once for each W and A, and add up as many gradients of x, each the size of x. Here the W lie
    end to end, and the A; B's product is added onto the base's, and what goes back to x is added up inside the
    products. With g_i = dL/dy_i and l_i = s_i g_i B_i: dL/dx = sum(g_i W_i + l_i A_i), dL/dA_i = l_i' x,
    dL/dB_i = s_i g_i' (x A_i').

    `tensors` are the `count` in which the W are kept, then A and B of each.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        bias: Tensor | None,
        sizes: tuple[int, ...],
        scales: tuple[float, ...],
        count: int,
        *tensors: Tensor | None,
    ) -> tuple[Tensor, ...]:
        stored, pairs = cast(tuple[Tensor, ...], tensors[:count]), tensors[count:]
        downs = [each for each in pairs[::2] if each is not None]
        down = torch.cat(downs) if len(downs) > 1 else downs[0]
        flat = flat_heads(inputs)
        low = functional.linear(flat, down)  # (N, ranks)
        parts = list(torch.split(functional.linear(flat, _weight(stored, sizes, flat), bias), list(sizes), dim=1))
        lows = iter(torch.split(low, [len(each) for each in downs], dim=1))
        # In place no tensor of that size is made beside the base's. Compiled, it may not be: torch 2.11 gives no
        # gradient at all to a function of ours that returns what it has changed in place, and says nothing.
        add = torch.addmm if torch.compiler.is_compiling() else Tensor.addmm_
        for number, (up, scale) in enumerate(zip(pairs[1::2], scales, strict=True)):
            if up is not None:
                parts[number] = add(parts[number], next(lows), up.t(), alpha=scale)
        ctx.save_for_backward(inputs, down, low, *stored, *pairs[1::2])
        ctx.sizes, ctx.scales, ctx.count = sizes, scales, count
        return tuple(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs, down, low, *rest = ctx.saved_tensors
        stored, ups = tuple(rest[: ctx.count]), rest[ctx.count :]
        ranks = [0 if up is None else up.shape[1] for up in ups]
        adapted = [
            (gradient, up, scale, own)
            for gradient, up, scale, own in zip(gradients, ups, ctx.scales, torch.split(low, ranks, dim=1), strict=True)
            if up is not None
        ]
        lows = [_times(gradient @ up, scale) for gradient, up, scale, _ in adapted]
        back = torch.cat(lows, dim=1) if len(lows) > 1 else lows[0]  # (N, ranks)
        of_inputs = None
        if ctx.needs_input_grad[0]:
            of_inputs = back @ down
            weight = _weight(stored, ctx.sizes, of_inputs, back=True)
            for gradient, part in zip(gradients, torch.split(weight, ctx.sizes), strict=True):
                of_inputs = torch.addmm(of_inputs, gradient, part)
            of_inputs = _as_heads(of_inputs, inputs)
        of_downs = iter(torch.split(back.t() @ flat_heads(inputs), [rank for rank in ranks if rank]))
        of_ups = iter(_times(gradient.t() @ own, scale) for gradient, _, scale, own in adapted)
        pairs: list[Tensor | None] = []
        for up in ups:
            pairs += [None, None] if up is None else [next(of_downs), next(of_ups)]
        return of_inputs, None, None, None, None, *(None for _ in stored), *pairs


def _times(value: Tensor, scale: float) -> Tensor:
    return value if scale == 1 else value * scale


def precise(value: Tensor) -> Tensor:
    """In float32, or double where it is."""
    return value.to(torch.promote_types(value.dtype, torch.float32))
