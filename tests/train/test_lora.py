import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from curate.errors import UserError
from train import batches, lora, speaking, voxcpm
from train.config import Adapter


@pytest.fixture(scope="module")
def batch():
    torch.manual_seed(0)
    return batches.collate([[5, 6, 7], [8, 9]], [torch.randn(6, 4, 8), torch.randn(3, 4, 8)])


@pytest.fixture(scope="module")
def trained(tiny, batch):
    """An adapter after three steps, as weights, on the tiny model."""
    model = voxcpm.load(tiny, device="cpu")
    lora.attach(model, Adapter(rank=4))
    before = lora.weights(model)
    optimizer = torch.optim.AdamW(lora.parameters(model).values(), lr=1e-2)
    model.train()
    for step in range(3):
        optimizer.zero_grad()
        voxcpm.losses(model, batch, seed=step, guidance_dropout=True).total.backward()
        optimizer.step()
    saved = lora.Saved(lora.weights(model), Adapter(rank=4), str(tiny), {"km": "(Khmer)"})
    return before, saved


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_before_the_first_step_the_loss_is_the_base_models_bit_for_bit(tiny, batch, training, dtype):
    model = voxcpm.load(tiny, device="cpu", dtype=dtype).train(training)
    base = voxcpm.losses(model, batch, seed=3, guidance_dropout=True)
    lora.attach(model, Adapter(rank=4))
    adapted = voxcpm.losses(model.train(training), batch, seed=3, guidance_dropout=True)
    assert torch.equal(adapted.diff, base.diff)
    assert torch.equal(adapted.stop, base.stop)


def test_every_module_of_both_language_models_and_the_dit_has_moved(trained):
    before, saved = trained
    moved = {name for name, value in saved.weights.items() if not torch.equal(value, before[name])}
    assert moved == set(saved.weights)
    for part in ("base_lm.", "residual_lm.", "feat_decoder.estimator."):
        assert sum(name.startswith(part) for name in moved) == 16  # 2 layers, 4 projections, A and B


def test_a_bfloat16_base_gives_float32_gradients_to_every_module(tiny, batch):
    """What trains on a GPU, here on a CPU: B starts at zero, so at first only B has a gradient."""
    model = voxcpm.load(tiny, device="cpu", dtype=torch.bfloat16)
    lora.attach(model, Adapter(rank=4))
    voxcpm.losses(model.train(), batch, seed=0, guidance_dropout=False).total.backward()
    for name, parameter in lora.parameters(model).items():
        assert parameter.dtype == parameter.grad.dtype == torch.float32
        assert bool(parameter.grad.any()) == name.endswith("lora_B")


def test_only_the_adapter_learns(tiny):
    model = voxcpm.load(tiny, device="cpu")
    lora.attach(model, Adapter(rank=4, scope="dit"))
    learning = {name for name, value in model.named_parameters() if value.requires_grad}
    assert len(learning) == 16
    assert all(".lora_" in name and name.startswith("feat_decoder.") for name in learning)


def test_voxcpm_to_peft_and_back_is_bit_exact(trained, tmp_path):
    saved = trained[1]
    lora.save(saved, tmp_path / "a", "voxcpm")
    speaking.export(tmp_path / "a", "peft", tmp_path / "b")
    speaking.export(tmp_path / "b", "voxcpm", tmp_path / "c")
    for name in (*lora.VOXCPM_FILES, lora.NOTES):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()
    back = lora.load(tmp_path / "c")
    assert back.weights.keys() == saved.weights.keys()
    assert all(torch.equal(back.weights[name], saved.weights[name]) for name in saved.weights)


def test_voxcpms_own_loader_reads_it_and_says_the_same_samples(trained, tiny, tmp_path):
    saved = trained[1]
    lora.save(saved, tmp_path / "a", "voxcpm")
    samples, rate, loaded = voxcpm.speak_official(tiny, tmp_path / "a", "(Khmer)ក", seed=0)
    assert loaded.keys() == saved.weights.keys()
    assert all(torch.equal(loaded[name], saved.weights[name]) for name in loaded)
    ours, our_rate = speaking.say(tmp_path / "a", "km", "ក", device="cpu")
    assert rate == our_rate == 48000
    assert np.array_equal(samples, ours)
    assert len(samples) > rate / 10


def test_pefts_own_loader_reads_it_and_gives_the_same_loss(trained, tiny, tmp_path, batch):
    import peft

    lora.save(trained[1], tmp_path / "p", "peft")
    model = voxcpm.load(tiny, device="cpu")
    lora.load_onto(model, trained[1])
    ours = voxcpm.losses(model.eval(), batch, seed=0, guidance_dropout=False)
    bare = voxcpm.load(tiny, device="cpu")
    peft.PeftModel.from_pretrained(bare, str(tmp_path / "p"))
    theirs = voxcpm.losses(bare.eval(), batch, seed=0, guidance_dropout=False)
    assert torch.equal(ours.total, theirs.total)


def test_the_adapter_changes_what_is_said(trained, tiny, batch):
    model = voxcpm.load(tiny, device="cpu")
    base = voxcpm.losses(model, batch, seed=0, guidance_dropout=False).total
    lora.load_onto(model, trained[1])
    assert not torch.equal(voxcpm.losses(model.eval(), batch, seed=0, guidance_dropout=False).total, base)


def test_an_adapter_of_another_rank_or_scope_is_refused(trained, tiny):
    model = voxcpm.load(tiny, device="cpu")
    lora.attach(model, Adapter(rank=8))
    with pytest.raises(UserError, match="another rank or base model"):
        lora.put(model, trained[1].weights)
    only_lm = {name: value for name, value in trained[1].weights.items() if not name.startswith("feat_decoder")}
    with pytest.raises(UserError, match="differ in 16 tensors"):
        lora.put(model, only_lm)


def test_a_rank_that_is_not_the_weights_is_refused(trained, tmp_path):
    lora.save(trained[1], tmp_path / "a", "voxcpm")
    place = tmp_path / "a" / "lora_config.json"
    config = json.loads(place.read_text())
    config["lora_config"]["r"] = 32
    place.write_text(json.dumps(config))
    with pytest.raises(UserError, match="says rank 32"):
        lora.load(tmp_path / "a")


@pytest.mark.parametrize(
    ("form", "key", "value", "reason"),
    [
        ("peft", "use_dora", True, "use_dora"),
        ("peft", "lora_alpha", 2.5, "alpha"),
        ("voxcpm", "enable_proj", True, "projections"),
    ],
)
def test_what_cannot_be_held_is_refused_with_the_reason(trained, tmp_path, form, key, value, reason):
    lora.save(trained[1], tmp_path / "a", form)
    place = tmp_path / "a" / ("adapter_config.json" if form == "peft" else "lora_config.json")
    config = json.loads(place.read_text())
    (config if form == "peft" else config["lora_config"])[key] = value
    place.write_text(json.dumps(config))
    with pytest.raises(UserError, match=reason):
        lora.load(tmp_path / "a")


def test_a_damaged_or_missing_adapter_is_one_line(trained, tmp_path):
    with pytest.raises(UserError, match="no adapter in"):
        lora.load(tmp_path)
    lora.save(trained[1], tmp_path / "a", "voxcpm")
    weights = tmp_path / "a" / "lora_weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UserError, match="cannot be read"):
        lora.load(tmp_path / "a")


def test_peft_files_carry_pefts_names(trained, tmp_path):
    lora.save(trained[1], tmp_path / "p", "peft")
    names = set(load_file(tmp_path / "p" / "adapter_model.safetensors"))
    assert "base_model.model.base_lm.layers.0.self_attn.q_proj.lora_A.weight" in names
    config = json.loads((tmp_path / "p" / "adapter_config.json").read_text())
    assert config["target_modules"] == (
        r"(base_lm|residual_lm|feat_decoder\.estimator)\..*\.(q_proj|k_proj|v_proj|o_proj)"
    )


def test_a_failing_write_keeps_the_earlier_adapter(trained, tmp_path):
    lora.save(trained[1], tmp_path / "a", "voxcpm")
    with pytest.raises(UserError, match="unknown format"):
        lora.save(trained[1], tmp_path / "a", "gguf")
    assert lora.load(tmp_path / "a").adapter.rank == 4
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_weights_without_notes_load_too(trained, tmp_path):
    """An adapter that the official script wrote has no samsori.json."""
    lora.save(trained[1], tmp_path / "a", "voxcpm")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / lora.NOTES).unlink()
    save_file(load_file(tmp_path / "a" / lora.VOXCPM_FILES[0]), tmp_path / "b" / lora.VOXCPM_FILES[0])
    loaded = lora.load(tmp_path / "b")
    assert loaded.base == trained[1].base
    assert loaded.tags == {}


@pytest.mark.parametrize("name", ["thesis.txt", "run.toml"])
def test_a_folder_with_anything_else_in_it_is_left_as_it_is(trained, tmp_path, name):
    lora.save(trained[1], tmp_path / "a", "voxcpm")
    (tmp_path / "a" / name).write_text("mine")
    with pytest.raises(UserError, match=f"holds what would be lost, such as {name}"):
        lora.save(trained[1], tmp_path / "a", "peft")
    assert (tmp_path / "a" / name).read_text() == "mine"
    assert lora.load(tmp_path / "a").adapter.rank == 4
    (tmp_path / "empty").mkdir()
    lora.save(trained[1], tmp_path / "empty", "peft")


def test_a_kill_between_the_renames_loses_nothing(trained, tmp_path, monkeypatch):
    class Killed(BaseException):
        """The process is gone."""

    rename = Path.rename

    def die(source, target):
        if source.name.endswith(".partial"):
            raise Killed
        return rename(source, target)

    lora.save(trained[1], tmp_path / "a", "voxcpm")
    monkeypatch.setattr(Path, "rename", die)
    with pytest.raises(Killed):
        lora.save(trained[1], tmp_path / "a", "peft")
    monkeypatch.undo()
    assert lora.load(tmp_path / "a").weights.keys() == trained[1].weights.keys()
    shutil.copytree(tmp_path / "a", tmp_path / ".a.samsori-old")  # killed before the old one was removed
    lora.save(trained[1], tmp_path / "a", "peft")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def test_a_sentence_is_said_in_the_form_that_was_trained_on(trained, tmp_path):
    saved = dataclasses.replace(trained[1], tags={"ko": "<Korean> "}, forms={"ko": "pronounced"}, revision="c0ffee")
    lora.save(saved, tmp_path / "a", "peft")
    assert json.loads((tmp_path / "a" / lora.NOTES).read_text())["form"] == {"ko": "pronounced"}
    assert speaking.tagged(lora.load(tmp_path / "a"), "ko", "같이") == "<Korean> 가치"
    assert lora.load(tmp_path / "a").revision == "c0ffee"
