"""Clips to look at: some kept, some dropped for each reason, some changed by the normaliser.

Chosen by the hash of their ids: by chance, but the same every time.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl

from curate import text
from curate.recipe import LANGUAGES, Recipe
from curate.report import wording
from curate.steps import rule_catalogue
from curate.steps.rules import Rule
from curate.text.cleaning import LATIN

KEPT = 5  # per language
DROPPED = 3  # per reason
CHANGED = 3  # per rule of the normaliser
UNREAD = 30  # characters and words that could not be read, per language
LONGEST = 80  # characters of a change that are shown
_UNREAD = re.compile(rf"[{LATIN}]+|\S")
MEASURED = (
    "seconds", "snr", "bandwidth", "dnsmos", "language_probability", "heard", "heard_confidence", "cer", "aligned",
    "pace",
)  # fmt: skip


def kept(clips: pl.DataFrame) -> list[dict[str, Any]]:
    """A few kept clips of each language."""
    rows = clips.filter(pl.col("drop").is_null())
    return [_shown(row) for code in LANGUAGES for row in _some(rows.filter(pl.col("language") == code), KEPT)]


def dropped(clips: pl.DataFrame, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
    """A few clips for each reason, in the order of the rules, with the value that the rule looked at."""
    checks = [*rule_catalogue.checks(recipe), rule_catalogue.duplicate(recipe)]
    values = {check.rule.name: check.value for check in checks}
    examples = {}
    for rule in recipe.RULES:
        reason = rule.name
        rows = clips.filter(pl.col("drop") == reason)
        if rows.height:
            rows = rows.with_columns(values.get(reason, pl.lit(None)).alias("value"))
            examples[reason] = [_shown(row) | _why(row, rule) for row in _some(rows, DROPPED)]
    return examples


def _why(row: dict[str, Any], rule: Rule) -> dict[str, Any]:
    value = wording.plain(row["value"])
    return {"value": value, "found": wording.value(rule, value), "broke": row["broke"]}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    provenance = ("id", "source", "path", "language", "speaker", "split", "text", "spoken", "training_text")
    is_whole_file = row["start"] is None or not row["rate"]
    span = (None, None) if is_whole_file else (round(row["start"] / row["rate"], 2), round(row["end"] / row["rate"], 2))
    shown = {name: row[name] for name in (*provenance, *MEASURED)} | {"from": span[0], "to": span[1]}
    return dict(wording.plain(shown)) | {"edits": wording.edits(row["text_edits"])}


def _some(rows: pl.DataFrame, count: int) -> list[dict[str, Any]]:
    chosen = sorted(rows["id"], key=lambda id: hashlib.sha256(id.encode()).hexdigest())[:count]
    by_id = {row["id"]: row for row in rows.filter(pl.col("id").is_in(chosen)).iter_rows(named=True)}
    return [by_id[id] for id in chosen]


def normaliser(clips: pl.DataFrame, options: text.Options = text.DEFAULT) -> dict[str, list[dict[str, Any]]]:
    """Per language, what kinds of change the normaliser made: in how many clips, with a few before and after."""
    changed = clips.filter(pl.col("text_rules").list.len() > 0)
    return {
        code: kinds
        for code in LANGUAGES
        if (kinds := _rules(changed.filter(pl.col("language") == code), code, options))
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


def _rules(rows: pl.DataFrame, language: str, options: text.Options) -> list[dict[str, Any]]:
    names = rows["text_rules"].explode().drop_nulls()
    counted = sorted(names.value_counts().iter_rows(), key=lambda each: (-each[1], each[0]))
    return [
        {"rule": name, "clips": count, "examples": _changes(rows, name, language, options)} for name, count in counted
    ]


def _changes(rows: pl.DataFrame, rule: str, language: str, options: text.Options) -> list[dict[str, str]]:
    having = _some(rows.filter(pl.col("text_rules").list.contains(rule)), 2 * CHANGED)
    pairs: dict[tuple[str, str], None] = {}
    for row in having:
        for before, after in _redone(row, rule, language, options):
            pairs.setdefault((before[:LONGEST], after[:LONGEST]))
    return [{"before": before, "after": after} for before, after in list(pairs)[:CHANGED]]


def _redone(row: dict[str, Any], rule: str, language: str, options: text.Options) -> Iterator[tuple[str, str]]:
    """The changes are not kept in the manifest: the few that are shown are made again."""
    written = row["text"] if row["text_from"] == "given" else row["heard"]
    for change in text.steps(written or "", language, "spoken", options).changes:
        if change.rule == rule:
            yield change.before, change.after
