"""Kills, Ctrl-C, full disks, bad numbers: nothing is lost, and one line says what happened."""

import json
import os
import random
import signal
import time

import pytest
import torch
from safetensors.torch import load_file, save_file

from curate.errors import UserError
from tests.train.commands import Commands, interrupt, kill
from tests.train.runs import copied, train_until
from train import checkpoint, config, finetune, metrics
from train.data import dataset
from train.trainer import Step, Trainer

KILLS = 20 if "SAMSORI_LONG" in os.environ else 3
SETTINGS = ("batch.tokens=120", "train.save_every=2", "train.keep=1")


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    running = Commands(tmp_path_factory.mktemp("commands") / "log")
    yield running
    running.close()


def left_behind(run):
    """All that a run leaves, without clock and memory: metrics, held-out losses of every clip, best, adapter."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    metrics = [{key: value for key, value in line.items() if key not in ("seconds", "memory")} for line in lines]
    held = {path.name: path.read_text() for path in sorted((run / "validation").iterdir())}
    kept = sorted(path.name for path in (run / "checkpoints").iterdir())
    adapter = [path.read_bytes() for path in checkpoint.newest(run).glob("*.safetensors")]
    return metrics, held, (run / "best.json").read_text(), kept, adapter


@pytest.fixture(scope="module")
def never_stopped(make_run_of_module, commands):
    """A run that was never stopped, how long it took in seconds, and how many file operations."""
    run = make_run_of_module("whole", *SETTINGS)
    commands.run("params", "--ranks", "1")  # waits until the server's imports are made
    began = time.monotonic()
    ended = commands.run("resume", run, folder=run)
    assert ended.code == 0, ended.printed
    return run, time.monotonic() - began, ended.file_operations


def test_a_run_killed_at_random_moments_ends_as_one_never_killed(never_stopped, make_run, commands):
    """The first time surely between a checkpoint and the end."""
    never, seconds, _ = never_stopped
    killed, moments, codes = make_run("killed", *SETTINGS), random.Random(0), []
    for number in range(KILLS):
        with commands.started("resume", killed) as process:
            if number == 0:
                wait_for(killed, step=3)
            else:
                time.sleep(moments.uniform(0.1, 0.9) * seconds)
            kill(process)
        codes.append(commands.ended().code)
    assert codes[0] == -9
    assert commands.run("resume", killed).code == 0
    assert left_behind(killed) == left_behind(never)


def test_a_run_killed_at_any_file_operation_ends_as_one_never_killed(never_stopped, make_run, commands):
    """Killed between any two changes of its folder: half-written checkpoints, files aside, cut lines."""
    never, _, operations = never_stopped
    killed = make_run("killed", *SETTINGS)
    codes = [
        commands.run("resume", killed, folder=killed, deadly=number).code
        for number in random.Random(1).sample(range(2, operations // 2), KILLS)
    ]
    assert codes[0] == -9
    assert set(codes) <= {-9, 0}
    assert commands.run("resume", killed).code == 0
    assert left_behind(killed) == left_behind(never)


def test_ctrl_c_leaves_one_line_and_exit_130_and_loses_nothing(never_stopped, make_run, commands):
    never, _, _ = never_stopped
    run = make_run("stopped", *SETTINGS)
    with commands.started("resume", run) as process:
        wait_for(run, step=1)
        interrupt(process)
    ended = commands.ended()
    assert ended.code == 130, ended.printed
    assert "Traceback" not in ended.printed
    line = "".join(ended.printed.split("stopped at step ")[1:]).replace("\n", " ")
    assert line.strip().endswith(f"of 6, saved; go on with: train resume {run}")
    assert checkpoint.read_state(checkpoint.newest(run)).step == int(line.split()[0])
    assert commands.run("resume", run).code == 0
    assert left_behind(run)[:3] == left_behind(never)[:3]
    assert left_behind(run)[4] == left_behind(never)[4]


def wait_for(run, *, step):
    """Until a step is in the metrics."""
    while not any(line["step"] == step for line in metrics.read(run)):  # pytest's own limit ends it
        time.sleep(0.01)


@pytest.fixture(scope="module")
def killed_at_5(make_run_of_module):
    """A run with checkpoints of steps 2, 3 (the best) and 4; do not write into it."""
    run = make_run_of_module("full", *SETTINGS, "train.keep=3")
    train_until(run, 5)
    return run


@pytest.mark.parametrize(
    "share", [0.5, 0.95]
)  # in the middle of the adapter, which is the smaller file; of the optimizer
def test_a_full_disk_loses_no_earlier_checkpoint(killed_at_5, commands, share, tmp_path):
    run = copied(killed_at_5, tmp_path)
    before = {path: path.read_bytes() for path in (run / "checkpoints").rglob("*") if path.is_file()}
    sizes = sorted(path.stat().st_size for path in checkpoint.newest(run).iterdir())
    ended = commands.run("resume", run, largest=int(share * (sizes[-2] if share < 0.9 else sizes[-1])))
    assert ended.code == 1
    assert "Traceback" not in ended.printed
    assert ended.printed.count("cannot be written") == 1
    assert {path: path.read_bytes() for path in (run / "checkpoints").rglob("*") if path.is_file()} == before
    assert commands.run("resume", run).code == 0


def test_metrics_that_cannot_be_written_are_one_line(make_run, monkeypatch):
    def full(run, record):
        raise OSError(28, "No space left on device", str(run / "metrics.jsonl"))

    run = make_run("full")
    monkeypatch.setattr(metrics, "append", full)
    with pytest.raises(UserError, match=r"metrics\.jsonl: No space left on device\); checkpoints are whole"):
        list(finetune.train(run))


def test_a_folder_that_cannot_be_written_is_one_line(make_run, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError, match=r"file/run cannot be written .*choose another --into"):
        make_run("file/run")


@pytest.fixture
def spoil(make_run, make_corpus, tiny):
    """A run of one clip a batch, and a function that changes one clip's latents."""
    from train.data import latents

    corpus = make_corpus()
    run = make_run("spoilt", "batch.tokens=20", "train.validate_every=0", "train.steps=30", source=corpus)

    def change(name, edit):
        (clip,) = [each for each in dataset.corpus.read(corpus) if each.id == name]
        path = latents.Latents(corpus / "latents", tiny).path(clip)
        save_file({"latents": edit(load_file(path)["latents"])}, path)

    return run, change


def test_a_loss_that_is_no_number_names_the_clip_that_did_it_and_no_other(make_run, make_corpus, tiny):
    from train.data import latents

    corpus = make_corpus()
    run = make_run("nan", "batch.tokens=2000", "train.validate_every=0", source=corpus)
    clips = dataset.corpus.read(corpus)
    store = latents.Latents(corpus / "latents", tiny)
    list(store.encode(clips, device="cpu"))
    sound = load_file(store.path(clips[2]))["latents"]
    sound[1, 0, 0] = float("nan")
    save_file({"latents": sound}, store.path(clips[2]))
    with pytest.raises(UserError, match=rf"the loss is nan at step 1, on the clips {clips[2].id}: look at them"):
        list(finetune.train(run))


def test_a_loss_that_explodes_names_its_clip(spoil):
    run, change = spoil
    train_until(run, 13)  # saved after step 12: an exploding loss is told after 10
    settings = config.read(run)
    clips = dataset.corpus.of(dataset.corpus.read(settings.corpus), "train")
    change(clips[3].id, lambda sound: sound * 1000)
    with pytest.raises(UserError, match=rf"the loss explodes at step \d+: .* most on the clips {clips[3].id}: look"):
        list(finetune.train(run))


def test_losses_read_a_step_late_are_the_same_and_nothing_is_saved_before_they_are_read(never_stopped, make_run, late):
    run = make_run("late", *SETTINGS)
    list(finetune.train(run))
    assert left_behind(run) == left_behind(never_stopped[0])
    assert late[:3] == [("launch", 1), ("launch", 2), ("read", 1)]
    settings = config.read(run).train
    for step in range(1, settings.steps + 1):
        due = step % settings.save_every == 0 or step % settings.validate_every == 0 or step == settings.steps
        following = ("launch", step + 1)
        assert not due or following not in late or late.index(("read", step)) < late.index(following)


def test_a_late_run_that_is_killed_or_stopped_goes_on_as_it_was(never_stopped, make_run, late):
    run = make_run("late", *SETTINGS)
    train_until(run, 2)
    events = finetune.train(run)
    next(event for event in events if isinstance(event, Step))
    signal.raise_signal(signal.SIGTERM)
    *_, stopped = events
    assert isinstance(stopped, finetune.Stopped)
    assert checkpoint.read_state(checkpoint.newest(run)).step == stopped.step
    list(finetune.train(run))
    assert left_behind(run)[:3] == left_behind(never_stopped[0])[:3]
    assert left_behind(run)[4] == left_behind(never_stopped[0])[4]


def test_a_bad_loss_that_is_read_late_names_its_clips_and_has_moved_no_weight(spoil, late, monkeypatch):
    run, change = spoil
    unmoved = {}
    launch = Trainer.launch

    def watched(trainer, state, *words):
        before = trainer.vector.parameter.detach().clone()
        launched = launch(trainer, state, *words)
        unmoved[state.step] = torch.equal(before, trainer.vector.parameter)
        return launched

    train_until(run, 1)  # encodes

    monkeypatch.setattr(Trainer, "launch", watched)
    settings = config.read(run)
    clips = dataset.corpus.of(dataset.corpus.read(settings.corpus), "train")
    change(clips[2].id, lambda sound: sound * float("nan"))
    with pytest.raises(UserError, match=rf"the loss is nan at step \d+, on the clips {clips[2].id}: look") as raised:
        list(finetune.train(run))
    bad = int(str(raised.value).split("step ")[1].split(",")[0])
    assert [step for step, same in unmoved.items() if same] == [bad]
    assert bad not in [line["step"] for line in metrics.read(run)]
    assert late[-1] == ("read", bad)


def test_dropout_resumes_too(make_run):
    settings = ("adapter.dropout=0.3", "train.steps=3", "train.save_every=1", "train.validate_every=3")
    one, two = make_run("one", *settings), make_run("two", *settings)
    list(finetune.train(one))
    train_until(two, 2)
    list(finetune.train(two))
    assert left_behind(one) == left_behind(two)


def test_a_kill_between_the_last_checkpoint_and_best_json_is_made_good(never_stopped, make_run, monkeypatch):
    """best.json and the removal of old checkpoints come after the checkpoint: a kill between leaves them behind."""
    run = make_run("cut short", *SETTINGS)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "prune", killed)
        with pytest.raises(KeyboardInterrupt):
            list(finetune.train(run))
    (run / "best.json").unlink(missing_ok=True)
    list(finetune.train(run))
    (run / "best.json").write_text("{}")
    list(finetune.train(run))
    assert left_behind(run) == left_behind(never_stopped[0])


def test_a_second_signal_stops_at_once_where_the_first_only_asks(make_run):
    run = make_run("a", "train.validate_every=0", "train.save_every=9")
    events = finetune.train(run)
    next(event for event in events if isinstance(event, finetune.Step))
    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert list(events) == [finetune.Stopped(1, 6)]  # that it was asked is not forgotten
    assert checkpoint.read_state(checkpoint.newest(run)).step == 1
