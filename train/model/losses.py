"""VoxCPM2's training losses, exact and without the waste: no padding, no frozen encoder, the DiT on loss rows only.

`losses` equals `VoxCPM2Model.forward` (model/voxcpm2.py of voxcpm 2.0.3, Apache-2.0) on the same weights and draws; a
test holds it to 1e-10. The way of one batch:

    text ids, encoded patches -> base LM -> FSQ -> residual LM
    states of both before each patch -> two conditions (R, 2, W) -> DiT -> flow loss (R,)
    those of the base LM alone -> stop head -> stop loss (R,)

It differs from the official pass in what it does not compute:

- Sequences lie end to end in one row of positions, so linear layers and norms see no padding; only attention is laid
  out in rectangles. The last patch and its end mark predict nothing and are left out.
- The local encoder is frozen and stands before everything that learns, so its outputs come from disk.
- The DiT sees each patch by itself, and the official pass runs it on text positions, too, and masks their loss to 0.
  Here it and the stop head run on the R patches of the loss alone, the last layers only where they are read.
- The adapter's products run in the base's precision, from float32 weights.

Losses are returned for each patch and not averaged. The official mean is over all patches of a batch; who cuts a batch
into pieces adds up sums and divides once by the patches of them all, or short pieces would weigh too much.

Shapes: N positions, C their width, B sequences, L the longest of them, R patches of the loss, P latents in a patch,
D numbers in a latent, W the width of the DiT.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from train.model.inputs import Batch, Draws

TIME_MEAN = -0.4  # t = sigmoid(N(-0.4, 1)), modules/locdit/unified_cfm.py


class Losses(NamedTuple):
    """Losses of each patch, (R,), in float32 or better; they carry gradients."""

    diff: Tensor  # flow matching
    stop: Tensor  # where to stop speaking


class Projection(NamedTuple):
    """A linear layer and its share of the adapter, if it has one."""

    weight: Tensor  # frozen, (out, in)
    bias: Tensor | None = None
    down: Tensor | None = None  # A, (rank, in)
    up: Tensor | None = None  # B, (out, rank)
    scale: float = 1.0
    dropout: float = 0.0


class Norm(NamedTuple):
    """RMS norm."""

    weight: Tensor
    epsilon: float


class Layer(NamedTuple):
    """One layer of a MiniCPM-4: what it computes with, and nothing else, so that one compiled function serves all."""

    before_attention: Norm
    query: Projection
    key: Projection
    value: Projection
    out: Projection
    before_mlp: Norm
    gate: Projection
    up: Projection
    down: Projection
    width: int  # of a head
    branch: float  # what a branch is multiplied by before it is added


class Rectangle(NamedTuple):
    """How positions are laid out for attention: position i of N lies at slot `slots[i]` of B x L.

    A row is a sequence, zeros after its end. That needs no mask, so that flash attention, which takes none, can run:
    in the language models attention is causal, a position sees its own row up to itself and never the zeros behind,
    and what comes out at those is not taken back. The DiT's sequences are all of one length, and have no zeros.
    """

    rows: int
    length: int
    slots: Tensor | None  # None: N is B x L already
    causal: bool


class Rotation(NamedTuple):
    """Rotary embedding of every position: (N, 1, width of a head)."""

    cosine: Tensor
    sine: Tensor


@dataclass(frozen=True)
class ComputeOptions:
    """How the arithmetic is done; the result is the same."""

    checkpointing: bool = False  # keep only what enters each layer, compute the rest twice
    compiled: bool = False  # fuse each layer by torch.compile


LoraPairs = dict[str, tuple[Tensor, Tensor, float, float]]  # module -> A, B, scale, dropout


def losses(model: Any, batch: Batch, draws: Draws, adapter: LoraPairs, options: ComputeOptions | None = None) -> Losses:
    """Both losses of every target patch of a batch.

    `model` is a VoxCPM2Model, `adapter` the low-rank pairs by official module name, in any floating type.
    """
    options = options or ComputeOptions()
    width = model.fusion_concat_proj.weight
    batch = batch.to(width.device, width.dtype)
    lm, residual = _language_models(model, batch, adapter, options)  # (R, C) each
    stop = model.stop_head(model.stop_actn(model.stop_proj(lm)))  # (R, 2)
    stop_loss = functional.cross_entropy(_precise(stop), batch.last.long(), reduction="none")
    conditions = torch.stack(
        (
            _apply(_projection(model, "lm_to_dit_proj", adapter), lm),
            _apply(_projection(model, "res_to_dit_proj", adapter), residual),
        ),
        dim=1,
    )  # (R, 2, W): the DiT reads them as two tokens, official code as one of twice the width that it cuts in two
    return Losses(_flow_matching(model, batch, conditions, draws.to(width.device), adapter, options), stop_loss)


def _language_models(model: Any, batch: Batch, adapter: LoraPairs, options: ComputeOptions) -> tuple[Tensor, Tensor]:
    """The states of both language models from which each target patch is predicted, two of (R, C).

    The base LM's states at audio positions pass through 512 numbers rounded to 1/9 (FSQ, scalar_quantization_layer.py),
    and the residual LM adds what that loses; text goes on as it is. The model must be in training mode: only there do
    gradients pass the rounding as if it were not (straight through); else those states get none. Values are the same.
    """
    rectangle = Rectangle(batch.rows, batch.longest, batch.slots, causal=True)
    settings = model.config.lm_config
    scale = settings.scale_emb if getattr(settings, "use_mup", False) else 1.0
    audio = _apply(_projection(model, "enc_to_lm_proj", adapter), batch.encoded)  # (audio positions, C)
    text = model.base_lm.embed_tokens(batch.text) * scale  # (text positions, C)
    inputs = text.new_zeros(batch.positions.shape[0], text.shape[-1])
    inputs = inputs.index_copy(0, batch.text_at, text).index_copy(0, batch.audio_at, audio)
    states = _transformer(model.base_lm, "base_lm", inputs, batch.positions, rectangle, adapter, options)
    states = states.index_copy(0, batch.audio_at, model.fsq_layer(states[batch.audio_at]))
    only_audio = torch.zeros_like(states).index_copy(0, batch.audio_at, audio)  # what went in; zeros at text
    fused = _apply(_projection(model, "fusion_concat_proj", adapter), torch.cat((states, only_audio), dim=-1))
    residual = _transformer(
        model.residual_lm, "residual_lm", fused, batch.positions, rectangle, adapter, options, only=batch.before
    )
    return states[batch.before], residual


def _flow_matching(
    model: Any, batch: Batch, conditions: Tensor, draws: Draws, adapter: LoraPairs, options: ComputeOptions
) -> Tensor:
    """The DiT's loss for each target patch: (R,); locdit/unified_cfm.py and local_dit_v2.py.

    Between the patch x at t = 0 and noise z at t = 1 lies x_t = (1 - t) x + t z, and the DiT learns the direction from
    one to the other, v = z - x. t = sigmoid(N(-0.4, 1)) has its median at 0.4, and two in three are below 0.5.
    Where `draws.guided` is False (one patch in ten), both conditions are zero and the DiT learns speech as such, which
    classifier-free guidance subtracts when it speaks; the patch before is seen all the same.
    A sequence is two conditions, the time, P latents of the patch before, P noisy ones; only the last P are read.
    """
    dit, name = model.feat_decoder.estimator, "feat_decoder.estimator"
    kind, patch = conditions.dtype, batch.targets.shape[1]
    # Official code draws time and noise in the model's precision, and embeds the time in it when it speaks, too. So
    # they are rounded to it before anything is made of them: in bfloat16, times lie up to 0.004 apart.
    time = torch.sigmoid(draws.time.to(kind) + TIME_MEAN)
    noise = draws.noise.to(kind)
    noisy = (1 - time.view(-1, 1, 1)) * batch.targets + time.view(-1, 1, 1) * noise
    flow = noise - batch.targets
    conditions = conditions * draws.guided.to(kind).view(-1, 1, 1)
    # The model was made for mean flows, with a second time r; it is trained with r = t, so that input is always 0.
    still = dit.delta_time_mlp(dit.time_embeddings(time.new_zeros(1)).to(kind))
    moment = dit.time_mlp(dit.time_embeddings(time).to(kind)) + still
    sequence = torch.cat((conditions, moment[:, None], dit.cond_proj(batch.previous), dit.in_proj(noisy)), dim=1)
    rows, length, width = sequence.shape  # R, 2 + 1 + P + P, W
    positions = torch.arange(length, device=sequence.device).repeat(rows)
    read = torch.arange(rows * length, device=sequence.device).view(rows, length)[:, -patch:].reshape(-1)
    rectangle = Rectangle(rows, length, None, causal=False)
    states = _transformer(
        dit.decoder, f"{name}.decoder", sequence.view(-1, width), positions, rectangle, adapter, options, only=read
    )
    predicted = dit.out_proj(states).view(rows, patch, -1)  # (R, P, D); the loss is the mean over P x D
    return functional.mse_loss(_precise(predicted), _precise(flow), reduction="none").mean(dim=(1, 2))


def _transformer(
    lm: Any,
    name: str,
    inputs: Tensor,
    positions: Tensor,
    rectangle: Rectangle,
    adapter: LoraPairs,
    options: ComputeOptions,
    only: Tensor | None = None,
) -> Tensor:
    """A MiniCPM-4 (modules/minicpm4/model.py) over (N, C).

    Where `only` names positions, the result is theirs alone: of the last layer the others are still needed as keys and
    values, but their output, their MLP and the norm after it are not.
    """
    rotation = None
    if lm.rope_emb is not None:
        cosine, sine = lm.rope_emb(positions)  # by the place in its own sequence, not among the N
        rotation = Rotation(cosine[:, None], sine[:, None])
    hidden, step = inputs, _compiled() if options.compiled else _layer
    for number, module in enumerate(lm.layers):
        layer = _read(module, f"{name}.layers.{number}", adapter)
        rows = only if number == len(lm.layers) - 1 else None
        if options.checkpointing and torch.is_grad_enabled():
            hidden = cast(Tensor, checkpoint(step, layer, hidden, rotation, rectangle, rows, use_reentrant=False))
        else:
            hidden = step(layer, hidden, rotation, rectangle, rows)
    return _normed(Norm(lm.norm.weight, lm.norm.variance_epsilon), hidden)


def _layer(
    layer: Layer, hidden: Tensor, rotation: Rotation | None, rectangle: Rectangle, only: Tensor | None
) -> Tensor:
    """(N, C) -> (N, C), or, for `only` some positions, as many rows."""
    normed = _normed(layer.before_attention, hidden)
    query, key, value = (
        _apply(projection, normed).view(normed.shape[0], -1, layer.width)  # (N, heads, width of a head)
        for projection in (layer.query, layer.key, layer.value)
    )
    if rotation is not None:
        query, key = _rotated(query, rotation), _rotated(key, rotation)
    attended = _attention(query, key, value, rectangle)
    if only is not None:
        hidden, attended = hidden[only], attended[only]
    hidden = hidden + _apply(layer.out, attended) * layer.branch
    normed = _normed(layer.before_mlp, hidden)
    inner = cast(Tensor, _Gated.apply(_apply(layer.gate, normed), _apply(layer.up, normed)))  # type: ignore[no-untyped-call]
    return hidden + _apply(layer.down, inner) * layer.branch


@functools.cache
def _compiled() -> Callable[..., Tensor]:
    """One compiled function for all layers of all models: compiling takes minutes, and batches differ only in size."""
    return torch.compile(_layer, dynamic=True)


def _attention(query: Tensor, key: Tensor, value: Tensor, rectangle: Rectangle) -> Tensor:
    """(N, heads, width) three times -> (N, heads x width); query has more heads, of which some share a key (GQA)."""
    attended = functional.scaled_dot_product_attention(
        _laid_out(query, rectangle),
        _laid_out(key, rectangle),
        _laid_out(value, rectangle),
        is_causal=rectangle.causal,
        enable_gqa=True,
    )
    flat = attended.transpose(1, 2).reshape(rectangle.rows * rectangle.length, -1)
    return flat if rectangle.slots is None else flat[rectangle.slots]


def _laid_out(each: Tensor, rectangle: Rectangle) -> Tensor:
    """(N, heads, width) -> (B, heads, L, width), zeros where no position lies."""
    if rectangle.slots is not None:
        room = each.new_zeros(rectangle.rows * rectangle.length, *each.shape[1:])
        each = room.index_copy(0, rectangle.slots, each)
    return each.view(rectangle.rows, rectangle.length, *each.shape[1:]).transpose(1, 2)


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
        weighted = _precise(gradients[0] * weight)
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


def _normed(norm: Norm, hidden: Tensor) -> Tensor:
    return cast(Tensor, _Normed.apply(hidden, norm.weight, norm.epsilon))  # type: ignore[no-untyped-call]


def _rotated(each: Tensor, rotation: Rotation) -> Tensor:
    precise = each.to(torch.float32)  # as `apply_rotary_pos_emb` does, in a double model, too
    left, right = precise.chunk(2, dim=-1)
    return (precise * rotation.cosine + torch.cat((-right, left), dim=-1) * rotation.sine).to(each.dtype)


def _apply(projection: Projection, inputs: Tensor) -> Tensor:
    """x W' + b + scale dropout(x) A' B', for x (N, in).

    Dropout falls on the adapter's input, as in PEFT. VoxCPM's own layer (modules/layers/lora.py) drops from its output;
    when it speaks there is no difference. addmm adds to the base's product without a tensor of its own for B's.
    """
    outputs = functional.linear(inputs, projection.weight, projection.bias)
    if projection.down is None or projection.up is None:
        return outputs
    if projection.dropout:
        inputs = functional.dropout(inputs, projection.dropout)
    low = functional.linear(inputs, projection.down.to(inputs.dtype))  # (N, rank)
    return torch.addmm(outputs, low, projection.up.to(inputs.dtype).t(), alpha=projection.scale)


def _read(module: Any, name: str, adapter: LoraPairs) -> Layer:
    attention, mlp = module.self_attn, module.mlp
    own = {
        part: _projection(parent, part, adapter, name=f"{name}.{place}.{part}")
        for place, parent, parts in (
            ("self_attn", attention, ("q_proj", "k_proj", "v_proj", "o_proj")),
            ("mlp", mlp, ("gate_proj", "up_proj", "down_proj")),
        )
        for part in parts
    }
    first, second = module.input_layernorm, module.post_attention_layernorm
    return Layer(
        before_attention=Norm(first.weight, first.variance_epsilon),
        query=own["q_proj"],
        key=own["k_proj"],
        value=own["v_proj"],
        out=own["o_proj"],
        before_mlp=Norm(second.weight, second.variance_epsilon),
        gate=own["gate_proj"],
        up=own["up_proj"],
        down=own["down_proj"],
        width=attention.head_dim,
        branch=module.scale_depth / math.sqrt(module.num_hidden_layers) if module.use_mup else 1.0,  # muP's depth rule
    )


def _projection(parent: Any, part: str, adapter: LoraPairs, *, name: str = "") -> Projection:
    module = getattr(parent, part)
    base = getattr(module, "base_layer", module)  # PEFT wraps what it adapts
    return Projection(base.weight, base.bias, *adapter.get(name or part, ()))


def _precise(value: Tensor) -> Tensor:
    """In float32, or double where it is."""
    return value.to(torch.promote_types(value.dtype, torch.float32))
