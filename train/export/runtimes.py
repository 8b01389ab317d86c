"""What runtimes cannot do with an adapter as it is written, and how to make it fit them."""

from collections.abc import Iterator

from train import config
from train.adapter import formats, lora
from train.adapter.lora import MERGED

VOXCPM_DEFAULT = (8, 16, False)  # rank, alpha, projections that VoxCPM 2.0.3 assumes without a configuration
NANO_VLLM_RANK = 32  # nano-vllm-voxcpm's max_lora_rank, unless told otherwise
COMFY = (32, 16)  # rank and alpha that ComfyUI-VoxCPM fixes
ATTENTION = config.MODULES[:4]  # what runtimes adapt unless told otherwise


def limits(saved: lora.Saved, form: str) -> list[str]:
    """What is worth knowing before the adapter meets a runtime, a line each; only what applies to it."""
    adapter, folding = saved.adapter, formats.fold(saved.adapter)
    lines = []
    if form == "voxcpm":
        if (adapter.rank, folding.alpha, adapter.projections) != VOXCPM_DEFAULT:
            lines += ["VoxCPM 2.0.3 assumes rank 8, alpha 16 where lora_config is not passed: pass it with the weights"]
        if folding.factor != 1:
            lines += [_folded(adapter, folding)]
        lines += [*_nano_vllm(adapter), *_comfy_ui(adapter, folding)]
    if form != MERGED:
        lines += ["GGUF runtimes read no adapter: `train merge` for those"]
    if adapter.dropout and form != MERGED:
        lines += [
            "dropout: VoxCPM's is on the adapter's output, PEFT's on its input; the same when speaking, not in training"
        ]
    return lines


def _nano_vllm(adapter: config.Adapter) -> Iterator[str]:
    if adapter.rank > NANO_VLLM_RANK:
        known = f"nano-vllm-voxcpm takes ranks up to {NANO_VLLM_RANK} unless told otherwise"
        yield f"{known}: start it with max_lora_rank >= {adapter.rank}, or `train merge`"
    more = [*(name for name in adapter.modules if name not in ATTENTION), *formats.PROJECTIONS * adapter.projections]
    if more:
        yield f"nano-vllm-voxcpm refuses {', '.join(more)} unless its LoRAConfig names them: set it, or `train merge`"


def _comfy_ui(adapter: config.Adapter, folding: formats.Fold) -> Iterator[str]:
    """They read no lora_config.json: rank and alpha are theirs, and what they have no place for is passed over."""
    rank, alpha = COMFY
    if (adapter.rank, folding.alpha) != COMFY:
        remedy = f"`train export --alpha {alpha} --pad-rank {rank}`" if adapter.rank <= rank else "`train merge`"
        yield f"ComfyUI-VoxCPM assumes rank {rank} and alpha {alpha}, which this is not: {remedy} for it"
    if folding.alpha != max(1, adapter.rank // 2):
        half = max(1, adapter.rank // 2)
        yield f"ComfyUI-FL-VoxCPM plays it with alpha {half}, half its rank: `train export --alpha {half}` for it"
    if adapter.projections or set(adapter.modules) - set(ATTENTION):
        yield f"ComfyUI nodes pass over all but {', '.join(ATTENTION)}, silently: `train merge` for them"


def _folded(adapter: config.Adapter, folding: formats.Fold) -> str:
    how = "exactly" if folding.exact else "rounded to float32"
    was = f"alpha {formats.peft_alpha(adapter):g}" + (" with rsLoRA" if adapter.rslora else "")
    return f"VoxCPM's alpha is a whole number: {was} is written as {folding.alpha}, B times {folding.factor:g}, {how}"
