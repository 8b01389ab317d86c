"""Agreement of listeners: the textbook's figures, and what must follow from how it is made."""

import numpy as np
import pytest

from tests.train.listen.test_crossed import SHROUT_FLEISS
from train.listen import agreement


def test_shrout_and_fleiss():
    """ICC(2,1) = .29 and ICC(2,4) = .62, table 4 of the paper."""
    single, mean = agreement.icc(SHROUT_FLEISS)
    assert (round(single, 2), round(mean, 2)) == (0.29, 0.62)


def test_components_of_an_incomplete_table_are_near_the_closed_form():
    rng = np.random.default_rng(2)
    table = rng.normal(size=(60, 1)) + 0.5 * rng.normal(size=(1, 12)) + rng.normal(size=(60, 12))
    whole = agreement._icc(table)
    holes = np.where(rng.random(table.shape) < 0.15, np.nan, table)
    assert agreement._icc(holes)[0] == pytest.approx(whole[0], abs=0.05)
    assert whole[2] == 12
    one = table.copy()
    one[0, 0] = np.nan  # one rating of 720 is missing: by the mixed model now, and nearly the same
    assert agreement._icc(one)[:2] == pytest.approx(whole[:2], abs=0.003)


def test_listeners_who_agree_and_listeners_who_do_not():
    rng = np.random.default_rng(3)
    quality = rng.normal(size=(40, 1))
    assert agreement.split_half(quality + 0.1 * rng.normal(size=(40, 10))) > 0.95
    assert abs(agreement.split_half(rng.normal(size=(40, 10)))) < 0.5


def test_split_halves_step_up_to_all_listeners():
    """Of parallel listeners the stepped-up correlation is the reliability of the mean of all, ICC(2,k)."""
    rng = np.random.default_rng(4)
    table = rng.normal(size=(400, 1)) + 2 * rng.normal(size=(400, 12))
    assert agreement.split_half(table) == pytest.approx(agreement.icc(table)[1], abs=0.02)


@pytest.mark.parametrize("table", [np.full((5, 4), 3.0), np.array([[3.0, np.nan], [np.nan, 4.0]]), np.ones((1, 4))])
def test_where_nothing_can_be_said_nothing_is(table):
    assert agreement._icc(table)[:2] == (None, None)
