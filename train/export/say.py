"""Adapters in use: find the one a run has trained, export it, let it speak."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np

from curate import files
from curate.errors import UserError
from curate.text import normalise
from train import checkpoint, config
from train.adapter import lora
from train.data import dataset
from train.export import card
from train.model import base, voxcpm

Sound = tuple[voxcpm.Samples, int]
SEEDS = range(-(2**63), 2**64)  # what torch takes


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
    return replace(saved, facts=card.facts(folder, int(_checkpoint(folder, step).name)))


def export(folder: Path, form: str, into: Path | None = None, *, step: int | None = None) -> Path:
    """Write the adapter of a run or a folder in another format, and its model card; by default to FOLDER/export/FORMAT.

    Raises UserError where the place holds anything else, such as a card that was edited, or is FOLDER itself.
    """
    if form not in lora.FORMATS:
        raise UserError(f"unknown format {form!r}; there are {', '.join(lora.FORMATS)}")
    place = into or folder / "export" / form
    if place.resolve() == folder.resolve():
        raise UserError(f"{place} holds what would be lost, the adapter that is to be exported: choose another --into")
    saved = with_facts(folder, step)
    ours = lora.FILES if (place / lora.NOTES).is_file() else ()  # without the note, another trainer wrote them
    ours = (*ours, card.CARD) if card.is_untouched(place / card.CARD) else ours
    try:
        with files.replacing_folder(place, ours) as partial:
            lora.write(saved, partial, form)
            (partial / card.CARD).write_text(card.text(saved, form), encoding="utf-8")
    except OSError as problem:
        reason = problem.strerror or problem
        raise UserError(f"{place} cannot be written ({reason}): choose another --into") from problem
    return place


def _checkpoint(run: Path, step: int | None) -> Path:
    if step is not None and not checkpoint.path_of(run, step).is_dir():
        kept = [str(int(path.name)) for path in checkpoint.every(run)]
        raise UserError(f"{run} keeps no checkpoint of step {step}; there are {', '.join(kept) or 'none'}")
    found = checkpoint.newest(run) if step is None else checkpoint.verified(checkpoint.path_of(run, step))
    if found is None:
        raise UserError(f"{run} has no checkpoint yet: `train resume {run}`")
    return found


def tagged(saved: lora.Saved, language: str, text: str) -> str:
    """A sentence as training text is written: in the form that was trained on, the language's tag before it."""
    if language not in saved.tags:
        known = ", ".join(sorted(saved.tags)) or "none"
        raise UserError(f"the adapter was not trained on language {language!r}; it knows {known}")
    written = normalise(text, language, saved.forms.get(language, "spoken"))
    if not any(letter.isalnum() for letter in written):
        raise UserError(f"there is no text to say in {text!r}: give a sentence")
    return saved.tags[language] + written


def say(
    folder: Path, language: str, text: str, *, model: str | None = None, device: str = "auto", seed: int = 0
) -> Sound:
    """Speak a sentence with the adapter of a run or a folder, on its own base model unless another is given.

    The folder may be a merged checkpoint, too: there the adapter is in the model.
    """
    if seed not in SEEDS:
        raise UserError(f"a seed has 64 bits, too few for {seed}: give a smaller --seed")
    merged = lora.merged(folder)
    saved = merged or adapter_of(folder)
    sentence = tagged(saved, language, text)
    if merged and model:
        raise UserError(f"{folder} is a merged checkpoint, so a model of its own: leave out --model")
    origin, revision = (str(folder), None) if merged else base_of(folder, saved, model)
    loaded = voxcpm.load(base.find(origin, revision), device=dataset.pick_device(device))
    if not merged:
        lora.load_onto(loaded, saved)
    sound = voxcpm.speak(loaded.eval(), sentence, seed=seed)
    if not np.isfinite(sound[0]).all():
        raise UserError(
            f"{origin} speaks no sound but NaN: its weights are damaged, fetch or merge the checkpoint again"
        )
    return sound


def check_wav(path: Path) -> None:
    """Raise UserError where --out cannot be written: it is known before a model is loaded."""
    try:
        if path.is_dir():
            raise UserError(f"--out {path} is a folder: name a file in it, such as {path / 'out.wav'}")
        if path.suffix.lower() != ".wav":
            raise UserError(f"--out {str(path)!r} must end in .wav: only WAV is written")
        path.parent.mkdir(parents=True, exist_ok=True)
        probe = path.with_name(f".{path.name}{files.PARTIAL}")
        probe.touch()
        probe.unlink()
    except OSError as problem:
        raise _unwritable(path, problem) from problem


def save_wav(sound: Sound, path: Path) -> None:
    """`write_wav` to --out; UserError where it cannot be written."""
    try:
        write_wav(sound, path)
    except OSError as problem:
        raise _unwritable(path, problem) from problem


def write_wav(sound: Sound, path: Path) -> None:
    """Write 16-bit mono WAV, whole or not at all; samples above 1 are limited. Raises OSError."""
    import soundfile

    samples, rate = sound
    made = io.BytesIO()  # into a file, soundfile would not say why it cannot be written
    soundfile.write(made, samples.clip(-1, 1), rate, format="WAV", subtype="PCM_16")
    files.write_bytes(path, made.getbuffer())


def _unwritable(path: Path, problem: OSError) -> UserError:
    return UserError(f"{path} cannot be written ({problem.strerror or problem}): make room, or choose another --out")


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
