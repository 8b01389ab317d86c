"""What both commands have in common at a terminal: `--version`, `--verbose`, a full disk, a closed pipe."""

import logging
import os
import sys
from typing import Annotated

import typer

from curate.files import as_disk_error

CLOSED_PIPE = 141  # what a shell sees of a program that SIGPIPE ended: 128 + 13


def print_version(wanted: bool) -> None:
    """Print the versions of Samsori and Python, and stop."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"samsori {version('samsori')}, Python {sys.version.split()[0]}")
        raise typer.Exit


def log_to_screen(verbosity: int) -> None:
    """Show on standard error what the libraries log: with -v what they do, with -vv every detail."""
    if verbosity:
        from rich.console import Console
        from rich.logging import RichHandler

        handler = RichHandler(console=Console(stderr=True), show_path=verbosity > 1)
        level = logging.INFO if verbosity == 1 else logging.DEBUG
        logging.basicConfig(level=level, handlers=[handler], format="%(name)s: %(message)s")


Version = Annotated[
    bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and stop.")
]
Verbose = Annotated[int, typer.Option("--verbose", "-v", count=True, help="Show the log; -vv: all of it.")]


def options(version: Version = False, verbose: Verbose = 0) -> None:
    """The options that stand before every command."""
    log_to_screen(verbose)


def disk_error(problem: Exception) -> str | None:
    """The line for a file that cannot be written, whichever library says so; None where it is something else."""
    error = as_disk_error(problem)
    return f"cannot write: {error}; make room or name another folder, finished work is kept" if error else None


def leave_closed_pipe() -> None:
    """End without a word where whoever reads has seen enough, as in `| head -1`."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(CLOSED_PIPE)
