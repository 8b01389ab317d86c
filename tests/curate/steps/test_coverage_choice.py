"""The choice by coverage: near the optimum where that can be known, under its own bound, within hours and caps."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.steps import coverage_choice
from curate.steps.coverage_choice import Cap, Flags, Pool, choose


def pool(seed: int, clips: int, *, units: int = 12, persons: int = 3, caps: bool = False) -> Pool:
    """A random one: some units are frequent, most are rare."""
    random = np.random.default_rng(seed)
    having = [np.flatnonzero(random.random(units) < 0.6 / np.arange(1, units + 1) ** 0.5) for _ in range(clips)]
    seconds = random.uniform(1, 12, clips).round(3)
    cap = Cap(random.integers(-1, 3, clips), seconds, float(seconds.sum()) / 8)
    return Pool(
        seconds, np.cumsum([0, *map(len, having)]), np.concatenate(having).astype(np.int64),
        random.uniform(0.5, 1.5, units), random.integers(-1, persons, clips), 0.3, 20.0,
        0.02 * seconds * random.random(clips), [cap] if caps else [],
    )  # fmt: skip


def worth(pool: Pool, taken: Flags) -> float:
    """F, written out."""
    counts, of_person = np.zeros(len(pool.weights)), dict[int, float]()
    for clip in np.flatnonzero(taken):
        counts[pool.units[pool.starts[clip] : pool.starts[clip + 1]]] += 1
        if pool.person[clip] >= 0:
            person = int(pool.person[clip])
            of_person[person] = of_person.get(person, 0.0) + float(pool.seconds[clip])
    spread = sum(1 - np.exp(-seconds / pool.person_level) for seconds in of_person.values())
    return float((pool.weights * np.log(1 + counts)).sum() + pool.person_weight * spread + pool.value[taken].sum())


def allowed(pool: Pool, taken: Flags, budget: float) -> bool:
    """Whether a choice keeps the budget and every cap."""
    if pool.seconds[taken].sum() > budget + 1e-6:
        return False
    for cap in pool.caps:
        known = taken & (cap.labels >= 0)
        if (np.bincount(cap.labels[known], weights=cap.amounts[known], minlength=1) > cap.limit + 1e-6).any():
            return False
    return True


@pytest.mark.parametrize("caps", [False, True])
def test_small_choices_are_near_the_best_of_all_and_under_their_bound(caps: bool) -> None:
    shares = []
    for seed in range(8):
        small = pool(seed, 11, caps=caps)
        budget = float(small.seconds.sum()) * 0.45
        best = max(
            worth(small, np.array(taken, bool))
            for taken in itertools.product([False, True], repeat=11)
            if allowed(small, np.array(taken, bool), budget)
        )
        found = choose(small, budget)
        assert found.value == pytest.approx(worth(small, found.taken))
        assert best <= found.bound + 1e-9
        shares.append(found.value / best)
    assert min(shares) > 1 - 1 / np.e  # what theory promises
    assert sum(shares) / len(shares) > 0.95  # what it is


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.floats(0.0, 1.2), st.booleans(), st.data())
def test_it_is_within_hours_and_caps_and_nothing_more_fits(
    seed: int, clips: int, share: float, caps: bool, data: Any
) -> None:
    some = pool(seed, clips, caps=caps)
    may = np.array(data.draw(st.lists(st.sampled_from([True, True, False]), min_size=clips, max_size=clips)))
    budget = share * float(some.seconds.sum())
    found = choose(some, budget, allowed=may)
    assert allowed(some, found.taken, budget)
    assert not (found.taken & ~may).any()
    for clip in np.flatnonzero(may & ~found.taken):
        more = found.taken.copy()
        more[clip] = True
        assert not allowed(some, more, budget)
        assert found.over[clip] == (some.seconds[clip] + some.seconds[found.taken].sum() > budget + 1e-7)
    assert found.value <= found.bound + 1e-9


def test_many_clips_are_chosen_in_rounds_that_lose_next_to_nothing() -> None:
    many = pool(1, coverage_choice.FEW + 500, units=200, persons=40)
    found = choose(many, float(many.seconds.sum()) / 2)
    assert found.value > 0.999 * found.bound


def test_forced_clips_come_first_and_nearly_all_preferred_ones_stay() -> None:
    some = pool(3, 400, units=60)
    budget = float(some.seconds.sum()) / 2
    forced = np.zeros(400, bool)
    forced[::40] = True
    first = choose(some, budget).taken
    then = choose(some, budget, forced=forced, preferred=~first, release=0.03)
    assert then.taken[forced].all()
    assert some.seconds[then.taken & (~first | forced)].sum() > 0.95 * budget


def test_the_hours_are_met_by_exchange_where_clips_are_long() -> None:
    seconds = np.array([10.0, 10.0, 10.0, 13.0, 17.0])
    long = Pool(
        seconds, np.zeros(6, np.int64), np.zeros(0, np.int64), np.zeros(0), np.full(5, -1), 0.0, 1.0, seconds * 0.1
    )
    assert seconds[choose(long, 37.0).taken].sum() == 37.0
