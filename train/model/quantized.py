"""A base model whose large frozen matrices are kept in 4 bits: QLoRA (arXiv:2305.14314), for GPUs of 6 to 8 GB.

The linear layers of all three transformers are: q, k, v, o, gate, up and down, 83 % of the published model and 92 % of
what training needs of it. Embeddings, norms, biases, the four projections between the models, FSQ, the stop head and
what stands around the DiT stay as they are: 2 % in all but the embeddings, of which only some rows are read.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from train.model import nf4
from train.model.layers import TOGETHER
from train.model.nf4 import Nf4

GROUPS = (*TOGETHER, ("self_attn", ("o_proj",)), ("mlp", ("down_proj",)))  # each one matrix


class Matrix(torch.nn.Module):
    """A frozen matrix in 4 bits, that layers which read the same input share end to end."""

    def __init__(self, matrix: Tensor, kind: torch.dtype) -> None:
        super().__init__()
        self.shape, self.kind = matrix.shape, kind
        for name, value in nf4.quantized(matrix)._asdict().items():
            self.register_buffer(name, value, persistent=False)

    @property
    def stored(self) -> Nf4:
        """What is kept of it."""
        return Nf4(*(getattr(self, name) for name in Nf4._fields))

    def dense(self) -> Tensor:
        """What it stands for, in the model's precision."""
        return nf4.dense(self.stored, self.shape, self.kind)


class QuantizedLinear(torch.nn.Linear):
    """Some rows of a Matrix as a linear layer. Training reads the Matrix itself; who speaks calls the layer."""

    def __init__(self, plain: torch.nn.Linear, matrix: Matrix, first: int) -> None:
        torch.nn.Module.__init__(self)  # a Linear's own would make it weights
        self.in_features, self.out_features, self.bias = plain.in_features, plain.out_features, plain.bias
        self.matrix, self.first = matrix, first

    @property
    def weight(self) -> Tensor:  # type: ignore[override]
        """Its rows, made anew each time."""
        return self.matrix.dense()[self.first : self.first + self.out_features]

    @property
    def stored(self) -> Nf4:
        """The whole matrix that it is a part of."""
        return self.matrix.stored


def quantize(model: Any, device: str) -> None:
    """Put the linear layers of all transformers into 4 bits, on `device`: matrix by matrix, for it may be a small GPU.

    Where `layers.join` would lay weights end to end, they lie so after it. The rest of the model stays where it is.
    """
    for parent, names in groups(model):
        plain = [getattr(parent, name) for name in names]
        weights = torch.cat([each.weight.detach().to(device) for each in plain])
        matrix, first = Matrix(weights, plain[0].weight.dtype), 0
        for name, each in zip(names, plain, strict=True):
            setattr(parent, name, QuantizedLinear(each, matrix, first))
            first += each.out_features


def stored_bytes(model: Any) -> int:
    """Bytes of all matrices in 4 bits, codes and scales."""
    matrices = [each for each in model.modules() if isinstance(each, Matrix)]  # each once
    return sum(value.numel() * value.element_size() for each in matrices for value in each.stored[:-1])


def groups(model: Any) -> Iterator[tuple[Any, Sequence[str]]]:
    """All layers that are kept in 4 bits, by what they are part of: names of those that are one matrix."""
    for lm in (model.base_lm, model.residual_lm, model.feat_decoder.estimator.decoder):
        for layer in lm.layers:
            for parent, names in GROUPS:
                yield getattr(layer, parent), names
