"""Download what a recipe names: open addresses, and data sets of the hub at a pinned revision.

A file is written beside its place and takes it when it is whole and its checksum, where one is published, is right.
What an interruption left is continued by a range request, unless the file has changed since or the server knows no
ranges. `fetched.json` in the folder notes each file's address and sha256, so that a second run asks
for nothing.
"""

import fnmatch
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from curate import files
from curate.errors import UserError
from curate.ingest import archives
from curate.ingest.place import FILES
from curate.recipe import Recipe, Source

if TYPE_CHECKING:
    import httpx

HUB = "https://huggingface.co"  # HF_ENDPOINT, the hub's own variable, names another
NOTE = "fetched.json"
log = logging.getLogger(__name__)
TRIES = 6
PAUSE = 1.0  # seconds before a second try; doubled for each further one
TIMEOUT = 60.0  # seconds without a byte
BLOCK = 1 << 20
LATER = (408, 425, 429, 500, 502, 503, 504)  # answers that may be another one in a while

Progress = Callable[[str, float, float], None]  # what, bytes done, of how many


@dataclass(frozen=True)
class Wanted:
    """A file to fetch: from where, to where in the source's folder, and what is known of it."""

    url: str
    path: str
    sha256: str | None = None
    blob: str | None = None  # git's own hash, which the hub publishes of small files
    size: int | None = None


@dataclass(frozen=True)
class Fetched:
    """What became of a source: files that were fetched, files that were there, or how to get it by hand."""

    source: str
    folder: Path
    fetched: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    by_hand: str = ""


def fetch(
    recipe: Recipe,
    *,
    only: Sequence[str] = (),
    progress: Progress = lambda what, done, total: None,
    pause: float = PAUSE,
) -> list[Fetched]:
    """Fetch the files of all sources, or of those named; a UserError where one cannot be had."""
    ids = [source.id for source in recipe.source]
    if unknown := [each for each in only if each not in ids]:
        raise UserError(f"no source is called {unknown[0]!r}; there are {', '.join(ids)}")
    return [_source(each, progress, pause) for each in recipe.source if not only or each.id in only]


def _source(source: Source, progress: Progress, pause: float) -> Fetched:
    folder = folder_of(source)
    if not source.hub and not source.download:
        if source.by_hand or source.url:
            return Fetched(source.id, folder, by_hand=source.by_hand or f"it is published at {source.url}")
        return Fetched(source.id, folder, by_hand="its recipe names neither a hub id nor an address")
    folder.mkdir(parents=True, exist_ok=True)
    fetched: list[str] = []
    there: list[str] = []
    busy = f"another `curate fetch` is filling {folder}; wait for it to end"
    with files.locked(folder / ".fetch.lock", busy), _client() as client:
        for wanted in _wanted(source, client, pause):
            got = _Download(source, folder, wanted, client, progress, pause).run()
            (fetched if got else there).append(wanted.path)
    return Fetched(source.id, folder, tuple(fetched), tuple(there))


def folder_of(source: Source) -> Path:
    """Where a source's downloads go: its folder, or the one that its archive or table lies in."""
    path = Path(source.path)
    name = path.name.lower()
    may_be_file = source.kind in ("lhotse", "huggingface") and name.endswith(FILES)
    return path.parent if source.kind == "table" or may_be_file or archives.is_archive(name) else path


@contextmanager
def _client() -> Iterator["httpx.Client"]:
    import httpx

    with httpx.Client(follow_redirects=True, timeout=TIMEOUT, headers={"User-Agent": "samsori"}) as client:
        yield client


def _hub_headers(url: str) -> dict[str, str]:
    """The person's own token, for gated sets; to the hub alone (httpx drops it where another host is named instead)."""
    token = os.environ.get("HF_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token and url.startswith(_hub() + "/") else {}


def _hub() -> str:
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")


def _wanted(source: Source, client: "httpx.Client", pause: float) -> Iterator[Wanted]:
    for each in source.download:
        if each.file in (".", ".."):
            raise UserError(f"source {source.id}: {each.url} names no file; give it a name")
        yield Wanted(each.url, each.file, each.sha256)
    if source.hub:
        listed = list(_hub_files(source, client, pause))
        if not listed:
            raise UserError(f"source {source.id}: {source.hub} has no files like {', '.join(source.hub_files) or '*'}")
        yield from listed


def _hub_files(source: Source, client: "httpx.Client", pause: float) -> Iterator[Wanted]:
    """Every file of the revision that the recipe asks for, with its checksum: sha256 of large files, git's of small."""
    name, _, revision = str(source.hub).partition("@")
    url: str | None = f"{_hub()}/api/datasets/{name}/tree/{revision}?recursive=true&expand=false"
    while url:
        answer = _patiently(source, url, pause, partial(_json, client, url))
        for entry in answer.json():
            path = str(entry.get("path", ""))
            if entry.get("type") == "file" and _asked(source, path):
                if path.startswith("/") or ".." in PurePosixPath(path).parts:
                    raise UserError(
                        f"source {source.id}: {source.hub} has a file {path!r}, which leads out of its folder"
                    )
                large = entry.get("lfs") or {}
                yield Wanted(
                    f"{_hub()}/datasets/{name}/resolve/{revision}/{quote(path)}", path, large.get("oid"),
                    None if large else entry.get("oid"), large.get("size", entry.get("size")),
                )  # fmt: skip
        following = answer.links.get("next", {}).get("url")
        url = urljoin(url, following) if following else None


def _json(client: "httpx.Client", url: str) -> "httpx.Response":
    return client.get(url, headers=_hub_headers(url)).raise_for_status()


def _asked(source: Source, path: str) -> bool:
    return not source.hub_files or any(fnmatch.fnmatchcase(path, pattern) for pattern in source.hub_files)


def _patiently(source: Source, url: str, pause: float, ask: Callable[[], Any]) -> Any:
    """Ask, and again where it may be answered in a while; a UserError says what the server said."""
    import httpx

    for left in reversed(range(TRIES)):
        try:
            return ask()
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in LATER or not left:
                raise UserError(f"source {source.id}: {_refusal(url, error.response)}") from None
            why = f"it answers {error.response.status_code}"
        except httpx.TransportError as error:
            why = str(error) or type(error).__name__
            if not left:
                raise UserError(
                    f"source {source.id}: {url} cannot be reached ({why}); the same command goes on"
                ) from None
        except httpx.HTTPError as error:
            raise UserError(f"source {source.id}: {url} cannot be fetched ({error})") from None
        wait = pause * 2 ** (TRIES - 1 - left)
        log.warning("%s cannot be reached (%s); trying again in %.0f s", url, why, wait)
        time.sleep(wait)
    raise AssertionError("the last try returns or raises")


def _refusal(url: str, response: "httpx.Response") -> str:
    said = f"{url} answers {response.status_code} {response.reason_phrase}"
    if response.status_code in (401, 403):
        return f"{said}; it may ask you to accept its conditions on its page, then set HF_TOKEN to your own token"
    if response.status_code == 404:
        return f"{said}; has it moved? mend the recipe"
    return f"{said}; try again later"


class _Download:
    """One file on its way."""

    def __init__(
        self, source: Source, folder: Path, wanted: Wanted, client: "httpx.Client", progress: Progress, pause: float
    ) -> None:
        self.source, self.folder, self.wanted, self.client = source, folder, wanted, client
        self.progress, self.pause = progress, pause
        self.target = folder / wanted.path
        self.partial = self.target.with_name(f".{self.target.name}.fetching")
        self.mark = self.target.with_name(f".{self.target.name}.fetching.mark")  # which version of the file it is of

    def run(self) -> bool:
        """Fetch it unless it is there; whether it was fetched."""
        if self._is_there():
            return False
        self.target.parent.mkdir(parents=True, exist_ok=True)
        _patiently(self.source, self.wanted.url, self.pause, self._transfer)
        self._check()
        files.flush(self.partial)
        self.partial.replace(self.target)
        files.flush(self.target.parent)
        self.mark.unlink(missing_ok=True)
        self._note()
        return True

    def _is_there(self) -> bool:
        """Whether the file is in its place: as it was noted, else by its checksum, else by its size."""
        if not self.target.is_file():
            return False
        facts = self.target.stat()
        noted = _noted(self.folder).get(self.wanted.path, {})
        expected = self.wanted.sha256 or noted.get("sha256")
        if noted.get("url") == self.wanted.url and noted.get("sha256") == expected:
            return bool(noted.get("size") == facts.st_size and noted.get("modified") == facts.st_mtime_ns)
        if expected or self.wanted.blob:
            if self._wrong(self.target) is None:
                self._note()
                return True
            return False
        if noted:  # of another address
            return False
        answer = _patiently(self.source, self.wanted.url, self.pause, self._head)
        if answer.headers.get("Content-Length") == str(facts.st_size):
            self._note()
            return True
        raise UserError(
            f"source {self.source.id}: {self.target} is there and is not as long as {self.wanted.url}, which would "
            f"replace it: move it away"
        )

    def _head(self) -> "httpx.Response":
        headers = _hub_headers(self.wanted.url) | {"Accept-Encoding": "identity"}
        return self.client.head(self.wanted.url, headers=headers).raise_for_status()

    def _transfer(self) -> None:
        """All that is missing of the file, in one request; raises where the connection ends before the file does."""
        import httpx

        at = self.partial.stat().st_size if self.partial.is_file() and self.mark.is_file() else 0
        headers = _hub_headers(self.wanted.url) | {"Accept-Encoding": "identity"}
        if at:
            headers |= {"Range": f"bytes={at}-", "If-Range": self.mark.read_text(encoding="utf-8")}
        with self.client.stream("GET", self.wanted.url, headers=headers) as answer:
            if answer.status_code == 416 and at:  # there is nothing behind what we have: begin anew to be sure
                self.partial.unlink()
                raise httpx.ReadError("the rest cannot be had; from the beginning")
            answer.raise_for_status()
            self._refuse_page(answer)
            goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {at}-")
            at = at if goes_on else 0
            total = at + int(answer.headers.get("Content-Length", 0))
            self._require_room(total - at)
            self._remember(answer)
            with self.partial.open("ab" if goes_on else "wb") as file:
                for block in answer.iter_bytes():  # as it comes: what is gathered is lost with the connection
                    file.write(block)
                    at += len(block)
                    self.progress(self.wanted.path, at, max(total, at))
            if "Content-Length" in answer.headers and at < total:
                raise httpx.ReadError(f"{at} of {total} bytes came")

    def _remember(self, answer: "httpx.Response") -> None:
        """What names this version of the file, for `If-Range`; without it nothing is continued."""
        version = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        if version and not version.startswith("W/"):
            files.write_text(self.mark, version)
        else:
            self.mark.unlink(missing_ok=True)

    def _refuse_page(self, answer: "httpx.Response") -> None:
        kind = answer.headers.get("Content-Type", "")
        if kind.startswith("text/html") and not self.wanted.path.lower().endswith((".html", ".htm")):
            raise UserError(
                f"source {self.source.id}: {self.wanted.url} gives a page, not {self.wanted.path}: it wants a log-in "
                f"or has moved; get it by hand"
            )

    def _require_room(self, needed: int) -> None:
        free = shutil.disk_usage(self.target.parent).free
        if needed > free:
            raise UserError(
                f"source {self.source.id}: {self.wanted.path} needs {needed / 1e9:.2f} GB, and {self.folder} has "
                f"{free / 1e9:.2f} GB left"
            )

    def _check(self) -> None:
        if (wrong := self._wrong(self.partial)) is not None:
            self.partial.unlink()
            self.mark.unlink(missing_ok=True)
            raise UserError(f"source {self.source.id}: {self.wanted.url}: {wrong}; it was not kept")

    def _wrong(self, path: Path) -> str | None:
        """How a file differs from what is published of it; None where it does not."""
        size = path.stat().st_size
        if self.wanted.size is not None and size != self.wanted.size:
            return f"it has {size} bytes, not {self.wanted.size}"
        if self.wanted.sha256 and (found := _hash(path, hashlib.sha256())) != self.wanted.sha256:
            return f"its sha256 is {found}, not {self.wanted.sha256}"
        if self.wanted.blob and (found := _hash(path, hashlib.sha1(b"blob %d\0" % size))) != self.wanted.blob:
            return f"its git hash is {found}, not {self.wanted.blob}"
        return None

    def _note(self) -> None:
        facts = self.target.stat()
        sha256 = self.wanted.sha256 or _hash(self.target, hashlib.sha256())
        entry = {"url": self.wanted.url, "sha256": sha256, "size": facts.st_size, "modified": facts.st_mtime_ns}
        noted = {**_noted(self.folder), self.wanted.path: entry}
        files.write_text(self.folder / NOTE, json.dumps(noted, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def _hash(path: Path, digest: Any) -> str:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return str(digest.hexdigest())


def _noted(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / NOTE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
