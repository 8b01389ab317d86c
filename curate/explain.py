"""One clip from its file to its fate: provenance, every measure, every rule it met or broke."""

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

import polars as pl

from curate.errors import UserError
from curate.manifest import COLUMNS
from curate.recipe import LANGUAGES, Recipe
from curate.report import wording
from curate.steps import duplicates, rule_catalogue
from curate.steps.rules import Check, Rule

LISTED = 5  # matches that are named where there are several
TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # marks of direction
PROVENANCE = (
    "source", "path", "channel", "sha256", "licence", "attribution", "url", "rate", "channels", "channel_mix",
    "dc_offset", "codec", "frames", "start", "end", "cut_start", "cut_end", "language", "speaker", "voice", "person",
    "speaker_conflict", "person_candidates", "error",
)  # fmt: skip
TEXTS = (
    "text",
    "text_from",
    "spoken",
    "words",
    "pronounced",
    "unreadable",
    "text_rules",
    "heard",
    "heard_spoken",
    "text_edits",
    "heard_again",
    "training_text",
)
SAID = ("verdict", "verdict_reason", "verdict_who")
VERDICT = ("id", "drop", "broke", "split", "duplicate_of", "duplicate_because", "repeated_by", *SAID)


def explain(clips: pl.DataFrame, clip: str, recipe: Recipe) -> dict[str, Any]:
    """The clip's row as JSON values, and `rules`: for each its value, threshold, whether it holds, and why not told.

    `repeated_by`: the clips that were dropped as copies of it. `duplicate_because`: why another stays in its place.
    `clip` is an id, the beginning of one, a path below its source's folder or from anywhere, the name of a file, or a
    file of `clips/`; a UserError where none or several match.
    """
    row = _one(clips, clip)
    facts: dict[str, Any] = wording.plain(row.drop(pl.selectors.object()).to_dicts()[0])
    facts["rules"] = _rules(row, facts, recipe)
    if (twin := facts["duplicate_of"]) is not None:
        facts["duplicate_because"] = f"{twin} stays: {duplicates.why(clips, twin, facts['id'])}"
    facts["repeated_by"] = clips.filter(pl.col("duplicate_of") == facts["id"])["id"].to_list()
    return facts


def is_none(clips: pl.DataFrame, clip: str) -> bool:
    """Whether no clip is called so in any way."""
    return all(matching.is_empty() for matching in _matches(clips, clip))


def _one(clips: pl.DataFrame, clip: str) -> pl.DataFrame:
    for matching in _matches(clips, clip):
        if matching.height == 1:
            return matching
        if matching.height:
            some = [f"{row['id']} ({row['path']}{_span(row)})" for row in matching.head(LISTED).iter_rows(named=True)]
            more = f" and {matching.height - LISTED} more" if matching.height > LISTED else ""
            raise UserError(f"{clip!r} could be {', '.join(some)}{more}; give more of the id")
    some = clips["id"].head(LISTED).to_list()
    raise UserError(
        f"no clip {clip!r} by id, beginning of an id, path or file name; ids look like {', '.join(some) or 'none'}"
    )


def _span(row: dict[str, Any]) -> str:
    """Which part of its recording a clip is; nothing where it is the whole."""
    if row["start"] is None or not row["rate"]:
        return ""
    return f", {row['start'] / row['rate']:.1f}-{row['end'] / row['rate']:.1f} s"


def _matches(clips: pl.DataFrame, clip: str) -> Iterator[pl.DataFrame]:
    """The rows that each way of naming a clip gives, the strictest first."""
    # macOS writes file names in decomposed letters, people type composed ones
    name = unicodedata.normalize("NFC", clip)
    path = pl.col("path").str.normalize("NFC")
    yield clips.filter(pl.col("id") == clip)
    if clip:
        yield clips.filter(path == name)
        yield clips.filter(pl.col("id").str.starts_with(clip))
        yield clips.filter(path.str.split("/").list.last() == name)
        yield clips.filter(pl.col("id") == PurePath(clip).stem)  # a file of clips/, or of an export
        yield clips.filter(pl.lit(name).str.ends_with(pl.format("/{}", path)), path != "")


def _rules(row: pl.DataFrame, facts: dict[str, Any], recipe: Recipe) -> dict[str, dict[str, Any]]:
    if facts["broke"] is None:
        why = "nothing is decided yet; run `curate filter`"
        return {
            name: {"value": None, "threshold": None, "holds": None, "why": why} for name in rule_catalogue.order(recipe)
        }
    return {
        rule.name: _balanced(rule, facts, recipe) if rule.later else _checked(row, rule.check(recipe))
        for rule in recipe.RULES
    }


def _checked(row: pl.DataFrame, check: Check) -> dict[str, Any]:
    columns = {"value": check.value, "broken": check.broken(), "why": check.why()}
    met = row.select(column.alias(name) for name, column in columns.items()).row(0, named=True)
    holds = None if met["why"] is not None else not met["broken"]
    return {"value": wording.plain(met["value"]), "threshold": check.threshold, "holds": holds, "why": met["why"]}


def _balanced(rule: Rule, facts: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    """`capped` and `surplus` are decided over all clips at once: what they decided stands in `broke`."""
    name, asked, order = rule.name, rule_catalogue.asked_later(rule, recipe), rule_catalogue.order(recipe)
    threshold = asked.get(facts["language"]) if name == "surplus" else asked or None
    why = None
    if threshold is None:
        why = "not asked for in [balance]"
    elif facts["drop"] is not None and order.index(facts["drop"]) < order.index(name):
        why = f"dropped before, as {facts['drop']}"
    holds = None if why else name not in facts["broke"]
    return {"value": None, "threshold": threshold, "holds": holds, "why": why}


def as_text(facts: dict[str, Any], recipe: Recipe) -> str:
    """The same for a terminal: the verdict, where the clip is from, the rules, the texts, the measures."""
    rest = [name for name in facts if name not in (*PROVENANCE, *TEXTS, *VERDICT, "rules")]
    blocks = [
        [_verdict(facts)],
        ["from", *_fields(facts, PROVENANCE)],
        ["rules", *_table(facts, recipe)],
        ["text", *_fields(facts, TEXTS)],
        ["measures", *_fields(facts, [name for name in rest if name in COLUMNS])],
        ["from the source", *_fields(facts, [name for name in rest if name not in COLUMNS])],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if len(block) > 1 or block is blocks[0])


def _verdict(facts: dict[str, Any]) -> str:
    if facts["broke"] is None:
        return f"{facts['id']}: not decided yet"
    said = ", ".join(_clean(each) for name in SAID[1:] if (each := facts.get(name)))
    if facts["drop"] is None:
        told = f"; a person said {facts['verdict']}" if facts.get("verdict") else ""
        over = f", which overruled {', '.join(facts['broke'])}" if facts["broke"] else ""
        words = f"{told} ({said}){over}" if said else f"{told}{over}"
        copies = facts.get("repeated_by") or []
        more = f" and {len(copies) - LISTED} more" if len(copies) > LISTED else ""
        stays = f"; it stays for its copies {', '.join(copies[:LISTED])}{more}" if copies else ""
        return f"{facts['id']}: kept, in {facts['split'] or 'no split yet'}{words}{stays}"
    by = f" ({said})" if said and facts["drop"] == "rejected" else ""
    others = [name for name in facts["broke"] if name != facts["drop"]]
    also = f"; it also broke {', '.join(others)}" if others else ""
    twin = f" of {facts['duplicate_of']}" if facts["drop"] == "duplicate" else ""
    because = f" ({facts['duplicate_because']})" if facts.get("duplicate_because") else ""
    return f"{facts['id']}: dropped as {facts['drop']}{by}{twin}{also}{because}"


def _fields(facts: dict[str, Any], names: Sequence[str]) -> list[str]:
    there = [name for name in names if facts.get(name) not in (None, [])]
    width = max(map(len, there), default=0)
    return [f"  {name.ljust(width)}  {_value(name, facts[name])}" for name in there]


def _value(name: str, value: Any) -> str:
    if name == "language":
        return f"{value} ({LANGUAGES.get(value, 'unknown')})"
    if name == "speech":
        return ", ".join(f"{span['start']}-{span['end']}" for span in value) + " samples of the file"
    if name == "text_edits":
        return _clean(wording.edits(value))
    if name == "word_times":
        words = [f"{each['word']} {each['start']}-{each['end']} ({each['probability']:.2f})" for each in value]
        return _clean(f"{', '.join(words)}, samples of the file, probability")
    unit = COLUMNS[name].unit if name in COLUMNS else ""
    listed = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return _clean(f"{listed} ({unit})" if ".." in unit else f"{listed} {unit}".strip())


def _table(facts: dict[str, Any], recipe: Recipe) -> list[str]:
    """A line per rule: its name, whether it holds, what was found, what is asked, or why it does not apply."""
    # a clip that is kept broke only what a person's keep overruled
    words = {None: "-", True: "holds", False: "BROKEN" if facts["drop"] or not facts["broke"] else "overruled"}
    rows = [["rule", "", "found", "asked, or why it does not apply"]]
    for rule in recipe.RULES:
        met = facts["rules"][rule.name]
        threshold = {facts["language"]: met["threshold"]} if rule.name == "surplus" else met["threshold"]
        asked = met["why"] or wording.wanted(rule, threshold)
        rows.append([rule.name, words[met["holds"]], _clean(wording.value(rule, met["value"])), asked])
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return [
        "  " + "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]]).rstrip()
        for row in rows
    ]


def _clean(text: str) -> str:
    """No control characters, nor marks that turn the direction: what came with a file must not command the terminal."""
    return "".join(_seen(each) for each in text)


def _seen(letter: str) -> str:
    if letter in TURNING:
        return f"\\u{ord(letter):04x}"
    return letter if letter.isprintable() or unicodedata.category(letter) in ("Cf", "Zs") else "\ufffd"
