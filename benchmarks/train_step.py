"""The official training step of voxcpm 2.0.3 and ours, side by side in one run: speed, memory, share of what is needed.

    python benchmarks/train_step.py --size tiny       # the tests' model, on a CPU
    python benchmarks/train_step.py --size 45m        # a middle one
    python benchmarks/train_step.py --size full       # the published sizes with random weights: a GPU of 60 GB

Both sides take turns, so that a noisy machine hits both; a ratio is of speeds in the same round. Before anything is
timed, both must have the same losses on the same clips, weights and draws.
"""

import argparse
import json
import math
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that the project need not be installed

import torch

from benchmarks import our_step, side_by_side, workload
from benchmarks.our_step import Agreement
from benchmarks.side_by_side import Asked, Contender, Sides, spread
from curate.errors import UserError

ENOUGH = 60e9  # bytes of GPU memory for both sides at full size
AGREE = {"cpu": 1e-4, "cuda": 1e-3}  # float32 losses, relative; in a large model FSQ rounds some codes the other way
EPOCHS = 2  # of a run: the default of train.epochs, VoxCPM's advice
COUNTED = (6.9e9, 16.0e9)  # FLOP of a text token and an audio patch at full size, rank 64, encoder cached


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where it cannot be done, with one line that says why."""
    given = _parser().parse_args(words)
    try:
        asked = _asked(given)
        torch.set_num_threads(asked.threads)
        if given.child:
            print(json.dumps(side_by_side.memory_of_child(asked, given.child)))
        else:
            _run(asked, memory=not given.no_memory, file=given.json)
    except UserError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=workload.SIZES, default="tiny")
    parser.add_argument("--rank", type=int, help="of the adapter; 64, and 8 for the tiny model")
    parser.add_argument("--clips", type=int, help="how many; 8 on a CPU, 256 on a GPU")
    parser.add_argument("--seconds", type=float, nargs=2, default=(2.0, 12.0), metavar=("FROM", "TO"))
    parser.add_argument("--batches", type=int, nargs="+", default=side_by_side.BATCHES, help="official ones to try")
    parser.add_argument("--repeats", type=int, help="rounds; 5 on a CPU, 3 on a GPU")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of a CPU")
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall", help="processor: on a busy CPU")
    parser.add_argument("--limit", type=float, help="seconds for one pass of one setting; 6 on a GPU, none on a CPU")
    parser.add_argument("--only", choices=("official", "ours"), help="one side, without ratios, for a smaller GPU")
    parser.add_argument("--no-memory", action="store_true", help="start no processes to measure memory on a CPU")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser


def _asked(given: argparse.Namespace) -> Asked:
    """With what depends on the machine filled in. Raises UserError for what it cannot do."""
    gpu = given.device == "cuda"
    if gpu and not torch.cuda.is_available():
        raise UserError("--device cuda, but no GPU is to be seen: use --device cpu")
    if gpu and given.clock != "wall":
        raise UserError("--clock processor says nothing of a GPU: leave it out")
    if given.size == "full" and not gpu:
        raise UserError("--size full needs a GPU with about 60 GB: here, use --size 45m")
    if given.size == "full" and not given.only and torch.cuda.get_device_properties(0).total_memory < ENOUGH:
        raise UserError("--size full needs about 60 GB of GPU memory for the official side: use --only ours")
    return Asked(
        size=given.size,
        rank=given.rank or (8 if given.size == "tiny" else 64),
        clips=given.clips or (256 if gpu else 8),
        seconds=(given.seconds[0], given.seconds[1]),
        repeats=given.repeats or (3 if gpu else 5),
        device=given.device,
        threads=given.threads,
        seed=given.seed,
        only=given.only,
        batches=tuple(given.batches),
        clock=given.clock,
        limit=given.limit or (6.0 if gpu else math.inf),
    )


def _run(asked: Asked, *, memory: bool, file: Path | None) -> None:
    sides = Sides(asked)
    facts = _facts(sides)
    for name, value in facts.items():
        print(f"{name}: {value}", flush=True)
    agreement = _agree(sides)
    if agreement:
        theirs, own = (" + ".join(f"{each:.7f}" for each in pair) for pair in (agreement.official, agreement.ours))
        print(f"same losses: official {theirs}, ours {own}, relative difference {agreement.difference:.1e}", flush=True)
    contenders, rates = side_by_side.measure(sides)
    if asked.device == "cpu" and memory:
        side_by_side.measure_children(asked, __file__, contenders)
    rate = statistics.median(rates)
    print(f"this machine: {rate / 1e12:.3g} TFLOP/s on large matrix products\n")
    rows = [_row(sides, each, contenders, rate) for each in contenders]
    _print(rows)
    run_ratio = _whole_run(contenders)
    if run_ratio:
        print(f"a run of {EPOCHS} epochs, encoding included: {_ratio(run_ratio)} times as fast as the official at best")
    if file:
        result = {"asked": asdict(asked), "facts": facts, "agreement": agreement and asdict(agreement)}
        file.write_text(
            json.dumps(result | {"rate": rate, "rows": rows, "whole_run": run_ratio}, indent=2) + "\n", encoding="utf-8"
        )


def _facts(sides: Sides) -> dict[str, str]:
    """What is measured, and where; the clips are encoded here."""
    asked = sides.asked
    gpu = asked.device == "cuda"
    facts = {
        "date": date.today().isoformat(),
        "machine": torch.cuda.get_device_name() if gpu else f"{_processor()}, {asked.threads} threads",
        "clock": asked.clock,
        "versions": f"Python {platform.python_version()}, torch {torch.__version__}",
        "model": f"{asked.size}, {sides.parameters:,} parameters (AudioVAE included)",
        "adapter": f"rank {asked.rank}, {sides.adapter:,} parameters",
        "clips": workload.amounts(sides.spoken),
    }
    if sides.ours:
        sides.ours.encode(sides.spoken)
        facts["patches"] = str(sides.ours.patches(sides.spoken))
    return facts


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _agree(sides: Sides) -> Agreement | None:
    """Both sides' losses on some clips. Raises UserError where they differ: nothing is worth timing then."""
    if not (sides.official and sides.ours):
        return None
    agreement = our_step.compare(sides.official, sides.ours, sides.spoken[:8], seed=sides.asked.seed)
    if not agreement.difference < AGREE[sides.device]:  # so that no number is no agreement
        raise UserError(f"the two sides do not do the same work: losses {agreement.official} and {agreement.ours}")
    return agreement


def _whole_run(contenders: Sequence[Contender]) -> tuple[float, float, float] | None:
    """How many times as fast a run is whose first epoch waits for the encoding: both sides at their best."""
    theirs, own, once = (
        max((each for each in contenders if each.side == side), key=lambda each: each.speed, default=None)
        for side in ("official", "ours", "once")
    )
    if not (theirs and own and once):
        return None
    rounds = zip(theirs.speeds, own.speeds, once.speeds, strict=True)
    return spread([EPOCHS / his / (EPOCHS / mine + 1 / encoding) for his, mine, encoding in rounds])


def _row(sides: Sides, each: Contender, contenders: Sequence[Contender], rate: float) -> dict[str, Any]:
    """What was measured of a contender; ratios and the share of the floor for ours alone."""
    theirs = [other for other in contenders if other.side == "official"]
    own = [other for other in contenders if other.side == "ours"]
    row: dict[str, Any] = {"side": each.side, "name": each.name, "speeds": each.speeds, "speed": each.speed}
    row |= {"peak": each.peak, "flop": each.flop}
    if each.side == "ours":
        needed = _needed(sides, own[0])
        row["floor"] = each.speed * needed / rate
        best = max(theirs, key=lambda other: other.speed, default=None)
        documented = next((other for other in theirs if other.documented), None)
        row["documented"] = each.against(documented) if documented else None
        row["best"] = each.against(best) if best else None
        row["best_is"] = best.name if best else None
        same = next((other for other in theirs if other.name == f"batch {len(sides.spoken)}"), None)
        row["all_in_one"] = each.against(same) if same else None
    return row


def _needed(sides: Sides, counted: Contender) -> float:
    """FLOP for a second of audio: as counted beforehand at full size, elsewhere as counted on our first setting."""
    if sides.asked.size != "full" or not sides.ours:
        assert counted.flop
        return counted.flop
    tokens = sum(len(each.text) for each in sides.spoken)
    return (COUNTED[0] * tokens + COUNTED[1] * sides.ours.patches(sides.spoken)) / sides.audio


def _print(rows: Sequence[dict[str, Any]]) -> None:
    titles = ("", "audio s/s (spread)", "x documented", "x its best", "of floor", "peak GB", "GFLOP/audio s")
    print("{:46}{:>24}{:>22}{:>22}{:>10}{:>9}{:>15}".format(*titles))
    for row in rows:
        speeds = f"{row['speed']:.2f} ({min(row['speeds']):.2f}-{max(row['speeds']):.2f})"
        ratios = [_ratio(row.get(name)) for name in ("documented", "best")]
        floor = f"{row['floor']:.1%}" if "floor" in row else ""
        peak = f"{row['peak'] / 1e9:.2f}" if row["peak"] else ""
        flop = f"{row['flop'] / 1e9:.2f}" if row["flop"] else ""
        print(f"{row['side']}, {row['name']:<{44 - len(row['side'])}}{speeds:>24}", end="")
        print(f"{ratios[0]:>22}{ratios[1]:>22}{floor:>10}{peak:>9}{flop:>15}")
    own = [row for row in rows if row.get("best")]
    if own:
        best = max(own, key=lambda row: row["speed"])
        print(f"\nours at its best ({best['name']}) is {_ratio(best['documented'])} times as fast as the official step")
        print(f"as documented, {_ratio(best['best'])} times as fast as at its best ({best['best_is']})")
        if best["all_in_one"]:
            print(
                f"and {_ratio(best['all_in_one'])} times as fast as the official step on all these clips in one batch"
            )


def _ratio(ratio: tuple[float, float, float] | None) -> str:
    return f"{ratio[0]:.2f} ({ratio[1]:.2f}-{ratio[2]:.2f})" if ratio else ""


if __name__ == "__main__":
    raise SystemExit(main())
