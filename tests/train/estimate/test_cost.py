"""What a step costs: the bytes that autograd keeps and the work that was counted by hand."""

import pytest
import torch

from train import config
from train.adapter import lora
from train.adapter.lora import Vector
from train.data.sampler import Example
from train.estimate import cost
from train.model import base, losses, voxcpm


def example(text, patches, name="a", language="km"):
    return Example(name, language, (5,) * text, patches)


def test_the_published_configuration_costs_what_was_counted_for_it():
    meter = cost.CostModel(base.real_config(), config.Adapter(rank=64), torch.bfloat16)
    assert meter.base_bytes == pytest.approx(4.16e9, rel=0.01)  # shared/voxcpm2: bf16 without VAE and encoder
    assert meter.parameters == 36_175_872
    piece = meter.of([example(260, 50)] * 16)
    assert piece.step == pytest.approx(43.4e12, rel=0.03)  # the count for 16 clips of 8 s and 260 tokens
    rates = meter.rates(100, 50)
    assert rates.text == pytest.approx(6.9e9, rel=0.06)
    assert rates.patch == pytest.approx(16.0e9, rel=0.03)


@pytest.mark.parametrize("lengths", [[(12, 8)] * 4, [(30, 5), (8, 20), (60, 12)]])
def test_bytes_kept_are_those_that_autograd_keeps(tiny, lengths):
    settings, adapter = base.read_config(tiny), config.Adapter(rank=4)
    examples = [example(*each) for each in lengths]
    meter = cost.CostModel(settings, adapter, torch.float32)
    model = voxcpm.load(tiny, device="cpu", training=True).train()
    lora.attach(model, adapter)
    vector = Vector(model, adapter)
    batch, draws = meter.batch(examples)
    weights = {value.untyped_storage().data_ptr() for value in (*model.parameters(), *model.buffers())}
    weights.add(vector.parameter.untyped_storage().data_ptr())
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(value):
        kept[value.untyped_storage().data_ptr()] = value.untyped_storage()
        return value

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        found = losses.losses(model, batch, draws, vector.adapter(torch.float32))
    real = sum(storage.nbytes() for place, storage in kept.items() if place not in weights)
    assert found.diff.requires_grad
    assert meter.of(examples).kept == pytest.approx(real, rel=0.15)


def test_checkpointing_takes_less_memory_and_more_work(tiny):
    meter = cost.CostModel(base.read_config(tiny), config.Adapter(rank=4), torch.float32)
    plain, checkpointed = meter.peaks([example(60, 20)] * 4)
    assert checkpointed < 0.6 * plain
    rates = meter.rates(30, 10)
    assert rates.step(10, 10, checkpointing=True) / rates.step(10, 10, checkpointing=False) == pytest.approx(
        1.5, abs=0.1
    )


def test_an_average_of_the_adapter_is_counted_with_what_is_always_there(tiny):
    adapter = config.Adapter(rank=4)
    plain, averaged = (
        cost.CostModel(base.read_config(tiny), adapter, torch.float32, averaged=each) for each in (False, True)
    )
    assert averaged.fixed - plain.fixed == 4 * plain.parameters  # float32
    assert plain.fixed == plain.base_bytes + 16 * plain.parameters
