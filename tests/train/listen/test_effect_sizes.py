"""Hodges-Lehmann with its interval, rank-biserial, Holm, non-inferiority."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tests.train.listen.test_wilcoxon import REFERENCE
from train.listen import effect_sizes, wilcoxon
from train.listen.crossed import Estimate
from train.listen.multiplicity import holm
from train.listen.noninferiority import noninferiority


def test_the_reference_vector_has_its_centre_interval_and_correlation():
    centre = effect_sizes.hodges_lehmann(REFERENCE)
    assert (centre.estimate, centre.low, centre.high) == (0.25, 0.125, 0.375)
    assert effect_sizes.rank_biserial(REFERENCE) == pytest.approx(0.9066666667, abs=5e-11)


def kept(differences, alpha):
    """Shifts that the exact test does not reject, on a grid with each average of two integers and a shift between."""
    grid = [Fraction(step, 4) for step in range(-4 * 9, 4 * 9 + 1)]
    return [g for g in grid if wilcoxon.signed_rank([Fraction(d) - g for d in differences]).p_exact > alpha]


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(-8, 8), min_size=7, max_size=11))
def test_the_interval_is_the_hull_of_what_the_exact_test_keeps(differences):
    centre, inside = effect_sizes.hodges_lehmann(differences), kept(differences, 0.05)
    assert centre.low is not None
    assert centre.low <= float(inside[0]) <= centre.low + 1 / 4
    assert centre.high - 1 / 4 <= float(inside[-1]) <= centre.high


def test_without_ties_the_interval_is_the_textbooks():
    """n = 10: the 9th of the 55 Walsh averages from either end (Hollander & Wolfe, table A.4: 95.1 %)."""
    differences = [11, 24, 36, 3, -5, 60, 77, 49, 101, -18]
    averages = np.sort([(a + b) / 2 for i, a in enumerate(differences) for b in differences[i:]])
    centre = effect_sizes.hodges_lehmann(differences)
    assert (centre.low, centre.high) == (averages[8], averages[-9])
    assert centre.estimate == np.median(averages)


def test_few_differences_have_no_interval():
    assert effect_sizes.hodges_lehmann([1, 2, 3, 4, 5]).low is None  # the smallest p of five is 1/16


def test_equal_differences_have_a_point():
    centre = effect_sizes.hodges_lehmann([Fraction(1, 2)] * 12)
    assert (centre.low, centre.estimate, centre.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("differences", "correlation"), [([1, 2, 3], 1.0), ([-1, -2], -1.0), ([1, -1], 0.0), ([0], None)]
)
def test_rank_biserial_says_which_side_leads(differences, correlation):
    assert effect_sizes.rank_biserial(differences) == correlation


def test_holm_gives_the_reference_vector():
    p = [1.1920929e-7, 0.31, 0.004, 0.02, 0.04, 0.6, 0.9, 0.03, 0.012, 0.0007]
    assert holm(p) == pytest.approx([1.1920929e-6, 0.93, 0.032, 0.12, 0.16, 1, 1, 0.15, 0.084, 0.0063])


@settings(max_examples=25, deadline=None)  # one of theirs takes an eighth of a second
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_statsmodels(p):
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_what_has_no_p_is_in_no_family():
    assert holm([0.02, None, 0.03]) == [0.04, None, 0.04]
    assert holm([]) == []


@pytest.mark.parametrize(("value", "shown"), [(0.2, True), (0.0, False), (-0.5, False)])
def test_no_loss_is_shown_by_the_lower_end(value, shown):
    facts = noninferiority(Estimate(value, 0.1, 20.0, "anova", {}), 0.1)
    assert facts["ci"][0] == pytest.approx(value - stats.t.ppf(0.95, 20) * 0.1)
    assert facts["non_inferior"] is shown
    assert (facts["p"] < 0.05) is shown  # the same question, asked as a test


def test_no_significant_difference_is_no_proof_of_no_loss():
    wide = Estimate(-0.1, 0.2, 20.0, "anova", {})
    assert wide.p() > 0.05
    assert not noninferiority(wide, 0.1)["non_inferior"]
