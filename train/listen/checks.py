"""What a page or a file may say: every value has a kind and a bound."""

import math
import unicodedata
from collections.abc import Collection
from typing import Any

CHOICES = {
    "native": ("yes", "no"),
    "device": ("phone", "tablet", "computer"),
    "headphones": ("yes", "no"),
    "check": ("passed", "failed", "no", "unchecked"),
}
LONGEST_REGION = 60  # letters
LONGEST_WORD = 80  # letters of an event's value
LONGEST_ITEM = 32
MOST_AT_ONCE = 200  # events of one call
MOST_REPLAYS = 10_000
LONGEST_SECONDS = 30 * 24 * 3600.0  # a page that stayed open for a month
LATEST = 253_402_300_799_000  # milliseconds: the year 9999


class BadValue(ValueError):
    """A value that no page of ours gives."""


def check_answers(answers: Any) -> dict[str, str]:
    """What a listener says of themselves, with nothing in it that is no text."""
    if not isinstance(answers, dict) or answers.keys() != {*CHOICES, "region"}:
        raise BadValue("answers are native, region, device, headphones and check")
    for name, choices in CHOICES.items():
        if answers[name] not in choices:
            raise BadValue(f"{name} is one of {', '.join(choices)}")
    region = answers["region"]
    if not isinstance(region, str) or not region.strip() or len(region) > LONGEST_REGION:
        raise BadValue(f"a region has 1 to {LONGEST_REGION} letters")
    return {**{name: str(answers[name]) for name in CHOICES}, "region": plain(region)}


def plain(text: str) -> str:
    """Text on one line without what controls a terminal or starts a formula in a spreadsheet."""
    shown = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") else letter for letter in text)
    return " ".join(shown.split()).lstrip("=+-@ ")


def check_rating(rating: Any, values: Collection[int]) -> dict[str, Any]:
    """One rating; null says that its sound could not be played, and then nobody has heard it to the end."""
    if not isinstance(rating, dict):
        raise BadValue("a rating is an object")
    value, heard, seconds = rating.get("rating"), rating.get("heard_to_end"), rating.get("seconds_to_rate")
    if value is not None and (not _whole(value) or value not in values):
        raise BadValue(f"rating {str(value)[:20]} is not on the scale {', '.join(map(str, sorted(values)))}")
    if not isinstance(heard, bool) or heard != (value is not None):
        raise BadValue("what was rated was heard to the end, and what was not was left out")
    if seconds is not None and not (_number(seconds) and 0 <= seconds <= LONGEST_SECONDS):
        raise BadValue("seconds_to_rate is no time")
    return {
        "item": _text(rating.get("item"), LONGEST_ITEM, "item"),
        "rating": value,
        "replays": _count(rating.get("replays"), MOST_REPLAYS, "replays"),
        "seconds": None if seconds is None else float(seconds),
        "heard": heard,
        "at": _count(rating.get("at"), LATEST, "at"),
    }


def check_events(events: Any) -> list[tuple[int, str, str, str]]:
    """Events: when, what, at which item, with which value."""
    if not isinstance(events, list) or len(events) > MOST_AT_ONCE:
        raise BadValue(f"events are a list of at most {MOST_AT_ONCE}")
    return [check_event(event) for event in events]


def check_event(event: Any) -> tuple[int, str, str, str]:
    """One event."""
    if not isinstance(event, dict):
        raise BadValue("an event is an object")
    words = (_text(event.get(name), LONGEST_WORD, name) for name in ("kind", "item", "value"))
    kind, item, value = (plain(word) for word in words)
    return _count(event.get("at"), LATEST, "at"), kind, item, value


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _count(value: Any, most: int, name: str) -> int:
    if not _whole(value) or not 0 <= value <= most:
        raise BadValue(f"{name} is no count")
    return int(value)


def _text(value: Any, longest: int, name: str) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise BadValue(f"{name} is no text of at most {longest} letters")
    return value
