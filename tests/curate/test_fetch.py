"""Downloads from a server of our own: whole or not at all, continued after an interruption, checked, pinned."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

from curate import fetch as fetching
from curate.errors import UserError
from curate.fetch import Fetched, fetch
from curate.recipe import Recipe

CONTENT = bytes(range(256)) * 4096  # 1 MiB
REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Server:
    """What it holds, how it misbehaves, and what it was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)  # bytes after which each answer breaks off, one after the other
    statuses: list[int] = field(default_factory=list)  # answers before it behaves
    types: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)  # method, path, range, token


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            """Silent."""

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = self.path
            server.asked.append((self.command, path, self.headers.get("Range"), self.headers.get("Authorization")))
            if server.statuses:
                self.send_response(server.statuses.pop(0))
                self.end_headers()
                return
            if path in server.redirects:
                self.send_response(302)
                self.send_header("Location", server.redirects[path])
                self.end_headers()
                return
            content = server.files.get(path)
            if content is None:
                self.send_response(404)
                self.end_headers()
                return
            self.send(path, content, body)

        def send(self, path: str, content: bytes, body: bool) -> None:
            start, etag = 0, server.etags.get(path, '"1"')
            wanted = self.headers.get("Range")
            if wanted and server.ranges and self.headers.get("If-Range") == etag:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content) > 0:
                self.send_response(416)
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("ETag", etag)
            self.send_header("Content-Type", server.types.get(path, "application/octet-stream"))
            if path in server.links:
                self.send_header("Link", f'<{server.links[path]}>; rel="next"')
            self.end_headers()
            if body:
                rest = content[start:]
                if server.cut_after:
                    rest = rest[: server.cut_after.pop(0)]
                self.wfile.write(rest)

    return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    made = Server()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler(made))
    made.url = f"http://127.0.0.1:{httpd.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def recipe(folder: Path, **more: Any) -> Recipe:
    source = {"id": "s", "kind": "openslr", "path": str(folder / "in"), "licence": "own", "language": "km", **more}
    return Recipe.model_validate({"source": [source]})


def one(server: Server, folder: Path, *, sha256: str | None = None, name: str = "a.zip") -> Recipe:
    return recipe(folder, download=[{"url": f"{server.url}/{name}", "sha256": sha256}])


def run(wanted: Recipe, **more: Any) -> Fetched:
    return fetch(wanted, pause=0.001, **more)[0]


def refused(wanted: Recipe, **more: Any) -> str:
    with pytest.raises(UserError) as caught:
        run(wanted, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def left(folder: Path) -> set[str]:
    return {path.name for path in (folder / "in").iterdir()} - {".fetch.lock"}


def test_a_file_is_fetched_once(server: Server, tmp_path: Path) -> None:
    server.files["/a.zip"] = CONTENT
    wanted = one(server, tmp_path, sha256=hashlib.sha256(CONTENT).hexdigest())
    assert run(wanted).fetched == ("a.zip",)
    assert (tmp_path / "in" / "a.zip").read_bytes() == CONTENT
    assert left(tmp_path) == {"a.zip", "fetched.json"}
    noted = json.loads((tmp_path / "in" / "fetched.json").read_text())["a.zip"]
    assert noted["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    server.asked.clear()
    assert run(wanted).there == ("a.zip",)
    assert server.asked == []


def test_an_interruption_is_continued_where_it_ended(server: Server, tmp_path: Path) -> None:
    server.files["/a.zip"], server.cut_after = CONTENT, [300_000, 200_000]
    assert run(one(server, tmp_path)).fetched == ("a.zip",)
    assert (tmp_path / "in" / "a.zip").read_bytes() == CONTENT
    assert [each[2] for each in server.asked] == [None, "bytes=300000-", "bytes=500000-"]


def test_a_killed_command_is_continued_by_the_next(server: Server, tmp_path: Path) -> None:
    server.files["/a.zip"] = CONTENT

    def kill(what: str, done: float, total: float) -> None:
        raise KeyboardInterrupt

    server.cut_after = [400_000]
    with pytest.raises(KeyboardInterrupt):
        run(one(server, tmp_path), progress=kill)
    assert not (tmp_path / "in" / "a.zip").exists()
    got = (tmp_path / "in" / ".a.zip.fetching").stat().st_size
    assert 0 < got <= 400_000
    server.cut_after, server.asked = [], []
    run(one(server, tmp_path))
    assert [each[2] for each in server.asked] == [f"bytes={got}-"]
    assert (tmp_path / "in" / "a.zip").read_bytes() == CONTENT


def test_where_the_server_knows_no_ranges_it_begins_anew(server: Server, tmp_path: Path) -> None:
    server.files["/a.zip"], server.cut_after, server.ranges = CONTENT, [300_000], False
    run(one(server, tmp_path))
    assert (tmp_path / "in" / "a.zip").read_bytes() == CONTENT


def test_where_the_file_changed_meanwhile_it_begins_anew(server: Server, tmp_path: Path) -> None:
    server.files["/a.zip"], server.cut_after = b"x" * 500_000, [300_000] * fetching.TRIES
    assert "cannot be reached" not in refused(recipe(tmp_path, download=[{"url": f"{server.url}/none"}]))
    server.cut_after = [300_000, *[0] * (fetching.TRIES - 1)]
    assert "the same command goes on" in refused(one(server, tmp_path))
    assert (tmp_path / "in" / ".a.zip.fetching").stat().st_size == 300_000
    server.files["/a.zip"], server.etags["/a.zip"], server.cut_after = CONTENT, '"2"', []
    run(one(server, tmp_path))
    assert (tmp_path / "in" / "a.zip").read_bytes() == CONTENT


def test_a_partial_file_longer_than_the_servers_begins_anew(server: Server, tmp_path: Path) -> None:
    server.files["/a.zip"] = CONTENT
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / ".a.zip.fetching").write_bytes(CONTENT + b"more")
    (tmp_path / "in" / ".a.zip.fetching.mark").write_text('"1"')
    run(one(server, tmp_path))
    assert (tmp_path / "in" / "a.zip").read_bytes() == CONTENT


def test_a_wrong_checksum_keeps_nothing(server: Server, tmp_path: Path) -> None:
    server.files["/a.zip"] = CONTENT
    said = refused(one(server, tmp_path, sha256="0" * 64))
    assert f"its sha256 is {hashlib.sha256(CONTENT).hexdigest()}, not {'0' * 64}; it was not kept" in said
    assert left(tmp_path) == set()


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "404 Not Found; has it moved"), (403, "set HF_TOKEN"), (401, "set HF_TOKEN"), (410, "410 Gone")],
)
def test_what_the_server_refuses_is_told_at_once(server: Server, tmp_path: Path, status: int, said: str) -> None:
    server.statuses = [status]
    assert said in refused(one(server, tmp_path))
    assert len(server.asked) == 1


def test_what_may_pass_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.files["/a.zip"], server.statuses = CONTENT, [503, 429, 500]
    assert run(one(server, tmp_path)).fetched == ("a.zip",)
    server.statuses = [503] * 99
    server.files["/b.zip"] = CONTENT
    assert "503 Service Unavailable; try again later" in refused(one(server, tmp_path, name="b.zip"))
    assert server.statuses == [503] * (99 - fetching.TRIES)


def test_a_server_that_is_not_there_is_told_and_so_is_each_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    wanted = recipe(tmp_path, download=[{"url": "http://127.0.0.1:9/a.zip"}])
    assert "cannot be reached" in refused(wanted)
    waits = [each.getMessage() for each in caplog.records if each.name == "curate.fetch"]
    assert len(waits) == fetching.TRIES - 1
    assert all("127.0.0.1:9/a.zip cannot be reached" in each and "trying again in" in each for each in waits)


def test_a_page_is_no_archive(server: Server, tmp_path: Path) -> None:
    server.files["/a.zip"], server.types["/a.zip"] = b"<html>log in", "text/html; charset=utf-8"
    assert "gives a page, not a.zip" in refused(one(server, tmp_path))
    assert left(tmp_path) == set()


def test_what_a_person_fetched_is_not_written_over(server: Server, tmp_path: Path) -> None:
    server.files["/a.zip"] = CONTENT
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.zip").write_bytes(CONTENT)
    assert run(one(server, tmp_path)).there == ("a.zip",)
    (tmp_path / "in" / "fetched.json").unlink()
    (tmp_path / "in" / "a.zip").write_bytes(b"mine")
    assert "is not as long as" in refused(one(server, tmp_path))
    assert (tmp_path / "in" / "a.zip").read_bytes() == b"mine"


def test_a_full_disk_is_seen_before(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.files["/a.zip"] = CONTENT
    full = type("Usage", (), {"free": 10})()
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda path: full)
    assert "a.zip needs 0.00 GB" in refused(one(server, tmp_path))


# ---- the hub


def hub(server: Server, contents: dict[str, bytes], *, large: set[str]) -> None:
    """A data set at one revision, listed on two pages."""
    entries = []
    for path, content in contents.items():
        entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content)}
        if path in large:
            entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
        else:
            entry["oid"] = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        entries.append(entry)
        server.files[f"/datasets/google/fleurs/resolve/{REVISION}/{path}"] = content
    first = f"/api/datasets/google/fleurs/tree/{REVISION}?recursive=true&expand=false"
    server.files[first] = json.dumps([{"type": "directory", "path": "data"}, *entries[:2]]).encode()
    server.links[first] = f"{server.url}/page2"
    server.files["/page2"] = json.dumps(entries[2:]).encode()


CONTENTS = {
    "README.md": b"card",
    "data/km_kh/train.tsv": b"1\tx",
    "data/km_kh/audio/train.tar.gz": CONTENT,
    "data/fr_fr/train.tsv": b"2",
}


def test_a_data_set_of_the_hub_at_its_revision(server: Server, tmp_path: Path) -> None:
    hub(server, CONTENTS, large={"data/km_kh/audio/train.tar.gz"})
    wanted = recipe(tmp_path, hub=f"google/fleurs@{REVISION}", hub_files=["data/km_kh/*"], kind="fleurs")
    assert run(wanted).fetched == ("data/km_kh/train.tsv", "data/km_kh/audio/train.tar.gz")
    assert (tmp_path / "in" / "data" / "km_kh" / "audio" / "train.tar.gz").read_bytes() == CONTENT
    assert not (tmp_path / "in" / "data" / "fr_fr").exists()
    assert run(wanted).fetched == ()


@pytest.mark.parametrize("name", ["data/km_kh/train.tsv", "data/km_kh/audio/train.tar.gz"])
def test_a_file_of_the_hub_with_other_bytes_is_not_kept(server: Server, tmp_path: Path, name: str) -> None:
    hub(server, CONTENTS, large={"data/km_kh/audio/train.tar.gz"})
    path = f"/datasets/google/fleurs/resolve/{REVISION}/{name}"
    server.files[path] = server.files[path][:-1] + b"?"
    said = refused(recipe(tmp_path, hub=f"google/fleurs@{REVISION}", kind="fleurs"))
    assert "hash is" in said or "its sha256 is" in said
    assert not (tmp_path / "in" / name).exists()


def test_a_path_that_leads_out_of_the_folder_is_refused(server: Server, tmp_path: Path) -> None:
    hub(server, {"../evil": b"x"}, large=set())
    assert "leads out of its folder" in refused(recipe(tmp_path, hub=f"google/fleurs@{REVISION}"))


def test_the_token_goes_to_the_hub_alone(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    hub(server, {"a.tsv": b"x"}, large=set())
    elsewhere = urlparse(server.url)._replace(netloc=f"localhost:{urlparse(server.url).port}").geturl()
    path = f"/datasets/google/fleurs/resolve/{REVISION}/a.tsv"
    server.redirects[path], server.files["/stored"] = f"{elsewhere}/stored", b"x"
    run(recipe(tmp_path, hub=f"google/fleurs@{REVISION}"))
    tokens = {urlparse(each[1]).path: each[3] for each in server.asked}
    assert tokens[path] == "Bearer secret"
    assert tokens["/stored"] is None
    server.files["/b"] = b"x"
    run(recipe(tmp_path, download=[{"url": f"{elsewhere}/b"}]))
    assert server.asked[-1][3] is None


# ---- the command


def test_what_can_only_be_had_by_hand_is_told(tmp_path: Path) -> None:
    found = run(recipe(tmp_path, by_hand="kaggle datasets download -d x/y"))
    assert found.by_hand == "kaggle datasets download -d x/y"
    assert "https://example.org" in run(recipe(tmp_path, url="https://example.org")).by_hand
    assert not (tmp_path / "in").exists()


def test_an_unknown_source_names_those_there_are(tmp_path: Path) -> None:
    assert refused(recipe(tmp_path), only=["t"]) == "no source is called 't'; there are s"


def test_downloads_go_where_their_source_looks_for_them(tmp_path: Path) -> None:
    where = {
        ("openslr", "in/slr42"): "in/slr42", ("openslr", "in/km.zip"): "in", ("table", "in/t.tsv"): "in",
        ("huggingface", "in/train.parquet"): "in", ("huggingface", "in/set"): "in/set",
    }  # fmt: skip
    for (kind, path), folder in where.items():
        source = recipe(tmp_path, kind=kind, path=str(tmp_path / path)).source[0]
        assert fetching.folder_of(source) == tmp_path / folder
