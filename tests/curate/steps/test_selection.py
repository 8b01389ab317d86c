"""Choosing in order: what a loop over the rows would take, taken at once; chance that depends on the id alone."""

import hashlib
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.steps.selection import first_fit, shuffled

SIZES = st.lists(st.tuples(*[st.sampled_from([0.0, 0.25, 0.5, 1.0, 3.0, 7.5])] * 2), max_size=40)
LIMITS = st.tuples(*[st.sampled_from([-1.0, 0.0, 0.75, 4.0, 20.0])] * 2)


@settings(max_examples=300, deadline=None)
@given(SIZES, LIMITS, LIMITS)
def test_first_fit_takes_what_a_loop_takes(sizes: list[Any], limits: Any, used: Any) -> None:
    room, expected = list(used), []
    for row in sizes:
        fits = all(part == 0 or have + part <= most for part, have, most in zip(row, room, limits, strict=True))
        room = [have + part for have, part in zip(room, row, strict=True)] if fits else room
        expected.append(fits)
    taken = first_fit(np.array(sizes, dtype=float).reshape(-1, 2), used=np.array(used), limits=np.array(limits))
    assert taken.tolist() == expected


def test_the_order_is_that_of_sha256_of_seed_and_id() -> None:
    ids = [f"{i:04x}" for i in range(200)]
    ordered = pl.DataFrame({"id": ids}).sort(shuffled("id", seed=7))["id"].to_list()
    assert ordered == sorted(ids, key=lambda id: hashlib.sha256(f"7 {id}".encode()).hexdigest())
    assert ordered != pl.DataFrame({"id": ids}).sort(shuffled("id", seed=8))["id"].to_list()
