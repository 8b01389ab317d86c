"""Held-out losses: every clip, in a fixed order, with fixed draws and all conditions; paired with the base model's."""

import json
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter

from curate import files
from curate.errors import UserError
from train import config, memory, metrics
from train.adapter.lora import Vector
from train.data import sampler
from train.data.dataset import Data, validation_seed
from train.data.sampler import Example
from train.distributed import ALONE, World
from train.messages import counted
from train.model import losses
from train.model.inputs import Batch, Draws, draw
from train.model.layers import ComputeOptions, LoraPairs
from train.prefetch import prefetch

FOLDER = "validation"
NORMAL_95 = 1.96
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClipLoss:
    """One held-out clip: losses are means over its patches and all draws."""

    id: str
    language: str
    patches: int
    diff: float
    stop: float

    @property
    def loss(self) -> float:
        """Both, as trained on."""
        return self.diff + self.stop


@dataclass(frozen=True)
class Validation:
    """The held-out clips after a number of steps; step 0 is the model without an adapter.

    languages: language -> loss, diff, stop (means over patches), patches; after step 0 also `change` of the loss from
    zero-shot, and `low` and `high`, its 95 % interval over clips, paired.
    """

    step: int
    languages: dict[str, dict[str, float]]


def validate(
    model: Any, vector: Vector, data: Data, run: config.Run, step: int, world: World = ALONE
) -> tuple[Validation, list[ClipLoss]]:
    """Losses of all held-out clips; the same whenever it is asked, whatever the rank or the number of processes."""
    tokens = run.batch.micro_batch_tokens or run.batch.tokens
    pieces = sampler.in_order(data.validation, tokens=tokens)
    mine = [[data.validation[position] for position in piece] for piece in pieces[world.rank :: world.size]]
    with torch.no_grad():
        adapter = vector.adapter(model.fusion_concat_proj.weight.dtype, dropout=False)
    own = clip_losses(
        model,
        adapter,
        data,
        mine,
        draws=run.train.validation_draws,
        full=lambda piece: memory.out_of_memory(run, piece, learning=False),
    )
    held = sorted((each for part in world.gather(own) for each in part), key=lambda each: each.id)
    zero = held if step == 0 else read(run.into, 0)
    languages = sorted({each.language for each in held})
    return Validation(step, {language: _summary(held, zero, language) for language in languages}), held


def clip_losses(
    model: Any,
    adapter: LoraPairs,
    data: Data,
    pieces: Sequence[Sequence[Example]],
    *,
    draws: int,
    full: Callable[[Sequence[Example]], str],
) -> list[ClipLoss]:
    """Losses of the clips in these pieces, each computed at once, over `draws` fixed draws of time and noise.

    No guidance dropout, no adapter dropout. A draw is seeded by its number and the clip's id alone, so whoever asks
    draws the same. Raises UserError with the words of `full` where a GPU has too little memory for a piece.
    """
    model.fsq_layer.eval()  # no other layer that losses go through has two ways
    weight = model.fusion_concat_proj.weight
    lost = []
    with torch.no_grad():
        for piece, (batch, drawn) in prefetch(lambda piece: _ready(data, piece, draws, weight), pieces):
            try:
                lost.append((piece, batch.clip, _losses(model, adapter, batch, drawn)))
            except torch.cuda.OutOfMemoryError:
                raise UserError(full(piece)) from None
        return _clips(lost, draws)


def write(folder: Path, step: int, held: Sequence[ClipLoss]) -> None:
    """Keep the losses of each clip in RUN/validation, for paired comparisons between steps and between runs."""
    path = _path(folder, step)
    path.parent.mkdir(exist_ok=True)
    files.write_text(path, "".join(json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in held))


def read(folder: Path, step: int) -> list[ClipLoss]:
    """What `write` kept of a step; empty where there is nothing, or, with a warning, where it is damaged."""
    path = _path(folder, step)
    if not path.is_file():
        return []
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return TypeAdapter(list[ClipLoss]).validate_python(lines)
    except ValueError:  # no text, no JSON, or not these values
        log.warning("%s is damaged: nothing is compared with it", path)
        return []


def written(run: Path) -> list[Validation]:
    """The validations in a run's metrics, in order; a step's line has one loss of its own, others are passed over."""
    return [Validation(line["step"], line["languages"]) for line in metrics.read(run) if _is_validation(line)]


def rising(seen: Sequence[Validation], limit: int) -> list[str]:
    """A line for each language whose held-out loss has risen in `limit` validations in a row, up to the last."""
    notes = []
    for language in seen[-1].languages if seen else ():
        losses = [(each.languages[language]["loss"], each.step) for each in seen if language in each.languages]
        times = 0
        while times < len(losses) - 1 and losses[-1 - times][0] > losses[-2 - times][0]:
            times += 1
        if times >= limit:
            where = f"at step {best}" if (best := min(losses)[1]) else "before training"
            notes.append(f"held-out loss of {language} has risen for {counted(times, 'validation')}; best {where}")
    return notes


def _is_validation(line: dict[str, Any]) -> bool:
    languages = line.get("languages")
    if "loss" in line or not isinstance(languages, dict):
        return False
    return all(isinstance(values, dict) and {"loss", "diff", "stop"} <= values.keys() for values in languages.values())


def _path(folder: Path, step: int) -> Path:
    return folder / FOLDER / f"{step:07d}.jsonl"


def _ready(data: Data, piece: Sequence[Example], count: int, weight: torch.Tensor) -> tuple[Batch, list[Draws]]:
    """A piece and all its draws, ready for where the model is; made ahead, by another thread."""
    batch, sounds = data.batch(piece)
    draws = [draw([validation_seed(number, each) for each in piece], sounds, unguided=0.0) for number in range(count)]
    if weight.device.type != "cuda":
        return batch, draws
    return batch.pinned(weight.dtype), [each.pinned() for each in draws]


def _losses(model: Any, adapter: LoraPairs, batch: Batch, draws: Sequence[Draws]) -> torch.Tensor:
    """The losses of each target patch, left on the device: (draws + 1, R), flow matching of each draw, then stop.

    Only the DiT sees what is drawn, so both language models are asked once.
    """
    weight, options = model.fusion_concat_proj.weight, ComputeOptions()
    batch = batch.to(weight.device, weight.dtype)
    states = losses.states(model, batch, adapter, options)
    diffs = [losses.flow_matching(model, batch, states.conditions, each, adapter, options) for each in draws]
    return torch.stack((*diffs, states.stop))


def _clips(lost: Sequence[tuple[Sequence[Example], torch.Tensor, torch.Tensor]], draws: int) -> list[ClipLoss]:
    """Means for each clip, from the losses of all pieces, which are waited for once."""
    if not lost:
        return []
    sizes = [values.shape[1] for _, _, values in lost]
    fetched = torch.cat([values for _, _, values in lost], dim=1).to("cpu", torch.float64)
    held = []
    for (piece, clip, _), values in zip(lost, torch.split(fetched, sizes, dim=1), strict=True):
        sums = torch.zeros(draws + 1, len(piece), dtype=torch.float64).index_add_(1, clip, values)
        counts = torch.tensor([each.patches for each in piece])
        diff, stop = (sums[:-1].sum(dim=0) / (counts * draws)).tolist(), (sums[-1] / counts).tolist()
        held += [ClipLoss(each.id, each.language, each.patches, diff[row], stop[row]) for row, each in enumerate(piece)]
    return held


def _summary(held: Sequence[ClipLoss], zero: Sequence[ClipLoss], language: str) -> dict[str, float]:
    own = [each for each in held if each.language == language]
    patches = sum(each.patches for each in own)
    diff = math.fsum(each.diff * each.patches for each in own) / patches
    stop = math.fsum(each.stop * each.patches for each in own) / patches
    summary = {"loss": diff + stop, "diff": diff, "stop": stop, "patches": float(patches), "clips": float(len(own))}
    before = {each.id: each.loss for each in zero if zero is not held}
    pairs = [(each.loss - before[each.id], each.patches) for each in own if each.id in before]
    return summary | (_change(pairs) if pairs else {})


def _change(pairs: Sequence[tuple[float, int]]) -> dict[str, float]:
    """The mean change over patches and its 95 % interval, where clips are the independent units (ratio estimator)."""
    patches = sum(weight for _, weight in pairs)
    mean = math.fsum(change * weight for change, weight in pairs) / patches
    if len(pairs) < 2:
        return {"change": mean}
    spread = math.fsum((weight * (change - mean)) ** 2 for change, weight in pairs) * len(pairs) / (len(pairs) - 1)
    margin = NORMAL_95 * math.sqrt(spread) / patches
    return {"change": mean, "low": mean - margin, "high": mean + margin}
