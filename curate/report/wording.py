"""Rules, thresholds and values in words, for the report and for `curate explain`."""

import math
from collections.abc import Mapping
from typing import Any

from curate.manifest import COLUMNS
from curate.recipe import Recipe
from curate.steps.rules import DECIDED_LATER

WANTED = {
    "unreadable": "the file can be read",
    "too_short": "at least {} s",
    "too_long": "at most {} s",
    "no_speech": "at least {} s of speech",
    "music": "music in at most {} of the clip",
    "noise": "other sound in at most {} of the clip",
    "clipped": "at most {} of the samples clipped",
    "narrow_band": "content up to at least {} Hz",
    "noisy": "at least {} dB of speech over background",
    "several_speakers": "at most {} of the speech by others",
    "no_text": "there is a text",
    "text_unreadable": "every character of the text can be read",
    "chopped": "edges at most {} dB relative to the speech",
    "duplicate": "no earlier clip as similar as {}",
}
PARTS = {
    "dnsmos": "DNSMOS at least {}",
    "distillmos": "DistillMOS at least {}",
    "other": "not: another language at {} or more",
    "declared": "with the declared one below {}",
    "max_cer": "CER at most {}",
    "min_aligned": "aligned at least {}",
    "min_pace": "at least {} characters/s",
    "max_pace": "at most {} characters/s",
    "heard_confidence": "confidence at least {} where the text was heard",
    "max_speaker_hours": "at most {} h by one speaker",
    "max_source_hours": "at most {} h from one source",
    "km": "at most {} h of Khmer",
    "ko": "at most {} h of Korean",
}
BY = {  # the column that a rule of one number looks at
    "too_short": "seconds", "too_long": "seconds", "no_speech": "speech_seconds", "music": "music", "noise": "noise",
    "clipped": "clipped", "narrow_band": "bandwidth", "noisy": "snr", "several_speakers": "second_voice",
    "chopped": "head_edge",
}  # fmt: skip
SHARE = "0..1"


def is_off(rule: str, recipe: Recipe) -> bool:
    """Whether the recipe switches a rule off, or does not ask for it."""
    if rule in DECIDED_LATER:
        return not balance_threshold(rule, recipe)
    return getattr(recipe.filter, rule, None) is False


def balance_threshold(rule: str, recipe: Recipe) -> dict[str, float]:
    """What `[balance]` asks of `capped` or `surplus`."""
    wanted = recipe.balance
    if rule == "surplus":
        return dict(wanted.hours.items())
    caps = {"max_speaker_hours": wanted.max_speaker_hours, "max_source_hours": wanted.max_source_hours}
    return {name: cap for name, cap in caps.items() if cap is not None}


def wanted(rule: str, threshold: Any) -> str:
    """What a rule asks for, in words."""
    if isinstance(threshold, Mapping):
        parts = [PARTS[name].format(number(each)) for name, each in threshold.items() if each is not False]
        return "; ".join(parts).replace("more; with", "more with")
    if threshold is False or rule not in WANTED:
        return ""
    return WANTED[rule].format(percent(threshold) if _is_share(rule) else number(threshold))


def value(rule: str, found: Any) -> str:
    """What a rule looked at, with its unit; empty where nothing was measured."""
    if isinstance(found, Mapping) and "language_probability" in found:
        declared, other = found["language_probability"], found["other_language"]
        return "" if declared is None else f"declared {number(declared)}, {other} {number(found['other_probability'])}"
    if isinstance(found, Mapping):
        return ", ".join(f"{name} {number(each)}" for name, each in found.items() if each is not None)
    if found is None:
        return ""
    if _is_share(rule):
        return percent(found)
    return f"{number(found)} {COLUMNS[BY[rule]].unit}" if rule in BY else number(found)


def _is_share(rule: str) -> bool:
    return rule in BY and COLUMNS[BY[rule]].unit == SHARE


def percent(share: float) -> str:
    """A share as per cent; never 0 or 100 where it is not."""
    if 0 < share < 0.001:
        return f"{100 * share:.2g} %"
    return f"{f'{100 * share:.1f}'.removesuffix('.0')} %" if share < 0.9995 or share >= 1 else "> 99.9 %"


def number(found: Any) -> str:
    """A number as people write it, five digits at most; anything else as it is."""
    if isinstance(found, bool) or not isinstance(found, float):
        return str(found)
    return f"{found:.0f}" if abs(found) >= 1000 else f"{found:.4g}"


def plain(found: Any) -> Any:
    """A value as JSON can carry it: no bytes, and null for what is not a finite number."""
    if isinstance(found, Mapping):
        return {name: plain(each) for name, each in found.items()}
    if isinstance(found, list | tuple):
        return [plain(each) for each in found]
    if isinstance(found, bytes):
        return found.hex()
    if isinstance(found, float) and not math.isfinite(found):
        return None
    return found
