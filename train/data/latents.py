"""Audio to AudioVAE latents and local-encoder outputs, once, on disk, named by hashes of content.

LATENTS/<VAE>/<audio>.safetensors holds latents, LATENTS/<VAE>/<encoder>-<precision>/<audio>.safetensors what the
encoder made of them: 4 x 64 and 1024 numbers a patch, so 26 hours take 0.6 GB in float32 and 1.2 GB in bfloat16.
"""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from curate import files
from curate.errors import Unreadable, UserError
from train.data.corpus import TrainingClip
from train.model import base, voxcpm
from train.model.inputs import EncodedClip

CHECKSUM = "crc32"  # in a file's metadata: of its tensor's bytes
FLOATS = ("FLOAT", "DOUBLE")  # what soundfile calls samples that can be no numbers
DIGITS = 32  # hex digits of sha256 in a name: 128 bits


@dataclass(frozen=True)
class Progress:
    """How far encoding has come, in clips, or other work of that kind; what is already on disk is not counted."""

    done: int
    total: int
    what: str = "encoding clips"


class Latents:
    """The latents of some clips under one model; equal audio shares a file, another VAE or encoder has its own folder.

    `dtype` is the precision in which the local encoder runs and its outputs are kept: that of the base.
    """

    def __init__(self, folder: Path, model: Path, dtype: torch.dtype = torch.float32) -> None:
        self._model = model
        self._dtype = dtype
        self._folder = folder / base.vae_hash(model)[:DIGITS]
        self._encoded = self._folder / f"{base.encoder_hash(model)[:DIGITS]}-{voxcpm.NAMES[dtype]}"
        self._audio: dict[str, str] = {}
        self._verified: set[Path] = set()  # files whose checksum was looked at, once in a run

    def path(self, clip: TrainingClip) -> Path:
        """Where a clip's latents lie; its audio is hashed when first asked."""
        return self._folder / self._name(clip)

    def encoded_path(self, clip: TrainingClip) -> Path:
        """Where the local encoder's outputs for a clip lie."""
        return self._encoded / self._name(clip)

    def missing(self, clips: Sequence[TrainingClip]) -> list[TrainingClip]:
        """Those that are not on disk yet, each audio once."""
        by_audio = {self._name(clip): clip for clip in clips}
        return [
            clip for clip in by_audio.values() if not (self.path(clip).is_file() and self.encoded_path(clip).is_file())
        ]

    def encode(self, clips: Sequence[TrainingClip], *, device: str) -> Iterator[Progress]:
        """Encode the clips that are not on disk yet; a killed run goes on where it stopped."""
        missing = self.missing(clips)
        if not missing:
            return
        yield Progress(0, len(missing))
        encoders = Encoders(self._model, device=device, dtype=self._dtype)
        try:
            self._encoded.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise UserError(f"{self._encoded} cannot be made ({problem.strerror}): choose another place") from problem
        for done, clip in enumerate(missing, start=1):
            if not self.path(clip).is_file():
                _write("latents", encoders.latents(clip), self.path(clip))
            if not self.encoded_path(clip).is_file():
                _write("encoded", encoders.patches(_read("latents", self.path(clip))), self.encoded_path(clip))
            yield Progress(done, len(missing))

    def patches(self, clip: TrainingClip) -> int:
        """Length of a clip in patches, read from the file's header."""
        from safetensors import safe_open

        try:
            with safe_open(self.path(clip), framework="pt") as file:
                return int(file.get_slice("latents").get_shape()[0])
        except Exception as problem:  # SafetensorError or OSError
            raise _unreadable(self.path(clip), problem) from problem

    def read(self, clip: TrainingClip) -> EncodedClip:
        """A clip's latents in float32, (patches, patch, latent), and the encoder's outputs, (patches, width)."""
        return EncodedClip(self._read("latents", self.path(clip)), self._read("encoded", self.encoded_path(clip)))

    def _read(self, name: str, path: Path) -> torch.Tensor:
        value = _read(name, path, check=path not in self._verified)
        self._verified.add(path)
        return value

    def _name(self, clip: TrainingClip) -> str:
        if clip.id not in self._audio:
            with clip.path.open("rb") as file:
                self._audio[clip.id] = hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
        return f"{self._audio[clip.id]}.safetensors"


class Encoders:
    """The two frozen models that training reads the outputs of: AudioVAE and local encoder."""

    def __init__(self, model: Path, *, device: str, dtype: torch.dtype) -> None:
        self._vae = voxcpm.load_vae(model, device=device)
        self._encoder = voxcpm.load_encoder(model, device=device, dtype=dtype)
        self._patch = base.patch_size(model)

    def latents(self, clip: TrainingClip) -> torch.Tensor:
        """A clip's latents in float32: (patches, patch, latent)."""
        return voxcpm.encode(self._vae, samples(clip.path, self._vae.sample_rate), patch=self._patch)

    def patches(self, latents: torch.Tensor) -> torch.Tensor:
        """What the local encoder makes of latents: (patches, width)."""
        return voxcpm.encode_patches(self._encoder, latents)

    def encode(self, clip: TrainingClip) -> EncodedClip:
        """Both."""
        latents = self.latents(clip)
        return EncodedClip(latents, self.patches(latents))


def samples(path: Path, rate: int) -> voxcpm.Samples:
    """A clip's samples, resampled to `rate`; latents of audio at a wrong rate are garbage."""
    from curate import audio

    try:
        own, own_rate = audio.read(path)
    except Unreadable as problem:
        raise UserError(f"{path} cannot be read ({problem}): run `curate run` again to write it anew") from problem
    _check_finite(path)
    return own if own_rate == rate else audio.resample(own, own_rate, rate)


def _check_finite(path: Path) -> None:
    """Raise UserError where samples are no numbers, which `audio.read` takes for silence."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            if file.subtype not in FLOATS or np.isfinite(file.read(dtype="float32")).all():
                return
    except soundfile.LibsndfileError:  # FFmpeg has read it
        return
    raise UserError(f"{path} holds samples that are no numbers (NaN or infinity): run `curate run` again without it")


def _read(name: str, path: Path, *, check: bool = True) -> torch.Tensor:
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as file:
            value: torch.Tensor = file.get_tensor(name)
            noted = (file.metadata() or {}).get(CHECKSUM) if check else None  # earlier versions noted none
    except Exception as problem:  # SafetensorError or OSError
        raise _unreadable(path, problem) from problem
    if noted not in (None, _checksum(value)):
        raise _unreadable(path, "its numbers are not those that were written")
    return value


def _checksum(value: torch.Tensor) -> str:
    return f"{zlib.crc32(value.contiguous().view(torch.uint8).numpy().data):08x}"


def _unreadable(path: Path, problem: Exception | str) -> UserError:
    return UserError(f"{path} cannot be read ({problem}): remove it, and it is encoded again")


def _write(name: str, value: torch.Tensor, path: Path) -> None:
    from safetensors.torch import save

    try:
        files.write_bytes(path, save({name: value.contiguous()}, {CHECKSUM: _checksum(value)}))
    except OSError as problem:
        raise UserError(
            f"{path} cannot be written ({problem.strerror}): make room, and the same command goes on"
        ) from problem
