"""`train` as a process of its own, without the seconds that its imports take: forked from one that has made them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER = """
import json, os, resource, sys, atexit
import peft, polars, torch, torch._dynamo, transformers
from train import cli, finetune, show
from train.model import voxcpm
with voxcpm.quiet():
    import voxcpm.model.voxcpm2
torch.set_num_threads(1)


def watch(folder, deadly):
    counted = [0]

    def note(event, given):
        if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir") and folder in str(given[0]):
            counted[0] += 1
            if counted[0] == deadly:
                os.kill(os.getpid(), 9)

    sys.addaudithook(note)
    atexit.register(lambda: print(f"file operations: {counted[0]}", flush=True))


for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child == 0:
        log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(log, number)
        if job["folder"]:
            watch(job["folder"], job["deadly"])
        if job["largest"]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (job["largest"], job["largest"]))
        sys.argv = ["train", *job["words"]]
        cli.main()
        sys.exit()
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, or minus the signal that killed it, and what it printed."""

    code: int
    printed: str

    @property
    def file_operations(self) -> int:
        """How many a watched one did in its folder."""
        return int(self.printed.rsplit("file operations: ", 1)[1])


class Commands:
    """Runs `train` commands, one at a time."""

    def __init__(self, log: Path) -> None:
        self._log = log
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    @contextlib.contextmanager
    def started(self, *words: object, folder: Path | None = None, deadly=0, largest=0) -> Iterator[int]:
        """Run a command and yield the number of its process; what is inside may kill it.

        `folder` is watched: the process is killed by its file operation number `deadly` there. No file may become
        larger than `largest` bytes.
        """
        job = {"words": [*map(str, words)], "folder": str(folder or ""), "deadly": deadly, "largest": largest}
        self._send(job | {"log": str(self._log)})
        yield int(self._answer())

    def ended(self) -> Ended:
        """Wait for the command to end."""
        code = int(self._answer())
        return Ended(code, self._log.read_text(encoding="utf-8"))

    def run(self, *words: object, folder: Path | None = None, deadly=0, largest=0) -> Ended:
        """Run a command to its end."""
        with self.started(*words, folder=folder, deadly=deadly, largest=largest):
            return self.ended()

    def close(self) -> None:
        """End."""
        with self._server:
            self._server.kill()

    def _send(self, job: dict) -> None:
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()

    def _answer(self) -> str:
        line = self._server.stdout.readline()
        assert line, "the server has ended"
        return line


def interrupt(process: int) -> None:
    """As Ctrl-C does."""
    os.kill(process, signal.SIGINT)


def kill(process: int) -> None:
    """As the kernel does where memory ends: nothing can be done about it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
