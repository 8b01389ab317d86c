import random
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from train.data import sampler
from train.data.sampler import Example
from train.model import inputs
from train.model.inputs import EncodedClip


def examples(km=60, ko=30):
    """Khmer texts are five times as long as Korean ones, as when a tokenizer falls back to bytes."""
    draw = random.Random(0)
    sizes = [("km", draw.randint(100, 200), draw.randint(10, 60)) for _ in range(km)]
    sizes += [("ko", draw.randint(20, 40), draw.randint(10, 60)) for _ in range(ko)]
    return [Example(f"{i:03d}", language, (5,) * text, audio) for i, (language, text, audio) in enumerate(sizes)]


def epoch_examples(clips, *, temperature=1.0, reference=0.0, seed=0, epoch=0):
    return sampler.epoch_examples(clips, temperature=temperature, reference=reference, seed=seed, epoch=epoch)


def patches(clips, language):
    return sum(clip.patches for clip in clips if clip.language == language)


def positions(clips, batch):
    return sum(clips[i].length for i in batch)


@pytest.mark.parametrize("tokens", [100, 1000, 5000])
def test_an_epoch_has_every_clip_once(tokens):
    found = sampler.plan(examples(), tokens=tokens, seed=0, epoch=0)
    assert sorted(position for batch in found for position in batch) == list(range(90))


def test_no_batch_of_several_clips_is_over_the_budget_and_most_fill_it():
    clips = examples()
    plan = sampler.plan(clips, tokens=2000, seed=0, epoch=0)
    assert all(len(batch) == 1 or positions(clips, batch) <= 2000 for batch in plan)
    assert sum(positions(clips, batch) for batch in plan) / (2000 * len(plan)) > 0.8


def test_a_clip_over_the_budget_is_named_and_trained_on_alone():
    clips = [*examples(2, 2), Example("long", "ko", (5,) * 50, 1000)]
    assert [clip.id for clip in sampler.over_budget(clips, 600)] == ["long"]
    assert [4] in sampler.plan(clips, tokens=600, seed=0, epoch=0)


def test_every_batch_has_both_languages_in_proportion():
    clips = examples()
    for batch in sampler.plan(clips, tokens=3000, seed=0, epoch=0):
        km = sum(clips[i].language == "km" for i in batch)
        assert len(batch) < 6 or 0.5 <= km / len(batch) <= 0.84


def test_the_same_seed_and_epoch_give_the_same_batches_and_others_do_not():
    first = sampler.plan(examples(), tokens=700, seed=1, epoch=0)
    assert sampler.plan(examples(), tokens=700, seed=1, epoch=0) == first
    assert sampler.plan(examples(), tokens=700, seed=1, epoch=1) != first
    assert sampler.plan(examples(), tokens=700, seed=2, epoch=0) != first


def test_validation_is_in_a_fixed_order_whatever_order_clips_come_in():
    clips = examples(9, 9)
    shuffled = random.Random(0).sample(clips, len(clips))
    in_order = [[clips[i].id for i in batch] for batch in sampler.in_order(clips, tokens=400)]
    assert [[shuffled[i].id for i in batch] for batch in sampler.in_order(shuffled, tokens=400)] == in_order
    assert sorted(name for batch in in_order for name in batch) == sorted(clip.id for clip in clips)


def test_at_temperature_1_an_epoch_is_every_clip_once():
    assert epoch_examples(examples()) == examples()


@pytest.mark.parametrize("temperature", [1.5, 2.0, 5.0])
def test_languages_come_in_proportion_to_their_hours_to_the_power_1_over_temperature(temperature):
    clips = examples(120, 15)
    found = epoch_examples(clips, temperature=temperature)
    wanted = (patches(clips, "ko") / patches(clips, "km")) ** (1 / temperature)
    assert patches(found, "ko") / patches(found, "km") == pytest.approx(wanted, rel=0.1)
    assert [clip for clip in found if clip.language == "km"] == clips[:120]  # the largest language once


def test_a_clip_that_comes_again_is_counted_and_none_comes_much_more_often():
    found = epoch_examples(examples(120, 15), temperature=5.0)
    seen = Counter(clip.id for clip in found if clip.language == "ko")
    assert len({(clip.id, clip.repeat) for clip in found}) == len(found)
    assert max(seen.values()) - min(seen.values()) <= 1
    assert len(seen) == 15


def test_what_an_epoch_consists_of_comes_from_seed_and_epoch_alone():
    clips = [Example(f"{i}", "km", (5,), 9, "a") for i in range(60)] + [Example("k", "ko", (5,), 8, "a")] * 12
    settings = {"temperature": 1.7, "reference": 0.5}
    first = epoch_examples(clips, **settings, seed=1)
    random.random()
    assert epoch_examples(clips, **settings, seed=1) == first
    assert epoch_examples(clips, **settings, seed=1, epoch=1) != first
    assert epoch_examples(clips, **settings, seed=2) != first


def test_references_are_other_clips_of_the_same_person_in_the_share_asked_for():
    clips = [Example(f"{i:03d}", "km", (5,), 5 + i % 7, f"person {i % 5}") for i in range(400)]
    named = {clip.id: clip for clip in clips}
    found = [clip for clip in epoch_examples(clips, reference=0.3) if clip.reference]
    assert len(found) / 400 == pytest.approx(0.3, abs=0.06)
    for clip in found:
        voice = named[clip.reference]
        assert (voice.person, voice.patches) == (clip.person, clip.reference_patches)
        assert voice.id != clip.id
        assert clip.length == named[clip.id].length + voice.patches + 2
    assert all(clip.reference for clip in epoch_examples(clips, reference=1.0))
    assert not any(clip.reference for clip in epoch_examples(clips, reference=0.0))


def test_a_reference_says_another_text_where_there_is_one():
    clips = [Example(f"{i:03d}", "km", (i // 4,), 5, "p") for i in range(40)]
    text = {clip.id: clip.text for clip in clips}
    assert all(text[clip.reference] != clip.text for clip in epoch_examples(clips, reference=1.0))


def test_references_that_the_corpus_names_are_heard_unless_a_share_is_asked_for():
    named = [Example("a", "km", (5,), 7, "p", reference="b", reference_patches=9), Example("b", "km", (6,), 9, "p")]
    assert epoch_examples(named, reference=None) == named
    assert not any(clip.reference for clip in epoch_examples(named, reference=0.0))
    assert [clip.reference for clip in epoch_examples(named, reference=1.0)] == ["b", "a"]


def test_a_person_with_one_clip_or_without_a_name_has_no_reference():
    clips = [Example("a", "km", (5,), 5, "one"), *(Example(name, "km", (5,), 5, "") for name in "bc")]
    assert not any(clip.reference for clip in epoch_examples(clips, reference=1.0))


lengths = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 60)), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(lengths, st.integers(1, 9), st.integers(20, 300))
def test_a_batch_is_sharded_completely_balanced_and_in_pieces_under_the_budget(sizes, ranks, tokens):
    clips = [Example(f"{i:02d}", "km", (5,) * text, audio) for i, (text, audio) in enumerate(sizes)]
    shards = sampler.shard(range(len(clips)), clips, ranks=ranks, tokens=tokens)
    assert len(shards) == ranks
    assert sorted(i for own in shards for piece in own for i in piece) == list(range(len(clips)))
    assert all(len(piece) == 1 or positions(clips, piece) <= tokens for own in shards for piece in own)
    held = [sum(positions(clips, piece) for piece in own) for own in shards]
    assert max(held) - min(held) <= max(clip.length for clip in clips)


def test_draws_of_a_clip_do_not_depend_on_its_batch():
    sounds = [EncodedClip(torch.zeros(count, 4, 8), torch.zeros(count, 3)) for count in (5, 1, 9)]
    together = inputs.draw([1, 2, 3], sounds, unguided=0.5)
    first = 0
    for seed, sound in zip([1, 2, 3], sounds, strict=True):
        alone = inputs.draw([seed], [sound], unguided=0.5)
        last = first + len(sound.latents)
        for name in ("time", "noise", "guided"):
            assert torch.equal(getattr(together, name)[first:last], getattr(alone, name))
        first = last
    assert not torch.equal(together.noise[:1], inputs.draw([4], sounds[:1], unguided=0.5).noise[:1])


@pytest.mark.parametrize("unguided", [0.0, 0.1, 1.0])
def test_the_share_without_conditions_is_the_one_asked_for(unguided):
    sound = EncodedClip(torch.zeros(5000, 4, 8), torch.zeros(5000, 3))
    found = inputs.draw([1], [sound], unguided=unguided)
    assert 1 - found.guided.float().mean().item() == pytest.approx(unguided, abs=0.015 if 0 < unguided < 1 else 0)
    assert found.time.std().item() == pytest.approx(1, abs=0.05)
    assert found.noise.shape == (5000, 4, 8)
