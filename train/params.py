"""Adapter sizes, counted on the real configuration without its weights."""

from collections.abc import Iterator, Sequence
from typing import Any

from curate.errors import UserError
from train import lora, voxcpm
from train.config import Adapter


def table(ranks: Sequence[int], *, scope: str = "both", model: str | None = None) -> dict[str, Any]:
    """{"total": parameters of the model, "ranks": [{"rank", "parameters", "percent"}]}.

    `model` is a folder or hub id whose configuration is counted; by default the published one. The total is the frozen
    model with its AudioVAE.
    """
    config = voxcpm.read_config(voxcpm.find(model)) if model else voxcpm.real_config()
    total = sum(parameter.numel() for parameter in voxcpm.on_meta(config).parameters())
    return {"total": total, "ranks": list(_rows(config, ranks, scope, total))}


def parse(ranks: str) -> list[int]:
    """Ranks from "8,16,32"; UserError where they are no positive whole numbers."""
    try:
        numbers = [int(rank) for rank in ranks.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise UserError(f"--ranks takes positive whole numbers joined by commas, such as 8,16,32, not {ranks!r}")
    return numbers


def _rows(config: dict[str, Any], ranks: Sequence[int], scope: str, total: int) -> Iterator[dict[str, Any]]:
    for rank in ranks:
        model = voxcpm.on_meta(config)
        lora.attach(model, Adapter.model_validate({"rank": rank, "scope": scope}))
        parameters = lora.count(model)
        yield {"rank": rank, "parameters": parameters, "percent": round(100 * parameters / total, 4)}
