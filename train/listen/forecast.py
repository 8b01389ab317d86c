"""What `train listen power` is asked, read and answered."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from curate.errors import UserError
from train.listen import analysis, ratings
from train.listen.plan import Plan
from train.listen.power import HELD, Question, closing, of_pilot, power
from train.listen.scales import SCALES
from train.listen.settings import Settings
from train.listen.simulate import Design, Deviations

PLENTY = 0.8  # the power that tests are commonly planned for (Cohen 1988)
PUBLISHED = 0.38  # the gain in MOS at rank 64 that the published study reports
PLANNED = 500  # simulated tests of a plan: its chances to 2 points in 100
MOST_CELLS = 50_000  # listeners x sentences of a plan that is simulated in a few seconds


def run(
    pilot: Path | None,
    baseline: str | None,
    *,
    listeners: str,
    sentences: str,
    difference: float,
    margin: float,
    mos: float | None,
    design: Design,
    conditions: int,
    comparisons: int,
    alpha: float,
    deviations: Sequence[str],
    replicates: int,
    seed: int,
) -> dict[str, Any]:
    """The table of power per language of a pilot, or for what is assumed."""
    if not difference:
        raise UserError("a difference of 0 cannot be shown: name the smallest that matters, such as --difference 0.2")
    if not all(map(math.isfinite, (difference, margin, alpha, mos or 0.0))):
        raise UserError("--difference, --margin, --alpha and --mos are numbers, none of them infinite")
    question = Question(
        difference=difference, margin=margin, alpha=alpha, comparisons=comparisons, design=design,
        conditions=conditions, replicates=replicates, seed=seed,
    )  # fmt: skip
    grid = _numbers(listeners, "--listeners"), _numbers(sentences, "--sentences")
    made: dict[str, dict[str, Any]] = {}
    for language, (own_mos, own) in _assumed(pilot, baseline).items():
        asked = replace(question, mos=own_mos if mos is None else mos, deviations=_changed(own, deviations))
        rows = power(asked, *grid)
        made[language] = {
            "mos": asked.mos,
            "deviations": asdict(asked.deviations),
            "sizes": rows,
            "enough": enough(rows),
        }
    shared = asdict(replace(question, deviations=Deviations()))
    facts = {name: shared[name] for name in ("difference", "margin", "alpha", "comparisons", "design", "conditions")}
    return {**facts, "replicates": replicates, "seed": seed, "languages": made, "notes": _notes(pilot, made, question)}


def of_plan(plan: Plan) -> dict[str, dict[str, Any]]:
    """What a plan of MOS can show, by language, with the deviations that `power` assumes, and how often it errs.

    A row of `power` for a gain like the published one, with `note`. Without those whose size is not simulated.
    """
    if plan.method != "mos":
        return {}
    question = Question(
        difference=PUBLISHED, margin=plan.analysis.margin, alpha=plan.analysis.alpha, design=plan.design,
        comparisons=len(plan.analysis.contrasts), conditions=len(plan.conditions), replicates=PLANNED,
    )  # fmt: skip
    made: dict[str, dict[str, Any]] = {}
    for language, group in plan.groups.items():
        size = [closing(question, number) for number in (group.listeners, len(group.sentences))]
        if min(size) >= 2 and max(size) <= 1000 and math.prod(size) <= MOST_CELLS:
            (row,) = power(question, *([number] for number in size))
            made[language] = {**row, "difference": PUBLISHED, "note": _chances(language, row, question)}
    return made


def _chances(language: str, row: Mapping[str, Any], question: Question) -> str:
    said = (
        f"{language}: such a test shows a gain of {question.difference:g} MOS in {row['power']:.0%} of cases; of two "
        f"that are alike it shows no loss beyond {question.margin:g} in {row['power_non_inferiority']:.0%} "
        "(simulated, usual deviations; for a pilot's: `train listen power --pilot`)"
    )
    if row["holds"]:
        return said
    return f"{said}; it errs in {row['type_1_error']:.1%}, not {question.alpha:.0%}: more listeners or sentences"


def enough(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The size with the fewest ratings in all whose power is enough, error taken off, and that errs as it says."""
    good = [row for row in rows if row["holds"] and row["power"] - row["power_error"] >= PLENTY]
    best = min(good, key=lambda row: (row["listeners"] * row["ratings_per_listener"], row["listeners"]), default=None)
    return {"listeners": best["listeners"], "sentences": best["sentences"]} if best else None


def _numbers(text: str, option: str) -> list[int]:
    try:
        return [int(each) for each in text.split(",")]
    except ValueError:
        raise UserError(f"{option} is {text!r}, not whole numbers joined by commas") from None


def _assumed(pilot: Path | None, baseline: str | None) -> dict[str, tuple[float, Deviations]]:
    if pilot is None:
        return {"assumed": (Question().mos, Deviations())}
    settings = Settings(baseline=baseline or "", scale=SCALES["mos"])
    rows = [row for row in ratings.read(pilot, settings.scale).rows if row.kind in analysis.COMPARED]
    known = analysis.conditions(rows, settings)
    if settings.baseline not in known:
        told = "which condition is the pilot's baseline?" if not baseline else f"nobody rated the baseline {baseline}:"
        raise UserError(f"{told} --baseline, one of {', '.join(known)}")
    return of_pilot(rows, settings)


def _changed(deviations: Deviations, words: Sequence[str]) -> Deviations:
    """With some standard deviations replaced, each as NAME=VALUE."""
    names = asdict(deviations).keys()
    for word in words:
        name, _, value = word.partition("=")
        if name not in names:
            raise UserError(f"there is no standard deviation {name!r}: {', '.join(names)}")
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 <= number < 10:
            raise UserError(f"the standard deviation {word!r} is no number from 0 to 10")
        deviations = replace(deviations, **{name: number})
    return deviations


def _notes(pilot: Path | None, made: dict[str, Any], question: Question) -> list[str]:
    notes = [f"{question.replicates} simulated tests a size, seed {question.seed}; ± is their standard error"]
    if pilot is None:
        notes.append("the standard deviations are assumptions: a pilot of a few listeners is better (--pilot)")
    if question.design == "latin":
        notes.append(f"sizes are rounded up to multiples of {question.conditions}, where the Latin square closes")
    for language, each in made.items():
        size, wanted = each["enough"], f"a power of {PLENTY:g} for {question.difference:+g}"
        off = [row for row in each["sizes"] if not row["holds"]]
        if off:
            told = ", ".join(f"{row['listeners']} x {row['sentences']} ({row['type_1_error']:.3f})" for row in off)
            rate = f"{HELD[0] * question.alpha:.3g} to {HELD[1] * question.alpha:.3g}"
            why = "below: it misses differences; above: it finds them where there are none"
            notes.append(
                f"{language}: finds a difference where there is none outside {rate}, not recommended: {told}; {why}"
            )
        if size:
            told = f"{size['listeners']} listeners x {size['sentences']} sentences: the fewest ratings with {wanted}"
        else:
            told = f"no size of the table is recommended for {wanted}: try larger ones (--listeners, --sentences)"
        notes.append(f"{language}: {told}")
    return notes
