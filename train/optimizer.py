"""AdamW over the adapter's one vector; at two rates where B has its own (LoRA+), with an average of the weights (EMA).

LoRA+ (arXiv:2402.12354): with one rate for both, B, which begins at zero, learns too slowly for wide layers; `ratio`
times A's rate mends that. Then A and B are two groups of views of the one vector, which AdamW goes over in one pass.

EMA: after each step the average moves by 1 - decay towards the weights. It begins at them, and in the first steps it
moves faster, min(decay, (1 + n) / (10 + n)) after n steps, or it would hold on to where the adapter began. What is
validated, spoken and exported is the average; what is learned goes on from the weights.

What a checkpoint holds is one layout whatever the settings: moments along the whole vector. So settings may change on
resume, and take effect.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from train import config
from train.adapter.lora import Vector

MOMENTS = ("exp_avg", "exp_avg_sq")


class Optimizer:
    """Takes steps with the gradient that lies in the vector's parameter."""

    def __init__(self, vector: Vector, settings: config.Optimizer) -> None:
        self._vector, self._settings = vector, settings
        self._views: list[torch.nn.Parameter] = []
        groups: list[dict[str, Any]] = [{"params": [vector.parameter], "ratio": 1.0}]
        if settings.loraplus_ratio != 1:
            self._views = [torch.nn.Parameter(piece) for piece in vector.pieces(vector.parameter.data)]
            named = list(zip(vector.names, self._views, strict=True))
            both = ((".lora_A", 1.0), (".lora_B", settings.loraplus_ratio))
            groups = [
                {"params": [view for name, view in named if name.endswith(half)], "ratio": ratio}
                for half, ratio in both
            ]
        self._adamw = torch.optim.AdamW(
            groups, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self._average = vector.parameter.detach().clone() if settings.ema_decay else None

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self._vector.parameter.grad = None

    def step(self, rate: float, number: int, refused: torch.Tensor | None = None) -> None:
        """Move the weights at a rate, of A where B has its own, and the average behind them; steps count from 1.

        Nothing moves where `refused` is true: one value on the vector's device, which is never waited for.
        """
        for group in self._adamw.param_groups:
            group["lr"] = rate * group["ratio"]
        gradient = self._vector.parameter.grad
        if self._views and gradient is not None:
            for view, piece in zip(self._views, self._vector.pieces(gradient), strict=True):
                view.grad = piece
        # What a GradScaler would set: fused AdamW leaves weights, moments and its count of steps where it is 1.
        self._adamw.found_inf = None if refused is None else refused.float()  # type: ignore[attr-defined]
        self._adamw.step()
        if self._average is not None:
            moves = 1 - min(self._settings.ema_decay, (1 + number) / (10 + number))
            share = torch.full((), moves, dtype=self._average.dtype, device=self._average.device)
            self._average.lerp_(self._vector.parameter.detach(), share if refused is None else share * ~refused)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the vector holds the average, where there is one; nothing may be learned there."""
        if self._average is None:
            yield
            return
        weights = self._vector.parameter.detach().clone()
        self._vector.parameter.data.copy_(self._average)  # in place: PEFT's tensors are views of it
        try:
            yield
        finally:
            self._vector.parameter.data.copy_(weights)

    def state_dict(self) -> dict[str, Any]:
        """Steps and moments along the whole vector, and what no adapter file holds: see `load_state_dict`."""
        states = [self._adamw.state[view] for view in self._views or [self._vector.parameter]]
        state = {name: torch.cat([each[name].reshape(-1) for each in states]).cpu() for name in MOMENTS}
        table: dict[str, Any] = {"state": {0: {"step": states[0]["step"].cpu(), **state}}}
        weights = self._vector.parameter.detach()
        if self._average is not None:
            table["average"] = self._average.cpu()
        if self._average is not None or weights.dtype is torch.float64:
            table["vector"] = weights.cpu()
        return table

    def load_state_dict(self, table: dict[str, Any]) -> None:
        """Go on as when `state_dict` was asked, at the rates and the decay of today's settings.

        The vector must hold what the checkpoint's adapter holds. That is the average where there was one, and single
        precision: so weights beside one, and weights in double precision, come with the state.
        """
        vector = self._vector.parameter
        if "vector" in table:
            vector.data.copy_(table["vector"])
        if self._average is not None:
            self._average.copy_(table.get("average", vector.detach()))
        state = table["state"][0]
        moments = {name: self._vector.pieces(state[name]) if self._views else [state[name]] for name in MOMENTS}
        for number, view in enumerate(self._views or [vector]):
            own = {name: each[number].to(view.device, view.dtype, copy=True) for name, each in moments.items()}
            self._adamw.state[view] = {"step": state["step"].to(view.device, copy=True), **own}


def learning_rate(step: int, steps: int, settings: config.Optimizer) -> float:
    """Warm-up, then a cosine down to the floor; it stays there and never climbs. step counts from 1."""
    warmup = min(settings.warmup_steps, steps // 10)
    if step <= warmup:
        return settings.learning_rate * step / warmup
    share = min(1.0, (step - warmup) / max(1, steps - warmup))
    falling = (1 + math.cos(math.pi * share)) / 2
    return settings.learning_rate * (settings.floor + (1 - settings.floor) * falling)
