"""How long a session takes, and what about a plan is worth a second look before it is used."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curate import audio
from curate.errors import Unreadable, UserError
from train.listen import design
from train.listen.plan import Plan, group_of, place

THINKING = 6.0  # seconds to rate an item and go on; of our own sessions, an estimate
LONGEST = 45 * 60  # seconds: the P.808 toolkit's longest session


def facts(plan: Plan, folder: Path) -> dict[str, Any]:
    """What a plan comes to: items and minutes of a listener, ratings of each stimulus, and what to look at."""
    languages: dict[str, Any] = {}
    notes: list[str] = []
    for language, group in plan.groups.items():
        trials = design.schedule(plan, language, 1)
        minutes = sum(_seconds(plan, folder, trial) + THINKING for trial in trials) / 60
        kinds = {kind: sum(trial.kind == kind for trial in trials) for kind in dict.fromkeys(t.kind for t in trials)}
        languages[language] = {
            "listeners": group.listeners,
            "sentences": len(group.sentences),
            "items": len(trials),
            "kinds": kinds,
            "minutes": round(minutes, 1),
        }
        notes += _doubts(plan, language, minutes)
    return {"languages": languages, "notes": notes}


def _doubts(plan: Plan, language: str, minutes: float) -> Iterator[str]:
    group, size = group_of(plan, language), len(design.squares(plan))
    if plan.design == "latin" and (group.listeners % size or len(group.sentences) % size):
        yield (
            f"{language}: the Latin square does not close: make listeners ({group.listeners}) and sentences "
            f"({len(group.sentences)}) multiples of {size}"
        )
    if minutes * 60 > LONGEST:
        yield f"{language}: a session takes {minutes:.0f} minutes; people tire after 45: fewer sentences, or latin"


def _seconds(plan: Plan, folder: Path, trial: design.Trial) -> float:
    return sum(_length(plan, folder, name) for name in trial.stimuli)


def _length(plan: Plan, folder: Path, name: str) -> float:
    condition, _, sentence = name.partition("/")
    source = f"{plan.made[condition].source}/{sentence}" if condition in plan.made else name
    path = place(folder, plan.stimuli[source])
    try:
        info = audio.probe(path)
    except Unreadable as problem:
        raise UserError(f"{path} cannot be read as audio: {problem}") from None
    return info.frames / info.rate
