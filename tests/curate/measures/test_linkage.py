"""Average linkage: what scipy gives, from clusters as from clips, with many as with few, in a circle of equals too."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster
from scipy.cluster.hierarchy import linkage as scipy_linkage

from curate.measures import linkage

Vectors = NDArray[np.float32]


def drawn(people: int, clips: int, seed: int, *, spread: float = 0.85) -> tuple[Vectors, NDArray[np.int64]]:
    """Clips about as many directions, and whose each is."""
    random = np.random.default_rng(seed)
    centres = linkage.unit(random.standard_normal((people, 48)).astype(np.float32))
    who = random.integers(0, people, clips)
    noise = linkage.unit(random.standard_normal((clips, 48)).astype(np.float32))
    return linkage.unit(spread * centres[who] + np.sqrt(1 - spread**2) * noise), who


def partition(labels: NDArray[np.int64]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == each).tolist()) for each in np.unique(labels)}


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_it_is_average_linkage(threshold: float) -> None:
    vectors, _ = drawn(12, 300, 1, spread=0.7)
    expected = fcluster(
        scipy_linkage(vectors.astype(np.float64), "average", metric="cosine"), 1 - threshold, "distance"
    )
    assert partition(linkage.link(vectors, threshold=threshold, near=0.9)) == partition(expected)


def test_labels_are_in_order_of_appearance() -> None:
    vectors, _ = drawn(9, 200, 2)
    labels = linkage.link(vectors, threshold=0.5, near=0.9)
    assert list(dict.fromkeys(labels.tolist())) == list(range(labels.max() + 1))


def test_many_are_gathered_first_and_linked_in_components(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, who = drawn(40, 3000, 3)
    whole = linkage.link(vectors, threshold=0.5, near=0.7)
    assert partition(whole) == partition(who)
    monkeypatch.setattr(linkage, "EXACT", 30)
    monkeypatch.setattr(linkage, "BLOCK", 64)
    assert partition(linkage.link(vectors, threshold=0.5, near=0.7)) == partition(who)


def test_a_component_larger_than_the_matrix_is_linked_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, who = drawn(3, 400, 4)
    monkeypatch.setattr(linkage, "EXACT", 50)
    labels = linkage.merge(vectors, np.ones(len(vectors)), threshold=0.5)
    assert partition(labels) == partition(who)


def test_equal_vectors_end_and_are_one() -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32)[:2], 50, axis=0)
    assert partition(linkage.link(vectors, threshold=0.99, near=0.99)) == partition(np.repeat([0, 1], 50))
    circle = np.eye(3, dtype=np.float32)  # all pairs alike
    assert linkage.link(circle, threshold=-0.1, near=0.9).tolist() == [0, 0, 0]


def test_nothing_is_linked_to_nothing() -> None:
    assert linkage.link(np.zeros((0, 8), np.float32), threshold=0.5, near=0.8).tolist() == []
    assert linkage.link(np.eye(8, dtype=np.float32)[:1], threshold=0.5, near=0.8).tolist() == [0]


def test_likeness_of_one_mode_is_one_and_of_two_is_less() -> None:
    vectors, who = drawn(2, 400, 5)
    one, other = vectors[who == 0], vectors[who == 1]
    same = linkage.likeness(one[::2].sum(axis=0), len(one[::2]), one[1::2].sum(axis=0), len(one[1::2]))
    apart = linkage.likeness(one.sum(axis=0), len(one), other.sum(axis=0), len(other))
    assert same == pytest.approx(1, abs=0.05)
    assert apart < 0.5
    assert partition(linkage.halves(vectors).astype(np.int64)) == partition(who)


def test_partitions_come_to_as_many_parts_as_there_are_people() -> None:
    vectors, who = drawn(5, 300, 6)
    parts = list(linkage.partitions(vectors, 5))
    assert [len(set(labels.tolist())) for labels in parts] == [2, 3, 4, 5]
    assert partition(parts[-1]) == partition(who)
    assert list(linkage.partitions(np.repeat(vectors[:1], 9, axis=0), 4)) == []
