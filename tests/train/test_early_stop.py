"""A run that was told to stops where a language's held-out loss has risen again and again, and stays stopped."""

import pytest

from tests.train.runs import edit
from train import checkpoint, finetune, validation
from train.trainer import Step

USUAL = ("train.steps=8", "train.validate_every=1", "train.save_every=100")
MADE_UP = {0: 9, 1: 5, 2: 3, 3: 4, 4: 5, 5: 6, 6: 7, 7: 2, 8: 1}


@pytest.fixture
def made_up(monkeypatch):
    """Held-out losses of Khmer are made up, those of Korean always fall."""

    def validate(model, vector, data, run, step, world):
        losses = {"km": MADE_UP[step], "ko": 1 / (step + 1)}
        table = {name: {"loss": loss, "diff": loss, "stop": 0.0} for name, loss in losses.items()}
        return validation.Validation(step, table), []

    monkeypatch.setattr(validation, "validate", validate)


def steps_of(events):
    return [event.step for event in events if isinstance(event, Step)]


def test_it_is_off_by_default(make_run, made_up):
    assert steps_of(finetune.train(make_run("a", *USUAL))) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_it_stops_after_a_checkpoint_says_why_and_stays_stopped(make_run, made_up):
    run = make_run("a", *USUAL, "train.stop_after_rises=2")
    events = list(finetune.train(run))
    assert steps_of(events) == [1, 2, 3, 4]
    why = "held-out loss of km has risen for 2 validations; best at step 2: stopped at step 4 of 8"
    assert f"{why} (train.stop_after_rises)" in events
    assert events[-1] == finetune.Finished(4, checkpoint.path_of(run, 4))
    assert checkpoint.newest(run).name == "0000004"
    again = list(finetune.train(run))
    assert again == [f"{why} (train.stop_after_rises)", finetune.Finished(4, checkpoint.path_of(run, 4))]
    edit(run, "stop_after_rises = 2", "stop_after_rises = 3")
    assert steps_of(finetune.train(run)) == [5]  # the third
    edit(run, "stop_after_rises = 3", "stop_after_rises = 0")
    assert steps_of(finetune.train(run)) == [6, 7, 8]


def test_a_kill_between_the_validation_and_its_checkpoint_changes_nothing(make_run, made_up):
    run = make_run("a", *USUAL, "train.stop_after_rises=2", "train.save_every=3")
    events = finetune.train(run)
    for event in events:
        if isinstance(event, validation.Validation) and event.step == 4:
            break
    events.close()
    assert checkpoint.newest(run).name == "0000003"
    assert steps_of(finetune.train(run)) == [4]
    assert checkpoint.newest(run).name == "0000004"


def test_a_last_step_that_rises_is_the_end_as_any(make_run, made_up):
    events = list(finetune.train(make_run("a", *USUAL, "train.steps=4", "train.stop_after_rises=2")))
    assert "stop_after_rises" not in str(events)
    assert isinstance(events[-1], finetune.Finished)
