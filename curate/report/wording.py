"""Rules, thresholds and values in words, for the report and for `curate explain`."""

import math
from collections.abc import Mapping
from typing import Any

from curate.manifest import COLUMNS
from curate.recipe import Recipe
from curate.select import DECIDED_LATER

WANTED = {
    "unreadable": "the file can be read",
    "too_short": "at least {} s",
    "too_long": "at most {} s",
    "no_speech": "at least {} s of speech",
    "music": "music in at most {} of the clip (1 is all)",
    "noise": "other sound in at most {} of the clip (1 is all)",
    "clipped": "at most {} of the samples clipped (1 is all)",
    "narrow_band": "content up to at least {} Hz",
    "noisy": "at least {} dB of speech over background",
    "several_speakers": "at most {} of the speech by others (1 is all)",
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
    "clipped": "clipped", "narrow_band": "bandwidth", "noisy": "snr", "several_speakers": "second_voice", "chopped": "head_edge",
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
        return dict(wanted.hours)
    caps = {"max_speaker_hours": wanted.max_speaker_hours, "max_source_hours": wanted.max_source_hours}
    return {name: cap for name, cap in caps.items() if cap is not None}


def wanted(rule: str, threshold: Any) -> str:
    """What a rule asks for, in words."""
    if isinstance(threshold, Mapping):
        parts = [PARTS[name].format(number(each)) for name, each in threshold.items() if each is not False]
        return "; ".join(parts).replace("more; with", "more with")
    if threshold is False or rule not in WANTED:
        return ""
    return WANTED[rule].format(number(threshold))


def value(rule: str, found: Any) -> str:
    """What a rule looked at, with its unit; empty where nothing was measured."""
    if isinstance(found, Mapping):
        return ", ".join(f"{name} {number(each)}" for name, each in found.items() if each is not None)
    if found is None:
        return ""
    column = COLUMNS.get(BY.get(rule, ""))
    unit = column.unit if column and column.unit != SHARE else ""
    return f"{number(found)} {unit}".strip()


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
