"""The base checkpoint on disk: found, checked, read and hashed; no model is built here."""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from curate.errors import UserError

log = logging.getLogger(__name__)

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
VAE_WEIGHTS = ("audiovae.safetensors", "audiovae.pth")
ENCODER = "feat_encoder."
FIRST = 1024  # numbers of a tensor that tell it


def find(model: str, revision: str | None = None) -> Path:
    """The folder of a VoxCPM2 checkpoint; a hub id is fetched, a folder never is.

    Raises UserError where there is no such folder or id, or it holds no VoxCPM2.
    """
    folder = Path(model).expanduser()
    if not folder.is_dir():
        folder = _fetch(model, revision)
    _check(folder)
    return folder


def asked(model: str, revision: str | None) -> Path:
    """The same of what a person has asked for. Raises UserError, too, where a folder is given a revision."""
    folder = find(model, revision)
    if Path(model).expanduser().is_dir() and revision not in (None, fetched_revision(folder)):
        raise UserError(f"{folder} is a folder, and only a hub id has a revision ({revision}): leave the revision out")
    return folder


def fetched_revision(folder: Path) -> str | None:
    """The revision that the hub's cache keeps this folder under, or None for a plain folder."""
    return folder.name if folder.parent.name == "snapshots" else None


def real_config() -> dict[str, Any]:
    """The configuration of openbmb/VoxCPM2, as published."""
    text = (Path(__file__).parent / "voxcpm2_config.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a checkpoint."""
    return dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))


def patch_size(folder: Path) -> int:
    """Latents in one patch: 4 in the published model, 160 ms."""
    return int(read_config(folder).get("patch_size", 4))


def read(folder: Path, names: Sequence[str], *, only: str = "") -> dict[str, torch.Tensor]:
    """The tensors of a weights file whose names start with `only`, on the CPU; of a pickle nothing else."""
    with _opened(folder, names) as tensors:
        return {name: value[...] for name, value in tensors.items() if name.startswith(only)}


@contextmanager
def _opened(folder: Path, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What reads each tensor of a weights file when it is indexed. Raises UserError where it cannot be read."""
    path = next(folder / name for name in names if (folder / name).is_file())
    try:
        if path.suffix == ".safetensors":
            from safetensors import safe_open

            with safe_open(path, framework="pt") as file:
                yield {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        else:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            yield {name: value for name, value in state.get("state_dict", state).items() if torch.is_tensor(value)}
    except Exception as problem:  # safetensors, pickle and torch raise their own kinds
        raise UserError(f"{path} cannot be read ({problem}): fetch the checkpoint again") from problem


def vae_hash(folder: Path) -> str:
    """sha256 over the AudioVAE's weights file and its configuration: what latents depend on."""
    path = next(folder / name for name in VAE_WEIGHTS if (folder / name).is_file())
    config = read_config(folder).get("audio_vae_config")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(json.dumps([config, patch_size(folder)], sort_keys=True).encode())
    return digest.hexdigest()


def encoder_hash(folder: Path) -> str:
    """sha256 over the local encoder's weights and its configuration: what its outputs depend on."""
    shape = [read_config(folder).get(name) for name in ("encoder_config", "lm_config")]
    digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode())
    for name, value in sorted(read(folder, WEIGHTS, only=ENCODER).items()):
        digest.update(name.encode() + value.contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def base_hash(folder: Path) -> str:
    """sha256 that tells one base model from another in a moment: its configuration, and where each tensor begins."""
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    with _opened(folder, WEIGHTS) as tensors:
        for name in sorted(tensors):
            first = tensors[name][...].flatten()[:FIRST].contiguous()  # mapped: no more than this is read
            digest.update(name.encode() + first.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _fetch(model: str, revision: str | None) -> Path:
    if not HUB_ID.fullmatch(model):
        raise UserError(
            f"no folder {model}: give the folder of a VoxCPM2 checkpoint, or a hub id such as openbmb/VoxCPM2"
        )
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(model, revision=revision))
    except Exception as problem:  # the hub's errors share no base class: no network, no such id, gated, disk full
        said = str(problem).strip().removeprefix("Got: ")  # so the hub's library begins, telling of another's error
        reason = said.splitlines()[0] if said else type(problem).__name__
        raise UserError(f"{model} is no folder here and could not be fetched from the hub: {reason}") from problem
    if revision is None:
        commit = fetched_revision(folder) or "unknown"
        log.warning("%s: no --revision, and `main` is not pinned; this is commit %s", model, commit)
    return folder


def _check(folder: Path) -> None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{folder} is not a VoxCPM2 checkpoint: it has no readable config.json") from None
    architecture = config.get("architecture") if isinstance(config, dict) else None
    if str(architecture).lower() != "voxcpm2":
        raise UserError(f"{folder} is not a VoxCPM2 checkpoint: its config.json says architecture {architecture!r}")
    for names in (WEIGHTS, VAE_WEIGHTS, ("tokenizer.json",)):
        if not any((folder / name).is_file() for name in names):
            raise UserError(f"{folder} is not a whole VoxCPM2 checkpoint: {' or '.join(names)} is missing")
