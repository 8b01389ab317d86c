"""Runs of flags are what looking at each flag says they are."""

import itertools

import numpy as np
import pytest

from curate.measures import runs


def test_runs_of_flags_and_of_places() -> None:
    flags = np.array([True, True, False, True, False, False, True])
    for starts, lengths in (runs.flag_runs(flags), runs.index_runs(np.flatnonzero(flags))):
        assert starts.tolist() == [0, 3, 6]
        assert lengths.tolist() == [2, 1, 1]
    assert runs.index_runs(np.zeros(0, np.int64))[0].tolist() == []


@pytest.mark.parametrize("width", [1, 2, 3, 7, 8])
def test_neighbours_are_joined(width: int) -> None:
    values = np.random.default_rng(width).normal(size=40)
    slow = [values[at : at + width].max() for at in range(len(values) - width + 1)]
    assert runs.joined(np.maximum, values, width).tolist() == slow


@pytest.mark.parametrize("least", [1, 2, 7, 14, 15, 16, 40])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("length", [1, 8, 63, 64, 1000])
def test_stretches_of_flags_and_where_these_are(length: int, share: float, least: int) -> None:
    flags = np.random.default_rng(length).random(length) < share
    slow, at = [], 0
    for true, group in itertools.groupby(flags.tolist()):
        many = len(list(group))
        if true and many >= least:
            slow.append((at, at + many))
        at += many
    assert runs.stretches(flags, least) == slow
    assert runs.flagged(flags).tolist() == np.flatnonzero(flags).tolist()
