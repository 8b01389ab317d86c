"""One LoRA adapter over base LM, residual LM and DiT: attach (peft), count, save and load in both formats."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from curate.errors import UserError
from train.batches import seed_of
from train.checkpoint import folder_in_place, recover
from train.config import Adapter

FORMATS = ("voxcpm", "peft")
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj"]  # of every attention; the official default
PARTS = {"lm": r"base_lm|residual_lm", "dit": r"feat_decoder\.estimator"}
PREFIX = "base_model.model."  # what PEFT puts before a tensor's name
VOXCPM_FILES = ("lora_weights.safetensors", "lora_config.json")
PEFT_FILES = ("adapter_model.safetensors", "adapter_config.json")
NOTES = "samsori.json"  # beside either format: what neither can hold
FILES = (*VOXCPM_FILES, *PEFT_FILES, NOTES)

Weights = dict[str, torch.Tensor]  # official names, such as base_lm.layers.0.self_attn.q_proj.lora_A, in float32


@dataclass(frozen=True)
class Saved:
    """An adapter as it lies on disk."""

    weights: Weights
    adapter: Adapter
    base: str  # folder or hub id of the model that it adapts
    tags: dict[str, str] = field(default_factory=dict)  # language -> what its training text starts with
    revision: str | None = None  # of a hub id: the weights that were trained on
    forms: dict[str, str] = field(default_factory=dict)  # language -> spoken or pronounced, as its text was written


def targets(scope: str) -> str:
    """The regular expression over module names that says what is adapted."""
    parts = PARTS.values() if scope == "both" else [PARTS[scope]]
    return rf"({'|'.join(parts)})\..*\.({'|'.join(PROJECTIONS)})"


def attach(model: Any, adapter: Adapter, *, seed: int = 0) -> None:
    """Put a fresh adapter on a model: B is zero, so it changes nothing yet; A is drawn from `seed`; both in float32.

    Everything else is frozen.
    """
    import peft

    device = next(model.parameters()).device
    with torch.random.fork_rng(devices=[]), torch.device(device if device.type == "meta" else "cpu"):
        torch.manual_seed(seed_of(seed, "adapter"))
        peft.inject_adapter_in_model(_peft_config(adapter), model)
    for tensor in parameters(model).values():
        tensor.data = tensor.data.to(torch.float32)  # small updates are lost in bfloat16


def parameters(model: Any) -> dict[str, torch.nn.Parameter]:
    """The adapter's parameters under their official names, sorted."""
    named = {name: value for name, value in model.named_parameters() if ".lora_" in name}
    return {_official(name): named[name] for name in sorted(named)}


def count(model: Any) -> int:
    """Parameters of the adapter on a model."""
    return sum(parameter.numel() for parameter in parameters(model).values())


def weights(model: Any) -> Weights:
    """A copy of the adapter's weights, on the CPU."""
    return {name: value.detach().to("cpu", torch.float32, copy=True) for name, value in parameters(model).items()}


def put(model: Any, saved: Weights) -> None:
    """Set the weights of an attached adapter. Raises UserError where they belong to another rank, scope or model."""
    own = parameters(model)
    if odd := sorted(own.keys() ^ saved.keys()):
        raise UserError(f"the adapter does not fit: it and the model differ in {len(odd)} tensors, such as {odd[0]}")
    for name, parameter in own.items():
        if parameter.shape != saved[name].shape:
            wanted, found = tuple(parameter.shape), tuple(saved[name].shape)
            raise UserError(
                f"the adapter is of another rank or base model: {name} is {found}, here it must be {wanted}"
            )
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(saved[name])


def load_onto(model: Any, saved: Saved) -> None:
    """Attach an adapter of the saved shape and give it the saved weights."""
    attach(model, saved.adapter)
    put(model, saved.weights)


def save(saved: Saved, folder: Path, form: str) -> None:
    """Write an adapter in one of FORMATS, whole or not at all; an earlier one in that folder is replaced.

    Raises UserError where the folder holds anything but an adapter.
    """
    with folder_in_place(folder, FILES) as place:
        write(saved, place, form)


def write(saved: Saved, folder: Path, form: str) -> None:
    """Write the files of one format into an existing folder."""
    from safetensors.torch import save_file

    if form not in FORMATS:
        raise UserError(f"unknown format {form!r}; there are {', '.join(FORMATS)}")
    ordered = {name: saved.weights[name].contiguous() for name in sorted(saved.weights)}
    if form == "voxcpm":
        save_file(ordered, folder / VOXCPM_FILES[0])
        _write_json(folder / VOXCPM_FILES[1], _voxcpm_config(saved))
    else:
        save_file({f"{PREFIX}{name}.weight": value for name, value in ordered.items()}, folder / PEFT_FILES[0])
        _peft_config(saved.adapter, saved.base).save_pretrained(str(folder))
    _write_json(folder / NOTES, _notes(saved))


def load(folder: Path) -> Saved:
    """Read an adapter in either format. Raises UserError where there is none or it cannot be used."""
    recover(folder)
    if (folder / VOXCPM_FILES[0]).is_file():
        tensors, config = _read(folder, VOXCPM_FILES)
        base, values = _from_voxcpm(config, folder)
    elif (folder / PEFT_FILES[0]).is_file():
        tensors, config = _read(folder, PEFT_FILES)
        tensors = {name.removeprefix(PREFIX).removesuffix(".weight"): value for name, value in tensors.items()}
        base, values = _from_peft(config, folder)
    else:
        raise UserError(f"no adapter in {folder}: neither {VOXCPM_FILES[0]} nor {PEFT_FILES[0]} is there")
    adapter = _adapter(values | {"scope": _scope(tensors)}, folder)
    _check_rank(tensors, adapter.rank, folder)
    notes = json.loads((folder / NOTES).read_text(encoding="utf-8")) if (folder / NOTES).is_file() else {}
    told = {"revision": notes.get("revision"), "forms": notes.get("form", {})}
    return Saved(tensors, adapter, notes.get("base", base), notes.get("tags", {}), **told)


def _notes(saved: Saved) -> dict[str, Any]:
    return {"base": saved.base, "revision": saved.revision, "tags": saved.tags, "form": saved.forms}


def _official(name: str) -> str:
    return name.removesuffix(".weight").removesuffix(".default")


def _voxcpm_config(saved: Saved) -> dict[str, Any]:
    adapter = saved.adapter
    settings = {
        "enable_lm": adapter.scope in ("lm", "both"),
        "enable_dit": adapter.scope in ("dit", "both"),
        "enable_proj": False,
        "r": adapter.rank,
        "alpha": adapter.scale_alpha,
        "dropout": adapter.dropout,
        "target_modules_lm": PROJECTIONS,
        "target_modules_dit": PROJECTIONS,
        "target_proj_modules": [],
    }
    return {"base_model": saved.base, "lora_config": settings}


def _peft_config(adapter: Adapter, base: str | None = None) -> Any:
    import peft

    return peft.LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.scale_alpha,
        lora_dropout=adapter.dropout,
        target_modules=targets(adapter.scope),
        base_model_name_or_path=base,
    )


def _from_voxcpm(config: dict[str, Any], folder: Path) -> tuple[str, dict[str, Any]]:
    settings = config.get("lora_config", {})
    if settings.get("enable_proj"):
        raise UserError(f"the adapter in {folder} also adapts the projections, which is not supported")
    values = {"rank": settings.get("r"), "alpha": settings.get("alpha"), "dropout": settings.get("dropout", 0.0)}
    return str(config.get("base_model", "")), values


def _from_peft(config: dict[str, Any], folder: Path) -> tuple[str, dict[str, Any]]:
    for name in ("use_dora", "use_rslora", "rank_pattern", "alpha_pattern"):
        if config.get(name):
            raise UserError(f"the adapter in {folder} uses PEFT's {name}, which VoxCPM's format cannot hold")
    values = {"rank": config.get("r"), "alpha": config.get("lora_alpha"), "dropout": config.get("lora_dropout", 0.0)}
    return str(config.get("base_model_name_or_path") or ""), values


def _scope(tensors: Weights) -> str:
    """What an adapter adapts, by the names of its tensors."""
    dit = {name.startswith("feat_decoder.") for name in tensors}
    return "both" if len(dit) == 2 else "dit" if dit == {True} else "lm"


def _adapter(values: dict[str, Any], folder: Path) -> Adapter:
    try:
        return Adapter.model_validate(values)
    except ValidationError as problem:
        key = problem.errors()[0]["loc"][0]
        raise UserError(f"the adapter in {folder} has a {key} that this cannot hold: {values[str(key)]!r}") from None


def _read(folder: Path, files: tuple[str, str]) -> tuple[Weights, dict[str, Any]]:
    from safetensors.torch import load_file

    try:
        tensors = load_file(folder / files[0])
        config = json.loads((folder / files[1]).read_text(encoding="utf-8"))
    except Exception as problem:  # a missing file, broken JSON or a cut safetensors file, each with its own kind
        raise UserError(f"the adapter in {folder} cannot be read ({problem}): export it again") from problem
    return {name: value.to(torch.float32) for name, value in tensors.items()}, config


def _check_rank(tensors: Weights, rank: int, folder: Path) -> None:
    for name, value in tensors.items():
        if value.shape[0 if name.endswith("lora_A") else 1] != rank:
            raise UserError(f"the adapter in {folder} says rank {rank}, but {name} is {tuple(value.shape)}")


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
