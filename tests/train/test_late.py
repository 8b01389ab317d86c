"""Losses read a step late, as on a GPU, beside averages, two rates, early stops, trackers, checkpoints and kills."""

import json

import pytest
from safetensors.torch import load_file, save_file

from curate.errors import UserError
from tests.train.runs import train_until
from train import checkpoint, finetune, metrics, trackers, validation
from train.data import dataset, latents
from train.optimizer import Optimizer
from train.trainer import Step

BOTH = ("optimizer.loraplus_ratio=4", "optimizer.ema_decay=0.9")
USUAL = ("batch.tokens=120", "train.steps=7", "train.validate_every=4", "train.save_every=3")


def steps_of(events):
    return [event.step for event in events if isinstance(event, Step)]


def left(run):
    """Metrics without clock and memory; all files of the last checkpoint but its settings, which name the folder."""
    lines = [{**line, "seconds": 0, "memory": 0} for line in metrics.read(run)]
    newest = checkpoint.newest(run)
    return lines, {path.name: path.read_bytes() for path in newest.iterdir() if path.suffix in (".safetensors", ".pt")}


@pytest.fixture
def prompt(make_run, tmp_path):
    """A run whose losses were read at once."""
    run = make_run("prompt", *USUAL, *BOTH, f"latents={tmp_path / 'latents'}")
    list(finetune.train(run))
    return left(run)


@pytest.mark.parametrize("killed", [None, 1, 2, 3, 4, 5, 6])
def test_two_rates_and_an_average_are_the_same_late_and_after_a_kill(prompt, make_run, tmp_path, request, killed):
    request.getfixturevalue("late")  # only now: the other run was prompt
    run = make_run("late", *USUAL, *BOTH, f"latents={tmp_path / 'latents'}")
    if killed:
        train_until(run, killed)
    list(finetune.train(run))
    assert left(run) == prompt


def test_a_checkpoint_holds_every_line_up_to_its_step(make_run, late, monkeypatch):
    run, found, write_state = make_run("late", *USUAL), {}, checkpoint.write_state

    def written(folder, state, *rest):
        found[state.step] = [line["step"] for line in metrics.read(run) if "loss" in line]
        write_state(folder, state, *rest)

    monkeypatch.setattr(checkpoint, "write_state", written)
    list(finetune.train(run))
    assert found.keys() >= {3, 6, 7}
    assert found == {step: list(range(1, step + 1)) for step in found}


def test_a_late_run_stops_early_at_the_same_step_and_stays_stopped(make_run, late, monkeypatch):
    def validate(model, vector, data, run, step, world):
        return validation.Validation(step, {"km": {"loss": 1.0 + step, "diff": 1.0 + step, "stop": 0.0}}), []

    monkeypatch.setattr(validation, "validate", validate)
    settings = ("train.steps=9", "train.validate_every=2", "train.save_every=100", "train.stop_after_rises=2")
    run = make_run("late", *settings, *BOTH)
    events = list(finetune.train(run))
    assert steps_of(events) == [1, 2, 3, 4]
    assert events[-1] == finetune.Finished(4, checkpoint.path_of(run, 4))
    assert ("launch", 5) not in late
    assert finetune.Finished(4, checkpoint.path_of(run, 4)) in list(finetune.train(run))


@pytest.mark.parametrize("settings", [(), BOTH])
def test_a_step_that_is_refused_late_reaches_no_average_no_tracker_and_no_checkpoint(
    make_run, make_corpus, tiny, late, monkeypatch, settings
):
    """The clips of the bad step are named, though the next one has been launched; the trackers are closed."""
    sent, closed, averages = [], [], {}

    class Tracker:
        def figures(self, step, values):
            sent.append((step, values))

        def close(self):
            closed.append(True)

    monkeypatch.setattr(trackers, "started", lambda *_: [Tracker()])
    step = Optimizer.step

    def watched(optimizer, rate, number, refused=None):
        step(optimizer, rate, number, refused)
        with optimizer.averaged():
            averages[number] = optimizer._vector.parameter.detach().clone(), bool(refused)

    monkeypatch.setattr(Optimizer, "step", watched)
    corpus = make_corpus()
    run = make_run("late", *USUAL, *settings, "batch.tokens=20", "train.validate_every=0", source=corpus)
    train_until(run, 1)  # encodes
    bad = spoilt(corpus, tiny)
    for seen in (sent, closed, averages):
        seen.clear()
    with pytest.raises(UserError, match=rf"the loss is nan at step \d+, on the clips {bad}: look") as raised:
        list(finetune.train(run))
    number = int(str(raised.value).split("step ")[1].split(",")[0])
    assert [name for name, (_, refused) in averages.items() if refused] == [number]
    if number > 1:
        assert averages[number][0].equal(averages[number - 1][0])
    assert number not in {line["step"] for line in metrics.read(run)} | {at for at, _ in sent}
    assert closed
    assert all(int(folder.name) < number for folder in checkpoint.every(run))


def spoilt(corpus, model):
    """Make the latents of one clip no numbers; its id."""
    clip = dataset.corpus.of(dataset.corpus.read(corpus), "train")[2]
    path = latents.Latents(corpus / "latents", model).path(clip)
    save_file({"latents": load_file(path)["latents"] * float("nan")}, path)
    return clip.id


def test_what_a_gpu_has_to_spare_is_no_setting_and_validation_is_cut_by_the_least(make_run, monkeypatch):
    """As on a GPU where 60 positions fit: losses of training and validation go on as with a whole step at once."""
    whole, less = make_run("whole", *USUAL), make_run("less", *USUAL)
    list(finetune.train(whole))
    fitted, validated = finetune.fit.with_budget, []
    monkeypatch.setattr(finetune.fit, "fitted", lambda run, *_: (fitted(run, 60), "60 positions at once"))
    validate = validation.validate

    def watched(model, vector, data, run, *words):
        validated.append(run.batch.micro_batch_tokens)
        return validate(model, vector, data, run, *words)

    monkeypatch.setattr(validation, "validate", watched)
    list(finetune.train(less))
    assert set(validated) == {60}
    for one, other in zip(metrics.read(whole), metrics.read(less), strict=True):
        assert one["step"] == other["step"]
        if "loss" in one:
            assert other["loss"] == pytest.approx(one["loss"], rel=1e-3)
    noted = json.loads((checkpoint.newest(less) / checkpoint.SETTINGS).read_text())
    assert noted["batch"]["micro_batch_tokens"] is None
