"""What both commands have in common at a terminal: how they end, `--version`, `--verbose`, arguments that are none."""

import codecs
import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Annotated, NoReturn

import typer

from curate import garbage, signals
from curate.errors import Interrupted, UserError
from curate.files import as_disk_error

FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
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


def run(app: typer.Typer, name: str) -> NoReturn:
    """Run a command: what a person can mend is one line on standard error and the status that a shell expects.

    A mistake exits with 1, wrong usage with 2, Ctrl-C (SIGTERM, a closed terminal) with 130, a closed pipe with 141
    and no word. Anything else is a bug of ours and keeps its traceback.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # else it looks for some in every installed package
    # under torchrun several processes run: it ends by SIGTERM those to whom another's error came, and one speaks
    alone, speaks = os.environ.get("WORLD_SIZE", "1") == "1", os.environ.get("RANK", "0") == "0"
    try:
        check_words(sys.argv[1:])
        with signals.as_ctrl_c() if alone else nullcontext(bool) as interrupted:
            status = _call(app, interrupted)
        if sys.stdout is not None:
            sys.stdout.flush()  # a reader that went away is met here, and not when Python ends
    except UserError as error:
        _end(f"{name}: {error}", error.status)
    except typer.TyperException as error:
        _end_usage(error, name)
    except BrokenPipeError:
        leave_closed_pipe()
    except UnicodeEncodeError as error:
        if _encoding(error.encoding) != (shown := _encoding(getattr(sys.stdout, "encoding", None))) or shown == "utf-8":
            raise
        _end(f"{name}: letters cannot be shown in {shown}: set PYTHONIOENCODING=utf-8, and the terminal to UTF-8", 1)
    except Exception as problem:
        disk = as_disk_error(problem)
        if isinstance(problem, OSError) and problem.errno == errno.ENAMETOOLONG:
            _end(f"{name}: no file can have so long a name: {str(problem.filename)[:100]}...", 1)
        if disk is None:
            raise
        remedy = "make it writable" if disk.errno in FORBIDDEN else "make room"
        _end(f"{name}: cannot write: {disk}; {remedy} or name another folder, finished work is kept", 1)
    if status == Interrupted.status and speaks:  # typer's answer to Ctrl-C, without a word
        typer.echo(signals.WORDS.format(name), err=True)
    garbage.no_last_collection()
    sys.exit(status)


def _encoding(name: str | None) -> str:
    """The one name of an encoding that has several."""
    return codecs.lookup(name or "utf-8").name


def _call(app: typer.Typer, interrupted: Callable[[], bool]) -> int:
    """The exit status; what is raised is for `run`."""
    try:
        return app(standalone_mode=False) or 0
    except SystemExit as left:
        if left.code == 1 and isinstance(left.__context__, BrokenPipeError):  # what typer makes of it
            raise BrokenPipeError from None
        raise
    except Exception as problem:
        if interrupted() and not isinstance(problem, UserError):  # a library whose import was interrupted
            return Interrupted.status
        raise


def _end_usage(error: typer.TyperException, name: str) -> NoReturn:
    """Wrong usage in one line; without a word, the help."""
    message = str(getattr(error, "format_message", error.__str__)())
    if not sys.argv[1:]:
        _end(message, 2)
    command = getattr(getattr(error, "ctx", None), "command_path", name)
    _end(f"{name}: {' '.join(message.split()).rstrip('.')}; see `{command} --help`", 2)


def _end(line: str, status: int) -> NoReturn:
    typer.echo(line, err=True)
    sys.exit(status)


def leave_closed_pipe(status: int = CLOSED_PIPE) -> NoReturn:
    """End without a word where whoever reads has seen enough, as in `| head -1`."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def check_words(words: Sequence[str]) -> None:
    """Raise UserError where a word is empty, or it or the working folder has letters that the locale has not."""
    for before, word in zip(["the command", *words], words, strict=False):
        name, equals, value = word.partition("=")
        option = name.startswith("--") and equals and not value
        if not word or option:
            raise UserError(f"there is only '' after {name if option else before}: is a variable of the shell unset?")
    if odd := [word for word in (*words, _here()) if _undecoded(word)]:
        raise UserError(f"{odd[0]!a} cannot be read in this locale: set PYTHONUTF8=1, or give a name in UTF-8")


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def _undecoded(word: str) -> bool:
    """Whether bytes of it were no text: Python puts surrogates for them, which no library reads."""
    return any("\ud800" <= letter <= "\udfff" for letter in word)


def printable(text: str) -> str:
    """One line in which what is invisible shows as its code."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
