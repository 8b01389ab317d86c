"""Adapter sizes, counted on the real configuration without its weights."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from curate.errors import UserError
from train.adapter import lora
from train.config import MODULES, Adapter
from train.model import base, voxcpm


def table(
    ranks: Sequence[int],
    *,
    scope: str = "both",
    modules: Sequence[str] = MODULES[:4],
    projections: bool = False,
    model: str | None = None,
) -> dict[str, Any]:
    """{"total": parameters of the model, "ranks": [{"rank", "parameters", "percent"}]}.

    `model` is a folder or hub id whose configuration is counted; by default the published one. The total is the frozen
    model with its AudioVAE. Raises UserError for a scope or module that there is not.
    """
    adapters = [
        adapter({"rank": rank, "scope": scope, "modules": modules, "projections": projections}) for rank in ranks
    ]
    config = voxcpm.read_config(base.find(model)) if model else base.real_config()
    total = sum(parameter.numel() for parameter in voxcpm.on_meta(config).parameters())
    return {"total": total, "ranks": list(_rows(config, adapters, total))}


def parse(ranks: str) -> list[int]:
    """Ranks from "8,16,32"; UserError where they are no positive whole numbers."""
    try:
        numbers = [int(rank) for rank in ranks.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise UserError(f"--ranks takes positive whole numbers joined by commas, such as 8,16,32, not {ranks!r}")
    return numbers


def adapter(values: dict[str, Any]) -> Adapter:
    """An adapter from options of the command. Raises UserError for what there is not."""
    try:
        return Adapter.model_validate(values)
    except ValidationError as problem:
        error = problem.errors()[0]
        key = f"--{'ranks' if error['loc'][0] == 'rank' else error['loc'][0]}: " if error["loc"] else ""
        raise UserError(f"{key}{error['msg'].removeprefix('Value error, ').lower()}") from None


def _rows(config: dict[str, Any], adapters: Sequence[Adapter], total: int) -> Iterator[dict[str, Any]]:
    for each in adapters:
        model = voxcpm.on_meta(config, vae=voxcpm.NO_VAE)  # no adapter is on it
        lora.attach(model, each)
        parameters = lora.count(model)
        yield {"rank": each.rank, "parameters": parameters, "percent": round(100 * parameters / total, 4)}
