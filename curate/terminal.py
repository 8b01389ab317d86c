"""Text on standard output: plain through a pipe, in colours and folded to the window on a terminal.

The words are the same in all cases; a colour never says what a word does not. NO_COLOR is respected.
"""

import os
import re
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.text import Text

# What words of our own tables mean, in the order they are looked for; the first pattern that fits a place wins.
STYLES = (
    (r"(?<=: )kept\b|^ *kept\b|\bholds\b", "green"),
    (r"(?<=: )dropped as [a-z_]+|\bBROKEN\b|\bFAILED\b", "bold red"),
    (r"\bdropped as [a-z_]+", "red"),
    (r"^(train|validation|test)\b", "cyan"),
    (r"^-+$", "dim"),
    (r"[█▏▎▍▌▋▊▉]+$", "blue"),
    (r"^(from|rules|text|measures|verdict|from the source|people)$", "bold"),
    (r"\bmachine text\b|\boverruled\b", "yellow"),
)
FOLDED_AT = re.compile(r"\s*\S+\s{2,}")  # the name that a line begins with: what is folded hangs behind it


def _nobody_looks() -> bool:
    """Whether it goes to a pipe or a file, and nothing says otherwise: rich, which asks more, need not be imported."""
    asked = ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE")
    return not (sys.stdout and sys.stdout.isatty()) and not any(name in os.environ for name in asked)


def width() -> int:
    """Columns that standard output has: those of the window, or without one as many as are asked for."""
    if _nobody_looks():
        return 0
    from rich.console import Console

    console = Console()
    return console.width if console.is_terminal or os.environ.get("COLUMNS") else 0


def write(text: str) -> None:
    """Print text; lines are folded and coloured only for a person's window."""
    if _nobody_looks():
        typer.echo(text)
        return
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        typer.echo(text)
        return
    plain = bool(os.environ.get("NO_COLOR"))
    for line in text.split("\n"):
        for part in fold(line, console.width):
            console.print(part if plain else painted(part), soft_wrap=True, markup=False)


def painted(line: str) -> "Text":
    """A line with the colours of its words."""
    from rich.text import Text

    shown = Text(line)
    for pattern, style in reversed(STYLES):
        shown.highlight_regex(pattern, style)
    return shown


def fold(line: str, width: int) -> list[str]:
    """A line in parts that fit, cut at spaces where there are any; the rest hangs behind the name it begins with."""
    from rich.cells import cell_len

    if cell_len(line) <= width:
        return [line]
    named = FOLDED_AT.match(line)
    hang = " " * (named.end() if named and named.end() <= width // 2 else 2)
    parts: list[str] = []
    rest = line
    while cell_len(rest) > width:
        at = _cut(rest, width, least=len(hang) if parts else 0)
        parts.append(rest[:at].rstrip())
        rest = hang + rest[at:].lstrip()
    return [*parts, rest]


def _cut(line: str, width: int, *, least: int) -> int:
    """Where to cut a line so that what stands before fits: at the last space, else between two letters."""
    from rich.cells import cell_len

    fits = next(at for at in range(len(line), 0, -1) if cell_len(line[:at]) <= width or at == 1)
    space = line.rfind(" ", least + 1, fits + 1)
    return space if space > least and line[:space].strip() else max(fits, least + 1)
