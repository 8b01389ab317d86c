"""Trackers show what metrics.jsonl has, go on after a resume, and end no run."""

import json
import types

import pytest

from curate.errors import UserError
from tests.train.runs import edit, train_until
from train import finetune, metrics, trackers
from train.trainer import Step

SETTINGS = ("train.steps=4", "train.validate_every=2", "train.save_every=2", "samples={km=['ក']}")


class Library:
    """As much of trackio and wandb as is used, which notes what it is given."""

    def __init__(self, failing=()):
        self.begun, self.logged, self.finished, self._failing = [], [], 0, failing

    def init(self, **given):
        self._fail("init")
        self.begun.append(given)
        run = types.SimpleNamespace(
            name=given["name"] if len(self.begun) == 1 else f"{given['name']}", finish=self.finish
        )
        run.log, run.define_metric = self.log, lambda *_, **__: None
        print("a banner on standard output")
        return run

    def log(self, values, step=None):
        self._fail("log")
        self.logged.append((values.get("step", step), values))

    def finish(self):
        self.finished += 1

    def Audio(self, path, caption):
        return (str(path), caption)

    def _fail(self, where):
        if where in self._failing:
            raise ConnectionError(f"no network for {where}\nand more")


@pytest.fixture
def installed(monkeypatch):
    """Install a library under a name; without a call neither is."""
    there = {}
    monkeypatch.setattr(trackers, "_is_installed", there.__contains__)
    monkeypatch.setattr(trackers, "_library", there.__getitem__)

    def install(name, **settings):
        library = Library(**settings)
        there[name] = library
        return library

    return install


@pytest.mark.parametrize("name", trackers.KINDS)
def test_figures_and_sounds_reach_the_tracker_that_is_installed(make_run, installed, capsys, name):
    library = installed(name)
    run = make_run(name, *SETTINGS, "train.tracker=auto")
    list(finetune.train(run))
    (given,) = library.begun
    assert given["project"] == "samsori"
    assert given["config"]["optimizer"]["learning_rate"] == 0.01
    assert str(run.parent) not in json.dumps(given["config"])
    losses = {step: values["train/loss"] for step, values in library.logged if "train/loss" in values}
    assert losses == {line["step"]: line["loss"] for line in metrics.read(run) if "loss" in line}
    held = {step: values["validation/km/loss"] for step, values in library.logged if "validation/km/loss" in values}
    assert held == {line["step"]: line["languages"]["km"]["loss"] for line in metrics.read(run) if "loss" not in line}
    sounds = [(step, values["samples/km-1"]) for step, values in library.logged if "samples/km-1" in values]
    assert sounds == [(step, (str(run / f"samples/000000{step}/km-1.wav"), "ក")) for step in (0, 2, 4)]
    assert library.finished == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", trackers.KINDS)
def test_a_resumed_run_goes_on_under_its_name_and_a_new_one_does_not(make_run, installed, name):
    library = installed(name)
    run = make_run("a", *SETTINGS, f"train.tracker={name}")
    train_until(run, 3)
    list(finetune.train(run))
    first, second = library.begun
    key = "id" if name == "wandb" else "name"
    assert first[key] == second[key]
    assert second["resume"] == "allow"
    other = make_run("b", *SETTINGS, f"train.tracker={name}")
    train_until(other, 1)
    assert library.begun[2][key] != first[key]


@pytest.mark.parametrize("where", ["init", "log"])
def test_a_tracker_that_fails_is_said_once_and_the_run_goes_on(make_run, installed, caplog, where):
    library = installed("wandb", failing=(where,))
    run = make_run("a", *SETTINGS, "train.tracker=wandb")
    events = list(finetune.train(run))
    assert isinstance(events[-1], finetune.Finished)
    assert len([event for event in events if isinstance(event, Step)]) == 4
    said = [line for line in caplog.messages if "wandb fails" in line]
    expected = f"wandb fails (no network for {where}): the run goes on without it, metrics.jsonl has everything"
    assert said == [expected]
    assert library.logged == []


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("auto", "train.tracker = auto, but trackio and wandb are not installed: `pip install trackio`"),
        ("wandb", "train.tracker = wandb, but wandb is not installed: `pip install wandb`, or --set train.tracker=off"),
    ],
)
def test_a_tracker_that_is_not_installed_is_one_line_before_a_run_has_a_folder(
    make_run, installed, tmp_path, asked, says
):
    with pytest.raises(UserError) as problem:
        make_run("a", f"train.tracker={asked}")
    assert says in str(problem.value)
    assert not (tmp_path / "a").exists()


def test_a_folder_called_wandb_is_no_library(tmp_path, monkeypatch, make_run):
    (tmp_path / "wandb").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match="wandb is not installed"):
        make_run("a", "train.tracker=wandb")


def test_a_disk_that_is_full_for_tensorboard_ends_no_run(make_run, monkeypatch, caplog):
    import tensorboardX

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensorboardX, "SummaryWriter", full)
    run = make_run("a", "train.tensorboard=true", "train.steps=1", "train.validate_every=0")
    assert isinstance(list(finetune.train(run))[-1], finetune.Finished)
    assert "TensorBoard fails ([Errno 28] No space left on device)" in caplog.text


def test_a_tracker_may_be_switched_on_when_a_run_is_resumed(make_run, installed):
    library = installed("trackio")
    run = make_run("a", *SETTINGS)
    train_until(run, 3)
    edit(run, 'tracker = "off"', 'tracker = "auto"')
    list(finetune.train(run))
    assert library.begun[0]["resume"] == "never"
    assert {step for step, values in library.logged if "train/loss" in values} == {3, 4}
