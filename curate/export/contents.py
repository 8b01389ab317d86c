"""Which clips an export holds, found from its files and not from what wrote them."""

import gzip
import re
import tarfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import polars as pl

# not the 16 digits behind a point: 3.5960090702947847 are the seconds of a clip
ID = re.compile(rb"(?<![0-9A-Za-z])(?<![0-9]\.)[0-9a-f]{16}(?:-\d+)?(?![0-9A-Za-z])")
SOUNDS = (".flac", ".wav", ".ogg", ".opus", ".mp3")
REFERENCE = re.compile(rb'"ref_audio": "[^"]*"')  # another clip, named in a line that is not its own
BLOCK = 1 << 24  # bytes of a text looked through at once


def ids(folder: Path) -> set[str]:
    """The ids of clips in the names and texts of all files below a folder: JSON, tables, lists, tars, Parquet.

    What cannot be read holds none that could be told.
    """
    found: set[str] = set()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):  # an index of ours is no content
            found |= _in(path.name.encode())
            try:
                found |= _inside(path)
            except (OSError, EOFError, zlib.error, tarfile.TarError, pl.exceptions.PolarsError):
                continue
    return found


def lacking(folder: Path, places: Iterable[str], wanted: Collection[str]) -> dict[str, set[str]]:
    """The clips that places of an export lack: glob -> ids; a place that has all of them is left out.

    `places` are globs: of lists, archives or sounds that together name every clip.
    """
    lacks = {}
    for place in places:
        held: set[str] = set()
        for path in folder.glob(place):
            if path.suffix in SOUNDS:
                held |= _in(path.name.encode())
                continue
            try:
                held |= _inside(path, own=True)
            except (OSError, EOFError, zlib.error, tarfile.TarError, pl.exceptions.PolarsError):
                continue  # whatever it held cannot be read from it
        if absent := set(wanted) - held:
            lacks[place] = absent
    return lacks


def _inside(path: Path, *, own: bool = False) -> set[str]:
    """Ids in a file; `own`: of clips that a line is about, not of those it refers to."""
    if path.suffix in SOUNDS:
        return set()
    if path.suffix == ".parquet":
        named = [
            name
            for name, dtype in pl.read_parquet_schema(path).items()
            if name in ("id", "clip") and dtype == pl.String
        ]
        return set(pl.read_parquet(path, columns=named[:1]).to_series().drop_nulls()) if named else set()
    if ".tar" in path.suffixes:
        with tarfile.open(path) as archive:
            return set().union(*(_in(member.name.encode()) for member in archive))
    blocks = (REFERENCE.sub(b"", block) for block in _blocks(path)) if own else _blocks(path)
    return set().union(*map(_in, blocks))


def _blocks(path: Path) -> Iterator[bytes]:
    """A file's bytes, unpacked, in blocks that overlap by the length of an id."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        before = b""
        while block := file.read(BLOCK):
            yield before + block
            before = block[-64:]


def _in(content: bytes) -> set[str]:
    return {each.decode() for each in ID.findall(content)}


def named(ids: Iterable[str], most: int = 3) -> str:
    """A few ids, and how many more there are."""
    listed = sorted(ids)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
