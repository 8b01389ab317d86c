"""Several processes as one: who we are among them, sums over all, and who writes. `torchrun` starts them."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch._C._distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

from curate.errors import Interrupted, UserError

Value = TypeVar("Value")
REMEDY = "start with torchrun, or unset WORLD_SIZE for one process"
LARGEST_PORT = 65535
PATIENCE = timedelta(minutes=5)  # until all processes of all machines have started
LATER = timedelta(minutes=30)  # torch's own, once they have met
BY_GPU = "cpu:gloo,cuda:nccl"  # gradients by NCCL; Python's values by gloo, for NCCL would wait for the step that runs
LOST = ("closed by peer", "onnection reset", "Broken pipe", "remote process has terminated")


@dataclass(frozen=True)
class World:
    """The processes of a run; alone, everything here does nothing."""

    rank: int = 0
    size: int = 1

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes files and speaks to the person."""
        return self.rank == 0

    def add_up(self, tensor: torch.Tensor) -> torch.Tensor:
        """Sum a tensor over all processes, in place."""
        if self.size > 1:
            torch.distributed.all_reduce(tensor)
        return tensor

    def gather(self, value: Value) -> list[Value]:
        """The value of every process, in the order of their ranks, on all of them."""
        if self.size == 1:
            return [value]
        values: list[Value | None] = [None] * self.size
        torch.distributed.all_gather_object(values, value)
        return [each for each in values if each is not None]

    def any(self, value: bool) -> bool:
        """Whether it holds on any process."""
        return any(self.gather(value))

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            torch.distributed.barrier()


ALONE = World()


@contextmanager
def joined(*, gpu: bool = True) -> Iterator[World]:
    """The world that `torchrun` describes in the environment, or ALONE; each process takes its own GPU.

    `gpu` False: training is on CPUs, also where there are GPUs. They meet by gloo then, for NCCL knows GPUs alone.

    What one process raises ends all: the first says why, the others leave quietly with its exit status. Raises
    UserError where the environment is not torchrun's, or the processes do not meet.
    """
    gpus = torch.cuda.device_count() if gpu and torch.cuda.is_available() else 0
    rank, size = _place(gpus)
    if size == 1:
        yield ALONE
        return
    store = _meet(gpu=gpus > 0)
    try:
        yield World(rank, size)
    except (UserError, KeyboardInterrupt, RuntimeError) as problem:
        lost = any(words in str(problem) for words in LOST)  # only how another process's end is felt here
        if lost or isinstance(problem, UserError | KeyboardInterrupt):
            _leave(problem, store, rank)
        raise
    finally:
        torch.distributed.destroy_process_group()


def _place(gpus: int) -> tuple[int, int]:
    """The rank of this process and how many there are, which want a GPU each where there are any."""
    size = _number("WORLD_SIZE", 1) if "WORLD_SIZE" in os.environ else 1
    if size == 1:
        return 0, 1
    if not os.environ.get("MASTER_ADDR"):
        raise UserError(f"WORLD_SIZE is {size}, but MASTER_ADDR is not set: {REMEDY}")
    _number("MASTER_PORT", 1, LARGEST_PORT)
    if (local := _number("LOCAL_RANK", 0, size - 1)) >= gpus > 0:
        raise UserError(f"{gpus} GPUs are to be seen, too few for LOCAL_RANK {local}: lower --nproc-per-node")
    return _number("RANK", 0, size - 1), size


def _number(name: str, least: int, most: float = math.inf) -> int:
    text = os.environ.get(name)
    if text is None:
        raise UserError(f"WORLD_SIZE is set, but {name} is not: {REMEDY}")
    if not (text.isdecimal() and least <= int(text) <= most):
        raise UserError(f"{name} = {text!r} is no such number as torchrun sets: {REMEDY}")
    return int(text)


def _meet(*, gpu: bool) -> Store:
    """Wait until all processes are there; they share a store of short texts."""
    if gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        store: Store
        store, rank, size = next(rendezvous("env://", timeout=PATIENCE))
        store.set_timeout(LATER)
        torch.distributed.init_process_group(BY_GPU if gpu else "gloo", store=store, rank=rank, world_size=size)
    except torch.distributed.DistError as problem:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        reason = str(problem).splitlines()[0].rstrip(".")
        raise UserError(f"the processes of this run could not meet at {where} ({reason}): {REMEDY}") from problem
    return store


def _leave(problem: BaseException, store: Store, rank: int) -> None:
    """End quietly where another process has named the reason, or will: one line for a person, not one from each."""
    if isinstance(problem, KeyboardInterrupt):
        if rank:
            raise SystemExit(Interrupted.status) from None
        return
    try:
        first = store.add(f"samsori/reason/{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", 1) == 1
    except RuntimeError:  # the store has gone with the process that kept it
        first = False
    if not first:
        raise SystemExit(1) from None
    if not isinstance(problem, UserError):
        raise UserError(
            "another process of this run has ended without a word: look above, then `train resume`"
        ) from None
