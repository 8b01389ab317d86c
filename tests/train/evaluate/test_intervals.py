"""Paired means and their intervals: scipy's, and true to what they claim."""

import numpy as np
import pytest
from scipy import stats

from train.evaluate import intervals


def test_a_paired_interval_is_scipys_t_interval():
    rng = np.random.default_rng(0)
    before = {str(i): float(rng.normal()) for i in range(12)}
    after = {key: value + 0.3 + float(rng.normal(0, 0.2)) for key, value in before.items()}
    found = intervals.paired(after, before)
    theirs = stats.ttest_rel([*after.values()], [*before.values()]).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert found.n == 12


def test_only_what_both_have_is_compared():
    found = intervals.paired({"a": 2.0, "b": 5.0, "c": 9.0}, {"a": 1.0, "b": 3.0, "d": 0.0})
    assert (found.mean, found.n) == (1.5, 2)
    assert intervals.paired({"a": 1.0}, {"b": 1.0}) is None


def test_one_unit_has_no_interval():
    assert intervals.mean([3.0]) == intervals.Interval(3.0, None, None, 1)


def test_equal_weights_change_nothing_and_a_heavy_clip_draws_the_mean():
    values = [1.0, 2.0, 4.0, 4.5]
    plain, weighted = intervals.mean(values), intervals.mean(values, [3.0] * 4)
    assert (weighted.low, weighted.mean, weighted.high) == pytest.approx((plain.low, plain.mean, plain.high))
    assert intervals.mean(values, [1, 1, 1, 97]).mean == pytest.approx(4.435)


def test_a_95_percent_interval_holds_the_truth_95_times_in_100():
    rng = np.random.default_rng(1)
    weights = rng.uniform(20, 80, 48).tolist()  # patches of held-out clips
    inside = 0
    for _ in range(1000):
        found = intervals.mean((0.1 + rng.normal(0, 1, 48)).tolist(), weights)
        inside += found.low <= 0.1 <= found.high
    assert 0.93 < inside / 1000 < 0.97
