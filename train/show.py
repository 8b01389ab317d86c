"""Training events on a terminal: progress bars on standard error, one line per validation."""

from collections.abc import Iterable
from contextlib import suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from train import finetune, latents
from train.finetune import Event


class Screen:
    """Shows events as they come and remembers the last validations."""

    def __init__(self) -> None:
        self.first: finetune.Validation | None = None
        self.last: finetune.Validation | None = None
        self._bars: dict[str, TaskID] = {}

    def follow(self, events: Iterable[Event]) -> Event | None:
        """Consume events to the end; returns the last."""
        event = None
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            for event in events:
                self._show(event, progress)
        return event

    def _show(self, event: Event, progress: Progress) -> None:
        if isinstance(event, latents.Progress):
            self._bar(progress, "encoding", "encoding clips", event.done, event.total)
        elif isinstance(event, finetune.Step):
            text = f"training: loss {event.loss:.3f}, {event.audio_seconds / event.seconds:.0f} s of audio per s"
            self._bar(progress, "training", text, event.step, event.steps)
        elif isinstance(event, finetune.Validation):
            self.first, self.last = self.first or event, event
            progress.console.print(describe(event), highlight=False, soft_wrap=True)
        elif isinstance(event, str):
            progress.console.print(event, highlight=False, markup=False, soft_wrap=True)

    def _bar(self, progress: Progress, name: str, text: str, done: int, total: int) -> None:
        if name not in self._bars:
            self._bars[name] = progress.add_task(text, total=total)
        with suppress(KeyError):
            progress.update(self._bars[name], description=text, completed=done, total=total)


def describe(event: finetune.Validation) -> str:
    """One line: the losses of each language, diff and stop apart."""
    when = "zero-shot" if event.step == 0 else f"step {event.step}"
    parts = [
        f"{language} {values['loss']:.4f} (diff {values['diff']:.4f}, stop {values['stop']:.4f})"
        for language, values in event.languages.items()
    ]
    return f"held-out loss, {when}: " + ", ".join(parts)
