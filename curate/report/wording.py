"""Rules, thresholds and values in words, for the report and for `curate explain`."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from curate.manifest import COLUMNS
from curate.steps.rules import Rule

SHARE = "0..1"


def wanted(rule: Rule, threshold: Any) -> str:
    """What a rule asks for, in words."""
    if isinstance(threshold, Mapping):
        words = {bound.name: bound.words for bound in rule.bounds}
        parts = [words[name].format(number(each)) for name, each in threshold.items() if each is not False]
        return "; ".join(parts).replace("more; with", "more with")
    if threshold is False:
        return ""
    if not rule.bounds:
        return rule.words
    if len(rule.bounds) > 1:
        return ""
    return rule.bounds[0].words.format(percent(threshold) if _unit(rule) == SHARE else number(threshold))


def value(rule: Rule, looked_at: Any) -> str:
    """What a rule looked at, with its unit; empty where nothing was measured."""
    if isinstance(looked_at, Mapping) and "other_language" in looked_at:
        declared, other = looked_at["language_probability"], looked_at["other_language"]
        return (
            "" if declared is None else f"declared {number(declared)}, {other} {number(looked_at['other_probability'])}"
        )
    if isinstance(looked_at, Mapping) and looked_at.get("channel_mix"):
        return f'channels {looked_at["channel_mix"]} hold different people; channels = "split" parts them'
    if isinstance(looked_at, Mapping):
        return ", ".join(f"{name} {number(each)}" for name, each in looked_at.items() if each is not None)
    if looked_at is None:
        return ""
    return percent(looked_at) if _unit(rule) == SHARE else f"{number(looked_at)} {_unit(rule)}".strip()


def _unit(rule: Rule) -> str:
    """Of the column that a rule of one number looks at."""
    return COLUMNS[rule.bounds[0].column].unit if len(rule.bounds) == 1 else ""


def edits(found: Sequence[Mapping[str, str]] | None) -> str:
    """Where a text and what was heard part, in words; empty where they do not."""
    return "; ".join(map(_edit, found or []))


def _edit(edit: Mapping[str, str]) -> str:
    place = {"start": "at the start", "inside": "inside", "end": "at the end", "whole": "everywhere"}[edit["place"]]
    if not edit["heard"]:
        return f"{place}, not heard: {edit['given']}"
    if not edit["given"]:
        return f"{place}, heard and not in the text: {edit['heard']}"
    return f"{place}, {edit['given']} was heard as {edit['heard']}"


def percent(share: float) -> str:
    """A share as per cent; never 0 or 100 where it is not."""
    if 0 < share < 0.001:
        return f"{100 * share:.2g} %"
    return f"{f'{100 * share:.1f}'.removesuffix('.0')} %" if share < 0.9995 or share >= 1 else "> 99.9 %"


def duration(hours: float) -> str:
    """Hours as people read them: seconds, minutes or hours, two or three digits of each."""
    if hours * 3600 < 60:
        return f"{hours * 3600:.0f} s"
    if hours < 1:
        return f"{hours * 60:.1f} min"
    return f"{hours:.2f} h" if hours < 100 else f"{hours:.0f} h"


def number(value: Any) -> str:
    """A number as people write it, five digits at most; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def plain(value: Any) -> Any:
    """A value as JSON can carry it: no bytes, and null for what is not a finite number."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
