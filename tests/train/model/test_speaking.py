"""What a model says: as the official loader says it, for as long as its text, and leaving a training as it was."""

import contextlib

import numpy as np
import pytest
import torch

from train.model import speaking, voxcpm


def test_what_speaks_is_brought_over_and_put_back(tiny):
    class Part(torch.nn.Linear):
        def __init__(self):
            super().__init__(1, 1)
            self.moves = []

        def to(self, place):
            self.moves.append(str(place))
            return self

    class Model(torch.nn.Module):
        device = "cuda"

        def __init__(self):
            super().__init__()
            self.audio_vae, self.feat_encoder = Part(), Part()

    model = Model().train()
    with contextlib.suppress(ZeroDivisionError), speaking.ready_to_speak(model):
        assert not model.training
        assert model.audio_vae.moves == model.feat_encoder.moves == ["cuda"]
        raise ZeroDivisionError
    assert model.training
    assert model.audio_vae.moves == model.feat_encoder.moves == ["cuda", "cpu"]


def test_after_training_it_speaks_what_the_official_loader_speaks_with_the_saved_adapter(make_run, tiny, tmp_path):
    from train import finetune
    from train.adapter import lora
    from train.export import adapter as exporting
    from train.export import say

    run = make_run("run", "train.steps=3", "train.validate_every=0")
    list(finetune.train(run))
    place = exporting.export(run, "voxcpm", tmp_path / "adapter")
    ours, rate = say.say(run, "ko", "네", device="cpu", seed=3)
    sentence = say.tagged(lora.load(place), "ko", "네")
    theirs, their_rate, _ = speaking.speak_official(tiny, place, sentence, seed=3)
    assert rate == their_rate == 48000
    assert np.array_equal(ours, theirs)
    base, _ = speaking.speak(voxcpm.load(tiny, device="cpu"), sentence, seed=3)
    assert base.shape != ours.shape or not np.allclose(base, ours)


def test_speaking_between_steps_leaves_the_model_and_the_draws_as_they_were(tiny):
    model = voxcpm.load(tiny, device="cpu", training=True).train()
    caches = [lm.kv_cache for lm in (model.base_lm, model.residual_lm)]
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with speaking.ready_to_speak(model):
        first = speaking.speak(model, "ab", seed=1)[0]
    assert torch.equal(torch.rand(3), expected)
    assert model.training
    assert [lm.kv_cache for lm in (model.base_lm, model.residual_lm)] == caches
    with speaking.ready_to_speak(model):
        assert np.array_equal(speaking.speak(model, "ab", seed=1)[0], first)


def test_a_runaway_is_stopped_by_the_length_of_its_text(tiny):
    model = voxcpm.load(tiny, device="cpu")
    with torch.no_grad():
        model.stop_head.weight.zero_()  # argmax of equals is 0: it never stops by itself
    samples, rate = speaking.speak(model, "ab", seed=0)
    assert len(samples) / rate == pytest.approx(2 * speaking.SECONDS_PER_CHARACTER + speaking.SPARE_SECONDS, abs=0.17)
