"""The layers of VoxCPM2's three transformers, as training computes them: exact, and cheap on a GPU.

All three are MiniCPM-4s (modules/minicpm4/model.py of voxcpm 2.0.3): two language models and the DiT's decoder. A layer
is three parts, so that what depends on where sequences begin and end stands apart from what does not:

    project    norm, q, k, v, rotation     every position by itself: N x C in, N x heads x width out
    attention  in rectangles               one kernel, flash attention
    finish     out, norm, gated MLP        every position by itself

`project` and `finish` are what `torch.compile` fuses. They see the number of positions and nothing else that changes
from batch to batch, so six graphs serve every batch of a run: project for the base LM, the residual LM (no rotation)
and the DiT; finish for both LMs, the DiT, and the DiT's last layer, of which only some positions are read.

Layers that read the same input are computed as one: the frozen weights of q, k, v and of gate, up lie end to end
(`join`), and so do the A's of their adapters for the moment of a product.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from train.model.ops import LowRank, Norm, Projection, Rotation, apply, flat_heads, gated, normed, rotated

LoraPairs = dict[str, tuple[Tensor, Tensor, float, float]]  # module -> A, B, scale, dropout
FLASH = torch.ops.aten._scaled_dot_product_flash_attention
BACKEND = "inductor"  # of torch.compile
TOGETHER = (("self_attn", ("q_proj", "k_proj", "v_proj")), ("mlp", ("gate_proj", "up_proj")))  # read the same input


class Layer(NamedTuple):
    """One layer of a MiniCPM-4: what it computes with, and nothing else, so that one compiled function serves all."""

    before_attention: Norm
    query_key_value: Projection
    out: Projection
    before_mlp: Norm
    gate_up: Projection
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


@dataclass(frozen=True)
class ComputeOptions:
    """How the arithmetic is done; the result is the same."""

    checkpointing: bool = False  # keep only what enters each layer, compute the rest twice
    compiled: bool = False  # fuse what stands around attention by torch.compile


def join(model: Any) -> None:
    """Lay the frozen weights that read the same input end to end; each stays a view of its part, equal in value.

    It is done layer by layer, so it takes no more memory than one layer at a time. Where it was not done, `transformer`
    does it anew for each product, which costs time and no exactness.
    """
    for lm in (model.base_lm, model.residual_lm, model.feat_decoder.estimator.decoder):
        for module in lm.layers:
            for parent, names in TOGETHER:
                own = [_base(getattr(getattr(module, parent), name)).weight for name in names]
                joined = torch.cat([each.detach() for each in own])
                for weight, part in zip(own, torch.split(joined, [len(each) for each in own]), strict=True):
                    weight.data = part


def transformer(
    lm: Any,
    name: str,
    inputs: Tensor,
    positions: Tensor,
    rectangle: Rectangle,
    adapter: LoraPairs,
    options: ComputeOptions,
    only: Tensor | None = None,
) -> Tensor:
    """A MiniCPM-4 over (N, C).

    Where `only` names positions, the result is theirs alone: of the last layer the others are still needed as keys and
    values, but their output, their MLP and the norm after it are not.
    """
    rotation = None
    if lm.rope_emb is not None:
        cosine, sine = lm.rope_emb(positions)  # by the place in its own sequence, not among the N
        rotation = Rotation(cosine[:, None], sine[:, None])
    hidden = inputs
    if options.compiled and f"{name}.layers.0.self_attn.q_proj" in adapter and torch.is_grad_enabled():
        hidden = _asking(hidden)
    for number, module in enumerate(lm.layers):
        layer = _read(module, f"{name}.layers.{number}", adapter)
        rows = only if number == len(lm.layers) - 1 else None
        if options.checkpointing and torch.is_grad_enabled():
            step = functools.partial(_layer, layer, compiled=options.compiled)
            hidden = cast(Tensor, checkpoint(step, hidden, rotation, rectangle, rows, use_reentrant=False))
        else:
            hidden = _layer(layer, hidden, rotation, rectangle, rows, compiled=options.compiled)
    return normed(Norm(lm.norm.weight, lm.norm.variance_epsilon), hidden)


def _asking(inputs: Tensor) -> Tensor:
    """The same, taking a gradient that nobody reads, so that the first layer is no graph of its own to the compiler."""
    return inputs if inputs.requires_grad else inputs.detach().requires_grad_()


def _layer(
    layer: Layer,
    hidden: Tensor,
    rotation: Rotation | None,
    rectangle: Rectangle,
    only: Tensor | None,
    *,
    compiled: bool,
) -> Tensor:
    """(N, C) -> (N, C), or, for `only` some positions, as many rows."""
    project, finish = _compiled() if compiled else (_project, _finish)
    query, key, value = project(layer, *_sized(hidden, rotation))
    attended = _attention(query, key, value, rectangle)
    if only is not None:
        hidden, attended = hidden.index_select(0, only), flat_heads(attended).index_select(0, only)
    if attended.shape[0] == 1:  # which the compiler would take for a constant, and make another graph of
        finish = _finish
    return finish(layer, *_sized(hidden, attended))


@functools.cache
def _compiled() -> tuple[Callable[..., Any], ...]:
    """The two parts compiled once for all layers of all models, for any number of positions and no other size."""
    return tuple(torch.compile(each, dynamic=False, backend=BACKEND) for each in (_project, _finish))


def _sized(*values: Any) -> tuple[Any, ...]:
    """The same, with the number of positions, which alone changes from batch to batch, marked for the compiler."""
    for value in values:
        for each in value if isinstance(value, Rotation) else (value,):
            if each is not None:
                torch._dynamo.maybe_mark_dynamic(each, 0)
    return values


def _project(layer: Layer, hidden: Tensor, rotation: Rotation | None) -> tuple[Tensor, Tensor, Tensor]:
    """(N, C) -> queries, keys, values, each (N, its heads, width of a head)."""
    inputs = normed(layer.before_attention, hidden)
    query, key, value = (each.view(each.shape[0], -1, layer.width) for each in apply(layer.query_key_value, inputs))
    if rotation is not None:
        # a copy: as a view, the value would keep what was not rotated of the other two alive until the way back
        query, key, value = rotated(query, rotation), rotated(key, rotation), value.clone()
    return query, key, value


def _finish(layer: Layer, hidden: Tensor, attended: Tensor) -> Tensor:
    """What comes after attention: (N, C) and what `_attention` returned -> (N, C)."""
    (out,) = apply(layer.out, attended)
    hidden = hidden + out * layer.branch
    gate, up = apply(layer.gate_up, normed(layer.before_mlp, hidden))
    (down,) = apply(layer.down, gated(gate, up))
    return hidden + down * layer.branch


def _attention(query: Tensor, key: Tensor, value: Tensor, rectangle: Rectangle) -> Tensor:
    """(N, heads, width) three times -> (N, heads x width), or that as `_folded_attention` leaves it.

    Queries have more heads than keys and values, of which some share a key (grouped-query attention).
    """
    if not rectangle.causal and rectangle.slots is None:
        return _folded_attention(query, key, value, rectangle)
    laid_out = (_laid_out(each, rectangle) for each in (query, key, value))
    attended = _attended(*laid_out, causal=rectangle.causal)
    flat = attended.transpose(1, 2).reshape(rectangle.rows * rectangle.length, -1)
    return flat if rectangle.slots is None else flat.index_select(0, rectangle.slots)


def _folded_attention(query: Tensor, key: Tensor, value: Tensor, rectangle: Rectangle) -> Tensor:
    """Attention that is not causal, the query heads of a key head one after another in a sequence of their own.

    Each query looks at all keys of its row and at nothing else, so it may stand in any place of any sequence that looks
    at the same keys. The DiT has 11 positions, and flash attention computes tiles of 128 for each of its 16 heads, most
    of it for nothing; its way back takes a float32 workspace of as much. Folded, the 8 query heads that share a key are
    one sequence of 88: (R, 16, 11, 128) -> (R, 2, 88, 128), an eighth of the tiles and of the workspace.

    Returns (R, keys, heads of each, L, width), which only the product that reads it lays flat, for then nobody keeps
    it twice.
    """
    rows, length = rectangle.rows, rectangle.length
    keys, width = key.shape[1:]
    queries = query.view(rows, length, keys, -1, width).permute(0, 2, 3, 1, 4)  # (R, keys, heads of each, L, width)
    heads = queries.shape[2]
    key, value = (each.view(rows, length, keys, width).transpose(1, 2) for each in (key, value))
    attended = _attended(queries.reshape(rows, keys, heads * length, width), key, value, causal=False)
    return attended.view(rows, keys, heads, length, width)


def _attended(query: Tensor, key: Tensor, value: Tensor, *, causal: bool) -> Tensor:
    """Attention in rectangles, (B, heads, L, width); where tensors are only counted (meta), by the GPU's own kernel.

    There torch would otherwise take the one that keeps the matrix of all pairs, which no GPU run does.
    """
    if query.is_meta:
        return cast(Tensor, FLASH(query, key, value, 0.0, causal)[0])
    return functional.scaled_dot_product_attention(query, key, value, is_causal=causal, enable_gqa=True)


def _laid_out(each: Tensor, rectangle: Rectangle) -> Tensor:
    """(N, heads, width) -> (B, heads, L, width), zeros where no position lies."""
    if rectangle.slots is not None:
        room = each.new_zeros(rectangle.rows * rectangle.length, *each.shape[1:])
        each = room.index_copy(0, rectangle.slots, each)
    return each.view(rectangle.rows, rectangle.length, *each.shape[1:]).transpose(1, 2)


def _read(module: Any, name: str, adapter: LoraPairs) -> Layer:
    attention, mlp = module.self_attn, module.mlp
    first, second = module.input_layernorm, module.post_attention_layernorm
    return Layer(
        before_attention=Norm(first.weight, first.variance_epsilon),
        query_key_value=projection(attention, TOGETHER[0][1], adapter, f"{name}.self_attn."),
        out=projection(attention, ("o_proj",), adapter, f"{name}.self_attn."),
        before_mlp=Norm(second.weight, second.variance_epsilon),
        gate_up=projection(mlp, TOGETHER[1][1], adapter, f"{name}.mlp."),
        down=projection(mlp, ("down_proj",), adapter, f"{name}.mlp."),
        width=attention.head_dim,
        branch=module.scale_depth / math.sqrt(module.num_hidden_layers) if module.use_mup else 1.0,  # muP's depth rule
    )


def projection(parent: Any, names: Sequence[str], adapter: LoraPairs, prefix: str = "") -> Projection:
    """Layers of a module that read the same input, as one; `prefix` + name is what the adapter calls each."""
    own = [_base(getattr(parent, name)) for name in names]
    pairs = [adapter.get(prefix + name) for name in names]
    stored = getattr(own[0], "stored", None)  # in 4 bits, as one already
    return Projection(
        _joined([each.weight for each in own]) if stored is None else stored,
        own[0].bias if len(own) == 1 else None,  # those that are joined have none
        tuple(each.out_features for each in own),
        tuple(LowRank(*pair) if pair else None for pair in pairs),
    )


def _base(module: Any) -> Any:
    return getattr(module, "base_layer", module)  # PEFT wraps what it adapts


def _joined(weights: Sequence[Tensor]) -> Tensor:
    """Weights of one width end to end: without a copy where `join` has laid them so."""
    first = weights[0]
    if len(weights) == 1:
        return first
    place = first.storage_offset()
    for each in weights:
        same = each.untyped_storage()._cdata == first.untyped_storage()._cdata
        if not (same and each.storage_offset() == place and each.is_contiguous()):
            return torch.cat(list(weights))
        place += each.numel()
    rows = sum(len(each) for each in weights)
    return first.detach().as_strided((rows, first.shape[1]), (first.shape[1], 1), first.storage_offset())
