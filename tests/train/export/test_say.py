"""A sentence is spoken as VoxCPM speaks it, and its file is written whole or refused in one line."""

import dataclasses
import json
import math
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from curate.errors import UserError
from train.adapter import lora
from train.config import Adapter
from train.export import say
from train.model import base, speaking, voxcpm


@pytest.fixture(scope="module")
def trained(tiny):
    """An adapter as if it had been trained: no B is zero."""
    model = voxcpm.on_meta(base.read_config(tiny))
    lora.attach(model, Adapter(rank=4))
    draw = torch.Generator().manual_seed(0)
    weights = {name: 0.3 * torch.randn(value.shape, generator=draw) for name, value in lora.parameters(model).items()}
    return lora.Saved(weights, Adapter(rank=4), str(tiny), {"km": "(Khmer)"}, None, {"km": "spoken"})


def test_our_say_is_voxcpms(trained, tiny, tmp_path):
    lora.save(trained, tmp_path / "a", "voxcpm")
    samples, rate, _ = speaking.speak_official(tiny, tmp_path / "a", "(Khmer)ក", seed=0)
    ours, our_rate = say.say(tmp_path / "a", "km", "ក", device="cpu")
    assert rate == our_rate
    assert np.array_equal(samples, ours)


def test_a_sentence_is_said_in_the_form_that_was_trained_on(trained, tmp_path):
    saved = dataclasses.replace(trained, tags={"ko": "<Korean> "}, forms={"ko": "pronounced"}, revision="c0ffee")
    lora.save(saved, tmp_path / "a", "peft")
    assert json.loads((tmp_path / "a" / lora.NOTES).read_text())["form"] == {"ko": "pronounced"}
    assert say.tagged(lora.load(tmp_path / "a"), "ko", "같이") == "<Korean> 가치"
    assert lora.load(tmp_path / "a").revision == "c0ffee"


@pytest.mark.parametrize("text", ["", " ", "\u200b", "...", "។"])
def test_a_sentence_without_anything_to_say_is_refused(trained, text):
    with pytest.raises(UserError, match=r"there is no text to say in .*: give a sentence"):
        say.tagged(trained, "km", text)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 10**30])
def test_a_seed_of_more_than_64_bits_is_refused(tmp_path, seed):
    with pytest.raises(UserError, match="give a smaller --seed"):
        say.say(tmp_path, "km", "ក", seed=seed)


def test_a_base_of_nan_is_not_let_speak(trained, tiny, tmp_path):
    lora.save(trained, tmp_path / "a", "peft")
    base = shutil.copytree(tiny, tmp_path / "base")
    state = load_file(base / "model.safetensors")
    save_file({name: value * math.nan for name, value in state.items()}, base / "model.safetensors")
    with pytest.raises(UserError, match="speaks no sound but NaN"):
        say.say(tmp_path / "a", "km", "ក", model=str(base), device="cpu")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "is a folder: name a file in it"),
        ("a", "must end in .wav"),
        ("a.mp3", "must end in .wav"),
        ("file/a.wav", r"cannot be written \(Not a directory|\(File exists"),
        (f"{'x' * 300}.wav", "cannot be written .File name too long"),
    ],
)
def test_a_sound_that_cannot_be_written_is_known_before_a_model_is_loaded(tmp_path, name, says):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match=says):
        say.check_wav(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_fills_up_keeps_the_earlier_sound(tmp_path, full_disk):
    sound = np.zeros(48_000, np.float32), 48000
    say.check_wav(tmp_path / "new" / "a.wav")
    say.save_wav(sound, tmp_path / "new" / "a.wav")
    before = (tmp_path / "new" / "a.wav").read_bytes()
    for name in ("a.wav", "b.wav"):
        with full_disk(50_000), pytest.raises(UserError, match=r"cannot be written \(File too large\): make room"):
            say.save_wav(sound, tmp_path / "new" / name)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.wav"]
    assert (tmp_path / "new" / "a.wav").read_bytes() == before


def test_control_words_go_into_the_tag_and_a_sentence_is_no_control(trained):
    assert say.tagged(trained, "km", "(សើច)ក", "speaking slowly") == "(Khmer, speaking slowly)" + say.tagged(
        trained, "km", "(សើច)ក"
    ).removeprefix("(Khmer)")
    assert not say.tagged(trained, "km", "(ខ) ក").removeprefix("(Khmer)").startswith("(")
    with pytest.raises(UserError, match="control words have no parentheses"):
        say.tagged(trained, "km", "ក", "(slow)")
