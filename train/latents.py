"""Audio to AudioVAE latents, once, on disk: LATENTS/<VAE>/<audio>.safetensors, both named by hashes of content."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from curate.errors import UserError
from train import checkpoint, voxcpm
from train.corpus import Clip

DIGITS = 32  # hex digits of sha256 in a name: 128 bits


@dataclass(frozen=True)
class Progress:
    """How far encoding has come, in clips; those already on disk are not counted."""

    done: int
    total: int


class Latents:
    """The latents of some clips under one VAE; equal audio shares a file, another VAE has its own folder."""

    def __init__(self, folder: Path, model: Path) -> None:
        self._model = model
        self._folder = folder / voxcpm.vae_hash(model)[:DIGITS]
        self._audio: dict[str, str] = {}

    def path(self, clip: Clip) -> Path:
        """Where a clip's latents lie; its audio is hashed when first asked."""
        if clip.id not in self._audio:
            with clip.path.open("rb") as file:
                self._audio[clip.id] = hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
        return self._folder / f"{self._audio[clip.id]}.safetensors"

    def encode(self, clips: Sequence[Clip], *, device: str) -> Iterator[Progress]:
        """Encode the clips that are not on disk yet; a killed run goes on where it stopped."""
        missing = {self.path(clip): clip for clip in clips if not self.path(clip).is_file()}
        if not missing:
            return
        yield Progress(0, len(missing))
        vae = voxcpm.load_vae(self._model, device=device)
        patch = voxcpm.patch_size(self._model)
        self._folder.mkdir(parents=True, exist_ok=True)
        for done, (path, clip) in enumerate(missing.items(), start=1):
            latents = voxcpm.encode(vae, samples(clip.path, vae.sample_rate), patch=patch)
            _write(latents, path)
            yield Progress(done, len(missing))

    def patches(self, clip: Clip) -> int:
        """Length of a clip in patches, read from the file's header."""
        from safetensors import safe_open

        try:
            with safe_open(self.path(clip), framework="pt") as file:
                return int(file.get_slice("latents").get_shape()[0])
        except Exception as problem:  # SafetensorError or OSError
            raise UserError(
                f"{self.path(clip)} cannot be read ({problem}): remove it, and it is encoded again"
            ) from problem

    def read(self, clip: Clip) -> torch.Tensor:
        """A clip's latents in float32: (patches, patch, latent)."""
        from safetensors.torch import load_file

        latents: torch.Tensor = load_file(self.path(clip))["latents"]
        return latents


def samples(path: Path, rate: int) -> voxcpm.Samples:
    """A clip's samples, resampled to `rate`; latents of audio at a wrong rate are garbage."""
    from curate import audio

    try:
        own, own_rate = audio.read(path)
    except audio.Unreadable as problem:
        raise UserError(f"{path} cannot be read ({problem}): run `curate run` again to write it anew") from problem
    return own if own_rate == rate else audio.resample(own, own_rate, rate)


def _write(latents: torch.Tensor, path: Path) -> None:
    from safetensors.torch import save_file

    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    save_file({"latents": latents}, partial)
    checkpoint.flush(partial)  # a file that has its name is whole, whatever happens to the machine
    partial.replace(path)
