"""Train one adapter, top to bottom: examples, model, steps, validation, checkpoints; a generator of what happened."""

import logging
import math
import signal
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from curate.errors import UserError
from train import batches, checkpoint, config, corpus, latents, lora, schedule, voxcpm
from train.batches import Example, seed_of
from train.checkpoint import State

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """One step of the optimizer."""

    step: int
    steps: int  # of the whole run
    loss: float
    diff: float
    stop: float
    learning_rate: float
    gradient_norm: float
    audio_seconds: float
    seconds: float


@dataclass(frozen=True)
class Validation:
    """The held-out clips after a number of steps; step 0 is the model without an adapter."""

    step: int
    languages: dict[str, dict[str, float]]  # language -> loss, diff, stop, patches


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


@dataclass(frozen=True)
class Data:
    """What is trained on and what is held out."""

    train: list[Example]
    validation: list[Example]
    reading: dict[str, corpus.Reading]
    clips: dict[str, corpus.Clip]
    latents: latents.Latents

    def batch(self, examples: Sequence[Example]) -> batches.Batch:
        """Examples with their latents, in the model's layout."""
        return batches.collate(
            [each.text for each in examples], [self.latents.read(self.clips[each.id]) for each in examples]
        )

    def seconds(self, examples: Sequence[Example]) -> float:
        """Audio in a batch."""
        return sum(self.clips[each.id].seconds for each in examples)


def start(run: config.Run) -> None:
    """Make the folder of a new run and write its run file. Raises UserError where there is one already."""
    file = run.into / "run.toml"
    if file.exists():
        raise UserError(f"{run.into} already holds a run: `train resume {run.into}`, or choose another folder")
    revision = voxcpm.fetched_revision(voxcpm.find(run.model, run.revision)) or run.revision
    clips = corpus.read(run.corpus, quiet=True)  # training reads it again, and says what is left out
    _check(clips, run)
    run.into.mkdir(parents=True, exist_ok=True)
    config.save(run.model_copy(update={"revision": revision}), file)


def train(folder: Path) -> Iterator[Event]:
    """Train the run in a folder from its last checkpoint, or from the beginning, to its end.

    The same losses follow whether or not it was killed: batches come from (seed, epoch), draws from (seed, step).
    """
    run = read(folder)
    with checkpoint.locked(folder):
        yield from _train(folder, run)


def _train(folder: Path, run: config.Run) -> Iterator[Event]:
    device = pick_device(run.train.device)
    data = yield from prepare(run, device)
    found = checkpoint.newest(folder)
    reached = checkpoint.read_state(found) if found else schedule.BEGINNING
    at, note = schedule.check(reached, run, data.train)
    steps = schedule.total_steps(run, data.train, at)
    yield from note if at.step < steps else ()
    yield f"loading {run.model}, for {steps} steps on {device}"
    model = voxcpm.load(voxcpm.find(run.model, run.revision), device=device)
    lora.attach(model, run.adapter, seed=run.train.seed)
    parameters = list(lora.parameters(model).values())
    settings = run.optimizer
    optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    if found:
        lora.put(model, lora.load(found).weights)
        checkpoint.read_optimizer(found, optimizer)
    state = at
    checkpoint.cut_metrics(folder, state.step if state.step else -1)  # nothing of a run without a checkpoint stays
    if state.step == 0 and run.train.validate_every:
        yield _record(folder, validate(model, data, run, 0))
    with _interruptible() as interrupted:
        for state, chosen in schedule.remaining(run, data.train, at, steps):
            yield _record(folder, _step(model, optimizer, data, chosen, run, state.step, steps))
            last = state.step == steps
            if run.train.validate_every and (last or state.step % run.train.validate_every == 0):
                yield _record(folder, validate(model, data, run, state.step))
            if last or interrupted() or state.step % run.train.save_every == 0:
                _save(folder, run, data, model, optimizer, state)
            if interrupted() and not last:
                yield Stopped(state.step, steps)
                return
    yield Finished(state.step, checkpoint.path_of(folder, state.step))


def read(folder: Path) -> config.Run:
    """The run file of a run's folder; UserError where it is none."""
    if not (folder / "run.toml").is_file():
        raise UserError(f"{folder} holds no training run: start one with `train lora CORPUS --model M --into {folder}`")
    return config.load(folder / "run.toml").model_copy(update={"into": folder.absolute()})


def prepare(run: config.Run, device: str) -> Generator[latents.Progress, None, Data]:
    """Encode what is missing, then return the Data; the value of this generator."""
    model = voxcpm.find(run.model, run.revision)
    clips = corpus.read(run.corpus)
    _check(clips, run)
    store = latents.Latents(run.latents_folder, model)
    wanted = corpus.of(clips, "train") + (corpus.of(clips, "validation") if run.train.validate_every else [])
    yield from store.encode(wanted, device=device)
    tokenize = voxcpm.Tokenizer(model)
    examples = {
        clip.id: Example(clip.id, clip.language, tuple(tokenize(clip.text)), store.patches(clip)) for clip in wanted
    }
    train, validation = (
        [examples[clip.id] for clip in wanted if clip.split == split] for split in ("train", "validation")
    )
    for long in batches.over_budget(train, run.batch.tokens):
        log.warning("clip %s is longer (%d) than batch.tokens: it is a batch of its own", long.id, long.length)
    return Data(train, validation, corpus.readings(clips), {clip.id: clip for clip in wanted}, store)


def validate(model: Any, data: Data, run: config.Run, step: int) -> Validation:
    """Losses of all held-out clips per language, in fixed order with fixed draws and no guidance dropout.

    The same whenever it is asked, whatever the rank; the mean is over patches, in double precision.
    """
    model.eval()
    languages = {}
    for language in sorted({each.language for each in data.validation}):
        held_out = [each for each in data.validation if each.language == language]
        languages[language] = _mean_losses(model, data, held_out, run)
    return Validation(step, languages)


def pick_device(wanted: str) -> str:
    """cpu or cuda; UserError where a GPU was asked for and there is none."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise UserError("train.device = cuda, but no GPU is to be seen: use --set train.device=cpu, or auto")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def _check(clips: Sequence[corpus.Clip], run: config.Run) -> None:
    if not corpus.of(clips, "train"):
        raise UserError(f"{run.corpus} has no clips in the training split: look at [split] in its recipe")
    if run.train.validate_every:
        corpus.check_validation(clips)
    corpus.readings(clips)  # raises where the tag cannot be told


def _step(
    model: Any, optimizer: Any, data: Data, chosen: list[Example], run: config.Run, step: int, steps: int
) -> Step:
    started = time.perf_counter()
    rate = schedule.learning_rate(step, steps, run.optimizer)
    for group in optimizer.param_groups:
        group["lr"] = rate
    model.train()  # FSQ passes gradients only in training mode; nothing else differs but LoRA's dropout
    optimizer.zero_grad(set_to_none=True)
    try:
        losses = voxcpm.losses(
            model, data.batch(chosen), seed=seed_of(run.train.seed, "step", step), guidance_dropout=True
        )
        losses.total.backward()  # type: ignore[no-untyped-call]
    except torch.cuda.OutOfMemoryError:
        raise UserError(
            f"out of GPU memory: lower batch.tokens (now {run.batch.tokens}) under [batch] in {run.into / 'run.toml'}, "
            f"then `train resume {run.into}`"
        ) from None
    norm = float(torch.nn.utils.clip_grad_norm_(lora.parameters(model).values(), run.optimizer.clip))
    diff, stop = losses.values
    if not math.isfinite(diff + stop + norm):
        names = ", ".join(each.id for each in chosen)
        raise UserError(f"the loss is {diff + stop} at step {step}, on the clips {names}: look at them, lower the rate")
    optimizer.step()
    return Step(
        step=step,
        steps=steps,
        loss=diff + stop,
        diff=diff,
        stop=stop,
        learning_rate=rate,
        gradient_norm=norm,
        audio_seconds=data.seconds(chosen),
        seconds=time.perf_counter() - started,
    )


def _mean_losses(model: Any, data: Data, held_out: Sequence[Example], run: config.Run) -> dict[str, float]:
    diff = stop = patches = 0.0
    for number, positions in enumerate(batches.in_order(held_out, tokens=run.batch.tokens)):
        batch = data.batch([held_out[position] for position in positions])
        for draw in range(run.train.validation_draws):
            with torch.no_grad():
                seed = seed_of("validation", number, draw)  # not of the run's seed: runs are compared with each other
                losses = voxcpm.losses(model, batch, seed=seed, guidance_dropout=False)
            diff += losses.values[0] * batch.targets
            stop += losses.values[1] * batch.targets
            patches += batch.targets
    diff, stop = diff / patches, stop / patches
    return {"loss": diff + stop, "diff": diff, "stop": stop, "patches": patches / run.train.validation_draws}


def _save(folder: Path, run: config.Run, data: Data, model: Any, optimizer: Any, state: State) -> None:
    tags = {language: each.tag for language, each in data.reading.items()}
    forms = {language: each.form for language, each in data.reading.items()}
    saved = lora.Saved(lora.weights(model), run.adapter, run.model, tags, run.revision, forms)
    place_of = checkpoint.path_of(folder, state.step)
    with checkpoint.folder_in_place(place_of, (*lora.FILES, *checkpoint.FILES)) as place:
        lora.write(saved, place, "voxcpm")
        checkpoint.write_state(place, state, optimizer)
        checkpoint.seal(place)
    checkpoint.prune(folder, run.train.keep)


def _record(folder: Path, event: Step | Validation) -> Step | Validation:
    checkpoint.append(folder, asdict(event))
    return event


@contextmanager
def _interruptible() -> Iterator[Any]:
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
