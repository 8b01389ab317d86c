"""Adapters in use: find the one a run has trained, export it, let it speak."""

from dataclasses import replace
from pathlib import Path

from curate.errors import UserError
from curate.text import normalise
from train import card, checkpoint, config, data, facts, lora, pretrained, voxcpm

Sound = tuple[voxcpm.Samples, int]


def adapter_of(folder: Path, step: int | None = None) -> lora.Saved:
    """The adapter of a run (its last checkpoint, or that of a step) or of a folder in either format."""
    if (folder / "run.toml").is_file():
        return lora.load(_checkpoint(folder, step))
    if step is not None:
        raise UserError(f"{folder} is no run, so it has no step {step}")
    return lora.load(folder)


def with_facts(folder: Path, step: int | None = None) -> lora.Saved:
    """The same, with what its run and corpus say of it."""
    saved = adapter_of(folder, step)
    if not (folder / "run.toml").is_file():
        return saved
    return replace(saved, facts=facts.of(folder, int(_checkpoint(folder, step).name)))


def export(folder: Path, form: str, into: Path | None = None, *, step: int | None = None) -> Path:
    """Write the adapter of a run or a folder in another format, and its model card; by default to FOLDER/export/FORMAT.

    Raises UserError where the place holds anything else, such as a card that was edited.
    """
    if form not in lora.FORMATS:
        raise UserError(f"unknown format {form!r}; there are {', '.join(lora.FORMATS)}")
    place = into or folder / "export" / form
    saved = with_facts(folder, step)
    ours = [*lora.FILES, card.CARD] if card.is_untouched(place / card.CARD) else lora.FILES
    try:
        with checkpoint.folder_in_place(place, ours) as partial:
            lora.write(saved, partial, form)
            (partial / card.CARD).write_text(card.text(saved, form), encoding="utf-8")
    except OSError as problem:
        reason = problem.strerror or problem
        raise UserError(f"{place} cannot be written ({reason}): choose another --into") from problem
    return place


def _checkpoint(run: Path, step: int | None) -> Path:
    if step is not None and not checkpoint.path_of(run, step).is_dir():
        kept = [str(int(path.name)) for path in sorted((run / "checkpoints").glob("[0-9]*"))]
        raise UserError(f"{run} keeps no checkpoint of step {step}; there are {', '.join(kept) or 'none'}")
    found = checkpoint.newest(run) if step is None else checkpoint.whole(checkpoint.path_of(run, step))
    if found is None:
        raise UserError(f"{run} has no checkpoint yet: `train resume {run}`")
    return found


def tagged(saved: lora.Saved, language: str, text: str) -> str:
    """A sentence as training text is written: in the form that was trained on, the language's tag before it."""
    if language not in saved.tags:
        known = ", ".join(sorted(saved.tags)) or "none"
        raise UserError(f"the adapter was not trained on language {language!r}; it knows {known}")
    if not text.strip():
        raise UserError("there is no text to say: give --text")
    return saved.tags[language] + normalise(text, language, saved.forms.get(language, "spoken"))


def say(
    folder: Path, language: str, text: str, *, model: str | None = None, device: str = "auto", seed: int = 0
) -> Sound:
    """Speak a sentence with the adapter of a run or a folder, on its own base model unless another is given.

    The folder may be a merged checkpoint, too: there the adapter is in the model.
    """
    merged = lora.merged(folder)
    saved = merged or adapter_of(folder)
    sentence = tagged(saved, language, text)
    if merged and model:
        raise UserError(f"{folder} is a merged checkpoint, so a model of its own: leave out --model")
    base, revision = (str(folder), None) if merged else base_of(folder, saved, model)
    loaded = voxcpm.load(pretrained.find(base, revision), device=data.pick_device(device))
    if not merged:
        lora.load_onto(loaded, saved)
    return voxcpm.speak(loaded.eval(), sentence, seed=seed)


def write_wav(sound: Sound, path: Path) -> None:
    """Write 16-bit mono WAV; samples above 1 are limited."""
    import soundfile

    samples, rate = sound
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.clip(-1, 1), rate, subtype="PCM_16")


def base_of(folder: Path, saved: lora.Saved, model: str | None) -> tuple[str, str | None]:
    """The model that an adapter belongs to, unless another is given, and its revision."""
    if model:
        return model, None
    if (folder / "run.toml").is_file():
        run: config.Run = config.read(folder)
        return run.model, run.revision
    if not saved.base:
        raise UserError(f"the adapter in {folder} does not say which model it belongs to: give --model")
    return saved.base, saved.revision
