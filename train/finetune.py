"""Train one adapter, top to bottom: examples, model, steps, validation, checkpoints; a generator of what happened."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from curate.errors import UserError
from train import checkpoint, config, corpus, data, latents, lora, pretrained, schedule, voxcpm
from train.data import Data
from train.diary import Diary
from train.distributed import ALONE, World
from train.stepping import Step, Trainer, ahead, out_of_memory
from train.validation import Validation
from train.vector import Vector


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


def start(run: config.Run) -> None:
    """Make the folder of a new run and write its run file. Raises UserError where there is one already."""
    file = run.into / "run.toml"
    if file.exists():
        raise UserError(f"{run.into} already holds a run: `train resume {run.into}`, or choose another folder")
    revision = pretrained.fetched_revision(pretrained.find(run.model, run.revision)) or run.revision
    clips = corpus.read(run.corpus, quiet=True)  # training reads it again, and says what is left out
    data.check(clips, run)
    try:
        run.into.mkdir(parents=True, exist_ok=True)
        config.save(run.model_copy(update={"revision": revision}), file)
    except OSError as problem:
        raise UserError(f"{run.into} cannot be written ({problem.strerror}): choose another --into") from problem


def train(folder: Path, world: World = ALONE) -> Iterator[Event]:
    """Train the run in a folder from its last checkpoint, or from the beginning, to its end.

    The same losses follow whether or not it was killed, and on however many processes: batches come from
    (seed, epoch), draws from (seed, epoch, clip). Only the process that writes yields more than notes.
    """
    run = config.read(folder)
    if not world.writes:
        yield from _train(run, world)
        return
    try:
        with checkpoint.locked(folder):
            yield from _train(run, world)
    except torch.cuda.OutOfMemoryError:  # in validation or while loading; a step says it itself
        raise UserError(out_of_memory(run)) from None
    except OSError as problem:  # a full disk, say, while metrics or held-out losses are written
        name = f"{problem.filename}: " if problem.filename else ""
        raise UserError(
            f"a file of {folder} cannot be read or written ({name}{problem.strerror or problem}); "
            f"checkpoints are whole: mend that, then `train resume {folder}`"
        ) from problem


def _train(run: config.Run, world: World) -> Iterator[Event]:
    folder, device = run.into, data.pick_device(run.train.device)
    given = yield from data.prepare(run, device, world)
    found = checkpoint.newest(folder)
    at, note = schedule.check(checkpoint.read_state(found) if found else schedule.BEGINNING, run, given.train)
    steps = schedule.total_steps(run, given.train, at)
    yield from note if at.step < steps else ()
    yield f"loading {run.model}, for {steps} steps on {device}"
    trainer = _load(run, given, device, found, world)
    diary = Diary(run, trainer, world, at)
    if at.step == 0 and run.train.validate_every:
        yield from diary.validate(0)
    with _interruptible() as interrupted:
        coming = schedule.remaining(run, given.train, at, steps)
        for (state, chosen), pieces in ahead(lambda each: trainer.read(*each), coming):
            yield diary.keep(trainer.step(state, chosen, pieces, steps))
            last, stopping = state.step == steps, world.any(interrupted())
            if run.train.validate_every and (last or state.step % run.train.validate_every == 0):
                yield from diary.validate(state.step)
            if last or stopping or diary.is_best(state.step) or state.step % run.train.save_every == 0:
                diary.save(state)
            if stopping and not last:
                yield Stopped(state.step, steps)
                return
    yield Finished(max(at.step, steps), checkpoint.path_of(folder, max(at.step, steps)))


def _load(run: config.Run, given: Data, device: str, found: Path | None, world: World) -> Trainer:
    kind = data.precision(run, device)
    model = voxcpm.load(pretrained.find(run.model, run.revision), device=device, dtype=kind, training=True)
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
    """Ctrl-C and SIGTERM let the step finish; the value says whether one came. A second Ctrl-C stops at once."""
    came: list[int] = []

    def note(number: int, _: Any) -> None:
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
