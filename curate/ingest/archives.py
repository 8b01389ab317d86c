"""Archives as sources: unpacked once into the corpus, whole or not at all, and nothing outside their folder.

An archive is refused where a member's path leads out of the folder, where it holds a link or a device, where it expands
to far more than speech can, or where it is cut short. A killed unpacking is begun anew.
"""

import bz2
import gzip
import hashlib
import json
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from curate import files
from curate.errors import UserError

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".zip")
# Speech shrinks at most some tens of times, digital silence more: what grows beyond this, and by more than SLACK bytes,
# is made to fill a disk.
MOST_GROWTH = 100
SLACK = 64 * 1024 * 1024
COPY = 1 << 20  # bytes copied at a time
NOTE = ".unpacked.json"  # in a folder: of which archives it is the content
ABOUT = ("readme", "license", "licence", "notice", "copying")  # files that several archives of one set hold
BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile)


@dataclass(frozen=True)
class Member:
    """A file in an archive: where it goes, how long it says it is, and how to open it."""

    path: str
    size: int
    entry: Any


Progress = Callable[[str, float, float], None]  # which archive, bytes of it that were read, of how many


def silent(archive: str, done: float, total: float) -> None:
    """Progress that nobody watches."""


def is_archive(path: str) -> bool:
    """Whether a name ends like an archive that is read."""
    return path.lower().endswith(SUFFIXES)


def split(path: Path) -> tuple[Path, str] | None:
    """The archive that a path names or leads into, and the path within it; None where it leads into none.

    One that is no longer there counts: what was in it may still lie unpacked.
    """
    for each in (path, *path.parents):
        if is_archive(each.name) and not each.is_dir():
            return each, path.relative_to(each).as_posix().removeprefix(".")
    return None


def unpack(found: Sequence[tuple[Path, str]], into: Path, progress: Progress = silent) -> None:
    """Make `into` hold the files of archives, each below a folder of it; raises UserError where one is refused."""
    jobs = [(stamp(archive, folder), partial(_extract, archive, folder, progress)) for archive, folder in found]
    unpack_each(jobs, into)


def unpack_each(jobs: Sequence[tuple[str, Callable[[Path], None]]], into: Path) -> None:
    """Fill a folder by jobs, each with the stamp of what it unpacks, unless it was filled by just these.

    What a killed run left is continued with the first job that was not done; nothing is in `into` before all are.
    """
    stamps = [each for each, _ in jobs]
    if _noted(into) == stamps:
        return
    under_way = into.with_name(f".{into.name}{files.PARTIAL}")
    done = _noted(under_way)
    if done != stamps[: len(done)]:
        shutil.rmtree(under_way)
        done = []
    under_way.mkdir(parents=True, exist_ok=True)
    for each, job in jobs[len(done) :]:
        try:
            job(under_way)
        except UserError:
            shutil.rmtree(under_way)
            raise
        done.append(each)
        files.write_text(under_way / NOTE, json.dumps(done))
    shutil.rmtree(into, ignore_errors=True)
    under_way.rename(into)
    files.flush(into.parent)


def is_unpacked(into: Path) -> bool:
    """Whether a folder holds the content of archives, all of it."""
    return bool(_noted(into))


def stamp(archive: Path, folder: str = "") -> str:
    """Of which file the content of a folder is: another name, size or time, another content."""
    facts = archive.stat()
    return f"{folder}/{archive.name} {facts.st_size} {facts.st_mtime_ns}"


def _noted(folder: Path) -> list[str]:
    """The stamps of archives that were unpacked into a folder, whole."""
    try:
        return list(json.loads((folder / NOTE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def by_hand(archive: Path, suffixes: frozenset[str]) -> bool:
    """Whether an archive was unpacked beside itself: its first sound lies there."""
    with archive.open("rb") as raw, _opened(archive, raw) as opened:
        for member in _members(archive, opened):
            if PurePosixPath(member.path).suffix.lower() in suffixes:
                there = archive.parent / member.path
                return there.is_file() and there.stat().st_size == member.size
    return False


def _extract(archive: Path, folder: str, progress: Progress, under_way: Path) -> None:
    into = under_way / folder
    into.mkdir(parents=True, exist_ok=True)
    packed, written = archive.stat().st_size, 0
    with archive.open("rb") as raw, _opened(archive, raw) as opened:
        for member in _members(archive, opened):
            written += member.size
            if written > packed * MOST_GROWTH + SLACK:
                raise UserError(
                    f"{archive} expands to more than {MOST_GROWTH} times its size, at {member.path}; refused"
                )
            if member.size > shutil.disk_usage(into).free:
                raise UserError(f"{archive} does not fit on the disk: {member.path} needs {member.size} bytes")
            target = into / member.path
            other = _content_of_another(target, under_way)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                copy = target.open("wb")
            except OSError as error:
                if error.errno in files.CANNOT_WRITE:
                    raise
                raise UserError(f"{archive}: {member.path} cannot be written: {error.strerror}") from None
            with copy, _content(opened, member) as source:
                copied = _copy(source, copy, member.size)
            if copied != member.size:
                raise UserError(f"{archive} is cut short at {member.path}; download it again")
            if other is not None and _digest(target) != other:
                raise UserError(
                    f"{archive} and another archive beside it hold different files called {member.path}; unpack each "
                    "into a folder of its own and remove the archives, or name each as a source"
                )
            progress(archive.name, raw.tell(), packed)
        _check_rest(opened)


def _content_of_another(target: Path, under_way: Path) -> bytes | None:
    """The digest of what an archive before this one left at a place; notes about a corpus may differ.

    The note of what was unpacked is younger than all files of the archives before.
    """
    try:
        if target.stem.lower() in ABOUT or target.stat().st_mtime_ns > (under_way / NOTE).stat().st_mtime_ns:
            return None
    except OSError:  # nothing there, or the first archive
        return None
    return _digest(target)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> int:
    """Copy no more than was declared, so that a member cannot grow beyond what was checked."""
    copied = 0
    while copied < size and (block := source.read(min(COPY, size - copied))):
        target.write(block)
        copied += len(block)
    return copied


@contextmanager
def _opened(archive: Path, raw: IO[bytes]) -> Iterator[Any]:
    """The archive opened; what is wrong with it, now or while it is read, is a UserError."""
    try:
        if archive.name.lower().endswith(".zip"):
            with zipfile.ZipFile(raw) as opened:
                yield opened
        else:
            _refuse_cut(archive)
            with _stream(archive, raw) as stream, tarfile.open(fileobj=stream, mode="r|", bufsize=COPY) as opened:
                yield opened
    except BROKEN as error:
        raise UserError(f"{archive} is cut short or damaged ({error}); download it again") from None
    except (NotImplementedError, RuntimeError) as error:  # an encrypted zip, a method that zipfile does not know
        raise UserError(f"{archive} cannot be unpacked: {error}") from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise UserError(f"{archive} is damaged ({error}); download it again") from None  # what bz2 says of other bytes


def _stream(archive: Path, raw: IO[bytes]) -> Any:
    """Its bytes, decompressed by what checks their sums, which tarfile's own streams do not."""
    opens: dict[str, Any] = {".gz": gzip.open, ".tgz": gzip.open, ".bz2": bz2.open}
    decompress = opens.get(archive.suffix.lower())
    return decompress(raw, "rb") if decompress else raw


def _check_rest(opened: Any) -> None:
    """Read on to the end of a compressed tar, where the sum over all of it stands."""
    if isinstance(opened, tarfile.TarFile):
        stream: Any = opened.fileobj
        while stream.fileobj.read(COPY):
            pass


def _refuse_cut(archive: Path) -> None:
    """A tar that is not compressed ends in blocks of zeros; without them it may end at any member, unnoticed."""
    if archive.name.lower().endswith(".tar"):
        with archive.open("rb") as file:
            file.seek(max(0, archive.stat().st_size - 512))
            if file.read().strip(b"\0"):
                raise UserError(f"{archive} is cut short: its end is missing; download it again")


def _members(archive: Path, opened: Any) -> Iterator[Member]:
    entries = _zip_members(opened) if isinstance(opened, zipfile.ZipFile) else _tar_members(opened)
    for name, size, refused, entry in entries:
        path = name.replace("\\", "/")
        parts = PurePosixPath(path).parts
        if path.startswith("/") or ".." in parts or (parts and parts[0][1:2] == ":") or "\0" in path:
            raise UserError(f"{archive}: {name!r} leads out of the folder that it is unpacked to; refused")
        if refused:
            raise UserError(f"{archive}: {name!r} is {refused}; refused")
        if not any(part.startswith(".") or part == "__MACOSX" for part in parts if part != "."):
            yield Member(PurePosixPath(path).as_posix(), size, entry)


def _zip_members(opened: zipfile.ZipFile) -> Iterator[tuple[str, int, str, Any]]:
    for entry in opened.infolist():
        if not entry.is_dir():
            link = stat.S_ISLNK(entry.external_attr >> 16)
            yield _zip_name(entry), entry.file_size, "a link" if link else "", entry


def _zip_name(entry: zipfile.ZipInfo) -> str:
    """The name of a member; without the flag for UTF-8 it is in the encoding of whoever packed it."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _tar_members(opened: tarfile.TarFile) -> Iterator[tuple[str, int, str, Any]]:
    for entry in opened:
        opened.members = []  # type: ignore[attr-defined]  # else every header of a million is kept
        if not entry.isdir():
            yield entry.name, entry.size, "" if entry.isreg() else _unusual(entry), entry


def _unusual(entry: tarfile.TarInfo) -> str:
    return "a link" if entry.issym() or entry.islnk() else "no file"


def _content(opened: Any, member: Member) -> IO[bytes]:
    if isinstance(opened, zipfile.ZipFile):
        return opened.open(member.entry)
    content: IO[bytes] | None = opened.extractfile(member.entry)
    assert content is not None  # regular files only
    return content
