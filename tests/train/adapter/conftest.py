"""An adapter of the tiny model as if it had been trained, shared by the tests of adapters."""

import json

import pytest
import torch

from train.adapter import lora
from train.config import Adapter
from train.model import base, voxcpm


def made(tiny, adapter: Adapter) -> lora.Saved:
    """An adapter as if it had been trained: no B is zero."""
    model = voxcpm.on_meta(base.read_config(tiny))
    lora.attach(model, adapter)
    draw = torch.Generator().manual_seed(0)
    weights = {name: 0.3 * torch.randn(value.shape, generator=draw) for name, value in lora.parameters(model).items()}
    return lora.Saved(weights, adapter, str(tiny), {"km": "(Khmer)"}, None, {"km": "spoken"})


@pytest.fixture(scope="module")
def trained(tiny):
    return made(tiny, Adapter(rank=4))


def edited(path, change):
    """Change a table of JSON in place."""
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))
