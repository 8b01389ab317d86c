"""Held-out losses: whole, fixed, paired, and the same however they are computed."""

import json
import math

import pytest
import torch

from tests.train import official
from tests.train.runs import returned
from train import config, validation
from train.adapter import lora
from train.adapter.lora import Vector
from train.data import dataset, sampler
from train.model import base, inputs, losses, voxcpm


@pytest.fixture(scope="module")
def held_out(make_run_of_module, make_corpus_of_module):
    """A run whose corpus has four held-out clips a language, and its data."""
    run = config.read(make_run_of_module("run", "adapter.rank=4", source=make_corpus_of_module(each=20)))
    return run, returned(dataset.prepare(dataset.survey(run), "cpu"))


def trained(run, **adapter):
    """A model whose adapter is no longer zero, as after some steps, unless `fresh`."""
    settings = {"rank": 4} | {key: value for key, value in adapter.items() if key != "fresh"}
    model = voxcpm.load(base.find(run.model), device="cpu", training=True)
    lora.attach(model, config.Adapter(**settings), seed=settings["rank"])
    vector = Vector(model, config.Adapter(**settings))
    if not adapter.get("fresh"):
        with torch.no_grad():
            vector.parameter += 0.05 * torch.randn(len(vector.parameter), generator=torch.Generator().manual_seed(0))
    return model, vector


def settings_of(run, **batch_and_train):
    both = {"batch": run.batch.model_dump(), "train": run.train.model_dump()}
    for name, value in batch_and_train.items():
        both["batch" if name in both["batch"] else "train"][name] = value
    return run.model_copy(
        update={"batch": config.BatchSettings(**both["batch"]), "train": config.Train(**both["train"])}
    )


def test_the_whole_held_out_set_is_taken_and_each_clip_kept(held_out):
    run, given = held_out
    event, held = validation.validate(*trained(run), given, run, 5)
    assert [each.id for each in held] == sorted(each.id for each in given.validation)
    assert {name: values["clips"] for name, values in event.languages.items()} == {"km": 4, "ko": 4}
    validation.write(run.into, 5, held)
    assert validation.read(run.into, 5) == held
    line = json.loads((run.into / "validation" / "0000005.jsonl").read_text().splitlines()[0])
    assert line.keys() == {"id", "language", "patches", "diff", "stop"}


@pytest.mark.parametrize("adapter", [{}, {"dropout": 0.5}])
def test_it_is_identical_twice(held_out, adapter):
    run, given = held_out
    model, vector = trained(run, **adapter)
    first = validation.validate(model, vector, given, run, 5)
    torch.rand(3)
    model.train()
    assert validation.validate(model, vector, given, run, 5) == first


def test_step_0_is_the_base_model_bit_for_bit_whatever_the_rank(held_out):
    run, given = held_out
    found = [
        validation.validate(*trained(run, rank=rank, fresh=True), given, settings_of(run, seed=rank), 0)
        for rank in (2, 8)
    ]
    assert found[0] == found[1]
    event, held = found[0]
    assert "change" not in event.languages["km"]
    assert {each.id: (each.diff, each.stop) for each in held} == base_losses(run, given)


def base_losses(run, given):
    """By hand, of the model without an adapter, in the same pieces."""
    model = voxcpm.load(base.find(run.model), device="cpu").eval()
    found = {}
    for piece in sampler.in_order(given.validation, tokens=run.batch.tokens):
        examples = [given.validation[position] for position in piece]
        batch, sounds = given.batch(examples)
        draws = inputs.draw([inputs.seed_of("validation", 0, each.id) for each in examples], sounds, unguided=0)
        with torch.no_grad():
            lost = losses.losses(model, batch, draws, {})
        for row, each in enumerate(examples):
            own = [float(part[batch.clip == row].double().sum() / each.patches) for part in lost]
            found[each.id] = tuple(own)
    return found


@pytest.mark.parametrize("change", [{"tokens": 10}, {"micro_batch_tokens": 60}, {"tokens": 5000}])
def test_it_does_not_depend_on_what_is_computed_together(held_out, change):
    run, given = held_out
    model, vector = trained(run)
    _, usual = validation.validate(model, vector, given, run, 5)
    _, other = validation.validate(model, vector, given, settings_of(run, **change), 5)
    for mine, theirs in zip(usual, other, strict=True):
        assert mine.loss == pytest.approx(theirs.loss, rel=1e-6)


def test_it_is_the_mean_of_the_official_losses_of_all_its_draws(held_out):
    run, given = held_out
    model, vector = trained(run)
    _, held = validation.validate(model, vector, given, settings_of(run, validation_draws=3), 5)
    example, mine = given.validation[0], next(each for each in held if each.id == given.validation[0].id)
    _, sounds = given.batch([example])
    sequence = official.Sequences([list(example.text)], [sounds[0].latents], [None])
    parts = []
    for number in range(3):
        draws = inputs.draw([inputs.seed_of("validation", number, example.id)], sounds, unguided=0)
        assert draws.guided.all()
        with torch.no_grad():
            parts.append(official.losses(model.eval(), sequence, draws, torch.float32))
    assert mine.diff == pytest.approx(sum(float(diff) for diff, _ in parts) / 3, rel=1e-5)
    assert mine.stop == pytest.approx(sum(float(stop) for _, stop in parts) / 3, rel=1e-5)


def test_the_language_models_are_asked_once_whatever_is_drawn(held_out, monkeypatch):
    run, given = held_out
    asked, states = [], losses.states

    def counted(model, batch, *words):
        asked.append(batch)
        return states(model, batch, *words)

    monkeypatch.setattr(losses, "states", counted)
    model, vector = trained(run)
    validation.validate(model, vector, given, settings_of(run, validation_draws=3, micro_batch_tokens=60), 5)
    assert len(asked) == len(sampler.in_order(given.validation, tokens=60)) > 1


def test_the_rate_of_guidance_makes_no_difference(held_out):
    run, given = held_out
    model, vector = trained(run)
    first = validation.validate(model, vector, given, run, 5)
    model.feat_decoder.training_cfg_rate = 0.9
    assert validation.validate(model, vector, given, run, 5) == first


def test_draws_are_other_ones_for_other_clips_and_the_same_in_other_runs(held_out):
    run, given = held_out
    model, vector = trained(run)
    first = validation.validate(model, vector, given, run, 5)
    assert validation.validate(model, vector, given, settings_of(run, seed=7), 5) == first
    seeds = {dataset.validation_seed(draw, each) for draw in range(2) for each in given.validation}
    assert len(seeds) == 2 * len(given.validation)


def test_the_change_from_zero_shot_is_paired_and_weighted_by_patches(held_out):
    """By hand: the mean over patches of clips' changes, and 1.96 standard errors of that ratio."""
    run, given = held_out
    _, before = validation.validate(*trained(run, fresh=True), given, run, 0)
    validation.write(run.into, 0, before)
    event, after = validation.validate(*trained(run), given, run, 5)
    for language, values in event.languages.items():
        pairs = [(b, a) for b, a in zip(before, after, strict=True) if a.language == language]
        weights = [a.patches for _, a in pairs]
        changes = [a.diff + a.stop - b.diff - b.stop for b, a in pairs]
        mean = sum(map(math.prod, zip(weights, changes, strict=True))) / sum(weights)
        residuals = [weight * (change - mean) for weight, change in zip(weights, changes, strict=True)]
        error = math.sqrt(sum(each**2 for each in residuals) * 4 / 3) / sum(weights)
        assert values["change"] == pytest.approx(mean, rel=1e-9)
        assert (values["low"], values["high"]) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), rel=1e-9)
        loss = sum(each.loss * each.patches for _, each in pairs) / sum(weights)
        assert values["loss"] == pytest.approx(loss, rel=1e-9) == values["diff"] + values["stop"]


@pytest.mark.parametrize("text", ['{"id": 5}', "null", "[1", '{"id": "a"}', b"\xff", "5"])
def test_damaged_losses_are_compared_with_nothing_and_named(tmp_path, caplog, text):
    (tmp_path / "validation").mkdir()
    path = tmp_path / "validation" / "0000000.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert validation.read(tmp_path, 0) == []
    assert f"{path} is damaged: nothing is compared with it" in caplog.text


def test_lines_of_metrics_that_are_no_validation_are_passed_over(tmp_path):
    whole = {"step": 3, "languages": {"km": {"loss": 1.0, "diff": 0.5, "stop": 0.5}}}
    odd = [{"step": 0}, {"step": 1, "languages": 5}, {"step": 2, "languages": {"km": {}}}]
    lines = [*odd, {"step": 2, "loss": 1.0, "languages": {"km": 1.0}}, whole]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert validation.written(tmp_path) == [validation.Validation(3, whole["languages"])]
