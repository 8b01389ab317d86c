"""What a run leaves behind while it goes: metrics, validations, spoken samples, checkpoints and the best of them."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from curate import files
from curate.errors import UserError
from train import checkpoint, config, metrics, validation
from train.adapter import lora
from train.checkpoint import State
from train.distributed import World
from train.export import say
from train.model import voxcpm
from train.trainer import Step, Trainer
from train.validation import Validation

BEST = "best.json"  # language -> step and loss of its best checkpoint
Best = dict[str, tuple[float, int]]  # language -> held-out loss, step
SAMPLES = "samples"
TENSORBOARD = "tensorboard"


class RunLog:
    """Writes for one run; on processes that do not write, it only takes part in what all must do."""

    def __init__(self, run: config.Run, trainer: Trainer, world: World, at: State) -> None:
        self._run, self._trainer, self._world = run, trainer, world
        if world.writes:
            roll_back(run, at)
        world.wait()
        lines = metrics.read(run.into)
        trainer.remember([line["loss"] for line in lines if "loss" in line])
        self._best = _best(run)
        self._board = _board(run, at.step) if run.train.tensorboard and world.writes else None

    def keep(self, step: Step) -> None:
        """Write a step down."""
        if self._world.writes:
            metrics.append(self._run.into, asdict(step))
        if self._board:
            for name in ("loss", "diff", "stop", "learning_rate", "gradient_norm"):
                self._board.add_scalar(f"train/{name}", getattr(step, name), step.step)
            self._board.add_scalar("train/audio_seconds_per_second", step.audio_seconds / step.seconds, step.step)

    def validate(self, step: int) -> Iterator[Validation | str]:
        """Validate, write it down, and speak the run's sample sentences."""
        trainer = self._trainer
        event, held = validation.validate(trainer.model, trainer.vector, trainer.data, self._run, step, self._world)
        if step:
            _note_best(self._best, event)
        if self._world.writes:
            validation.write(self._run.into, step, held)
            metrics.append(self._run.into, asdict(event))
            yield from self._speak(step)
        if self._board:
            for language, values in event.languages.items():
                for name, value in values.items():
                    self._board.add_scalar(f"validation/{language}/{name}", value, step)
        yield event

    def due(self, step: int) -> bool:
        """Whether a validation or a checkpoint follows this step."""
        every = self._run.train.validate_every
        return step % self._run.train.save_every == 0 or bool(every and step % every == 0)

    def is_best(self, step: int) -> bool:
        """Whether a language's held-out loss has its lowest value, so far, at this step."""
        return any(best == step for _, best in self._best.values())

    def save(self, state: State) -> None:
        """Write a checkpoint, whole or not at all, and remove those that are no longer wanted."""
        if not self._world.writes:
            return
        run, trainer = self._run, self._trainer
        place_of = checkpoint.path_of(run.into, state.step)
        try:
            with files.replacing_folder(place_of, (*lora.FILES, *checkpoint.FILES)) as place:
                lora.write(self._saved(), place, lora.EXACT)
                checkpoint.write_state(place, state, trainer.optimizer, trainer.vector.parameter)
                checkpoint.write_checksums(place)
        except OSError as problem:
            raise UserError(
                f"the checkpoint of step {state.step} cannot be written ({problem.strerror or problem}); earlier ones "
                f"are whole: make room, then `train resume {run.into}`"
            ) from problem
        _tidy(run, self._best)

    def _saved(self) -> lora.Saved:
        run, reading = self._run, self._trainer.data.reading
        tags = {language: each.tag for language, each in reading.items()}
        forms = {language: each.form for language, each in reading.items()}
        return lora.Saved(lora.weights(self._trainer.model), run.adapter, run.model, tags, run.revision, forms)

    def _speak(self, step: int) -> Iterator[str]:
        if not self._run.samples:
            return
        saved = self._saved()
        for language, sentences in self._run.samples.items():
            for number, sentence in enumerate(sentences, start=1):
                path = self._run.into / SAMPLES / f"{step:07d}" / f"{language}-{number}.wav"
                with voxcpm.ready_to_speak(self._trainer.model):
                    sound = voxcpm.speak(self._trainer.model, say.tagged(saved, language, sentence), seed=number)
                say.write_wav(sound, path)
                yield f"spoken at step {step}: {path}"


def roll_back(run: config.Run, at: State) -> None:
    """Roll metrics back to the last checkpoint, which a kill left behind, and best.json to those that stay."""
    metrics.roll_back(run.into, at.step if at.step else -1)  # nothing of a run without a checkpoint stays
    if at.step:
        _tidy(run, _best(run))


def _best(run: config.Run) -> Best:
    best: Best = {}
    for event in validation.written(run.into):
        if event.step:
            _note_best(best, event)
    return best


def _note_best(best: Best, event: Validation) -> None:
    for language, values in event.languages.items():
        if language not in best or values["loss"] < best[language][0]:
            best[language] = (values["loss"], event.step)


def _tidy(run: config.Run, best: Best) -> None:
    """Say which checkpoints are the best, and remove those that are no longer wanted."""
    table = {language: {"step": step, "loss": loss} for language, (loss, step) in sorted(best.items())}
    files.write_text(run.into / BEST, json.dumps(table, indent=2) + "\n")
    checkpoint.prune(run.into, run.train.keep, {step for _, step in best.values()})


def _board(run: config.Run, step: int) -> Any:
    from tensorboardX import SummaryWriter

    return SummaryWriter(str(run.into / TENSORBOARD), purge_step=step + 1 if step else None)
