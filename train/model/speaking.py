"""A VoxCPM2 model speaks: zero-shot, between the steps of a training, and through VoxCPM's own loader."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from curate.errors import UserError
from train.model import voxcpm
from train.model.voxcpm import Samples

SECONDS_PER_CHARACTER = 0.5  # speech has 6 to 14 characters a second: this stops a runaway, never a sentence
SPARE_SECONDS = 2.0
PATCHES_PER_TOKEN, SPARE_PATCHES = 6.0, 10  # where VoxCPM's own generate stops (model/voxcpm2.py, badcase ratio)


@contextlib.contextmanager
def ready_to_speak(model: Any) -> Iterator[None]:
    """A model loaded for training with its VAE and encoder on its device, in eval mode; put back after."""
    was, places = model.training, {name: next(getattr(model, name).parameters()).device for name in voxcpm.ENCODERS}
    try:
        for name in voxcpm.ENCODERS:
            getattr(model, name).to(model.device)
        model.eval()
        yield
    finally:
        for name, place in places.items():
            getattr(model, name).to(place)
        model.train(was)


@contextlib.contextmanager
def _seeded(model: Any, seed: int) -> Iterator[None]:
    """Draws inside come from `seed` alone; those outside go on as if nothing had been drawn."""
    gpus = [torch.cuda.current_device()] if str(model.device).startswith("cuda") else []
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        yield


def speak(model: Any, text: str, *, seed: int, timesteps: int = 10, guidance: float = 2.0) -> tuple[Samples, int]:
    """Say a text zero-shot; a runaway is stopped by seconds per character. Returns samples and their rate.

    timesteps and guidance are the official defaults (voxcpm/core.py).
    """
    text = voxcpm.collapse(text)
    if not text.strip():
        raise UserError("there is no text to say: give --text")
    taken = len(model.text_tokenizer(text)) + 2
    room = most_patches(model, text)
    if room < 1:
        raise UserError(f"the text is too long to be said at once ({len(text)} characters): split it")
    with voxcpm.quiet(), _seeded(model, seed), _cache(model, taken + room):
        audio = model.generate(text, max_len=room, inference_timesteps=timesteps, cfg_value=guidance)
    return audio.squeeze(0).to(torch.float32).cpu().numpy(), int(model.sample_rate)


def most_patches(model: Any, text: str) -> int:
    """How many patches a text may take when it is spoken; what reaches that was cut off, and is a runaway.

    By seconds per character, the model's positions, and VoxCPM's own limit of patches per token.
    """
    text = voxcpm.collapse(text)
    tokens = len(model.text_tokenizer(text))
    per_second = model.audio_vae.sample_rate / (model.chunk_size * model.patch_size)
    longest = int((len(text) * SECONDS_PER_CHARACTER + SPARE_SECONDS) * per_second)
    positions = int(model.config.lm_config.max_position_embeddings) - tokens - 2
    return min(longest, positions, int(tokens * PATCHES_PER_TOKEN + SPARE_PATCHES))


def patches_of(model: Any, samples: int) -> int:
    """How many patches are in that many samples of what was spoken."""
    seconds = model.chunk_size * model.patch_size / model.audio_vae.sample_rate
    return round(samples / float(model.sample_rate) / float(seconds))


@contextlib.contextmanager
def _cache(model: Any, positions: int) -> Iterator[None]:
    """Keys and values for that many positions, only while it speaks: the published 8192 take 302 MB."""
    lms = (model.base_lm, model.residual_lm)
    before = [lm.kv_cache for lm in lms]
    kind = model.fusion_concat_proj.weight.dtype
    try:
        for lm in lms:
            lm.setup_cache(1, positions, model.device, kind)
        yield
    finally:
        for lm, cache in zip(lms, before, strict=True):
            lm.kv_cache = cache


def speak_official(
    folder: Path, adapter: Path, text: str, *, seed: int
) -> tuple[Samples, int, dict[str, torch.Tensor]]:
    """Load model and adapter with VoxCPM's own loader and speak: samples, rate, and the adapter as it was loaded.

    Both the weights and their configuration are passed: 2.0.3 assumes rank 8 otherwise.
    """
    with voxcpm.quiet():
        from voxcpm import VoxCPM
        from voxcpm.model.voxcpm2 import LoRAConfig

        settings = json.loads((adapter / "lora_config.json").read_text(encoding="utf-8"))["lora_config"]
        model = VoxCPM.from_pretrained(
            str(folder),
            load_denoiser=False,
            optimize=False,
            device="cpu",
            lora_config=LoRAConfig(**settings),
            lora_weights_path=str(adapter),
        ).tts_model
    samples, rate = speak(model, text, seed=seed)
    return samples, rate, dict(model.get_lora_state_dict())
