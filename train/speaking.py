"""Adapters in use: find the one a run has trained, export it, let it speak."""

from pathlib import Path

from curate.errors import UserError
from curate.text import normalise
from train import checkpoint, config, finetune, lora, voxcpm

Sound = tuple[voxcpm.Samples, int]


def adapter_of(folder: Path) -> lora.Saved:
    """The adapter of a run (its last checkpoint) or of a folder in either format."""
    if (folder / "run.toml").is_file():
        found = checkpoint.newest(folder)
        if found is None:
            raise UserError(f"{folder} has no checkpoint yet: `train resume {folder}`")
        return lora.load(found)
    return lora.load(folder)


def export(folder: Path, form: str, into: Path | None = None) -> Path:
    """Write the adapter of a run or a folder in another format; by default to FOLDER/export/FORMAT."""
    if form not in lora.FORMATS:
        raise UserError(f"unknown format {form!r}; there are {', '.join(lora.FORMATS)}")
    place = into or folder / "export" / form
    lora.save(adapter_of(folder), place, form)
    return place


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
    """Speak a sentence with the adapter of a run or a folder, on its own base model unless another is given."""
    saved = adapter_of(folder)
    sentence = tagged(saved, language, text)
    base, revision = _base(folder, saved, model)
    loaded = voxcpm.load(voxcpm.find(base, revision), device=finetune.pick_device(device))
    lora.load_onto(loaded, saved)
    return voxcpm.speak(loaded.eval(), sentence, seed=seed)


def write_wav(sound: Sound, path: Path) -> None:
    """Write 16-bit mono WAV; samples above 1 are limited."""
    import soundfile

    samples, rate = sound
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.clip(-1, 1), rate, subtype="PCM_16")


def _base(folder: Path, saved: lora.Saved, model: str | None) -> tuple[str, str | None]:
    if model:
        return model, None
    if (folder / "run.toml").is_file():
        run: config.Run = finetune.read(folder)
        return run.model, run.revision
    if not saved.base:
        raise UserError(f"the adapter in {folder} does not say which model it belongs to: give --model")
    return saved.base, saved.revision
