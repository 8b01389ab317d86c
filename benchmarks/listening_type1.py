"""How often each test of a listening test says "different" where nothing is, and how often where something is.

Simulated listeners (train/listen/simulate.py) rate two conditions of the same true MOS on 1..5; every listener,
sentence, listener x condition and sentence x condition has an effect. The share of p < .05 must be .04 to .06.
Prints Markdown.

    python benchmarks/listening_type1.py --only full --only squares
    python benchmarks/listening_type1.py --only gaps --seed 1
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from train.listen import bootstrap, crossed, latin, simulate, wilcoxon
from train.listen.comparisons import Table, difference_model
from train.listen.simulate import Deviations

Floats = NDArray[np.float64]
USUAL = Deviations()
SPREADS = {
    "usual": (USUAL, USUAL),
    "no interaction": (replace(USUAL, listener_condition=0.0, sentence_condition=0.0),) * 2,
    "listeners differ": (replace(USUAL, listener_condition=0.4, sentence_condition=0.0),) * 2,
    "sentences differ": (replace(USUAL, listener_condition=0.0, sentence_condition=0.4),) * 2,
    "both differ much": (replace(USUAL, listener_condition=0.5, sentence_condition=0.5),) * 2,
    "heteroscedastic": (
        replace(USUAL, residual=0.4, sentence_condition=0.1),
        replace(USUAL, residual=1.1, sentence_condition=0.5),
    ),
}  # fmt: skip
MOS, TOP = 3.85, 4.6
GAIN = 0.38  # the published one


@dataclass(frozen=True)
class Design:
    """Listeners x sentences; `square` conditions of a Latin square, `missing` ratings in ten of a full one."""

    listeners: int
    sentences: int
    square: int = 0
    missing: int = 0

    def __str__(self) -> str:
        kind = f"Latin, {self.square} conditions" if self.square else "full"
        return f"{kind}, {self.listeners} x {self.sentences}" + (
            f", {10 * self.missing} % missing" if self.missing else ""
        )


FULL = (Design(24, 48), Design(24, 12), Design(12, 8))
SQUARES = (Design(24, 48, square=6), Design(24, 24, square=4), Design(12, 24, square=3))
GAPS = (Design(24, 12, missing=2),)


Test = Callable[[Floats, Design], NDArray[np.bool_]]  # ratings of many tests: which of them find a difference


def chunks(design: Design, tests: int, mos: tuple[float, float], name: str, seed: int) -> Iterator[Floats]:
    """Ratings of many tests, some at a time: tests x listeners x sentences x 2."""
    rng = np.random.default_rng([seed, design.listeners, design.sentences, design.square, list(SPREADS).index(name)])
    for start in range(0, tests, 250):
        shape = (min(250, tests - start), design.listeners, design.sentences)
        yield simulate.matrices(rng, shape, mos, SPREADS[name])


def table(ratings: Floats, design: Design, rng: np.random.Generator) -> Table:
    """One test's ratings as the analysis gets them."""
    i, j, side = (each.ravel() for each in np.indices((design.listeners, design.sentences, 2)))
    here = (i + j) % design.square == side if design.square else rng.random(len(i)) >= design.missing / 10
    kept = np.asarray(here)
    return Table(ratings[i[kept], j[kept], side[kept]], side[kept], i[kept], j[kept])


def rejected(value: Floats, variance: Floats, df: Floats) -> NDArray[np.bool_]:
    """Whether a t test says so."""
    return np.asarray(2 * stats.t.sf(np.abs(value) / np.sqrt(variance), df) < 0.05)


def closed_form(chunk: Floats, design: Design) -> NDArray[np.bool_]:
    """The headline test, of full designs."""
    return rejected(*crossed.estimates(chunk[..., 1] - chunk[..., 0]))


def by(axis: int) -> Test:
    """The exact signed-rank test over listeners (axis 2 summed) or sentences (1)."""

    def test(chunk: Floats, design: Design) -> NDArray[np.bool_]:
        sums = (chunk[..., 1] - chunk[..., 0]).sum(axis=axis).astype(int)
        return np.array([wilcoxon.signed_rank([Fraction(int(each)) for each in row]).p_exact < 0.05 for row in sums])

    return test


def square(chunk: Floats, design: Design) -> NDArray[np.bool_]:
    """The headline test, of Latin squares: REML, many at once."""
    return rejected(*latin.estimates(chunk, design.square))


def reml(chunk: Floats, design: Design) -> NDArray[np.bool_]:
    """The headline test, of all other designs: REML, one by one."""
    rng = np.random.default_rng(0)
    fits = [difference_model(table(each, design, rng)).fit(np.array([0.0, 1.0])) for each in chunk]
    return np.array([fit.p() < 0.05 for fit in fits])


def two_way(chunk: Floats, design: Design) -> NDArray[np.bool_]:
    """The two-way bootstrap."""
    rng = np.random.default_rng(0)
    tables = [table(each, design, rng) for each in chunk]
    found = [bootstrap.difference(each.y, each.side, each.listener, each.sentence) for each in tables]
    return np.array([ci is not None and (ci[0] > 0 or ci[1] < 0) for ci in found])


def line(design: Design, name: str, test: str, said: NDArray[np.bool_]) -> str:
    """One row of the table."""
    share = said.mean()
    return (
        f"| {design} | {name} | {test} | {share:.3f} | {np.sqrt(share * (1 - share) / len(said)):.4f} | {len(said)} |"
    )


def full(tests: int, seed: int) -> Iterator[str]:
    """The rows of full designs."""
    for design in FULL:
        for name in SPREADS:
            yield row(design, name, "closed form", closed_form, tests, (MOS, MOS), seed)
        yield row(design, "usual, near the top", "closed form", closed_form, tests, (TOP, TOP), seed)
        yield row(design, "usual", "by listener", by(2), tests // 5, (MOS, MOS), seed)
        yield row(design, "usual", "by sentence", by(1), tests // 5, (MOS, MOS), seed)
        yield row(design, f"usual, gain of {GAIN}", "closed form", closed_form, tests, (MOS, MOS + GAIN), seed)


def incomplete(designs: Sequence[Design], test: Test, tests: int, draws: int, seed: int) -> Iterator[str]:
    """The rows of Latin squares, or of full designs with missing ratings."""
    for design in designs:
        for name in SPREADS:
            yield row(design, name, "REML", test, tests, (MOS, MOS), seed)
        yield row(design, "usual, near the top", "REML", test, tests, (TOP, TOP), seed)
        yield row(design, f"usual, gain of {GAIN}", "REML", test, tests, (MOS, MOS + GAIN), seed)
        yield row(design, "usual", "two-way bootstrap", two_way, draws, (MOS, MOS), seed)


def row(design: Design, name: str, test: str, judge: Test, tests: int, mos: tuple[float, float], seed: int) -> str:
    """Run one test on many simulated ones."""
    spread = name.partition(",")[0]
    said = [judge(chunk, design) for chunk in chunks(design, tests, mos, spread, seed)]
    return line(design, name, test, np.concatenate(said))


def main() -> None:
    """Print the table as it is made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=10_000, help="simulated tests a figure")
    parser.add_argument("--fits", type=int, default=1500, help="the same, where a model is fitted test by test")
    parser.add_argument("--draws", type=int, default=300, help="the same, of the bootstrap")
    parser.add_argument("--only", action="append", choices=["full", "squares", "gaps"], help="a part of the table")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    begun = time.monotonic()
    print("| design | effects | test | share of p < .05 | its error | tests |\n|---|---|---|---|---|---|")
    parts = {
        "full": full(asked.tests, asked.seed),
        "squares": incomplete(SQUARES, square, asked.tests, asked.draws, asked.seed),
        "gaps": incomplete(GAPS, reml, asked.fits, asked.draws, asked.seed),
    }
    for each in chain.from_iterable(rows for name, rows in parts.items() if not asked.only or name in asked.only):
        print(each, flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
