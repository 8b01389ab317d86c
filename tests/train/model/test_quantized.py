"""A base in 4 bits: exactly a model whose weights are what its codes stand for, forward and back, and nothing kept."""

import pytest
import torch

from tests.train import official
from tests.train.model.test_losses import SETTINGS, SIZES, ours
from train import config
from train.adapter import lora
from train.model import layers, losses, quantized, voxcpm

pytest.importorskip("bitsandbytes", reason="a base in 4 bits needs bitsandbytes: pip install bitsandbytes")


def adapted(tiny, settings, dtype, quantization="nf4", device="cpu"):
    """A model in training mode whose adapter has a B that is not zero, and the adapter as one vector."""
    model = voxcpm.load(tiny, device=device, dtype=dtype, training=True, quantization=quantization)
    lora.attach(model, config.Adapter(**settings), seed=1)
    for number, (name, value) in enumerate(lora.parameters(model).items()):
        if name.endswith(".lora_B"):
            value.data.normal_(std=0.1, generator=torch.Generator().manual_seed(number))
        value.data = value.data.to(torch.promote_types(dtype, torch.float32))
    return model.train(), official.vector(model, settings)


def dequantized(model):
    """The same model with plain layers, whose weights are what its codes stand for."""
    for parent, names in quantized._groups(model):
        for name in names:
            layer = getattr(parent, name)
            inner = layers._base(layer)
            plain = torch.nn.Linear(inner.in_features, inner.out_features, bias=inner.bias is not None, device="meta")
            plain.weight = torch.nn.Parameter(inner.weight.clone(), requires_grad=False)
            plain.bias = inner.bias
            if layer is inner:
                setattr(parent, name, plain)
            else:
                layer.base_layer = plain
    return model


@pytest.fixture(scope="module")
def pair(tiny):
    """The model in 4 bits with its adapter, and the same with plain layers, for each setting of the adapter."""
    made = {}

    def get(name, settings=None, dtype=torch.float64):
        if name not in made:
            mine, plain = (adapted(tiny, settings or SETTINGS[name], dtype) for _ in range(2))
            made[name] = (mine, (dequantized(plain[0]), plain[1]))
        return made[name]

    return get


def both(pair, given, draws, how=None):
    return tuple(ours(model, vector, [given], draws, how) for model, vector in pair)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("settings", ["both", "everything"])
def test_losses_and_gradients_are_those_of_its_own_dequantized_base(pair, sizes, checkpointing, settings):
    given = official.sequences(*SIZES[sizes])
    mine, plain = both(pair(settings), given, official.draws(given), losses.ComputeOptions(checkpointing))
    assert torch.equal(mine[0], plain[0])
    for name, value in plain[1].items():
        assert torch.equal(mine[1][name], value), name
