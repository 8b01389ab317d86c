"""What the commands show: progress on standard error, tables on standard output."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from curate.demo import Flaw
from curate.engine.ask import Watch
from curate.errors import Interrupted


@contextmanager
def progress() -> Iterator[Watch]:
    """A bar per kind of work on a terminal; elsewhere a line when one begins."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bars: dict[str, TaskID] = {}
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(),
        TimeRemainingColumn(), console=console, disable=not console.is_terminal,
    ) as shown:  # fmt: skip

        def watch(what: str, done: float, total: float) -> None:
            if what not in bars:
                bars[what] = shown.add_task(what, total=total)
                if not console.is_terminal:
                    print(f"{what} ...", file=sys.stderr, flush=True)
            shown.update(bars[what], completed=done, total=total)

        try:
            yield watch
        except KeyboardInterrupt:
            raise Interrupted("stopped; finished work is kept, the same command goes on from here") from None


def status(numbers: Mapping[str, Any]) -> str:
    """The funnel as text: hours and clips per reason and language, then the splits."""
    languages = list(numbers["languages"])
    rows = [["", "clips", "hours", *(f"{language} {unit}" for language in languages for unit in ("clips", "hours"))]]
    reasons = {"kept": numbers["kept"], **numbers["dropped"]}
    for reason, amount in reasons.items():
        per_language = [
            numbers["languages"][language]["kept"]
            if reason == "kept"
            else numbers["languages"][language]["dropped"].get(reason)
            for language in languages
        ]
        rows.append([reason, *_amount(amount), *(cell for each in per_language for cell in _amount(each))])
        if reason == "kept":
            rows += _machine_text(numbers["machine_text"], languages)
    for name, amount in numbers["splits"].items():
        per_language = [amount["languages"].get(language) for language in languages]
        rows.append([name, *_amount(amount), *(cell for each in per_language for cell in _amount(each))])
    ingested = numbers["ingested"]
    trimmed = numbers["trimmed"]["hours"]
    lines = [f"ingested {ingested['files']} files, {ingested['hours']:.2f} h; {trimmed:.2f} h of edges trimmed"]
    lines += table(rows, rules_before=("kept", next(iter(numbers["dropped"]), ""), "train"))
    return "\n".join(lines)


def _machine_text(machine: Mapping[str, Any], languages: Sequence[str]) -> list[list[str]]:
    """Rows for what is kept with a text that a recogniser wrote, in all and by split; none where there is none."""
    if not machine["kept"]["clips"]:
        return []
    by_language = [machine["languages"].get(language) for language in languages]
    cells = [cell for each in by_language for cell in _amount(each)]
    rows = [["  of it machine text", *_amount(machine["kept"]), *cells]]
    splits = {name: amount for name, amount in machine["splits"].items() if amount["clips"]}
    nothing = [""] * 2 * len(languages)
    nothing = [""] * 2 * len(languages)
    return rows + [[f"    in {name}", *_amount(amount), *nothing] for name, amount in splits.items()]


def flaws(planted: Sequence[Flaw]) -> str:
    """The planted flaws, one a line: what was done, and which measured rules say so."""
    rows = [["planted flaw", "found by"]]
    rows += [[each.flaw, ", ".join(each.broke) or "nothing"] for each in planted]
    named = sum(each.found for each in planted)
    return "\n".join([*left(rows), f"{named} of {len(planted)} planted flaws are named by a rule that is true of them"])


def left(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as text in columns, all to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _amount(amount: Mapping[str, Any] | None) -> list[str]:
    return [str(amount["clips"]), f"{amount['hours']:.2f}"] if amount else ["", ""]


def table(rows: Sequence[Sequence[str]], *, rules_before: Sequence[str] = ()) -> list[str]:
    """Rows as aligned text, the first column to the left; a rule before the rows that begin so."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        if row[0] and row[0] in rules_before:
            lines.append("-" * (sum(widths) + 2 * (len(widths) - 1)))
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines
