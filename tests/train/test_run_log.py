"""What a run writes as it goes: checkpoints and the best of them, sentences, losses on the board."""

import json

from train import finetune
from train.trainer import Step


def test_the_last_checkpoints_and_the_best_of_each_language_are_kept(make_run, monkeypatch):
    """Held-out losses are made up: Khmer is best at step 2, Korean at step 3."""
    from train import validation

    made_up = {0: (9, 9), 1: (5, 5), 2: (3, 4), 3: (4, 3), 4: (6, 6), 5: (5, 5), 6: (5, 4)}

    def validate(model, vector, data, run, step, world):
        km, ko = made_up[step]
        return validation.Validation(step, {"km": {"loss": km}, "ko": {"loss": ko}}), []

    monkeypatch.setattr(validation, "validate", validate)
    run = make_run("kept", "train.validate_every=1", "train.save_every=1", "train.keep=2")
    list(finetune.train(run))
    kept = sorted(int(path.name) for path in (run / "checkpoints").iterdir())
    assert kept == [2, 3, 5, 6]
    assert json.loads((run / "best.json").read_text()) == {"km": {"step": 2, "loss": 3}, "ko": {"step": 3, "loss": 3}}


def test_sentences_are_spoken_at_validations_and_losses_are_on_the_board(make_run):
    settings = ("samples={km=['ក', 'ខ'], ko=['네']}", "train.tensorboard=true", "train.steps=1")
    run = make_run("spoken", *settings)
    notes = [event for event in finetune.train(run) if isinstance(event, str)]
    spoken = sorted(str(path.relative_to(run / "samples")) for path in run.glob("samples/*/*.wav"))
    names = ("km-1.wav", "km-2.wav", "ko-1.wav")
    assert spoken == [f"{step}/{name}" for step in ("0000000", "0000001") for name in names]
    assert sum(note.startswith("spoken at step") for note in notes) == 6
    assert list((run / "tensorboard").iterdir())


def test_sentences_that_are_spoken_change_no_loss(make_run):
    runs = [
        make_run(name, "train.steps=2", "train.validate_every=1", *more)
        for name, more in (("quiet", []), ("spoken", ["samples={km=['ក']}"]))
    ]
    quiet, spoken = ([event.loss for event in finetune.train(run) if isinstance(event, Step)] for run in runs)
    assert quiet == spoken
