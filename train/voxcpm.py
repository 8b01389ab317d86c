"""The only file that imports voxcpm (Apache-2.0): find, load, tokenise, encode, losses, speak."""

import contextlib
import hashlib
import io
import json
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from curate.errors import UserError
from train.batches import Batch

log = logging.getLogger(__name__)

Samples = npt.NDArray[np.float32]

SECONDS_PER_CHARACTER = 0.5  # speech has 6 to 14 characters a second: this stops a runaway, never a sentence
SPARE_SECONDS = 2.0
CACHE = 4096  # positions of the cache for speaking; the published 8192 take 302 MB
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
VAE_WEIGHTS = ("audiovae.safetensors", "audiovae.pth")


@dataclass(frozen=True)
class Losses:
    """Mean losses over the target audio patches of a batch, as tensors that carry gradients."""

    diff: torch.Tensor  # flow matching
    stop: torch.Tensor  # where to stop speaking

    @property
    def total(self) -> torch.Tensor:
        """The official sum, weights 1 to 1."""
        return self.diff + self.stop

    @property
    def values(self) -> tuple[float, float]:
        """Both as plain numbers."""
        return float(self.diff.detach()), float(self.stop.detach())


def find(model: str, revision: str | None = None) -> Path:
    """The folder of a VoxCPM2 checkpoint; a hub id is fetched, a folder never is.

    Raises UserError where there is no such folder or id, or it holds no VoxCPM2.
    """
    folder = Path(model).expanduser()
    if not folder.is_dir():
        folder = _fetch(model, revision)
    _check(folder)
    return folder


def _fetch(model: str, revision: str | None) -> Path:
    if not HUB_ID.fullmatch(model):
        raise UserError(
            f"no folder {model}: give the folder of a VoxCPM2 checkpoint, or a hub id such as openbmb/VoxCPM2"
        )
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(model, revision=revision))
    except Exception as problem:  # the hub's errors share no base class: no network, no such id, gated, disk full
        reason = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
        raise UserError(f"{model} is no folder here and could not be fetched from the hub: {reason}") from problem
    if revision is None:
        commit = fetched_revision(folder) or "unknown"
        log.warning("%s: no --revision, and `main` is not pinned; this is commit %s", model, commit)
    return folder


def fetched_revision(folder: Path) -> str | None:
    """The revision that the hub's cache keeps this folder under, or None for a plain folder."""
    return folder.name if folder.parent.name == "snapshots" else None


def _check(folder: Path) -> None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{folder} is not a VoxCPM2 checkpoint: it has no readable config.json") from None
    architecture = config.get("architecture") if isinstance(config, dict) else None
    if str(architecture).lower() != "voxcpm2":
        raise UserError(f"{folder} is not a VoxCPM2 checkpoint: its config.json says architecture {architecture!r}")
    for names in (WEIGHTS, VAE_WEIGHTS, ("tokenizer.json", "tokenizer.model")):
        if not any((folder / name).is_file() for name in names):
            raise UserError(f"{folder} is not a whole VoxCPM2 checkpoint: {' or '.join(names)} is missing")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what voxcpm prints and its progress bars off the screen; they go to the log."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said), warnings.catch_warnings():
        # its AudioVAE uses the older weight_norm and jit.script; both still work in the pinned torch
        warnings.filterwarnings("ignore", message=".*weight_norm.*", category=FutureWarning)
        warnings.filterwarnings("ignore", message=".*torch.jit.script.*", category=DeprecationWarning)
        yield
    if said.getvalue().strip():
        log.debug("voxcpm: %s", said.getvalue().strip())


def real_config() -> dict[str, Any]:
    """The configuration of openbmb/VoxCPM2, as published."""
    text = (Path(__file__).parent / "voxcpm2_config.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def build(config: dict[str, Any], *, device: str, tokenizer: Any = None, on_meta: bool = False) -> Any:
    """A VoxCPM2Model with fresh weights; on the meta device it has shapes and no memory.

    config is config.json as read; without a tokenizer the model cannot read text, which counting needs not.
    """
    with quiet():
        from voxcpm.model.voxcpm2 import VoxCPM2Model, VoxCPMConfig

        parsed = VoxCPMConfig.model_validate(config)
        where = torch.device("meta") if on_meta else contextlib.nullcontext()
        with where:
            vae = _vae(parsed.audio_vae_config)
            return VoxCPM2Model(parsed, tokenizer or SimpleNamespace(vocab={}), vae, device=device)


def _vae(config: Any) -> Any:
    from voxcpm.modules.audiovae import AudioVAEV2

    return AudioVAEV2(config=config) if config else AudioVAEV2()


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a checkpoint."""
    return dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))


def on_meta(config: dict[str, Any]) -> Any:
    """A model of this configuration without weights, for counting."""
    return build(config | {"max_length": 8}, device="cpu", on_meta=True)  # the cache would really be allocated


def load(folder: Path, *, device: str, dtype: torch.dtype | None = None) -> Any:
    """A VoxCPM2Model with the checkpoint's weights, frozen, in eval mode; by default float32 on a CPU, else bfloat16.

    The VAE stays in float32, as in the official loader.
    """
    dtype = dtype or (torch.float32 if device == "cpu" else torch.bfloat16)
    name = {torch.float32: "float32", torch.bfloat16: "bfloat16"}[dtype]
    config = read_config(folder)
    config |= {"dtype": name, "max_length": min(CACHE, config.get("max_length", CACHE))}
    model = build(config, device=device, tokenizer=_tokenizer(folder))
    model = model.to(dtype)
    model.audio_vae.to(torch.float32)
    state = _read(folder, WEIGHTS)
    state |= {f"audio_vae.{key}": value for key, value in _read(folder, VAE_WEIGHTS).items()}
    _fill(model, state, folder)
    return model.requires_grad_(False).to(device).eval()


def load_vae(folder: Path, *, device: str) -> Any:
    """Only the AudioVAE, in float32: all that encoding needs."""
    with quiet():
        from voxcpm.model.voxcpm2 import VoxCPMConfig

        config = VoxCPMConfig.model_validate_json((folder / "config.json").read_text(encoding="utf-8"))
        vae = _vae(config.audio_vae_config)
    _fill(vae, _read(folder, VAE_WEIGHTS), folder)
    return vae.requires_grad_(False).to(device).eval()


def _tokenizer(folder: Path) -> Any:
    with quiet():
        from transformers import LlamaTokenizerFast

        return LlamaTokenizerFast.from_pretrained(str(folder), local_files_only=True)


def _read(folder: Path, names: Sequence[str]) -> dict[str, torch.Tensor]:
    path = next(folder / name for name in names if (folder / name).is_file())
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:  # safetensors, pickle and torch raise their own kinds
        raise UserError(f"{path} cannot be read ({problem}): fetch the checkpoint again") from problem
    return dict(state.get("state_dict", state))


def _fill(model: Any, state: dict[str, torch.Tensor], folder: Path) -> None:
    try:
        missing, _ = model.load_state_dict(state, strict=False)
    except RuntimeError as problem:
        raise UserError(
            f"the weights in {folder} do not fit its config.json: {str(problem).splitlines()[-1].strip()}"
        ) from None
    if missing:
        raise UserError(f"the weights in {folder} lack {len(missing)} tensors, such as {missing[0]}")


def vae_hash(folder: Path) -> str:
    """sha256 over the AudioVAE's weights file and its configuration: what latents depend on."""
    path = next(folder / name for name in VAE_WEIGHTS if (folder / name).is_file())
    config = read_config(folder).get("audio_vae_config")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(json.dumps([config, patch_size(folder)], sort_keys=True).encode())
    return digest.hexdigest()


def patch_size(folder: Path) -> int:
    """Latents in one patch: 4 in the published model, 160 ms."""
    return int(read_config(folder).get("patch_size", 4))


def collapse(text: str) -> str:
    """Whitespace as inference collapses it (voxcpm/core.py)."""
    return re.sub(r"\s+", " ", text)


class Tokenizer:
    """Text to ids exactly as inference does it: whitespace collapsed, multi-character Chinese pieces split."""

    def __init__(self, folder: Path) -> None:
        tokenizer = _tokenizer(folder)
        with quiet():
            from voxcpm.model.utils import mask_multichar_chinese_tokens

            self._ids = mask_multichar_chinese_tokens(tokenizer)

    def __call__(self, text: str) -> list[int]:
        """The ids of one text; no marks of beginning or end."""
        return list(self._ids(collapse(text)))


def encode(vae: Any, samples: Samples, *, patch: int) -> torch.Tensor:
    """Latents (patches, patch, latent), on the CPU, of a clip at the VAE's rate, padded to whole patches."""
    length = patch * int(vae.chunk_size)
    padded = np.pad(samples, (0, -len(samples) % length))
    audio = torch.from_numpy(padded).to(next(vae.parameters()).device)
    with torch.inference_mode():
        latents = vae.encode(audio[None, None], vae.sample_rate)[0].T  # (time, latent)
    patches: torch.Tensor = latents.reshape(-1, patch, latents.shape[-1]).contiguous().cpu()
    return patches


@contextlib.contextmanager
def _seeded(model: Any, seed: int) -> Iterator[None]:
    """Draws inside come from `seed` alone; those outside go on as if nothing had been drawn."""
    gpus = [torch.cuda.current_device()] if str(model.device).startswith("cuda") else []
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        yield


def losses(model: Any, batch: Batch, *, seed: int, guidance_dropout: bool) -> Losses:
    """The official losses with every draw (time, noise, guidance dropout) taken from `seed`.

    Goes through VoxCPM2Model.forward. guidance_dropout=False conditions every row, as honest validation does.
    """
    rate = model.feat_decoder.training_cfg_rate
    with _seeded(model, seed):
        try:
            model.feat_decoder.training_cfg_rate = rate if guidance_dropout else 0.0
            out = model(
                batch.tokens, batch.text_mask, batch.patches, batch.audio_mask, batch.audio_mask, None, batch.labels
            )
        finally:
            model.feat_decoder.training_cfg_rate = rate
    return Losses(diff=out["loss/diff"], stop=out["loss/stop"])


def speak(model: Any, text: str, *, seed: int, timesteps: int = 10, guidance: float = 2.0) -> tuple[Samples, int]:
    """Say a text zero-shot; a runaway is stopped by seconds per character. Returns samples and their rate.

    timesteps and guidance are the official defaults (voxcpm/core.py).
    """
    text = collapse(text)
    if not text.strip():
        raise UserError("there is no text to say: give --text")
    per_second = model.audio_vae.sample_rate / (model.chunk_size * model.patch_size)
    longest = int((len(text) * SECONDS_PER_CHARACTER + SPARE_SECONDS) * per_second)
    room = model.config.max_length - len(model.text_tokenizer(text)) - 2
    if room < 1:
        raise UserError(f"the text is too long to be said at once ({len(text)} characters): split it")
    with quiet(), _seeded(model, seed):
        audio = model.generate(text, max_len=min(longest, room), inference_timesteps=timesteps, cfg_value=guidance)
    return audio.squeeze(0).to(torch.float32).cpu().numpy(), int(model.sample_rate)


def speak_official(
    folder: Path, adapter: Path, text: str, *, seed: int
) -> tuple[Samples, int, dict[str, torch.Tensor]]:
    """Load model and adapter with VoxCPM's own loader and speak: samples, rate, and the adapter as it was loaded.

    Both the weights and their configuration are passed: 2.0.3 assumes rank 8 otherwise.
    """
    with quiet():
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
