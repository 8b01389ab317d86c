"""What an evaluation is asked for, resolved and checked before a model is loaded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate import files
from curate.errors import UserError
from curate.models import recogniser
from curate.models.recogniser import Recogniser
from curate.text import LANGUAGES
from train.data import dataset
from train.evaluate import conditions, folder, held_out, imported
from train.evaluate.conditions import Condition
from train.evaluate.folder import NATURAL, Sentence
from train.evaluate.held_out import HeldOut
from train.evaluate.measuring import Meter
from train.evaluate.synthesis import Speaking
from train.model import base

LOSSES, SPOKEN, ABOUT = "losses", "spoken", "condition.json"
RECOGNISERS = "recognisers.json"


@dataclass(frozen=True)
class Settings:
    """What `train evaluate` is asked for."""

    corpus: Path
    into: Path
    runs: Sequence[str] = ()
    model: str | None = None
    revision: str | None = None
    step: int | None = None
    split: str | None = None
    sentences: Path | None = None
    most: int = 48  # sentences a language; the published study's number of stimuli
    latents: Path | None = None
    draws: int = 4
    speaking: Speaking = field(default_factory=Speaking)
    plain: bool = True
    asr: Sequence[str] = ()
    transcripts: Path | None = None
    scores: Sequence[Path] = ()
    quality: bool = True
    device: str = "auto"
    banner: str = ""  # what stands above everything that a rehearsal writes


@dataclass(frozen=True)
class Plan:
    """What is evaluated, resolved and checked."""

    settings: Settings
    held: HeldOut
    model: Path
    conditions: list[Condition]
    sentences: list[Sentence]
    recognisers: dict[str, Recogniser]
    device: str
    meter: Meter

    @property
    def by_id(self) -> dict[str, Sentence]:
        return {each.id: each for each in self.sentences}


def prepare(settings: Settings) -> Plan:
    """Resolve and check everything that can be refused before a model is loaded; begins the folder."""
    device = dataset.pick_device(settings.device)
    if settings.asr and settings.transcripts:
        raise UserError("--asr and --transcripts both say what was heard: give one of them")
    held = held_out.read(settings.corpus, settings.split)
    model, found = conditions.gather(
        settings.runs,
        settings.model,
        held.reading,
        revision=settings.revision,
        step=settings.step,
        plain=settings.plain,
    )
    if settings.sentences:
        sentences = held_out.from_table(settings.sentences, held.reading)
        held.notes.extend(held_out.said_in_training(sentences, settings.corpus, held.reading))
    else:
        sentences = held_out.chosen(held, settings.most)
    dataset.note_files(model)
    folder.begin(settings.into, fingerprint(settings, held, model, sentences))
    folder.write_sentences(settings.into, sentences)
    _check_imports(settings, [each.name for each in found], sentences)
    recognisers = _recognisers(settings, sorted({each.language for each in sentences}), device)
    return Plan(settings, held, model, found, sentences, recognisers, device, Meter(settings.quality))


def check_split(corpus: Path, split: str | None) -> None:
    """Raise UserError where a language has no held-out clips: known before hours of training."""
    held_out.read(corpus, split)


def _check_imports(settings: Settings, names: Sequence[str], sentences: Sequence[Sentence]) -> None:
    """Raise UserError where what others have found is of sentences that are not spoken here."""
    there = {path.parent.name for path in (settings.into / "answers").glob(f"*/{ABOUT}")}
    takes = range(1, settings.speaking.takes + 1)
    known = {(name, each.id, take) for name in {*names, *there, NATURAL} for each in sentences for take in takes}
    if settings.transcripts:
        imported.transcripts(settings.transcripts, known)
    for path in settings.scores:
        imported.scores(path, known)


def fingerprint(settings: Settings, held: HeldOut, model: Path, sentences: Sequence[Sentence]) -> dict[str, Any]:
    """What must stay the same for its numbers to be compared."""
    speaking = settings.speaking
    return {
        "base model": base.base_hash(model),
        "split": held.split,
        "held-out clips": folder.digest([[each.id, each.text] for each in held.clips]),
        "sentences": folder.digest([[each.id, each.language, each.text, each.pronounced] for each in sentences]),
        "draws": settings.draws,
        "seed": speaking.seed,
        "takes": speaking.takes,
        "timesteps": speaking.timesteps,
        "guidance": speaking.guidance,
    }


def _recognisers(settings: Settings, languages: Sequence[str], device: str) -> dict[str, Recogniser]:
    """language -> who transcribes it: what is named now, or else what was named before."""
    path = settings.into / RECOGNISERS
    noted = json.loads(path.read_text(encoding="utf-8")) if path.is_file() and not settings.transcripts else {}
    wanted = dict(noted)
    for word in settings.asr:
        language, equals, model = word.partition("=")
        if equals and language not in LANGUAGES:
            raise UserError(f"--asr {word}: no language {language!r}; there are {', '.join(LANGUAGES)}")
        wanted |= {language: model} if equals else dict.fromkeys(languages, word)
    found = {name: recogniser.named(wanted[name], name, device) for name in languages if name in wanted}
    if settings.asr:
        files.write_text(path, json.dumps({name: wanted[name] for name in found}, indent=2) + "\n")
    return found


def is_whole(plan: Plan, name: str) -> bool:
    """Whether all of a condition is spoken and, but for recordings, its losses measured."""
    into = plan.settings.into
    spoken = {spoken_key(line) for line in folder.read_lines(folder.answers(into, name, SPOKEN))}
    if name == NATURAL:
        return {(each.id, 1) for each in plan.sentences if each.recording} <= spoken
    wanted = {(each.id, take) for each in plan.sentences for take in range(1, plan.settings.speaking.takes + 1)}
    lost = {line["id"] for line in folder.read_lines(folder.answers(into, name, LOSSES))}
    return wanted <= spoken and {clip.id for clip in plan.held.clips} <= lost


def spoken_key(line: Mapping[str, Any]) -> tuple[str, int]:
    """Sentence and take of a record."""
    return str(line["sentence"]), int(line["take"])
