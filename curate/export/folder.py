"""The folder of an export: what in it is ours, what of it is done, and what is still to be made.

`.samsori-export` lists every file of the export with the key of its content. While an export is under way it names what
is planned, so that whatever a kill leaves is known to be ours; each file that is done is added to it as it is done. So
the same command goes on after a kill, remakes what has changed after an edit, and comes to the same bytes. Lists are
removed first and written last: half an export cannot be taken for a whole one.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from curate import files
from curate.errors import UserError
from curate.export.definition import File, as_json, plain

INDEX = ".samsori-export"
IGNORED = (".DS_Store",)
ELSEWHERE = "name a new or empty folder with --into"
Header = Mapping[str, Any]  # how an export was asked for, and whether it is complete
Progress = Callable[[float, float], None]  # seconds of audio done, of all


class Entry(NamedTuple):
    """One file of an export: its key is None until it is done."""

    file: str
    key: str | None = None
    size: int = 0
    sha256: str = ""
    notes: Mapping[str, int] | None = None


def build(
    folder: Path,
    wanted: Sequence[File],
    settings: Mapping[str, Any],
    *,
    legacy: Collection[str] = (),
    remedy: str = ELSEWHERE,
    workers: int = 1,
    progress: Progress = lambda done, total: None,
) -> Counter[str]:
    """Make the folder hold exactly these files; the notes of all their sounds, counted.

    `legacy` are names that may be there without an index. Raises UserError where anything else of another is there,
    with the `remedy`.
    """
    header, before = check(folder, settings["format"], legacy=legacy, remedy=remedy)
    folder = folder.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in files.CANNOT_WRITE:
            raise
        raise UserError(f"cannot write to {folder}: {error.strerror}; {remedy}") from None
    files.remove_partials(folder)
    names = {each.name for each in wanted}
    noted = _modified(folder / INDEX)
    done = {
        each.name: entry
        for each in wanted
        if (entry := before.get(each.name)) and _is_done(f"{folder}/{each.name}", each, entry, noted)
    }
    others = sorted(({*before, *legacy} | names) - done.keys())
    if not others and header == {**settings, "complete": True}:
        return _noted(done.values())
    lines = {name: _line(entry) for name, entry in done.items()}
    _write_index(folder, settings, [*lines.values(), *(_line(Entry(name)) for name in others)], complete=False)
    lists = {each.name for each in wanted if not each.seconds}
    stale = [name for name in others if name not in names or name in lists]
    _remove(folder, stale)
    todo = [each for each in wanted if each.name not in done]
    done |= _make(folder, [each for each in todo if each.seconds], wanted, workers, progress)
    done |= _make(folder, [each for each in todo if not each.seconds], (), 1, lambda done, total: None)
    entries = [done[each.name] for each in wanted]
    _write_index(folder, settings, [lines.get(each.file) or _line(each) for each in entries], complete=True)
    return _noted(entries)


def _noted(entries: Iterable[Entry]) -> Counter[str]:
    """What is to be told of all sounds, counted."""
    return sum((Counter(dict(entry.notes or {})) for entry in entries if entry.notes), Counter())


def settings_of(folder: Path) -> Header | None:
    """How the export in a folder was asked for; None where there is none."""
    with suppress(OSError), (folder / INDEX).open(encoding="utf-8", errors="replace") as index:
        return _header(index.readline())
    return None


def entries(folder: Path) -> dict[str, Entry]:
    """The files of the export in a folder, as its index notes them; none where there is no index."""
    return _read_index(folder)[1]


def check(
    folder: Path, format: str, *, legacy: Collection[str] = (), remedy: str = ELSEWHERE
) -> tuple[Header | None, dict[str, Entry]]:
    """The export that is there: its settings and its files. Raises UserError where the folder holds anything else."""
    folder = folder.resolve()
    header, before = _read_index(folder)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: choose a folder with --into")
    if header and header.get("format") != format:
        raise UserError(f"{folder} holds an export for {header.get('format')}: {remedy}")
    known = {*before, *IGNORED, INDEX} | (set() if header else set(legacy))
    for name, is_link in _below(str(folder)):
        last = name.rpartition("/")[2]
        half_written = files.PARTIALS.fullmatch(last) and (header or INDEX in last)
        if is_link or not (name in known or last in IGNORED or half_written):
            raise UserError(f"{folder} holds what is no part of this export, such as {name}: {remedy}")
    return header, before


def _below(folder: str, inside: str = "") -> Iterator[tuple[str, bool]]:
    """Every file and link below a folder, by its path from there; links are not followed."""
    if not os.path.isdir(folder):
        return
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path, f"{inside}{entry.name}/")
            else:
                yield inside + entry.name, entry.is_symlink()


def _make(
    folder: Path, todo: Sequence[File], all_of_them: Sequence[File], workers: int, progress: Progress
) -> dict[str, Entry]:
    """Make files, several at a time, and note each that is done."""
    total = sum(each.seconds for each in all_of_them)
    finished = total - sum(each.seconds for each in todo)
    lock = Lock()
    made: dict[str, Entry] = {}
    for place in {(folder / each.name).parent for each in todo}:
        place.mkdir(parents=True, exist_ok=True)
        files.remove_partials(place)

    def one(file: File) -> File:
        place = folder / file.name
        with files.replacing(place) as partial:
            notes = file.make(partial)
            size = partial.stat().st_size
            sha256 = files.sha256(partial)
        entry = Entry(file.name, file.key, size, sha256, dict(notes) or None)
        with lock:
            made[file.name] = entry
            with (folder / INDEX).open("a", encoding="utf-8") as index:
                index.write(_line(entry))
        return file

    with ThreadPoolExecutor(max(1, workers)) as pool:
        for file in pool.map(one, todo):
            finished += file.seconds
            progress(min(finished, total), total)
    return made


def _modified(path: Path) -> int:
    """When a file was last written, in nanoseconds; 0 where there is none."""
    return path.stat().st_mtime_ns if path.is_file() else 0


def _is_done(place: str, file: File, entry: Entry, noted: int) -> bool:
    """Whether a file is there as it is wanted; one of another size, or written since it was noted, may be another's."""
    try:
        there = os.stat(place)
        same = entry.key == file.key and there.st_size == entry.size
        return same and (there.st_mtime_ns <= noted or files.sha256(Path(place)) == entry.sha256)
    except OSError:
        return False


def _remove(folder: Path, names: Collection[str]) -> None:
    """Remove files, and the folders that are empty then."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
    for place in sorted({Path(name).parent for name in names}, key=lambda path: -len(path.parts)):
        for each in (place, *place.parents):
            if each != Path() and (folder / each).is_dir() and not any((folder / each).iterdir()):
                (folder / each).rmdir()


def _read_index(folder: Path) -> tuple[Header | None, dict[str, Entry]]:
    """The settings and files of the export that is there; the last word on a file counts, a torn line does not."""
    try:
        first, *lines = (folder / INDEX).read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    except OSError:
        return None, {}
    header = _header(first)
    if header is None:
        return None, {}
    entries = {}
    for values in _parsed(lines):
        try:
            entry = Entry(**values)
            ours = not entry.file.startswith("/") and ".." not in entry.file.split("/")  # else it is not of our making
        except (TypeError, AttributeError):
            continue
        if ours:
            entries[entry.file] = entry
    return header, entries


def _header(line: str) -> Header | None:
    try:
        header = json.loads(line)
    except ValueError:
        return None
    return header if isinstance(header, dict) and "format" in header else None


def _parsed(lines: Sequence[str]) -> Iterator[Any]:
    """The values of all lines that can be read."""
    try:
        yield from json.loads(f"[{','.join(lines)}]")  # at once: a third of the time
    except ValueError:
        for line in lines:
            with suppress(ValueError):
                yield json.loads(line)


def _write_index(folder: Path, settings: Mapping[str, Any], lines: Sequence[str], *, complete: bool) -> None:
    header = as_json({**settings, "complete": complete})
    files.write_text(folder / INDEX, header + "\n" + "".join(lines))


def _line(entry: Entry) -> str:
    """A JSON object; what an entry has not is left out."""
    values = [f'"file": {plain(entry.file)}']
    if entry.key is not None:
        values.append(f'"key": {plain(entry.key)}')
    if entry.size:
        values.append(f'"size": {entry.size}')
    if entry.sha256:
        values.append(f'"sha256": {plain(entry.sha256)}')
    if entry.notes is not None:
        values.append(f'"notes": {as_json(entry.notes)}')
    return "{" + ", ".join(values) + "}\n"
