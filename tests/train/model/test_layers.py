"""One layer: folded attention, weights end to end, few graphs for the compiler; all of it exact."""

import random

import pytest
import torch
from functorch.compile import make_boxed_func
from torch._dynamo.backends.common import aot_autograd

from tests.train import official
from tests.train.model.test_losses import BOTH, SIZES, ours
from train.model import layers, losses, ops, voxcpm

ODD = [[(4, 1, 0)], [(5, 2, 0)], [(3, 7, 0)] * 3]  # one patch of one clip; two; pieces that fill their rectangle


def epoch(seed, count):
    """Pieces as an epoch has them: any number of clips, of any length, some after a voice."""
    drawn = random.Random(seed)
    return [
        [
            (drawn.randrange(2, 20), drawn.randrange(1, 12), drawn.choice([0, 0, 3]))
            for _ in range(drawn.randrange(1, 5))
        ]
        for _ in range(count)
    ]


class Counting:
    """A compiler that compiles nothing and counts the graphs it is given: forward and backward."""

    def __init__(self):
        self.graphs = [0, 0]

    def backend(self, **how):
        def counted(which):
            def compiler(graph, _):
                self.graphs[which] += 1
                return make_boxed_func(graph)

            return compiler

        return aot_autograd(fw_compiler=counted(0), bw_compiler=counted(1), **how)


@pytest.fixture
def counting(monkeypatch):
    found = Counting()
    monkeypatch.setattr(layers, "BACKEND", found.backend())
    layers._compiled.cache_clear()
    torch._dynamo.reset()
    yield found
    layers._compiled.cache_clear()
    torch._dynamo.reset()


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"
)  # dynamo's own
@pytest.mark.parametrize("checkpointing", [False, True])
def test_six_graphs_serve_an_epoch_and_are_exact(tiny, counting, checkpointing):
    """At most eight are allowed: past torch's limit of that many, layers would run uncompiled, and nothing says so."""
    model = official.adapted(tiny, BOTH, torch.float64)
    vector = official.vector(model, BOTH)
    for sizes in [*SIZES.values(), *ODD, *epoch(0, 3 if checkpointing else 12)]:
        given = official.sequences(*sizes)
        draws = official.draws(given)
        plain, gradients = ours(model, vector, [given], draws)
        options = losses.ComputeOptions(checkpointing=checkpointing, compiled=True)
        compiled, others = ours(model, vector, [given], draws, options)
        assert torch.allclose(compiled, plain, rtol=1e-10, atol=0)
        for name, value in gradients.items():
            assert (others[name] - value).norm() <= 1e-10 * value.norm(), name
        assert max(counting.graphs) <= 6


def rectangle_attention(query, key, value, rows, length):
    """Head by head and row by row, in plain products."""
    keys = key.shape[1]
    query, key, value = (each.view(rows, length, *each.shape[1:]).transpose(1, 2) for each in (query, key, value))
    key, value = (each.repeat_interleave(query.shape[1] // keys, dim=1) for each in (key, value))
    weights = torch.softmax(query @ key.transpose(2, 3) / query.shape[-1] ** 0.5, dim=-1)
    return (weights @ value).transpose(1, 2).reshape(rows * length, -1)


@pytest.mark.parametrize(("heads", "keys", "rows"), [(16, 2, 5), (4, 4, 3), (4, 1, 1)])
def test_heads_folded_into_the_sequence_attend_as_they_do_apart(heads, keys, rows):
    generator = torch.Generator().manual_seed(heads)
    given = [
        torch.randn(rows * 11, number, 16, generator=generator, dtype=torch.float64, requires_grad=True)
        for number in (heads, keys, keys)
    ]
    upstream = torch.randn(rows * 11, heads * 16, generator=generator, dtype=torch.float64)
    folded = ops.flat_heads(layers._attention(*given, layers.Rectangle(rows, 11, None, causal=False)))
    apart = rectangle_attention(*given, rows, 11)
    assert torch.allclose(folded, apart, rtol=1e-12, atol=1e-13)
    for mine, other in zip(
        torch.autograd.grad(folded, given, upstream), torch.autograd.grad(apart, given, upstream), strict=True
    ):
        assert torch.allclose(mine, other, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("adapted", [(True, True, True), (False, True, False), (True, False, True)])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_layers_of_one_input_are_each_what_they_would_be_alone(bias, adapted, scale):
    generator = torch.Generator().manual_seed(1)

    def made(*shape, learns=True):
        return torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=learns)

    inputs, sizes = made(7, 6), (8, 2, 3)
    weights, biases = [made(size, 6, learns=False) for size in sizes], made(13, learns=False) if bias else None
    pairs = [
        ops.LowRank(made(2, 6), made(size, 2), scale, 0.0) if is_so else None
        for size, is_so in zip(sizes, adapted, strict=True)
    ]
    mine = ops.apply(ops.Projection(torch.cat(weights), biases, sizes, tuple(pairs)), inputs)
    parts = biases.split(sizes) if bias else (None,) * 3
    alone = [
        torch.nn.functional.linear(inputs, weight, part) + (scale * inputs @ pair.down.t() @ pair.up.t() if pair else 0)
        for weight, part, pair in zip(weights, parts, pairs, strict=True)
    ]
    learning = [inputs, *(each for pair in pairs if pair for each in pair[:2])]
    upstream = [made(7, size, learns=False) for size in sizes]
    for one, other in zip(mine, alone, strict=True):
        assert torch.allclose(one, other, rtol=1e-12)
    for one, other in zip(
        torch.autograd.grad(mine, learning, upstream), torch.autograd.grad(alone, learning, upstream), strict=True
    ):
        assert torch.allclose(one, other, rtol=1e-12)


def test_weights_of_one_input_lie_end_to_end_and_are_what_they_were(tiny):
    joined, apart = (voxcpm.load(tiny, device="cpu", training=training) for training in (True, False))
    assert all(torch.equal(value, dict(apart.named_parameters())[name]) for name, value in joined.named_parameters())
    attention = joined.base_lm.layers[0].self_attn
    own = layers.projection(attention, layers.TOGETHER[0][1], {})
    assert own.weight.data_ptr() == attention.q_proj.weight.data_ptr()  # no copy
    other = layers.projection(apart.base_lm.layers[0].self_attn, layers.TOGETHER[0][1], {})
    assert torch.equal(own.weight, other.weight)


def test_on_a_gpu_cudnn_never_plans_attention():
    before = torch.backends.cuda.cudnn_sdp_enabled()
    try:
        torch.backends.cuda.enable_cudnn_sdp(True)
        voxcpm.choose_attention("cpu")
        assert torch.backends.cuda.cudnn_sdp_enabled()
        voxcpm.choose_attention("cuda:1")
        assert not torch.backends.cuda.cudnn_sdp_enabled()
        assert torch.backends.cuda.flash_sdp_enabled()
    finally:
        torch.backends.cuda.enable_cudnn_sdp(before)
