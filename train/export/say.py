"""Speak a sentence with a trained adapter, and write it as WAV."""

import io
from pathlib import Path

import numpy as np

from curate import files
from curate.errors import UserError
from curate.text import control, normalise
from train.adapter import lora
from train.data import dataset
from train.export.adapter import adapter_of, base_of
from train.model import base, speaking, voxcpm

Speech = tuple[voxcpm.Samples, int]
SEEDS = range(-(2**63), 2**64)  # what torch takes


def tagged(saved: lora.Saved, language: str, text: str, words: str = "") -> str:
    """A sentence as training text is written: in the form that was trained on, the language's tag before it.

    `words` are control words, which go into the tag; the sentence itself begins with no parenthesis.
    """
    if language not in saved.tags:
        known = ", ".join(sorted(saved.tags)) or "none"
        raise UserError(f"the adapter was not trained on language {language!r}; it knows {known}")
    written = normalise(text, language, saved.forms.get(language, "spoken"))
    if not any(letter.isalnum() for letter in written):
        raise UserError(f"there is no text to say in {text!r}: give a sentence")
    words = words.strip()
    if set(words) & set(control.OPENING + control.CLOSING):
        raise UserError(f"control words have no parentheses, unlike {words!r}: they are put into that of the tag")
    return control.with_words(saved.tags[language], words) + control.plain(written)


def say(
    folder: Path,
    language: str,
    text: str,
    *,
    words: str = "",
    model: str | None = None,
    device: str = "auto",
    seed: int = 0,
) -> Speech:
    """Speak a sentence with the adapter of a run or a folder, on its own base model unless another is given.

    The folder may be a merged checkpoint, too: there the adapter is in the model.
    """
    if seed not in SEEDS:
        raise UserError(f"a seed has 64 bits, too few for {seed}: give a smaller --seed")
    merged = lora.merged(folder)
    saved = merged or adapter_of(folder)
    sentence = tagged(saved, language, text, words)
    if merged and model:
        raise UserError(f"{folder} is a merged checkpoint, so a model of its own: leave out --model")
    origin, revision = (str(folder), None) if merged else base_of(folder, saved, model)
    loaded = voxcpm.load(base.find(origin, revision), device=dataset.pick_device(device))
    if not merged:
        lora.load_onto(loaded, saved)
    sound = speaking.speak(loaded.eval(), sentence, seed=seed)
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


def save_wav(sound: Speech, path: Path) -> None:
    """`write_wav` to --out; UserError where it cannot be written."""
    try:
        write_wav(sound, path)
    except OSError as problem:
        raise _unwritable(path, problem) from problem


def write_wav(sound: Speech, path: Path) -> None:
    """Write 16-bit mono WAV, whole or not at all; samples above 1 are limited. Raises OSError."""
    import soundfile

    samples, rate = sound
    made = io.BytesIO()  # into a file, soundfile would not say why it cannot be written
    soundfile.write(made, samples.clip(-1, 1), rate, format="WAV", subtype="PCM_16")
    files.write_bytes(path, made.getbuffer())


def _unwritable(path: Path, problem: OSError) -> UserError:
    return UserError(f"{path} cannot be written ({problem.strerror or problem}): make room, or choose another --out")
