"""Held-out losses that can compare ranks: the whole split, K fixed draws of (time, noise) that all conditions share.

The flow loss of a clip depends on which time and noise were drawn far more than on the rank: in VoxCPM's own script,
with unseeded noise over ten shuffled batches, it varies by 4 % from one validation to the next. So draws come from
(number of the draw, clip) alone, guidance dropout is off, every clip is taken, and conditions are compared clip by
clip.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from train.adapter.lora import Vector
from train.data import sampler
from train.data.dataset import Data
from train.evaluate import intervals
from train.evaluate.intervals import Interval
from train.model import voxcpm
from train.model.layers import LoraPairs
from train.validation import ClipLoss, clip_losses

TOKENS = 2048  # positions at once: 6.5 GB on a GPU beside the base; losses do not depend on it


def examples(data: Data, tokenize: voxcpm.Tokenizer, texts: Mapping[str, str]) -> list[sampler.Example]:
    """The held-out clips with the texts that a condition is given."""
    return [
        sampler.Example(each.id, each.language, tuple(tokenize(texts[each.id])), each.patches, each.person)
        for each in data.validation
    ]


def measure(
    model: Any, vector: Vector | None, data: Data, held: Sequence[sampler.Example], *, draws: int
) -> list[dict[str, Any]]:
    """A record for each clip: id, language, patches, diff, stop; sorted by id."""
    adapter: LoraPairs = {}
    if vector is not None:
        with torch.no_grad():
            adapter = vector.adapter(model.fusion_concat_proj.weight.dtype, dropout=False)
    pieces = [[held[position] for position in piece] for piece in sampler.in_order(held, tokens=TOKENS)]
    lost = clip_losses(model, adapter, data, pieces, draws=draws, full=_full)
    return [asdict(each) for each in sorted(lost, key=lambda each: each.id)]


def _full(piece: Sequence[sampler.Example]) -> str:
    return f"out of GPU memory with {len(piece)} clips at once: end what else uses this GPU, or say --device cpu"


def summary(lost: Sequence[ClipLoss], baseline: Sequence[ClipLoss]) -> dict[str, Any]:
    """Of one language: means over patches, each with its paired change from the baseline, where there is one."""
    patches = {each.id: float(each.patches) for each in lost}
    found: dict[str, Any] = {"clips": len(lost), "patches": int(sum(patches.values()))}
    for part in ("loss", "diff", "stop"):
        after, before = ({each.id: getattr(each, part) for each in some} for some in (lost, baseline))
        average = intervals.mean([*after.values()], [patches[key] for key in after])
        change = intervals.paired(after, before, patches) if baseline else None
        found[part] = round(average.mean, 6) if average else None
        found[f"{part}_change"] = change.json() if change else None
    return found


def change(after: Sequence[ClipLoss], before: Sequence[ClipLoss], *, alpha: float = 0.05) -> Interval | None:
    """The paired change of the loss over the clips that both have."""
    weights = {each.id: float(each.patches) for each in after}
    return intervals.paired(
        {each.id: each.loss for each in after}, {each.id: each.loss for each in before}, weights, alpha=alpha
    )
