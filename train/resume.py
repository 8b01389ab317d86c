"""Going on with a run: whether it is still the one that was begun, what has changed, and what its checkpoint holds."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from curate.errors import UserError
from train import checkpoint, config
from train.adapter import lora
from train.data.dataset import Data
from train.data.sampler import Example
from train.distributed import World
from train.model import base
from train.trainer import Trainer

EARLIER = {"train.quantization": "none"}  # what runs had that were begun before there was this to note


def check_fingerprint(run: config.Run, model: Path, data: Data, *, new: bool) -> list[str]:
    """A note where the held-out clips have changed. Raises UserError where losses would not be of the same model.

    What they are compared with was noted when the run began; a `new` run notes it now.
    """
    if new:  # of a run that ended before its first checkpoint
        (run.into / checkpoint.RUN_FINGERPRINT).unlink(missing_ok=True)
    held_out = json.dumps(_noted(data.validation))
    now = {
        "weights of the base model": base.base_hash(model),
        "train.precision": run.train.precision,
        "train.quantization": run.train.quantization,
        "train.validation_draws": run.train.validation_draws,
        "held-out clips": hashlib.sha256(held_out.encode()).hexdigest(),
    }
    before = checkpoint.run_fingerprint(run.into, now)
    changed = [name for name, value in now.items() if before.get(name, EARLIER.get(name)) != value]
    if changed == ["held-out clips"]:
        return ["the held-out clips are others than when the run began: only those of both times are compared"]
    if changed:
        raise UserError(f"{run.into} was begun with another {changed[0]}: put that back, or begin another run")
    return []


def settings(run: config.Run, data: Data, device: str, world: World) -> dict[str, Any]:
    """All that a run's losses depend on, to be compared when it is resumed; where the run lies is not among it."""
    clips = json.dumps(_noted(data.train))
    table = run.model_dump(mode="json", exclude={"into"})
    machine = {"device": device, "processes": world.size, "torch": torch.__version__}
    return table | {"machine": machine, "training clips": hashlib.sha256(clips.encode()).hexdigest()}


def _noted(examples: Sequence[Example]) -> list[list[object]]:
    """What losses depend on of each; a reference only where there is one, as runs noted it before there were any."""
    return [[each.id, each.text, each.patches, *([each.reference] if each.reference else [])] for each in examples]


def changes(before: dict[str, Any], now: dict[str, Any], step: int, key: str = "") -> list[str]:
    """A line for each setting that is another than at the checkpoint; one that was not known then is none."""
    notes = []
    for name in (each for each in now if each in before):
        old, new, full = before[name], now[name], f"{key}{name}"
        if isinstance(old, dict) and isinstance(new, dict) and full != "samples":
            notes += changes(old, new, step, f"{full}.")
        elif old != new and full == "training clips":
            notes += [f"the clips trained on, their text or their lengths are others than until step {step}"]
        elif old != new:
            notes += [f"changed: {full} was {_written(old)} until step {step}, and is {_written(new)} from here on"]
    return notes


def _written(value: object) -> str:
    return "unset" if value is None else json.dumps(value, ensure_ascii=False)


def restore(trainer: Trainer, folder: Path) -> lora.Saved:
    """Adapter and optimizer as a checkpoint has them. Raises UserError where the run file asks for another adapter."""
    run, saved = trainer.run, lora.load(folder)
    lora.put(trainer.model, saved.weights)  # its tensors are views of the vector, which so gets them too
    if saved.adapter.scale != run.adapter.scale:  # weights alone do not tell
        raise UserError(
            f"{run.into / 'run.toml'} says scale {run.adapter.scale:g}, but the checkpoint {folder} was trained "
            f"with {saved.adapter.scale:g}: put adapter.alpha back, or begin another run"
        )
    trainer.optimizer.load_state_dict(checkpoint.read_optimizer(folder))
    return saved
