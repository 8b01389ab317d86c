"""Adapters play where they are loaded: our files are held to what runtimes ask of them.

The rules of vllm-omni (pull request 7108, its test of the loader) and of nano-vllm-voxcpm (0ef61b0, its loader, its
LoRAConfig and the checks of its runner) are typed here again as checks; ComfyUI's nodes build VoxCPM's own model with
a rank and an alpha of their own, which is done here with VoxCPM's.
"""

import json
import math
import re
from collections import defaultdict

import pytest
import torch
from safetensors.torch import load_file, save_file

from curate.errors import UserError
from tests.train.adapter.conftest import edited, made
from train.adapter import formats, lora
from train.config import MODULES, Adapter
from train.export import adapter as exporting
from train.model import base, voxcpm

ATTENTION = ["q_proj", "v_proj", "k_proj", "o_proj"]
PROJECTIONS = ["enc_to_lm_proj", "lm_to_dit_proj", "res_to_dit_proj", "fusion_concat_proj"]
PACKED = {"q_proj": "qkv", "k_proj": "qkv", "v_proj": "qkv", "gate_proj": "gate_up", "up_proj": "gate_up"}


def linears(tiny):
    """The shape (out, in) of every linear layer of the model, by name."""
    model = voxcpm.on_meta(base.read_config(tiny))
    return {name: tuple(each.weight.shape) for name, each in model.named_modules() if type(each) is torch.nn.Linear}


def vllm_omni(folder, layers):
    """Why its start-up loader would refuse an adapter; None where it takes it."""
    if not (folder / "lora_weights.safetensors").is_file():
        return "no weights"
    settings = json.loads((folder / "lora_config.json").read_text()).get("lora_config")
    if not isinstance(settings, dict):
        return "no lora_config object"
    rank, alpha = settings.get("r"), settings.get("alpha")
    if type(rank) is not int or rank < 1:
        return "rank"
    if not isinstance(alpha, int | float) or not math.isfinite(alpha):
        return "alpha"
    flags = [settings.get(f"enable_{name}", True) for name in ("lm", "dit")] + [settings.get("enable_proj", False)]
    if not all(isinstance(flag, bool) for flag in flags):
        return "flag"
    wanted = set()
    groups = (
        (flags[0], r"(base_lm|residual_lm)\.", settings.get("target_modules_lm", ATTENTION)),
        (flags[1], r"feat_decoder\.estimator\.", settings.get("target_modules_dit", ATTENTION)),
        (flags[2], r"", settings.get("target_proj_modules", PROJECTIONS)),
    )
    for enabled, start, names in groups:
        for target in names if enabled else []:
            found = {name for name in layers if re.fullmatch(rf"{start}(.*\.)?{target}" if start else target, name)}
            if not found:
                return f"target {target}"
            wanted |= found
    tensors = load_file(folder / "lora_weights.safetensors")
    if tensors.keys() != {f"{name}.lora_{half}" for name in wanted for half in "AB"}:
        return "keys"
    for name in wanted:
        low, high = tensors[f"{name}.lora_A"], tensors[f"{name}.lora_B"]
        if not (low.is_floating_point() and high.is_floating_point()):
            return "dtype"
        if (tuple(low.shape), tuple(high.shape)) != ((rank, layers[name][1]), (layers[name][0], rank)):
            return "shape"
        if not (torch.isfinite(low).all() and torch.isfinite(high).all()):
            return "non-finite"
    return None


def nano_vllm(folder, layers, *, max_lora_rank=32, projections=PROJECTIONS[:3], modules=ATTENTION):
    """Why it would refuse an adapter, by default with its own default LoRAConfig; None where it takes it."""
    if not all((folder / name).is_file() for name in ("lora_weights.safetensors", "lora_config.json")):
        return "files"
    settings = json.loads((folder / "lora_config.json").read_text()).get("lora_config")
    if not isinstance(settings, dict) or settings.get("alpha", settings.get("lora_alpha")) is None:
        return "config"
    if float(settings["alpha"]) <= 0:
        return "alpha"
    halves = defaultdict(set)
    ranks, slots = set(), set()
    for key, value in load_file(folder / "lora_weights.safetensors").items():
        if key.endswith((".lora_A.weight", ".lora_B.weight")):
            return "suffix"
        name, _, half = key.rpartition(".lora_")
        if half not in ("A", "B"):
            continue  # passed over, silently
        halves[name].add(half)
        slots.add(name)
        ranks |= {value.shape[0]} if half == "A" else set()
    if not halves or any(each != {"A", "B"} for each in halves.values()):
        return "incomplete"
    if len(ranks) != 1 or ranks != {settings.get("r", settings.get("rank", *ranks))}:
        return "rank"
    if max(ranks) > max_lora_rank:
        return "max_lora_rank"
    for name in slots:
        part, _, leaf = name.rpartition(".")
        if name not in layers or (part and leaf not in modules) or (not part and leaf not in projections):
            return f"no slots: {name}"
        packed = {f"{part}.{other}" for other, into in PACKED.items() if into == PACKED.get(leaf)}
        if PACKED.get(leaf) == "gate_up" and not packed <= slots:
            return "packed"
    return None


def saved(tiny, folder, adapter, **shape):
    """An adapter as `train export --to voxcpm` writes it."""
    trained = made(tiny, adapter)
    lora.save(trained, folder / "trained", "peft")
    exporting.export(folder / "trained", "voxcpm", folder / "out", **shape)
    return trained, folder / "out"


ADAPTERS = [  # a setting, and what nano-vllm says of it by default
    (Adapter(rank=8), None),
    (Adapter(rank=4, alpha=2.5), None),
    (Adapter(rank=4, alpha=8, rslora=True), None),
    (Adapter(rank=8, alpha=16, scope="lm"), None),
    (Adapter(rank=8, scope="dit", modules=("q_proj", "v_proj")), None),
    (Adapter(rank=48), "max_lora_rank"),
    (Adapter(rank=8, modules=MODULES), "no slots"),
    (Adapter(rank=8, projections=True), "no slots: fusion_concat_proj"),
    (Adapter(rank=8, modules=(), projections=True), "no slots: fusion_concat_proj"),
]


@pytest.mark.parametrize(("adapter", "nano"), ADAPTERS)
def test_vllm_omni_takes_what_we_export_and_nano_vllm_what_it_has_slots_for(tiny, tmp_path, adapter, nano):
    layers = linears(tiny)
    _, folder = saved(tiny, tmp_path, adapter)
    assert vllm_omni(folder, layers) is None
    refused = nano_vllm(folder, layers)
    assert refused is None if nano is None else refused.startswith(nano)
    everything = {"max_lora_rank": 64, "projections": PROJECTIONS, "modules": MODULES}
    assert nano_vllm(folder, layers, **everything) is None


@pytest.mark.parametrize(
    ("spoil", "omni", "nano"),
    [
        (lambda tensors: tensors.pop("base_lm.layers.0.self_attn.q_proj.lora_B"), "keys", "incomplete"),
        (lambda tensors: tensors.update({"audio_vae.lora_A": torch.ones(8, 3)}), "keys", "incomplete"),
        (
            lambda tensors: tensors.update({"base_lm.layers.0.self_attn.q_proj.lora_A": torch.ones(9, 64)}),
            "shape",
            "rank",
        ),
        (
            lambda tensors: tensors["base_lm.layers.1.self_attn.o_proj.lora_B"].fill_(math.nan),
            "non-finite",
            None,
        ),
        (
            lambda tensors: tensors.update({"x.lora_A.weight": torch.ones(8, 3)}),
            "keys",
            "suffix",
        ),
    ],
)
def test_the_checks_themselves_refuse_what_the_runtimes_do(tiny, tmp_path, spoil, omni, nano):
    _, folder = saved(tiny, tmp_path, Adapter(rank=8))
    tensors = load_file(folder / "lora_weights.safetensors")
    spoil(tensors)
    save_file(tensors, folder / "lora_weights.safetensors")
    assert vllm_omni(folder, linears(tiny)) == omni
    assert nano_vllm(folder, linears(tiny)) == nano


@pytest.mark.parametrize(
    ("change", "omni", "nano"),
    [
        (lambda config: config.pop("lora_config"), "no lora_config object", "config"),
        (lambda config: config["lora_config"].update(r=0), "rank", "rank"),
        (lambda config: config["lora_config"].update(alpha=0), None, "alpha"),
        (lambda config: config["lora_config"].update(enable_dit="false"), "flag", None),
        (lambda config: config["lora_config"].update(enable_dit=False), "keys", None),
        (lambda config: config["lora_config"].update(target_modules_lm=["nothing"]), "target nothing", None),
    ],
)
def test_and_a_configuration_that_they_would_refuse(tiny, tmp_path, change, omni, nano):
    _, folder = saved(tiny, tmp_path, Adapter(rank=8))
    edited(folder / "lora_config.json", change)
    assert vllm_omni(folder, linears(tiny)) == omni
    assert nano_vllm(folder, linears(tiny)) == nano


def products(weights, scale):
    """What an adapter adds to each weight, in double precision: no bit of float32 is lost in it."""
    pairs = {name.removesuffix(".lora_A") for name in weights if name.endswith(".lora_A")}
    return {
        name: scale * (weights[f"{name}.lora_B"].double() @ weights[f"{name}.lora_A"].double())
        for name in sorted(pairs)
    }


def node(tiny, folder, rank, alpha):
    """The adapter in the model of a ComfyUI node, which reads the weights alone: what it adds, and what it skips."""
    from voxcpm.model.voxcpm2 import LoRAConfig, VoxCPM2Model
    from voxcpm.modules.layers.lora import LoRALinear

    settings = LoRAConfig(enable_lm=True, enable_dit=True, enable_proj=False, r=rank, alpha=alpha)
    with voxcpm.quiet():
        model = VoxCPM2Model.from_local(str(tiny), optimize=False, device="cpu", lora_config=settings)
        _, skipped = model.load_lora_weights(str(folder / "lora_weights.safetensors"))
    layers = {name: each for name, each in model.named_modules() if isinstance(each, LoRALinear)}
    weights = {f"{name}.lora_{half}": getattr(each, f"lora_{half}") for name, each in layers.items() for half in "AB"}
    scales = {each.scaling.item() for each in layers.values()}
    assert len(scales) == 1
    return products({name: value.detach() for name, value in weights.items()}, scales.pop()), skipped


@pytest.mark.parametrize(
    "adapter", [Adapter(rank=8), Adapter(rank=32, alpha=64), Adapter(rank=4, alpha=2.5), Adapter(rank=4, rslora=True)]
)
def test_at_rank_32_and_alpha_16_a_node_that_fixes_them_plays_the_same_function(tiny, tmp_path, adapter):
    if adapter.alpha == 2.5:  # 2.5 / 4 is 5 / 8: no power of two times 16 / 32
        with pytest.raises(UserError, match=r"exact are alphas such as 10, 20, 40; or `train merge`"):
            saved(tiny, tmp_path, adapter, alpha=16, pad_rank=32)
        return
    trained, folder = saved(tiny, tmp_path, adapter, alpha=16, pad_rank=32)
    settings = json.loads((folder / "lora_config.json").read_text())["lora_config"]
    assert (settings["r"], settings["alpha"]) == (32, 16)
    played, skipped = node(tiny, folder, 32, 16)  # as ComfyUI-VoxCPM has them
    assert skipped == []
    wanted = products(trained.weights, adapter.scale)
    assert wanted.keys() == played.keys()
    assert all(torch.equal(wanted[name], played[name]) for name in wanted)
    assert nano_vllm(folder, linears(tiny)) is None
    assert vllm_omni(folder, linears(tiny)) is None


@pytest.mark.parametrize("rank", [1, 2, 8])
def test_at_half_its_rank_a_node_that_halves_plays_the_same_function_and_not_without(tiny, tmp_path, rank):
    half = max(1, rank // 2)
    trained, folder = saved(tiny, tmp_path, Adapter(rank=rank), alpha=half)
    wanted = products(trained.weights, 1.0)
    played, _ = node(tiny, folder, rank, half)  # as ComfyUI-FL-VoxCPM has it
    assert all(torch.equal(wanted[name], played[name]) for name in wanted)
    plain, _ = node(tiny, exporting.export(tmp_path / "trained", "voxcpm", tmp_path / "plain"), rank, half)
    assert all(torch.equal(wanted[name], plain[name] * rank / half) for name in wanted)  # half as strong


@pytest.mark.parametrize("form", lora.FORMATS)
@pytest.mark.parametrize(
    ("adapter", "shape"),
    [
        (Adapter(rank=4), {"pad_rank": 7}),
        (Adapter(rank=3, alpha=4), {"pad_rank": 6}),
        (Adapter(rank=4, alpha=6), {"alpha": 3}),
        (Adapter(rank=9, alpha=6, rslora=True), {"alpha": 9}),
        (Adapter(rank=4, alpha=0.5), {"pad_rank": 64, "alpha": 1}),
        (Adapter(rank=4, modules=(), projections=True), {"pad_rank": 16, "alpha": 64}),
    ],
)
def test_no_bit_of_the_function_is_lost_at_another_alpha_or_rank(tiny, tmp_path, form, adapter, shape):
    trained = made(tiny, adapter)
    lora.save(trained, tmp_path / "a", "peft")
    found = lora.load(exporting.export(tmp_path / "a", form, tmp_path / "b", **shape))
    assert found.adapter.rank == shape.get("pad_rank", adapter.rank)
    assert found.adapter.scale * found.adapter.rank == pytest.approx(
        shape.get("alpha", adapter.scale * found.adapter.rank)
    )
    before, after = products(trained.weights, adapter.scale), products(found.weights, found.adapter.scale)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert "exactly the same function" in (tmp_path / "b" / "README.md").read_text()


@pytest.mark.parametrize(
    ("adapter", "shape", "says"),
    [
        (
            Adapter(rank=12, alpha=16),
            {"alpha": 16, "pad_rank": 32},
            "would round B: exact are ranks such as 33, 36, 39",
        ),
        (Adapter(rank=12, alpha=16), {"pad_rank": 32}, "alpha 42.6667, rounded: exact are ranks such as 33, 36, 39"),
        (Adapter(rank=8, alpha=24), {"alpha": 16}, "with alpha 16 would round B: exact are alphas such as 6, 12, 24"),
        (Adapter(rank=8, alpha=0.7), {"alpha": 4}, "no whole alpha holds it exactly: `train merge`"),
        (Adapter(rank=8, rslora=True), {"alpha": 16}, "no whole alpha holds it exactly: `train merge`"),
        (Adapter(rank=8), {"pad_rank": 4}, "--pad-rank 4 cannot hold rank 8: zeros only make it larger, up to 1024"),
        (Adapter(rank=8), {"pad_rank": 2048}, "--pad-rank 2048 cannot hold rank 8"),
    ],
)
def test_a_rank_or_an_alpha_that_cannot_be_exact_is_one_line_and_writes_nothing(tiny, tmp_path, adapter, shape, says):
    with pytest.raises(UserError) as problem:
        saved(tiny, tmp_path, adapter, **shape)
    assert says in str(problem.value)
    assert "\n" not in str(problem.value)
    assert not (tmp_path / "out").exists()


def test_numbers_that_would_leave_float32_are_refused(tiny):
    trained = made(tiny, Adapter(rank=4))
    name = next(name for name in trained.weights if name.endswith("lora_B"))
    for number, alpha in ((3e38, 1), (1e-38, 2**20)):
        weights = trained.weights | {name: torch.full_like(trained.weights[name], number * 1.0000001)}
        with pytest.raises(UserError, match=f"{re.escape(name)} holds numbers that float32 cannot hold times"):
            formats.reshaped(weights, trained.adapter, alpha=alpha)
