"""What a report is filled from: a sweep, ratings, and where given their plan; checked to be of one study.

Raises UserError, one line, for what does not belong together: figures of two studies are never put into one table.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from curate.errors import UserError
from train.evaluate import folder, tables
from train.evaluate.selection import OFF, Rank
from train.listen import analysis, exclusions, ratings
from train.listen import plan as planned
from train.listen import settings as listening
from train.listen.plan import Plan
from train.listen.ratings import Rating
from train.listen.scales import SCALES
from train.study.settings import Study
from train.validation import ClipLoss

EVALUATED = "evaluated"


@dataclass(frozen=True)
class Swept:
    """A sweep whose every rank of the study is trained and evaluated."""

    table: Mapping[str, Any]  # sweep.json
    begun: Mapping[str, Any]  # begun.json: corpus, settings of the runs
    evaluation: Mapping[str, Any]  # evaluation/evaluation.json
    lost: Mapping[str, Mapping[Rank, Sequence[ClipLoss]]]  # by language and rank
    layout: str  # layout.svg

    @property
    def model(self) -> str:
        """The name of the base model: a hub id, or of a folder its last part."""
        name = str(self.table["model"])
        return Path(name).name if Path(name).is_absolute() else name

    def rows(self, study: Study, language: str) -> Sequence[Mapping[str, Any]]:
        """The rows of a language: off, then the ranks of the study."""
        wanted = (OFF, *study.sweep.ranks)
        return [row for row in self.table["languages"][language] if row["rank"] in wanted]

    def runs(self, study: Study) -> list[Mapping[str, Any]]:
        """Rank and seed of each run of the study."""
        return [run for run in self.table["runs"] if run["rank"] in study.sweep.ranks]


@dataclass(frozen=True)
class Rated:
    """A listening test and its analysis."""

    facts: Mapping[str, Any]  # as in analysis.json
    settings: listening.Settings
    kept: Sequence[Rating]
    plan: Plan | None
    sha256: str  # of the file of ratings

    def against(self, language: str, condition: str) -> Sequence[Mapping[str, Any]]:
        """Every other condition compared with that one, on the same kept ratings."""
        turned = replace(self.settings, baseline=condition, contrasts=())
        return analysis.compared([row for row in self.kept if row.language == language], turned)

    def comparison(self, language: str, condition: str) -> Mapping[str, Any] | None:
        """A condition against the baseline."""
        rows = self.facts["comparisons"]
        return next((row for row in rows if (row["language"], row["condition"]) == (language, condition)), None)

    def described(self, language: str, condition: str) -> Mapping[str, Any] | None:
        """Ratings of a condition: number, mean, interval, histogram."""
        rows = self.facts["conditions"]
        return next((row for row in rows if (row["language"], row["condition"]) == (language, condition)), None)


@dataclass(frozen=True)
class Material:
    """Everything that a report says is in here."""

    study: Study
    swept: Swept
    rated: Rated
    notes: list[str] = field(default_factory=list)


def read_sweep(study: Study, sweep: Path, notes: list[str]) -> Swept:
    """A sweep, with every rank of the study complete."""
    table = _json(sweep / "sweep.json", f"let `train sweep --into {sweep}` end, the same command goes on")
    try:
        _check_runs(study, table, sweep)
        if lacking := [each for each in study.study.languages if each not in table["languages"]]:
            raise UserError(f"{sweep} was not evaluated in {lacking[0]}, a language of the study: give another --study")
        more = sorted({*table["ranks"]} - {*study.sweep.ranks})
        if more:
            notes.append(f"ranks of the sweep that the study does not have are left out: {', '.join(map(str, more))}")
        remedy = "it is made by `train sweep`"
        return Swept(
            table,
            _json(sweep / folder.BEGUN, remedy),
            _json(sweep / tables.EVALUATION / "evaluation.json", remedy),
            {language: tables.lost_by_rank(sweep, language) for language in study.study.languages},
            _text(sweep / "layout.svg", remedy),
        )
    except (KeyError, TypeError) as problem:
        raise UserError(
            f"{sweep} is no sweep of this program ({type(problem).__name__}: {problem}): run `train sweep` again"
        ) from None


def _check_runs(study: Study, table: Mapping[str, Any], sweep: Path) -> None:
    there, wanted = set(table["ranks"]), set(study.sweep.ranks)
    if missing := sorted(wanted - there):
        raise UserError(
            f"{sweep} has the ranks {_joined(sorted(there))}, the study also {_joined(missing)}: sweep them, or give "
            "--study a file with your ranks"
        )
    for run in table["runs"]:
        if run["rank"] in wanted and run["state"] != EVALUATED:
            raise UserError(
                f"{run['run']} of {sweep} is {run['state']}, not evaluated: the same `train sweep` goes on with it"
            )


def read_ratings(study: Study, path: Path, plan_path: Path | None, sweep: Path, notes: list[str]) -> Rated:
    """Ratings, analysed by their plan, or without one as the study says."""
    plan = planned.read(plan_path) if plan_path else None
    if plan and plan_path:
        _check_plan(study, plan, sweep, notes)
        settings = listening.of_plan(plan_path)
    else:
        tests = study.tests
        settings = listening.Settings(
            baseline=study.listening.baseline, scale=SCALES["mos"], alpha=tests.alpha, margin=tests.margin,
            family=tests.family,
        )  # fmt: skip
        notes.append("no --plan: what a plan fixes before a rating exists is not stated")
    read = ratings.read(path, settings.scale)
    _check_conditions(study, read.rows, path)
    if plan and not any(row.plan for row in read.rows):
        notes.append("the ratings do not name their plan: that it is theirs cannot be checked")
    facts = analysis.analyse(read, settings)
    kept = exclusions.without(read.rows, exclusions.find(read.rows, settings.rules))
    return Rated(facts, settings, kept, plan, hashlib.sha256(path.read_bytes()).hexdigest())


def _check_conditions(study: Study, rows: Sequence[Rating], path: Path) -> None:
    """Raise UserError where other conditions or languages were rated than the study's."""
    tested = [row for row in rows if row.kind in analysis.COMPARED]
    for language in study.study.languages:
        rated = {row.condition for row in tested if row.language == language}
        if not rated:
            raise UserError(f"{path} has no ratings of {language}, a language of the study: give another --study")
        for name in study.conditions:
            if name not in rated:
                raise UserError(
                    f"{path}: nobody rated {name} in {language}; the study has {_joined(study.conditions)}: "
                    "give the ratings of all, or another --study"
                )
        if more := sorted(rated - {*study.conditions}):
            raise UserError(
                f"{path} has ratings of {more[0]} in {language}; the study has {_joined(study.conditions)}: "
                "leave them out, or give another --study"
            )


def _check_plan(study: Study, plan: Plan, sweep: Path, notes: list[str]) -> None:
    """Raise UserError where a plan is of another study, or of other stimuli than the sweep's."""
    if plan.method != "mos" or plan.analysis.baseline != study.listening.baseline:
        asked = f"{plan.method} against {plan.analysis.baseline}"
        raise UserError(f"the plan is of {asked}; the study is of mos against {study.listening.baseline}")
    if set(plan.conditions) != set(study.conditions):
        raise UserError(
            f"the plan has the conditions {_joined(plan.conditions)}, the study {_joined(study.conditions)}: "
            "give the plan of the study, or another --study"
        )
    audio = sweep / tables.EVALUATION / "audio"
    looked = 0
    for name, file in plan.stimuli.items():
        path = audio / f"{name}.wav"
        if name.partition("/")[0] in study.conditions and path.is_file():
            looked += 1
            if hashlib.sha256(path.read_bytes()).hexdigest() != file.sha256:
                raise UserError(f"{path} is not what the plan's listeners heard: give the sweep that the plan is of")
    if not looked:
        notes.append("no stimulus of the plan is in the sweep's evaluation: that they are its own cannot be checked")


def _json(path: Path, remedy: str) -> Any:
    try:
        return json.loads(_text(path, remedy))
    except ValueError as problem:
        raise UserError(f"{path} is damaged ({problem}): {remedy}") from None


def _text(path: Path, remedy: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"there is no {path}: {remedy}") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{path} cannot be read ({problem}): {remedy}") from None


def _joined(names: Sequence[object]) -> str:
    return ", ".join(map(str, names))
