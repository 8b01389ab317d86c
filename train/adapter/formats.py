"""What VoxCPM's and PEFT's adapter formats hold of an adapter, and why one is refused: dicts and tensors, no disk.

| | VoxCPM | PEFT |
|---|---|---|
| a tensor | base_lm.layers.0.self_attn.q_proj.lora_A | base_model.model. + that + .weight |
| alpha | a whole number (LoRAConfig.alpha: int) | any number |
| rsLoRA | no | use_rslora |
| what is adapted | enable_lm, _dit, _proj and lists of module names | a regular expression over module names |
| dropout falls on | B A x | x, before A |

The shapes of A and B are the same. What VoxCPM cannot say of alpha is multiplied into B: `fold`.
"""

import logging
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from pydantic import ValidationError

from curate.errors import UserError
from train.config import LARGEST_RANK, MODULES, Adapter
from train.messages import counted

Weights = dict[str, torch.Tensor]  # official names, such as base_lm.layers.0.self_attn.q_proj.lora_A, in float32

PARTS = {"lm": ("base_lm", "residual_lm"), "dit": ("feat_decoder.estimator",)}
PROJECTIONS = ("enc_to_lm_proj", "lm_to_dit_proj", "res_to_dit_proj", "fusion_concat_proj")
PEFT_PREFIX = "base_model.model."  # what PEFT puts before a tensor's name
NAME = re.compile(r"(?:(base_lm|residual_lm|feat_decoder\.estimator)\.(?:.+\.)?)?(\w+)\.lora_([AB])")
PEFT_DEFAULT = 8  # of r and of lora_alpha where a configuration does not name them (peft.LoraConfig)
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)  # others are quantized: values without a scale
FINEST = 2**20  # of a fraction that is folded exactly
# Keys of adapter_config.json that say nothing about the product, or are read here.
PEFT_HARMLESS = {
    "auto_mapping", "base_model_name_or_path", "exclude_modules", "fan_in_fan_out", "inference_mode", "lora_alpha",
    "lora_dropout", "megatron_core", "peft_type", "peft_version", "qalora_group_size", "r", "revision",
    "runtime_config", "target_modules", "task_type", "use_rslora",
}  # fmt: skip
PEFT_STARTS = (True, False, "gaussian", "orthogonal", "eva")  # other starts change the base's weights, too
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fold:
    """How an adapter is written where alpha must be whole: B times `factor`."""

    alpha: int
    factor: float
    exact: bool  # a power of two: no bit is lost


def targets(adapter: Adapter) -> str:
    """The regular expression over module names that says what is adapted."""
    parts = [part.replace(".", r"\.") for scope in _scopes(adapter) for part in PARTS[scope]]
    layers = rf"({'|'.join(parts)})\..*\.({'|'.join(adapter.modules)})"
    between = f"({'|'.join(PROJECTIONS)})"
    wanted = [layers] * bool(adapter.modules) + [between] * adapter.projections
    return wanted[0] if len(wanted) == 1 else "|".join(f"({each})" for each in wanted)


def fold(adapter: Adapter) -> Fold:
    """VoxCPM's alpha, a whole number, and what B must be multiplied by so that the product stays the same.

    VoxCPM's scale is alpha / rank. With alpha = n / d a fraction, n goes into the file and B times 1 / d: exact in
    float32 where d is a power of two, as for 2.5 = 5 / 2. rsLoRA's alpha / sqrt(rank) is VoxCPM's of alpha sqrt(rank),
    whole at rank 4, 9, 16, 64... Every float is a fraction whose d is a power of two; beyond FINEST it stands for one
    that is not, such as 0.7, and then alpha is the rank, so that VoxCPM's scale is 1, and B times ours is rounded.
    """
    alpha = _alpha(adapter)
    root = round(adapter.rank**0.5)
    if adapter.rslora:
        alpha *= root if root * root == adapter.rank else adapter.rank**0.5
    numerator, denominator = alpha.as_integer_ratio()
    if denominator == 1 or max(numerator, denominator) <= FINEST:
        return Fold(numerator, 1 / denominator, True)
    return Fold(adapter.rank, adapter.scale, False)


def folded(weights: Weights, adapter: Adapter) -> Weights:
    """The weights as VoxCPM's format holds them."""
    factor = fold(adapter).factor
    return {name: value * factor if name.endswith("lora_B") and factor != 1 else value
            for name, value in weights.items()}  # fmt: skip


def reshaped(
    weights: Weights, adapter: Adapter, *, alpha: int | None = None, rank: int | None = None
) -> tuple[Weights, Adapter]:
    """The same function at another alpha and a larger rank, for runtimes that fix them; no bit of it is lost.

    A gets rows of zeros and B columns, so B A stays what it is. The scale becomes alpha / rank, and B is multiplied by
    the old one over it: a power of two, or it would be rounded, and that is refused. Without `alpha` the scale stays
    and alpha follows the rank. Raises UserError where it cannot be exact.
    """
    rank = rank or adapter.rank
    if not adapter.rank <= rank <= LARGEST_RANK:
        raise UserError(
            f"--pad-rank {rank} cannot hold rank {adapter.rank}: zeros only make it larger, up to {LARGEST_RANK}; a "
            "runtime of a smaller rank takes a merged checkpoint (`train merge`)"
        )
    scale = _exact_scale(adapter)
    new = (Fraction(alpha) if alpha else scale * rank) if scale else None  # alpha
    if not (scale and new and _power_of_two(scale * rank / new) and Fraction(float(new)) == new):
        raise UserError(_inexact(adapter, alpha, rank, scale))
    factor = float(scale * rank / new)
    made = adapter.model_copy(update={"rank": rank, "alpha": float(new), "rslora": False})
    return {name: _padded(name, value, rank, factor) for name, value in weights.items()}, made


def _padded(name: str, value: torch.Tensor, rank: int, factor: float) -> torch.Tensor:
    if name.endswith(".lora_A"):
        return torch.nn.functional.pad(value, (0, 0, 0, rank - value.shape[0]))
    scaled = value * factor
    if not torch.equal(scaled / factor, value):
        raise UserError(f"{name} holds numbers that float32 cannot hold times {factor:g}: choose another --alpha")
    return torch.nn.functional.pad(scaled, (0, rank - value.shape[1]))


def _exact_scale(adapter: Adapter) -> Fraction | None:
    """The scale as a fraction; None where it is none, as rsLoRA's at ranks that are no squares."""
    root = math.isqrt(adapter.rank)
    if adapter.rslora and root * root != adapter.rank:
        return None
    return Fraction(_alpha(adapter)) / (root if adapter.rslora else adapter.rank)


def _power_of_two(value: Fraction) -> bool:
    return all(part & (part - 1) == 0 for part in (value.numerator, value.denominator))


def _inexact(adapter: Adapter, alpha: int | None, rank: int, scale: Fraction | None) -> str:
    """One line: what cannot be, and what could."""
    at = f"scale {adapter.scale:g} at rank {rank}"
    says = f"{at} with alpha {alpha} would round B" if alpha else f"{at} is alpha {adapter.scale * rank:g}, rounded"
    wanted = scale * rank if scale else Fraction(1, 3)
    if _power_of_two(Fraction(wanted.denominator)) and wanted.numerator <= FINEST:
        odd = wanted.numerator // (wanted.numerator & -wanted.numerator)
        near = sorted((odd << shift for shift in range(21)), key=lambda each: abs(math.log(each / (alpha or odd))))
        return f"{says}: exact are alphas such as {', '.join(map(str, sorted(near[:3])))}; or `train merge`"
    ranks = [each for each in range(rank, LARGEST_RANK + 1) if scale and (scale * each).denominator == 1]
    if ranks:
        return f"{says}: exact are ranks such as {', '.join(map(str, ranks[:3]))}; or `train merge`"
    return f"{says}, and no whole alpha holds it exactly: `train merge` for runtimes that fix it"


def voxcpm_config(adapter: Adapter, base: str) -> dict[str, Any]:
    """lora_config.json; its alpha goes with `folded` weights."""
    layers, scopes = list(adapter.modules), _scopes(adapter) if adapter.modules else ()
    settings = {
        "enable_lm": "lm" in scopes,
        "enable_dit": "dit" in scopes,
        "enable_proj": adapter.projections,
        "r": adapter.rank,
        "alpha": fold(adapter).alpha,
        "dropout": adapter.dropout,
        "target_modules_lm": layers,
        "target_modules_dit": layers,
        "target_proj_modules": list(PROJECTIONS) if adapter.projections else [],
    }
    return {"base_model": base, "lora_config": settings}


def peft_alpha(adapter: Adapter) -> float:
    """lora_alpha: a whole number where it is one."""
    alpha = _alpha(adapter)
    return int(alpha) if alpha.is_integer() else alpha


def check_kinds(kinds: Mapping[str, torch.dtype], where: str) -> None:
    """Raise UserError where tensors are whole numbers or of 8 bits, which mean nothing without their scales."""
    if odd := [name for name, kind in kinds.items() if kind not in FLOATS]:
        kind = str(kinds[odd[0]]).removeprefix("torch.")
        raise UserError(f"{where} are quantized ({odd[0]} is {kind}): give those they were made from")


def from_voxcpm(config: dict[str, Any], tensors: Weights, where: str) -> tuple[Adapter, Weights]:
    """The adapter that VoxCPM's files describe, and those of its tensors that VoxCPM would load.

    VoxCPM skips other LoRA tensors silently, here a warning names them; but it would overwrite the base model with
    tensors of the base model's names. Raises UserError there, and where an Adapter cannot be like that.
    """
    settings = config.get("lora_config")
    if not isinstance(settings, dict):
        raise UserError(f"{where}: lora_config.json has no table lora_config with r and alpha")
    if foreign := sorted(name for name in tensors if ".lora_" not in name):
        raise UserError(f"{where} also holds {foreign[0]}, which is no weight of an adapter")
    kept = {name: value for name, value in tensors.items() if _is_loaded(name, settings)}
    if skipped := sorted(tensors.keys() - kept.keys()):
        count = counted(len(skipped), "tensor")
        log.warning("%s: %s skipped, such as %s, as VoxCPM does", where, count, skipped[0])
    values = {"rank": settings.get("r", 8), "alpha": settings.get("alpha", 16)}  # VoxCPM's own defaults
    return _adapter(values | {"dropout": settings.get("dropout", 0.0)}, kept, where), kept


def from_peft(config: dict[str, Any], tensors: Weights, where: str) -> tuple[Adapter, Weights]:
    """The adapter that PEFT's files describe and its tensors under their official names.

    Raises UserError where VoxCPM's format could not hold it.
    """
    if config.get("peft_type", "LORA") != "LORA":
        raise UserError(f"{where} is of PEFT's type {config['peft_type']}, not LORA")
    for name, value in config.items():
        plain = value in PEFT_STARTS if name == "init_lora_weights" else value in (None, False, "none", {}, [])
        if name not in PEFT_HARMLESS and not plain:
            raise UserError(f"{where} uses PEFT's {name} = {_short(value)}, which VoxCPM's format cannot hold")
    values = {
        "rank": config.get("r", PEFT_DEFAULT),
        "alpha": config.get("lora_alpha", PEFT_DEFAULT),
        "dropout": config.get("lora_dropout", 0.0),
    }
    renamed = {name.removeprefix(PEFT_PREFIX).removesuffix(".weight"): value for name, value in tensors.items()}
    return _adapter(values | {"rslora": bool(config.get("use_rslora"))}, renamed, where), renamed


def _scopes(adapter: Adapter) -> tuple[str, ...]:
    return ("lm", "dit") if adapter.scope == "both" else (adapter.scope,)


def _alpha(adapter: Adapter) -> float:
    return float(adapter.rank) if adapter.alpha is None else adapter.alpha


def _is_loaded(name: str, settings: dict[str, Any]) -> bool:
    """Whether the model that VoxCPM builds by these settings has such a tensor."""
    match = NAME.fullmatch(name)
    if not match:
        return False
    part, module, _ = match.groups()
    if part is None:
        return bool(settings.get("enable_proj")) and module in settings.get("target_proj_modules", PROJECTIONS)
    scope = "dit" if part in PARTS["dit"] else "lm"
    return bool(settings.get(f"enable_{scope}")) and module in settings.get(f"target_modules_{scope}", MODULES[:4])


def _adapter(values: dict[str, Any], tensors: Weights, where: str) -> Adapter:
    shape = _shape(tensors, where)
    if values["alpha"] is None:  # to a run file it is the rank; VoxCPM and PEFT cannot read it
        raise UserError(f"{where} has no value of alpha, so its scale is not known: set it in its configuration")
    try:
        adapter = Adapter.model_validate(values | shape)
    except ValidationError as problem:
        key = str(problem.errors()[0]["loc"][0])
        raise UserError(f"{where} has a value of {key} that this cannot hold: {(values | shape)[key]!r}") from None
    for name, value in tensors.items():
        if value.ndim != 2 or value.shape[0 if name.endswith("lora_A") else 1] != adapter.rank:
            raise UserError(f"{where} says rank {adapter.rank}, but {name} is {tuple(value.shape)}")
    return adapter


def _shape(tensors: Weights, where: str) -> dict[str, Any]:
    """scope, modules and projections by the names of the tensors; UserError where an Adapter cannot be like that."""
    layers: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))  # part -> module -> layers
    between = set()
    for name in tensors:
        match = NAME.fullmatch(name)
        if not match or match[2] not in (MODULES if match[1] else PROJECTIONS):
            raise UserError(f"{where} also adapts {name}: only {', '.join(MODULES)} and the projections can be")
        if name[:-1] + "BA"[match[3] == "B"] not in tensors:
            raise UserError(f"{where} lacks the other half of {name}")
        if match[1]:
            layers[match[1]][match[2]] += 1
        else:
            between.add(match[2])
    if not tensors:
        raise UserError(f"{where} holds no weights of an adapter")
    if between and between != set(PROJECTIONS):
        raise UserError(f"{where} adapts only {', '.join(sorted(between))} of the four projections")
    return _layers(layers, where) | {"projections": bool(between)}


def _layers(layers: dict[str, dict[str, int]], where: str) -> dict[str, Any]:
    if not layers:
        return {"modules": ()}
    modules = {part: set(counts) for part, counts in layers.items()}
    first = next(iter(modules))
    if odd := [part for part in modules if modules[part] != modules[first]]:
        each = " and ".join(f"{','.join(_ordered(modules[part]))} in {part}" for part in (first, odd[0]))
        raise UserError(f"{where} has different module lists: {each}")
    for part, counts in layers.items():
        if len(set(counts.values())) > 1:
            raise UserError(f"{where} adapts other modules in some layers of {part} than in others")
    if len(modules.keys() & set(PARTS["lm"])) == 1:
        raise UserError(f"{where} adapts only one of the two language models, {' and '.join(PARTS['lm'])}")
    scopes = [scope for scope, parts in PARTS.items() if parts[0] in modules]
    return {"scope": "both" if len(scopes) == 2 else scopes[0], "modules": _ordered(modules[first])}


def _ordered(modules: Iterable[str]) -> list[str]:
    return [name for name in MODULES if name in modules]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
