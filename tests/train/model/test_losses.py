"""Our losses and gradients are VoxCPM2Model.forward's own."""

import os
import shutil

import pytest
import torch

from tests.train import official
from train.adapter import lora
from train.config import MODULES
from train.data import corpus as reading
from train.data import latents
from train.model import inputs, losses

EXACT = 1e-10  # relative, in double precision
BOTH = {"rank": 4, "alpha": 6}
SETTINGS = {
    "both": BOTH,
    "lm": BOTH | {"scope": "lm"},
    "dit": BOTH | {"scope": "dit"},
    "everything": BOTH | {"modules": MODULES, "projections": True},
}
SIZES = {  # text tokens, patches, patches of a reference voice
    "unlike lengths": [(5, 6, 0), (12, 9, 0), (2, 1, 0)],
    "one clip": [(7, 8, 0)],
    "equal lengths": [(5, 6, 0), (7, 4, 0)],
    "one patch each": [(4, 1, 0), (9, 1, 0)],
    "reference voices": [(5, 6, 0), (3, 4, 3), (8, 1, 5)],
}
LONG = "SAMSORI_LONG" in os.environ
BATCHES = 20 if LONG else 5  # that bfloat16 is compared over


@pytest.fixture(scope="module")
def pair(tiny):
    """Two models with the same weights for each setting: ours, with the vector, and one with PEFT's own layers."""
    made = {}

    def get(name):
        if name not in made:
            mine, theirs = (official.adapted(tiny, SETTINGS[name], torch.float64) for _ in range(2))
            made[name] = (mine, official.vector(mine, SETTINGS[name]), theirs)
        return made[name]

    return get


def ours(model, vector, pieces, draws, how=None):
    """Losses of each patch, and gradients, of pieces (sequences) computed apart and added up."""
    patches, vector.parameter.grad = len(draws.time), None
    found, first = [], 0
    for given in pieces:
        end = first + sum(map(len, given.latents))
        own = inputs.Draws(draws.time[first:end], draws.noise[first:end], draws.guided[first:end])
        adapter = vector.adapter(model.fusion_concat_proj.weight.dtype)
        lost = losses.losses(model, official.collated(model, given), own, adapter, how)
        ((lost.diff.sum() + lost.stop.sum()) / patches).backward()
        found.append(torch.stack(lost).detach())
        first = end
    return torch.cat(found, dim=1), {name: value.clone() for name, value in vector.gradients().items()}


def theirs(model, given, draws, dtype=torch.float64):
    """The same two of VoxCPM2Model.forward; its losses are means over patches."""
    own = lora.parameters(model)
    diff, stop = official.losses(model, given, draws, dtype)
    gradients = torch.autograd.grad(diff + stop, list(own.values()), materialize_grads=True)
    return torch.stack((diff, stop)).detach(), dict(zip(own, gradients, strict=True))


def equal(mine, other):
    """Whether losses (mean over patches) and all gradients agree; a gradient of zero must be zero here, too."""
    (losses, gradients), (official_losses, official_gradients) = mine, other
    assert torch.allclose(losses.mean(dim=1), official_losses, rtol=EXACT, atol=0)
    assert gradients.keys() == official_gradients.keys()
    for name, value in official_gradients.items():
        assert (gradients[name] - value).norm() <= EXACT * value.norm(), name
    return True


@pytest.mark.parametrize("sizes", SIZES)
def test_losses_and_gradients_are_the_official_ones(pair, sizes):
    model, vector, other = pair("both")
    given = official.sequences(*SIZES[sizes])
    draws = official.draws(given)
    assert equal(ours(model, vector, [given], draws), theirs(other, given, draws))


@pytest.mark.parametrize("settings", ["lm", "dit", "everything"])
@pytest.mark.parametrize("unguided", [0.0, 0.3, 1.0])
def test_they_are_in_every_scope_and_whatever_is_guided(pair, settings, unguided):
    model, vector, other = pair(settings)
    given = official.sequences((5, 6, 0), (12, 9, 3))
    draws = official.draws(given, unguided=unguided)
    assert (bool(draws.guided.any()), bool(draws.guided.all())) == (unguided < 1, unguided == 0)
    assert equal(ours(model, vector, [given], draws), theirs(other, given, draws))


def test_they_are_with_checkpointing(pair):
    model, vector, other = pair("everything")
    given = official.sequences((5, 6, 0), (12, 9, 3))
    draws = official.draws(given)
    assert equal(
        ours(model, vector, [given], draws, losses.ComputeOptions(checkpointing=True)), theirs(other, given, draws)
    )


def test_pieces_add_up_to_the_whole_and_clips_do_not_see_each_other(pair):
    model, vector, other = pair("both")
    given = official.sequences(*SIZES["unlike lengths"], (8, 5, 4))
    draws, expected = official.draws(given), None
    for parts in ([(0, 1), (2, 3)], [(0,), (1,), (2,), (3,)]):
        found = ours(model, vector, [given.only(*part) for part in parts], draws)
        assert equal(found, theirs(other, given, draws))
        expected = ours(model, vector, [given], draws) if expected is None else expected
        assert torch.allclose(found[0], expected[0], rtol=EXACT, atol=0)  # patch for patch


@pytest.mark.skipif(not LONG, reason="compiling takes minutes: SAMSORI_LONG=1 (make test-long)")
@pytest.mark.skipif(not shutil.which("gcc"), reason="torch.compile needs a C++ compiler on a CPU, and there is no gcc")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")  # inductor's
def test_compiled_layers_give_the_same_losses_and_gradients(tiny):
    """In float32, against the same layers not compiled: inductor's CPU attention cannot go backward in float64."""
    model = official.adapted(tiny, BOTH, torch.float32)
    vector = official.vector(model, BOTH)
    for sizes in SIZES.values():
        given = official.sequences(*sizes, dtype=torch.float32)
        draws = official.draws(given)
        plain, gradients = ours(model, vector, [given], draws)
        compiled, others = ours(model, vector, [given], draws, losses.ComputeOptions(compiled=True))
        assert torch.allclose(compiled, plain, rtol=1e-5, atol=1e-6)
        for name, value in gradients.items():
            assert (others[name] - value).norm() <= 1e-4 * value.norm(), name


@pytest.mark.parametrize("sizes", SIZES)
def test_the_layout_is_the_official_packers(sizes):
    """Ids, latents and targets stand where VoxCPM puts them; only the last patch and 102 are left out."""
    given = official.sequences(*SIZES[sizes])
    packed = official.packed(given)
    flat = [
        None if each is None else inputs.EncodedClip(each, each.flatten(1)) for each in [*given.latents, *given.voices]
    ]
    count = len(given.texts)
    batch = inputs.collate(given.texts, flat[:count], flat[count:])
    row = torch.arange(batch.rows).repeat_interleave(
        (batch.positions == 0).nonzero().diff(dim=0, append=torch.tensor([[len(batch.positions)]]))[:, 0]
    )
    width = packed["text_tokens"].shape[1]
    place = row * width + batch.positions  # of each of our positions in the official batch
    tokens, feats = packed["text_tokens"].flatten(), packed["audio_feats"].flatten(0, 1)
    loss = packed["loss_mask"].flatten().nonzero()[:, 0]
    last = packed["labels"].flatten().nonzero()[:, 0]
    text = [at for at in packed["text_mask"].flatten().nonzero()[:, 0].tolist() if tokens[at] != 102]
    audio = [at for at in packed["audio_mask"].flatten().nonzero()[:, 0].tolist() if at not in last]
    assert sorted(place[batch.text_at].tolist()) == text
    assert sorted(place[batch.audio_at].tolist()) == audio
    assert torch.equal(batch.text, tokens[place[batch.text_at]].long())
    assert torch.equal(batch.encoded, feats[place[batch.audio_at]].flatten(1))
    assert torch.equal(batch.targets, feats[loss])
    assert torch.equal(batch.previous, feats[loss - 1])  # zeros at text
    assert torch.equal(place[batch.before], loss - 1)
    assert torch.equal(loss[batch.last], last)
    assert batch.slots is None or torch.equal(batch.slots, row * batch.longest + batch.positions)
    assert torch.equal(batch.clip, loss // width)


def test_encoder_outputs_from_disk_are_those_inside_the_official_forward(pair, corpus, tiny, tmp_path):
    _, _, other = pair("both")
    clips = reading.read(corpus)[:2]
    store = latents.Latents(tmp_path, tiny, torch.float64)
    list(store.encode(clips, device="cpu"))
    cached = [store.read(clip) for clip in clips]
    given = official.Sequences([[7, 8], [9]], [each.latents.double() for each in cached], [None, None])
    seen = []
    hook = other.feat_encoder.register_forward_hook(lambda *found: seen.append(found[2]))
    with torch.no_grad():
        official.losses(other, given, official.draws(given), torch.float64)
    hook.remove()
    inside = seen[0][official.packed(given)["audio_mask"].bool()]
    assert torch.allclose(torch.cat([each.encoded for each in cached]), inside, rtol=EXACT, atol=EXACT)


def test_bfloat16_is_no_farther_from_float32_than_the_official_one(tiny):
    """FSQ codes flip in bfloat16: so distances of loss and gradient from float32, means over batches, are compared.

    Twice: with the model in bfloat16, and as the official script trains, in float32 under autocast.
    """
    models = {kind: official.adapted(tiny, BOTH, kind) for kind in (torch.float32, torch.bfloat16)}
    vector, pure = official.vector(models[torch.bfloat16], BOTH), official.adapted(tiny, BOTH, torch.bfloat16)
    pure.to(torch.bfloat16)
    distances = {"ours": [], "pure": [], "autocast": []}
    for seed in range(BATCHES):
        given = official.sequences((12, 9, 0), (5, 14, 0), (20, 4, 0), dtype=torch.float32, seed=seed)
        draws = official.draws(given, unguided=0.1)
        exact = theirs(models[torch.float32], given, draws, torch.float32)
        with torch.autocast("cpu", torch.bfloat16):
            rough = theirs(models[torch.float32], given, draws, torch.bfloat16)
        mine, gradients = ours(models[torch.bfloat16], vector, [given], draws)
        distances["autocast"].append(distance(rough, exact))
        distances["pure"].append(distance(theirs(pure, given, draws, torch.bfloat16), exact))
        distances["ours"].append(distance((mine.mean(dim=1), gradients), exact))
    means = {name: torch.tensor(each).mean(dim=0) for name, each in distances.items()}
    assert (means["ours"] <= 1.5 * means["pure"]).all(), means
    assert (means["ours"] <= 1.5 * means["autocast"]).all(), means
    assert (means["ours"] > 0).all()


def distance(found, exact):
    """Of the loss, and of the whole gradient relative to its norm."""
    both = [torch.cat([value.flatten().float() for value in gradients.values()]) for _, gradients in (found, exact)]
    loss = abs(float(found[0].double().sum() - exact[0].double().sum()))
    return [loss, float((both[0] - both[1]).norm() / both[1].norm())]


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_fresh_adapter_changes_no_bit(tiny, kind):
    model = official.adapted(tiny, SETTINGS["everything"], kind, fresh=True)
    vector = official.vector(model, SETTINGS["everything"])
    given = official.sequences((5, 6, 0), (12, 9, 3), dtype=torch.float32)
    batch, draws = official.collated(model, given), official.draws(given)
    with torch.no_grad():
        fresh, base = (losses.losses(model, batch, draws, adapter) for adapter in (vector.adapter(kind), {}))
    assert torch.equal(fresh.diff, base.diff)
    assert torch.equal(fresh.stop, base.stop)


def test_every_module_learns_and_the_quantiser_lets_the_base_lm_learn_from_audio(pair):
    """FSQ rounds without a gradient in eval mode: the losses stay, the base LM's gradients lose what audio taught."""
    model, vector, _ = pair("everything")
    given = official.sequences((5, 6, 0), (12, 9, 3))
    draws = official.draws(given)
    losses, learning = ours(model, vector, [given], draws)
    assert all(value.norm() > 0 for value in learning.values())
    assert len(learning) == 2 * (6 * 7 + 4)  # A and B of seven modules in each of six layers, and four projections
    same, deaf = ours(model.eval(), vector, [given], draws)
    model.train()
    assert torch.allclose(losses, same, rtol=1e-6, atol=0)
    for name, value in learning.items():
        changed = (deaf[name] - value).norm() / value.norm()
        assert changed > 0.05 if name.startswith(("base_lm", "enc_to_lm")) else changed < 1e-6, (name, changed)


def test_the_vector_is_what_peft_and_the_saved_adapter_see(pair):
    model, vector, _ = pair("both")
    with torch.no_grad():
        vector.parameter.mul_(2)
    saved = lora.weights(model)
    for name, (down, up, scale, dropout) in vector.adapter(torch.float32).items():
        assert torch.equal(saved[f"{name}.lora_A"], down)
        assert torch.equal(saved[f"{name}.lora_B"], up)
        assert (scale, dropout) == (1.5, 0.0)
    with torch.no_grad():
        vector.parameter.div_(2)
