"""What is compared: the base model as it is, with and without the tag, and one adapter or merged checkpoint each."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.errors import UserError
from train.adapter import lora
from train.data.corpus import Reading
from train.evaluate.folder import NAME, OURS, PLAIN, ZERO_SHOT, Sentence, digest
from train.export.adapter import adapter_of, base_of
from train.model import base, voxcpm


@dataclass(frozen=True)
class Condition:
    """One way to speak: a base model, perhaps an adapter, and how each language's text is written for it."""

    name: str
    model: Path
    reading: Mapping[str, Reading]
    saved: lora.Saved | None = None  # None: the model as it is
    place: Path | None = None  # where the adapter was found
    facts: dict[str, Any] = field(default_factory=dict)

    def text(self, sentence: Sentence) -> str:
        """A sentence as this condition is given it: its tag, then the text in the form that it learned."""
        reading = self.reading.get(sentence.language, Reading("", "spoken"))
        pronounced = reading.form == "pronounced" and sentence.pronounced
        return reading.tag + (sentence.pronounced or "" if pronounced else sentence.text)

    @property
    def identity(self) -> str:
        """What tells it from another of the same name: weights, scale, tags and the base."""
        weights = hashlib.sha256()
        for name, value in sorted(self.saved.weights.items() if self.saved else ()):
            weights.update(name.encode() + value.contiguous().numpy().tobytes())
        readings = {language: [each.tag, each.form] for language, each in sorted(self.reading.items())}
        scale = self.saved.adapter.scale if self.saved else 0.0
        return digest([weights.hexdigest(), scale, readings, base.base_hash(self.model)])


def gather(
    runs: Sequence[str], model: str | None, reading: Mapping[str, Reading], *, revision: str | None = None,
    step: int | None = None, plain: bool = True,
) -> tuple[Path, list[Condition]]:  # fmt: skip
    """The base model, and its conditions: zero-shot, without the tag if `plain`, and one for each of `runs`.

    A run is a folder, or NAME=FOLDER: of a training, of an adapter in either format, or of a merged checkpoint. Raises
    UserError where two have one name, one is of another base model, or does not fit the model.
    """
    named = [_named(each) for each in runs]
    _check_names([name for name, _ in named])
    merged = {name: found for name, place in named if (found := _merged(place))}
    saved = {name: adapter_of(place, step) for name, place in named if name not in merged}
    folder = _base(named, saved, merged, model, revision)
    conditions = [Condition(ZERO_SHOT, folder, reading)]
    if plain and any(each.tag for each in reading.values()):
        untagged = {language: Reading("", "spoken") for language in reading}
        conditions.append(Condition(PLAIN, folder, untagged))
    for name, place in named:
        conditions.append(
            Condition(name, base.find(str(place)), _reading(merged[name], reading), None, place, {"merged": True})
            if name in merged
            else _adapted(name, place, folder, saved[name], reading)
        )
    return folder, conditions


def _named(word: str) -> tuple[str, Path]:
    name, equals, path = word.partition("=")
    place = Path(path if equals else word).expanduser()
    name = name if equals else place.resolve().name
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} cannot name files (letters, digits, . _ -): say NAME={place}")
    if not place.is_dir():
        raise UserError(f"there is no folder {place}: name a run, an adapter or a merged checkpoint")
    return name, place


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if name in OURS:
            raise UserError(f"{name} is the name of another condition: say NAME=FOLDER with a name of your own")
        if names.count(name) > 1:
            raise UserError(f"two runs are called {name}: say NAME=FOLDER for one of them")


def _merged(place: Path) -> lora.Saved | None:
    return None if (place / "run.toml").is_file() else lora.merged(place)


def _base(
    named: Sequence[tuple[str, Path]],
    saved: Mapping[str, lora.Saved],
    merged: Mapping[str, lora.Saved],
    model: str | None,
    revision: str | None,
) -> Path:
    """The folder of the base model that all are compared on."""
    if model:
        return base.asked(model, revision)
    bases = [base_of(place, saved[name], None) for name, place in named if name in saved]
    bases += [(each.base, each.revision) for each in merged.values() if each.base]
    if not bases:
        raise UserError("no adapter says which base model it is of: give --model")
    if other := next((each for each in bases if each != bases[0]), None):
        raise UserError(f"the adapters are of two base models, {bases[0][0]} and {other[0]}: give --model")
    return base.find(*bases[0])


def _adapted(name: str, place: Path, folder: Path, saved: lora.Saved, reading: Mapping[str, Reading]) -> Condition:
    fitted = voxcpm.on_meta(base.read_config(folder), vae=voxcpm.NO_VAE)
    lora.attach(fitted, saved.adapter)
    try:
        lora.check_shapes(fitted, saved.weights)
    except UserError as problem:
        raise UserError(f"{place} does not fit {folder}, so it is of another base model: {problem}") from None
    facts = {"rank": saved.adapter.rank, "alpha": saved.adapter.alpha, "parameters": lora.count(fitted)}
    return Condition(name, folder, _reading(saved, reading), saved, place, facts)


def _reading(saved: lora.Saved, reading: Mapping[str, Reading]) -> dict[str, Reading]:
    """How text was written for an adapter, where it says so; else as the corpus writes it."""
    own = {language: Reading(tag, saved.forms.get(language, "spoken")) for language, tag in saved.tags.items()}
    return {**reading, **own}
