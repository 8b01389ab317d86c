"""A frozen matrix in 4 bits, through bitsandbytes (MIT): NF4 with double quantization, as in QLoRA (arXiv:2305.14314).

64 weights after each other share a scale, their largest absolute value; each weight is the nearest of 16 levels times
that, levels that a normal distribution fills evenly. The scales are 8-bit numbers themselves: 256 of them share a step,
after their mean was taken off. That is 4 + 8/64 + 32/(64 x 256) = 4.127 bits a weight, where bfloat16 has 16.

A product never runs on the codes: `dense` makes the matrix of them for the moment of one product, in the precision that
the layer computes in. So a model in 4 bits is, exactly, a model whose weights are what `dense` returns.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from curate.errors import UserError

BLOCK = 64  # weights that share a scale
GROUP = 256  # scales that share a step
LEVELS = 256  # what a scale is one of
KINDS = (torch.float32, torch.bfloat16, torch.float16)  # what bitsandbytes makes of codes


class Nf4(NamedTuple):
    """A matrix (rows, columns) as it is kept; what `dense` needs, and nothing but tensors, so that it can be saved."""

    codes: Tensor  # uint8, (rows x columns / 2,): two weights a byte, row after row
    scales: Tensor  # uint8, (rows x columns / 64,)
    steps: Tensor  # float32, (scales / 256,)
    mean: Tensor  # float32, (): of the scales
    levels: Tensor  # float32, (256,): what a byte of `scales` is, in steps


def check(device: str) -> None:
    """Raise UserError where weights cannot be kept in 4 bits: a library lacks, or does not work on this device."""
    asks = 'train.quantization = "nf4"'
    try:
        import bitsandbytes  # noqa: F401
    except ImportError:
        raise UserError(f"{asks} needs bitsandbytes, which is not installed: `pip install bitsandbytes`") from None
    try:
        matrix = torch.linspace(-1, 1, 2 * BLOCK, device=device).view(2, BLOCK)
        held = bool((dense(quantized(matrix), matrix.shape, torch.float32) - matrix).abs().max() < 0.2)
        reason = "" if held else "its kernels return other weights"
    except Exception as problem:  # no kernels for this GPU or its CUDA: bitsandbytes raises whatever it meets
        lines = str(problem).strip().splitlines()
        held, reason = False, lines[0] if lines else type(problem).__name__
    if not held:
        raise UserError(
            f"{asks}: bitsandbytes cannot keep weights in 4 bits on this {device} ({reason}): install the version for "
            'its CUDA, or set train.quantization = "none"'
        )


def quantized(matrix: Tensor) -> Nf4:
    """A matrix in 4 bits, where it lies; on the meta device its shapes. Raises UserError for one of an odd size."""
    count = matrix.numel()
    if count % BLOCK:
        raise UserError(
            f'a weight of this model has {count} numbers, no multiple of {BLOCK}: set train.quantization = "none"'
        )
    if matrix.is_meta:
        return _shapes(count)
    from bitsandbytes import functional

    # From float32, whatever the model's precision is: so equal weights have equal codes.
    codes, state = functional.quantize_4bit(
        matrix.detach().to(torch.float32), blocksize=BLOCK, quant_type="nf4", compress_statistics=True
    )
    second = state.state2
    return Nf4(codes.view(-1), state.absmax, second.absmax, state.offset, second.code)


def _shapes(count: int) -> Nf4:
    def empty(*shape: int, kind: torch.dtype = torch.float32) -> Tensor:
        return torch.empty(shape, dtype=kind, device="meta")

    scales = count // BLOCK
    small = torch.uint8
    steps = empty(-(-scales // GROUP))
    return Nf4(empty(count // 2, kind=small), empty(scales, kind=small), steps, empty(), empty(LEVELS))


def dense(stored: Sequence[Tensor], shape: Sequence[int], kind: torch.dtype, *, back: bool = False) -> Tensor:
    """The matrix (rows, columns) that the tensors of an `Nf4` stand for, in the precision `kind`.

    `back`: on the way back. Then the same is computed in other words. torch.compile sees both ways at once, and would
    compute what is said twice in equal words once, on the way forward, and keep it: a whole base that is not in 4 bits.
    """
    codes, scales, steps, mean, levels = stored
    if back:
        codes, scales = codes[None], scales[None]
    if codes.is_meta:  # only counted: one kernel that reads the codes and writes the matrix
        return codes[..., None].expand(*codes.shape, 2).to(kind, memory_format=torch.contiguous_format).view(*shape)
    operations = torch.ops.bitsandbytes
    each = operations.dequantize_blockwise(scales, steps, levels, GROUP, torch.float32).view(-1) + mean
    flat = [1, 2 * codes.numel()] if back else [2 * codes.numel()]
    values: Tensor = operations.dequantize_4bit(
        codes, each, BLOCK, "nf4", flat, kind if kind in KINDS else torch.float32
    )
    return values.view(*shape).to(kind)
