"""Where models run: on the CPU, or on a GPU that is really there."""

import ctypes
import functools
import re
from typing import Any

from curate.errors import UserError

CUDA = re.compile(r"cuda(:(?P<index>\d+))?")


@functools.cache
def gpus() -> int:
    """How many CUDA devices the driver shows, 0 without one; torch is not asked, as importing it takes seconds."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    asked = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return count.value if asked else 0


def chosen(device: str) -> str:
    """`cpu`, `cuda` or `cuda:N`; `auto` is the first GPU where there is one."""
    return ("cuda" if gpus() else "cpu") if device == "auto" else device


def require(device: str) -> None:
    """Raise a UserError for a GPU that is not there."""
    if (number := index(device)) is not None and number >= gpus():
        there = f"there are {gpus()}" if gpus() else "no GPU is found here"
        raise UserError(f'models.device is {device!r}, and {there}; say --set models.device="cpu", or "auto"')


def index(device: str) -> int | None:
    """The number of a GPU; None for the CPU. Raises UserError for what is neither."""
    if found := CUDA.fullmatch(device):
        return int(found["index"] or 0)
    if device != "cpu":
        raise UserError(f"no device {device!r}; there are cpu, cuda and cuda:N")
    return None


def mark(device: str) -> str:
    """What the device adds to a fingerprint: nothing on the CPU; sums come out otherwise on a GPU, whichever it is."""
    return "" if index(device) is None else " cuda"


def half(device: str) -> Any:
    """A context in which a network computes in half precision on a GPU, and as it is on the CPU."""
    import torch

    return torch.autocast("cuda", dtype=torch.float16, enabled=index(device) is not None)
