"""Who hears what, and in which order: by hash and Latin square, without a random generator.

The same in `page/order.js`, so that a page orders its own list and a referee can check it anywhere: items are sorted by
sha256(seed, listener, item), and the condition of sentence j is square[(j + listener) mod K].
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from train.listen.plan import Plan, group_of, opaque

T = TypeVar("T")
Kind = Literal["training", "test", "anchor", "gold", "trap", "repeat"]


@dataclass(frozen=True)
class Trial:
    """One item of a listener; of a comparison `stimuli` are the baseline and the condition, heard the other way round
    where it is `swapped`."""

    id: str
    kind: Kind
    sentence: str
    condition: str
    stimuli: tuple[str, ...]
    swapped: bool = False
    expected: tuple[int, int] | None = None

    @property
    def heard(self) -> tuple[str, ...]:
        """Stimuli in the order they are heard."""
        return self.stimuli[::-1] if self.swapped else self.stimuli

    def rating(self, value: int, method: str) -> int:
        """The value given, seen from the condition: positive, or 1, says that it is better than the baseline."""
        if not self.swapped:
            return value
        return -value if method == "cmos" else 1 - value

    @property
    def practice(self) -> bool:
        """Whether it belongs to the training page."""
        return self.kind == "training"


def sort_key(seed: int, listener: str, item: str) -> str:
    """Hex digits that order the items of a listener."""
    return hashlib.sha256(f"{seed}:{listener}:{item}".encode()).hexdigest()


def latin(square: Sequence[T], j: int, listener: int) -> T:
    """What stands at row `listener`, column `j` of the cyclic Latin square."""
    return square[(j + listener) % len(square)]


def listener_name(language: str, number: int) -> str:
    """Listeners are numbered from 1 in each language: km-001."""
    return f"{language}-{number:03d}"


def schedule(plan: Plan, language: str, number: int) -> list[Trial]:
    """All trials of a listener in the order they are heard: the training first, then the rest, mixed.

    Of two trials with the same stimulus the one heard later is the repeat.
    """
    listener = listener_name(language, number)
    items = [*_training(plan, language), *_test(plan, language, number), *_others(plan, language, number)]
    chosen = _repeats(plan, listener, [trial for trial in items if trial.kind == "test"])
    ordered = sorted([*items, *chosen], key=lambda trial: _place(plan, listener, trial))
    return list(_second_is_repeat(ordered))


def _place(plan: Plan, listener: str, trial: Trial) -> tuple[bool, str]:
    return not trial.practice, sort_key(plan.seed, listener, trial.id)


def squares(plan: Plan) -> list[tuple[str, bool]]:
    """The entries of the square: conditions, or of a comparison contrasts in both orders."""
    if plan.method == "mos":
        return [(condition, False) for condition in plan.conditions]
    return [(condition, swapped) for swapped in (False, True) for condition in plan.analysis.contrasts]


def _test(plan: Plan, language: str, number: int) -> Iterator[Trial]:
    square = squares(plan)
    for j, sentence in enumerate(group_of(plan, language).sentences):
        if plan.design == "latin":
            yield _trial(plan, "test", sentence.id, *latin(square, j, number))
            continue
        heard = plan.conditions if plan.method == "mos" else plan.analysis.contrasts
        for k, condition in enumerate(heard):
            swapped = plan.method != "mos" and (j + number + k) % 2 == 1
            yield _trial(plan, "test", sentence.id, condition, swapped)


def _training(plan: Plan, language: str) -> Iterator[Trial]:
    for j, item in enumerate(group_of(plan, language).training):
        yield _trial(plan, "training", item.sentence, item.condition, plan.method != "mos" and j % 2 == 1)


def _others(plan: Plan, language: str, number: int) -> Iterator[Trial]:
    """Anchors, gold and traps of a listener, spread over sentences and values by the listener's number."""
    group = group_of(plan, language)
    shifts = {plan.anchors.natural: 0, plan.anchors.low: len(group.sentences) // 2}
    for condition, shift in shifts.items():
        for turn in range(plan.anchors.each if condition else 0):
            sentence = group.sentences[(number * plan.anchors.each + turn + shift) % len(group.sentences)]
            yield _trial(plan, "anchor", sentence.id, str(condition), plan.method != "mos" and (number + turn) % 2 == 1)
    for gold in group.gold:
        stimuli = (gold.stimulus,) if gold.against is None else (gold.against, gold.stimulus)
        identity, condition = _id(plan, "gold", language, gold.id), gold.stimulus.partition("/")[0]
        swapped = gold.against is not None and number % 2 == 1
        yield Trial(identity, "gold", gold.id, condition, stimuli, swapped, (gold.low, gold.high))
    for turn in range(min(plan.traps_each, len(group.traps))):
        trap = latin(group.traps, turn, number)
        identity, value = _id(plan, "trap", language, trap.value), trap.value
        yield Trial(identity, "trap", f"trap {value}", "trap", (trap.stimulus,), False, (value, value))


def _trial(plan: Plan, kind: Kind, sentence: str, condition: str, swapped: bool) -> Trial:
    stimuli: tuple[str, ...] = (f"{condition}/{sentence}",)
    if plan.method != "mos":
        stimuli = (f"{plan.analysis.baseline}/{sentence}", *stimuli)
    return Trial(_id(plan, kind, sentence, condition), kind, sentence, condition, stimuli, swapped)


def _id(plan: Plan, *words: object) -> str:
    return opaque(plan, "item", *words, length=12)


def _repeats(plan: Plan, listener: str, trials: list[Trial]) -> list[Trial]:
    """Second hearings of the trials whose two hearings are furthest apart."""

    def distance(pair: tuple[Trial, Trial]) -> int:
        first, second = (int(sort_key(plan.seed, listener, trial.id), 16) for trial in pair)
        return abs(first - second)

    pairs = [(trial, replace(trial, id=_id(plan, "repeat", trial.id))) for trial in trials]
    return [second for _, second in sorted(pairs, key=distance, reverse=True)[: plan.repeats]]


def _second_is_repeat(ordered: list[Trial]) -> Iterator[Trial]:
    heard: set[tuple[str, str]] = set()
    for trial in ordered:
        again = trial.kind == "test" and (trial.sentence, trial.condition) in heard
        if trial.kind == "test":
            heard.add((trial.sentence, trial.condition))
        yield replace(trial, kind="repeat") if again else trial
