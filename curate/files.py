"""The one way to write: beside the place, flushed to the disk, then renamed; a kill at any moment leaves the old or
the new, whole.

A file under way is called `.NAME.PID.partial`; `remove_partials` clears away what a kill left of them. That the disk
is full is an OSError with its errno, whichever library wrote (`as_disk_error`). Sounds are encoded in memory
(`audio.encode`), then written here.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from curate.errors import Busy, UserError

if TYPE_CHECKING:
    import polars as pl

PARTIAL = ".partial"
ASIDE = ".{}.samsori-old"  # a folder that a new one is about to replace
# What `partial` names may look like: today's, and those of older versions, NAME.PID.partial and .NAME.partial.
PARTIALS = re.compile(rf"\..+{re.escape(PARTIAL)}|.+\.\d+{re.escape(PARTIAL)}")
CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
# SF_ERR_SYSTEM: a system call failed, it does not say which; SFE_FLAC_INIT_DECODER: a FLAC's header was not taken
LIBSNDFILE_REFUSED = (2, 157)


class Root(Protocol):
    """A folder, or several laid over each other, that paths are relative to: `root / path` is a file."""

    def __truediv__(self, path: str, /) -> Path:
        """The place of one file."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place beside `path` to write a file to; it takes the place of `path` when the block ends well.

    The folder is made. Nothing is left where the block raises; a full disk is an OSError that names `path`, whichever
    library says so. A device or a pipe (/dev/null, /dev/stdout) is written to and never replaced.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with _disk_errors(path, path):
            yield path
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        with _disk_errors(path, partial):
            yield partial
            flush(partial)
            partial.replace(path)
    except BaseException:
        with suppress(OSError):  # a read-only disk refuses this, too: what is told is why the file cannot be written
            partial.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_parquet(frame: "pl.DataFrame", path: Path, *, metadata: dict[str, str] | None = None) -> None:
    """Write a frame as Parquet, whole or not at all; equal frames give equal bytes, so all settings are fixed."""
    with replacing(path) as partial:
        try:
            frame.write_parquet(
                partial, compression="zstd", compression_level=3, row_group_size=65536, statistics=True,
                metadata=metadata,
            )  # fmt: skip
        except Exception as problem:
            # headers and the footer are encoded straight into the file, and there Thrift does not pass on why not
            if "transport error" not in str(problem):
                raise
            raise OSError(errno.ENOSPC, "the disk did not take all of the table") from problem


def append_line(path: Path, line: str) -> None:
    """Add a line to a log and wait until it is on the disk."""
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def sha256(path: Path) -> str:
    """Of a file's bytes, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk itself."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_partials(folder: Path) -> None:
    """Remove the files that killed runs left half-written in a folder, not in those below it.

    For who holds the lock of what is written there: to others, the partial file of a living process looks the same.
    """
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        leftovers = [entry.path for entry in entries if PARTIALS.fullmatch(entry.name) and entry.is_file()]
    for leftover in leftovers:
        Path(leftover).unlink(missing_ok=True)


@contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """Hold a lock file for one process; the kernel lets go of it however the process ends.

    Raises Busy, a UserError, with the words of `busy` where another process holds it.
    """
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(busy) from None
        except OSError as error:  # some network disks
            raise UserError(f"{path} cannot be locked ({error.strerror}): choose a folder on another disk") from None
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
        with _disk_errors(folder, partial):
            yield partial
            for path in [*partial.iterdir(), partial]:
                flush(path)
    except BaseException:  # a full disk, say: what was there before stays
        shutil.rmtree(partial, ignore_errors=True)
        raise
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
    if not folder.exists():
        return
    if not folder.is_dir():  # devices included
        raise UserError(f"{folder} is a file: choose a new or empty folder")
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in ours or not path.is_file())
    if foreign:
        raise UserError(f"{folder} holds what would be lost, such as {foreign[0]}: choose a new or empty folder")


def as_disk_error(problem: BaseException) -> OSError | None:
    """That a file cannot be written, as the OSError it is, whichever library says so; None: it is something else.

    Polars and safetensors are written in Rust and carry the system's answer as text, "... (os error 28)", Polars also
    in an OSError without errno; libsndfile has a code for all that the system refuses, and python-soundfile asserts
    that all samples were written. Of a short OGG it says nothing: sounds are encoded in memory.
    """
    if isinstance(problem, OSError) and problem.errno is not None:
        return problem if problem.errno in CANNOT_WRITE else None
    library = type(problem).__module__.partition(".")[0]
    in_rust = isinstance(problem, OSError) or library in ("polars", "safetensors")
    if in_rust and (number := re.search(r"\(os error (\d+)\)", str(problem))):
        code = int(number[1])
        return OSError(code, os.strerror(code)) if code in CANNOT_WRITE else None
    refused = library == "soundfile" and getattr(problem, "code", None) in LIBSNDFILE_REFUSED
    if refused or (isinstance(problem, AssertionError) and _raised_in(problem) == "soundfile"):
        return OSError(errno.ENOSPC, "the disk did not take all samples")
    return None


def _raised_in(problem: BaseException) -> str:
    """The module whose code raised it."""
    frames = [frame.f_globals for frame, _ in traceback.walk_tb(problem.__traceback__)]
    return str(frames[-1].get("__name__")) if frames else ""


@contextmanager
def _disk_errors(path: Path, partial: Path) -> Iterator[None]:
    """Raise what libraries make of a full disk as an OSError, and let it name the file that is wanted."""
    try:
        yield
    except Exception as problem:
        error = as_disk_error(problem)
        if error is None:
            raise
        if error.filename is None or Path(error.filename) == partial:
            error.filename = str(path)
        if error is problem:
            raise
        raise error from problem
