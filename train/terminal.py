"""What the `train` commands share at a terminal: events followed to their end, a result printed."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer

from curate.errors import Interrupted

if TYPE_CHECKING:
    from train.finetune import Event
    from train.show import Screen


def follow(screen: "Screen", events: "Iterable[Event]", remedy: str, early: str = "early") -> "Event | None":
    """Show events to the end and return the last. Raises Interrupted, which says what to do."""
    from train.finetune import Stopped

    try:
        last = screen.follow(events)
    except KeyboardInterrupt:
        where = "at once; what is saved is kept" if screen.stepped else f"{early}; nothing was lost"
        raise Interrupted(f"stopped {where}, {remedy}") from None
    if isinstance(last, Stopped):
        raise Interrupted(f"stopped at step {last.step} of {last.steps}, saved; {remedy}")
    return last


def print_result(result: dict[str, Any], line: str, as_json: bool) -> None:
    """A result as a line, or as JSON."""
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else line)
