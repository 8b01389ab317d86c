"""One LoRA adapter over base LM, residual LM and DiT: attach (PEFT), learn as one vector, save and load.

An adapted layer computes W x + scale B A x, W frozen, A (rank, in), B (out, rank), as in LoRA (arXiv:2106.09685).

- B starts at zero, so the first step starts from the base model itself. A must not be zero, too: with g = dL/dy, the
  gradient of B is scale g (A x)', that of A is scale B' g x', so of two zeros neither would ever move. As it is, only B
  learns in the first step, and A from the second on. A is uniform within 1 / sqrt(in), PEFT's and VoxCPM's own start.
- scale is alpha / rank: B A x is a sum over the rank, and divided by it, one learning rate serves more ranks (4.1 of
  the paper). rsLoRA (arXiv:2312.03732) divides by sqrt(rank) instead, for alpha / rank holds high ranks back too much.
  What it comes to: `config.Adapter.scale`.
- The base is only read, and stays in bfloat16 on a GPU: 4.2 GB of the published model, and 8.3 in float32. The adapter
  is small and is what changes. An AdamW step changes a weight by about the learning rate, 1e-4 falling to 1e-5, and
  bfloat16 would round away every change below 1/512 of the weight: A's begin at up to 1/45 where 2048 numbers enter.
  So it, its gradient and AdamW's moments are in float32, and products run on a copy in the base's precision.
"""

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ValidationError

from curate import files
from curate.errors import UserError
from train.adapter import formats
from train.adapter.formats import PEFT_PREFIX, Weights
from train.config import Adapter
from train.messages import counted
from train.model.inputs import seed_of
from train.model.layers import LoraPairs

FORMATS = ("voxcpm", "peft")
MERGED = "merged"  # beside FORMATS: a whole checkpoint
EXACT = "peft"  # the format that holds every Adapter as it is, for checkpoints: VoxCPM's folds some scales into B
VOXCPM_FILES = ("lora_weights.safetensors", "lora_config.json")
PEFT_FILES = ("adapter_model.safetensors", "adapter_config.json")
PICKLES = {VOXCPM_FILES[0]: "lora_weights.ckpt", PEFT_FILES[0]: "adapter_model.bin"}  # read where there is no other
NOTES = "samsori.json"  # beside either format: what neither can hold
FILES = (*VOXCPM_FILES, *PEFT_FILES, NOTES)


class _Notes(BaseModel):
    """NOTES as it is read."""

    base: str = ""
    revision: str | None = None
    tags: dict[str, str] = {}
    form: dict[str, str] = {}
    facts: dict[str, Any] = {}
    adapter: dict[str, Any] | None = None  # of a merged checkpoint


@dataclass(frozen=True)
class Saved:
    """An adapter as it lies on disk."""

    weights: Weights
    adapter: Adapter
    base: str  # folder or hub id of the model that it adapts
    tags: dict[str, str] = field(default_factory=dict)  # language -> what its training text starts with
    revision: str | None = None  # of a hub id: the weights that were trained on
    forms: dict[str, str] = field(default_factory=dict)  # language -> spoken or pronounced, as its text was written
    facts: dict[str, Any] = field(default_factory=dict)  # how it was trained, for the model card: `export.facts`


def attach(model: Any, adapter: Adapter, *, seed: int = 0) -> None:
    """Put a fresh adapter on a model: B is zero, so it changes nothing yet; A is drawn from `seed`; both in float32.

    Everything else is frozen. A is drawn on the CPU, so that a seed means the same adapter on every machine; on a meta
    device it has shapes alone.
    """
    import peft

    device = next(model.parameters()).device
    with torch.random.fork_rng(devices=[]), torch.device(device if device.type == "meta" else "cpu"):
        torch.manual_seed(seed_of(seed, "adapter"))
        peft.inject_adapter_in_model(_peft_config(adapter), model)
    for tensor in parameters(model).values():
        tensor.data = tensor.data.to(torch.float32)  # whatever PEFT makes them over a bfloat16 base


def parameters(model: Any) -> dict[str, torch.nn.Parameter]:
    """The adapter's parameters under their official names, sorted."""
    named = {name: value for name, value in model.named_parameters() if ".lora_" in name}
    # PEFT calls ....q_proj.lora_A.default.weight what VoxCPM calls ....q_proj.lora_A
    return {name.removesuffix(".weight").removesuffix(".default"): named[name] for name in sorted(named)}


def count(model: Any) -> int:
    """Parameters of the adapter on a model."""
    return sum(parameter.numel() for parameter in parameters(model).values())


def weights(model: Any) -> Weights:
    """A copy of the adapter's weights, on the CPU."""
    return {name: value.detach().to("cpu", torch.float32, copy=True) for name, value in parameters(model).items()}


def put(model: Any, saved: Weights) -> None:
    """Set the weights of an attached adapter. Raises UserError where they belong to another rank, scope or model."""
    check_shapes(model, saved)
    with torch.no_grad():
        for name, parameter in parameters(model).items():
            parameter.copy_(saved[name])


def check_shapes(model: Any, saved: Weights) -> None:
    """Raise UserError where weights are not those of an attached adapter, of which only the shapes are looked at."""
    own = parameters(model)
    if odd := sorted(own.keys() ^ saved.keys()):
        raise UserError(
            f"the adapter does not fit: it and the model differ in {counted(len(odd), 'tensor')}, such as {odd[0]}"
        )
    for name, parameter in own.items():
        if parameter.shape != saved[name].shape:
            given, needed = tuple(saved[name].shape), tuple(parameter.shape)
            raise UserError(
                f"the adapter is of another rank or base model: {name} is {given}, here it must be {needed}"
            )


def load_onto(model: Any, saved: Saved) -> None:
    """Attach an adapter of the saved shape and give it the saved weights."""
    attach(model, saved.adapter)
    put(model, saved.weights)


class Vector:
    """All weights of an attached adapter in one float32 parameter, in the order of their sorted official names.

    The default adapter of the published model is 384 small tensors. As one, casting to the base's precision, clipping,
    the optimizer's step and the exchange between GPUs are done once each, and not 384 times. PEFT's own tensors become
    views of it that take no gradient: they hold what is learned here, so that speaking (through PEFT's layers) and
    saving need no copying, while training goes past PEFT's layers (`model.losses`) and gradients arrive here alone.
    """

    def __init__(self, model: Any, settings: Adapter, dtype: torch.dtype = torch.float32) -> None:
        own = parameters(model)
        self.names = list(own)
        self._shapes = [value.shape for value in own.values()]
        self._settings = settings
        self.parameter = torch.nn.Parameter(torch.cat([value.detach().reshape(-1) for value in own.values()]).to(dtype))
        for value, piece in zip(own.values(), self.pieces(self.parameter.data), strict=True):
            value.requires_grad_(False)
            value.data = piece

    def adapter(self, dtype: torch.dtype, *, dropout: bool = True) -> LoraPairs:
        """A, B, scale and dropout by module name, in that precision, cast at once; gradients come back to `parameter`.

        Without `dropout` it is as when it speaks, and as held-out losses are taken. With it, it falls on the layer's
        input, as PEFT's does; VoxCPM's own layer drops from B A x instead.
        """
        pieces = dict(zip(self.names, self.pieces(self.parameter.to(dtype)), strict=True))
        modules = [name.removesuffix(".lora_A") for name in self.names if name.endswith(".lora_A")]
        scale, dropped = self._settings.scale, self._settings.dropout if dropout else 0.0
        return {name: (pieces[f"{name}.lora_A"], pieces[f"{name}.lora_B"], scale, dropped) for name in modules}

    def gradients(self) -> dict[str, torch.Tensor]:
        """The gradient of every tensor by its official name."""
        if self.parameter.grad is None:
            raise RuntimeError("no gradient yet: go backward first")
        return dict(zip(self.names, self.pieces(self.parameter.grad), strict=True))

    @contextmanager
    def silenced(self) -> Iterator[None]:
        """Inside, B is zero, so that the adapter changes nothing: the base model alone."""
        weights = self.parameter.detach().clone()
        for name, piece in zip(self.names, self.pieces(self.parameter.data), strict=True):
            if name.endswith(".lora_B"):
                piece.zero_()
        try:
            yield
        finally:
            self.parameter.data.copy_(weights)

    def pieces(self, vector: torch.Tensor) -> list[torch.Tensor]:
        """A vector like `parameter` as views in the shapes of `names`."""
        sizes = [shape.numel() for shape in self._shapes]
        return [piece.view(shape) for piece, shape in zip(torch.split(vector, sizes), self._shapes, strict=True)]


def save(saved: Saved, folder: Path, form: str) -> None:
    """Write an adapter in one of FORMATS, whole or not at all; an earlier one in that folder is replaced.

    Raises UserError where the folder holds anything but an adapter.
    """
    with files.replacing_folder(folder, FILES) as place:
        write(saved, place, form)


def write(saved: Saved, folder: Path, form: str) -> None:
    """Write the files of one format into an existing folder.

    VoxCPM's holds whole alphas only: another scale is folded into B (`formats.fold`), which not every time is exact.
    """
    from safetensors.torch import save  # whose file writer hides why a disk refuses

    if form not in FORMATS:
        raise UserError(f"unknown format {form!r}; there are {', '.join(FORMATS)}")
    held = formats.folded(saved.weights, saved.adapter) if form == "voxcpm" else saved.weights
    ordered = {name: held[name].contiguous() for name in sorted(held)}
    if form == "voxcpm":
        (folder / VOXCPM_FILES[0]).write_bytes(save(ordered))
        write_json(folder / VOXCPM_FILES[1], formats.voxcpm_config(saved.adapter, saved.base))
    else:
        named = {f"{PEFT_PREFIX}{name}.weight": value for name, value in ordered.items()}
        (folder / PEFT_FILES[0]).write_bytes(save(named))
        _peft_config(saved.adapter, saved.base).save_pretrained(str(folder))
    write_json(folder / NOTES, notes(saved))


def load(folder: Path) -> Saved:
    """Read an adapter in either format. Raises UserError where there is none or it cannot be used."""
    files.recover_folder(folder)
    where = f"the adapter in {folder}"
    if (weights := _weights_file(folder, VOXCPM_FILES[0])) is not None:
        config = _read_json(folder / VOXCPM_FILES[1], weights)
        adapter, tensors = formats.from_voxcpm(config, _read(weights), where)
        base = str(config.get("base_model") or "")
    elif (weights := _weights_file(folder, PEFT_FILES[0])) is not None:
        config = _read_json(folder / PEFT_FILES[1], weights)
        adapter, tensors = formats.from_peft(config, _read(weights), where)
        base = str(config.get("base_model_name_or_path") or "")
    else:
        raise UserError(f"no adapter in {folder}: neither {VOXCPM_FILES[0]} nor {PEFT_FILES[0]} is there")
    noted = _read_notes(folder / NOTES)
    return Saved(tensors, adapter, noted.base or base, noted.tags, noted.revision, noted.form, noted.facts)


def merged(folder: Path) -> Saved | None:
    """What a merged checkpoint says of the adapter in it, whose weights it has taken in; None for other folders."""
    noted = _read_notes(folder / NOTES)
    if noted.adapter is None:
        return None
    settings = {name: value for name, value in noted.adapter.items() if name in Adapter.model_fields}
    try:
        adapter = Adapter.model_validate(settings)
    except ValidationError as problem:
        raise _damaged(folder / NOTES, problem) from None
    return Saved({}, adapter, noted.base, noted.tags, noted.revision, noted.form, noted.facts)


def notes(saved: Saved) -> dict[str, Any]:
    """What neither format can hold: the base model and its revision, tags, forms, facts of the training."""
    always = {"base": saved.base, "revision": saved.revision, "tags": saved.tags, "form": saved.forms}
    return always | ({"facts": saved.facts} if saved.facts else {})


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON that people can read."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _peft_config(adapter: Adapter, base: str | None = None) -> Any:
    import peft

    return peft.LoraConfig(
        r=adapter.rank,
        lora_alpha=formats.peft_alpha(adapter),
        lora_dropout=adapter.dropout,
        use_rslora=adapter.rslora,
        target_modules=formats.targets(adapter),
        base_model_name_or_path=base,
    )


def _weights_file(folder: Path, name: str) -> Path | None:
    """The safetensors file, or else the pickle that older trainers write; VoxCPM and PEFT look in this order, too."""
    return next((path for path in (folder / name, folder / PICKLES[name]) if path.is_file()), None)


def _read(path: Path) -> Weights:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            tensors = load_file(path)
        else:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
            tensors = tensors.get("state_dict", tensors)
        weights = {name: value.to(torch.float32) for name, value in tensors.items()}
    except pickle.UnpicklingError:
        raise UserError(f"{path} holds more than weights and is not opened: export it as safetensors") from None
    except Exception as problem:  # a cut file: safetensors, zip and pickle each raise their own kind
        raise UserError(f"the adapter in {path.parent} cannot be read ({problem}): export it again") from problem
    for name, value in weights.items():
        if tensors[name].dtype not in formats.FLOATS:
            kind = str(tensors[name].dtype).removeprefix("torch.")
            raise UserError(f"{path}: {name} is {kind}, so it is quantized: give the adapter that it was made from")
        if not torch.isfinite(value).all():
            raise UserError(f"{path}: {name} holds NaN or infinity, so its training went wrong: take an earlier one")
    return weights


def _read_notes(path: Path) -> _Notes:
    """NOTES, or what stands for it where there is none. Raises UserError where a value is of a wrong kind."""
    table = _read_json(path, path) if path.is_file() else {}
    try:
        return _Notes.model_validate({name: value for name, value in table.items() if value is not None})
    except ValidationError as problem:
        raise _damaged(path, problem) from None


def _damaged(path: Path, problem: ValidationError) -> UserError:
    first = problem.errors()[0]
    key = ".".join(map(str, first["loc"]))
    return UserError(f"{path} is damaged ({key}: {first['msg'].lower()}): mend it, or export the adapter again")


def _read_json(path: Path, weights: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{weights} has no {path.name} beside it, and weights do not say their alpha: fetch or export both"
        ) from None
    except (OSError, ValueError) as problem:
        raise UserError(f"{path} cannot be read ({problem}): export the adapter again") from problem
    if not isinstance(table, dict):
        raise UserError(f"{path} holds no table: export the adapter again")
    return table
