"""Both sides' steps by turns on the same clips, and what is measured of each: speed, memory, FLOP."""

import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import torch

from benchmarks import official_step, workload
from benchmarks.official_step import DOCUMENTED, Official
from benchmarks.our_step import Ours, Setting
from curate.errors import UserError
from train.model import voxcpm

BATCHES = (1, 2, 4, 8, 16, 32)  # of the official side, of which the best is searched
BUDGETS = (2048, 4096, 8192, 16384, 32768)  # of ours, in positions
TERAFLOPS = {"H200": 790.0}  # bfloat16, measured by products of 8192 x 8192; elsewhere it is measured here


@dataclass(frozen=True)
class Asked:
    """What is to be measured."""

    size: str
    rank: int
    clips: int
    seconds: tuple[float, float]  # of the shortest and the longest clip
    repeats: int
    device: str
    threads: int
    seed: int
    only: str | None = None  # one side
    clock: str = "wall"  # or processor: time that this process computed, on a CPU that others use, too
    batches: tuple[int, ...] = BATCHES  # of the official side, beside the documented one
    limit: float = math.inf  # seconds for one pass of one contender; what it did not come to is left out of its speed


@dataclass
class Contender:
    """One way of taking steps, and what was measured of it."""

    name: str
    side: str  # official, ours, or once: what ours does before the first epoch
    run: Callable[[int, int | None], tuple[float, float]] = field(repr=False)  # round, steps -> clock, audio seconds
    documented: bool = False  # the official side's own settings
    counted: bool = False  # whether its FLOP are counted
    speeds: list[float] = field(default_factory=list)  # audio seconds per second, of each round
    peak: int | None = None  # bytes
    flop: float | None = None  # per audio second

    @property
    def speed(self) -> float:
        """The median round's."""
        return statistics.median(self.speeds)

    def against(self, other: "Contender") -> tuple[float, float, float]:
        """How many times as fast as the other in the same round: median, smallest, largest."""
        return spread([mine / theirs for mine, theirs in zip(self.speeds, other.speeds, strict=True)])


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, smallest, largest."""
    return statistics.median(values), min(values), max(values)


class Sides:
    """Both sides, or one, on the same clips; what of a GPU's memory each holds between its steps."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.device, only = asked, asked.device, asked.only
        config = workload.configuration(asked.size)
        vocabulary = config["lm_config"]["vocab_size"]
        self.spoken = workload.clips(asked.clips, seconds=asked.seconds, vocabulary=vocabulary, seed=asked.seed)
        at_first = "cpu" if only == "ours" else self.device  # in float32, a small GPU has no room for it
        model = official_step.build(config, rank=asked.rank, device=at_first, seed=asked.seed)
        self.adapter = sum(each.numel() for each in model.parameters() if each.requires_grad)
        self.parameters = sum(each.numel() for each in model.parameters()) - self.adapter
        self.official = None if only == "ours" else Official(model, device=self.device)
        self.audio = sum(each.seconds for each in self.spoken)
        self.held = {"official": _allocated(self.device) if self.official else 0}
        self.ours = None if only == "official" else Ours(model, rank=asked.rank, device=self.device, keep=not only)
        self.held["ours"] = _allocated(self.device) - self.held["official"]

    def contenders(self) -> list[Contender]:
        """All that is to be measured, the sides by turns."""
        theirs: list[Contender] = []
        own: list[Contender] = []
        if self.official:
            smaller = [each for each in self.asked.batches if each <= len(self.spoken)]
            for batch, together in [DOCUMENTED, *((each, 1) for each in smaller)]:
                documented = (batch, together) == DOCUMENTED
                name = f"batch {batch} x {together}, as documented" if documented else f"batch {batch}"
                theirs.append(Contender(name, "official", self._official(batch, together), documented, documented))
        if self.ours:
            for name, setting in _settings(self.ours, self.device).items():
                own.append(Contender(name, "ours", self._ours(setting), counted=not own))
        contenders = [each for pair in zip_longest(theirs, own) for each in pair if each]
        return contenders + ([Contender("encoding", "once", self._encoding)] if self.ours else [])

    def now(self) -> float:
        """The clock, when all work is done."""
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.process_time() if self.asked.clock == "processor" else time.perf_counter()

    def over(self, started: float) -> bool:
        """Whether a pass that began then has had its time."""
        return time.perf_counter() - started > self.asked.limit

    def _order(self, turn: int) -> int:
        """The order of clips of a round: on a GPU always the same, so that every shape was seen when it is timed."""
        return 0 if self.device == "cuda" else turn

    def _encoding(self, turn: int, most: int | None) -> tuple[float, float]:
        assert self.ours
        chosen = self.spoken[:1] if most else self.spoken
        started = self.now()
        self.ours.encode(chosen)
        return self.now() - started, sum(each.seconds for each in chosen)

    def _official(self, batch: int, together: int) -> Callable[[int, int | None], tuple[float, float]]:
        official = self.official
        assert official

        def run(turn: int, most: int | None) -> tuple[float, float]:
            generator = torch.Generator().manual_seed(self._order(turn))
            order = torch.randperm(len(self.spoken), generator=generator).tolist()
            steps = official_step.passes(len(self.spoken), order, batch, together)[:most]
            chosen = [[[self.spoken[clip] for clip in each] for each in step] for step in steps]
            loaded = [[official.collate(each) for each in step] for step in chosen]  # the work of other processes
            if self.device == "cuda":
                torch.backends.cuda.enable_cudnn_sdp(True)  # torch's own default
            seconds, began, started = 0.0, time.perf_counter(), self.now()
            try:
                for step, own in zip(loaded, chosen, strict=True):
                    official.step(step)
                    seconds += sum(clip.seconds for each in own for clip in each)
                    if self.over(began):
                        break
                return self.now() - started, seconds
            finally:
                official.optimizer.zero_grad(set_to_none=True)  # leave no memory behind

        return run

    def _ours(self, setting: Setting) -> Callable[[int, int | None], tuple[float, float]]:
        ours = self.ours
        assert ours

        def run(turn: int, most: int | None) -> tuple[float, float]:
            voxcpm.choose_attention(self.device)
            began, started = time.perf_counter(), self.now()
            seconds = ours.train(setting, epoch=self._order(turn), most=most, stop=lambda: self.over(began))
            return self.now() - started, seconds  # reading of the first batch included

        return run


def _settings(ours: Ours, device: str) -> dict[str, Setting]:
    total = sum(each.length for each in ours.examples())
    if device == "cpu":
        return {  # the first is the one whose FLOP are counted
            f"all at once ({total} tokens)": Setting(total),
            "half at once": Setting(total, micro_batch_tokens=max(1, total // 2)),
            "a clip at once": Setting(total, micro_batch_tokens=1),
        }
    plain = {f"{tokens} tokens": Setting(tokens) for tokens in BUDGETS if tokens <= 2 * total}
    return plain | {
        "4096 tokens, compiled": Setting(4096, compiled=True),
        "16384 tokens, compiled": Setting(16384, compiled=True),
        "16384 tokens, 4096 at once": Setting(16384, micro_batch_tokens=4096),
        "16384 tokens, checkpointing": Setting(16384, checkpointing=True),
        "4096 tokens, 1024 at once, checkpointing": Setting(4096, micro_batch_tokens=1024, checkpointing=True),
    }


def measure(sides: Sides) -> tuple[list[Contender], list[float]]:
    """A round to warm up, then the rounds that count: what fits in memory, and the machine's rate in each round."""
    contenders, rates = sides.contenders(), []
    for turn in range(-1, sides.asked.repeats):
        rates += [_rate(sides)] * (turn >= 0)
        for each in list(contenders):
            try:
                _once(sides, each, turn)
            except (torch.cuda.OutOfMemoryError, UserError) as problem:
                if isinstance(problem, UserError) and "out of GPU memory" not in str(problem):
                    raise
                print(f"{each.side}, {each.name}: out of memory", flush=True)
                contenders.remove(each)
                torch.cuda.empty_cache()
    return contenders, rates


def _once(sides: Sides, each: Contender, turn: int) -> None:
    if turn < 0:
        _warm_up(sides, each)
        return
    if sides.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    taken, seconds = each.run(turn, None)
    each.speeds.append(seconds / taken)
    print(f"round {turn + 1}: {each.side}, {each.name}: {seconds / taken:.2f} audio s/s", file=sys.stderr, flush=True)
    if sides.device == "cuda":
        others = sides.held["ours" if each.side == "official" else "official"]
        each.peak = max(each.peak or 0, torch.cuda.max_memory_allocated() - others)


def _warm_up(sides: Sides, each: Contender) -> None:
    """Take one step, on a GPU then a whole pass; where FLOP are counted, count them.

    On a GPU the first time at a shape takes longer: plans, compiled graphs, memory. What stays allocated is the side's
    own.
    """
    from torch.utils.flop_counter import FlopCounterMode

    before = _allocated(sides.device)
    counter = FlopCounterMode(display=False)
    with counter if each.counted else nullcontext():
        _, seconds = each.run(0, 1)
    each.flop = counter.get_total_flops() / seconds if each.counted else None
    if sides.device == "cuda":
        each.run(0, None)
        print(f"warm: {each.side}, {each.name}", file=sys.stderr, flush=True)
    sides.held["official" if each.side == "official" else "ours"] += _allocated(sides.device) - before


def _allocated(device: str) -> int:
    return int(torch.cuda.memory_allocated()) if device == "cuda" else 0


def _rate(sides: Sides) -> float:
    """FLOP per second of this machine on large matrix products, right now."""
    device = sides.device
    if device == "cuda":
        known = [rate for name, rate in TERAFLOPS.items() if name in torch.cuda.get_device_name()]
        if known:
            return known[0] * 1e12
    width, kind = (8192, torch.bfloat16) if device == "cuda" else (1024, torch.float32)
    one, other = (torch.randn(width, width, device=device, dtype=kind) for _ in range(2))
    best = float("inf")
    for _ in range(5):
        started = sides.now()
        one @ other
        best = min(best, sides.now() - started)
    return 2 * width**3 / best


def memory_of_child(asked: Asked, name: str) -> dict[str, int]:
    """Peak memory of this process, before it has a model and after a contender's pass over the clips."""
    from voxcpm.model import voxcpm2

    assert voxcpm2
    before = _resident()
    sides = Sides(asked)
    if sides.ours:
        sides.ours.imagine(sides.spoken)
    contender = next(each for each in sides.contenders() if each.name == name)
    contender.run(0, None)
    return {"imports": before, "peak": _resident()}


def _resident() -> int:
    """Peak memory of this process; its parent's may hide in getrusage, not in /proc."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure_children(asked: Asked, script: str, contenders: Sequence[Contender]) -> None:
    """Peak memory of each on a CPU, above what imports take: a process each, since memory is not given back."""
    for each in [each for each in contenders if each.side != "once"]:
        words: list[object] = ["--child", each.name, "--only", each.side, "--size", asked.size, "--rank", asked.rank]
        words += ["--clips", asked.clips, "--seconds", *asked.seconds, "--seed", asked.seed]
        words += ["--device", "cpu", "--threads", asked.threads, "--batches", *asked.batches]
        command = [sys.executable, script, *(str(word) for word in words)]
        ended = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        memory = json.loads(ended.stdout.splitlines()[-1])
        each.peak = memory["peak"] - memory["imports"]
