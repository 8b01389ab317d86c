"""`train push` against a hub of our own on this machine, that speaks as much of the hub's protocol as it needs."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from curate.errors import UserError
from train import finetune
from train.export import adapter as exporting
from train.export import card, push

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "hf_of_a_person"


class Hub(ThreadingHTTPServer):
    """Keeps what is written to it: repositories with their files, and who may write."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repos, self.blobs, self.private = {}, {}, {}
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """create, preupload, LFS batch and upload, commit."""

    def log_message(self, *_):
        pass

    def answer(self, value, code=200):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def given(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_PUT(self):
        content = self.given()
        self.server.blobs[hashlib.sha256(content).hexdigest()] = content
        self.answer({})

    def do_GET(self):
        self.answer({"error": "Entry not found"}, 404)

    do_HEAD = do_GET

    def do_POST(self):
        content, hub = self.given(), self.server
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer({"error": "Invalid username or password."}, 401)
        elif self.path == "/api/repos/create":
            asked = json.loads(content)
            name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
            hub.private[name] = asked.get("private") or asked.get("visibility") == "private"
            hub.repos.setdefault(name, {})
            self.answer({"url": f"{hub.url}/{name}", "id": name, "name": name})
        elif self.path == "/api/validate-yaml":
            assert json.loads(content)["content"].startswith("---\n")
            self.answer({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            files = json.loads(content)["files"]
            modes = [{"path": each["path"], "shouldIgnore": False, "uploadMode": mode(each["path"])} for each in files]
            self.answer({"files": modes})
        elif self.path.endswith("/info/lfs/objects/batch"):
            action = {"upload": {"href": f"{hub.url}/upload"}}
            objects = [each | {"actions": action} for each in json.loads(content)["objects"]]
            self.answer({"transfer": "basic", "objects": objects})
        elif "/commit/" in self.path:
            repo = self.path.split("/api/models/")[1].split("/commit/")[0]
            for line in content.splitlines():
                self.commit(hub.repos[repo], json.loads(line))
            self.answer({"success": True, "commitOid": "c0ffee", "commitUrl": f"{hub.url}/{repo}/commit/c0ffee"})
        else:
            self.answer({"error": f"what is {self.path}"}, 404)

    def commit(self, files, line):
        value = line["value"]
        if line["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif line["key"] == "lfsFile":
            files[value["path"]] = self.server.blobs[value["oid"]]


def mode(path):
    return "lfs" if path.endswith(".safetensors") else "regular"


@pytest.fixture
def hub():
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def run(make_run_of_module):
    run = make_run_of_module("pushed", "train.steps=1", "train.validate_every=0")
    list(finetune.train(run))
    return run


def pushed(hub, *words, token=TOKEN, offline="0"):
    """The command in a process of its own, for the hub's library reads its environment when it is imported."""
    mine = {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": offline, "HF_TOKEN": token, "PYTHONPATH": str(ROOT)}
    mine["HF_HUB_DISABLE_XET"] = "1"  # its protocol is no open one; large files go by LFS, as to any other hub
    command = [sys.executable, "-m", "train", "push", *map(str, words), "--json"]
    return subprocess.run(command, env=os.environ | mine, capture_output=True, text=True, timeout=300)


def test_a_run_is_pushed_with_its_card_and_what_arrives_is_what_export_writes(hub, run, tmp_path):
    done = pushed(hub, run, "--repo", "me/voice", "--private")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["url"] == f"{hub.url}/me/voice/commit/c0ffee"
    assert hub.private == {"me/voice": True}
    folder = exporting.export(run, "voxcpm", tmp_path / "a")
    assert hub.repos["me/voice"] == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert "note: its card names no licence yet" in done.stderr
    assert not (run / "export").exists()


def test_an_exported_folder_goes_as_it_is_with_what_a_person_put_there(hub, run, tmp_path):
    folder = exporting.export(run, "peft", tmp_path / "a")
    text = (folder / card.CARD).read_text().replace("# license: yours to choose", "license: cc-by-4.0  # chosen")
    (folder / card.CARD).write_text(text)
    (folder / "LICENSE").write_text("mine")
    (folder / ".secret").write_text("no")
    done = pushed(hub, folder, "--repo", "me/voice")
    assert done.returncode == 0, done.stderr
    names = {path.name for path in folder.iterdir()} - {".secret"}
    assert hub.repos["me/voice"].keys() == names == set(json.loads(done.stdout)["files"])
    assert hub.repos["me/voice"][card.CARD].decode() == text
    assert "licence" not in done.stderr
    assert "a folder of this machine" in done.stderr


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"token": "hf_another"}, r"me/voice could not be written on the hub (Client error '401 Unauthorized'"),
        ({"offline": "1"}, "me/voice could not be written on the hub ("),
    ],
)
def test_what_the_hub_refuses_is_one_line(hub, run, settings, says):
    done = pushed(hub, run, "--repo", "me/voice", **settings)
    assert done.returncode == 1
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if says in line]
    assert "Traceback" not in done.stderr
    assert "`hf auth login`, or set HF_TOKEN" in done.stderr.splitlines()[-1]


def test_what_cannot_be_pushed_is_said_before_the_hub_is_asked(run, tmp_path):
    with pytest.raises(UserError, match="is no id of a repository: write OWNER/NAME"):
        push.push(run, "voice")
    with pytest.raises(UserError, match="no adapter in"):
        push.push(tmp_path, "me/voice")
    folder = exporting.export(run, "voxcpm", tmp_path / "a")
    with pytest.raises(UserError, match="is no run, so it has no step 3"):
        push.push(folder, "me/voice", step=3)
    (folder / card.CARD).unlink()
    with pytest.raises(UserError, match=r"has no README.md: `train export .* writes one"):
        push.push(folder, "me/voice")
    edited = exporting.export(run, "voxcpm")
    (edited / card.CARD).write_text("mine")
    with pytest.raises(UserError, match=r"the card in .*export/voxcpm was edited: push that folder"):
        push.push(run, "me/voice")
    for path in edited.iterdir():
        path.unlink()
    edited.rmdir()
    edited.parent.rmdir()
