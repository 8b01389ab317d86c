"""From a file of ratings to a folder with everything that a referee asks for."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from curate import files
from curate.errors import UserError
from train.listen import analysis, exclusions, plot, ratings, settings, tables
from train.listen.ratings import Rating
from train.listen.scales import SCALES
from train.listen.settings import Settings
from train.messages import counted

FILES = (
    "analysis.json", "comparisons.csv", "comparisons.md", "conditions.csv", "conditions.md", "excluded.csv",
    "kept.csv", "mos.svg",
)  # fmt: skip


def run(
    path: Path,
    plan: Path | None = None,
    baseline: str | None = None,
    *,
    method: str | None = None,
    margin: float | None = None,
    exclude: str | None = None,
    into: Path | None = None,
) -> dict[str, Any]:
    """Analyse a file of ratings and, with `into`, write the folder. Raises UserError for what a person can mend."""
    chosen = _settings(path, plan, baseline, method, margin, exclude)
    read = ratings.read(path, chosen.scale)
    if not chosen.baseline:
        raise UserError(
            f"which condition is the baseline? --baseline, one of {', '.join(analysis.conditions(read.rows, chosen))}"
        )
    facts = analysis.analyse(read, chosen)
    if plan:
        facts["notes"][:0] = _departures(settings.of_plan(plan), chosen, read.rows)
    if into:
        write(facts, read.rows, into)
    return facts


def _settings(
    path: Path, plan: Path | None, baseline: str | None, method: str | None, margin: float | None, exclude: str | None
) -> Settings:
    fixed = settings.of_plan(plan) if plan else Settings(baseline="", scale=SCALES[method or "mos"])
    if plan and method and method != fixed.scale.method:
        raise UserError(f"the plan is of {fixed.scale.method}, not of {method}: leave out --method")
    if not plan and not baseline and fixed.scale.method != "mos":
        baseline = "baseline"
    if baseline:
        fixed = replace(fixed, baseline=baseline)
    if margin is not None:
        if not math.isfinite(margin):
            raise UserError(f"--margin is {margin}, which is no number of points")
        fixed = replace(fixed, margin=margin)
    if exclude is not None:
        fixed = replace(fixed, rules=exclusions.named(exclude))
    return fixed


def _departures(fixed: Settings, chosen: Settings, rows: Sequence[Rating]) -> list[str]:
    """What is not as the plan fixed it: a choice that was made when the ratings were in, or ratings without a plan."""
    changed = [name for name in ("baseline", "margin", "rules") if getattr(fixed, name) != getattr(chosen, name)]
    told = [f"not as planned: {', '.join(changed)}, chosen after the ratings were in"] if changed else []
    if unnamed := sum(not row.plan for row in rows):
        told.append(
            f"{counted(unnamed, 'rating')} without the hash of a plan: that they are of this one is not checked"
        )
    return told


def write(facts: Mapping[str, Any], rows: Sequence[Rating], folder: Path) -> None:
    """Write all files of an analysis; the folder may hold an older one, and nothing else.

    A `banner` in the facts (a rehearsal has one) stands in every file: above pages, in a column of tables.
    """
    banner = facts.get("banner", "")
    out = {(each["language"], each["listener"]) for each in facts["excluded"]}
    kept = [row for row in rows if row.who not in out]
    made = {
        "analysis.json": json.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False) + "\n",
        "comparisons.csv": _csv(tables.comparisons(facts["comparisons"]), banner),
        "comparisons.md": tables.comparisons_page(facts),
        "conditions.csv": _csv(tables.conditions(facts["conditions"]), banner),
        "conditions.md": tables.conditions_page(facts),
        "excluded.csv": _csv(
            [["language", "listener", "rule", "why"], *(list(_reason(each)) for each in facts["excluded"])],
            banner,
        ),
        "kept.csv": _csv(_kept(kept), banner),
        "mos.svg": plot.means(facts["conditions"], facts["method"]["scale"], banner),
    }
    with files.replacing_folder(folder, FILES) as place:
        for name in FILES:
            files.write_text(place / name, made[name])


def _reason(each: Mapping[str, str]) -> tuple[str, ...]:
    return each["language"], each["listener"], each["rule"], each["why"]


def _kept(rows: Sequence[Rating]) -> list[list[str]]:
    """The ratings that were analysed, with all columns of the file."""
    names = list(rows[0].fields)
    return [names, *([row.fields[name] for name in names] for row in rows)]


def _csv(rows: Sequence[Sequence[Any]], banner: str = "") -> str:
    if banner:
        heading = "note" if len(rows) > 1 else banner  # an empty table says it, too
        rows = [[*row, banner if place else heading] for place, row in enumerate(rows)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
