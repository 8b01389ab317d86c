import random

import pytest
import torch

from train import batches, voxcpm
from train.batches import Example


def examples(km=60, ko=30):
    """Khmer texts are five times as long as Korean ones, as when a tokenizer falls back to bytes."""
    draw = random.Random(0)
    sizes = [("km", draw.randint(100, 200), draw.randint(10, 60)) for _ in range(km)]
    sizes += [("ko", draw.randint(20, 40), draw.randint(10, 60)) for _ in range(ko)]
    return [Example(f"{i:03d}", language, (5,) * text, audio) for i, (language, text, audio) in enumerate(sizes)]


@pytest.mark.parametrize("tokens", [100, 1000, 5000])
def test_an_epoch_has_every_clip_once(tokens):
    found = batches.plan(examples(), tokens=tokens, seed=0, epoch=0)
    assert sorted(position for batch in found for position in batch) == list(range(90))


def test_no_batch_of_several_clips_is_over_the_budget():
    clips = examples()
    for batch in batches.plan(clips, tokens=700, seed=0, epoch=0):
        assert len(batch) == 1 or max(clips[i].length for i in batch) * len(batch) <= 700


def test_a_clip_over_the_budget_is_named_and_trained_on_alone():
    clips = [*examples(2, 2), Example("long", "ko", (5,) * 50, 1000)]
    assert [clip.id for clip in batches.over_budget(clips, 600)] == ["long"]
    assert [4] in batches.plan(clips, tokens=600, seed=0, epoch=0)


def test_every_batch_has_both_languages_in_proportion():
    clips = examples()
    for batch in batches.plan(clips, tokens=3000, seed=0, epoch=0):
        km = sum(clips[i].language == "km" for i in batch)
        assert len(batch) < 6 or 0.5 <= km / len(batch) <= 0.84


def test_the_same_seed_and_epoch_give_the_same_batches_and_others_do_not():
    first = batches.plan(examples(), tokens=700, seed=1, epoch=0)
    assert batches.plan(examples(), tokens=700, seed=1, epoch=0) == first
    assert batches.plan(examples(), tokens=700, seed=1, epoch=1) != first
    assert batches.plan(examples(), tokens=700, seed=2, epoch=0) != first


def test_the_layout_is_the_official_packers():
    """Rows of voxcpm.training's AudioFeatureProcessingPacker, whose VAE is a stand-in that returns given latents."""
    texts, patches = [[7, 8, 9], [7]], [torch.randn(5, 4, 8), torch.randn(2, 4, 8)]
    ours = batches.collate(texts, patches)
    theirs = official(texts, patches)
    assert torch.equal(ours.tokens, theirs["text_tokens"].long())
    assert torch.equal(ours.text_mask, theirs["text_mask"].float())
    assert torch.equal(ours.patches, theirs["audio_feats"])
    assert torch.equal(ours.audio_mask, theirs["audio_mask"].float())
    assert torch.equal(ours.audio_mask, theirs["loss_mask"].float())
    assert torch.equal(ours.labels, theirs["labels"].long())
    assert ours.targets == 7


class GivenLatents(torch.nn.Module):
    """Answers each encode with the next of the given latents."""

    hop_length, sample_rate = 640, 16000

    def __init__(self, patches):
        super().__init__()
        self.answers = iter(patches)

    def encode(self, audio, rate):
        return next(self.answers).reshape(1, -1, 8).transpose(1, 2)


def official(texts, patches):
    import importlib.util

    with voxcpm.quiet():
        import voxcpm as library

    place = f"{library.__path__[0]}/training/packers.py"  # the package itself would import datasets and argbind
    spec = importlib.util.spec_from_file_location("packers", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    packer = module.AudioFeatureProcessingPacker(1, 100, 4, 8, GivenLatents(patches))
    width = max(len(text) for text in texts)
    tokens = torch.tensor([text + [-100] * (width - len(text)) for text in texts], dtype=torch.int32)
    ones = torch.ones(len(texts), dtype=torch.int32)
    return packer(torch.zeros(len(texts), 640 * 4), tokens, ones, ones * 0, [False] * len(texts))
