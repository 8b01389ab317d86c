import json
import shutil
from collections import namedtuple

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from curate.errors import UserError
from train.adapter import lora
from train.config import MODULES, Adapter
from train.export import card, merge, say
from train.model import speaking, voxcpm
from train.model.base import read_config

TEXT = "(Khmer)ក"
ADAPTERS = {
    "plain": Adapter(rank=4, alpha=12),
    "everything": Adapter(rank=4, alpha=2.7, rslora=True, modules=MODULES, projections=True),
    "dit": Adapter(rank=8, alpha=4, scope="dit"),
}


def made(base, adapter: Adapter) -> lora.Saved:
    model = voxcpm.on_meta(read_config(base))
    lora.attach(model, adapter)
    draw = torch.Generator().manual_seed(0)
    weights = {name: 0.3 * torch.randn(value.shape, generator=draw) for name, value in lora.parameters(model).items()}
    return lora.Saved(weights, adapter, str(base), {"km": "(Khmer)"}, "c0ffee", {"km": "spoken"})


@pytest.fixture(scope="module")
def adapter(tiny, tmp_path_factory):
    """The folder of a plain adapter."""
    folder = tmp_path_factory.mktemp("adapter") / "a"
    lora.save(made(tiny, ADAPTERS["plain"]), folder, "voxcpm")
    return folder


@pytest.fixture
def base(tiny, tmp_path):
    """A copy of the tiny model that may be changed."""
    return shutil.copytree(tiny, tmp_path / "base")


def official(folder):
    with voxcpm.quiet():
        from voxcpm import VoxCPM

        return VoxCPM.from_pretrained(str(folder), load_denoiser=False, optimize=False, device="cpu").tts_model


@pytest.mark.parametrize("name", ADAPTERS)
def test_voxcpm_loads_it_without_lora_and_speaks_as_base_and_adapter_do(tiny, tmp_path, name):
    saved = made(tiny, ADAPTERS[name])
    lora.save(saved, tmp_path / "a", "peft")
    done = merge.merge(tmp_path / "a", tmp_path / "m")
    assert done.changed == len(saved.weights) / 2
    model = voxcpm.load(tiny, device="cpu")
    base = speaking.speak(model, TEXT, seed=0)[0]
    lora.load_onto(model, saved)
    ours = speaking.speak(model.eval(), TEXT, seed=0)[0]
    merged = speaking.speak(official(tmp_path / "m"), TEXT, seed=0)[0]
    assert np.abs(merged - ours).max() < 1e-4
    said = say.say(tmp_path / "m", "km", "ក", seed=0)[0]
    assert np.array_equal(said, speaking.speak(official(tmp_path / "m"), TEXT, seed=0)[0])
    with pytest.raises(UserError, match="is a merged checkpoint, so a model of its own: leave out --model"):
        say.say(tmp_path / "m", "km", "ក", model=str(tiny))
    assert len(base) != len(merged) or np.abs(merged - base).max() > 1e-3


def test_only_the_adapted_weights_change_and_every_one_by_scale_b_a(tiny, adapter, tmp_path):
    merge.merge(adapter, tmp_path / "m")
    before, after = load_file(tiny / "model.safetensors"), load_file(tmp_path / "m" / "model.safetensors")
    saved = lora.load(adapter)
    assert before.keys() == after.keys()
    for name, weight in before.items():
        module = name.removesuffix(".weight")
        if f"{module}.lora_A" in saved.weights:
            weight = weight + 3.0 * saved.weights[f"{module}.lora_B"] @ saved.weights[f"{module}.lora_A"]
            torch.testing.assert_close(after[name], weight)
        else:
            assert torch.equal(after[name], weight)


def test_other_files_go_along_and_the_bases_readme_and_rubbish_do_not(base, adapter, tmp_path):
    for name in ("README.md", "optimizer.pth", ".gitattributes", "LICENSE"):
        (base / name).write_text("theirs")
    (base / "assets").mkdir()
    merge.merge(adapter, tmp_path / "m", model=str(base))
    names = {path.name for path in (tmp_path / "m").iterdir()}
    copied = {"LICENSE", "config.json", "tokenizer.json", "tokenizer_config.json", "audiovae.safetensors"}
    assert names == copied | {"model.safetensors", card.CARD, lora.NOTES}
    for name in copied:
        assert (tmp_path / "m" / name).read_bytes() == (base / name).read_bytes()
    assert (tmp_path / "m" / card.CARD).read_text() != "theirs"


def test_the_note_says_what_was_folded_in(tiny, adapter, tmp_path):
    merge.merge(adapter, tmp_path / "m")
    notes = json.loads((tmp_path / "m" / lora.NOTES).read_text())
    assert (notes["base"], notes["tags"], notes["form"]) == (str(tiny), {"km": "(Khmer)"}, {"km": "spoken"})
    assert notes["revision"] == "c0ffee"
    assert (notes["adapter"]["rank"], notes["adapter"]["scale"]) == (4, 3.0)


def test_a_bfloat16_base_stays_bfloat16_and_the_loss_by_rounding_is_told(base, adapter, tmp_path):
    state = load_file(base / "model.safetensors")
    save_file({name: value.bfloat16() for name, value in state.items()}, base / "model.safetensors")
    done = merge.merge(adapter, tmp_path / "m", model=str(base))
    after, saved = load_file(tmp_path / "m" / "model.safetensors"), lora.load(adapter)
    assert {value.dtype for value in after.values()} == {torch.bfloat16}
    error = change = 0.0
    for name in (name for name in saved.weights if name.endswith("A")):
        module = name.removesuffix(".lora_A")
        wanted = 3.0 * saved.weights[f"{module}.lora_B"] @ saved.weights[name]
        got = after[f"{module}.weight"].float() - state[f"{module}.weight"].bfloat16().float()
        error, change = error + (got - wanted).square().sum(), change + wanted.square().sum()
    assert done.lost == pytest.approx(float((error / change).sqrt()), rel=1e-3)
    assert 1e-4 < done.lost < 1e-2
    assert merge.rounding(done.lost) in (tmp_path / "m" / card.CARD).read_text()


def test_a_pickled_base_gives_the_same_weights_as_safetensors(base, adapter, tmp_path):
    merge.merge(adapter, tmp_path / "m", model=str(base))
    state = load_file(base / "model.safetensors")
    (base / "model.safetensors").unlink()
    torch.save({"state_dict": state}, base / "pytorch_model.bin")
    merge.merge(adapter, tmp_path / "n", model=str(base))
    assert not (tmp_path / "n" / "pytorch_model.bin").exists()
    assert (tmp_path / "m" / "model.safetensors").read_bytes() == (tmp_path / "n" / "model.safetensors").read_bytes()


def test_what_we_write_is_what_safetensors_reads(tmp_path):
    draw = torch.Generator().manual_seed(0)
    tensors = {
        "odd": torch.arange(3, dtype=torch.uint8),
        "half": torch.randn(3, 5, generator=draw).bfloat16(),
        "wide": torch.randn(2, 2, generator=draw, dtype=torch.float64),
        "one": torch.tensor(7.0),
        "none": torch.zeros(0, 4),
        "turned": torch.randn(4, 3, generator=draw).T,
    }
    layout = {name: (merge.KINDS[value.dtype], list(value.shape)) for name, value in tensors.items()}
    told = []
    merge.write_tensors(tmp_path / "x", layout, tensors.__getitem__, lambda done, total: told.append((done, total)))
    with safe_open(tmp_path / "x", framework="pt") as file:
        assert set(file.keys()) == set(tensors)
        for name, value in tensors.items():
            assert torch.equal(file.get_tensor(name), value)
            assert file.get_tensor(name).dtype == value.dtype
    assert told == [(number, 6) for number in range(1, 7)]


def test_a_place_inside_the_base_or_with_other_things_in_it_is_refused(base, adapter, tmp_path):
    for place in (base, base / "merged"):
        with pytest.raises(UserError, match="is inside the base model"):
            merge.merge(adapter, place, model=str(base))
    another = shutil.copytree(base, tmp_path / "another")  # a checkpoint that is not of our making, file for file
    with pytest.raises(UserError, match="holds what would be lost"):
        merge.merge(adapter, another, model=str(base))
    with pytest.raises(UserError, match="holds what would be lost"):
        merge.merge(adapter, tmp_path, model=str(base))
    assert load_file(base / "model.safetensors").keys() == load_file(another / "model.safetensors").keys()


def test_an_earlier_merge_is_replaced_unless_a_person_has_worked_on_it(adapter, tmp_path):
    merge.merge(adapter, tmp_path / "m")
    merge.merge(adapter, tmp_path / "m")
    readme = tmp_path / "m" / card.CARD
    readme.write_text(readme.read_text().replace("# license: yours to choose", "license: cc-by-4.0 #"))
    with pytest.raises(UserError, match=r"holds what would be lost, such as README.md"):
        merge.merge(adapter, tmp_path / "m")
    readme.unlink()
    (tmp_path / "m" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds what would be lost, such as notes.txt"):
        merge.merge(adapter, tmp_path / "m")


def test_too_small_a_disk_is_known_before_anything_is_written(adapter, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**6, 0, 10**6))
    with pytest.raises(UserError, match=r"needs \d+\.\d MB, and 1\.0 MB are free"):
        merge.merge(adapter, tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_up_leaves_nothing_and_the_earlier_one_whole(adapter, tmp_path, full_disk):
    merge.merge(adapter, tmp_path / "m")
    before = (tmp_path / "m" / "model.safetensors").read_bytes()
    with (
        full_disk(len(before) // 2),
        pytest.raises(UserError, match=r"cannot be written \(File too large\): make room"),
    ):
        merge.merge(adapter, tmp_path / "m")
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert (tmp_path / "m" / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("value", "kind", "says"),
    [
        (float("nan"), torch.float32, "of the base model holds NaN or infinity: fetch the checkpoint again"),
        (float("inf"), torch.bfloat16, "of the base model holds NaN or infinity: fetch the checkpoint again"),
        (65504.0, torch.float16, "with the adapter is too large for float16"),
    ],
)
def test_a_merged_weight_is_a_number_or_there_is_none(base, tmp_path, value, kind, says):
    saved = made(base, Adapter(rank=4, alpha=400))
    lora.save(saved, tmp_path / "a", "peft")
    state = load_file(base / "model.safetensors")
    name = "base_lm.layers.0.self_attn.q_proj.weight"
    save_file(state | {name: torch.full((64, 64), value, dtype=kind)}, base / "model.safetensors")
    with pytest.raises(UserError, match=rf"q_proj.weight {says}"):
        merge.merge(tmp_path / "a", tmp_path / "m", model=str(base))
    assert not (tmp_path / "m").exists()


def test_an_adapter_of_another_model_or_a_quantized_base_is_refused(base, adapter, tmp_path):
    state = load_file(base / "model.safetensors")
    name = "base_lm.layers.0.self_attn.q_proj.weight"
    save_file(state | {name: torch.zeros(64, 32)}, base / "model.safetensors")
    with pytest.raises(UserError, match=r"does not fit .*q_proj.weight is F32 \(64, 32\), here it must be \(64, 64\)"):
        merge.merge(adapter, tmp_path / "m", model=str(base))
    save_file(state | {name: torch.zeros(64, 64).to(torch.float8_e4m3fn)}, base / "model.safetensors")
    with pytest.raises(UserError, match=r"is quantized, such as .*q_proj.weight \(F8_E4M3\): give the checkpoint"):
        merge.merge(adapter, tmp_path / "m", model=str(base))
    save_file(state | {name: torch.zeros(64, 64, dtype=torch.int8)}, base / "model.safetensors")
    with pytest.raises(UserError, match=r"is quantized \(.*q_proj.weight is I8\): give the one that it was made from"):
        merge.merge(adapter, tmp_path / "m", model=str(base))
    del state[name]
    save_file(state, base / "model.safetensors")
    with pytest.raises(UserError, match="is missing, here it must be"):
        merge.merge(adapter, tmp_path / "m", model=str(base))
    (base / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(UserError, match="cannot be read"):
        merge.merge(adapter, tmp_path / "m", model=str(base))
    assert not (tmp_path / "m").exists()
