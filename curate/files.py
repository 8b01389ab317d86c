"""The one way to write: beside the place, flushed to the disk, then renamed; a kill at any moment leaves the old or
the new, whole.

A file under way is called `.NAME.PID.partial`; `remove_partials` clears away what a kill left of them.
"""

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from curate.errors import UserError

PARTIAL = ".partial"
ASIDE = ".{}.samsori-old"  # a folder that a new one is about to replace
# What libraries that write by themselves (Polars, safetensors, libsndfile) say of a full disk: Rust's and C's words.
FULL = re.compile(
    r"No space left on device|os error 28\b|Disk quota exceeded|os error 122\b|File too large|os error 27\b"
)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place beside `path` to write a file to; it takes the place of `path` when the block ends well.

    The folder is made. Nothing is left where the block raises; a full disk is an OSError whichever library says so.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        yield partial
        flush(partial)
        partial.replace(path)
    except BaseException as problem:
        partial.unlink(missing_ok=True)
        if not isinstance(problem, OSError) or problem.errno is None:
            _raise_if_full(problem, path)
        raise


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def append_line(path: Path, line: str) -> None:
    """Add a line to a log and wait until it is on the disk."""
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk itself."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_partials(folder: Path) -> None:
    """Remove what killed runs left half-written in a folder; not in the folders below it."""
    for leftover in folder.glob(f".*{PARTIAL}"):
        leftover.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """Hold a lock file for one process; the kernel lets go of it however the process ends. `busy` is what is said."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(busy) from None
        yield


@contextmanager
def replacing_folder(folder: Path, ours: Collection[str]) -> Iterator[Path]:
    """A folder to fill; when all went well its files are flushed and it takes the place of `folder`.

    `ours` are the names of files that may be replaced. Raises UserError where anything else is in `folder`. A kill
    between the two renames leaves the old one aside, and `recover_folder` brings it back.
    """
    folder = folder.resolve()  # through links, and "." has a name
    _check_ours(folder, ours)
    recover_folder(folder)
    partial = folder.with_name(f".{folder.name}{PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
    except BaseException as problem:  # a full disk, say: what was there before stays
        shutil.rmtree(partial, ignore_errors=True)
        if not isinstance(problem, OSError) or problem.errno is None:
            _raise_if_full(problem, folder)
        raise
    for path in [*partial.iterdir(), partial]:
        flush(path)
    aside = _aside(folder)
    if aside.is_dir():  # of a write that was killed when the new folder was in its place
        _check_ours(aside, ours)
        shutil.rmtree(aside)
    if folder.exists():
        folder.rename(aside)
    partial.rename(folder)
    flush(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)


def recover_folder(folder: Path) -> None:
    """Bring back the folder that a killed write left aside, where there is nothing in its place."""
    folder = folder.resolve()
    if not folder.exists() and _aside(folder).is_dir():
        _aside(folder).rename(folder)


def _aside(folder: Path) -> Path:
    return folder.with_name(ASIDE.format(folder.name))


def _check_ours(folder: Path, ours: Collection[str]) -> None:
    if folder.is_file():
        raise UserError(f"{folder} is a file: choose a new or empty folder")
    if not folder.is_dir():
        return
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in ours or not path.is_file())
    if foreign:
        raise UserError(f"{folder} holds what would be lost, such as {foreign[0]}: choose a new or empty folder")


def _raise_if_full(problem: BaseException, path: Path) -> None:
    if found := FULL.search(str(problem)):
        raise OSError(errno.ENOSPC, found.group(), str(path)) from problem
