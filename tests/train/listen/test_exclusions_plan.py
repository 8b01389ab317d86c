"""A plan and an analysis know the same rules, by the same names."""

import dataclasses

import pytest

from curate.errors import UserError
from train.listen import exclusions, planning
from train.listen.plan import Exclusions


def test_a_plan_names_every_rule_of_the_analysis_and_no_other():
    assert set(Exclusions.model_fields) == {each.name for each in dataclasses.fields(exclusions.Rules)}


def test_what_a_plan_fixes_by_default_is_the_usual_rules_and_what_the_page_asks():
    planned = exclusions.rules_of(Exclusions().model_dump(mode="json"))
    assert planned == dataclasses.replace(exclusions.USUAL, native=True, finished=True, gold_misses=1)


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ("too_fast=false", "too_fast", False),
        ("min_trials=20", "min_trials", 20),
        ("same_ratings=no", "same_ratings", False),
    ],
)
def test_a_plan_changes_them_and_the_analysis_follows(change, name, value):
    planned = planning.exclusions([change])
    assert getattr(exclusions.rules_of(planned.model_dump(mode="json")), name) == value


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("native=false", "native", False),
        ("native=0", "native", False),
        ("same_ratings=yes", "same_ratings", True),
        ("outlier_z=none", "outlier_z", None),
        ("too_fast=none", "too_fast", False),
        ("min_trials=20", "min_trials", 20),
    ],
)
def test_a_rule_of_the_command_line_is_what_it_says(text, name, value):
    assert getattr(exclusions.named(text), name) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("too_fast=0.2", "true or false"),
        ("min_variance=nan", "not a number"),
        ("outlier_z=-1", "0 or more"),
        ("min_trials", "min_trials=20"),
    ],
)
def test_a_threshold_that_means_nothing_is_told(text, told):
    with pytest.raises(UserError, match=told):
        exclusions.named(text)
