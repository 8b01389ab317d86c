"""Where a source's files are: in its folder, or below the corpus where its archives were unpacked."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from curate.errors import UserError
from curate.files import Root
from curate.ingest import archives, embedded
from curate.ingest.tree import HEADERLESS, SUFFIXES, Overlay, Tree
from curate.recipe import Source

LAYOUTS_IN_ARCHIVES = ("kss", "openslr", "fleurs", "commonvoice", "zeroth", "ksponspeech", "azure", "ljspeech")
FILES = (".jsonl", ".gz", ".parquet")  # what `path` of a lhotse or huggingface source may also be


def root(source: Source, unpacked: Path | None = None) -> Root:
    """The folder that a source's paths are relative to."""
    top, overlay = _top(source, unpacked)
    return Overlay(top, overlay) if overlay is not None and overlay.is_dir() else top


def _top(source: Source, unpacked: Path | None) -> tuple[Path, Path | None]:
    """The source's folder and where what is packed in it goes."""
    path = Path(source.path)
    overlay = unpacked / source.id if unpacked is not None else None
    if found := archives.split(path):
        if overlay is None:
            _require_archive(source, found[0], path)
            raise UserError(f"source {source.id}: {found[0].name} is an archive: `curate ingest` unpacks it")
        inner = overlay / found[1]
        return (inner.parent if _is_file(source) and found[1] else inner), None
    return (path.parent if _is_file(source) else path), overlay


def _is_file(source: Source) -> bool:
    """Whether a source's path is a file in its folder, not the folder."""
    path = Path(source.path)
    may_be_file = source.kind in ("lhotse", "huggingface") and path.name.lower().endswith(FILES)
    return source.kind == "table" or may_be_file


def open_tree(source: Source, unpacked: Path | None, progress: archives.Progress = archives.silent) -> Tree:
    """The files of a source, its archives unpacked; a UserError where its folder is not there."""
    path = Path(source.path)
    suffixes = SUFFIXES | {HEADERLESS} if source.kind == "ksponspeech" else SUFFIXES
    if (found := archives.split(path)) and unpacked is not None:
        _require_archive(source, found[0], unpacked / source.id)
    if found and unpacked is not None and found[0].exists():
        _or_named(source, partial(archives.unpack, [(found[0], "")], unpacked / source.id, progress))
    top, overlay = _top(source, unpacked)
    _require_folder(source, path, top)
    tree = Tree(top, None, suffixes)
    if overlay is None:
        return tree
    if source.kind == "huggingface":
        called = source.columns.get("audio")
        _or_named(source, partial(embedded.unpack, tree, overlay, progress, called=called))
    elif source.kind in LAYOUTS_IN_ARCHIVES:
        packed = [name for name in tree.archives() if not archives.by_hand(top / name, suffixes)]
        if packed:
            places = [(top / name, name.rpartition("/")[0]) for name in packed]
            _or_named(source, partial(archives.unpack, places, overlay, progress))
    return Tree(top, overlay, suffixes) if overlay.is_dir() else tree


def _or_named(source: Source, unpack: Callable[[], None]) -> None:
    """Unpack; what is refused is told of its source."""
    try:
        unpack()
    except UserError as error:
        raise UserError(f"source {source.id}: {error}") from None


def _require_archive(source: Source, archive: Path, into: Path) -> None:
    """An archive may be removed once it is unpacked."""
    if not archive.exists() and not archives.is_unpacked(into):
        raise UserError(f"source {source.id}: no archive at {archive}; mend source.{source.id}.path")


def _require_folder(source: Source, path: Path, top: Path) -> None:
    who, mend = f"source {source.id}", f"mend source.{source.id}.path"
    if source.kind == "table":
        return  # its reader looks for the table itself
    if top.is_file():
        raise UserError(
            f"{who}: no folder at {top}, which is a file, and kind = {source.kind!r} reads a folder; {mend}"
        )
    if not top.is_dir():
        raise UserError(f"{who}: no folder at {top}; {mend}")


def packed(source: Source) -> list[dict[str, Any]]:
    """The archives of a source that ingest unpacks, with their sizes in bytes."""
    path = Path(source.path)
    if (found := archives.split(path)) and found[0].is_file():
        return [{"archive": found[0].name, "bytes": found[0].stat().st_size}]
    if source.kind == "huggingface" and path.exists():
        return _embedded(source)
    if source.kind not in LAYOUTS_IN_ARCHIVES or not path.is_dir():
        return []
    suffixes = SUFFIXES | {HEADERLESS}
    inner = [name for name in Tree(path).archives() if not archives.by_hand(path / name, suffixes)]
    return [{"archive": name, "bytes": (path / name).stat().st_size} for name in inner]


def _embedded(source: Source) -> list[dict[str, Any]]:
    """The tables of a source that hold sounds as bytes."""
    tree = open_tree(source, None)
    places = [Path(tree.file(name)) for name in tree.named("*.parquet")]
    holding = [each for each in places if embedded.audio_column(each, source.columns.get("audio"))]
    return [{"archive": each.name, "bytes": each.stat().st_size} for each in holding]
