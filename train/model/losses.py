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

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from train.model import layers
from train.model.inputs import Batch, Draws
from train.model.layers import ComputeOptions, LoraPairs, Rectangle, transformer
from train.model.ops import apply, precise

TIME_MEAN = -0.4  # t = sigmoid(N(-0.4, 1)), modules/locdit/unified_cfm.py


class Losses(NamedTuple):
    """Losses of each patch, (R,), in float32 or better; they carry gradients."""

    diff: Tensor  # flow matching
    stop: Tensor  # where to stop speaking


class States(NamedTuple):
    """What the loss of a batch needs of the language models; it does not depend on what is drawn."""

    conditions: Tensor  # (R, 2, W), read by the DiT
    stop: Tensor  # (R,), the loss of the stop head


def losses(model: Any, batch: Batch, draws: Draws, adapter: LoraPairs, options: ComputeOptions | None = None) -> Losses:
    """Both losses of every target patch of a batch.

    `model` is a VoxCPM2Model, `adapter` the low-rank pairs by official module name, in any floating type.
    """
    options = options or ComputeOptions()
    batch = batch.to(model.fusion_concat_proj.weight.device, model.fusion_concat_proj.weight.dtype)
    seen = states(model, batch, adapter, options)
    return Losses(flow_matching(model, batch, seen.conditions, draws, adapter, options), seen.stop)


def states(model: Any, batch: Batch, adapter: LoraPairs, options: ComputeOptions) -> States:
    """What the language models make of a batch: what the DiT is given, and the loss of the stop head; without draws."""
    width = model.fusion_concat_proj.weight
    batch = batch.to(width.device, width.dtype)
    lm, residual = _language_models(model, batch, adapter, options)  # (R, C) each
    stop = model.stop_head(model.stop_actn(model.stop_proj(lm)))  # (R, 2)
    conditions = torch.stack(
        (_projected(model, "lm_to_dit_proj", lm, adapter), _projected(model, "res_to_dit_proj", residual, adapter)),
        dim=1,
    )  # the DiT reads them as two tokens, official code as one of twice the width that it cuts in two
    return States(conditions, functional.cross_entropy(precise(stop), batch.last.long(), reduction="none"))


def _language_models(model: Any, batch: Batch, adapter: LoraPairs, options: ComputeOptions) -> tuple[Tensor, Tensor]:
    """The states of both language models from which each target patch is predicted, two of (R, C).

    The base LM's states at audio positions pass through 512 numbers rounded to 1/9 (FSQ, scalar_quantization_layer.py),
    and the residual LM adds what that loses; text goes on as it is. The model must be in training mode: only there do
    gradients pass the rounding as if it were not (straight through); else those states get none. Values are the same.
    """
    rectangle = Rectangle(batch.rows, batch.longest, batch.slots, causal=True)
    settings = model.config.lm_config
    scale = settings.scale_emb if getattr(settings, "use_mup", False) else 1.0
    audio = _projected(model, "enc_to_lm_proj", batch.encoded, adapter)  # (audio positions, C)
    text = model.base_lm.embed_tokens(batch.text) * scale  # (text positions, C)
    inputs = text.new_zeros(batch.positions.shape[0], text.shape[-1])
    inputs = inputs.index_copy(0, batch.text_at, text).index_copy(0, batch.audio_at, audio)
    states = transformer(model.base_lm, "base_lm", inputs, batch.positions, rectangle, adapter, options)
    states = states.index_copy(0, batch.audio_at, model.fsq_layer(states.index_select(0, batch.audio_at)))
    only_audio = torch.zeros_like(states).index_copy(0, batch.audio_at, audio)  # what went in; zeros at text
    fused = _projected(model, "fusion_concat_proj", torch.cat((states, only_audio), dim=-1), adapter)
    residual = transformer(
        model.residual_lm, "residual_lm", fused, batch.positions, rectangle, adapter, options, only=batch.before
    )
    return states.index_select(0, batch.before), residual


def flow_matching(
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
    batch, draws = batch.to(conditions.device, conditions.dtype), draws.to(conditions.device)
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
    states = transformer(
        dit.decoder, f"{name}.decoder", sequence.view(-1, width), positions, rectangle, adapter, options, only=read
    )
    predicted = dit.out_proj(states).view(rows, patch, -1)  # (R, P, D); the loss is the mean over P x D
    return functional.mse_loss(precise(predicted), precise(flow), reduction="none").mean(dim=(1, 2))


def _projected(model: Any, name: str, inputs: Tensor, adapter: LoraPairs) -> Tensor:
    """One of the four projections between the models, with its share of the adapter."""
    (out,) = apply(layers.projection(model, (name,), adapter), inputs)
    return out
