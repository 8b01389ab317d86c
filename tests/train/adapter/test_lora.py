import dataclasses
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from curate.errors import UserError
from tests.train.adapter.conftest import edited, made
from train.adapter import lora
from train.config import MODULES, Adapter
from train.model import inputs, losses, speaking, voxcpm
from train.model import tiny as tiny_model

EVERYTHING = Adapter(rank=4, alpha=6, rslora=True, modules=MODULES, projections=True)
ADAPTERS = {
    "rank 4": Adapter(rank=4, alpha=12),
    "rank 8": Adapter(rank=8, alpha=3),
    "fractional alpha": Adapter(rank=4, alpha=2.5),
    "rslora, rank 4": Adapter(rank=4, alpha=3, rslora=True),
    "projections": Adapter(rank=4, projections=True),
    "only projections": Adapter(rank=4, modules=(), projections=True),
    "lm": Adapter(rank=4, scope="lm"),
    "dit": Adapter(rank=4, scope="dit"),
    "other modules": Adapter(rank=4, modules=("q_proj", "gate_proj", "down_proj")),
}
ROUNDED = {"alpha 0.7": Adapter(rank=4, alpha=0.7), "rslora, rank 8": Adapter(rank=8, alpha=8, rslora=True)}


def spoken(tiny, saved: lora.Saved, dtype=torch.float32) -> np.ndarray:
    model = voxcpm.load(tiny, device="cpu", dtype=dtype)
    lora.load_onto(model, saved)
    return speaking.speak(model.eval(), "(Khmer)ក", seed=0)[0]


@pytest.fixture(scope="module")
def bare(tiny):
    """What the model says without an adapter."""
    return speaking.speak(voxcpm.load(tiny, device="cpu"), "(Khmer)ក", seed=0)[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_before_the_first_step_it_speaks_as_the_base_model_bit_for_bit(tiny, dtype):
    model = voxcpm.load(tiny, device="cpu", dtype=dtype)
    base = speaking.speak(model, "(Khmer)ក", seed=0)[0]
    lora.attach(model, EVERYTHING)
    assert np.array_equal(speaking.speak(model.eval(), "(Khmer)ក", seed=0)[0], base)


def test_every_module_that_is_adapted_gets_a_float32_gradient_over_a_bfloat16_base(tiny):
    """What trains on a GPU, here on a CPU. B starts at zero, so at first only B has a gradient."""
    model = voxcpm.load(tiny, device="cpu", dtype=torch.bfloat16).train()
    lora.attach(model, EVERYTHING)
    own = lora.Vector(model, EVERYTHING)
    latents = torch.randn(6, 4, 8, generator=torch.Generator().manual_seed(0)).bfloat16()
    sound = inputs.EncodedClip(latents, voxcpm.encode_patches(model.feat_encoder, latents).clone())
    batch = inputs.collate([[5, 6, 7]], [sound])
    found = losses.losses(model, batch, inputs.draw([0], [sound], unguided=0.0), own.adapter(torch.bfloat16))
    (found.diff.mean() + found.stop.mean()).backward()
    for name, gradient in own.gradients().items():
        assert gradient.dtype == torch.float32
        assert bool(gradient.any()) == name.endswith("lora_B"), name


def test_only_the_adapter_learns(tiny):
    model = voxcpm.load(tiny, device="cpu")
    lora.attach(model, Adapter(rank=4, scope="dit"))
    learning = {name for name, value in model.named_parameters() if value.requires_grad}
    assert len(learning) == 16
    assert all(".lora_" in name and name.startswith("feat_decoder.") for name in learning)


@pytest.mark.parametrize("name", ADAPTERS)
def test_voxcpms_own_loader_reads_it_and_says_the_same_samples(tiny, bare, tmp_path, name):
    """Rank 4, 9, 16... under rsLoRA and halves, quarters... of an alpha are folded without a rounding."""
    saved = made(tiny, ADAPTERS[name])
    lora.save(saved, tmp_path / "a", "voxcpm")
    samples, rate, loaded = speaking.speak_official(tiny, tmp_path / "a", "(Khmer)ក", seed=0)
    assert loaded.keys() == saved.weights.keys()
    assert all(torch.equal(loaded[name], saved.weights[name]) for name in loaded if name.endswith("lora_A"))
    assert np.array_equal(samples, spoken(tiny, saved))
    assert np.array_equal(samples, spoken(tiny, lora.load(tmp_path / "a")))
    assert rate == 48000
    assert len(samples) > rate / 10
    assert len(samples) != len(bare) or np.abs(samples - bare).max() > 1e-3


@pytest.mark.parametrize("name", ROUNDED)
def test_another_scale_is_folded_into_b_within_float32(tiny, tmp_path, name):
    saved = made(tiny, ROUNDED[name])
    lora.save(saved, tmp_path / "a", "voxcpm")
    samples = speaking.speak_official(tiny, tmp_path / "a", "(Khmer)ក", seed=0)[0]
    assert np.array_equal(samples, spoken(tiny, lora.load(tmp_path / "a")))
    assert np.abs(samples - spoken(tiny, saved)).max() < 1e-4


def test_pefts_own_loader_reads_it_and_says_the_same_samples(tiny, tmp_path):
    import peft

    saved = made(tiny, EVERYTHING)
    lora.save(saved, tmp_path / "p", "peft")
    model = voxcpm.load(tiny, device="cpu")
    peft.PeftModel.from_pretrained(model, str(tmp_path / "p"))
    assert np.array_equal(speaking.speak(model.eval(), "(Khmer)ក", seed=0)[0], spoken(tiny, saved))


@pytest.mark.parametrize("name", [*ADAPTERS, *ROUNDED])
def test_the_exact_format_keeps_every_adapter_as_it_is(tiny, tmp_path, name):
    """Checkpoints are written in it: a run goes on with the weights and the scale that it had."""
    saved = made(tiny, (ADAPTERS | ROUNDED)[name])
    lora.save(saved, tmp_path / "a", lora.EXACT)
    back = lora.load(tmp_path / "a")
    assert back.adapter.scale == saved.adapter.scale
    assert back.adapter.model_copy(update={"alpha": saved.adapter.alpha}) == saved.adapter
    assert back.weights.keys() == saved.weights.keys()
    assert all(torch.equal(back.weights[name], saved.weights[name]) for name in saved.weights)


def test_an_adapter_of_another_rank_or_scope_is_refused(trained, tiny):
    model = voxcpm.load(tiny, device="cpu")
    lora.attach(model, Adapter(rank=8))
    with pytest.raises(UserError, match="another rank or base model"):
        lora.put(model, trained.weights)
    only_lm = {name: value for name, value in trained.weights.items() if not name.startswith("feat_decoder")}
    with pytest.raises(UserError, match="differ in 16 tensors"):
        lora.put(model, only_lm)


def test_the_pickle_of_the_official_script_is_read_and_a_program_in_it_is_not_run(trained, tiny, tmp_path):
    lora.save(trained, tmp_path / "a", "voxcpm")
    (tmp_path / "a" / "lora_weights.safetensors").unlink()
    torch.save({"state_dict": trained.weights}, tmp_path / "a" / "lora_weights.ckpt")
    loaded = lora.load(tmp_path / "a")
    assert all(torch.equal(loaded.weights[name], value) for name, value in trained.weights.items())
    assert speaking.speak_official(tiny, tmp_path / "a", "ក", seed=0)[2].keys() == trained.weights.keys()
    torch.save({"state_dict": Path("x")}, tmp_path / "a" / "lora_weights.ckpt")
    with pytest.raises(UserError, match="more than weights and is not opened"):
        lora.load(tmp_path / "a")


def test_weights_without_their_configuration_are_refused_for_they_do_not_say_their_alpha(trained, tmp_path):
    lora.save(trained, tmp_path / "a", "voxcpm")
    (tmp_path / "a" / "lora_config.json").unlink()
    with pytest.raises(UserError, match=r"has no lora_config.json beside it, and weights do not say their alpha"):
        lora.load(tmp_path / "a")


def test_a_damaged_or_missing_adapter_is_one_line(trained, tmp_path):
    with pytest.raises(UserError, match="no adapter in"):
        lora.load(tmp_path)
    lora.save(trained, tmp_path / "a", "voxcpm")
    weights = tmp_path / "a" / "lora_weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UserError, match="cannot be read"):
        lora.load(tmp_path / "a")


@pytest.mark.parametrize("form", lora.FORMATS)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda value: value * math.nan, "q_proj.lora_B.* holds NaN or infinity"),
        (lambda value: value + math.inf, "q_proj.lora_B.* holds NaN or infinity"),
        (lambda value: value.double() * 1e200, "q_proj.lora_B.* holds NaN or infinity"),  # in float32 it is
        (lambda value: value.to(torch.int32), "q_proj.lora_B.* is int32, so it is quantized"),
    ],
)
def test_weights_that_are_no_usable_numbers_are_refused_and_the_tensor_named(trained, tmp_path, form, change, says):
    name = "base_lm.layers.0.self_attn.q_proj.lora_B"
    lora.save(
        dataclasses.replace(trained, weights=trained.weights | {name: change(trained.weights[name])}), tmp_path, form
    )
    with pytest.raises(UserError, match=says):
        lora.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tags": ["km"]}, "tags: input should be a valid dictionary"),
        ({"tags": {"km": 5}}, r"tags\.km: input should be a valid string"),
        ({"form": "spoken"}, "form: input"),
        ({"facts": [1]}, "facts: input"),
        ({"adapter": 5}, "adapter: input"),
        ({"adapter": {"rank": "many"}}, "rank: input"),
    ],
)
def test_notes_of_a_wrong_kind_are_one_line(trained, tmp_path, change, says):
    lora.save(trained, tmp_path, "peft")
    edited(tmp_path / lora.NOTES, lambda notes: notes.update(change))
    with pytest.raises(UserError, match=rf"samsori.json is damaged \({says}"):
        lora.merged(tmp_path)


def test_a_failing_write_keeps_the_earlier_adapter(trained, tmp_path):
    lora.save(trained, tmp_path / "a", "voxcpm")
    with pytest.raises(UserError, match="unknown format"):
        lora.save(trained, tmp_path / "a", "gguf")
    assert lora.load(tmp_path / "a").adapter.rank == 4
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("form", lora.FORMATS)
def test_a_disk_that_fills_up_keeps_the_earlier_adapter(trained, tmp_path, full_disk, form):
    lora.save(trained, tmp_path / "a", "voxcpm")
    with full_disk(10_000), pytest.raises(OSError, match="File too large"):
        lora.save(trained, tmp_path / "a", form)
    assert lora.load(tmp_path / "a").weights.keys() == trained.weights.keys()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_disk_that_fills_up_while_safetensors_itself_writes_says_so(tmp_path, full_disk):
    """Its own error is of Rust's kind; `curate.files` makes an OSError of it."""
    with full_disk(100_000), pytest.raises(OSError, match="File too large"):
        tiny_model.make(tmp_path / "tiny")
    assert not list(tmp_path.iterdir())


def test_weights_without_notes_load_too(trained, tmp_path):
    """An adapter that the official script wrote has no samsori.json."""
    lora.save(trained, tmp_path / "a", "voxcpm")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / lora.NOTES).unlink()
    save_file(load_file(tmp_path / "a" / lora.VOXCPM_FILES[0]), tmp_path / "b" / lora.VOXCPM_FILES[0])
    loaded = lora.load(tmp_path / "b")
    assert loaded.base == trained.base
    assert loaded.tags == {}


@pytest.mark.parametrize("name", ["thesis.txt", "run.toml"])
def test_a_folder_with_anything_else_in_it_is_left_as_it_is(trained, tmp_path, name):
    lora.save(trained, tmp_path / "a", "voxcpm")
    (tmp_path / "a" / name).write_text("mine")
    with pytest.raises(UserError, match=f"holds what would be lost, such as {name}"):
        lora.save(trained, tmp_path / "a", "peft")
    assert (tmp_path / "a" / name).read_text() == "mine"
    assert lora.load(tmp_path / "a").adapter.rank == 4
    (tmp_path / "empty").mkdir()
    lora.save(trained, tmp_path / "empty", "peft")


def test_a_kill_between_the_renames_loses_nothing(trained, tmp_path, monkeypatch):
    class Killed(BaseException):
        """The process is gone."""

    rename = Path.rename

    def die(source, target):
        if source.name.endswith(".partial"):
            raise Killed
        return rename(source, target)

    lora.save(trained, tmp_path / "a", "voxcpm")
    monkeypatch.setattr(Path, "rename", die)
    with pytest.raises(Killed):
        lora.save(trained, tmp_path / "a", "peft")
    monkeypatch.undo()
    assert lora.load(tmp_path / "a").weights.keys() == trained.weights.keys()
    shutil.copytree(tmp_path / "a", tmp_path / ".a.samsori-old")  # killed before the old one was removed
    lora.save(trained, tmp_path / "a", "peft")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
