import json
import shutil

import numpy as np
import pytest
import torch

from curate.errors import UserError
from train import batches, tiny, voxcpm


def test_the_same_seed_makes_the_same_bytes_and_another_does_not(tiny, tmp_path):
    from train import tiny as making

    again, other = making.make(tmp_path / "a"), making.make(tmp_path / "b", seed=1)
    for name in ("config.json", "tokenizer.json", "model.safetensors", "audiovae.safetensors"):
        assert (again / name).read_bytes() == (tiny / name).read_bytes()
    assert (other / "model.safetensors").read_bytes() != (tiny / "model.safetensors").read_bytes()


def test_the_official_loader_reads_the_tiny_checkpoint_to_the_same_weights(tiny):
    from voxcpm.model.voxcpm2 import VoxCPM2Model

    with voxcpm.quiet():
        theirs = VoxCPM2Model.from_local(str(tiny), optimize=False, device="cpu").state_dict()
    ours = voxcpm.load(tiny, device="cpu").state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("text", ["(Khmer)សួស្តី  \n the", "你好世界", "(Korean)안녕 하세요"])
def test_text_becomes_the_ids_that_inference_sees(tiny, text):
    """The ids that VoxCPM2Model embeds for a text given to VoxCPM.generate."""
    seen = []
    model = voxcpm.load(tiny, device="cpu")
    model.base_lm.embed_tokens.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    voxcpm.speak(model, text, seed=0)
    assert voxcpm.Tokenizer(tiny)(text) == seen[0][0, :-1].tolist()  # the last is 101


def test_multi_character_chinese_is_split_and_the_special_ids_are_in_place(tiny):
    tokenizer = voxcpm.Tokenizer(tiny)
    assert len(tokenizer("你好世界")) == 5  # the mark of a word, then four characters
    assert tokenizer("<|audio_start|>")[-1] == batches.AUDIO_START
    assert tokenizer("<|audio_end|>")[-1] == batches.AUDIO_END


def test_whitespace_is_collapsed_as_in_inference(tiny):
    tokenizer = voxcpm.Tokenizer(tiny)
    assert tokenizer("a \n\t b") == tokenizer("a b")


@pytest.mark.filterwarnings("ignore:.*slated for removal:DeprecationWarning")  # audioread, through librosa
def test_latents_are_those_that_inference_makes_of_a_file(tiny, tmp_path):
    import soundfile

    audio = np.random.default_rng(0).uniform(-0.5, 0.5, 16000).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", audio, 16000, subtype="FLOAT")
    model = voxcpm.load(tiny, device="cpu")
    with torch.inference_mode():
        theirs = model._encode_wav(str(tmp_path / "a.wav"))
    ours = voxcpm.encode(voxcpm.load_vae(tiny, device="cpu"), audio, patch=4)
    assert ours.shape == (7, 4, 8)  # 1 s at 6.25 patches a second, the last one padded
    assert torch.equal(ours, theirs)


def test_draws_come_from_the_seed_alone(tiny):
    model = voxcpm.load(tiny, device="cpu")
    batch = batches.collate([[5, 6]], [torch.ones(6, 4, 8)])
    first = voxcpm.losses(model, batch, seed=1, guidance_dropout=True)
    torch.rand(5)
    assert torch.equal(voxcpm.losses(model, batch, seed=1, guidance_dropout=True).total, first.total)
    assert not torch.equal(voxcpm.losses(model, batch, seed=2, guidance_dropout=True).total, first.total)


def test_validation_conditions_every_row(tiny):
    """Without guidance dropout the rate in the model makes no difference."""
    model = voxcpm.load(tiny, device="cpu")
    batch = batches.collate([[5, 6]], [torch.ones(20, 4, 8)])
    first = voxcpm.losses(model, batch, seed=1, guidance_dropout=False)
    model.feat_decoder.training_cfg_rate = 0.9
    assert torch.equal(voxcpm.losses(model, batch, seed=1, guidance_dropout=False).total, first.total)
    assert not torch.equal(voxcpm.losses(model, batch, seed=1, guidance_dropout=True).total, first.total)


def test_a_runaway_is_stopped_by_the_length_of_its_text(tiny):
    model = voxcpm.load(tiny, device="cpu")
    with torch.no_grad():
        model.stop_head.weight.zero_()  # argmax of equals is 0: it never stops by itself
    samples, rate = voxcpm.speak(model, "ab", seed=0)
    assert len(samples) / rate == pytest.approx(2 * voxcpm.SECONDS_PER_CHARACTER + voxcpm.SPARE_SECONDS, abs=0.17)


def test_a_folder_is_never_fetched(tmp_path, monkeypatch):
    import huggingface_hub

    def fetch(*_, **__):
        raise AssertionError("it asked the hub")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    with pytest.raises(UserError, match=r"no readable config\.json"):
        voxcpm.find(str(tmp_path))
    with pytest.raises(UserError, match="no folder"):
        voxcpm.find(str(tmp_path / "absent"))


def test_a_hub_id_that_cannot_be_fetched_is_one_line(monkeypatch):
    import huggingface_hub

    def fetch(model, revision):
        raise OSError(f"no network for {model} at {revision}\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    with pytest.raises(UserError, match=r"no network for openbmb/VoxCPM2 at abc$"):
        voxcpm.find("openbmb/VoxCPM2", "abc")


def test_another_model_or_half_of_one_is_refused(tiny, tmp_path):
    half = tmp_path / "half"
    shutil.copytree(tiny, half)
    (half / "audiovae.safetensors").unlink()
    with pytest.raises(UserError, match=r"audiovae\.safetensors or audiovae\.pth is missing"):
        voxcpm.find(str(half))
    (half / "config.json").write_text(json.dumps({"architecture": "voxcpm"}))
    with pytest.raises(UserError, match=r"not a VoxCPM2 checkpoint: its config\.json says architecture 'voxcpm'"):
        voxcpm.find(str(half))


def test_weights_that_do_not_fit_or_are_cut_are_one_line(tiny, tmp_path):
    odd = tmp_path / "odd"
    shutil.copytree(tiny, odd)
    config = json.loads((odd / "config.json").read_text())
    config["encoder_config"]["hidden_dim"] = 48
    (odd / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="do not fit"):
        voxcpm.load(odd, device="cpu")
    shutil.copy(tiny / "config.json", odd)
    (odd / "model.safetensors").write_bytes((tiny / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(UserError, match=r"model\.safetensors cannot be read"):
        voxcpm.load(odd, device="cpu")


def test_the_tiny_configuration_keeps_what_is_fixed_in_the_real_one():
    real, small = voxcpm.real_config(), tiny_configuration()
    assert small["patch_size"] == real["patch_size"] == 4
    for key in ("encoder_rates", "decoder_rates", "sample_rate", "out_sample_rate"):
        assert small["audio_vae_config"][key] == real["audio_vae_config"][key]


def tiny_configuration():
    return tiny.configuration()
