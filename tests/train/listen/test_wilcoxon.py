"""The exact signed-rank test: against the reference vectors, scipy, and every sign there is."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from train.listen import wilcoxon

BEFORE = [30, 31, 28, 33, 29, 32, 27, 30, 34, 31, 29, 32]  # sums of 8 ratings: docs/listening-statistics.md
AFTER = [33, 31, 32, 35, 30, 36, 29, 33, 33, 35, 31, 32]
REFERENCE = [Fraction(after - before, 8) for before, after in zip(BEFORE, AFTER, strict=True)]
ZERO_METHODS = ("pratt", "wilcox", "zsplit")


@pytest.mark.parametrize("zero_method", ZERO_METHODS)
def test_the_reference_vector_has_its_exact_p(zero_method):
    assert wilcoxon.signed_rank(REFERENCE, zero_method).p_exact == 0.005859375


@pytest.mark.parametrize(("zero_method", "p"), [("pratt", 0.0071895173), ("wilcox", 0.0076407948)])
def test_the_reference_vector_has_its_asymptotic_p(zero_method, p):
    assert wilcoxon.signed_rank(REFERENCE, zero_method).p_asymptotic == pytest.approx(p, abs=5e-11)


def by_enumeration(differences, zero_method):
    """Statistic of every assignment of signs, ranks by scipy; the share at least as far from the middle."""
    values = np.array([float(each) for each in differences])
    values = values[values != 0] if zero_method == "wilcox" else values
    ranks, nonzero = stats.rankdata(np.abs(values)), values != 0
    free = ranks[nonzero]
    observed = free[values[nonzero] > 0].sum()
    sums = np.array([np.dot(signs, free) for signs in itertools.product((0, 1), repeat=len(free))])
    return np.mean(np.abs(sums - free.sum() / 2) >= abs(observed - free.sum() / 2) - 1e-9)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=10), st.sampled_from(ZERO_METHODS))
def test_p_is_the_share_of_all_signs(differences, zero_method):
    assert wilcoxon.signed_rank(differences, zero_method).p_exact == pytest.approx(
        by_enumeration(differences, zero_method)
    )


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(1, 500), min_size=1, max_size=45), st.integers(0, 2**45 - 1))
def test_without_ties_and_zeros_it_is_scipys(sizes, signs):
    differences = [size if signs >> place & 1 else -size for place, size in enumerate(sorted(sizes))]
    ours, theirs = wilcoxon.signed_rank(differences), stats.wilcoxon(differences, method="exact")
    assert ours.p_exact == pytest.approx(theirs.pvalue, rel=1e-12)
    assert ours.w == theirs.statistic


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-6, 6), min_size=3, max_size=40).filter(any), st.sampled_from(ZERO_METHODS))
def test_statistic_and_asymptotic_p_are_scipys(differences, zero_method):
    ours = wilcoxon.signed_rank(differences, zero_method)
    theirs = stats.wilcoxon(differences, zero_method=zero_method, correction=False, method="asymptotic")
    assert ours.p_asymptotic == pytest.approx(theirs.pvalue, rel=1e-12)
    assert ours.w == pytest.approx(theirs.statistic)


def test_with_ties_and_zeros_scipys_permutations_agree_up_to_thirteen():
    differences = [3, 0, -1, 1, 2, 2, 2, -3, 4, 4, 0, 1, 5]
    theirs = stats.wilcoxon(differences, zero_method="pratt", method=stats.PermutationMethod(n_resamples=2**14))
    assert wilcoxon.signed_rank(differences).p_exact == pytest.approx(theirs.pvalue, rel=1e-12)


@pytest.mark.parametrize(("listeners", "significant"), [(10, False), (11, True)])
def test_p_below_a_thousandth_needs_eleven_listeners(listeners, significant):
    assert (wilcoxon.signed_rank([1] * listeners).p_exact < 0.001) == significant


def test_the_smallest_p_of_24_is_a_power_of_two():
    assert wilcoxon.signed_rank(range(1, 25)).p_exact == 2 / 2**24


def test_no_difference_but_zeros_says_nothing():
    result = wilcoxon.signed_rank([0, 0, 0])
    assert (result.p_exact, result.p_asymptotic, result.w, result.zeros) == (1.0, 1.0, 0.0, 3)


def test_differences_of_unequal_counts_tie_exactly():
    # 1/3 + 1/3 and 2/3 are one size, and as floats 0.1 + 0.2 and 0.3 are not
    differences = [Fraction(2, 3), Fraction(1, 3) + Fraction(1, 3), Fraction(-4, 6), Fraction(1, 7), Fraction(0)]
    ranks, _ = wilcoxon.doubled_ranks(wilcoxon.integers(differences), "pratt")
    assert ranks.tolist() == [8, 8, 8, 4, 2]


def test_hundreds_of_differences_are_exact_too():
    rng = np.random.default_rng(1)
    differences = [int(each) for each in rng.integers(-9, 12, 400)]
    result = wilcoxon.signed_rank(differences)
    assert result.p_exact == pytest.approx(result.p_asymptotic, rel=0.2)


@settings(deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_turning_all_differences_round_turns_the_sums_round(differences):
    there, back = wilcoxon.signed_rank(differences), wilcoxon.signed_rank([-each for each in differences])
    assert (there.w_plus, there.w_minus, there.p_exact) == (back.w_minus, back.w_plus, back.p_exact)
