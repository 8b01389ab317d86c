"""Who is left out of the analysis: by rule only, and never without being named.

Rules are fixed before a rating exists, in the plan. Where there is no plan, only those apply whose evidence was put
into the test for that purpose (traps, gold items, playing to the end); the others are looked at and reported, not
applied: a rule that is chosen when the ratings are in can be chosen for its result.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.errors import UserError
from train.listen.ratings import NO, YES, Rating

Who = tuple[str, str]  # language, listener
Answers = dict[Who, list[Rating]]
FAST_SHARE = 0.1  # of a listener's ratings that may come before the end of the sound
IDENTICAL = 10  # ratings in common from which on two listeners that agree in all of them are one


@dataclass(frozen=True)
class Rules:
    """Each rule's threshold; None or False: it does not apply. A plan's `analysis.exclusions` has the same names."""

    native: bool = False
    finished: bool = False
    trap_misses: int | None = 0
    gold_misses: int | None = 0
    repeat_difference: float | None = None
    min_variance: float | None = None
    outlier_z: float | None = None
    headphones: bool = False
    min_trials: int | None = None
    too_fast: bool = True
    same_ratings: bool = False


CONTROLS = Rules()  # without a plan
USUAL = Rules(  # thresholds of the P.808 toolkit; offered, and looked at where they do not apply
    repeat_difference=1.5, min_variance=0.1, outlier_z=3.29, same_ratings=True,
)  # fmt: skip
NONE = Rules(trap_misses=None, gold_misses=None, too_fast=False)


@dataclass(frozen=True)
class Excluded:
    """One reason against one listener."""

    language: str
    listener: str
    rule: str
    why: str

    @property
    def who(self) -> Who:
        """Whom it is about."""
        return self.language, self.listener

    def facts(self) -> dict[str, Any]:
        """As written to JSON."""
        return {"listener": self.listener, "language": self.language, "rule": self.rule, "why": self.why}


def rules_of(plan: Mapping[str, Any]) -> Rules:
    """The rules of a plan's `analysis.exclusions`. Raises UserError for a rule that there is not."""
    known = {each.name for each in fields(Rules)}
    if unknown := sorted(plan.keys() - known):
        raise UserError(f"the plan has an exclusion rule {unknown[0]!r}; there are {', '.join(sorted(known))}")
    return replace(NONE, **plan)


def named(text: str) -> Rules:
    """`none`, `usual`, or rules joined by commas, each with its usual threshold or its own: min_variance=0.2."""
    if text in ("none", "usual"):
        return NONE if text == "none" else USUAL
    chosen: dict[str, Any] = {}
    usual = replace(USUAL, native=True, finished=True, headphones=True)
    for word in filter(None, map(str.strip, text.split(","))):
        name, given, value = word.partition("=")
        if name not in {each.name for each in fields(Rules)}:
            raise UserError(f"there is no exclusion rule {name!r}: {', '.join(each.name for each in fields(Rules))}")
        chosen[name] = _threshold(name, value) if given else getattr(usual, name)
        if not given and chosen[name] is None:
            raise UserError(f"the rule {name} wants a number: {name}=20")
    return replace(NONE, **chosen)


def _threshold(name: str, value: str) -> float | bool | None:
    """What stands behind `name=`: true or false for a rule without a threshold, a number, or `none`."""
    off: bool | None = getattr(NONE, name)
    if value == "none":
        return off
    if off is not None:
        if value.lower() not in (*YES, *NO):
            raise UserError(f"the rule {name} is true or false, not {value!r}")
        return value.lower() in YES
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise UserError(f"the threshold of {name} is {value!r}, not a number of 0 or more")
    return number


def find(rows: Sequence[Rating], rules: Rules) -> list[Excluded]:
    """Every listener whom a rule names, once for each rule, in the order of the rules and then of the file."""
    answers: Answers = defaultdict(list)
    for row in rows:
        if row.kind != "training":
            answers[row.who].append(row)
    found: list[Excluded] = []
    for each in fields(rules):
        limit = getattr(rules, each.name)
        if limit is not None and limit is not False:
            reasons = CHECKS[each.name](answers, limit)
            found += [Excluded(*who, each.name, why) for who, why in reasons.items()]
    return found


def without(rows: Sequence[Rating], excluded: Sequence[Excluded]) -> list[Rating]:
    """The ratings of everybody else."""
    out = {each.who for each in excluded}
    return [row for row in rows if row.who not in out]


def _native(answers: Answers, _: Any) -> dict[Who, str]:
    return {who: "not a native speaker" for who, rows in answers.items() if any(row.native is False for row in rows)}


def _headphones(answers: Answers, _: Any) -> dict[Who, str]:
    return {who: "without headphones" for who, rows in answers.items() if any(row.headphones is False for row in rows)}


def _finished(answers: Answers, _: Any) -> dict[Who, str]:
    """Fewer test items than the most that a listener of the language has: all hear the same number."""
    sizes = {who: len(_tested(rows)) for who, rows in answers.items()}
    most: dict[str, int] = defaultdict(int)
    for (language, _listener), size in sizes.items():
        most[language] = max(most[language], size)
    return {who: f"{size} of {most[who[0]]} items" for who, size in sizes.items() if size < most[who[0]]}


def _trials(answers: Answers, least: int) -> dict[Who, str]:
    sizes = {who: len(_tested(rows)) for who, rows in answers.items()}
    return {who: f"{size} items, fewer than {least:g}" for who, size in sizes.items() if size < least}


def _missed(kind: str) -> Callable[[Answers, int], dict[Who, str]]:
    def check(answers: Answers, allowed: int) -> dict[Who, str]:
        found = {}
        for who, rows in answers.items():
            asked = [row for row in rows if row.kind == kind and row.expected]
            wrong = [row for row in asked if not _right(row)]
            if len(wrong) > allowed:
                found[who] = f"{len(wrong)} of {len(asked)} wrong"
        return found

    return check


def _right(row: Rating) -> bool:
    low, high = row.expected or (row.value, row.value)
    return low <= row.value <= high


def _repeats(answers: Answers, most: float) -> dict[Who, str]:
    found = {}
    for who, rows in answers.items():
        gaps = repeat_gaps(rows)
        if gaps and float(np.mean(gaps)) > most:
            found[who] = f"repeats differ by {np.mean(gaps):.2f} on average"
    return found


def repeat_gaps(rows: Sequence[Rating]) -> list[float]:
    """How far apart one listener's two ratings of a repeated stimulus are."""
    first = {row.stimulus: row.value for row in rows if row.kind == "test"}
    again = [row for row in rows if row.kind == "repeat" and row.stimulus in first]
    return [abs(float(row.value - first[row.stimulus])) for row in again]


def _variance(answers: Answers, least: float) -> dict[Who, str]:
    found = {}
    for who, rows in answers.items():
        values = [float(row.value) for row in _rated(rows)]
        if len(values) > 1 and np.var(values, ddof=1) < least:
            found[who] = f"variance of ratings {np.var(values, ddof=1):.3f}"
    return found


def _outliers(answers: Answers, most: float) -> dict[Who, str]:
    """Means further from those of the language's listeners than `most` of their standard deviations."""
    means = {
        who: float(np.mean([float(row.value) for row in _tested(rows)]))
        for who, rows in answers.items()
        if _tested(rows)
    }
    found = {}
    for who, mean in means.items():
        others = [value for (language, name), value in means.items() if language == who[0] and name != who[1]]
        spread = float(np.std(others, ddof=1)) if len(others) > 2 else 0.0
        if spread > 0 and abs(mean - np.mean(others)) >= most * spread:
            far = abs(mean - np.mean(others)) / spread
            found[who] = f"mean {mean:.2f} is {far:.1f} SD from that of the others, {np.mean(others):.2f}"
    return found


def _too_fast(answers: Answers, _: Any) -> dict[Who, str]:
    """Too many ratings given before the sound was over; `seconds_to_rate` counts from its end."""
    found = {}
    for who, rows in answers.items():
        known = [row for row in rows if row.heard_to_end is not None or row.seconds_to_rate is not None]
        early = [row for row in known if row.heard_to_end is False or (row.seconds_to_rate or 0) < 0]
        if known and len(early) > FAST_SHARE * len(known):
            found[who] = f"{len(early)} of {len(known)} rated before the sound was over"
    return found


def _same(answers: Answers, _: Any) -> dict[Who, str]:
    """The later of two listeners whose ratings of all that both heard are equal: one person twice, or a copy."""
    found: dict[Who, str] = {}
    for language in dict.fromkeys(who[0] for who in answers):
        people = [who for who in answers if who[0] == language]
        given = _coded([_rated(answers[who]) for who in people])
        for place, who in enumerate(people):
            both = (given[:place] >= 0) & (given[place] >= 0)
            alike = (~((given[:place] != given[place]) & both)).all(axis=1) & (both.sum(axis=1) >= IDENTICAL)
            for other in np.flatnonzero(alike):
                if len(np.unique(given[place][both[other]])) > 1:
                    count = both[other].sum()
                    found.setdefault(who, f"all {count} ratings are those of {people[other][1]}")
    return {who: found[who] for who in answers if who in found}


def _coded(people: Sequence[Sequence[Rating]]) -> NDArray[np.int16]:
    """Ratings as people x stimuli, one number for each value that occurs and -1 where there is none."""
    stimuli = {name: i for i, name in enumerate(dict.fromkeys(row.stimulus for rows in people for row in rows))}
    values = {value: i for i, value in enumerate(sorted({row.value for rows in people for row in rows}))}
    table = np.full((len(people), len(stimuli)), -1, dtype=np.int16)
    for place, rows in enumerate(people):
        for row in rows:
            table[place, stimuli[row.stimulus]] = values[row.value]
    return table


def _tested(rows: Sequence[Rating]) -> list[Rating]:
    return [row for row in rows if row.kind == "test"]


def _rated(rows: Sequence[Rating]) -> list[Rating]:
    return [row for row in rows if row.kind in ("test", "anchor")]


CHECKS: dict[str, Callable[[Answers, Any], dict[Who, str]]] = {
    "native": _native,
    "finished": _finished,
    "trap_misses": _missed("trap"),
    "gold_misses": _missed("gold"),
    "repeat_difference": _repeats,
    "min_variance": _variance,
    "outlier_z": _outliers,
    "headphones": _headphones,
    "min_trials": _trials,
    "too_fast": _too_fast,
    "same_ratings": _same,
}
