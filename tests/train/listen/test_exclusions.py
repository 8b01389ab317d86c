"""Who is left out: each rule names whom it must and nobody else."""

from fractions import Fraction

import numpy as np
import pytest

from curate.errors import UserError
from train.listen import exclusions
from train.listen.exclusions import Rules
from train.listen.ratings import Rating


def listener(name, values, language="km", kind="test", **more):
    return [
        Rating(name, f"s{place}", language, "r64", Fraction(value), place + 2, kind, **more)
        for place, value in enumerate(values)
    ]


def varied(seed, size=20):
    return [int(each) for each in np.random.default_rng(seed).integers(2, 6, size)]


def panel(count=8):
    return [row for seed in range(count) for row in listener(f"L{seed}", varied(seed))]


def named(rows, **rules):
    return [(each.listener, each.rule) for each in exclusions.find(rows, exclusions.replace(exclusions.NONE, **rules))]


def test_a_good_panel_is_kept_whole_by_the_usual_rules():
    assert exclusions.find(panel(), exclusions.USUAL) == []


@pytest.mark.parametrize(("values", "out"), [([3] * 20, True), ([3] * 19 + [4], True), ([3, 4] * 10, False)])
def test_whoever_does_not_vary_is_named(values, out):
    assert named([*panel(), *listener("X", values)], min_variance=0.1) == ([("X", "min_variance")] if out else [])


def test_an_outlier_is_far_from_the_others():
    rows = [row for seed in range(12) for row in listener(f"L{seed}", varied(seed))]
    assert named([*rows, *listener("X", [1] * 19 + [2])], outlier_z=3.29) == [("X", "outlier_z")]
    assert named([*rows, *listener("X", [1] * 19 + [2], language="ko")], outlier_z=3.29) == []  # alone in its language


@pytest.mark.parametrize(("misses", "allowed", "out"), [(1, 0, True), (1, 1, False), (2, 1, True), (0, 0, False)])
def test_traps_count_misses(misses, allowed, out):
    traps = [
        Rating(
            "X",
            f"trap {place}",
            "km",
            "trap",
            Fraction(5 if place < misses else 2),
            90,
            "trap",
            (Fraction(2), Fraction(2)),
        )
        for place in range(3)
    ]
    assert bool(named([*panel(), *listener("X", varied(99)), *traps], trap_misses=allowed)) is out


def test_gold_has_bounds():
    def gold(value):
        return Rating("X", "g", "km", "natural", Fraction(value), 9, "gold", (Fraction(4), Fraction(5)))

    assert named([gold(3)], gold_misses=0) == [("X", "gold_misses")]
    assert named([gold(4)], gold_misses=0) == []


def test_rating_before_the_end_is_too_fast_when_it_is_a_habit():
    assert named(listener("X", varied(1), heard_to_end=False), too_fast=True) == [("X", "too_fast")]
    assert named(listener("X", varied(1), seconds_to_rate=-0.4), too_fast=True) == [("X", "too_fast")]
    once = [*listener("X", varied(1), heard_to_end=True), *listener("X", [4], heard_to_end=False)]
    assert named(once, too_fast=True) == []
    assert named(panel(), too_fast=True) == []  # nothing is known of it


def test_two_listeners_with_the_same_answers_are_one():
    rows = [*panel(), *listener("copy", varied(3))]
    assert named(rows, same_ratings=True) == [("copy", "same_ratings")]
    assert (
        named([*listener("A", [4] * 20), *listener("B", [4] * 20)], same_ratings=True) == []
    )  # equal, and no sign of one person
    assert named([*listener("A", varied(3)), *listener("A", varied(3), language="ko")], same_ratings=True) == []


def test_unfinished_and_short_sessions():
    rows = [*panel(), *listener("X", varied(5, 12))]
    assert named(rows, finished=True) == [("X", "finished")]
    assert named(rows, min_trials=13) == [("X", "min_trials")]
    assert named(rows, min_trials=12) == []


def test_repeats_that_differ():
    rows = [*listener("X", [5, 1, 4]), *listener("X", [1, 5, 4], kind="repeat")]
    assert named(rows, repeat_difference=1.5) == [("X", "repeat_difference")]
    assert named(rows, repeat_difference=3) == []


def test_what_listeners_say_of_themselves():
    rows = [*listener("X", varied(1), native=False), *listener("Y", varied(2), headphones=False), *panel(2)]
    assert named(rows, native=True, headphones=True) == [("X", "native"), ("Y", "headphones")]


def test_training_is_no_evidence():
    assert named([*listener("X", [3] * 20, kind="training"), *listener("X", varied(1))], min_variance=0.1) == []


def test_without_takes_out_everyone_who_is_named():
    rows = [*panel(2), *listener("X", [3] * 20)]
    left = exclusions.without(rows, exclusions.find(rows, exclusions.USUAL))
    assert {row.listener for row in left} == {"L0", "L1"}


def test_rules_are_named_on_the_command_line():
    assert exclusions.named("none") == exclusions.NONE
    assert exclusions.named("usual") == exclusions.USUAL
    assert exclusions.named("min_variance=0.2,too_fast") == exclusions.replace(
        exclusions.NONE, min_variance=0.2, too_fast=True
    )
    for text in ("variance", "min_variance=much"):
        with pytest.raises(UserError):
            exclusions.named(text)


def test_the_rules_of_a_plan():
    assert exclusions.rules_of({"min_variance": 0.1, "native": True}) == exclusions.replace(
        exclusions.NONE, min_variance=0.1, native=True
    )
    with pytest.raises(UserError, match="'mood'"):
        exclusions.rules_of({"mood": 1})


def test_a_rule_that_is_off_names_nobody():
    assert exclusions.find([*panel(), *listener("X", [3] * 20)], exclusions.NONE) == []
    assert isinstance(exclusions.CONTROLS, Rules)
