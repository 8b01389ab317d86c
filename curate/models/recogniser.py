"""Whatever recogniser a person names, by folder or hub id: a Whisper for CTranslate2, or a CTC model (MMS, wav2vec2).

A Whisper in Hugging Face's own format is converted first, by `ct2-transformers-converter`, which comes with
ctranslate2.
"""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from curate.errors import UserError
from curate.models import ctc_checkpoint, ctc_spelling
from curate.models.silero import Samples, clean
from curate.models.whisper import Whisper
from curate.models.whisper_files import HUB_ID

BUNDLED = "bundled"  # whisper-base, offline
WINDOW = 30 * 16_000  # samples that a CTC model hears at once
LEAST = 800  # samples: less gives no frame to speak of


class Recogniser(Protocol):
    """Writes what it hears in 16 kHz mono clips."""

    fingerprint: str

    def transcribe(self, clips: Sequence[Samples], language: str) -> list[str]:
        """One text per clip, in order; empty where nothing was heard."""
        ...


def named(model: str, language: str, device: str = "cpu") -> Recogniser:
    """The recogniser that is meant by `bundled`, a folder, or owner/name@commit.

    Raises UserError where there is none, or it does not write the language.
    """
    if model == BUNDLED:
        return _Whisper(model, device)
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return _of_hub(model, language, device)
    if (folder / "model.bin").is_file():
        return _Whisper(str(folder), device)
    _refuse_unconverted(folder / "config.json", model)
    if not (folder / "config.json").is_file():
        raise UserError(
            f"{folder} is no recogniser: give a folder with model.bin (a Whisper for CTranslate2), or config.json, "
            "vocab.json and weights (a CTC model as on Hugging Face)"
        )
    return _Ctc(ctc_checkpoint.read(folder, language), language, device)


def _of_hub(model: str, language: str, device: str) -> Recogniser:
    if not HUB_ID.fullmatch(model):
        raise UserError(
            f"no recogniser {model!r}: give {BUNDLED}, an existing folder, or owner/name@ and its 40-digit commit"
        )
    config = _fetched_config(*ctc_checkpoint.split_hub_id(model))
    _refuse_unconverted(config, model)
    if any(name.endswith("ForCTC") for name in _architectures(config)):
        return _Ctc(ctc_checkpoint.read(ctc_checkpoint.fetch(model, language), language), language, device)
    return _Whisper(model, device)


def _fetched_config(name: str, revision: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(hf_hub_download(name, "config.json", revision=revision))
    except (HfHubHTTPError, OSError, ValueError) as error:
        why = str(error).strip().partition("\n")[0]
        raise UserError(
            f"cannot get {name}@{revision} from the hub; check its name, or the connection ({why})"
        ) from None


def _architectures(config: Path) -> list[str]:
    try:
        return [str(name) for name in json.loads(config.read_text(encoding="utf-8")).get("architectures") or []]
    except (OSError, ValueError, AttributeError, TypeError):
        return []


def _refuse_unconverted(config: Path, model: str) -> None:
    """Raise UserError for a Whisper that only its converter is missing for."""
    if "WhisperForConditionalGeneration" in _architectures(config):
        raise UserError(
            f"{model} is a Whisper in Hugging Face's format: convert it once by `ct2-transformers-converter --model "
            f"{model} --output_dir FOLDER --copy_files tokenizer.json preprocessor_config.json`, and give FOLDER"
        )


class _Whisper:
    def __init__(self, model: str, device: str) -> None:
        self._model = Whisper(model, device=device)
        self.fingerprint = self._model.hearing  # a folder that holds none says so here

    def transcribe(self, clips: Sequence[Samples], language: str) -> list[str]:
        return [heard.text for heard in self._model.transcribe(clips, language)]


class _Ctc:
    """The likeliest letter of each frame, repeats and blanks taken out; no language model."""

    def __init__(self, checkpoint: ctc_checkpoint.Checkpoint, language: str, device: str) -> None:
        _check_script(checkpoint, language)
        self._checkpoint, self._device = checkpoint, device
        self._letters = {number: letter for letter, number in checkpoint.vocabulary.items()}
        packages = " ".join(f"{package}-{version(package)}" for package in ("torch", "transformers"))
        self.fingerprint = f"greedy-ctc-1 {ctc_checkpoint.hashes(checkpoint)} {packages} {device} {language}"
        self._network: Any = None

    def transcribe(self, clips: Sequence[Samples], language: str) -> list[str]:
        return [self._written(clean(clip)) for clip in clips]

    def _written(self, clip: Samples) -> str:
        if len(clip) < LEAST or not clip.any():
            return ""
        self._network = self._network or ctc_checkpoint.network(self._checkpoint, self._device)
        parts = [self._heard(clip[at : at + WINDOW]) for at in range(0, len(clip), WINDOW)]
        return " ".join(part for part in parts if part)

    def _heard(self, clip: Samples) -> str:
        import torch

        if len(clip) < LEAST:
            return ""
        if self._checkpoint.normalised:
            clip = (clip - clip.mean()) / np.sqrt(clip.var() + 1e-7)
        scores = self._network(torch.from_numpy(np.ascontiguousarray(clip))[None].to(self._device))
        best = scores.argmax(dim=-1).tolist()
        kept = [
            each for i, each in enumerate(best) if each != self._checkpoint.blank and (i == 0 or best[i - 1] != each)
        ]
        written = "".join(" " if each == self._checkpoint.separator else self._letters.get(each, "") for each in kept)
        return " ".join(word for word in written.split() if not (word.startswith("<") and word.endswith(">")))


def _check_script(checkpoint: ctc_checkpoint.Checkpoint, language: str) -> None:
    """Raise UserError where a model writes Latin letters: it can align, and its CER would mean nothing."""
    if checkpoint.spell(ctc_spelling.PROBES[language]).isascii():
        raise UserError(
            f"{checkpoint.folder} writes Latin letters, not {ctc_spelling.NAMES[language]}: it can align a text, but "
            "not be an --asr; name a model that writes the language's own script"
        )
