"""The training step at full size, counted without a GPU and without weights: what it computes, launches, moves, keeps.

    python benchmarks/step_counts.py                # all of it: a quarter of an hour on two cores
    python benchmarks/step_counts.py --part step    # FLOPs, kernels, bytes, waits of one step
    python benchmarks/step_counts.py --part epoch   # shapes and graphs over an epoch
    python benchmarks/step_counts.py --part memory  # by budget, and what cards of 6 to 80 GB are set to

Nothing here is a timing. Seconds are the least that kernels take one after another at the rates of large products and
of the memory (`counting.Machine`); a real step takes more.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that the project need not be installed

import torch
from torch.utils._python_dispatch import _disable_current_modes

from benchmarks import cards
from benchmarks.cards import STEP, clips
from benchmarks.counting import H200, Counter, Counts, Graphs
from train import config
from train.checkpoint import State
from train.data import sampler
from train.data.dataset import Data
from train.data.sampler import Example
from train.distributed import ALONE
from train.estimate import fit
from train.estimate.cost import CostModel
from train.model import base, inputs, layers
from train.trainer import Trainer

HOURS, SECONDS = 26, (2.0, 16.0)  # of the corpus, and of its shortest and longest clips
TOKENS = {"km": 12.5, "ko": 5.0}  # text tokens for a second of audio: Khmer is not measured on the real tokenizer
PATCHES = 6.25  # a second


def corpus(hours: float = HOURS) -> list[Example]:
    """Examples of that many hours, half of it Khmer, lengths spread evenly over SECONDS."""
    drawn, made, total = random.Random(0), list[Example](), 0.0
    while total < hours * 3600:
        seconds, language = drawn.uniform(*SECONDS), ("km", "ko")[len(made) % 2]
        text = (5,) * round(seconds * TOKENS[language])
        made.append(Example(f"{language}{len(made)}", language, text, round(seconds * PATCHES)))
        total += seconds
    return made


class _Nothing:
    """Latents of zeros."""

    def __init__(self, sizes: tuple[int, int, int]) -> None:
        self._sizes = sizes

    def read(self, example: Example) -> inputs.EncodedClip:
        patch, latent, width = self._sizes
        return inputs.EncodedClip(
            torch.zeros(example.patches, patch, latent), torch.zeros(example.patches, width, dtype=torch.bfloat16)
        )


class Bench:
    """The published model without weights, and a trainer on it; `quantization` of the base, as in the run file."""

    def __init__(
        self, rank: int = 64, settings: dict[str, Any] | None = None, quantization: config.Quantization = "none"
    ) -> None:
        self.settings = settings or base.real_config()
        self.cost = CostModel(self.settings, config.Adapter(rank=rank), torch.bfloat16, quantization=quantization)
        self.rank = rank

    def trainer(self, examples: Sequence[Example], options: layers.ComputeOptions) -> Trainer:
        """One that takes steps on these examples."""
        run = config.Run(corpus=Path(), into=Path(), model="", adapter=config.Adapter(rank=self.rank))
        run = fit.with_budget(run, 10**9)
        sizes = (self.settings["patch_size"], self.settings["feat_dim"], self.settings["encoder_config"]["hidden_dim"])
        known: dict[str, Any] = {each.id: each for each in examples}
        data = Data(list(examples), [], {}, known, cast(Any, _Nothing(sizes)))
        model = self.cost._model
        model.device = "meta"
        made = Trainer(run, model, replace_seconds(data), self.cost._vector, ALONE)
        made.options = options
        return made


def replace_seconds(data: Data) -> Data:
    """Examples say no seconds: by their patches."""
    clips = {name: SimpleNamespace(**vars(each), seconds=each.patches / PATCHES) for name, each in data.clips.items()}
    return replace(data, clips=cast(Any, clips))


@contextmanager
def no_gpu() -> Iterator[None]:
    """Let the fused optimizer be made for the meta device; it is counted as one kernel and not run."""
    with ExitStack() as patched:
        for module in ("adamw", "adam", "optimizer"):
            name = f"torch.optim.{module}._get_fused_kernels_supported_devices"
            patched.enter_context(mock.patch(name, return_value=["meta"], create=True))
        yield


def count_step(bench: Bench, examples: Sequence[Example], *, compiled: bool = False) -> tuple[Counts, int]:
    """What launching one step takes, and the graphs that it needed."""
    counter = Counter()
    graphs = Graphs(counter)
    with no_gpu(), compiling_by(graphs):
        trainer = bench.trainer(examples, layers.ComputeOptions(compiled=compiled))
        if compiled:
            trainer.rehearse(examples)  # compiles
        pieces = trainer.microbatches(State(1, 0, 1), examples)
        counter.counts = Counts()
        with counter:
            trainer.launch(State(1000, 0, 1), examples, pieces, 10**6)
    return counter.counts, graphs.forward


@contextmanager
def compiling_by(graphs: Graphs) -> Iterator[None]:
    """Count graphs instead of compiling them."""
    torch._dynamo.reset()
    with mock.patch.object(layers, "BACKEND", graphs.backend()):
        parts = tuple(map(_unwatched, layers._compiled.__wrapped__()))
        with mock.patch.object(layers, "_compiled", return_value=parts):
            yield


def _unwatched(compiled: Callable[..., Any]) -> Callable[..., Any]:
    """Called with no mode on, under which torch would not use what it has compiled; graphs count themselves."""

    def call(*args: Any) -> Any:
        with _disable_current_modes():
            return compiled(*args)

    return call


def step_row(counts: Counts, graphs: int) -> dict[str, float]:
    """What was counted of a step, in the units of a page."""
    return {
        "TFLOP": counts.flops / 1e12,
        "useful share of computed FLOP": counts.flops / counts.computed,
        "kernels": counts.kernels,
        "GB moved": counts.bytes / 1e9,
        "ms at least": 1000 * counts.seconds,
        "floor, ms": 1000 * counts.flops / H200.flops,
        "share of the floor": counts.flops / H200.flops / counts.seconds,
        "waits for the GPU": len(counts.waits),
        "copies to it": counts.copies,
        "graphs": graphs,
    }


def epoch_rows(bench: Bench, *, pieces: int = 4) -> dict[str, float]:
    """Shapes of an epoch, and graphs over some of its pieces, the oddest among them."""
    examples = corpus()
    plan = sampler.plan(examples, tokens=STEP, seed=0, epoch=0)
    batches = [[examples[position] for position in batch] for batch in plan]
    language = {(len(batch), max(each.length for each in batch)) for batch in batches}
    dit = {sum(each.patches for each in batch) for batch in batches}
    counter = Counter()
    graphs = Graphs(counter)
    odd = [clips(7, 1, 1), clips(30, 9, 1), clips(20, 8, 3)]
    with no_gpu(), compiling_by(graphs):
        for batch in [*odd, *(batch[:6] for batch in batches[:pieces])]:
            trainer = bench.trainer(batch, layers.ComputeOptions(compiled=True))
            trainer.rehearse(batch)
    return {
        "steps": len(batches),
        "shapes of attention, language models": len(language),
        "shapes of attention, DiT": len(dit),
        "graphs": max(graphs.forward, graphs.backward),
    }


def memory_rows(bench: Bench, counted: tuple[Counts, Counts]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Memory by budget, and what cards are set to; `counted` is a step of cards.COUNTED clips, compiled and eager."""
    small = Bench(bench.rank, bench.settings, "nf4")

    def step(quantization: config.Quantization, count: int) -> tuple[Counts, Counts]:
        if quantization == "none":
            return counted
        compiled, eager = (count_step(small, clips(100, 50, count), compiled=each)[0] for each in (True, False))
        return compiled, eager

    return cards.rows({"nf4": small.cost, "none": bench.cost}, corpus(), step)


def main(words: Sequence[str] | None = None) -> int:
    """Count and print as it goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("step", "epoch", "memory"), action="append", help="again for several")
    parser.add_argument("--rank", type=int, default=64)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything counted")
    given = parser.parse_args(words)
    parts = given.part or ["step", "epoch", "memory"]
    bench, found = Bench(given.rank), dict[str, Any]()
    counted = dict[str, Counts]()
    for name in ("eager", "compiled") if {"step", "memory"} & set(parts) else ():
        counted[name], graphs = count_step(bench, clips(100, 50, 16), compiled=name == "compiled")
        found[name] = step_row(counted[name], graphs)
        _show(f"a step of 16 clips of 8 s, 100 text tokens each, {name}", [found[name]])
    if "epoch" in parts:
        found["epoch"] = epoch_rows(bench)
        _show(f"an epoch of {HOURS} h in steps of {STEP} positions", [found["epoch"]])
    if "memory" in parts:
        found["budgets"], found["cards"] = memory_rows(bench, (counted["compiled"], counted["eager"]))
        _show("memory by positions at once, of the heaviest piece", found["budgets"])
        _show(f"cards, and {HOURS} h x 2 epochs", found["cards"])
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def _show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    print(f"\n{title}")
    for row in rows:
        print("  " + "; ".join(f"{name} {_said(value)}" for name, value in row.items()), flush=True)


def _said(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    raise SystemExit(main())
