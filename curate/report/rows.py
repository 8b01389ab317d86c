"""Every clip as the page carries it: columns of values, rules as numbers, and which clips sound alike.

Packed as gzip in base64, which holds no character that HTML, or a script, could take for its own; the page unpacks it
with the browser's DecompressionStream. Equal frames give equal bytes.
"""

import base64
import gzip
import hashlib
import json
from typing import Any

import numpy as np
import polars as pl

from curate.manifest import COLUMNS
from curate.recipe import LANGUAGES, Recipe
from curate.report import sliders
from curate.report.distributions import range_of
from curate.report.nearness import Nearness
from curate.report.sliders import Flags, Part, Sliding
from curate.steps import duplicates, rule_catalogue
from curate.steps.rules import Bound

Packed = dict[str, Any]
SHORTEST = 0.1  # seconds: a step from 0, which no recipe takes as the least length
ROOM = 0.25  # of the axis, beyond the outermost limit
FEW = (
    "source", "language", "speaker", "person", "split", "drop", "licence", "text_from", "channel_mix", "error",
    "other_language", "verdict", "verdict_who",
)  # fmt: skip
TEXTS = ("path", "text", "spoken", "heard", "pronounced", "unreadable", "duplicate_of", "verdict_reason")
NUMBERS = (
    "seconds", "speech_seconds", "music", "noise", "loudness", "peak", "clipped", "noise_floor", "snr", "bandwidth",
    "pitch", "head_edge", "tail_edge", "dropout", "voices", "second_voice", "other_voice", "overlap", "dnsmos",
    "distillmos", "language_probability", "other_probability", "heard_confidence", "heard_agreement", "cer", "unheard",
    "extra", "wrong_words", "aligned", "ctc_score", "pace", "phone_pace", "pace_z",
)  # fmt: skip


def digest(clips: pl.DataFrame) -> str:
    """What tells one corpus from another, however its clips are judged: a hash of ids, files and spans.

    Verdicts are kept under it, and an imported verdict of another corpus can be told.
    """
    names = ("id", "sha256", "start", "end")
    told = hashlib.sha256()
    for row in clips.select(names).sort("id").iter_rows():
        told.update(json.dumps(row).encode())
    return told.hexdigest()


def pack(values: Packed) -> str:
    """Values as JSON, gzip and base64."""
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode("utf-8", "surrogatepass"), 6, mtime=0)).decode()


def rows(clips: pl.DataFrame, recipe: Recipe, near: Nearness) -> Packed:
    """The columns, rules and likenesses of all clips, in the order of the manifest."""
    there = [name for name in clips.columns if name in COLUMNS or name in (*FEW, *TEXTS)]
    numbers = [name for name in _numbers(recipe) if name in there and clips[name].count()]
    return {
        "count": clips.height,
        "id": clips["id"].to_list(),
        "few": {name: _few(clips[name]) for name in FEW if name in there},
        "texts": {name: _texts(clips, name) for name in TEXTS if name in there and clips[name].count()},
        "numbers": {name: _plain(clips[name].cast(pl.Float64).to_numpy()) for name in numbers},
        "from": _plain((clips["start"] / clips["rate"]).round(2).cast(pl.Float64).to_numpy()),
        "broke": _broke(clips, recipe),
        "near": _plain(near.distance),
        "near_rule": _few(pl.Series(near.rule, dtype=pl.String)),
        "columns": {name: _about(name) for name in (*FEW, *TEXTS, *numbers)},
        "order": list(rule_catalogue.order(recipe)),
        "later": [rule.name for rule in recipe.RULES if rule.later],
        "rules": [_rule(each, clips, recipe) for each in sliders.rules(clips, recipe)],
        "alike": alike(clips, recipe),
        "languages": LANGUAGES,
        "wanted": dict(recipe.balance.hours.items()),
    }


def _numbers(recipe: Recipe) -> list[str]:
    own = [bound.column for rule in recipe.RULES for bound in rule.bounds]
    return list(dict.fromkeys([*NUMBERS, *(name for name in own if COLUMNS[name].dtype in (pl.Float64, pl.Int16))]))


def _about(name: str) -> dict[str, str]:
    column = COLUMNS.get(name)
    if column is None:
        return {"meaning": "", "unit": ""}
    return {"meaning": column.meaning.replace("`", ""), "unit": column.unit}


def _few(values: pl.Series) -> dict[str, Any]:
    """A column of few different values: these, and the place of each clip's; -1 for none."""
    different = values.drop_nulls().unique(maintain_order=True)
    places = values.replace_strict(different, list(range(len(different))), default=-1, return_dtype=pl.Int32)
    return {"values": different.to_list(), "at": places.fill_null(-1).to_list()}


def _texts(clips: pl.DataFrame, name: str) -> list[str | None]:
    """Texts as they are; `spoken` only where it is not the text."""
    if name == "spoken":
        return clips.select(pl.when(pl.col("spoken") != pl.col("text").fill_null("")).then("spoken"))[
            "spoken"
        ].to_list()
    return clips[name].cast(pl.String).to_list()


def _plain(values: Any) -> list[float | int | None]:
    """Numbers as JSON carries them: whole ones without a point, nothing for what is not finite."""
    return [None if not np.isfinite(v) else int(v) if v == int(v) else float(v) for v in values.tolist()]


def _broke(clips: pl.DataFrame, recipe: Recipe) -> dict[str, Any]:
    """Which rules each clip broke, as places in their order."""
    order = {name: str(i) for i, name in enumerate(rule_catalogue.order(recipe))}
    return _few(clips["broke"].fill_null([]).list.eval(pl.element().replace_strict(order, default=None)).list.join(","))


def _bits(flags: Flags) -> str:
    return "".join("1" if flag else "0" for flag in flags.tolist())


def _rule(each: Sliding, clips: pl.DataFrame, recipe: Recipe) -> Packed:
    return {
        "name": each.rule.name,
        "on": each.on,
        "mode": each.mode,
        "always": _bits(each.always) if each.always.any() else "",
        "silenced_by": list(each.silenced_by),
        "switch": each.rule.switch,
        "parts": [_part(part, each, recipe) for part in each.parts],
    }


def _part(part: Part, rule: Sliding, recipe: Recipe) -> Packed:
    bound = next(bound for bound in rule.rule.bounds if bound.key == part.key)
    known = pl.Series(part.value).filter(pl.Series(part.where & np.isfinite(part.value)))
    default = bound.default if bound.default is not False else None
    marks = [mark for mark in (part.limit, default) if mark is not None]
    low, high = _room(*range_of(known, marks), marks, COLUMNS[part.column].unit)
    least, most = _allowed(bound, recipe)
    low, high = max(low, least), min(high, most)
    missing = int((part.where & ~np.isfinite(part.value)).sum())
    return {
        "key": part.key,
        "column": part.column,
        "title": bound.title or _sentence(COLUMNS[part.column].meaning.replace("`", "")),
        "unit": COLUMNS[part.column].unit,
        "words": bound.words,
        "about": bound.about,
        "side": part.side,
        "limit": part.limit,
        "default": default,
        "gate": part.gate,
        "can_be_off": bound.kind == "threshold" and not part.key.startswith("segment."),
        "low": low,
        "high": high,
        "least": least if np.isfinite(least) else None,
        "most": most if np.isfinite(most) else None,
        "missing": missing,
        "measured": len(known),
        "where": _bits(part.where),
        "value": _plain(part.value) if len(known) else [],
    }


def _allowed(bound: Bound, recipe: Recipe) -> tuple[float, float]:
    """What a recipe takes for a limit."""
    if bound.key == "segment.min_seconds":
        return SHORTEST, recipe.segment.max_seconds - SHORTEST
    return {"share": (0.0, 1.0), "seconds": (0.0, np.inf)}.get(bound.kind, (-np.inf, np.inf))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _room(low: float, high: float, marks: list[float], unit: str) -> tuple[float, float]:
    """A range in which no limit lies at an end, so that it can be moved either way; shares stay within 0 to 1."""
    span, whole = high - low, (0.0, 1.0) if unit == "0..1" else (-np.inf, np.inf)
    if marks and max(marks) > high - ROOM * span:
        high = min(whole[1], max(marks) + ROOM * span)
    if marks and min(marks) < low + ROOM * span:
        low = max(whole[0] if low < 0 or unit == "0..1" else 0.0, min(marks) - ROOM * span)
    return round(float(low), 6), round(float(high), 6)


def alike(clips: pl.DataFrame, recipe: Recipe) -> Packed:
    """Clips that sound like others, the best first by all that no limit changes; pairs with their likeness.

    Who repeats whom is then decided in the page as `duplicates.mark` does it. Without likenesses (a manifest that was
    read from disk has none) it stays as it was decided.
    """
    known = "similar" in clips.columns and bool(clips["similar"].count())
    limit = recipe.filter.duplicate
    repeats = rule_catalogue.duplicate(recipe)
    applies = _bits(sliders.flags(clips, repeats.applies())) if limit is not False else ""
    found: Packed = {"known": known, "limit": None if limit is False else limit, "clips": [], "pairs": []}
    if not known:
        return found
    if not applies:
        applies = _bits(
            sliders.flags(clips, rule_catalogue.duplicate(sliders.changed(recipe, {"filter.duplicate": 0.4})).applies())
        )
    place = {id: i for i, id in enumerate(clips["id"])}
    rated = clips.filter(pl.col("similar").list.len() > 0)
    rated = rated.sort([each.rank for each in duplicates.PREFERENCES[1:]], maintain_order=True)
    pairs = [
        [place[id], place[other["id"]], other["similarity"]]
        for id, similar in rated.select("id", "similar").iter_rows()
        for other in similar
        if other["id"] in place
    ]
    return found | {"clips": [place[id] for id in rated["id"]], "pairs": pairs, "applies": applies}


def about_sliders(packed: Packed) -> list[dict[str, Any]]:
    """The same limits for report.json: what can be moved, and what each is now."""
    return [
        {"rule": rule["name"], **{name: part[name] for name in ("key", "side", "limit", "low", "high", "measured")}}
        for rule in packed["rules"]
        for part in rule["parts"]
        if part["measured"]
    ]
