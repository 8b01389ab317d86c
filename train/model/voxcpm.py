"""VoxCPM2 through voxcpm (Apache-2.0), which only this file and `speaking` import: build, load, tokenise, encode."""

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from curate.errors import UserError
from train.adapter.formats import check_kinds
from train.config import Quantization
from train.messages import counted
from train.model import base, layers, quantized, tokenizer

log = logging.getLogger(__name__)

Samples = npt.NDArray[np.float32]

ENCODERS = ("audio_vae", "feat_encoder")  # frozen, and asked once for each clip
LAYER = re.compile(r"(?:.*\.)?layers\.\d+(?=\.)")
IDS = ("bos_token_id", "eos_token_id")  # of config.json; its other whole numbers are sizes, counts and rates
NO_VAE = SimpleNamespace(chunk_size=1, sample_rate=1)  # what a model asks one for when it is built; made in no time
NAMES = {torch.float32: "float32", torch.bfloat16: "bfloat16", torch.float64: "float64"}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what voxcpm prints and its progress bars off the screen; they go to the log."""
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed), warnings.catch_warnings():
        # its AudioVAE uses the older weight_norm and jit.script; both still work in the pinned torch
        warnings.filterwarnings("ignore", message=".*weight_norm.*", category=FutureWarning)
        warnings.filterwarnings("ignore", message=".*torch.jit.script.*", category=DeprecationWarning)
        yield
    if printed.getvalue().strip():
        log.debug("voxcpm: %s", printed.getvalue().strip())


def build(config: dict[str, Any], *, device: str, tokenizer: Any = None, vae: Any = None, on_meta: bool = False) -> Any:
    """A VoxCPM2Model with fresh weights; on the meta device it has shapes and no memory.

    config is config.json as read; without a tokenizer the model cannot read text, which counting needs not. `vae` is
    an AudioVAE of that configuration, or NO_VAE; by default a fresh one is made.
    """
    with quiet():
        from voxcpm.model.voxcpm2 import VoxCPM2Model, VoxCPMConfig

        parsed = VoxCPMConfig.model_validate(config)
        where = torch.device("meta") if on_meta else contextlib.nullcontext()
        with where:
            vae = _vae(parsed.audio_vae_config) if vae is None else vae
            return VoxCPM2Model(parsed, tokenizer or SimpleNamespace(vocab={}), vae, device=device)


def _vae(config: Any) -> Any:
    from voxcpm.modules.audiovae import AudioVAEV2

    return AudioVAEV2(config=config) if config else AudioVAEV2()


def on_meta(config: dict[str, Any], *, vae: Any = None) -> Any:
    """A model of this configuration without weights, for counting; `vae` as in `build`."""
    return build(config | {"max_length": 8}, device="cpu", vae=vae, on_meta=True)  # its cache is on no meta device


def load(
    folder: Path,
    *,
    device: str,
    dtype: torch.dtype | None = None,
    training: bool = False,
    quantization: Quantization = "none",
) -> Any:
    """A VoxCPM2Model with the checkpoint's weights, frozen, in eval mode; by default float32 on a CPU, else bfloat16.

    The VAE stays in float32, as in the official loader. For training, the VAE and the local encoder stay on the CPU:
    their work is done once, by `latents`. `speaking.ready_to_speak` brings them over. In 4 bits ("nf4") are the linear
    layers of the transformers, made so before the rest is brought over: the GPU never holds them as they were.
    """
    dtype = dtype or default_dtype(device)
    spoken = "bfloat16" if dtype is torch.bfloat16 else "float32"
    config = read_config(folder) | {"dtype": spoken, "max_length": 8}  # the cache is made when it speaks
    state = base.read(folder, base.WEIGHTS)
    vae = load_vae(folder, device="cpu")
    model = build(config, device=device, tokenizer=_tokenizer(folder), vae=vae, on_meta=True)
    _fill(model, state, folder, dtype)
    del state
    _make_rotations(model, dtype)
    model.requires_grad_(False).eval()
    if quantization == "nf4":
        quantized.quantize(model, device)
    for name, part in model.named_children():
        part.to("cpu" if training and name in ENCODERS else device)
    if training and quantization == "none":
        layers.join(model)
    choose_attention(device)
    return model


def choose_attention(device: str) -> None:
    """On a GPU never cuDNN's attention, for this process: it plans for about a second at every new shape.

    torch prefers it on Hopper and later cards, and a run has over a thousand shapes of batches; flash attention, which
    comes next, plans nothing.
    """
    if device.startswith("cuda"):
        torch.backends.cuda.enable_cudnn_sdp(False)


def default_dtype(device: str) -> torch.dtype:
    """What a frozen base is kept in."""
    return torch.float32 if device == "cpu" else torch.bfloat16


def _aligned(value: torch.Tensor) -> torch.Tensor:
    """On a CPU, mapped tensors that do not begin at 64 bytes get other kernels, and other last bits, than copies."""
    return value.clone() if value.data_ptr() % 64 else value


def _make_rotations(model: Any, dtype: torch.dtype) -> None:
    """Rotary tables are no part of a checkpoint; the official loader rounds them to the model's precision, too."""
    for module in model.modules():
        if getattr(module, "rope_emb", None) is not None:
            module.rope_emb = type(module.rope_emb)(module.config).to(dtype)


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a checkpoint. Raises UserError where it is not what VoxCPM2 reads."""
    config = base.read_config(folder)
    check_config(config, folder)
    return config


def check_config(config: dict[str, Any], folder: Path) -> None:
    """Raise UserError where config.json is not what VoxCPM2 reads."""
    from pydantic import ValidationError

    with quiet():
        from voxcpm.model.voxcpm2 import VoxCPMConfig
    says = f"{folder}/config.json is no VoxCPM2 configuration"
    try:
        parsed = VoxCPMConfig.model_validate(config)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{says}: {key}: {first['msg'].lower()}") from None
    for key, value in _numbers(parsed.model_dump()):
        if value < 1 and key.rpartition(".")[2] not in IDS:
            raise UserError(f"{says}: {key} is {value}, and must be 1 at least")


def _numbers(value: Any, key: str = "") -> Iterator[tuple[str, int]]:
    """The whole numbers of a configuration with their dotted keys."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner, key)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield key, value


def check_files(folder: Path) -> list[str]:
    """The names of tensors in a checkpoint that no model here has a place for; no weight is read for it.

    VoxCPM passes them over, too. Raises UserError where the tokenizer cannot be read, or tensors lack or do not fit:
    known before hours of encoding. Files that were looked at a moment ago are not looked at again.
    """
    place = folder.absolute()
    found = [(path.name, path.stat()) for path in sorted(place.glob("*")) if path.is_file()]
    return list(_checked(place, tuple((name, each.st_size, each.st_mtime_ns) for name, each in found)))


@lru_cache(maxsize=8)
def _checked(folder: Path, _: tuple[tuple[str, int, int], ...]) -> tuple[str, ...]:
    config = read_config(folder)
    _tokenizer(folder)
    model = on_meta(config)
    surplus: list[str] = []
    for part, names in ((model.audio_vae, base.VAE_WEIGHTS), (model, base.WEIGHTS)):
        shapes = {name: value.to("meta") for name, value in base.read(folder, names).items()}
        surplus += _fill(part, shapes, folder, torch.float32)
    return tuple(surplus)


def load_vae(folder: Path, *, device: str) -> Any:
    """Only the AudioVAE, in float32."""
    with quiet():
        from voxcpm.model.voxcpm2 import VoxCPMConfig

        config = VoxCPMConfig.model_validate_json((folder / "config.json").read_text(encoding="utf-8"))
        vae = _vae(config.audio_vae_config)
    _fill(vae, base.read(folder, base.VAE_WEIGHTS), folder)
    return vae.requires_grad_(False).to(device).eval()


def load_encoder(folder: Path, *, device: str, dtype: torch.dtype) -> Any:
    """Only the local encoder, which makes one vector of each patch."""
    encoder = on_meta(read_config(folder), vae=NO_VAE).feat_encoder
    state = {
        name.removeprefix(base.ENCODER): value
        for name, value in base.read(folder, base.WEIGHTS, only=base.ENCODER).items()
    }
    _fill(encoder, state, folder, dtype)
    _make_rotations(encoder, dtype)
    return encoder.requires_grad_(False).to(device).eval()


def _tokenizer(folder: Path) -> tokenizer.FileTokenizer:
    """The checkpoint's own, held to the ids that it must give. Raises UserError where it is not that of the model."""
    own = tokenizer.read(folder)
    tokenizer.check(_ids(own), own, int(base.read_config(folder)["lm_config"]["vocab_size"]), folder)
    return own


def _ids(own: tokenizer.FileTokenizer) -> Any:
    """A text to ids, as VoxCPM2Model does it: multi-character Chinese pieces split."""
    with quiet():
        from voxcpm.model.utils import mask_multichar_chinese_tokens

        return mask_multichar_chinese_tokens(own)


def _fill(model: Any, state: dict[str, torch.Tensor], folder: Path, dtype: torch.dtype | None = None) -> list[str]:
    """Give a model its weights: on the meta device those in `dtype`, else a copy in its own precision.

    Returns the names of tensors that it has no place for. Raises UserError where the others are not those of the model.
    """
    wanted = {name for name, value in model.state_dict().items() if value.is_floating_point()}
    check_kinds({name: value.dtype for name, value in state.items() if name in wanted}, f"the weights in {folder}")
    assign = dtype is not None
    given = {name: _aligned(value.to(dtype)) for name, value in state.items()} if assign else state
    try:
        missing, surplus = model.load_state_dict(given, strict=False, assign=assign)
    except RuntimeError as problem:
        raise UserError(
            f"the weights in {folder} do not fit its config.json: {str(problem).splitlines()[-1].strip()}"
        ) from None
    if missing := [name for name in missing if not name.startswith("audio_vae.")] if assign else missing:
        raise UserError(f"the weights in {folder} lack {counted(len(missing), 'tensor')}, such as {missing[0]}")
    modules = {name for name, _ in model.named_modules()}
    if more := [name for name in surplus if (layer := LAYER.match(name)) and layer.group() not in modules]:
        raise UserError(f"the weights in {folder} have more layers than its config.json says, such as {more[0]}")
    return sorted(surplus)


def collapse(text: str) -> str:
    """Whitespace as inference collapses it (voxcpm/core.py)."""
    return re.sub(r"\s+", " ", text)


class Tokenizer:
    """Text to ids exactly as inference does it: whitespace collapsed, multi-character Chinese pieces split."""

    def __init__(self, folder: Path) -> None:
        own = _tokenizer(folder)
        self._ids = _ids(own)
        self.byte_ids = own.byte_ids

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


def encode_patches(encoder: Any, latents: torch.Tensor) -> torch.Tensor:
    """What the local encoder makes of latents (patches, P, D): (patches, width), on the CPU, in its precision."""
    weight = encoder.in_proj.weight
    with torch.inference_mode():
        out: torch.Tensor = encoder(latents[None].to(weight.device, weight.dtype))[0].cpu()
    return out
