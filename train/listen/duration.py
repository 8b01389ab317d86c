"""How long a session takes, and what about a plan is worth a second look before it is used."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from curate import audio
from curate.errors import Unreadable, UserError
from train.listen import design
from train.listen.plan import Plan, group_of, place

THINKING = 6.0  # seconds to rate an item and go on; of our own sessions, an estimate
LONGEST = 45 * 60  # seconds: the P.808 toolkit's longest session


def facts(plan: Plan, folder: Path) -> dict[str, Any]:
    """What a plan comes to: items and minutes of a listener, ratings of each stimulus, and what to look at.

    Raises UserError for a stimulus without sound: a plan that is hashed and cannot be built would be one too many.
    """
    lengths = {name: _length(place(folder, file)) for name, file in plan.stimuli.items()}
    languages: dict[str, Any] = {}
    notes: list[str] = []
    for language, group in plan.groups.items():
        trials = design.schedule(plan, language, 1)
        minutes = sum(_seconds(plan, lengths, trial) + THINKING for trial in trials) / 60
        kinds = {kind: sum(trial.kind == kind for trial in trials) for kind in dict.fromkeys(t.kind for t in trials)}
        languages[language] = {
            "listeners": group.listeners,
            "sentences": len(group.sentences),
            "items": len(trials),
            "kinds": kinds,
            "minutes": round(minutes, 1),
        }
        notes += _doubts(plan, language, minutes)
    return {"languages": languages, "notes": [*notes, *_same(plan)]}


def _same(plan: Plan) -> Iterator[str]:
    """Sentences that sound the same in two conditions, byte for byte: listeners would compare a sound with itself."""
    names: dict[tuple[str, str], list[str]] = {}
    for name, file in plan.stimuli.items():
        names.setdefault((name.partition("/")[2], file.sha256), []).append(name)
    alike = [each for each in names.values() if len(each) > 1]
    if alike:
        more = f", and {len(alike) - 1} more" if len(alike) > 1 else ""
        yield f"the same sound under two names: {' and '.join(alike[0])}{more}: was one copied over the other?"


def _doubts(plan: Plan, language: str, minutes: float) -> Iterator[str]:
    group, size = group_of(plan, language), len(design.squares(plan))
    if plan.design == "latin" and (group.listeners % size or len(group.sentences) % size):
        yield (
            f"{language}: the Latin square does not close: make listeners ({group.listeners}) and sentences "
            f"({len(group.sentences)}) multiples of {size}"
        )
    if minutes * 60 > LONGEST:
        yield f"{language}: a session takes {minutes:.0f} minutes; people tire after 45: fewer sentences, or latin"


def _seconds(plan: Plan, lengths: Mapping[str, float], trial: design.Trial) -> float:
    return sum(lengths[_source(plan, name)] for name in trial.stimuli)


def _source(plan: Plan, name: str) -> str:
    """The stimulus that one of a made condition is made from, or itself."""
    condition, _, sentence = name.partition("/")
    return f"{plan.made[condition].source}/{sentence}" if condition in plan.made else name


def _length(path: Path) -> float:
    try:
        info = audio.probe(path)
    except Unreadable as problem:
        raise UserError(f"{path} cannot be read as audio: {problem}") from None
    return info.frames / info.rate
