"""Clips to look at and to hear: kept ones, dropped ones for each reason, some changed by the normaliser.

Those nearest to a limit and those farthest beyond it are chosen by `nearness`; the others by the hash of their ids: by
chance, but the same every time.
"""

import hashlib
import re
from collections import Counter
from typing import Any

import numpy as np
import polars as pl

from curate.recipe import LANGUAGES, Recipe
from curate.report import wording
from curate.report.changes import Changes
from curate.report.nearness import FAR, Nearness
from curate.steps import rule_catalogue
from curate.steps.rules import Rule
from curate.text.cleaning import LATIN

KEPT = 5  # per language by chance, and as many nearest to a limit
WORST, BORDERLINE = 3, 4  # per reason
DOUBTFUL = 60  # clips nearest to a limit on either side: what is heard first where people judge
CHANGED = 3  # per rule of the normaliser
UNREAD = 30  # characters and words that could not be read, per language
LONGEST = 80  # characters of a change that are shown
_UNREAD = re.compile(rf"[{LATIN}]+|\S")
MEASURED = (
    "seconds", "snr", "bandwidth", "dnsmos", "language_probability", "heard", "heard_confidence", "cer", "aligned",
    "pace", "heard_agreement", "text_from",
)  # fmt: skip

TOLD = ("id", "source", "path", "language", "speaker", "person", "split", "text", "spoken", "training_text")
# What is read of a clip that may be shown: all of a frame's eighty columns take thrice as long to filter and to sort.
READ = tuple(dict.fromkeys((*TOLD, *MEASURED, "start", "end", "rate", "text_edits", "drop", "broke")))


def kept(clips: pl.DataFrame, near: Nearness) -> list[dict[str, Any]]:
    """A few kept clips of each language: some by chance, and those nearest to a limit."""
    rows = _near(clips.select(READ), near).filter(pl.col("drop").is_null())
    shown = []
    for code in LANGUAGES:
        own = rows.filter(pl.col("language") == code)
        by_chance = _some(own, KEPT)
        just = own.filter(pl.col("_distance") < FAR).sort("_distance", "id").head(KEPT).to_dicts()
        ids = {row["id"] for row in by_chance}
        shown += [_shown(row) | {"chosen": "by chance"} for row in by_chance]
        shown += [_shown(row) | {"chosen": "nearest to a limit"} for row in just if row["id"] not in ids]
    return shown


def dropped(clips: pl.DataFrame, recipe: Recipe, near: Nearness) -> dict[str, list[dict[str, Any]]]:
    """A few clips for each reason, in the order of the rules, with the value that the rule looked at: the worst first,
    then those nearest to the limit."""
    checks = [*rule_catalogue.checks(recipe), rule_catalogue.duplicate(recipe)]
    values = {check.rule.name: check.value for check in checks}
    examples = {}
    numbered = _near(clips, near).with_row_index("_row").filter(pl.col("drop").is_not_null())
    by_reason = {str(reason): rows for (reason,), rows in numbered.group_by("drop", maintain_order=True)}
    for rule in recipe.RULES:
        reason = rule.name
        if reason in by_reason:
            rows = by_reason[reason]
            beyond = near.beyond.get(reason, np.full(clips.height, FAR))[rows["_row"].to_numpy()]
            value = values.get(reason, pl.lit(None)).alias("value")
            rows = rows.select(*READ, "_distance", "_rule", value, pl.Series("_beyond", beyond))
            examples[reason] = [_shown(row) | _why(row, rule) | {"chosen": how} for row, how in _worst_and_near(rows)]
    return examples


def doubtful(clips: pl.DataFrame, near: Nearness) -> list[str]:
    """Ids of the clips nearest to a limit, on either side."""
    rows = _near(clips.select("id"), near).filter(pl.col("_distance").abs() < FAR)
    return rows.sort(pl.col("_distance").abs(), "id").head(DOUBTFUL)["id"].to_list()


def _near(clips: pl.DataFrame, near: Nearness) -> pl.DataFrame:
    return clips.with_columns(pl.Series("_distance", near.distance), pl.Series("_rule", near.rule, dtype=pl.String))


def _worst_and_near(rows: pl.DataFrame) -> list[tuple[dict[str, Any], str]]:
    """Rows of one reason, each with how it was chosen; by chance where no number tells worse from better."""
    told = rows.filter(pl.col("_beyond") < FAR)
    if told["_beyond"].n_unique() == 1 < told.height:  # all are as far: none is worse than another
        told = told.clear()
    by_distance = told.sort("_beyond", "id")
    border = by_distance.head(BORDERLINE).to_dicts()
    worst = by_distance.tail(max(0, min(WORST, told.height - BORDERLINE))).to_dicts()[::-1]
    others = _some(
        rows.join(told.select("id"), on="id", how="anti"), max(0, WORST + BORDERLINE - len(border) - len(worst))
    )
    return [
        *((row, "farthest beyond the limit") for row in worst),
        *((row, "nearest to the limit") for row in border),
        *((row, "by chance") for row in others),
    ]


def _why(row: dict[str, Any], rule: Rule) -> dict[str, Any]:
    value = wording.plain(row["value"])
    return {"value": value, "found": wording.value(rule, value), "broke": row["broke"]}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    is_whole_file = row["start"] is None or not row["rate"]
    span = (None, None) if is_whole_file else (round(row["start"] / row["rate"], 2), round(row["end"] / row["rate"], 2))
    shown = {name: row[name] for name in (*TOLD, *MEASURED)} | {"from": span[0], "to": span[1]}
    near = {"rule": row["_rule"], "distance": row["_distance"]}
    return dict(wording.plain(shown)) | {"edits": wording.edits(row["text_edits"]), "near": near}


def _some(rows: pl.DataFrame, count: int) -> list[dict[str, Any]]:
    chosen = sorted(rows["id"], key=lambda id: hashlib.sha256(id.encode()).hexdigest())[:count]
    by_id = {row["id"]: row for row in rows.filter(pl.col("id").is_in(chosen)).iter_rows(named=True)}
    return [by_id[id] for id in chosen]


def normaliser(clips: pl.DataFrame, changes: Changes) -> dict[str, list[dict[str, Any]]]:
    """Per language, what kinds of change the normaliser made: in how many clips, with a few before and after."""
    changed = clips.filter(pl.col("text_rules").list.len() > 0)
    return {
        code: kinds
        for code in LANGUAGES
        if (kinds := _rules(changed.filter(pl.col("language") == code), code, changes))
    }


def unread(clips: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Per language, the characters and Latin words that could not be read, by the number of clips that have them."""
    counted = {}
    for code in LANGUAGES:
        texts = clips.filter(pl.col("language") == code)["unreadable"].drop_nulls()
        counts = Counter(each for text in texts for each in set(_UNREAD.findall(text)))
        if counts:
            first = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:UNREAD]
            counted[code] = [{"what": what, "clips": count} for what, count in first]
    return counted


def _rules(rows: pl.DataFrame, language: str, changes: Changes) -> list[dict[str, Any]]:
    names = rows["text_rules"].explode().drop_nulls()
    counted = sorted(names.value_counts().iter_rows(), key=lambda each: (-each[1], each[0]))
    return [
        {"rule": name, "clips": count, "examples": _pairs(rows, name, language, changes)} for name, count in counted
    ]


def _pairs(rows: pl.DataFrame, rule: str, language: str, changes: Changes) -> list[dict[str, str]]:
    """A few of the rule's changes, each once."""
    pairs: dict[tuple[str, str], None] = {}
    for row in _some(rows.filter(pl.col("text_rules").list.contains(rule)), 2 * CHANGED):
        written = row["text"] if row["text_from"] == "given" else row["heard"]
        for by, before, after in changes.of(written or "", language):
            if by == rule:
                pairs.setdefault((before[:LONGEST], after[:LONGEST]))
    return [{"before": before, "after": after} for before, after in list(pairs)[:CHANGED]]
