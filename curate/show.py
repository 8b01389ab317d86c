"""What the commands show: progress on standard error, tables on standard output."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from curate import manifest
from curate.console import printable
from curate.demo import Flaw
from curate.errors import Interrupted
from curate.fetch import Fetched
from curate.ingest import Ingested
from curate.ingest.probe import Progress as Reading
from curate.ingest.tree import shown as shown_path

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SHORTEST_BAR, LONGEST_BAR = 10, 40  # columns
SHOWN, SHOWN_FILES = 20, 3  # rows and files that are named where there are many


class Watch(Protocol):
    """Told what is being done, how much of it, of how much, and what else to show beside it."""

    def __call__(self, what: str, done: float, total: float, note: str = "") -> None:
        """Show it."""


@contextmanager
def progress() -> Iterator[Watch]:
    """A bar per kind of work on a terminal; elsewhere a line when one begins."""
    bars: dict[str, TaskID] = {}
    with ExitStack() as until_the_end:
        begun: list[Progress] = []

        def watch(what: str, done: float, total: float, note: str = "") -> None:
            if not begun:  # a command that has nothing to wait for need not import rich
                begun.append(until_the_end.enter_context(_bars()))
            (shown,) = begun
            if what not in bars:
                bars[what] = shown.add_task(what, total=total)
                if shown.disable:
                    print(f"{what} ...", file=sys.stderr, flush=True)
            shown.update(bars[what], completed=done, total=total, description=f"{what}{note}")

        try:
            yield watch
        except KeyboardInterrupt:
            raise Interrupted("stopped; finished work is kept, the same command goes on from here") from None


def _bars() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(),
        TimeRemainingColumn(), console=console, disable=not console.is_terminal,
    )  # fmt: skip


def reading(watch: Watch) -> Reading:
    """Progress of ingest: files, hours, and (from the bar) time left."""

    def progress(done: int, total: int, hours: float) -> None:
        watch("reading files", done, total, f", {done} of {total}, {hours:.2f} h")

    return progress


def sources(found: Ingested) -> str:
    """What ingest found in each source: rows, files, hours, and what is to be looked at, with a few names of each."""
    rows = [["source", "rows", "files", "hours", "unreadable", "repeated", "unlisted"]]
    frames = {str(name): frame for (name,), frame in found.rows.group_by("source", maintain_order=True)}
    for name, frame in [*frames.items(), ("all", found.rows)]:
        left = found.unlisted.get(name) or [
            path for paths in found.unlisted.values() for path in paths if name == "all"
        ]
        repeated = frame.height - frame.unique(["source", "path", "start", "end"]).height
        named = frame.filter(pl.col("path") != "").unique(["source", "path"]).height
        rows.append(
            [name, str(frame.height), str(named), f"{manifest.hours(frame.filter(pl.col('error').is_null())):.2f}",
             str(frame["error"].count()), str(repeated), str(len(left))]
        )  # fmt: skip
    return "\n".join([*table(rows if len(rows) > 3 else rows[:-1], rules_before=("all",)), *_to_look_at(found)])


def _to_look_at(found: Ingested) -> Iterator[str]:
    broken = found.rows.filter(pl.col("error").is_not_null())
    for source, path, error in broken.select("source", "path", "error").head(SHOWN).iter_rows():
        yield f"  {source}: {printable(path)}{': ' if path else ''}{printable(error)}"
    if broken.height > SHOWN:
        yield f"  and {broken.height - SHOWN} more rows that cannot be used; the manifest's `error` has all"
    for source, left in found.unlisted.items():
        if left:
            some = ", ".join(printable(shown_path(path)) for path in left[:SHOWN_FILES])
            yield f"  {source}: {len(left)} files have no row, such as {some}; all are in unlisted.tsv"


def moving(watch: Watch, verb: str) -> Callable[[str, float, float], None]:
    """Progress of a file that is fetched or unpacked."""

    def progress(what: str, done: float, total: float) -> None:
        watch(f"{verb} {printable(what)}", done, total)

    return progress


def fetched(found: Sequence[Fetched]) -> str:
    """What became of each source, a line each."""
    lines = []
    for each in found:
        if each.by_hand:
            lines.append(f"{each.source}: get it by hand into {each.folder}: {each.by_hand}")
        else:
            lines.append(
                f"{each.source}: {len(each.fetched)} files fetched, {len(each.there)} were there ({each.folder})"
            )
    return "\n".join(lines)


def status(numbers: Mapping[str, Any], *, width: int = 0) -> str:
    """The funnel as text: hours and clips per reason and language, the splits, then what people said.

    Where `width` columns leave room for it, a bar beside each row shows its hours.
    """
    languages = list(numbers["languages"])
    rows = [["", "clips", "hours", *(f"{language} {unit}" for language in languages for unit in ("clips", "hours"))]]
    hours: list[float | None] = [None]
    reasons = {"kept": numbers["kept"], **numbers["dropped"]}
    for reason, amount in reasons.items():
        per_language = [
            numbers["languages"][language]["kept"]
            if reason == "kept"
            else numbers["languages"][language]["dropped"].get(reason)
            for language in languages
        ]
        rows.append([reason, *_amount(amount), *(cell for each in per_language for cell in _amount(each))])
        hours.append(amount["hours"])
        if reason == "kept":
            machine = _machine_text(numbers["machine_text"], languages)
            rows += machine
            hours += [None] * len(machine)
    for name, amount in numbers["splits"].items():
        per_language = [amount["languages"].get(language) for language in languages]
        rows.append([name, *_amount(amount), *(cell for each in per_language for cell in _amount(each))])
        hours.append(amount["hours"])
    ingested = numbers["ingested"]
    trimmed = numbers["trimmed"]["hours"]
    lines = [f"ingested {ingested['files']} files, {ingested['hours']:.2f} h; {trimmed:.2f} h of edges trimmed"]
    lines += table(rows, rules_before=("kept", next(iter(numbers["dropped"]), ""), "train"), bars=hours, width=width)
    if numbers["also_broke"]:
        also = ", ".join(f"{rule} {count}" for rule, count in numbers["also_broke"].items())
        lines.append(f"a dropped clip is counted once, for the first rule it broke; dropped clips also broke: {also}")
    return "\n".join([*lines, *judged(numbers["verdicts"])])


def judged(verdicts: Mapping[str, Any]) -> list[str]:
    """What people said and how well the rules agree with them; nothing where nobody said anything."""
    if not verdicts["judged"]["clips"]:
        return []
    who = ", ".join(f"{printable(name) or 'unnamed'} {count}" for name, count in verdicts["who"].items())
    asked = (
        f", {verdicts['taken_down']['clips']} of them at the speaker's wish" if verdicts["taken_down"]["clips"] else ""
    )
    lines = [
        "", "people",
        f"  judged {verdicts['judged']['clips']} clips ({who}): keep {verdicts['keep']['clips']}, "
        f"drop {verdicts['drop']['clips']}{asked}",
    ]  # fmt: skip
    for name, words in (("overruled", "a keep overruled"), ("not_followed", "a keep could not overrule")):
        if verdicts[name]:
            lines.append(f"  {words}: {', '.join(f'{rule} {count}' for rule, count in verdicts[name].items())}")
    rules = {**verdicts["precision"], "none of these": verdicts["passed"]}
    rows = [["  broke", "judged", "drop", "keep", "people drop", "95 % interval"]]
    for rule, said in rules.items():
        if said["judged"]:
            low, high = (f"{100 * each:.0f}" for each in said["ci"])
            counts = [str(said[each]) for each in ("judged", "drop", "keep")]
            rows.append([f"  {rule}", *counts, f"{100 * said['share']:.0f} %", f"{low} to {high} %"])
    return [*lines, *(table(rows) if len(rows) > 1 else [])]


def _machine_text(machine: Mapping[str, Any], languages: Sequence[str]) -> list[list[str]]:
    """Rows for what is kept with a text that a recogniser wrote, in all and by split; none where there is none."""
    if not machine["kept"]["clips"]:
        return []
    by_language = [machine["languages"].get(language) for language in languages]
    cells = [cell for each in by_language for cell in _amount(each)]
    rows = [["  of it machine text", *_amount(machine["kept"]), *cells]]
    splits = {name: amount for name, amount in machine["splits"].items() if amount["clips"]}
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


def table(
    rows: Sequence[Sequence[str]],
    *,
    rules_before: Sequence[str] = (),
    bars: Sequence[float | None] = (),
    width: int = 0,
) -> list[str]:
    """Rows as aligned text, the first column to the left; a rule before the rows that begin so.

    `bars`: for each row a number, or None, that a bar at its end shows where `width` columns have room for one.
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    wide = sum(widths) + 2 * (len(widths) - 1)
    longest = min(width - wide - 2, LONGEST_BAR)
    most = max((each for each in bars if each), default=0.0)
    lines = []
    for place, row in enumerate(rows):
        if row[0] and row[0] in rules_before:
            lines.append("-" * wide)
        cells = [row[0].ljust(widths[0]), *(cell.rjust(size) for cell, size in zip(row[1:], widths[1:], strict=True))]
        value = bars[place] if bars else None
        if value and longest >= SHORTEST_BAR:
            cells.append(bar(value / most, longest))
        lines.append("  ".join(cells).rstrip())
    return lines


def bar(share: float, length: int) -> str:
    """A share as a bar of `length` columns, to an eighth of one."""
    eighths = max(1, round(share * length * 8))
    return "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")
