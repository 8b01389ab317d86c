"""A base in 4 bits: exactly a model whose weights are what its codes stand for, forward and back, and nothing else."""

import pytest
import torch
from functorch.compile import min_cut_rematerialization_partition

from tests.train import official
from tests.train.model.test_layers import Counting
from tests.train.model.test_losses import BOTH, SETTINGS, SIZES, ours
from train import config
from train.adapter import lora
from train.estimate import cost
from train.model import base, layers, losses, nf4, quantized, speaking, voxcpm

pytest.importorskip("bitsandbytes", reason="a base in 4 bits needs bitsandbytes: pip install bitsandbytes")

DROPPING = BOTH | {"dropout": 0.3}
PUBLISHED = 1_906_311_168  # weights of q, k, v, o, gate, up and down of the three transformers, by its configuration


def adapted(tiny, settings, dtype):
    """A model in 4 bits in training mode, whose adapter has a B that is not zero, and the adapter as one vector."""
    model = voxcpm.load(tiny, device="cpu", dtype=dtype, training=True, quantization="nf4")
    lora.attach(model, config.Adapter(**settings), seed=1)
    for number, (name, value) in enumerate(lora.parameters(model).items()):
        if name.endswith(".lora_B"):
            value.data.normal_(std=0.1, generator=torch.Generator().manual_seed(number))
        value.data = value.data.to(torch.promote_types(dtype, torch.float32))
    return model.train(), official.vector(model, settings)


def dequantized(model):
    """The same model with plain layers, whose weights are what its codes stand for."""
    for parent, names in quantized.groups(model):
        for name in names:
            layer = getattr(parent, name)
            inner = getattr(layer, "base_layer", layer)
            plain = torch.nn.Linear(inner.in_features, inner.out_features, bias=False, device="meta")
            plain.weight = torch.nn.Parameter(inner.weight.clone(), requires_grad=False)
            if layer is inner:
                setattr(parent, name, plain)
            else:
                layer.base_layer = plain
    assert not [each for each in model.modules() if isinstance(each, quantized.Matrix)]
    return model


@pytest.fixture(scope="module")
def pair(tiny):
    """The model in 4 bits with its adapter, and the same with plain layers; made once for each adapter."""
    made = {}

    def get(settings, dtype=torch.float64):
        key = str(settings), dtype
        if key not in made:
            mine, plain = (adapted(tiny, settings, dtype) for _ in range(2))
            made[key] = (mine, (dequantized(plain[0]), plain[1]))
        return made[key]

    return get


def both(pair, given, how=None):
    """Losses of each patch and gradients of the two, on the same draws and the same dropout."""
    found, draws = [], official.draws(given)
    for model, vector in pair:
        torch.manual_seed(0)
        found.append(ours(model, vector, [given], draws, how))
    return found


def equal(mine, plain):
    assert torch.equal(mine[0], plain[0])
    for name, value in plain[1].items():
        assert torch.equal(mine[1][name], value), name
    return True


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_losses_and_gradients_are_those_of_its_own_dequantized_base(pair, sizes, checkpointing):
    given = official.sequences(*SIZES[sizes])
    assert equal(*both(pair(BOTH), given, losses.ComputeOptions(checkpointing)))


@pytest.mark.parametrize(
    ("settings", "dtype"),
    [
        (SETTINGS["everything"], torch.float64),
        (SETTINGS["everything"], torch.float32),
        (SETTINGS["everything"], torch.bfloat16),
        (SETTINGS["lm"], torch.float64),
        (SETTINGS["dit"], torch.float64),
        (DROPPING, torch.float64),
    ],
    ids=["everything", "everything, float32", "everything, bfloat16", "lm", "dit", "dropout"],
)
def test_they_are_in_every_precision_and_whatever_is_adapted(pair, settings, dtype):
    given = official.sequences((5, 6, 0), (12, 9, 3), dtype=dtype)
    assert equal(*both(pair(settings, dtype), given))


def saved_and_found(parts, layer, hidden):
    """Shapes that a layer keeps for the way back, what it returns, and the gradient of its input."""
    kept, inputs = [], hidden.clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(
        lambda value: kept.append(tuple(value.shape)) or value, lambda value: value
    ):
        query, key, value = parts[0](layer, *layers._sized(inputs, None))
        out = parts[1](layer, *layers._sized(inputs, query.flatten(1)))
    (gradient,) = torch.autograd.grad(out.sum() + key.sum() + value.sum(), inputs)
    return kept, out.detach(), gradient


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")  # dynamo's
def test_compiled_a_layer_is_as_few_graphs_and_no_matrix_is_kept_for_the_way_back(pair, monkeypatch):
    """Only codes: a compiler that made the matrix once for both ways would keep the whole base, and not in 4 bits."""
    (model, vector), _ = pair(BOTH)
    shapes = {tuple(each.shape) for each in model.modules() if isinstance(each, quantized.Matrix)}
    layer = layers._read(model.base_lm.layers[0], "base_lm.layers.0", vector.adapter(torch.float64))
    counting, partition = Counting(), min_cut_rematerialization_partition  # inductor's own
    monkeypatch.setattr(layers, "BACKEND", counting.backend(partition_fn=partition))
    layers._compiled.cache_clear()
    torch._dynamo.reset()
    try:
        for positions in (7, 12, 30):
            hidden = torch.randn(positions, 64, dtype=torch.float64)
            kept, out, gradient = saved_and_found((layers._project, layers._finish), layer, hidden)
            kept_compiled, same, same_gradient = saved_and_found(layers._compiled(), layer, hidden)
            assert not shapes & {*kept, *kept_compiled}
            assert torch.allclose(same, out, rtol=1e-12)
            assert torch.allclose(same_gradient, gradient, rtol=1e-12)
        assert counting.graphs == [2, 2]
    finally:
        layers._compiled.cache_clear()
        torch._dynamo.reset()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("shape", [(64, 32), (300, 128), (5, 64)])
def test_codes_stand_for_weights_a_tenth_away(shape, dtype):
    """Of a normal distribution: the root mean square error is 9.2 % of a weight's, and of none half a gap of levels."""
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    stored = nf4.quantized(matrix)
    found = nf4.dense(stored, shape, dtype)
    assert found.dtype is dtype
    assert found.shape == shape
    assert float((found - matrix).norm() / matrix.norm()) == pytest.approx(0.092, abs=0.006)
    largest = matrix.float().view(-1, nf4.BLOCK).abs().amax(dim=1, keepdim=True)
    away = (found.float() - matrix.float()).view(-1, nf4.BLOCK).abs() / largest
    assert float(away.max()) < 0.2  # the widest gap is 0.30 of the scale, scales are a few per cent off, too
    assert torch.equal(nf4.dense(stored, shape, dtype, back=True), found)
    assert len(stored.codes) == matrix.numel() // 2


def test_a_layer_speaks_as_training_computes(tiny):
    """q, k and v, which lie in one matrix, are each their own rows of it; the model speaks, with an adapter on it."""
    model = voxcpm.load(tiny, device="cpu", training=True, quantization="nf4")
    attention = model.base_lm.layers[0].self_attn
    inputs = torch.randn(3, attention.q_proj.in_features)
    apart = [layer(inputs) for layer in (attention.q_proj, attention.k_proj, attention.v_proj)]
    together = layers.apply(layers.projection(attention, layers.TOGETHER[0][1], {}), inputs)
    assert all(torch.equal(one, other) for one, other in zip(apart, together, strict=True))
    lora.attach(model, config.Adapter(rank=4), seed=1)
    with speaking.ready_to_speak(model):
        samples, rate = speaking.speak(model, "(Khmer)ក", seed=0)
    assert rate == 48000
    assert len(samples)


def test_embeddings_norms_and_what_stands_between_the_models_stay_as_they_are(tiny):
    mine, plain = (voxcpm.load(tiny, device="cpu", training=True, quantization=name) for name in ("nf4", "none"))
    left = dict(mine.named_parameters())
    others = {name: value for name, value in plain.named_parameters() if name in left}
    assert left.keys() == others.keys()
    assert all(torch.equal(value, others[name]) for name, value in left.items())
    gone = {name.split(".")[-2] for name, _ in plain.named_parameters() if name not in left}
    assert gone == set(config.MODULES)
    assert "feat_encoder.encoder.layers.0.self_attn.q_proj.weight" in left  # its outputs lie on disk


def test_the_count_of_its_bytes_is_that_of_the_real_thing(tiny):
    real = voxcpm.load(tiny, device="cpu", dtype=torch.bfloat16, training=True, quantization="nf4")
    settings, adapter = base.read_config(tiny), config.Adapter(rank=4)
    plain, counted = (cost.CostModel(settings, adapter, torch.bfloat16, quantization=name) for name in ("none", "nf4"))
    weights = sum(each.shape.numel() for each in real.modules() if isinstance(each, quantized.Matrix))
    assert plain.base_bytes - counted.base_bytes == 2 * weights - quantized.stored_bytes(real)
    piece = [cost.Example("a", "km", (5,) * 12, 8)] * 4
    assert counted.of(piece).kept == plain.of(piece).kept  # codes are kept already, matrices are not


def test_of_the_published_model_it_leaves_a_third():
    counted = cost.CostModel(base.real_config(), config.Adapter(rank=64), torch.bfloat16, quantization="nf4")
    plain = 4.1646e9
    assert counted.base_bytes == pytest.approx(plain - PUBLISHED * (2 - 4.127 / 8), rel=1e-3)
    assert counted.base_bytes < plain / 3
