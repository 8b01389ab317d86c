"""An adapter folded into its base model: a whole checkpoint in the official layout, for runtimes without LoRA."""

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import torch

from curate import files
from curate.errors import UserError
from train.adapter import lora
from train.export import adapter, card
from train.model import base, voxcpm

WEIGHTS = "model.safetensors"
KINDS = {  # as safetensors calls them
    torch.float64: "F64", torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip
BYTES = {name: kind.itemsize for kind, name in KINDS.items()}
FLOATS = {name for kind, name in KINDS.items() if kind.is_floating_point}
LEFT_OUT = (  # of the base: its card, its weights, what trainers leave beside them
    "readme*", "samsori.json", ".*", "model*.safetensors*", "pytorch_model*.bin*", "optimizer.*", "scheduler.*",
    "training_state.*",
)  # fmt: skip
ALIGNMENT = 8  # of the tensors' bytes in a safetensors file

Read = Callable[[str], torch.Tensor]
Layout = dict[str, tuple[str, list[int]]]  # name -> kind, shape


@dataclass(frozen=True)
class Merged:
    """A merged checkpoint."""

    folder: Path
    changed: int  # weights that the adapter changed
    lost: float  # share of the change (root mean square) that rounding to the base's precision lost


def merge(
    source: Path,
    into: Path,
    *,
    model: str | None = None,
    step: int | None = None,
    tick: Callable[[int, int], None] = lambda done, total: None,
) -> Merged:
    """Write W + scale * B A, computed in float32 and kept in the base's precision, and every other file of the base.

    One tensor at a time is in memory. The folder is written whole or not at all; only an earlier merged checkpoint is
    replaced. Raises UserError where the adapter does not fit, the place is not free, or the disk is too small.
    `tick(done, total)` is called for every tensor.
    """
    saved = adapter.with_facts(source, step)
    origin, revision = adapter.base_of(source, saved, model)
    folder = base.find(origin, revision)
    voxcpm.check_config(base.read_config(folder), folder)
    saved = replace(saved, base=saved.base or origin, revision=base.fetched_revision(folder) or saved.revision)
    ours = _ours(into, folder)
    others = _others(folder)
    layout, read = _open(folder)
    pairs = _pairs(saved, layout, folder)
    _check_room(into, sum(map(_size, layout.values())) + sum(path.stat().st_size for path in others))
    try:
        with files.replacing_folder(into, ours) as place:
            for path in others:
                shutil.copyfile(path, place / path.name)
            folding = _Folding(read, pairs, saved.adapter.scale)
            write_tensors(place / WEIGHTS, layout, folding, tick)
            given = [_given(folder)] if model and model != saved.base else []
            _describe(saved, place, [path.name for path in others], folding.lost, given)
    except OSError as problem:
        raise UserError(f"{into} cannot be written ({problem.strerror or problem}): make room there") from problem
    return Merged(into, len(pairs), folding.lost)


def _ours(into: Path, base: Path) -> Sequence[str]:
    """The names that may be replaced: those of an earlier merged checkpoint, its card only if it was not edited."""
    place, home = into.resolve(), base.resolve()
    if place == home or home in place.parents:
        raise UserError(f"{into} is inside the base model {base}: choose another folder")
    try:
        earlier = json.loads((place / lora.NOTES).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    names = [str(name) for name in earlier] if isinstance(earlier, list) else []
    return [name for name in names if name != card.CARD or card.is_untouched(place / card.CARD)]


def _others(base: Path) -> list[Path]:
    """The files of the base that go along: configuration, tokenizer, VAE, licence; no folders."""
    paths = sorted(path for path in base.iterdir() if path.is_file())
    return [path for path in paths if not any(fnmatch(path.name.lower(), pattern) for pattern in LEFT_OUT)]


def _open(folder: Path) -> tuple[Layout, Read]:
    """The base's tensors, mapped from the disk and read one at a time."""
    path = next(folder / name for name in base.WEIGHTS if (folder / name).is_file())
    try:
        if path.suffix == ".safetensors":
            from safetensors import safe_open

            file: Any = safe_open(path, framework="pt")
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            layout = {name: (str(each.get_dtype()), list(each.get_shape())) for name, each in slices.items()}
            read: Read = file.get_tensor
        else:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            state = {name: value for name, value in state.get("state_dict", state).items() if torch.is_tensor(value)}
            layout = {name: (KINDS.get(each.dtype, str(each.dtype)), list(each.shape)) for name, each in state.items()}
            read = state.__getitem__
    except Exception as problem:  # safetensors, pickle and torch raise their own kinds
        raise UserError(f"{path} cannot be read ({problem}): fetch the checkpoint again") from problem
    if odd := [f"{name} ({kind})" for name, (kind, _) in layout.items() if kind not in BYTES]:
        raise UserError(f"{path} is quantized, such as {odd[0]}: give the checkpoint that it was made from")
    return layout, read


def _pairs(saved: lora.Saved, layout: Layout, folder: Path) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """A and B by the name of the weight that they change; UserError where the base has no such weight."""
    weights = saved.weights
    pairs = {}
    for name in sorted(weights):
        if not name.endswith(".lora_A"):
            continue
        module = name.removesuffix(".lora_A")
        low, high = weights[name], weights[f"{module}.lora_B"]
        kind, shape = layout.get(f"{module}.weight", ("", []))
        if kind and kind not in FLOATS:
            raise UserError(f"{folder} is quantized ({module}.weight is {kind}): give the one that it was made from")
        if shape != [high.shape[0], low.shape[1]]:
            there = f"{kind} {tuple(shape)}" if kind else "missing"
            needed = (high.shape[0], low.shape[1])
            raise UserError(f"the adapter does not fit {folder}: {module}.weight is {there}, here it must be {needed}")
        pairs[f"{module}.weight"] = (low, high)
    return pairs


def _size(entry: tuple[str, list[int]]) -> int:
    kind, shape = entry
    return BYTES[kind] * math.prod(shape)


def _check_room(into: Path, needed: int) -> None:
    place = into.resolve()
    while not place.is_dir():
        place = place.parent
    if (free := shutil.disk_usage(place).free) < needed:
        raise UserError(f"{into} needs {_bytes(needed)}, and {_bytes(free)} are free: choose another disk")


def _bytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


class _Folding:
    """Reads a tensor of the base with the adapter folded in, and keeps account of what rounding takes."""

    def __init__(self, read: Read, pairs: dict[str, tuple[torch.Tensor, torch.Tensor]], scale: float) -> None:
        self._read, self._pairs, self._scale = read, pairs, scale
        self._change = self._error = 0.0

    def __call__(self, name: str) -> torch.Tensor:
        weight = self._read(name)
        if name not in self._pairs:
            return weight
        low, high = self._pairs[name]
        change = (high @ low) * self._scale
        wide = weight.to(torch.promote_types(weight.dtype, torch.float32))
        folded = (wide + change).to(weight.dtype)
        if not torch.isfinite(weight).all():
            raise UserError(f"{name} of the base model holds NaN or infinity: fetch the checkpoint again")
        if not torch.isfinite(folded).all():
            kind = str(weight.dtype).removeprefix("torch.")
            raise UserError(f"{name} with the adapter is too large for {kind}: give a base of a wider precision")
        self._change += float(change.square().sum())
        self._error += float((folded.to(wide.dtype) - wide - change).square().sum())
        return folded

    @property
    def lost(self) -> float:
        """Root mean square of the rounding errors so far, as a share of the change's."""
        return math.sqrt(self._error / self._change) if self._change else 0.0


def write_tensors(path: Path, layout: Layout, read: Read, tick: Callable[[int, int], None]) -> None:
    """Write a safetensors file tensor by tensor, where the library would hold all of them at once.

    The format: the header's length in 8 bytes, the header as JSON, then the tensors' bytes without gaps; wide numbers
    first and the header padded with spaces, so that all are aligned (docs of safetensors, "Format").
    """
    names = sorted(layout, key=lambda name: (-BYTES[layout[name][0]], name))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name in names:
        kind, shape = layout[name]
        start, end = end, end + _size(layout[name])
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for number, name in enumerate(names, start=1):
            file.write(read(name).contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
            tick(number, len(names))


def _describe(saved: lora.Saved, place: Path, others: Sequence[str], lost: float, given: Sequence[str]) -> None:
    adapter = saved.adapter.model_dump(mode="json") | {"scale": saved.adapter.scale}
    files = sorted([*others, WEIGHTS, lora.NOTES, card.CARD])
    notes = lora.notes(saved) | {"adapter": adapter, "rounding_lost": lost, "files": files}
    lora.write_json(place / lora.NOTES, notes)
    (place / card.CARD).write_text(card.text(saved, lora.MERGED, [*given, rounding(lost)]), encoding="utf-8")


def rounding(lost: float) -> str:
    """One line: what folding cost."""
    return f"rounding to the base's precision lost {lost:.2%} of the adapter's change to the weights (root mean square)"


def _given(folder: Path) -> str:
    return f"folded into the copy that was given, `{folder.name}`: only its shapes were compared with the adapter's"
