"""Train one adapter, top to bottom: examples, model, steps, validation, checkpoints; a generator of what happened."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from curate import signals
from curate.errors import UserError
from train import checkpoint, config
from train.adapter import lora
from train.adapter.lora import Vector
from train.data import checks, dataset, latents
from train.data.dataset import Data
from train.data.sampler import BEGINNING, EpochPlans
from train.distributed import ALONE, World
from train.model import base, voxcpm
from train.run_log import RunLog, roll_back
from train.trainer import Step, Trainer, out_of_memory, prefetch
from train.validation import Validation

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stopped:
    """The run was interrupted; its checkpoint is on disk."""

    step: int
    steps: int


@dataclass(frozen=True)
class Finished:
    """The run is complete; its last checkpoint is on disk."""

    step: int
    checkpoint: Path


Event = latents.Progress | Step | Validation | Stopped | Finished | str  # a str is a note for whoever watches


def start(run: config.Run) -> dataset.Survey:
    """Make the folder of a new run and write its run file; the survey is for `train`, which need not read all again.

    Raises UserError where the folder is not free, or the model or corpus cannot be trained on.
    """
    check_place(run.into)
    survey = dataset.survey(run)
    revision = base.fetched_revision(survey.model) or run.revision
    try:
        run.into.mkdir(parents=True, exist_ok=True)
        with checkpoint.locked(run.into):
            config.save(run.model_copy(update={"revision": revision}), run.into / "run.toml")
    except OSError as problem:
        raise UserError(f"{run.into} cannot be written ({problem.strerror}): choose another --into") from problem
    return survey


def check_place(folder: Path) -> None:
    """Raise UserError where a new run cannot be begun; one that has no checkpoint yet is begun again."""
    if (folder / "run.toml").exists():
        if checkpoint.every(folder):
            raise UserError(f"{folder} already holds a run: `train resume {folder}`, or choose another folder")
    elif folder.is_dir() and (found := sorted(path.name for path in folder.iterdir() if path.name[0] != ".")):
        raise UserError(f"{folder} is not empty ({found[0]} is there): choose a new folder for --into")


def train(folder: Path, world: World = ALONE, survey: dataset.Survey | None = None) -> Iterator[Event]:
    """Train the run in a folder from its last checkpoint, or from the beginning, to its end.

    The same losses follow whether or not it was killed, and on however many processes: batches come from
    (seed, epoch), draws from (seed, epoch, clip). Only the process that writes yields more than notes. `survey` is what
    `start` of this very run found; without it the checkpoint is looked for and the manifest read here.
    """
    run = config.read(folder)
    if not world.writes:
        yield from _train(run, world, survey)
        return
    try:
        with checkpoint.locked(folder):
            yield from _train(run, world, survey)
    except torch.cuda.OutOfMemoryError:  # in validation or while loading; a step says it itself
        raise UserError(out_of_memory(run)) from None
    except OSError as problem:  # a full disk, say, while metrics or held-out losses are written
        name = f"{problem.filename}: " if problem.filename else ""
        raise UserError(
            f"a file of {folder} cannot be read or written ({name}{problem.strerror or problem}); "
            f"checkpoints are whole: mend that, then `train resume {folder}`"
        ) from problem


def _train(run: config.Run, world: World, survey: dataset.Survey | None) -> Iterator[Event]:
    folder, device = run.into, dataset.pick_device(run.train.device)
    survey = survey or dataset.survey(run, quiet=not world.writes)
    given = yield from dataset.prepare(survey, device, world)
    for warning in checks.warnings(run, given) if world.writes else ():
        log.warning(warning)
    found = checkpoint.newest(folder)
    plans = EpochPlans(run, given.train)
    at, note = plans.resumed(checkpoint.read_state(found) if found else BEGINNING)
    steps = plans.total_steps(at)
    if found and at.step >= steps:
        if world.writes:
            roll_back(run, at)
        yield Finished(at.step, found)
        return
    yield from (*note, *(_as_begun(run, survey.model, given, found is None) if world.writes else ()))
    yield f"loading {run.model}, for {steps} steps on {device}"
    trainer = _load(run, survey.model, given, device, found, world)
    run_log = RunLog(run, trainer, world, at)
    if at.step == 0 and run.train.validate_every:
        yield from run_log.validate(0)
    with _interruptible() as interrupted:
        for (state, chosen), pieces in prefetch(lambda each: trainer.microbatches(*each), plans.remaining(at, steps)):
            yield run_log.keep(trainer.step(state, chosen, pieces, steps))
            last, stopping = state.step == steps, world.any(interrupted())
            if run.train.validate_every and (last or state.step % run.train.validate_every == 0):
                yield from run_log.validate(state.step)
            if last or stopping or run_log.is_best(state.step) or state.step % run.train.save_every == 0:
                run_log.save(state)
            if stopping and not last:
                yield Stopped(state.step, steps)
                return
    yield Finished(steps, checkpoint.path_of(folder, steps))


def _as_begun(run: config.Run, model: Path, given: Data, new: bool) -> Iterator[str]:
    """A note where the held-out clips have changed. Raises UserError where losses would not be of the same model."""
    if new:
        (run.into / checkpoint.RUN_FINGERPRINT).unlink(missing_ok=True)
    held = json.dumps([[each.id, each.text, each.patches] for each in given.validation])
    now = {
        "weights of the base model": base.base_hash(model),
        "train.precision": run.train.precision,
        "train.validation_draws": run.train.validation_draws,
        "held-out clips": hashlib.sha256(held.encode()).hexdigest(),
    }
    before = checkpoint.run_fingerprint(run.into, now)
    changed = [name for name, value in now.items() if before.get(name) != value]
    if changed == ["held-out clips"]:
        yield "the held-out clips are others than when the run began: only those of both times are compared"
    elif changed:
        raise UserError(f"{run.into} was begun with another {changed[0]}: put that back, or begin another run")


def _load(run: config.Run, folder: Path, given: Data, device: str, found: Path | None, world: World) -> Trainer:
    kind = dataset.precision(run, device)
    model = voxcpm.load(folder, device=device, dtype=kind, training=True)
    lora.attach(model, run.adapter, seed=run.train.seed)
    vector = Vector(model, run.adapter, torch.float64 if kind is torch.float64 else torch.float32)
    trainer = Trainer(run, model, given, vector, world)
    if found:
        saved = lora.load(found)
        lora.put(model, saved.weights)
        if saved.adapter.scale != run.adapter.scale:
            raise UserError(
                f"{run.into / 'run.toml'} says scale {run.adapter.scale:g}, but the checkpoint {found} was trained "
                f"with {saved.adapter.scale:g}: put adapter.alpha back, or begin another run"
            )
        checkpoint.read_optimizer(found, trainer.optimizer, vector.parameter)
    return trainer


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C, SIGTERM and a closed terminal let the step finish; the value says whether one came. A second stops it."""
    came: list[int] = []

    def note(number: int, _: Any) -> None:
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt

    with signals.heard(note):
        yield lambda: bool(came)
