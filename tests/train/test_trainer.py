"""A step: its gradient, and what is said where its loss is no number."""

import pytest
import torch

from curate.errors import UserError
from tests.train import official
from tests.train.runs import returned
from train import config, finetune
from train.adapter import lora
from train.data import dataset, sampler
from train.model import base, inputs, voxcpm


def test_a_step_has_the_gradient_of_training_mode_also_after_a_validation(make_run):
    """FSQ rounds without a gradient in eval mode, where a validation leaves the model."""
    run = make_run("one", "train.steps=1", "optimizer.clip=1e9")
    *_, step, _, _ = finetune.train(run)
    assert step.gradient_norm == pytest.approx(gradient_norm(run, training=True), rel=1e-5)
    assert step.gradient_norm != pytest.approx(gradient_norm(run, training=False), rel=1e-3)


def gradient_norm(run, *, training):
    """Of the first step, done by hand with PEFT's own layers and VoxCPM's own forward pass."""
    settings = config.read(run)
    given = returned(dataset.prepare(dataset.survey(settings), "cpu"))
    model = voxcpm.load(base.find(settings.model), device="cpu")
    lora.attach(model, settings.adapter, seed=settings.train.seed)
    (_, chosen), *_ = sampler.EpochPlans(settings, given.train).remaining(sampler.BEGINNING, 1)
    _, sounds = given.batch(chosen)
    seeds = [dataset.training_seed(settings, 0, each) for each in chosen]
    draws = inputs.draw(seeds, sounds, unguided=model.feat_decoder.training_cfg_rate)
    sequences = official.Sequences(
        [list(each.text) for each in chosen], [each.latents for each in sounds], [None] * len(chosen)
    )
    sum(official.losses(model.train(training), sequences, draws, torch.float32)).backward()
    return float(torch.nn.utils.get_total_norm([each.grad for each in lora.parameters(model).values()]))


def test_a_loss_that_is_no_number_names_the_clips(make_run):
    run = make_run("wild", "optimizer.learning_rate=1e30", "train.validate_every=0")
    with pytest.raises(UserError, match=r"at step \d, on the clips k"):
        list(finetune.train(run))
