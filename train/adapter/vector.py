"""The adapter as one vector: one tensor to cast, clip, step and send, of which PEFT's tensors are views."""

from typing import Any

import torch

from train import config
from train.adapter import lora
from train.model.losses import Adapter


class Vector:
    """All weights of an attached adapter in one parameter, in the order of their sorted official names.

    The model's own parameters become views of it, so what is learned here is what PEFT and `say` see.
    """

    def __init__(self, model: Any, settings: config.Adapter, dtype: torch.dtype = torch.float32) -> None:
        own = lora.parameters(model)
        self.names = list(own)
        self._shapes = [value.shape for value in own.values()]
        self._settings = settings
        self.parameter = torch.nn.Parameter(torch.cat([value.detach().reshape(-1) for value in own.values()]).to(dtype))
        for value, piece in zip(own.values(), self._pieces(self.parameter.data), strict=True):
            value.requires_grad_(False)
            value.data = piece

    def adapter(self, dtype: torch.dtype, *, dropout: bool = True) -> Adapter:
        """The pairs by module name in that precision, cast at once; gradients come back to `parameter`.

        Without `dropout` it is as when it speaks, and as held-out losses are taken.
        """
        pieces = dict(zip(self.names, self._pieces(self.parameter.to(dtype)), strict=True))
        modules = [name.removesuffix(".lora_A") for name in self.names if name.endswith(".lora_A")]
        scale, dropped = self._settings.scale, self._settings.dropout if dropout else 0.0
        return {name: (pieces[f"{name}.lora_A"], pieces[f"{name}.lora_B"], scale, dropped) for name in modules}

    def gradients(self) -> dict[str, torch.Tensor]:
        """The gradient of every tensor by its official name."""
        if self.parameter.grad is None:
            raise RuntimeError("no gradient yet: go backward first")
        return dict(zip(self.names, self._pieces(self.parameter.grad), strict=True))

    def _pieces(self, vector: torch.Tensor) -> list[torch.Tensor]:
        sizes = [shape.numel() for shape in self._shapes]
        return [piece.view(shape) for piece, shape in zip(torch.split(vector, sizes), self._shapes, strict=True)]
