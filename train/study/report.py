"""`train study report`: from a sweep and ratings to the tables, figures and methods of a paper."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from curate import files
from train.study import compare, corpus, figures, formats, inputs, methods, settings, tables
from train.study.compare import Verdict
from train.study.formats import Table, markdown
from train.study.inputs import Material

DEFAULT = Path(__file__).resolve().parents[2] / "manifests" / "study.toml"
NAMES = ("share", "loss", "mos", "published", "runs", "adapter")
FILES = (
    "report.md", "methods.md", "report.json", *figures.CAPTIONS,
    *(f"{name}.{ending}" for name in NAMES for ending in ("md", "csv", "tex")),
)  # fmt: skip


def run(
    sweep: Path, ratings: Path, into: Path, *, plan: Path | None = None, corpus_folder: Path | None = None,
    study_file: Path = DEFAULT,
) -> dict[str, Any]:  # fmt: skip
    """Write the folder; returns what report.json has. Raises UserError for what does not belong together."""
    study = settings.read(study_file)
    notes: list[str] = []
    swept = inputs.read_sweep(study, sweep, notes)
    rated = inputs.read_ratings(study, ratings, plan, sweep, notes)
    collected = corpus.facts(study, study_file, corpus_folder, swept.begun, notes)
    material = Material(study, swept, rated, notes)
    verdicts = compare.judge(material)
    made = tables.tables(material, verdicts)
    facts = _facts(material, verdicts)
    written = {
        "report.md": _page(material, made, verdicts),
        "methods.md": methods.page(material, collected),
        "report.json": json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        **figures.all_of(material),
        **{f"{table.name}.{ending}": text for table in made for ending, text in _forms(table, study.study.banner)},
    }
    with files.replacing_folder(into, FILES) as place:
        for name in FILES:
            files.write_text(place / name, written[name])
    return facts


def _forms(table: Table, banner: str) -> Sequence[tuple[str, str]]:
    told = f"> **{markdown(banner.upper())}**\n\n" if banner else ""
    shout = f"% {banner.upper()}\n" if banner else ""
    marked = Table(
        table.name, f"{table.title} ({banner})" if banner else table.title, table.heading, table.rows, table.records,
        table.notes,
    )  # fmt: skip
    return (
        ("md", told + formats.as_markdown(table)), ("csv", formats.as_csv(table, banner)),
        ("tex", shout + formats.as_latex(marked)),
    )  # fmt: skip


def _facts(material: Material, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    study = material.study
    return {
        **({"banner": study.study.banner} if study.study.banner else {}),
        "study": study.study.name,
        "model": material.swept.model,
        "runs": [dict(run) for run in material.swept.runs(study)],
        "ratings_sha256": material.rated.sha256,
        "plan": material.rated.settings.plan,
        "conditions": list(study.conditions),
        "comparisons": material.rated.facts["comparisons"],
        "published": [_verdict(each) for each in verdicts],
        "notes": material.notes,
    }


def _verdict(each: Verdict) -> Mapping[str, Any]:
    return {**{name: value for name, value in asdict(each).items() if name != "claim"}, "kind": each.claim.kind,
            "origin": each.claim.origin}  # fmt: skip


def _page(material: Material, made: Sequence[Table], verdicts: Sequence[Verdict]) -> str:
    """report.md: every table and figure, each with the runs that it is of."""
    banner = material.study.study.banner
    told = [f"> **{markdown(banner.upper())}**", ""] if banner else []
    counts = {
        word: sum(each.reproduced == word for each in verdicts) for word in (compare.YES, compare.NO, compare.UNKNOWN)
    }
    lines = [f"# {markdown(material.study.study.name)}", "", *told]
    lines += [
        f"Published figures: {', '.join(f'{count} {_reproduced(word)}' for word, count in counts.items())}. "
        f"Base model {markdown(material.swept.model)}; ratings sha256 {material.rated.sha256[:12]}; "
        f"plan {(material.rated.settings.plan or 'not stated')[:12]}. How all was done: [methods.md](methods.md).",
        "",
    ]
    for table in made:
        lines += [formats.as_markdown(table)]
    for name, caption in figures.CAPTIONS.items():
        told_runs = tables.named(material)
        shout = f" {banner.upper()}." if banner else ""
        lines += [f"![{caption}]({name})", "", markdown(f"{caption}. {told_runs}{shout}"), ""]
    lines += ["## Notes", "", *(f"- {markdown(note)}" for note in [*material.notes, *material.rated.facts["notes"]])]
    return "\n".join(lines).rstrip() + "\n"


def _reproduced(word: str) -> str:
    return {compare.YES: "reproduced", compare.NO: "not reproduced", compare.UNKNOWN: "cannot be said"}[word]
