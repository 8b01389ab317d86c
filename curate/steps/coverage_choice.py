"""Which clips to keep within hours and caps: a concave value of what they cover, by a greedy choice with a proof.

The value of a set S of clips is feature-based (Kirchhoff & Bilmes, "Submodularity for data selection in statistical
machine translation", EMNLP 2014): monotone, and of diminishing returns.

    F(S) = sum over units u:   weight(u) log(1 + clips of S with u)          phonetic coverage
         + sum over persons p: weight    (1 - exp(-seconds of p in S / level))   spread over persons
         + sum over clips i:   weight    seconds(i) quality(i)               measured quality

Chosen is by gain per second, the best first (Sviridenko 2004, Leskovec et al. 2007), in rounds: the gains of all clips
are computed at once, and those within 10 % of the best are taken in order as long as their gain, computed anew, is
still that large (Badanidiyuru & Vondrak, "Fast algorithms for maximizing submodular functions", SODA 2014). What no
longer fits is passed over, until nothing fits.

How near the best is known for each choice. F with fractions of clips is concave, so it lies under its tangent at S
everywhere: no choice within the hours is worth more than F(S) plus what the tangent gains by the fractions of clips
that are best under it (the duality gap of Frank & Wolfe, see Jaggi, "Revisiting Frank-Wolfe", ICML 2013). Caps can only
lower what is possible.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEAR = 0.1  # of the best gain per second: what is taken in one round
FEW = 2000  # clips: from so few the very best is taken each time
PATIENCE = 48  # clips in a row whose gain has fallen too far: the round ends
EXACT = 1e-7  # seconds: rounding of sums
SOME = 1e-9  # of value: less is rounding
SWAPS = 20  # exchanges that are tried at the end
ENOUGH = 0.995  # of the budget: with so much of it used nothing is exchanged


@dataclass(frozen=True)
class Cap:
    """At most `limit` of `amounts` for each label; a label of -1 is under no cap."""

    labels: Numbers  # (n,)
    amounts: Floats  # (n,)
    limit: float


@dataclass(frozen=True)
class Pool:
    """n clips to choose from, in the order in which equals are taken; m units, p persons.

    `starts` (n + 1,) and `units` (their sum,): clip i has units[starts[i]:starts[i + 1]].
    """

    seconds: Floats  # (n,)
    starts: Numbers
    units: Numbers
    weights: Floats  # (m,)
    person: Numbers  # (n,), -1 for nobody
    person_weight: float
    person_level: float  # seconds of a person from which more of them hardly count
    value: Floats  # (n,) of the clip itself
    caps: Sequence[Cap] = ()


@dataclass(frozen=True)
class Choice:
    """What was taken, what it is worth, and what no choice within the budget can exceed."""

    taken: Flags  # (n,)
    value: float
    bound: float
    full: tuple[Flags, ...]  # for each cap: clips that it has no room for
    over: Flags  # (n,) clips that the budget has no room for


def choose(
    pool: Pool,
    budget: float,
    *,
    allowed: Flags | None = None,
    forced: Flags | None = None,
    preferred: Flags | None = None,
    release: float = 0.0,
) -> Choice:
    """A set of clips of at most `budget` seconds, all of them `allowed`.

    `forced` clips are taken first, also over a cap. `preferred` ones come before the others, until they have all but a
    share `release` of the budget; for the rest of it all clips are equal.
    """
    state, none = _State(pool), np.zeros(len(pool.seconds), dtype=np.bool_)
    allowed = ~none if allowed is None else allowed
    forced = none if forced is None else forced & allowed
    for clip in np.flatnonzero(forced).tolist():
        if pool.seconds[clip] <= budget - state.used + EXACT:
            state.take(clip)
    if preferred is not None and (preferred & allowed).any():
        state.fill((1 - release) * budget, preferred & allowed)
    state.fill(budget, allowed)
    state.swap(budget, allowed, forced)
    state.fill(budget, allowed)
    full = tuple(~room for room in state.room_under_caps())
    over = pool.seconds > budget - state.used + EXACT
    return Choice(state.taken, state.worth(), max(state.bound(budget), state.worth()), full, over)


@dataclass
class _State:
    """A choice in the making."""

    pool: Pool
    taken: Flags = field(init=False)
    used: float = 0.0

    def __post_init__(self) -> None:
        pool = self.pool
        self.taken = np.zeros(len(pool.seconds), dtype=np.bool_)
        self.counts = np.zeros(len(pool.weights), dtype=np.int64)
        self.worth_of = np.log1p(1 / (1 + np.arange(len(pool.seconds) + 1.0)))  # one more, where there are so many
        self.steps = pool.weights * np.log(2.0)  # what one more clip with the unit is worth
        self.of_person = np.zeros(int(pool.person.max(initial=-1)) + 1)
        self.of_cap = [np.zeros(int(cap.labels.max(initial=-1)) + 1) for cap in pool.caps]
        # The first unit of every clip, the second of every clip that has one, and so on; those with most first. Sums
        # over them are as those of a sparse matrix to the last bit, and importing scipy.sparse would take longer.
        lengths = np.diff(pool.starts)
        self.order = np.argsort(-lengths, kind="stable")
        having = [int((lengths > place).sum()) for place in range(int(lengths.max(initial=0)))]
        firsts = pool.starts[:-1][self.order]
        self.columns = [pool.units[firsts[:count] + place] for place, count in enumerate(having)]

    def sums(self, values: Floats) -> Floats:
        """(n,) of `values` (m,), the sum over each clip's units."""
        found = np.zeros(len(self.order))
        for column in self.columns:
            found[: len(column)] += values[column]
        back = np.empty_like(found)
        back[self.order] = found
        return back

    def gains(self) -> Floats:
        """(n,) what each clip would add now."""
        pool, known = self.pool, self.pool.person >= 0
        found = self.sums(self.steps) + pool.value
        level, has = pool.person_level, self.of_person[pool.person[known]]
        found[known] += pool.person_weight * np.exp(-has / level) * -np.expm1(-pool.seconds[known] / level)
        return np.asarray(found)

    def gain(self, clip: int) -> float:
        """What one clip would add now."""
        pool = self.pool
        units = pool.units[pool.starts[clip] : pool.starts[clip + 1]]
        found = float(np.add.reduce(self.steps[units])) + float(pool.value[clip])
        person = pool.person[clip]
        if person >= 0:
            level, has = pool.person_level, self.of_person[person]
            found += pool.person_weight * math.exp(-has / level) * -math.expm1(-pool.seconds[clip] / level)
        return found

    def take(self, clip: int, sign: int = 1) -> None:
        """Add a clip, or take it out again."""
        pool = self.pool
        units = pool.units[pool.starts[clip] : pool.starts[clip + 1]]
        counts = self.counts[units] + sign
        self.counts[units] = counts
        self.steps[units] = pool.weights[units] * self.worth_of[counts]
        if pool.person[clip] >= 0:
            self.of_person[pool.person[clip]] += sign * pool.seconds[clip]
        for cap, used in zip(pool.caps, self.of_cap, strict=True):
            if cap.labels[clip] >= 0:
                used[cap.labels[clip]] += sign * cap.amounts[clip]
        self.used += sign * float(pool.seconds[clip])
        self.taken[clip] = sign > 0

    def fits(self, clip: int, budget: float) -> bool:
        """Whether there is room for a clip."""
        if self.pool.seconds[clip] > budget - self.used + EXACT:
            return False
        return all(
            cap.labels[clip] < 0 or used[cap.labels[clip]] + cap.amounts[clip] <= cap.limit + EXACT
            for cap, used in zip(self.pool.caps, self.of_cap, strict=True)
        )

    def room_under_caps(self) -> list[Flags]:
        """For each cap: (n,) whether it has room for the clip."""
        return [
            (cap.labels < 0) | (used[cap.labels] + cap.amounts <= cap.limit + EXACT)
            if len(used)
            else np.ones(len(cap.labels), np.bool_)
            for cap, used in zip(self.pool.caps, self.of_cap, strict=True)
        ]

    def fill(self, budget: float, among: Flags) -> None:
        """Take clips until none of them fits."""
        among = among.copy()
        while True:
            among &= ~self.taken & (self.pool.seconds <= budget - self.used + EXACT)
            for room in self.room_under_caps():
                among &= room
            waiting = np.flatnonzero(among)
            if not len(waiting):
                return
            gains = self.gains()
            self._round(waiting, (gains / self.pool.seconds)[waiting], budget)

    def _round(self, waiting: Numbers, rates: Floats, budget: float) -> None:
        """Take what is near the best, in order, as long as it still is."""
        near = NEAR if len(self.taken) > FEW else 1e-12
        least = float(rates.max()) * (1 - near)
        best = np.flatnonzero(rates >= least)
        best = waiting[best[np.argsort(-rates[best], kind="stable")]]
        misses = 0
        for place, clip in enumerate(best.tolist()):
            if place and self.gain(clip) < least * self.pool.seconds[clip]:
                misses += 1
                if misses >= PATIENCE:
                    return
            elif self.fits(clip, budget):
                self.take(clip)
                misses = 0

    def worth(self) -> float:
        """F of what is taken."""
        pool = self.pool
        spread = pool.person_weight * -float(np.expm1(-self.of_person / pool.person_level).sum())
        return float((pool.weights * np.log1p(self.counts)).sum()) + spread + float(pool.value[self.taken].sum())

    def bound(self, budget: float) -> float:
        """What no choice of at most `budget` seconds is worth more than: the tangent's best."""
        pool, known = self.pool, self.pool.person >= 0
        slope = self.sums(pool.weights / (1 + self.counts)) + pool.value
        steep = np.exp(-self.of_person[pool.person[known]] / pool.person_level) / pool.person_level
        slope[known] += pool.person_weight * pool.seconds[known] * steep
        order = np.argsort(-slope / pool.seconds, kind="stable")
        before = np.cumsum(pool.seconds[order]) - pool.seconds[order]
        share = np.clip((budget - before) / pool.seconds[order], 0.0, 1.0)
        return self.worth() + float((slope[order] * share).sum() - slope[self.taken].sum())

    def swap(self, budget: float, allowed: Flags, forced: Flags) -> None:
        """Where much of the budget is left, one clip for a longer one: what is worth most of all that fill enough.

        Where none does, that which fills most, if it is at least half.
        """
        seconds = self.pool.seconds
        gap = budget - self.used
        inside, outside = np.flatnonzero(self.taken & ~forced), np.flatnonzero(~self.taken & allowed)
        if not np.isfinite(gap) or gap <= (1 - ENOUGH) * budget or not len(inside) or not len(outside):
            return
        outside = outside[np.argsort(seconds[outside], kind="stable")]
        place = np.searchsorted(seconds[outside], seconds[inside] + gap, side="right") - 1
        grown = np.where(place >= 0, seconds[outside[place]] - seconds[inside], 0.0)
        worth, chosen = -np.inf, None
        for best in np.argsort(-grown, kind="stable")[:SWAPS].tolist():
            out, into = int(inside[best]), int(outside[place[best]])
            if grown[best] < gap / 2 or (chosen and grown[best] < gap - (1 - ENOUGH) * budget):
                break
            self.take(out, -1)
            if self.fits(into, budget):
                self.take(into)
                if self.worth() > worth + SOME:
                    worth, chosen = self.worth(), (out, into)
                self.take(into, -1)
            self.take(out)
        if chosen:
            self.take(chosen[0], -1)
            self.take(chosen[1])
