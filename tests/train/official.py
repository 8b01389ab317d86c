"""VoxCPM's own packer and forward pass, given our clips and our draws: what our losses are held to."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from train import config
from train.adapter import lora
from train.adapter.lora import Vector
from train.model import inputs, voxcpm
from train.model.inputs import EncodedClip


@dataclass(frozen=True)
class Sequences:
    """What is spoken, its latents (patches, P, D), and the voices heard before, where there are any."""

    texts: list[list[int]]
    latents: list[Tensor]
    voices: list[Tensor | None]

    def only(self, *rows: int) -> "Sequences":
        """Some of them."""
        return Sequences(*([part[row] for row in rows] for part in (self.texts, self.latents, self.voices)))


def sequences(*sizes: tuple[int, int, int], dtype=torch.float64, seed=0) -> Sequences:
    """Random ones; each size is text tokens, patches, and patches of the reference voice (0: none)."""
    generator = torch.Generator().manual_seed(seed)

    def patches(count):
        return torch.randn(count, 4, 8, generator=generator, dtype=torch.float64).to(dtype)

    texts = [torch.randint(5, 500, (words,), generator=generator).tolist() for words, _, _ in sizes]
    return Sequences(texts, [patches(count) for _, count, _ in sizes], [patches(n) if n else None for _, _, n in sizes])


class GivenLatents(torch.nn.Module):
    """A stand-in for the VAE, that answers each encode with the next of the given latents."""

    hop_length, sample_rate = 640, 16000

    def __init__(self, latents: Sequence[Tensor]) -> None:
        super().__init__()
        self.answers = iter(latents)

    def encode(self, audio: Tensor, rate: int) -> Tensor:
        return next(self.answers).reshape(1, -1, 8).transpose(1, 2)


def packed(given: Sequences) -> dict[str, Tensor]:
    """The batch that voxcpm.training's AudioFeatureProcessingPacker makes."""
    with voxcpm.quiet():
        import voxcpm as library

    place = f"{library.__path__[0]}/training/packers.py"  # the package itself would import datasets and argbind
    spec = importlib.util.spec_from_file_location("packers", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pairs = zip(given.voices, given.latents, strict=True)
    answers = [each for pair in pairs for each in pair if each is not None]  # it encodes a voice before its clip
    packer = module.AudioFeatureProcessingPacker(1, 10_000, 4, 8, GivenLatents(answers))
    ones, width = torch.ones(len(given.texts), dtype=torch.int32), max(map(len, given.texts))
    texts = torch.tensor([text + [-100] * (width - len(text)) for text in given.texts], dtype=torch.int32)
    audio = torch.zeros(len(given.texts), 640 * 4)
    silent = torch.tensor([0.0 if voice is not None else -100.0 for voice in given.voices])  # -100: no voice
    return packer(audio, texts, ones, ones * 0, [False] * len(ones), silent[:, None].expand_as(audio))


def losses(model, given: Sequences, draws: inputs.Draws, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Loss of flow matching and of the stop head by VoxCPM2Model.forward, its own draws replaced on loss rows."""
    batch = packed(given)
    rows = batch["loss_mask"].flatten().nonzero()[:, 0]
    count = batch["loss_mask"].numel()

    def spread(values: Tensor) -> Tensor:
        """Ours on loss rows; the others must not matter."""
        filled = torch.randn(count, *values.shape[1:], dtype=values.dtype)
        filled[rows] = values
        return filled.to(dtype)

    guided = torch.ones(count)
    guided[rows] = draws.guided.float()
    time, noise = torch.sigmoid(spread(draws.time) - 0.4), spread(draws.noise.transpose(1, 2))
    solver = model.feat_decoder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "_dtype", lambda: dtype)
        patch.setattr(solver, "training_cfg_rate", 0.5)
        patch.setattr(solver, "sample_r_t", lambda *_, **__: (time, time))
        patch.setattr(torch, "randn_like", lambda _: noise)
        patch.setattr(torch, "rand", lambda *_, **__: guided)
        names = ("text_tokens", "text_mask", "audio_feats", "audio_mask", "loss_mask", "position_ids", "labels")
        found = model(*(batch[name] for name in names))
    return found["loss/diff"], found["loss/stop"]


def adapted(folder, settings: dict, dtype: torch.dtype, *, fresh=False):
    """A model in training mode with an adapter whose B is not zero, unless it is to be fresh."""
    model = voxcpm.load(folder, device="cpu", dtype=dtype, training=True)
    lora.attach(model, config.Adapter(**settings), seed=1)
    for number, (name, value) in enumerate(lora.parameters(model).items()):
        if name.endswith(".lora_B") and not fresh:
            value.data.normal_(std=0.1, generator=torch.Generator().manual_seed(number))
        value.data = value.data.to(torch.promote_types(dtype, torch.float32))
    return model.train()


def vector(model, settings: dict) -> Vector:
    """Its adapter as our trainer holds it."""
    return Vector(model, config.Adapter(**settings), next(iter(lora.parameters(model).values())).dtype)


def sounds(model, latents: Sequence[Tensor | None]) -> list[EncodedClip | None]:
    """Latents with what the model's encoder makes of them."""
    encoder = model.feat_encoder
    return [
        each if each is None else EncodedClip(each, voxcpm.encode_patches(encoder, each).clone()) for each in latents
    ]


def collated(model, given: Sequences) -> inputs.Batch:
    """As our trainer is given them."""
    return inputs.collate(given.texts, sounds(model, given.latents), sounds(model, given.voices))


def draws(given: Sequences, *, unguided=0.3) -> inputs.Draws:
    """Draws for them, each from its own seed, in the precision of their latents."""
    found = inputs.draw(range(len(given.texts)), [EncodedClip(each, each) for each in given.latents], unguided=unguided)
    kind = given.latents[0].dtype
    return inputs.Draws(found.time.to(kind), found.noise.to(kind), found.guided)
