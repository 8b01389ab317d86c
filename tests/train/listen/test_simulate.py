"""Simulated listeners rate as they were told to."""

import numpy as np
import pytest

from train.listen import simulate
from train.listen.simulate import Deviations


@pytest.mark.parametrize("mos", [1.2, 2.5, 3.85, 4.23, 4.8])
def test_the_mean_rating_is_the_mos_that_was_asked_for(mos):
    ratings = simulate.matrices(np.random.default_rng(0), (600, 12, 12), [mos], [Deviations()])
    assert ratings.mean() == pytest.approx(mos, abs=0.02)
    assert set(np.unique(ratings)) <= {1, 2, 3, 4, 5}


def test_conditions_of_other_spread_have_their_mos_too():
    wide = Deviations(residual=1.2, sentence_condition=0.5)
    ratings = simulate.matrices(np.random.default_rng(0), (600, 12, 12), [4.3, 4.3], [Deviations(), wide])
    assert ratings.mean(axis=(0, 1, 2)) == pytest.approx([4.3, 4.3], abs=0.03)
    assert ratings[..., 1].std() > ratings[..., 0].std() + 0.1


def test_effects_are_as_large_as_they_were_told():
    """One at a time, on a scale that is wide enough for rounding to matter little: the spread of means."""
    silent = dict.fromkeys(
        ("sentence", "listener_condition", "sentence_condition", "listener_sentence", "residual"), 0.0
    )
    ratings = simulate.matrices(
        np.random.default_rng(0), (400, 10, 1), [500], [Deviations(listener=50.0, **silent)], (0, 1000)
    )
    assert ratings.std() == pytest.approx(50, rel=0.05)


@pytest.mark.parametrize("mos", [1.0, 5.0, 0.0, 6.0])
def test_a_mean_at_the_end_of_the_scale_cannot_be(mos):
    with pytest.raises(ValueError, match="not between"):
        simulate.latent_mean(mos, 0.8, (1, 5))


def test_a_latin_square_is_balanced():
    square = simulate.latin(24, 48, 6)
    for line in (*square, *square.T):
        assert set(np.bincount(line, minlength=6)) == {len(line) // 6}


def test_trials_of_a_plan_are_rated_in_order_and_the_same_again():
    trials = [(f"L{i}", f"s{j}", c) for i in range(24) for j in range(24) for c in ("zero-shot", "r64")]
    given = simulate.rate(trials, {"zero-shot": 3.2, "r64": 4.4}, seed=5)
    assert given == simulate.rate(trials, {"zero-shot": 3.2, "r64": 4.4}, seed=5)
    assert given != simulate.rate(trials, {"zero-shot": 3.2, "r64": 4.4}, seed=6)
    means = {c: np.mean([r for t, r in zip(trials, given, strict=True) if t[2] == c]) for c in ("zero-shot", "r64")}
    assert means["zero-shot"] == pytest.approx(3.2, abs=0.35)
    assert means["r64"] - means["zero-shot"] == pytest.approx(1.2, abs=0.35)


def test_comparisons_are_rated_on_their_own_scale():
    trials = [(f"L{i}", f"s{j}", "r64") for i in range(12) for j in range(12)]
    assert set(simulate.rate(trials, {"r64": 0.6}, scale=(-3, 3))) <= set(range(-3, 4))
    assert set(simulate.rate(trials, {"r64": 0.6}, scale=(0, 1))) == {0, 1}


def test_a_condition_without_a_mean_is_an_error():
    with pytest.raises(KeyError):
        simulate.rate([("L", "s", "r8")], {"r64": 4.0})
