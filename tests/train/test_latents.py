import os
import shutil

import numpy as np
import pytest
import torch

from curate import audio
from curate.errors import UserError
from train import corpus as reading
from train import latents, tiny, voxcpm


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


def test_equal_audio_is_encoded_once(make_corpus, tiny):
    folder = make_corpus(each=1)
    clips = reading.read(folder)
    shutil.copy(clips[0].path, clips[1].path)
    assert encode(latents.Latents(folder / "latents", tiny), clips) == [0, 1]


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
def test_audio_at_any_rate_is_resampled_to_the_vaes(tmp_path, tiny, rate):
    """One second of one tone is 7 patches whatever its rate, and its latents are nearly the same."""
    store = latents.Latents(tmp_path / "latents", tiny)
    clips = [tone(tmp_path, 16000), tone(tmp_path, rate)]
    encode(store, clips)
    first, second = store.read(clips[0]), store.read(clips[1])
    assert first.shape == second.shape == (7, 4, 8)
    assert store.patches(clips[1]) == 7
    assert torch.allclose(first[1:-1], second[1:-1], atol=0.02)


def tone(folder, rate):
    path = folder / f"{rate}.flac"
    audio.write_flac(path, 0.3 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32), rate)
    return reading.Clip(str(rate), "train", "km", "a", "x", 1.0, path)


def test_an_unreadable_clip_is_named(make_corpus, tiny):
    clips = reading.read(make_corpus(each=1))
    clips[0].path.write_bytes(b"no sound")
    with pytest.raises(UserError, match=clips[0].id):
        encode(latents.Latents(clips[0].path.parent / "latents", tiny), clips)


def test_damaged_latents_are_named_with_the_remedy(make_corpus, tiny):
    clips = reading.read(make_corpus(each=1))
    store = latents.Latents(clips[0].path.parent / "latents", tiny)
    encode(store, clips)
    store.path(clips[0]).write_bytes(b"cut")
    with pytest.raises(UserError, match="remove it, and it is encoded again"):
        store.patches(clips[0])


def test_the_vaes_hash_follows_its_weights(tiny, other):
    assert voxcpm.vae_hash(tiny) != voxcpm.vae_hash(other)


def test_latents_are_on_the_disk_before_they_have_their_name(make_corpus, tiny, monkeypatch):
    clips = reading.read(make_corpus(each=1))
    store = latents.Latents(clips[0].path.parent / "latents", tiny)
    named_early, flush = [], os.fsync

    def note(handle):
        flush(handle)
        named_early.append(store.path(clips[len(named_early)]).is_file())

    monkeypatch.setattr(os, "fsync", note)
    encode(store, clips)
    assert named_early == [False, False]
