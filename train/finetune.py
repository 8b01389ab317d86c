"""Train one adapter, top to bottom: examples, model, steps, validation, checkpoints; a generator of what happened.

`start` makes the folder of a new run, after everything that can be refused at once was looked at. `train` is the run,
new or resumed: it holds the run's lock and puts into one line what the machine refuses. `_train` is the way itself:

1. what is trained on: the clips, encoded where they are not, and what looks wrong with them;
2. where to go on: the newest checkpoint, or the beginning, and the batches that remain from there;
3. whether that is still the run that was begun, so that its losses can be compared with those before;
4. the model with its adapter, as it was at that checkpoint (`_load`);
5. the steps (`_steps`): each is written to the metrics, then yielded; validations and checkpoints follow where they
   are due.

Nothing that is random has a state: batches come from (seed, epoch), noise and times from (seed, epoch, clip), dropout
from (seed, step, process, piece). So a run that is killed anywhere does the steps after its last checkpoint again, and
in the same way.
"""

import logging
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from curate import signals
from curate.errors import UserError
from train import checkpoint, config, memory, resume, trackers, validation, warm_start
from train.adapter import lora
from train.checkpoint import State
from train.data import checks, dataset, latents
from train.data.dataset import Data
from train.data.sampler import BEGINNING, EpochPlans, Example
from train.distributed import ALONE, World
from train.estimate import fit
from train.model import base, nf4
from train.prefetch import prefetch
from train.run_log import RunLog, roll_back
from train.trainer import Launched, Step, Trainer
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
    _check_quantization(run, dataset.pick_device(run.train.device))
    trackers.chosen(run)
    return warm_start.adopted(run)


def _check_quantization(run: config.Run, device: str) -> None:
    if run.train.quantization == "nf4":
        nf4.check(device)


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
    except torch.cuda.OutOfMemoryError:  # while loading, say; what computes a batch says it itself
        raise UserError(memory.out_of_memory_elsewhere(run)) from None
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
    _check_quantization(run, device)
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
        notes += resume.check_fingerprint(run, survey.model, data, new=newest is None)
    settings = resume.settings(run, data, device, world)
    notes += resume.changes(checkpoint.read_settings(newest), settings, at.step) if newest else []
    yield from notes

    # 4. The model, and RUN/ rolled back to where it stands.
    trainer, earlier = yield from _load(run, survey, data, device, world, newest, steps)
    run_log = RunLog(run, trainer, world, at, settings, earlier)
    yield from run_log.notes
    if at.step == 0 and run.train.validate_every:
        yield from run_log.validate(0)  # B is zero: the base model itself, that all later losses are compared with

    # 5. The steps.
    yield from _steps(trainer, run_log, plans.remaining(at, steps), steps)


def _load(
    run: config.Run, survey: dataset.Survey, data: Data, device: str, world: World, newest: Path | None, steps: int
) -> Generator[str, None, tuple[Trainer, lora.Saved | None]]:
    """The model, the adapter and the optimizer, as they were at the newest checkpoint; and the adapter gone on from.

    How much this machine computes at once is no setting of the run, for losses do not depend on it.
    """
    fitted, note = fit.fitted(run, survey, data.train, world.size)
    yield f"loading {run.model}, for {steps} steps on {device}" + (f", {note}" if note else "")
    start = None if newest else warm_start.read(run, survey.model, quiet=True)
    yield from warm_start.check_tags(start, survey.reading) if start else []
    trainer = Trainer.fresh(fitted, survey.model, data, device, world, start)
    trainer.options = replace(trainer.options, compiled=fit.compiles(run, device, steps))
    earlier = resume.restore(trainer, newest) if newest else start
    if device == "cuda":
        yield from _rehearse(trainer, run)
    return trainer, earlier


def _steps(
    trainer: Trainer, run_log: RunLog, batches: Iterable[tuple[State, list[Example]]], steps: int
) -> Iterator[Event]:
    """Take the steps of all batches; validate, save and stop where that is due."""
    # A person stops a run by Ctrl-C, SIGTERM or closing the terminal. Until here that raises at once (`console.run`):
    # there is nothing to save but encoded clips, and they are on disk. From here on the first only asks: the step is
    # finished and a checkpoint written. A second raises where it falls, and the steps since the last checkpoint are
    # done again on resume. torchrun hands the signal to every process, which may see it in different steps. So they
    # agree after each (`world.any`), for if one left alone, the others would wait for its gradients. It kills those
    # that have not ended 30 s later. (`console.run` has no handler under torchrun, which by SIGTERM also ends the
    # others when one has failed.)
    run, world = trainer.run, trainer.world
    launched: deque[Launched] = deque()
    with closing(run_log), signals.as_ctrl_c(spared=1) as asked_to_stop:
        for (state, batch), pieces in prefetch(lambda each: trainer.microbatches(*each), batches):
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
    layers and they cannot be, they are not. Raises UserError where nothing helps.
    """
    while True:
        tokens = trainer.run.batch.micro_batch_tokens or trainer.run.batch.tokens
        piece = fit.heaviest(trainer.run, trainer.data.train, tokens, trainer.world.size)
        try:
            return trainer.rehearse(piece)
        except torch.cuda.OutOfMemoryError:
            if asked.batch.micro_batch_tokens or len(piece) == 1:
                raise UserError(memory.out_of_memory(trainer.run, piece)) from None
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


def _risen(run: config.Run, at: State) -> list[str]:
    """Why a run that has stopped early stays so, as far as it has come: no later validation counts."""
    seen = [each for each in validation.written(run.into) if each.step <= at.step]
    return validation.rising(seen, run.train.stop_after_rises) if run.train.stop_after_rises else []


def _stopped_early(why: str, step: int, steps: int) -> str:
    return f"{why}: stopped at step {step} of {steps} (train.stop_after_rises)"
