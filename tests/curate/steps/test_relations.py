"""What hangs together, against the connected components that scipy finds."""

import numpy as np
import polars as pl
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from curate.steps.relations import components


def by_scipy(count: int, columns: list[pl.Series]) -> list[int]:
    """A graph of rows and of their values; numbers in the order of the first rows."""
    ends: list[tuple[int, int]] = []
    nodes = count
    for column in columns:
        place = {value: nodes + i for i, value in enumerate(column.drop_nulls().unique())}
        ends += [(row, place[value]) for row, value in enumerate(column) if value is not None]
        nodes += len(place)
    rows, values = zip(*ends, strict=True) if ends else ((), ())
    graph = coo_array((np.ones(len(ends)), (np.array(rows, int), np.array(values, int))), shape=(nodes, nodes))
    labels = connected_components(graph, directed=False)[1][:count].tolist()
    seen = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return [seen[label] for label in labels]


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_the_connected_components(seed: int) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(0, 200))
    columns = []
    for _ in range(int(random.integers(0, 4))):
        values = random.integers(0, 1 + int(count * random.uniform(0.1, 2)), count)
        known = random.random(count) < random.random()
        columns.append(pl.Series([int(v) if k else None for v, k in zip(values, known, strict=True)], dtype=pl.Int64))
    assert components(count, columns).tolist() == by_scipy(count, columns)


def test_a_long_chain_in_any_order_is_one() -> None:
    place = np.random.default_rng(1).permutation(3000)
    pairs = [pl.Series(place // 2), pl.Series((place + 1) // 2)]
    assert set(components(3000, pairs).tolist()) == {0}
    assert components(3000, pairs[:1]).max() == 1499
