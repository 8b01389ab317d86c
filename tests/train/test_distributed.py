"""Two processes train as one does: `torchrun` over gloo, in double precision."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from curate.errors import UserError
from tests.train.runs import edit, train_until
from train import checkpoint, cli, config, distributed, finetune
from train.data import dataset, latents

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ("train.precision=float64", "train.steps=5", "train.save_every=2", "batch.tokens=150", "adapter.alpha=6")
RELATIVE = 1e-9
JOBS = """
import json, os, signal, sys
import torch
from pathlib import Path
from train import distributed, finetune

torch.set_num_threads(1)
jobs = json.loads(sys.argv[1])
with distributed.joined() as world:
    assert world.size == 2
    touched = []
    if not world.writes:
        def note(event, given):
            changes = event in ("os.rename", "os.mkdir", "os.remove") or event == "open" and given[2] & os.O_ACCMODE
            if changes and any(folder in str(given[0]) for folder in jobs):
                touched.append((event, str(given[0])))
        sys.addaudithook(note)
    for folder, killed in jobs.items():
        for event in finetune.train(Path(folder), world):
            if killed and isinstance(event, finetune.Step) and event.step == killed:
                world.wait()
                if touched: print("touched", touched, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
"""
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ENDING = """
import os, socket, sys
from curate.errors import UserError
from train import distributed

def end(first):
    try:
        with distributed.joined() as world:
            world.wait()
            if first in ("both", str(world.rank)):
                raise UserError("mend this")
            world.wait()
    except UserError as problem:
        os.write(2, f"train: {problem}\\n".encode())
        sys.exit(1)
"""
FORKED = """
def fork(first, rank, port):
    child = os.fork()
    if child == 0:
        os.dup2(os.open(first, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        os.environ |= {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2"}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        end(first)
        sys.exit()
    return child

for first in sys.argv[1:]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = [fork(first, rank, port) for rank in ("0", "1")]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    print(first, *codes, flush=True)
"""
PATHS = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
IN_4_BITS = bool(find_spec("bitsandbytes"))
LONG = "SAMSORI_LONG" in os.environ
ENVIRONMENT = {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}


def metrics(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def torchrun(jobs):
    """Train folders one after the other in two processes, killed at that step where one is given."""
    script = next(iter(jobs)).parent / "jobs.py"
    return launched(script, JOBS, json.dumps({str(run): killed for run, killed in jobs.items()}))


def launched(script, program, *words, by=TORCHRUN):
    """Run a program in two processes."""
    script.write_text(program)
    return subprocess.run(
        [*by, str(script), *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), *PATHS)), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def runs(make_run_of_module, make_corpus_of_module):
    """Runs of one process and the same of two, by name; the two that encode begin."""
    source = make_corpus_of_module()

    def make(name, *settings):
        return make_run_of_module(name, *SETTINGS, *settings, source=source)

    pieces, small = "batch.micro_batch_tokens=60", "batch.tokens=20"  # the latter: one clip a batch, for two processes
    two = {name: make(name, pieces) for name in ("two", "taken over", "handed over")} | {"few": make("few", small)}
    nf4 = "train.quantization=nf4"
    two |= {"in 4 bits": make("4 bits", nf4, pieces)} if IN_4_BITS else {}
    train_until(two["taken over"], 3)
    ended = {run: 0 for name, run in two.items() if name != "handed over"}
    done = torchrun(ended | {two["handed over"]: 4})
    assert done.returncode == 1, done.stderr
    assert "SIGKILL" in done.stderr, done.stderr
    assert "touched" not in done.stdout, done.stdout
    list(finetune.train(two["handed over"]))
    one = {"whole": make("whole"), "few alone": make("few alone", small)}
    one |= {"in 4 bits alone": make("4 bits alone", nf4)} if IN_4_BITS else {}
    for run in one.values():
        list(finetune.train(run))
    return one | two


@pytest.mark.parametrize(
    ("many", "alone"),
    [
        ("two", "whole"),
        ("taken over", "whole"),
        ("handed over", "whole"),
        ("few", "few alone"),
        pytest.param(
            "in 4 bits",
            "in 4 bits alone",
            marks=pytest.mark.skipif(not IN_4_BITS, reason="a base in 4 bits needs bitsandbytes"),
        ),
    ],
)
def test_losses_are_those_of_one_process(runs, many, alone):
    """In pieces, after a kill with another number of processes, and with fewer clips in a batch than processes."""
    found, expected = metrics(runs[many]), metrics(runs[alone])
    assert [line["step"] for line in found] == [line["step"] for line in expected]  # each once: there is one writer
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.keys() == theirs.keys()
        for name in ("loss", "diff", "stop", "gradient_norm", "learning_rate", "positions", "audio_seconds"):
            assert mine.get(name, 0) == pytest.approx(theirs.get(name, 0), rel=RELATIVE), (mine["step"], name)
        for language, values in theirs["languages"].items():
            assert mine["languages"][language] == pytest.approx(values, rel=RELATIVE, abs=1e-12)


def test_held_out_losses_of_every_clip_are_those_of_one_process(runs):
    for path in sorted((runs["whole"] / "validation").iterdir()):
        found = [json.loads(line) for line in (runs["two"] / "validation" / path.name).read_text().splitlines()]
        expected = [json.loads(line) for line in path.read_text().splitlines()]
        assert [each["id"] for each in found] == [each["id"] for each in expected]
        for mine, theirs in zip(found, expected, strict=True):
            assert (mine["diff"], mine["stop"]) == pytest.approx((theirs["diff"], theirs["stop"]), rel=RELATIVE)


def test_checkpoints_are_the_same_ones_and_whole(runs):
    kept = [path.name for path in sorted((runs["whole"] / "checkpoints").iterdir())]
    for name in ("two", "taken over", "handed over"):
        assert [path.name for path in sorted((runs[name] / "checkpoints").iterdir())] == kept
        assert checkpoint.read_state(checkpoint.newest(runs[name])) == checkpoint.read_state(
            checkpoint.newest(runs["whole"])
        )


@dataclass(frozen=True)
class Thread:
    """A process of a run, played by a thread."""

    rank: int
    meeting: threading.Barrier
    size: int = 2
    writes: bool = False

    def wait(self):
        self.meeting.wait(60)


# threads stand for processes here, and they share the filters that voxcpm.quiet sets and puts back
@pytest.mark.filterwarnings("ignore")
def test_a_process_that_comes_late_leaves_no_clip_without_latents(make_run, make_corpus, monkeypatch):
    """What is to be encoded is dealt by what was missing before any process has encoded any of it."""
    run = config.read(make_run("run", source=make_corpus()))
    missing, meeting = latents.Latents.missing, threading.Barrier(2)

    def late(store, clips):
        time.sleep(0.5 * int(threading.current_thread().name[-1]))
        return missing(store, clips)

    monkeypatch.setattr(latents.Latents, "missing", late)
    with ThreadPoolExecutor(2, "rank") as workers:
        ranks = [dataset.prepare(dataset.survey(run), "cpu", Thread(rank, meeting)) for rank in range(2)]
        done = list(workers.map(lambda events: len(list(events)), ranks))
    assert done == [6, 6]  # five clips each, and the beginning


@pytest.mark.parametrize("which", ["0", "1", "both"] if LONG else ["both"])  # torchrun takes seconds to start
def test_what_a_person_can_mend_is_said_once_whichever_process_finds_it(tmp_path, which):
    done = launched(tmp_path / "ending.py", ENDING + "end(sys.argv[1])", which)
    assert done.returncode == 1
    assert_said_once(done.stderr)
    assert "joined" not in done.stderr  # no traceback of ours, only torchrun's own


def test_it_is_said_once_where_the_store_goes_with_the_process_that_kept_it(tmp_path, monkeypatch):
    """torchrun keeps the store and ends the others; another launcher does neither."""
    monkeypatch.chdir(tmp_path)
    done = launched(tmp_path / "ending.py", ENDING + FORKED, "0", "1", "both", by=[sys.executable])
    assert done.stdout.splitlines() == ["0 1 1", "1 1 1", "both 1 1"], done.stderr
    for which in ("0", "1", "both"):
        assert_said_once((tmp_path / which).read_text())


def assert_said_once(printed):
    assert printed.count("mend this") == 1, printed
    assert [line for line in printed.splitlines() if line.startswith("train: ")] == ["train: mend this"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE = 'two' is no such number"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE = '0' is no such number"),
        ({"WORLD_SIZE": ""}, "WORLD_SIZE = '' is no such number"),
        ({"RANK": None}, "RANK is not"),
        ({"RANK": "2"}, "RANK = '2' is no such number"),
        ({"LOCAL_RANK": None}, "LOCAL_RANK is not"),
        ({"MASTER_ADDR": None}, "MASTER_ADDR is not set"),
        ({"MASTER_PORT": None}, "MASTER_PORT is not"),
        ({"MASTER_PORT": "abc"}, "MASTER_PORT = 'abc' is no such number"),
        ({"MASTER_PORT": "70000"}, "MASTER_PORT = '70000' is no such number"),
    ],
)
def test_an_environment_that_is_not_torchruns_is_one_line(monkeypatch, changed, says):
    for name, value in (ENVIRONMENT | changed).items():
        monkeypatch.setenv(name, value) if value is not None else monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=f"{says}.*start with torchrun, or unset WORLD_SIZE"), distributed.joined():
        pass


def test_a_process_that_does_not_come_is_waited_for_and_then_named(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in (ENVIRONMENT | {"MASTER_PORT": str(port)}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(distributed, "PATIENCE", timedelta(seconds=1))
    with pytest.raises(UserError, match=r"could not meet at 127.0.0.1:.*1/2 clients joined"), distributed.joined():
        pass


BOTH = "cpu:gloo,cuda:nccl"  # tensors of GPUs by NCCL; whether someone stops, by gloo, which waits for no GPU


@pytest.mark.parametrize(
    ("device", "gpus", "backend"), [("cpu", 4, "gloo"), ("auto", 4, BOTH), ("cuda", 4, BOTH), ("auto", 0, "gloo")]
)
def test_nccl_is_used_where_training_is_on_gpus_and_only_there(make_run, monkeypatch, device, gpus, backend):
    """With GPUs on the machine, too, a run on the CPU meets by gloo, and takes none of them."""
    import torch

    begun, taken = [], []
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    run = make_run("a")
    edit(run, 'device = "cpu"', f'device = "{device}"')
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(distributed, "rendezvous", lambda *_, **__: iter([(SimpleNamespace(set_timeout=id), 0, 2)]))
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda kind, **_: begun.append(kind))
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: None)
    monkeypatch.setattr(cli, "_train", lambda *_: None)
    cli.resume(run)
    assert begun == [backend]
    assert taken == ([0] if backend == BOTH else [])


def test_more_processes_than_gpus_are_too_many_only_where_they_want_one_each(monkeypatch):
    import torch

    for name, value in (ENVIRONMENT | {"LOCAL_RANK": "1", "RANK": "1"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="1 GPUs are to be seen, too few for LOCAL_RANK 1"), distributed.joined():
        pass
    assert distributed._place(0) == (1, 2)
