"""AdamW over one vector: two rates are those of two groups, the average is that of its formula; the rate falls."""

import pytest
import torch

from train import config
from train.adapter import lora
from train.model import base, voxcpm
from train.optimizer import Optimizer, learning_rate

STEPS = 12


@pytest.fixture(scope="module")
def bare(tiny):
    return base.read_config(tiny)


def vector_of(bare, kind=torch.float32):
    """An adapter of the tiny model, no weight of which is zero."""
    model = voxcpm.build(bare, device="cpu")
    lora.attach(model, config.Adapter(rank=2), seed=3)
    drawn = torch.Generator().manual_seed(1)
    for value in lora.parameters(model).values():
        value.data = torch.randn(value.shape, generator=drawn)
    return lora.Vector(model, config.Adapter(rank=2), kind)


def gradients(vector):
    """The same ones for each step."""
    drawn = torch.Generator().manual_seed(2)
    return [torch.randn(vector.parameter.shape, generator=drawn, dtype=vector.parameter.dtype) for _ in range(STEPS)]


def taken(vector, settings, first=1, optimizer=None):
    """Steps taken from the `first` on; yields the weights after each."""
    optimizer = optimizer or Optimizer(vector, settings)
    for number, gradient in enumerate(gradients(vector), start=1):
        if number >= first:
            vector.parameter.grad = gradient.clone()
            optimizer.step(settings.learning_rate / number, number)
            yield optimizer, vector.parameter.detach().clone()


@pytest.mark.parametrize("ratio", [1.0, 16.0, 0.5])
def test_two_rates_are_adamw_with_two_groups_of_tensors(bare, ratio):
    settings = config.Optimizer(learning_rate=0.1, weight_decay=0.3, loraplus_ratio=ratio)
    vector = vector_of(bare)
    theirs = [torch.nn.Parameter(piece.clone()) for piece in vector.pieces(vector.parameter.detach())]
    halves = [[one for one, name in zip(theirs, vector.names, strict=True) if name.endswith(half)] for half in "AB"]
    judge = torch.optim.AdamW([{"params": half} for half in halves], weight_decay=0.3)
    for number, ((_, weights), gradient) in enumerate(
        zip(taken(vector, settings), gradients(vector), strict=True), start=1
    ):
        for one, piece in zip(theirs, vector.pieces(gradient), strict=True):
            one.grad = piece.clone()
        for group, times in zip(judge.param_groups, (1, ratio), strict=True):
            group["lr"] = 0.1 / number * times
        judge.step()
        flat = torch.cat([one.detach().reshape(-1) for one in theirs])
        torch.testing.assert_close(weights, flat, rtol=1e-5, atol=1e-6)


def test_the_average_follows_the_weights_as_its_decay_says(bare):
    settings = config.Optimizer(learning_rate=0.1, ema_decay=0.5)
    vector = vector_of(bare, torch.float64)
    average = vector.parameter.detach().clone()
    for number, (optimizer, weights) in enumerate(taken(vector, settings), start=1):
        decay = min(0.5, (1 + number) / (10 + number))
        average = decay * average + (1 - decay) * weights
        with optimizer.averaged():
            torch.testing.assert_close(vector.parameter.detach(), average, rtol=1e-12, atol=1e-12)
        assert torch.equal(vector.parameter.detach(), weights)
    assert not torch.allclose(average, weights)


@pytest.mark.parametrize("ratio", [1.0, 16.0])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_step_that_is_refused_moves_neither_weights_nor_average_nor_moments(bare, ratio, bad):
    settings = config.Optimizer(learning_rate=0.1, weight_decay=0.3, loraplus_ratio=ratio, ema_decay=0.9)
    vector = vector_of(bare)
    optimizer = Optimizer(vector, settings)
    steps = gradients(vector)
    for number, gradient in enumerate(steps[:3], start=1):
        vector.parameter.grad = gradient.clone()
        optimizer.step(0.1, number, torch.tensor(False))
    before = copied(optimizer)
    vector.parameter.grad = torch.full_like(steps[3], bad)
    optimizer.step(0.1, 4, torch.tensor(True))
    assert same(before, copied(optimizer))
    vector.parameter.grad = steps[3].clone()
    optimizer.step(0.1, 4, torch.tensor(False))  # no refusal sticks
    other = vector_of(bare)
    never_refused = Optimizer(other, settings)
    for number, gradient in enumerate(steps[:4], start=1):
        other.parameter.grad = gradient.clone()
        never_refused.step(0.1, number)
    assert same(copied(optimizer), copied(never_refused))
    assert not same(before, copied(optimizer))


def copied(optimizer):
    """All that an optimizer holds: step and moments, weights, average."""
    table = optimizer.state_dict()
    held = [*table["state"][0].values(), table["vector"], table["average"]]
    return [value.clone() for value in held]


def same(one, other):
    return all(torch.equal(first, second) for first, second in zip(one, other, strict=True))


def test_without_a_decay_there_is_no_average(bare):
    vector = vector_of(bare)
    optimizer, weights = list(taken(vector, config.Optimizer()))[-1]
    with optimizer.averaged():
        assert torch.equal(vector.parameter.detach(), weights)
    assert optimizer.state_dict().keys() == {"state"}


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("ratio", [1.0, 16.0])
@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_steps_after_a_save_are_those_without_one_to_the_bit(bare, kind, ratio, decay, tmp_path):
    settings = config.Optimizer(learning_rate=0.1, loraplus_ratio=ratio, ema_decay=decay)
    vector = vector_of(bare, kind)
    whole = taken(vector, settings)
    for _ in range(5):
        optimizer, weights = next(whole)
    torch.save(optimizer.state_dict(), tmp_path / "state")
    saved = torch.load(tmp_path / "state", weights_only=True)
    again = vector_of(bare, kind)
    resumed = Optimizer(again, settings)
    if "vector" not in saved:  # then the adapter's own file has it
        again.parameter.data.copy_(weights)
    resumed.load_state_dict(saved)
    for (first, mine), (second, theirs) in zip(whole, taken(again, settings, 6, resumed), strict=True):
        assert torch.equal(mine, theirs)
        with first.averaged(), second.averaged():
            assert torch.equal(vector.parameter, again.parameter)


def test_a_state_in_torchs_own_form_is_read_as_earlier_versions_wrote_it(bare):
    vector = vector_of(bare)
    plain = torch.optim.AdamW([vector.parameter], lr=0.1)
    vector.parameter.grad = gradients(vector)[0]
    plain.step()
    for ratio in (1.0, 16.0):
        mine = Optimizer(vector, config.Optimizer(loraplus_ratio=ratio))
        mine.load_state_dict(plain.state_dict())
        state = mine.state_dict()["state"][0]
        assert torch.equal(state["exp_avg"], plain.state[vector.parameter]["exp_avg"])
        assert state["step"] == 1


def test_inside_silence_the_adapter_adds_nothing_and_is_itself_after(bare):
    vector = vector_of(bare)
    before = vector.parameter.detach().clone()
    with vector.silenced():
        pairs = vector.adapter(torch.float32).values()
        assert all(not high.any() and low.any() for low, high, *_ in pairs)
    assert torch.equal(vector.parameter.detach(), before)


def test_the_rate_warms_up_then_falls_and_never_climbs():
    settings = config.Optimizer(warmup_steps=10)
    rates = [learning_rate(step, 200, settings) for step in range(1, 400)]
    assert rates[9] == max(rates) == pytest.approx(1e-4)
    assert rates[:10] == sorted(rates[:10])
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] == pytest.approx(1e-5)


def test_a_short_run_warms_up_for_a_tenth_of_it():
    rates = [learning_rate(step, 20, config.Optimizer()) for step in range(1, 21)]
    assert max(rates) == rates[1]
