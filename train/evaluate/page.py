"""The evaluation as one HTML page beside its sounds: no network, no script; it works from file://.

Texts and names come from outside: everything is escaped by the template engine; only our own drawings are not.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from curate import fonts
from train.evaluate.folder import Sentence
from train.evaluate.summary import METRICS, PREDICTED

HERE = Path(__file__).parent
NAMES = {"km": "Khmer", "ko": "Korean"}
PERCENT = ("cer", "cer_clusters", "bad", "pauses")  # shown as percentages
SHOWN = (
    "cer",
    "bad",
    "similarity",
    "dnsmos",
    "distillmos",
    "phones_per_second",
    "pauses",
    "pitch",
    "pitch_range",
    "seconds",
)


def environment() -> Environment:
    """The templates beside this file."""
    made = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"address": quote, "interval": interval, "number": number, "signed": signed}
    style = f"{fonts.faces()}\n{(HERE / 'page.css').read_text(encoding='utf-8')}"
    made.globals |= {"names": NAMES, "style": Markup(style)}  # ours; escaped, its quotes would be none to a browser
    return made


def render(facts: Mapping[str, Any], records: Sequence[Mapping[str, Any]], sentences: Sequence[Sentence]) -> str:
    """The page of an evaluation."""
    spoken: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for record in records:
        spoken.setdefault(record["sentence"], {}).setdefault(record["condition"], []).append(record)
    tables = {language: table(facts, language) for language in facts["languages"]}
    shown = {"facts": {"banner": "", **facts}, "tables": tables, "sentences": sentences, "spoken": spoken}
    return environment().get_template("page.html").render(shown) + "\n"


def table(facts: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    """The rows of a language's table: a title, and a cell for each condition."""
    results = {name: facts["results"][name][language] for name in facts["conditions"]}
    rows = []
    for part, title in (("loss", "held-out loss"), ("diff", "of it flow"), ("stop", "of it stop")):
        cells = [
            {"mean": each["loss"][part], "change": each["loss"][f"{part}_change"], "n": each["loss"]["clips"]}
            if "loss" in each
            else None
            for each in results.values()
        ]
        rows += [_row(title, "", cells, False, ("loss",))] if any(cells) else []
    extra = sorted({name for each in results.values() for name in each if name.startswith("imported.")})
    for metric in [*SHOWN, *extra]:
        title, unit, better = METRICS.get(metric, (metric.removeprefix("imported."), "imported", None))
        cells = [each.get(metric) for each in results.values()]
        rows += [_row(title, unit, cells, better, (metric,))] if any(cells) else []
    return rows


def _row(title: str, unit: str, cells: Sequence[Any], better: bool | None, metric: tuple[str, ...]) -> dict[str, Any]:
    scale = 100 if metric[0] in PERCENT else 1
    return {
        "title": title, "unit": "%" if scale == 100 else unit, "cells": cells, "scale": scale, "better": better,
        "predicted": metric[0] in PREDICTED,
    }  # fmt: skip


def interval(change: Mapping[str, Any] | None, scale: float = 1) -> str:
    """A paired change with its interval in words."""
    if change is None:
        return ""
    mean = f"{signed(change['mean'] * scale)}"
    if change["low"] is None:
        return f"{mean} (one unit: no interval)"
    return f"{mean} [{signed(change['low'] * scale)}, {signed(change['high'] * scale)}]"


def signed(value: float) -> str:
    """A number with its sign, as precise as its size asks for."""
    text = number(abs(value))
    return text if float(text) == 0 else ("+" if value > 0 else "−") + text


def number(value: float, scale: float = 1) -> str:
    """About four digits."""
    size = abs(value := value * scale)
    return (
        f"{value:.0f}"
        if size >= 1000
        else f"{value:.1f}"
        if size >= 100
        else f"{value:.2f}"
        if size >= 10
        else f"{value:.3f}"
    )
