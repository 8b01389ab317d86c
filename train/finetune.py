"""Train one adapter, top to bottom: examples, model, steps, validation, checkpoints; a generator of what happened.

`start` makes the folder of a new run, after everything that can be refused at once was looked at. `train` is the run,
new or resumed: it holds the run's lock and puts into one line what the machine refuses. `_train` is the way itself:

1. what is trained on: the clips, encoded where they are not, and what looks wrong with them;
2. where to go on: the newest checkpoint, or the beginning, and the batches that remain from there;
3. whether that is still the run that was begun, so that its losses can be compared with those before;
4. the model with its adapter, as it was at that checkpoint;
5. the steps: each is written to the metrics, then yielded; validations and checkpoints follow where they are due.

Nothing that is random has a state: batches come from (seed, epoch), noise and times from (seed, epoch, clip), dropout
from (seed, step, process, piece). So a run that is killed anywhere does the steps after its last checkpoint again, and
in the same way.
"""

import hashlib
import json
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from curate import signals
from curate.errors import UserError
from train import checkpoint, config, trackers, validation, warm_start
from train.adapter import lora
from train.checkpoint import State
from train.data import checks, dataset, latents
from train.data.dataset import Data
from train.data.sampler import BEGINNING, EpochPlans
from train.distributed import ALONE, World
from train.estimate import fit
from train.model import base
from train.prefetch import prefetch
from train.run_log import RunLog, roll_back
from train.trainer import Launched, Step, Trainer, out_of_memory
from train.validation import Validation

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stopped:
    """A person has asked the run to stop; its checkpoint is on disk. Who watches says how to go on."""

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
    run = checked(run)
    survey = dataset.survey(run)  # a hub id is fetched here
    warm_start.read(run, survey.model)
    revision = base.fetched_revision(survey.model) or run.revision  # pinned: `resume` loads the same commit
    try:
        run.into.mkdir(parents=True, exist_ok=True)
        with checkpoint.locked(run.into):
            config.save(run.model_copy(update={"revision": revision}), run.into / "run.toml")
    except OSError as problem:
        raise UserError(f"{run.into} cannot be written ({problem.strerror}): choose another --into") from problem
    return survey


def checked(run: config.Run) -> config.Run:
    """The run as it will be begun. Raises UserError where that can be refused before a model is fetched."""
    check_place(run.into)
    dataset.pick_device(run.train.device)
    trackers.chosen(run)
    return warm_start.adopted(run)


def check_place(folder: Path) -> None:
    """Raise UserError where a new run cannot be begun; one that has no checkpoint yet is begun again."""
    if (folder / "run.toml").exists():
        if checkpoint.every(folder):
            raise UserError(f"{folder} already holds a run: `train resume {folder}`, or choose another folder")
    elif folder.is_dir() and (there := sorted(path.name for path in folder.iterdir() if path.name[0] != ".")):
        raise UserError(f"{folder} is not empty ({there[0]} is there): choose a new folder for --into")


def train(folder: Path, world: World = ALONE, survey: dataset.Survey | None = None) -> Iterator[Event]:
    """Train the run in a folder from its last checkpoint, or from the beginning, to its end.

    The same losses follow whether or not it was killed, and on however many processes. Only the process that writes
    yields more than notes. `survey` is what `start` of this very run returned; without it the model is looked for and
    the manifest read here.
    """
    run = config.read(folder)
    if not world.writes:  # the lock and the words for a person are for one process
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
    # 1. What is trained on. The survey has checked model, manifest and settings; `prepare` encodes the clips that have
    # no latents yet, each process its share of them, and knows then how long each clip is in patches.
    device = dataset.pick_device(run.train.device)
    survey = survey or dataset.survey(run, quiet=not world.writes)
    data = yield from dataset.prepare(survey, device, world)
    for warning in checks.warnings(run, data) if world.writes else ():
        log.warning(warning)

    # 2. Where to go on. A damaged checkpoint raises and is not passed over: which one to give up, a person decides.
    # Where settings or corpus have changed the batches of its epoch, that epoch begins again, and a note says so.
    newest = checkpoint.newest(run.into)
    plans = EpochPlans(run, data.train)
    at, notes = plans.resumed(checkpoint.read_state(newest) if newest else BEGINNING)
    steps = plans.total_steps(at)
    early = _risen(run, at) if newest and at.step < steps else []
    if newest and (at.step >= steps or early):
        yield from (_stopped_early(line, at.step, steps) for line in early)
        if world.writes:
            roll_back(run, at)  # a kill between the last checkpoint and best.json leaves the latter behind
        yield Finished(at.step, newest)
        return

    # 3. Whether it is the same run: known before gigabytes are loaded.
    if world.writes:
        notes += _check_fingerprint(run, survey.model, data, new=newest is None)
    settings = _settings(run, data, device, world)
    notes += _changes(checkpoint.read_settings(newest), settings, at.step) if newest else []
    yield from notes

    # 4. How much this machine computes at once, which is no setting of the run, for losses do not depend on it. The
    # model, the adapter and the optimizer, as they were at the checkpoint; and RUN/, rolled back to it.
    asked, (run, note) = run, fit.fitted(run, survey, data.train, world.size)
    yield f"loading {run.model}, for {steps} steps on {device}" + (f", {note}" if note else "")
    start = None if newest else warm_start.read(run, survey.model, quiet=True)
    yield from warm_start.check_tags(start, survey.reading) if start else []
    trainer = Trainer.fresh(run, survey.model, data, device, world, start)
    trainer.options = replace(trainer.options, compiled=fit.compiles(run, device, steps))
    earlier = _restore(trainer, newest) if newest else start
    if device == "cuda":
        yield from _rehearse(trainer, asked)
    run_log = RunLog(asked, trainer, world, at, settings, earlier)
    yield from run_log.notes
    if at.step == 0 and run.train.validate_every:
        yield from run_log.validate(0)  # B is zero: the base model itself, that all later losses are compared with

    # 5. The steps. A person stops a run by Ctrl-C, SIGTERM or closing the terminal. Until here that raises at once
    # (`console.run`): there is nothing to save but encoded clips, and they are on disk. From here on the first only
    # asks: the step is finished and a checkpoint written. A second raises where it falls, and the steps since the
    # last checkpoint are done again on resume. torchrun hands the signal to every process, which may see it in
    # different steps. So they agree after each (`world.any`), for if one left alone, the others would wait for its
    # gradients. It kills those that have not ended 30 s later. (`console.run` has no handler under torchrun, which
    # by SIGTERM also ends the others when one has failed.)
    launched: deque[Launched] = deque()
    with closing(run_log), signals.as_ctrl_c(spared=1) as asked_to_stop:
        for (state, batch), pieces in prefetch(lambda each: trainer.microbatches(*each), plans.remaining(at, steps)):
            launched.append(trainer.launch(state, batch, pieces, steps))
            last, early = state.step == steps, list[str]()
            # A GPU is given the next step before the losses of this one are read, so that it never waits for us; but
            # nothing is validated or saved of a step whose losses were not read: it may have been refused.
            stopping, waits = False, trainer.late and not (last or run_log.due(state.step))
            while len(launched) > waits:
                step = trainer.read(launched.popleft())
                run_log.keep(step)  # first: whatever a person has seen is in the metrics
                yield step
                if len(launched) <= waits and (stopping := world.any(asked_to_stop())):
                    waits = False
            if run.train.validate_every and (last or state.step % run.train.validate_every == 0):
                yield from run_log.validate(state.step)
                early = [] if last else run_log.rising()
            # After the validation, which says whether this is the best step so far: that one is kept.
            due = last or stopping or early or state.step % run.train.save_every == 0
            if due or run_log.is_best(state.step):
                run_log.save(state)
            if early:
                yield from (_stopped_early(line, state.step, steps) for line in early)
                yield Finished(state.step, checkpoint.path_of(run.into, state.step))
                return
            if stopping and not last:
                yield Stopped(state.step, steps)
                return
    yield Finished(steps, checkpoint.path_of(run.into, steps))


def _rehearse(trainer: Trainer, asked: config.Run) -> Iterator[str]:
    """Go through the heaviest piece of the run before its first step: out of memory is so now, and not in hour three.

    Where nobody has said how much is computed at once, it is halved until it fits. Where nobody has asked for compiled
    layers and they cannot be, they are not. Raises UserError, or torch.cuda.OutOfMemoryError where nothing helps.
    """
    while True:
        tokens = trainer.run.batch.micro_batch_tokens or trainer.run.batch.tokens
        piece = fit.heaviest(trainer.run, trainer.data.train, tokens, trainer.world.size)
        try:
            return trainer.rehearse(piece)
        except torch.cuda.OutOfMemoryError:
            if asked.batch.micro_batch_tokens or len(piece) == 1:
                raise
            torch.cuda.empty_cache()
            trainer.run = fit.with_budget(trainer.run, tokens // 2)
            yield f"out of memory with {tokens} positions at once: going on with {tokens // 2}"
        except RuntimeError as problem:
            if not (trainer.options.compiled and _is_compilers(problem)):
                raise
            reason = str(problem).strip().splitlines()[0]
            if asked.train.compile:
                raise UserError(f"layers cannot be compiled here ({reason}): set train.compile = false") from problem
            trainer.options = replace(trainer.options, compiled=False)
            yield f"layers cannot be compiled here ({reason}): going on without"


def _is_compilers(problem: RuntimeError) -> bool:
    """Whether torch.compile has failed; its errors are told by their names, for importing them takes seconds."""
    return any(kind.__module__.startswith(("torch._dynamo", "torch._inductor")) for kind in type(problem).__mro__)


def _check_fingerprint(run: config.Run, model: Path, data: Data, *, new: bool) -> list[str]:
    """A note where the held-out clips have changed. Raises UserError where losses would not be of the same model.

    What they are compared with was noted when the run began; a `new` run notes it now.
    """
    if new:  # of a run that ended before its first checkpoint
        (run.into / checkpoint.RUN_FINGERPRINT).unlink(missing_ok=True)
    held_out = json.dumps([[each.id, each.text, each.patches] for each in data.validation])
    now = {
        "weights of the base model": base.base_hash(model),
        "train.precision": run.train.precision,
        "train.validation_draws": run.train.validation_draws,
        "held-out clips": hashlib.sha256(held_out.encode()).hexdigest(),
    }
    before = checkpoint.run_fingerprint(run.into, now)
    changed = [name for name, value in now.items() if before.get(name) != value]
    if changed == ["held-out clips"]:
        return ["the held-out clips are others than when the run began: only those of both times are compared"]
    if changed:
        raise UserError(f"{run.into} was begun with another {changed[0]}: put that back, or begin another run")
    return []


def _settings(run: config.Run, data: Data, device: str, world: World) -> dict[str, Any]:
    """All that a run's losses depend on, to be compared when it is resumed; where the run lies is not among it."""
    clips = json.dumps([[each.id, each.text, each.patches] for each in data.train])
    table = run.model_dump(mode="json", exclude={"into"})
    machine = {"device": device, "processes": world.size, "torch": torch.__version__}
    return table | {"machine": machine, "training clips": hashlib.sha256(clips.encode()).hexdigest()}


def _changes(before: dict[str, Any], now: dict[str, Any], step: int, key: str = "") -> list[str]:
    """A line for each setting that is another than at the checkpoint; one that was not known then is none."""
    notes = []
    for name in (each for each in now if each in before):
        old, new, full = before[name], now[name], f"{key}{name}"
        if isinstance(old, dict) and isinstance(new, dict) and full != "samples":
            notes += _changes(old, new, step, f"{full}.")
        elif old != new and full == "training clips":
            notes += [f"the clips trained on, their text or their lengths are others than until step {step}"]
        elif old != new:
            notes += [f"changed: {full} was {_written(old)} until step {step}, and is {_written(new)} from here on"]
    return notes


def _written(value: object) -> str:
    return "unset" if value is None else json.dumps(value, ensure_ascii=False)


def _risen(run: config.Run, at: State) -> list[str]:
    """Why a run that has stopped early stays so, as far as it has come: no later validation counts."""
    seen = [each for each in validation.written(run.into) if each.step <= at.step]
    return validation.rising(seen, run.train.stop_after_rises) if run.train.stop_after_rises else []


def _stopped_early(why: str, step: int, steps: int) -> str:
    return f"{why}: stopped at step {step} of {steps} (train.stop_after_rises)"


def _restore(trainer: Trainer, folder: Path) -> lora.Saved:
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
