"""The tables of the study, in the form in which they were published: by rank, and by rank and language."""

from collections.abc import Mapping
from typing import Any

from train.estimate import layout
from train.evaluate.selection import OFF
from train.listen.tables import interval, number, p_text
from train.study.compare import Verdict
from train.study.formats import Table
from train.study.inputs import Material

LANGUAGES = {"km": "Khmer", "ko": "Korean"}
Row = Mapping[str, Any]


def tables(material: Material, verdicts: list[Verdict]) -> list[Table]:
    """All of them, in the order of the report."""
    return [share(material), loss(material), mos(material), published(verdicts), runs(material), adapter(material)]


def condition(rank: int | str) -> str:
    """zero-shot, r8 ..."""
    return "zero-shot" if rank == OFF else f"r{rank}"


def share(material: Material) -> Table:
    """Parameters of the adapter by rank, beside the published share."""
    study = material.study
    known = {claim.rank: claim.value for claim in study.claim if claim.kind == "share"}
    rows, records = [], []
    for row in material.swept.rows(study, study.study.languages[0]):
        if row["rank"] != OFF:
            rank, percent, said = row["rank"], row["percent"], known.get(row["rank"])
            rows.append([str(rank), f"{row['parameters']:,}", f"{percent:.2f}", number(said)])
            records.append(
                {"rank": rank, "parameters": row["parameters"], "percent": percent, "published_percent": said}
            )
    model = f"{material.swept.model}, {material.swept.table['parameters']:,} parameters, AudioVAE included"
    return Table(
        "share", "Share of the model's parameters by rank", ["rank", "parameters", "%", "published %"], rows, records,
        [f"Counted on {model}. A dash: not published, or not known to us."],
    )  # fmt: skip


def loss(material: Material) -> Table:
    """Held-out loss by rank and language, with the paired change from zero-shot."""
    rows, records = [], []
    for language in material.study.study.languages:
        found = material.swept.rows(material.study, language)
        lowest = min(row["loss"] for row in found)
        for row in found:
            low, mean, high = row["loss_change"] or (None, None, None)
            change = "-" if mean is None else f"{mean:+.4f}"
            ends = "-" if low is None else f"[{low:+.4f}, {high:+.4f}]"
            mark = " (lowest)" if row["loss"] == lowest else ""
            rows.append([
                LANGUAGES[language], condition(row["rank"]), f"{row['loss']:.4f}{mark}", change, ends, str(row["clips"])
            ])  # fmt: skip
            records.append({
                "language": language, "condition": condition(row["rank"]), "loss": row["loss"], "flow": row["diff"],
                "stop": row["stop"], "change": mean, "change_low": low, "change_high": high, "clips": row["clips"],
                "conditions": " ".join(row["conditions"]),
            })  # fmt: skip
    split, draws = material.swept.table["split"], material.swept.evaluation["losses"]["draws"]
    return Table(
        "loss", "Held-out loss by rank and language",
        ["language", "condition", "loss", "change", "95 % interval", "clips"], rows, records,
        [f"Split {split}, {draws} fixed draws of time and noise that all conditions share; change from zero-shot, "
         "paired over clips.", named(material)],
    )  # fmt: skip


def mos(material: Material) -> Table:
    """MOS by rank and language: interval, difference from zero-shot, and p of every test."""
    rows, records = [], []
    rated, holm = material.rated, f"p_holm_{material.rated.settings.family}"
    for language in material.study.study.languages:
        for name in material.study.conditions:
            described, compared = rated.described(language, name), rated.comparison(language, name)
            if described:
                rows.append([LANGUAGES[language], name, *_mos_cells(described, compared, holm)])
                records.append({"language": language, "condition": name, **_mos_record(described, compared, holm)})
    heading = ["language", "condition", "MOS", "interval", "difference", "interval of it", "p by listener", "Holm",
               "p by sentence", "p crossed", "Holm"]  # fmt: skip
    return Table("mos", "MOS by rank and language", heading, rows, records, [*_mos_notes(material), named(material)])


def _mos_cells(described: Row, compared: Row | None, holm: str) -> list[str]:
    cells = [number(described["mean"]), interval(described["ci"])]
    if compared is None:
        return [*cells, *["-"] * 7]
    crossed = compared["crossed"]
    return [
        *cells, number(compared["difference"], sign=True), interval(crossed["ci"] if crossed else None, sign=True),
        p_text(compared["by_listener"]["p_exact"]), p_text(compared["by_listener"][holm]),
        p_text(compared["by_sentence"]["p_exact"]), p_text(crossed["p"] if crossed else None),
        p_text(compared["p_holm"]),
    ]  # fmt: skip


def _mos_record(described: Row, compared: Row | None, holm: str) -> dict[str, Any]:
    low, high = described["ci"] or (None, None)
    record = {"mos": described["mean"], "low": low, "high": high, "sd": described["sd"],
              "ratings": described["ratings"]}  # fmt: skip
    if compared is None:
        return record
    crossed = compared["crossed"] or {"ci": (None, None), "p": None, "method": None}
    return record | {
        "listeners": compared["listeners"], "sentences": compared["sentences"], "difference": compared["difference"],
        "difference_low": crossed["ci"][0], "difference_high": crossed["ci"][1],
        "p_by_listener": compared["by_listener"]["p_exact"], "p_by_listener_holm": compared["by_listener"][holm],
        "p_by_sentence": compared["by_sentence"]["p_exact"], "p_by_sentence_holm": compared["by_sentence"][holm],
        "p_crossed": crossed["p"], "p_crossed_holm": compared["p_holm"], "crossed_by": crossed["method"],
        "rank_biserial": compared["rank_biserial"], "hodges_lehmann": compared["hodges_lehmann"]["estimate"],
        "non_inferior": compared["non_inferior"],
    }  # fmt: skip


def _mos_notes(material: Material) -> list[str]:
    settings = material.rated.settings
    level = f"{100 * (1 - settings.alpha):g} %"
    over = "the conditions of a language" if settings.family == "language" else "conditions and languages"
    return [
        f"Intervals: {level}, listeners and sentences both random. By listener, by sentence: Wilcoxon's signed rank, "
        f"exact, zeros by Pratt. Crossed: of the interval of the difference. Holm over {over}.",
        "The condition with the highest MOS, picked on these ratings, is exploratory.",
    ]


def published(verdicts: list[Verdict]) -> Table:
    """The published figures beside ours."""
    rows = [
        [LANGUAGES.get(each.language, "-"), each.published, each.claim.origin, each.ours, each.reproduced, each.why]
        for each in verdicts
    ]
    records = [
        {"language": each.language or None, "kind": each.claim.kind, "published": each.published,
         "origin": each.claim.origin, "ours": each.ours, "reproduced": each.reproduced, "why": each.why}
        for each in verdicts
    ]  # fmt: skip
    return Table(
        "published", "Published figures and ours",
        ["language", "published", "origin", "ours", "reproduced", "why"], rows, records,
        ["Judged by intervals. Origin: published; derived by us from published figures; ours, a reading of words; "
         "simulated, what simulated listeners were told."],
    )  # fmt: skip


def runs(material: Material) -> Table:
    """Which run is what: every figure and table names these."""
    found = material.swept.runs(material.study)
    rows = [[run["run"], str(run["rank"]), str(run["seed"]), str(run["steps"])] for run in found]
    records = [{name: run[name] for name in ("run", "rank", "seed", "steps")} for run in found]
    return Table("runs", "Runs and seeds", ["run", "rank", "seed", "steps"], rows, records)


def adapter(material: Material) -> Table:
    """Where the adapter of the highest rank sits."""
    found = material.swept.table["layout"]
    rows = [
        [row["name"], row["module"], str(row["layers"]), " x ".join(map(str, row["a"])), " x ".join(map(str, row["b"])),
         f"{row['parameters']:,}"]
        for row in found
    ]  # fmt: skip
    records = [
        {"part": row["part"], "module": row["module"], "layers": row["layers"], "a_rows": row["a"][0],
         "a_columns": row["a"][1], "b_rows": row["b"][0], "b_columns": row["b"][1], "parameters": row["parameters"]}
        for row in found
    ]  # fmt: skip
    rank = found[0]["a"][0] if found else "-"
    return Table(
        "adapter", f"Where the adapter sits, rank {rank}", ["part", "module", "layers", "A", "B", "parameters"], rows,
        records, [f"Parts that are not named are frozen: {', '.join(_frozen(found))}."],
    )  # fmt: skip


def _frozen(rows: list[Row]) -> list[str]:
    there = {row["part"] for row in rows}
    return [*(name for part, name in layout.PARTS.items() if part not in there), "local encoder", "AudioVAE"]


def named(material: Material) -> str:
    """Which runs and seeds a figure or table is of."""
    found = material.swept.runs(material.study)
    seeds = list(dict.fromkeys(run["seed"] for run in found))
    lines = [
        f"Seed {seed}: {', '.join(run['run'].removeprefix('runs/') for run in found if run['seed'] == seed)}."
        for seed in seeds
    ]
    means = f" Losses are means over seeds, speech and MOS are of seed {seeds[0]}." if len(seeds) > 1 else ""
    return f"{' '.join(lines)}{means}"
