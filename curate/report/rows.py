"""Every clip as the page carries it: columns of values, rules as numbers, and which clips sound alike."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from curate.manifest import COLUMNS
from curate.recipe import LANGUAGES, Recipe
from curate.report import sliders
from curate.report.distributions import range_of
from curate.report.named import hidden, named
from curate.report.nearness import Nearness
from curate.report.packing import Packed
from curate.report.sliders import Flags, Part, Sliding
from curate.steps import duplicates, rule_catalogue
from curate.steps.rules import DROP, KEEP, Bound

SHORTEST = 0.1  # seconds: a step from 0, which no recipe takes as the least length
ROOM = 0.25  # of the axis, beyond the outermost limit
FEW = (
    "source", "language", "speaker", "person", "split", "drop", "licence", "text_from", "channel_mix", "error",
    "other_language", "verdict", "verdict_who",
)  # fmt: skip
TEXTS = ("path", "text", "spoken", "heard", "pronounced", "unreadable")
DECIDED_TEXTS = ("duplicate_of", "verdict_reason")
NUMBERS = (
    "seconds", "speech_seconds", "music", "noise", "loudness", "peak", "clipped", "noise_floor", "snr", "bandwidth",
    "pitch", "head_edge", "tail_edge", "dropout", "voices", "second_voice", "other_voice", "overlap",
    "voice_similarity", "dnsmos", "distillmos", "language_probability", "other_probability", "heard_confidence",
    "heard_agreement", "cer", "unheard", "extra", "wrong_words", "aligned", "ctc_score", "pace", "phone_pace", "pace_z",
)  # fmt: skip


def digest(clips: pl.DataFrame) -> str:
    """What tells one corpus from another, however its clips are judged: a hash of ids, files and spans.

    Verdicts are kept under it, and an imported verdict of another corpus can be told.
    """
    told = clips.select("id", "sha256", "start", "end").sort("id").write_ndjson()
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def rows(everyone: pl.DataFrame, recipe: Recipe, near: Nearness, held: pl.Series | None = None) -> Packed:
    """The columns, rules and likenesses of all clips that may be named, in the order of the manifest.

    `near` is of these clips; `held` are ids that the corpus holds out.
    """
    clips = named(everyone)
    first = measured(clips)
    values = first["numbers"]
    return first | {
        "few": {name: _few(clips[name]) for name in FEW if name in clips.columns},
        "decided_texts": _texts(clips, DECIDED_TEXTS),
        "broke": _broke(clips, recipe),
        "near": _plain(pl.Series(near.distance)),
        "near_rule": _few(pl.Series(near.rule, dtype=pl.String)),
        "columns": {name: _about(name) for name in (*FEW, *TEXTS, *DECIDED_TEXTS, *values)},
        "order": list(rule_catalogue.order(recipe)),
        "later": [rule.name for rule in recipe.RULES if rule.later],
        "rules": [_rule(each, recipe, values) for each in near.rules],
        "alike": alike(everyone, recipe, held),
        "languages": LANGUAGES,
        "wanted": dict(recipe.balance.hours.items()),
    }


def measured(clips: pl.DataFrame) -> Packed:
    """What of these clips no decision changes."""
    numbers = [name for name in _numbers() if name in clips.columns and clips[name].count()]
    return {
        "count": clips.height,
        "id": clips["id"].to_list(),
        "texts": _texts(clips, TEXTS),
        "numbers": {name: _plain(clips[name]) for name in numbers},
        "from": _plain((clips["start"] / clips["rate"]).round(2)),
    }


def measured_columns() -> list[str]:
    """What `measured` reads."""
    return ["id", *TEXTS, *_numbers(), "start", "rate"]


def _numbers() -> list[str]:
    own = [bound.column for rule in Recipe.RULES for bound in rule.bounds]
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
    return {"values": different.to_list(), "at": places.fill_null(-1)}


def _texts(clips: pl.DataFrame, names: Sequence[str]) -> dict[str, list[str | None]]:
    """Columns of texts that any clip has, as they are; `spoken` only where it is not the text."""
    there = [name for name in names if name in clips.columns and clips[name].count()]
    other = pl.when(pl.col("spoken") != pl.col("text").fill_null("")).then("spoken")
    return {name: clips.select(other if name == "spoken" else pl.col(name).cast(pl.String))[name].to_list()
            for name in there}  # fmt: skip


def _plain(values: pl.Series) -> pl.Series:
    """Numbers as JSON carries them: nothing for what is not finite, and no -0."""
    it = pl.col("it")
    numbers = pl.DataFrame({"it": values.cast(pl.Float64)})
    return numbers.select(pl.when(it == 0).then(0.0).when(it.is_finite()).then(it).alias("it")).to_series()


def _broke(clips: pl.DataFrame, recipe: Recipe) -> dict[str, Any]:
    """Which rules each clip broke, as places in their order."""
    order = {name: str(i) for i, name in enumerate(rule_catalogue.order(recipe))}
    return _few(clips["broke"].fill_null([]).list.eval(pl.element().replace_strict(order, default=None)).list.join(","))


def _bits(flags: Flags) -> str:
    return (flags.astype(np.uint8) + ord("0")).tobytes().decode()


def _rule(each: Sliding, recipe: Recipe, numbers: dict[str, pl.Series]) -> Packed:
    return {
        "name": each.rule.name,
        "on": each.on,
        "mode": each.mode,
        "always": _bits(each.always) if each.always.any() else "",
        "overruled": _bits(each.overruled) if each.overruled.any() else "",
        "silenced_by": list(each.silenced_by),
        "switch": each.rule.switch,
        "parts": [_part(part, each, recipe, numbers) for part in each.parts],
    }


def _part(part: Part, rule: Sliding, recipe: Recipe, numbers: dict[str, pl.Series]) -> Packed:
    """One limit; its `value` is null where the clips' own column is just what it looks at."""
    bound = next(bound for bound in rule.rule.bounds if bound.key == part.key)
    known = pl.Series(part.value).filter(pl.Series(part.where & np.isfinite(part.value)))
    default = bound.default if bound.default is not False else None
    marks = [mark for mark in (part.limit, default) if mark is not None]
    low, high = _room(*range_of(known, marks), marks, COLUMNS[part.column].unit)
    least, most = _allowed(bound, recipe)
    low, high = max(low, least), min(high, most)
    missing = int((part.where & ~np.isfinite(part.value)).sum())
    value = _plain(pl.Series(part.value))
    own = numbers.get(part.column)
    same = len(known) > 0 and own is not None and own.equals(value)
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
        "value": None if same else value if len(known) else [],
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


def alike(everyone: pl.DataFrame, recipe: Recipe, held: pl.Series | None = None) -> Packed:
    """Clips that sound like others, the best first by all that no limit changes; pairs with their likeness.

    Who repeats whom is then decided in the page as `duplicates.mark` does it: what people said goes before (`judged`: 0
    keep, 1 drop, 2 nothing), then whether a rule drops it. A clip that may not be named has a number beyond those of
    the rows. Without likenesses (a manifest that was read from disk has none) it stays as it was decided.
    """
    clips = named(everyone)
    known = "similar" in clips.columns and bool(clips["similar"].count())
    limit = recipe.filter.duplicate
    found: Packed = {"known": known, "limit": None if limit is False else limit, "clips": [], "pairs": []}
    if not known:
        return found
    asked = sliders.changed(recipe, {"filter.duplicate": 0.4}) if limit is False else recipe
    applies = _bits(sliders.flags(clips, rule_catalogue.duplicate(asked).applies()))
    place = {id: i for i, id in enumerate((*clips["id"], *hidden(everyone)["id"]))}
    rated = everyone.filter(pl.col("similar").list.len() > 0)
    first = pl.Series([], dtype=pl.String) if held is None else held
    rated = rated.sort(duplicates.by_sound(first), maintain_order=True)
    judged = pl.col("verdict").replace_strict({KEEP: "0", DROP: "1"}, default="2", return_dtype=pl.String)
    pairs = [
        [place[id], place[other["id"]], other["similarity"]]
        for id, similar in rated.select("id", "similar").iter_rows()
        for other in similar
        if other["id"] in place
    ]
    return found | {
        "clips": [place[id] for id in rated["id"]],
        "judged": "".join(rated.select(judged.fill_null("2"))["verdict"]),
        "pairs": pairs,
        "applies": applies,
    }


def about_sliders(packed: Packed) -> list[dict[str, Any]]:
    """The same limits for report.json: what can be moved, and what each is now."""
    return [
        {"rule": rule["name"], **{name: part[name] for name in ("key", "side", "limit", "low", "high", "measured")}}
        for rule in packed["rules"]
        for part in rule["parts"]
        if part["measured"]
    ]
