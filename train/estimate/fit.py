"""What fits on a GPU: the budget of positions that one of its pieces may have, from free memory and the cost model.

Losses do not depend on it (pieces of a step add up), so it need not be the same on another GPU or after a resume, and
is no part of the run file.
"""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch

from curate.errors import UserError
from train import config
from train.data import dataset
from train.data.sampler import BEGINNING, EpochPlans, Example, shard
from train.estimate.cost import CostModel, model_of
from train.model import base

PATCH_WEIGHS = 3.0  # text positions: what a target patch keeps for backward, DiT and all; counted: 3.6 in bfloat16
PLANNED = 10_000  # steps that are gone through for the heaviest piece
SPARE = 0.4e9  # bytes left free: cuBLAS's workspaces, sums of gradients, kernels
GAPS = 0.04  # share of the free memory that the allocator cannot use, in segments that grow; our choice
LONG_ENOUGH = 300  # steps of a run whose layers are compiled; our choice
FINEST = 64  # positions: below, a piece is a clip by itself all the same


def weight(examples: Iterable[Example]) -> float:
    """What a piece takes in memory, in text positions, roughly: enough to tell which of two takes more."""
    return sum(each.length + (PATCH_WEIGHS - 1) * each.patches for each in examples)


def heaviest(run: config.Run, examples: Sequence[Example], tokens: int, ranks: int = 1) -> list[Example]:
    """The piece of all batches of a run that takes most memory, where pieces have at most that many positions."""
    plans = EpochPlans(run, examples)
    most: list[Example] = []
    for _, batch in plans.remaining(BEGINNING, min(plans.total_steps(), PLANNED)):
        for part in shard(range(len(batch)), batch, ranks=ranks, tokens=tokens):
            for piece in part:
                chosen = [batch[position] for position in piece]
                most = max(most, chosen, key=weight)
    return most


def budgets(tokens: int) -> list[int]:
    """Budgets to be tried, the largest first: whole, three quarters, half, and so on down."""
    tried = []
    while tokens > FINEST:
        tried += [tokens, tokens * 3 // 4]
        tokens //= 2
    return [*tried, 1]  # a clip at once


def micro_batch(
    run: config.Run,
    examples: Sequence[Example],
    model: CostModel,
    room: float,
    ranks: int = 1,
    *,
    in_4_bits: Callable[[], CostModel] | None = None,
) -> tuple[int, int]:
    """The largest budget whose heaviest piece fits into `room` bytes, with base and optimizer, and what it takes.

    Raises UserError where not even one clip at once fits: it says what would, a base `in_4_bits` with it.
    """
    checkpointing = run.train.checkpointing
    per = 0.0  # bytes for one of `weight`, by the last count
    for tokens in budgets(run.batch.tokens):
        piece = heaviest(run, examples, tokens, ranks)
        if model.fixed + per * weight(piece) > 1.1 * room and tokens > 1:
            continue  # surely too much: not worth counting, which takes seconds
        peak = model.of(piece, checkpointing=checkpointing).peak
        if model.fixed + peak <= room:
            return tokens, model.fixed + peak
        per = peak / weight(piece)
    small = in_4_bits() if in_4_bits and run.train.quantization == "none" else None
    raise UserError(_too_small(run, piece, model, small, model.fixed + peak, room))


def _too_small(
    run: config.Run, piece: Sequence[Example], model: CostModel, small: CostModel | None, least: float, room: float
) -> str:
    """What a card lacks, and what would fit on it; `small` has the base in 4 bits."""
    says = (
        f"this GPU has {_gb(room)} to spare, and rank {run.adapter.rank} needs {_gb(least)} even with one clip at once "
        f"({sum(each.length for each in piece)} positions)"
    )
    if not run.train.checkpointing:
        peak = model.of(piece, checkpointing=True).peak
        if model.fixed + peak <= room:
            return f"{says}: train.checkpointing = true fits ({_gb(model.fixed + peak)})"
        least = model.fixed + peak
    if small:
        least = small.fixed + small.of(piece, checkpointing=True).peak
        if least <= room:
            return f'{says}: train.quantization = "nf4" with train.checkpointing = true fits ({_gb(least)})'
    with_it = "with checkpointing" + " and a base in 4 bits" * bool(small or run.train.quantization != "none")
    return f"{says}: {_gb(least)} is the least, {with_it}; lower adapter.rank, cut long clips, or use more GPU"


def _gb(count: float) -> str:
    return f"{count / 1e9:.1f} GB"


def room_on_gpu() -> float:
    """Bytes that training may take of the GPU of this process: what is free now, less what is spared."""
    free, _ = torch.cuda.mem_get_info()
    return free * (1 - GAPS) - SPARE


def compiles(run: config.Run, device: str, steps: int) -> bool:
    """Whether layers are compiled: as the run file says, else on a GPU, where a compiler is and a run is long enough.

    Six graphs take a minute or two, and a step saves what its elementwise traffic takes, so a short run loses by it.
    """
    if run.train.compile is not None:
        return run.train.compile
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CC", "cc"), "gcc", "clang"))), None)
    return device == "cuda" and steps >= LONG_ENOUGH and bool(compiler and importlib.util.find_spec("triton"))


def fitted(
    run: config.Run, survey: dataset.Survey, examples: Sequence[Example], ranks: int = 1
) -> tuple[config.Run, str]:
    """The run with a budget that fits this GPU, where it names none, and a note of it; on no GPU as it is.

    Raises UserError where nothing fits.
    """
    device = dataset.pick_device(run.train.device)
    if device != "cuda" or run.batch.micro_batch_tokens:
        return run, ""
    settings, kind = base.read_config(survey.model), dataset.precision(run, device)
    room = room_on_gpu()
    in_4_bits = partial(model_of, run, settings, kind, quantization="nf4")
    tokens, taken = micro_batch(run, examples, model_of(run, settings, kind), room, ranks, in_4_bits=in_4_bits)
    return with_budget(run, tokens), f"{tokens} positions at once: {_gb(taken)} counted, of {_gb(room)} to spare"


def with_budget(run: config.Run, tokens: int) -> config.Run:
    """The same run, computing at most that many positions at once."""
    return run.model_copy(update={"batch": run.batch.model_copy(update={"micro_batch_tokens": tokens})})
