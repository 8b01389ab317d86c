import json
import os
import shutil

import numpy as np
import pytest
import torch

from curate import audio
from curate.errors import UserError
from train.data import corpus as reading
from train.data import latents
from train.model import base, tiny, voxcpm


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A checkpoint with another VAE."""
    return tiny.make(tmp_path_factory.mktemp("other") / "tiny", seed=1)


def encode(store, clips):
    return [event.done for event in store.encode(clips, device="cpu")]


def test_a_second_time_encodes_nothing_and_a_new_clip_alone(make_corpus, tiny):
    folder = make_corpus(each=2)
    clips = reading.read(folder)
    assert encode(latents.Latents(folder / "latents", tiny), clips[:3]) == [0, 1, 2, 3]
    assert encode(latents.Latents(folder / "latents", tiny), clips[:3]) == []
    assert encode(latents.Latents(folder / "latents", tiny), clips) == [0, 1]


def test_another_vae_or_other_audio_is_encoded_again(make_corpus, tiny, other):
    folder = make_corpus(each=1)
    clips = reading.read(folder)
    assert encode(latents.Latents(folder / "latents", tiny), clips) == [0, 1, 2]
    assert encode(latents.Latents(folder / "latents", other), clips) == [0, 1, 2]
    audio.write_flac(clips[0].path, np.zeros(22050, dtype=np.float32), 22050)
    assert encode(latents.Latents(folder / "latents", tiny), clips) == [0, 1]


def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(make_corpus, tiny, tmp_path):
    clips = reading.read(make_corpus(each=2))
    whole, killed = latents.Latents(tmp_path / "a", tiny), latents.Latents(tmp_path / "b", tiny)
    encode(whole, clips)
    events = killed.encode(clips, device="cpu")
    next(events), next(events), events.close()
    assert encode(latents.Latents(tmp_path / "b", tiny), clips)[-1] == 3
    for clip in clips:
        assert whole.path(clip).read_bytes() == killed.path(clip).read_bytes()
        assert whole.encoded_path(clip).read_bytes() == killed.encoded_path(clip).read_bytes()


def test_a_clip_whose_encoder_outputs_alone_are_missing_is_encoded_from_its_latents(make_corpus, tiny, monkeypatch):
    clips = reading.read(make_corpus(each=1))
    store = latents.Latents(clips[0].path.parent / "latents", tiny)
    encode(store, clips)
    before = store.encoded_path(clips[0]).read_bytes()
    store.encoded_path(clips[0]).unlink()
    monkeypatch.setattr(voxcpm, "encode", None)  # the VAE is not asked
    assert encode(store, clips) == [0, 1]
    assert store.encoded_path(clips[0]).read_bytes() == before


def test_another_precision_or_encoder_asks_the_encoder_again_and_the_vae_not(make_corpus, tiny, tmp_path, monkeypatch):
    from safetensors.torch import load_file, save_file

    clips = reading.read(make_corpus(each=1))
    stores = [latents.Latents(tmp_path / "latents", tiny)]
    encode(stores[0], clips)
    monkeypatch.setattr(voxcpm, "encode", None)  # the VAE is not asked
    changed = tmp_path / "changed"
    shutil.copytree(tiny, changed)
    weights = load_file(changed / "model.safetensors")
    weights["feat_encoder.in_proj.weight"] *= 2
    save_file(weights, changed / "model.safetensors")
    for model, kind in ((tiny, torch.bfloat16), (changed, torch.float32)):
        stores.append(latents.Latents(tmp_path / "latents", model, kind))
        assert encode(stores[-1], clips) == [0, 1, 2]
    first, rough, other = (store.read(clips[0]) for store in stores)
    assert rough.encoded.dtype is torch.bfloat16
    assert torch.allclose(first.encoded, rough.encoded.float(), atol=0.05)
    assert not torch.equal(first.encoded, other.encoded)
    assert len({store.path(clips[0]) for store in stores}) == 1
    assert len({store.encoded_path(clips[0]) for store in stores}) == 3


def test_a_change_elsewhere_in_the_model_encodes_nothing_again(make_corpus, tiny, tmp_path):
    from safetensors.torch import load_file, save_file

    changed = tmp_path / "changed"
    shutil.copytree(tiny, changed)
    weights = load_file(changed / "model.safetensors")
    weights["stop_proj.weight"] *= 2
    save_file(weights, changed / "model.safetensors")
    clips = reading.read(make_corpus(each=1))
    encode(latents.Latents(tmp_path / "latents", tiny), clips)
    assert encode(latents.Latents(tmp_path / "latents", changed), clips) == []


def test_equal_audio_is_encoded_once(make_corpus, tiny):
    folder = make_corpus(each=1)
    clips = reading.read(folder)
    shutil.copy(clips[0].path, clips[1].path)
    assert encode(latents.Latents(folder / "latents", tiny), clips) == [0, 1]


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
def test_audio_at_any_rate_is_resampled_to_the_vaes(tmp_path, tiny, rate):
    """One second of one tone is 7 patches whatever its rate, and its latents are nearly the same.

    Were 22.05 kHz taken for 16, it would be 9 patches of another tone.
    """
    store = latents.Latents(tmp_path / "latents", tiny)
    clips = [tone(tmp_path, 16000), tone(tmp_path, rate)]
    encode(store, clips)
    first, second = (store.read(clip).latents for clip in clips)
    assert first.shape == second.shape == (7, 4, 8)
    assert store.patches(clips[1]) == 7
    assert torch.allclose(first[1:-1], second[1:-1], atol=0.02)


def tone(folder, rate):
    path = folder / f"{rate}.flac"
    audio.write_flac(path, 0.3 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32), rate)
    return reading.TrainingClip(str(rate), "train", "km", "a", "x", 1.0, path)


def test_an_unreadable_clip_is_named(make_corpus, tiny):
    clips = reading.read(make_corpus(each=1))
    clips[0].path.write_bytes(b"no sound")
    with pytest.raises(UserError, match=clips[0].id):
        encode(latents.Latents(clips[0].path.parent / "latents", tiny), clips)


@pytest.mark.parametrize("which", ["path", "encoded_path"])
def test_damaged_files_are_named_with_the_remedy(make_corpus, tiny, which):
    clips = reading.read(make_corpus(each=1))
    store = latents.Latents(clips[0].path.parent / "latents", tiny)
    encode(store, clips)
    getattr(store, which)(clips[0]).write_bytes(b"cut")
    with pytest.raises(UserError, match=r"safetensors cannot be read \(.*\): remove it, and it is encoded again"):
        store.read(clips[0])
    if which == "path":
        with pytest.raises(UserError, match="remove it, and it is encoded again"):
            store.patches(clips[0])


def test_a_full_disk_is_one_line_and_leaves_no_half_file(make_corpus, tiny, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    clips = reading.read(make_corpus(each=1))
    folder = clips[0].path.parent / "latents"
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"No space left on device.*: make room, and the same command goes on"):
        encode(latents.Latents(folder, tiny), clips)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_padding_on_the_right_changes_no_latent(tiny):
    """The AudioVAE is causal: so a clip is encoded with zeros up to a whole patch, as VoxCPM does."""
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 16000).astype(np.float32)
    vae = voxcpm.load_vae(tiny, device="cpu")
    alone, longer = (voxcpm.encode(vae, np.pad(sound, (0, more)), patch=4) for more in (0, 8000))
    assert torch.allclose(alone[:6], longer[:6], rtol=0, atol=1e-5)


def test_hashes_follow_weights_and_configuration(tiny, other, tmp_path):
    assert base.vae_hash(tiny) != base.vae_hash(other)
    assert base.encoder_hash(tiny) != base.encoder_hash(other)
    changed = tmp_path / "changed"
    shutil.copytree(tiny, changed)
    config = json.loads((changed / "config.json").read_text())
    (changed / "config.json").write_text(json.dumps(config | {"patch_size": 2}))
    assert base.vae_hash(changed) != base.vae_hash(tiny)
    assert base.encoder_hash(changed) == base.encoder_hash(tiny)


def test_files_are_on_the_disk_before_they_have_their_name(make_corpus, tiny, monkeypatch):
    clips = reading.read(make_corpus(each=1))
    store = latents.Latents(clips[0].path.parent / "latents", tiny)
    places = [place for clip in clips for place in (store.path(clip), store.encoded_path(clip))]
    named_early, flush = [], os.fsync

    def note(handle):
        flush(handle)
        named_early.append(places[len(named_early)].is_file())

    monkeypatch.setattr(os, "fsync", note)
    encode(store, clips)
    assert named_early == [False] * 4


@pytest.mark.parametrize("encoded", [False, True])
def test_a_flipped_byte_is_seen_and_the_remedy_is_that_of_a_cut_file(make_corpus, tiny, encoded):
    clips = reading.read(make_corpus(each=1))
    store = latents.Latents(clips[0].path.parent / "latents", tiny)
    encode(store, clips)
    path = store.encoded_path(clips[0]) if encoded else store.path(clips[0])
    found = bytearray(path.read_bytes())
    found[-5] ^= 1
    path.write_bytes(found)
    with pytest.raises(UserError, match=rf"{path.name} cannot be read \(its numbers .*: remove it, and it is encoded"):
        store.read(clips[0])
    path.unlink()
    assert encode(store, clips) == [0, 1]
    store.read(clips[0])


def test_latents_of_earlier_versions_without_a_checksum_are_read(make_corpus, tiny):
    from safetensors.torch import load_file, save_file

    clips = reading.read(make_corpus(each=1))
    store = latents.Latents(clips[0].path.parent / "latents", tiny)
    encode(store, clips)
    before = store.read(clips[0]).latents
    save_file({"latents": load_file(store.path(clips[0]))["latents"]}, store.path(clips[0]))
    assert torch.equal(store.read(clips[0]).latents, before)


@pytest.mark.parametrize("sample", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused_and_their_clip_named(tmp_path, tiny, sample):
    import soundfile

    path, sound = tmp_path / "a.wav", np.full(16000, 0.1, np.float32)
    soundfile.write(path, sound, 16000, subtype="FLOAT")
    assert len(latents.samples(path, 16000)) == 16000
    sound[100] = sample
    soundfile.write(path, sound, 16000, subtype="FLOAT")
    with pytest.raises(UserError, match=r"a\.wav holds samples that are no numbers"):
        latents.samples(path, 16000)
