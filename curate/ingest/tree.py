"""The files of one source: walked once, found again by the names that an index gives them.

What a name in an index may differ in from the file's: upper and lower case, composed or decomposed letters, invisible
characters, the suffix, the folders above it. A file is taken for a name only where it is the only one that fits.
"""

import fnmatch
import os
import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from curate.errors import UserError
from curate.ingest import archives

# what soundfile or PyAV can open; video is fine, its sound is taken
SUFFIXES = frozenset(
    (
        ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".m4b", ".aac", ".wma", ".aiff", ".aif", ".aifc",
        ".au", ".caf", ".amr", ".w64", ".rf64", ".mka", ".ac3", ".webm", ".mp4", ".m4v", ".mkv", ".mov", ".avi",
        ".3gp", ".ts", ".mpg", ".mpeg", ".wmv", ".flv",
    )
)  # fmt: skip
HEADERLESS = ".pcm"  # of KsponSpeech and other AIHub sets; read by that reader alone
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")  # zero width, direction marks, soft hyphen
DRIVE = re.compile("^[A-Za-z]:/")  # an index made on Windows names absolute paths so
NAMED = 6  # files that a message names
LEVELS_UP = 3  # an index may name files relative to a folder above its own


class Tree:
    """All files below a source's folder, and below the folder where its archives were unpacked.

    Paths are relative to the source's folder, with forward slashes. Hidden files, macOS leftovers and corpora are
    passed over. Linked folders are followed, each folder once.
    """

    def __init__(self, top: Path, overlay: Path | None = None, suffixes: frozenset[str] = SUFFIXES) -> None:
        self.top = top
        self.overlay = overlay
        self.closed: list[tuple[str, str]] = []  # folders that could not be listed, and why
        self._suffixes = suffixes
        self._place = str(top)
        self._folded: dict[str, list[str]] | None = None
        self._ends: dict[str, list[str]] | None = None

    @cached_property
    def _files(self) -> dict[str, None]:
        folders = [self.top, *([self.overlay] if self.overlay is not None else [])]
        return dict.fromkeys(path for folder in folders for path in self._walk(folder))

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def file(self, path: str) -> str:
        """Where a file is on the disk."""
        if self.overlay is not None and os.path.exists(f"{self.overlay}/{path}"):
            return f"{self.overlay}/{path}"
        return f"{self._place}/{path}" if ".." not in path else os.path.normpath(f"{self._place}/{path}")

    def read(self, path: str) -> bytes:
        """The bytes of an index; a UserError where they cannot be had."""
        if not os.path.isfile(self.file(path)):  # to open a pipe would be to wait for ever
            raise UserError(f"{self.file(path)} is no file that can be read")
        try:
            return Path(self.file(path)).read_bytes()
        except OSError as error:
            raise UserError(f"{self.file(path)} cannot be read: {error.strerror}") from None

    def audio(self) -> list[str]:
        """Every audio or video file, sorted."""
        return self._audio

    @cached_property
    def _audio(self) -> list[str]:
        return sorted(path for path in self._files if _suffix(path) in self._suffixes)

    def all(self) -> Iterator[str]:
        """Every file."""
        return iter(self._files)

    def archives(self) -> list[str]:
        """Every archive, sorted."""
        return sorted(path for path in self._files if archives.is_archive(path))

    def named(self, *patterns: str) -> list[str]:
        """Files whose name fits a pattern, whatever its case, the shallowest first."""
        wanted = [pattern.lower() for pattern in patterns]
        fits = [path for path in self._files if any(fnmatch.fnmatchcase(_name(path).lower(), each) for each in wanted)]
        return sorted(fits, key=lambda path: (path.count("/"), path))

    def require(self, kind: str, *patterns: str) -> list[str]:
        """The same; a UserError that names what was looked for and what is there where there is none."""
        if found := self.named(*patterns):
            return found
        raise UserError(f'kind = "{kind}" looks for {" or ".join(patterns)} in {self.top}, where {self.shown()}')

    def shown(self) -> str:
        """What is there, in a few words."""
        if not self._files:
            return "there are no files"
        some = sorted(self._files, key=lambda path: (path.count("/"), path))[:NAMED]
        more = len(self._files) - len(some)
        return f"there are {', '.join(some)}{f' and {more} more files' if more else ''}"

    def find(self, name: str, *, beside: str = "", anywhere: bool = False) -> str:
        """The path of the file that an index in the folder `beside` calls `name`.

        `anywhere`: also the only file whose path ends so, in whatever folder; of an absolute path from another machine
        always, by folder and name at least. Where none fits, or several do, the name as it stands: told as missing.
        """
        name = DRIVE.sub("/", name.replace("\\", "/"))
        if os.path.isabs(name):
            inside = os.path.relpath(name, self.top).replace(os.sep, "/")
            if inside in self._files or os.path.exists(name):
                return inside
        literal = _normal(f"{beside}/{name}" if beside and not os.path.isabs(name) else name)
        if literal in self._files:
            return literal
        found = self._alike(literal)
        if not found and (anywhere or os.path.isabs(name)):
            found = self._by_end(name) or self._above(name, beside)
        return found or _outside(self.top, literal)

    def _alike(self, path: str) -> str | None:
        if self._folded is None:
            self._folded = {}
            for each in self.audio():
                folded = _fold(each)
                for key in (folded, _stem(folded)):
                    self._folded.setdefault(key, []).append(each)
        folded = _fold(path)
        for key in (folded, self._bare_stem(folded)):
            if len(found := self._folded.get(key, [])) == 1:
                return found[0]
        return None

    def _bare_stem(self, name: str) -> str:
        """A name without its suffix, where that is one of a sound: ids may hold dots."""
        return _stem(name) if _suffix(name) in self._suffixes else name

    def _by_end(self, name: str) -> str | None:
        """The only file whose path ends in all of this name, else in its last parts, at least folder and file."""
        if self._ends is None:
            self._ends = {}
            for each in self.audio():
                self._ends.setdefault(_stem(_fold(_name(each))), []).append(each)
        parts = [part for part in _fold(name).split("/") if part not in ("", ".", "..")]
        if not parts:
            return None
        found = self._ends.get(self._bare_stem(parts[-1]), [])
        if len(parts) == 1:
            return found[0] if len(found) == 1 else None
        for first in range(len(parts) - 1):
            folders = "/" + "/".join(parts[first:-1])
            fits = [each for each in found if ("/" + folder_of(_fold(each))).endswith(folders)]
            if fits:
                return fits[0] if len(fits) == 1 else None
        return None

    def _above(self, name: str, beside: str) -> str | None:
        """The file where the name is relative to a folder above (Kaldi and lhotse name files from where they run)."""
        folder = self.top / beside
        for _ in range(LEVELS_UP):
            folder = folder.parent
            if os.path.isfile(folder / name):
                return os.path.relpath(folder / name, self.top).replace(os.sep, "/")
        return None

    def _walk(self, top: Path) -> Iterator[str]:
        """Real folders first, then linked ones, so that a folder is called by its own name where it has one here."""
        try:
            facts = os.stat(top)
        except OSError as error:
            raise UserError(f"{top} cannot be read: {error.strerror}") from None
        visited = {(facts.st_dev, facts.st_ino)}
        linked: list[str] = []
        folders = [""]
        while folders or linked:
            if not folders:
                folder = linked.pop(0)
                try:
                    facts = os.stat(os.path.join(top, folder))
                except OSError:  # a link to nothing, or round in a circle
                    continue
                if (facts.st_dev, facts.st_ino) in visited:
                    continue
                visited.add((facts.st_dev, facts.st_ino))
                folders = [folder]
            yield from self._list(top, folders.pop(0), folders, linked, visited)

    def _list(
        self, top: Path, folder: str, folders: list[str], linked: list[str], visited: set[tuple[int, int]]
    ) -> Iterator[str]:
        try:
            entries = sorted(os.scandir(os.path.join(top, folder)), key=lambda entry: entry.name)
        except OSError as error:
            if not folder:
                raise UserError(f"{top} cannot be listed: {error.strerror}") from None
            self.closed.append((shown(folder), error.strerror or str(error)))
            return
        if folder and any(entry.name == "ingested.parquet" for entry in entries):
            return  # a corpus: its clips are made from recordings and are none themselves
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            if entry.is_dir(follow_symlinks=False):
                facts = entry.stat(follow_symlinks=False)
                visited.add((facts.st_dev, facts.st_ino))
                folders.append(path)
            elif entry.is_symlink() and os.path.isdir(entry.path):
                linked.append(path)
            else:
                yield path


class Overlay:
    """A source's folder together with the folder that its archives were unpacked to: `overlay / path` is the file."""

    def __init__(self, top: Path, unpacked: Path | None = None) -> None:
        self.top = top
        self.unpacked = unpacked

    def __truediv__(self, path: str) -> Path:
        if self.unpacked is not None and (self.unpacked / path).exists():
            return self.unpacked / path
        return self.top / path


def shown(path: str) -> str:
    """A path as a table can hold it: bytes that are not UTF-8 replaced."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "replace")


def bare(text: str) -> str:
    """A name without blanks and invisible characters around or in it, its letters composed."""
    return unicodedata.normalize("NFC", INVISIBLE.sub("", text)).strip()


def folder_of(path: str) -> str:
    """The folder part of a path, empty at the top."""
    return path.rpartition("/")[0]


def stem_of(path: str) -> str:
    """The name of a file without its suffix."""
    return _stem(_name(path))


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _suffix(path: str) -> str:
    """As os.path.splitext has it, four times as fast: it is asked of every file."""
    name = path[path.rfind("/") + 1 :]
    at = name.rfind(".")
    return name[at:].lower() if at > 0 else ""


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]


def _fold(path: str) -> str:
    return "/".join(bare(part) for part in path.split("/")).casefold()


def _normal(path: str) -> str:
    return os.path.normpath(path).replace(os.sep, "/") if path else ""


def _outside(top: Path, path: str) -> str:
    return os.path.relpath(path, top).replace(os.sep, "/") if os.path.isabs(path) else path
