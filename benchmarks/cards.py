"""What cards of 6 to 80 GB are set to, and the hours that two epochs take there: counted, for `step_counts`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from benchmarks.counting import Counts, Machine
from train import config
from train.data.sampler import Example
from train.estimate import fit
from train.estimate.cost import CostModel

STEP = 4096  # positions: train's default for batch.tokens
USABLE = 0.93  # of a card's memory, beside the context and what a desktop takes; our choice
LEAST = 512  # positions at once: below, kernels are too small for a GPU; our choice
BUDGETS = (512, 1024, 1536, 2048, 3072, 4096, 8192)  # positions at once
COUNTED = 16  # clips of 8 s whose step is counted for cards that hold the base as it is


class Card(NamedTuple):
    """A card, and what its data sheet states; four fifths of the rates are taken."""

    gigabytes: int
    name: str
    flops: float  # dense bfloat16, a second
    moved: float  # bytes a second
    quantization: config.Quantization = "none"  # of the base there


CARDS = (
    Card(6, "RTX 3050", 13.5e12, 168e9, "nf4"),
    Card(8, "RTX 4060", 30e12, 272e9, "nf4"),
    Card(8, "RTX 4060", 30e12, 272e9),
    Card(12, "RTX 3060", 25e12, 360e9),
    Card(16, "RTX 4060 Ti", 44e12, 288e9),
    Card(24, "RTX 4090", 165e12, 1008e9),
    Card(80, "A100", 312e12, 2039e9),
)
Step = Callable[[config.Quantization, int], tuple[Counts, Counts]]  # so many clips at once: compiled, eager


def clips(text: int, patches: int, count: int) -> list[Example]:
    """So many clips alike."""
    return [Example(f"a{number}", "km", (5,) * text, patches) for number in range(count)]


class Line:
    """Bytes of activations by positions and patches: a plane through three counts."""

    def __init__(self, cost: CostModel, *, checkpointing: bool) -> None:
        self._fixed = cost.fixed
        groups = [clips(100, 50, 8), clips(100, 50, 16), clips(25, 50, 16)]
        rows = [[1.0, sum(each.length for each in group), sum(each.patches for each in group)] for group in groups]
        peaks = [cost.of(group, checkpointing=checkpointing).peak for group in groups]
        found = torch.linalg.solve(torch.tensor(rows, dtype=torch.float64), torch.tensor(peaks, dtype=torch.float64))
        self._plane = found.tolist()

    def total(self, piece: Sequence[Example]) -> float:
        """Bytes that a piece takes, base and optimizer included."""
        base_bytes, position, patch = self._plane
        lengths, patches = sum(each.length for each in piece), sum(each.patches for each in piece)
        return self._fixed + base_bytes + position * lengths + patch * patches


Lines = dict[bool, Line]  # by checkpointing


def rows(
    costs: dict[config.Quantization, CostModel], examples: Sequence[Example], step: Step
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Memory by budget, and for each of CARDS the settings that are fastest by count, with their hours.

    `costs` are the cost models of the base as it is and in 4 bits; cards that need another are left out.
    """
    run = config.Run(corpus=Path(), into=Path(), model="", train=config.Train(epochs=1))
    heaviest = {tokens: fit.heaviest(_at(run, tokens), examples, tokens) for tokens in BUDGETS}
    lines = {name: {each: Line(cost, checkpointing=each) for each in (False, True)} for name, cost in costs.items()}
    by_budget = [
        {
            "base": name,
            "positions": tokens,
            "GB": own[False].total(piece) / 1e9,
            "GB, checkpointing": own[True].total(piece) / 1e9,
        }
        for name, own in lines.items()
        for tokens, piece in heaviest.items()
    ]
    positions = 2 * sum(each.length for each in examples)  # two epochs
    cards = [_card(card, lines[card.quantization], heaviest, positions, step) for card in CARDS if card[4] in lines]
    return by_budget, [each for each in cards if each]


def _card(
    card: Card, lines: Lines, heaviest: dict[int, list[Example]], positions: int, step: Step
) -> dict[str, Any] | None:
    room = USABLE * card.gigabytes * 1e9 * (1 - fit.GAPS) - fit.SPARE
    tokens, checkpointing = _fitting(lines, heaviest, room)
    if not tokens:
        return None
    length = clips(100, 50, 1)[0].length
    # A matrix in 4 bits is made anew for each piece, so there a piece is counted of the size that it has.
    count = COUNTED if card.quantization == "none" else max(1, tokens // length)
    machine, times = Machine(0.8 * card.flops, 0.8 * card.moved), 1 + checkpointing / 2  # forward is a third to a half
    pieces = positions / (count * length)
    hours = [
        pieces * times * (each.flops / machine.flops + each.bytes / machine.bytes) / 3600
        for each in step(card.quantization, count)
    ]
    return {
        "GB": card.gigabytes,
        "card": card.name,
        "base": card.quantization,
        "micro_batch_tokens": tokens,
        "checkpointing": checkpointing,
        "GB counted": lines[checkpointing].total(heaviest[tokens]) / 1e9,
        "hours, compiled": hours[0],
        "hours, eager": hours[1],
    }


def _fitting(lines: Lines, heaviest: dict[int, list[Example]], room: float) -> tuple[int, bool]:
    """The largest budget that fits, a step at most, without checkpointing if one of at least LEAST does; 0 for none."""
    for checkpointing in (False, True):
        fitting = [tokens for tokens, piece in heaviest.items() if lines[checkpointing].total(piece) <= room]
        if fitting and max(fitting) >= LEAST:
            return min(STEP, max(fitting)), checkpointing
    return 0, True


def _at(run: config.Run, tokens: int) -> config.Run:
    """The run with steps at least as large as its pieces."""
    return run.model_copy(update={"batch": config.BatchSettings(tokens=max(STEP, tokens))})
