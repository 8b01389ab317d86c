"""Memory: the peak that was taken, and what is said where a GPU has too little."""

import resource
import sys
from collections.abc import Sequence

import torch

from train import config
from train.data.sampler import Example


def peak(device: str) -> int:
    """Bytes: the peak on this GPU, or of this process."""
    if str(device).startswith("cuda"):
        return int(torch.cuda.max_memory_allocated())
    kept = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kept if sys.platform == "darwin" else kept * 1024


def out_of_memory(run: config.Run, clips: Sequence[Example], *, learning: bool = True) -> str:
    """One line: what to set so that the clips that were computed at once fit.

    A smaller budget sends them through one after the other, but cuts none: where there is one clip, it would not help.
    Nor does checkpointing where nothing is kept for a gradient (not `learning`).
    """
    file, again = run.into / "run.toml", f"then `train resume {run.into}`"
    checkpointing = "train.checkpointing = true under [train]" * (learning and not run.train.checkpointing)
    positions = sum(each.length for each in clips)
    if len(clips) > 1:
        now = run.batch.micro_batch_tokens or run.batch.tokens
        half = max(1, min(now, positions) // 2)  # of what was computed, which may be far less than was allowed
        more = f", or {checkpointing}" if checkpointing else ""
        return (
            f"out of GPU memory: set batch.micro_batch_tokens = {half} (now {now}) under [batch]{more} in {file}, "
            f"{again}; the losses stay the same"
        )
    says = (
        f"out of GPU memory with one clip at once ({clips[0].id}, {positions} positions), which no "
        "batch.micro_batch_tokens makes smaller"
    )
    if checkpointing:
        return f"{says}: set {checkpointing} in {file}, {again}; the losses stay the same"
    in_4_bits = ', or with train.quantization = "nf4"' * (run.train.quantization == "none")
    return (
        f"{says}: use a GPU with more memory, or curate with a lower segment.max_seconds, {again}; "
        f"or begin another run with a lower adapter.rank{in_4_bits}"
    )


def out_of_memory_elsewhere(run: config.Run) -> str:
    """One line for where no batch is computed: while the model is loaded, clips are encoded or samples spoken."""
    return (
        "out of GPU memory while no batch was computed: end what else uses this GPU, or use one with more memory, "
        f"then `train resume {run.into}`"
    )
