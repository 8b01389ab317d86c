"""Simulated listeners of a plan: the file that `train listen collect` would write, of people who are not there."""

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from train.listen import collect, design, simulate
from train.listen import plan as planned
from train.listen.plan import Plan, group_of

SAME_TIME = 946_684_800_000  # 2000-01-01 in milliseconds: nobody was there at any time
NOBODY = {"device": "simulated", "headphones": "simulated", "native": "yes", "region": "simulated"}
ANCHORS = {"natural": 4.5, "low-anchor": 1.8}  # assumed: the ends of the scale


def ratings(plan: Plan, true_mos: Mapping[str, Mapping[str, float]], *, seed: int = 0) -> str:
    """A CSV with every item of every listener; `true_mos` is the mean that a condition of a language has in truth.

    Gold items and traps are answered rightly. The same plan and seed give the same bytes.
    """
    rows = [row for language in plan.groups for row in _language(plan, language, true_mos[language], seed)]
    return collect.csv_text(collect.COLUMNS, rows)


def _language(plan: Plan, language: str, true_mos: Mapping[str, float], seed: int) -> Iterator[dict[str, Any]]:
    heard = [
        (number, at, trial)
        for number in range(1, group_of(plan, language).listeners + 1)
        for at, trial in enumerate(design.schedule(plan, language, number), start=1)
    ]
    means = {**ANCHORS, **true_mos}
    asked = [
        (design.listener_name(language, number), trial.sentence, trial.condition)
        for number, _, trial in heard
        if trial.expected is None
    ]
    own = zlib.crc32(language.encode()) + seed  # languages differ, and are the same on every machine
    given = iter(simulate.rate(asked, means, seed=own))
    digest = planned.digest(plan)
    for number, at, trial in heard:
        value = trial.expected[0] if trial.expected else next(given)
        answer = {"rating": value, "replays": 0, "seconds": 2.0, "heard": True, "at": SAME_TIME}
        about = {"listener": design.listener_name(language, number), "plan": digest, **NOBODY}
        yield collect.row(plan, language, trial, at, answer) | about
