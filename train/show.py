"""What training says: a line that moves on a terminal, plain lines elsewhere, validations, the forecast of a run."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from train.data import latents
from train.finetune import Event
from train.messages import counted
from train.trainer import Step
from train.validation import Validation, rising

PLAIN_EVERY = 30.0  # seconds between lines where there is no terminal
RECENT = 100  # steps whose time is averaged
RISING = 3  # validations


class Pace:
    """How long the rest of a run will take: the time of recent steps, and of the validations still to come."""

    def __init__(self, validate_every: int = 0) -> None:
        self._every = validate_every
        self._steps: deque[float] = deque(maxlen=RECENT)
        self._validations: deque[float] = deque(maxlen=RECENT)
        self._before: float | None = None

    def note(self, event: Event, now: float) -> None:
        """Take the time of an event; the first step is not counted, for it warms up."""
        if isinstance(event, str):
            return  # a sentence spoken is part of its validation
        spent = None if self._before is None else now - self._before
        if isinstance(event, Step):
            self._before = now
            self._steps.extend([] if spent is None else [spent])
        elif isinstance(event, Validation):
            self._validations.extend([] if spent is None else [spent])
            self._before = None if self._before is None else now

    def left(self, step: int, steps: int) -> float | None:
        """Seconds until the run is done, from where a step was just done; None before one was timed."""
        if not self._steps:
            return None
        validations = -(-steps // self._every) - (step - 1) // self._every if self._every else 0
        each = fmean(self._validations) if self._validations else 0.0
        return (steps - step) * fmean(self._steps) + validations * each


class Screen:
    """Shows events as they come and remembers the validations."""

    def __init__(
        self,
        validate_every: int = 0,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
        earlier: Sequence[Validation] = (),
    ) -> None:
        self.last: Validation | None = earlier[-1] if earlier else None
        self.stepped = False  # whether a step was seen
        self._console = console or Console(stderr=True)
        self._clock = clock
        self._pace = Pace(validate_every)
        self._seen = list(earlier)  # a resumed run makes those after its checkpoint anew
        self._bars: dict[str, TaskID] = {}
        self._printed_at: dict[str, float] = {}  # when a plain line was last written

    def follow(self, events: Iterable[Event]) -> Event | None:
        """Consume events to the end; returns the last."""
        event = None
        with _bars(self._console) as progress:
            for event in events:
                self._show(event, progress)
        return event

    def _show(self, event: Event, progress: Progress) -> None:
        now = self._clock()
        self._pace.note(event, now)
        if isinstance(event, latents.Progress):
            self._bar(progress, event.what, event.what, event.done, event.total, now)
        elif isinstance(event, Step):
            self.stepped = True
            text = step_line(event, self._pace.left(event.step, event.steps))
            self._bar(progress, "step", text, event.step, event.steps, now)
        elif isinstance(event, Validation):
            self.last = event
            self._seen = [*(each for each in self._seen if each.step < event.step), event]
            for line in (*describe(event), *rising(self._seen, RISING)):
                self._print_line(line)
        elif isinstance(event, str):
            self._print_line(event)

    def _print_line(self, line: str) -> None:
        if self._console.is_terminal:
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)
            return
        try:
            print(line, file=self._console.file, flush=True)
        except OSError:  # who read it has left, as in `2>&1 | head`, or its disk is full: metrics.jsonl tells all
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._console.file.fileno())

    def _bar(self, progress: Progress, name: str, text: str, done: int, total: int, now: float) -> None:
        if not self._console.is_terminal:
            self._plain(name, text, done, total, now)
            return
        if name not in self._bars:
            self._bars[name] = progress.add_task("", total=total)
        progress.update(self._bars[name], description=text, completed=done, total=total)

    def _plain(self, name: str, text: str, done: int, total: int, now: float) -> None:
        if done in (1, total) or now - self._printed_at.get(name, now) >= PLAIN_EVERY:
            self._print_line(f"{name} {done}/{total}" + (f": {text}" if text != name else ""))
            self._printed_at[name] = now
        self._printed_at.setdefault(name, now)


@contextmanager
def ticking() -> Iterator[Callable[[str, int, int], None]]:
    """What a long preparation calls as it goes: what is done, done, total. Only a terminal sees it."""
    console = Console(stderr=True)
    tasks: dict[str, TaskID] = {}
    with _bars(console) as progress:

        def tick(what: str, done: int, total: int) -> None:
            if not console.is_terminal:
                return
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done)

        yield tick


def _bars(console: Console) -> Progress:
    """Done of total, a bar in what is left of the line, then the text, of which nothing is broken over lines."""
    text = Column(no_wrap=True, overflow="ellipsis")
    columns = (
        TextColumn("{task.completed}/{task.total}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4)),
        TextColumn("{task.description}", table_column=text, markup=False),
    )
    return Progress(*columns, console=console, expand=True, disable=not console.is_terminal)


def step_line(event: Step, left: float | None = None) -> str:
    """One line: the loss of each language in the last batch, seconds of audio per second, peak memory, time left."""
    losses = " ".join(f"{language} {loss:.3f}" for language, loss in event.languages.items())
    speed = event.audio_seconds / event.seconds
    parts = [f"loss {losses}", f"{speed:.0f} s/s", f"{event.memory / 2**30:.1f} GiB"]
    return ", ".join(parts if left is None else [*parts, f"{duration(left) if left >= 1 else '0 s'} left"])


def describe(event: Validation) -> list[str]:
    """A line for each language: its held-out loss, what of it is stop, its change from zero-shot and 95 % interval."""
    when = "zero-shot" if event.step == 0 else f"step {event.step}"
    return [
        f"held-out loss, {when}: {language} {values['loss']:.4f} (stop {values['stop']:.3f}){_change(values)}"
        for language, values in event.languages.items()
    ]


def _change(values: dict[str, float]) -> str:
    if "change" not in values:
        return ""
    margin = f" ±{values['high'] - values['change']:.4f}" if "high" in values else ""
    return f", {values['change']:+.4f}{margin} vs zero-shot"


def forecast_lines(forecast: dict[str, Any]) -> list[str]:
    """The forecast in lines of at most 80 columns, names of clips aside."""
    steps, time = forecast["steps"], forecast["time"]
    encode, disk = forecast["to_encode"], forecast["disk"]
    lines = [
        _language(name, split, each)
        for name, each in forecast["languages"].items()
        for split in ("train", "validation")
    ]
    lines += [
        f"{name}: {each['tokens_per_second']:.1f} text tokens a second, {each['tokens_per_character']:.2f} a "
        f"character, {each['byte_fallback']:.0%} of them byte fallback"
        for name, each in forecast["languages"].items()
    ]
    epochs = "+".join(map(str, steps["of_each_epoch"][:4])) + ("+..." if len(steps["of_each_epoch"]) > 4 else "")
    lines += [
        f"steps: {steps['all']} (epochs of {epochs}); {counted(steps['validations'], 'validation')}, "
        f"{counted(steps['checkpoints'], 'checkpoint')} or more",
        f"positions: {forecast['positions']['of_a_step']} a step; {forecast['positions']['text']:,} of text, "
        f"{forecast['positions']['audio']:,} of audio in all",
        f"to encode: {counted(encode['clips'], 'clip')}, {_hours(encode['hours'])}"
        + (f", {duration(encode['seconds'])} on this {time['device']} (patches estimated)" if encode["clips"] else ""),
        *(_memory(each) for each in forecast["memory"]),
        f"disk: {_size(disk['latents'])} of latents ({_size(disk['free_latents'])} free), "
        f"{_size(disk['checkpoints'])} of checkpoints ({_size(disk['free_run'])} free)",
        f"work: {time['flops']:.3g} FLOP, validations included; on an H200 at 790 TFLOP/s",
        f"  no run takes less than {duration(time['floor_h200'])}: a floor, not an estimate",
        _measured(time),
    ]
    return lines + [f"look at this: {line}" for line in forecast["doubts"]]


def _language(name: str, split: str, each: dict[str, Any]) -> str:
    part = each[split]
    return f"{name} {split}: {counted(part['clips'], 'clip')}, {_hours(part['hours'])}, {part['share']:.1%}"


def _memory(each: dict[str, Any]) -> str:
    base = ", its base in 4 bits" * (each["quantization"] != "none")
    return (
        f"memory in {each['precision']}{base}: {_size(each['total'])} counted, {_size(each['total_checkpointing'])} "
        f"with checkpointing\n  (base {_size(each['base'])}, adapter {_size(each['adapter'])}, activations of "
        f"{each['positions']} positions {_size(each['activations'])})"
    )


def _measured(time: dict[str, Any]) -> str:
    if time["measured"] is None:
        return "time: not measured, for a step would take minutes on this CPU"
    peak = f", {_size(time['memory_measured'])} at the peak" if time["memory_measured"] else ""
    return f"time: {duration(time['measured'])} on this {time['device']}, by a few steps that were measured{peak}"


def _hours(hours: float) -> str:
    return f"{hours:.2f} h" if hours >= 0.1 else f"{hours * 3600:.0f} s"


def _size(count: float) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
