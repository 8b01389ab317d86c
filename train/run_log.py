"""What a run leaves behind while it goes: metrics, validations, spoken samples, checkpoints and the best of them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from curate import files
from curate.errors import UserError
from train import checkpoint, config, metrics, trackers, validation
from train.adapter import lora
from train.checkpoint import State
from train.distributed import World
from train.estimate import fit
from train.export import facts, say
from train.model import speaking
from train.trainer import Step, Trainer
from train.validation import Validation

BEST = "best.json"  # language -> step and loss of its best checkpoint
Best = dict[str, tuple[float, int]]  # language -> held-out loss, step
SAMPLES = "samples"


class RunLog:
    """Writes for one run; on processes that do not write, it only takes part in what all must do."""

    def __init__(
        self,
        run: config.Run,
        trainer: Trainer,
        world: World,
        at: State,
        settings: dict[str, Any],
        earlier: lora.Saved | None = None,
    ) -> None:
        """`settings` go into every checkpoint.

        `earlier` is the adapter that the run goes on from, of whose languages some may not be trained on now.
        """
        self._run, self._trainer, self._world, self._earlier = run, trainer, world, earlier
        self._settings = settings
        self.notes = roll_back(run, at) if world.writes else []  # what is to be said of the metrics
        world.wait()
        lines = metrics.read(run.into)
        trainer.remember([line["loss"] for line in lines if "loss" in line])
        self._seen = validation.written(run.into)
        self._best = _best(self._seen)
        # All processes cut held-out clips into the same pieces; what fits is each GPU's own, so the least is taken.
        tokens = world.gather(trainer.run.batch.micro_batch_tokens or trainer.run.batch.tokens)
        self._at_once = fit.with_budget(run, min(tokens))
        self._trackers = trackers.started(run, at.step) if world.writes else []

    def keep(self, step: Step) -> None:
        """Write a step down."""
        if self._world.writes:
            metrics.append(self._run.into, asdict(step))
        names = ("loss", "diff", "stop", "learning_rate", "gradient_norm")
        figures = {f"train/{name}": getattr(step, name) for name in names}
        figures["train/audio_seconds_per_second"] = step.audio_seconds / step.seconds
        for tracker in self._trackers:
            tracker.figures(step.step, figures)

    def validate(self, step: int) -> Iterator[Validation | str]:
        """Validate, write it down, and speak the run's sample sentences.

        Step 0 is the model without an adapter, also where the run begins from one: what that one does is a note.
        """
        with self._trainer.optimizer.averaged():
            if step == 0 and self._run.start_from:
                yield self._validate_start()
            event, held = self._validated(step)
            self._seen.append(event)
            if step:
                _note_best(self._best, event)
            if self._world.writes:
                validation.write(self._run.into, step, held)
                metrics.append(self._run.into, asdict(event))
                yield from self._speak(step)
        figures = {
            f"validation/{language}/{name}": value
            for language, values in event.languages.items()
            for name, value in values.items()
        }
        for tracker in self._trackers:
            tracker.figures(step, figures)
        yield event

    def _validated(self, step: int) -> tuple[Validation, list[validation.ClipLoss]]:
        trainer = self._trainer
        with trainer.vector.silenced() if step == 0 and self._run.start_from else nullcontext():
            return validation.validate(trainer.model, trainer.vector, trainer.data, self._at_once, step, self._world)

    def _validate_start(self) -> str:
        """Held-out losses of the adapter that the run begins from, kept beside those of step 0."""
        trainer = self._trainer
        event, _ = validation.validate(trainer.model, trainer.vector, trainer.data, self._at_once, 0, self._world)
        losses = {language: values["loss"] for language, values in event.languages.items()}
        if self._world.writes:
            metrics.append(self._run.into, {"step": 0, "start_from": losses})
        told = " ".join(f"{language} {loss:.4f}" for language, loss in losses.items())
        return f"held-out loss of the adapter that this run begins from: {told}"

    def rising(self) -> list[str]:
        """Why to stop: whose held-out loss has risen for as long as the run file says."""
        limit = self._run.train.stop_after_rises
        return validation.rising(self._seen, limit) if limit else []

    def close(self) -> None:
        """Let trackers send what they hold."""
        for tracker in self._trackers:
            tracker.close()

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
            metrics.flush(run.into)  # a resumed run writes no line of the steps before a checkpoint again
            with files.replacing_folder(place_of, (*lora.FILES, *checkpoint.FILES)) as place:
                with trainer.optimizer.averaged():
                    lora.write(self._saved(), place, lora.EXACT)
                checkpoint.write_state(place, state, trainer.optimizer.state_dict(), self._settings)
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
        if self._earlier:  # what it knew it can still say
            tags, forms = self._earlier.tags | tags, self._earlier.forms | forms
        weights = lora.weights(self._trainer.model)
        return lora.Saved(weights, run.adapter, run.model, tags, run.revision, forms, facts.of_base(run))

    def _speak(self, step: int) -> Iterator[str]:
        if not self._run.samples:
            return
        saved = self._saved()
        for language, sentences in self._run.samples.items():
            for number, sentence in enumerate(sentences, start=1):
                path = self._run.into / SAMPLES / f"{step:07d}" / f"{language}-{number}.wav"
                with speaking.ready_to_speak(self._trainer.model):
                    sound = speaking.speak(self._trainer.model, say.tagged(saved, language, sentence), seed=number)
                say.write_wav(sound, path)
                for tracker in self._trackers:
                    tracker.sound(step, f"samples/{path.stem}", path, sentence)
                yield f"spoken at step {step}: {path}"


def roll_back(run: config.Run, at: State) -> list[str]:
    """Roll metrics back to the last checkpoint, which a kill left behind, and best.json to those that stay.

    Returns what is to be said of it.
    """
    notes = metrics.roll_back(run.into, at.step if at.step else -1)  # nothing of a run without a checkpoint stays
    if at.step:
        _tidy(run, _best(validation.written(run.into)))
    return notes


def _best(seen: Sequence[Validation]) -> Best:
    best: Best = {}
    for event in seen:
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
