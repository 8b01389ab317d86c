"""VoxCPM's and PEFT's formats: an adapter goes through both unchanged, and what they cannot hold is refused by name."""

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from curate.errors import UserError
from tests.train.adapter.conftest import edited, made
from train.adapter import formats, lora
from train.config import MODULES, Adapter
from train.export import adapter as exporting
from train.model import speaking


def test_the_projections_have_their_official_names(tiny):
    assert set(made(tiny, Adapter(rank=4, modules=(), projections=True)).weights) == {
        f"{name}.lora_{half}" for name in formats.PROJECTIONS for half in "AB"
    }


@pytest.mark.parametrize("gone", ["lora_alpha", "r"])
@pytest.mark.parametrize("rslora", [False, True])
def test_what_a_configuration_leaves_out_is_what_peft_takes_it_for(tiny, tmp_path, gone, rslora):
    import peft

    lora.save(made(tiny, Adapter(rank=8, alpha=8 if gone == "lora_alpha" else 3, rslora=rslora)), tmp_path, "peft")
    edited(tmp_path / "adapter_config.json", lambda config: config.pop(gone))
    theirs = peft.LoraConfig.from_pretrained(str(tmp_path))
    found = lora.load(tmp_path).adapter
    assert found.scale == theirs.lora_alpha / (theirs.r**0.5 if rslora else theirs.r)
    assert found.rank == theirs.r


def test_a_missing_alpha_is_not_the_rank(trained, tmp_path):
    lora.save(trained, tmp_path, "peft")
    edited(tmp_path / "adapter_config.json", lambda config: config.pop("lora_alpha"))
    assert lora.load(tmp_path).adapter == Adapter(rank=4, alpha=8)


@pytest.mark.parametrize(
    ("form", "change"),
    [
        ("peft", lambda config: config.update(lora_alpha=None)),
        ("voxcpm", lambda config: config["lora_config"].update(alpha=None)),
    ],
)
def test_an_alpha_of_null_is_refused(trained, tmp_path, form, change):
    lora.save(trained, tmp_path, form)
    edited(tmp_path / {"peft": "adapter_config.json", "voxcpm": "lora_config.json"}[form], change)
    with pytest.raises(UserError, match="has no value of alpha, so its scale is not known"):
        lora.load(tmp_path)


def test_voxcpm_to_peft_and_back_is_bit_exact(trained, tmp_path):
    lora.save(trained, tmp_path / "a", "voxcpm")
    exporting.export(tmp_path / "a", "peft", tmp_path / "b")
    exporting.export(tmp_path / "b", "voxcpm", tmp_path / "c")
    for name in (*lora.VOXCPM_FILES, lora.NOTES):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()
    back = lora.load(tmp_path / "c")
    assert back.weights.keys() == trained.weights.keys()
    assert all(torch.equal(back.weights[name], trained.weights[name]) for name in trained.weights)


adapters = st.builds(
    Adapter,
    rank=st.integers(1, 9),
    alpha=st.none() | st.integers(1, 64).map(float) | st.floats(0.01, 64),
    rslora=st.booleans(),
    scope=st.sampled_from(["lm", "dit", "both"]),
    modules=st.sets(st.sampled_from(MODULES), min_size=1).map(tuple),
    projections=st.booleans(),
)


def small(adapter: Adapter, seed: int) -> lora.Saved:
    """Weights of two layers of each part, 3 numbers in and 5 out."""
    scopes = ("lm", "dit") if adapter.scope == "both" else (adapter.scope,)
    parts = [part for scope in scopes for part in formats.PARTS[scope]]
    names = [f"{part}.layers.{n}.block.{module}" for part in parts for n in range(2) for module in adapter.modules]
    names += formats.PROJECTIONS * adapter.projections
    draw = torch.Generator().manual_seed(seed)
    weights = {}
    for name in names:
        weights[f"{name}.lora_A"] = torch.randn(adapter.rank, 3, generator=draw)
        weights[f"{name}.lora_B"] = torch.randn(5, adapter.rank, generator=draw)
    return lora.Saved(weights, adapter, "openbmb/VoxCPM2", {"ko": "(Korean)"})


def products(saved: lora.Saved) -> dict[str, torch.Tensor]:
    scale, weights = saved.adapter.scale, saved.weights
    return {
        name: scale * weights[name.removesuffix("A") + "B"].double() @ weights[name].double()
        for name in weights
        if name.endswith("A")
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(adapter=adapters, seed=st.integers(0, 3))
def test_a_round_trip_changes_no_product(tmp_path, adapter, seed):
    """peft -> voxcpm -> peft -> voxcpm: the product stays within float32, bit for bit wherever folding is exact."""
    saved = small(adapter, seed)
    lora.save(saved, tmp_path / "p", "peft")
    once = lora.load(tmp_path / "p")
    assert all(torch.equal(once.weights[name], saved.weights[name]) for name in saved.weights)
    assert once.adapter.scale == adapter.scale
    lora.save(once, tmp_path / "v", "voxcpm")
    twice = lora.load(tmp_path / "v")
    assert (twice.adapter.modules, twice.adapter.scope) == (adapter.modules, adapter.scope)
    exact = formats.fold(adapter).exact
    for name, product in products(twice).items():
        torch.testing.assert_close(
            product, products(saved)[name], rtol=1e-15 if exact else 1e-5, atol=1e-14 if exact else 1e-5
        )
    lora.save(twice, tmp_path / "q", "peft")
    lora.save(lora.load(tmp_path / "q"), tmp_path / "w", "voxcpm")
    for name in lora.VOXCPM_FILES:
        assert (tmp_path / "v" / name).read_bytes() == (tmp_path / "w" / name).read_bytes()


@pytest.mark.parametrize(
    ("adapter", "alpha", "factor", "exact"),
    [
        (Adapter(rank=64), 64, 1.0, True),
        (Adapter(rank=8, alpha=16), 16, 1.0, True),
        (Adapter(rank=8, alpha=2.5), 5, 0.5, True),
        (Adapter(rank=8, alpha=0.125), 1, 0.125, True),
        (Adapter(rank=64, alpha=16, rslora=True), 128, 1.0, True),
        (Adapter(rank=8, alpha=0.7), 8, 0.7 / 8, False),
        (Adapter(rank=32, alpha=32, rslora=True), 32, math.sqrt(32), False),
    ],
)
def test_a_scale_is_folded_exactly_where_it_can_be(adapter, alpha, factor, exact):
    assert formats.fold(adapter) == formats.Fold(alpha, pytest.approx(factor, rel=1e-15), exact)


def changed(path: Path, key: str, value: object) -> None:
    config = json.loads(path.read_text())
    config.get("lora_config", config)[key] = value
    path.write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("form", "key", "value", "reason"),
    [
        ("peft", "use_dora", True, "uses PEFT's use_dora = True, which VoxCPM's format cannot hold"),
        ("peft", "rank_pattern", {"q_proj": 8}, "PEFT's rank_pattern"),
        ("peft", "alpha_pattern", {"q_proj": 8}, "PEFT's alpha_pattern"),
        ("peft", "modules_to_save", ["stop_head"], "PEFT's modules_to_save"),
        ("peft", "bias", "all", "PEFT's bias = 'all'"),
        ("peft", "lora_bias", True, "PEFT's lora_bias"),
        ("peft", "layers_to_transform", [0], "PEFT's layers_to_transform"),
        ("peft", "init_lora_weights", "pissa", "PEFT's init_lora_weights = 'pissa'"),
        ("peft", "peft_type", "LOHA", "type LOHA"),
        ("peft", "lora_alpha", -1, "has a value of alpha that this cannot hold: -1"),
        ("voxcpm", "r", 32, "says rank 32, but"),
        ("voxcpm", "alpha", "big", "has a value of alpha that this cannot hold: 'big'"),
        ("voxcpm", "dropout", 2, "dropout"),
    ],
)
def test_what_cannot_be_held_is_refused_with_the_reason(trained, tmp_path, form, key, value, reason):
    lora.save(trained, tmp_path / "a", form)
    changed(tmp_path / "a" / ("adapter_config.json" if form == "peft" else "lora_config.json"), key, value)
    with pytest.raises(UserError, match=reason) as problem:
        lora.load(tmp_path / "a")
    assert "\n" not in str(problem.value)


LM, DIT = "base_lm.layers.0.self_attn", "feat_decoder.estimator.decoder.layers.0.self_attn"


@pytest.mark.parametrize(
    ("gone", "more", "reason"),
    [
        ([f"{LM}.q_proj.lora_A"], [], "lacks the other half of"),
        ([f"{LM}.q_proj.lora_A", f"{LM}.q_proj.lora_B"], [], "other modules in some layers of base_lm"),
        ([], ["base_lm.embed_tokens"], "also adapts base_lm.embed_tokens"),
        ([], ["enc_to_lm_proj"], "adapts only enc_to_lm_proj of the four projections"),
        ([], [f"{DIT}.in_proj"], "also adapts feat_decoder"),
        (
            [],
            [f"{DIT}.up_proj", f"{DIT.replace('.0.', '.1.')}.up_proj"],
            "different module lists: .* in base_lm and .*up_",
        ),
        (["residual_lm"], [], "only one of the two language models"),
        (["base_lm", "residual_lm", "feat_decoder"], [], "holds no weights"),
    ],
)
def test_an_adapter_of_another_shape_is_refused_with_the_reason(trained, tmp_path, gone, more, reason):
    weights = {name: value for name, value in trained.weights.items() if not name.startswith(tuple(gone or ["-"]))}
    weights |= {f"{name}.lora_{half}": torch.zeros(4, 4) for name in more for half in "AB"}
    lora.save(dataclasses.replace(trained, weights=weights), tmp_path / "a", "peft")
    with pytest.raises(UserError, match=reason):
        lora.load(tmp_path / "a")


def test_what_voxcpm_would_skip_is_skipped_and_named(trained, tiny, tmp_path, caplog):
    extra = {"other.lora_A": torch.zeros(4, 4), "enc_to_lm_proj.lora_A": torch.zeros(4, 4)}
    lora.save(dataclasses.replace(trained, weights=trained.weights | extra), tmp_path / "a", "voxcpm")
    loaded = lora.load(tmp_path / "a")
    assert loaded.weights.keys() == trained.weights.keys()
    assert "2 tensors skipped, such as enc_to_lm_proj.lora_A, as VoxCPM does" in caplog.text
    assert speaking.speak_official(tiny, tmp_path / "a", "ក", seed=0)[2].keys() == trained.weights.keys()


def test_a_weight_of_the_base_model_in_it_is_refused(trained, tmp_path):
    """VoxCPM's loader would overwrite the base model with it."""
    more = trained.weights | {"stop_head.weight": torch.zeros(2, 64)}
    lora.save(dataclasses.replace(trained, weights=more), tmp_path / "a", "voxcpm")
    with pytest.raises(UserError, match=r"also holds stop_head.weight, which is no weight of an adapter"):
        lora.load(tmp_path / "a")


def test_peft_files_carry_pefts_names(trained, tmp_path):
    lora.save(trained, tmp_path / "p", "peft")
    names = set(load_file(tmp_path / "p" / "adapter_model.safetensors"))
    assert "base_model.model.base_lm.layers.0.self_attn.q_proj.lora_A.weight" in names
    config = json.loads((tmp_path / "p" / "adapter_config.json").read_text())
    assert config["target_modules"] == (
        r"(base_lm|residual_lm|feat_decoder\.estimator)\..*\.(q_proj|k_proj|v_proj|o_proj)"
    )
