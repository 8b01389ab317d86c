"""Several processes as one: who we are among them, sums over all, and who writes. `torchrun` starts them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch

Value = TypeVar("Value")


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
def joined() -> Iterator[World]:
    """The world that `torchrun` describes in the environment, or ALONE; each process takes its own GPU."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group("nccl" if gpu else "gloo")
    try:
        yield World(int(os.environ["RANK"]), size)
    finally:
        torch.distributed.destroy_process_group()
