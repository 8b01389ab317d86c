"""Which rank is shipped: the smallest non-inferior one, off included; by loss it says that loss cannot select."""

import json

import numpy as np
import pytest

from curate.errors import UserError
from train.evaluate import ratings, selection
from train.validation import ClipLoss

NAMES = {"off": "zero-shot", 8: "r8", 16: "r16", 64: "r64", 128: "r128"}


def clips(change, *, count=40, noise=0.01, seed=0):
    """Losses of held-out clips, far apart among themselves, moved by `change` and a little noise of their own."""
    own, moved = np.random.default_rng(7), np.random.default_rng(seed)
    return [
        ClipLoss(f"c{i}", "km", 50, float(own.uniform(0.8, 1.2)) + change + float(moved.normal(0, noise)), 0.0)
        for i in range(count)
    ]


def candidates(lost, mos=None):
    mos = mos or {}
    return [
        {
            "rank": rank, "loss": sum(clip.loss for clip in own) / len(own), "loss_change": None, "mos": mos.get(rank),
            "mos_change": None, "p_holm": None,
        }
        for rank, own in lost.items()
    ]  # fmt: skip


def by_loss(changes, **settings):
    lost = {rank: clips(change, seed=i, **settings) for i, (rank, change) in enumerate(changes.items())}
    return selection.select("km", candidates(lost), lost, NAMES, [])


def test_by_loss_the_smallest_rank_within_a_tenth_of_the_gain_is_shipped():
    chosen = by_loss({"off": 0.0, 8: -0.05, 16: -0.195, 64: -0.199, 128: -0.2})
    assert chosen["ship"] == 16
    assert "rank 16 is the smallest that is non-inferior" in chosen["because"]
    assert "loss cannot select what listeners prefer" in chosen["because"]


def test_where_nothing_smaller_comes_near_the_best_itself_is_shipped():
    chosen = by_loss({"off": 0.0, 8: -0.05, 16: -0.10, 64: -0.2})
    assert chosen["ship"] == 64
    assert "no smaller rank" in chosen["because"]


@pytest.mark.parametrize(
    ("changes", "settings", "says"),
    [
        ({"off": 0.0, 8: 0.05, 64: 0.08}, {}, "zero-shot has the lowest held-out loss"),
        ({"off": 0.0, 8: -0.01, 64: 0.08}, {"noise": 0.08}, "not shown to be lower than zero-shot"),
        ({"off": 0.0, 8: -0.2}, {"count": 1}, "too few clips for an interval"),
        ({"off": 0.0}, {}, "no rank has been evaluated yet"),
    ],
)
def test_off_is_shipped_where_no_rank_is_shown_to_gain(changes, settings, says):
    chosen = by_loss(changes, **settings)
    assert chosen["ship"] == "off"
    assert says in chosen["because"]


def test_before_zero_shot_is_there_nothing_is_shipped():
    lost = {8: clips(-0.2)}
    chosen = selection.select("km", candidates(lost), lost, {8: "r8"}, [])
    assert (chosen["ship"], chosen["because"][:9]) == ("off", "zero-shot")


def comparison(baseline, condition, mos_baseline, mos, *, half=0.05, language="km", non_inferior=None):
    difference = mos - mos_baseline
    return {
        "language": language, "baseline": baseline, "condition": condition, "listeners": 24, "sentences": 48,
        "mos_baseline": mos_baseline, "mos": mos, "difference": difference, "p_holm": 0.01,
        "crossed": {"t": 2.0, "df": 30.0, "p": 0.05, "ci": [difference - half, difference + half]},
        "non_inferior": non_inferior,
    }  # fmt: skip


def against_best(best, others, **halves):
    """An analysis with zero-shot as baseline, then one with the best."""
    mos = {"zero-shot": others["off"], **{f"r{rank}": value for rank, value in others.items() if rank != "off"}}
    rows = [
        comparison("zero-shot", name, mos["zero-shot"], value) for name, value in mos.items() if name != "zero-shot"
    ]
    rows += [
        comparison(best, name, mos[best], value, half=halves.get(name.replace("-", "_"), 0.05))
        for name, value in mos.items()
        if name != best
    ]
    return rows


def by_mos(rows, mos):
    lost = {rank: clips(-0.001 * i, seed=i) for i, rank in enumerate(mos)}
    return selection.select("km", candidates(lost, mos), lost, NAMES, rows)


def test_by_mos_the_smallest_rank_that_is_non_inferior_to_the_best_is_shipped():
    mos = {"off": 3.85, 8: 4.0, 16: 4.20, 64: 4.23, 128: 4.18}
    chosen = by_mos(against_best("r64", mos), mos)
    assert chosen["ship"] == 16
    assert "rank 64 has the highest MOS, 4.23" in chosen["because"]
    assert "exploratory" in chosen["because"]


def test_a_rank_whose_interval_is_too_wide_is_not_non_inferior():
    mos = {"off": 3.85, 8: 4.0, 16: 4.20, 64: 4.23}
    assert by_mos(against_best("r64", mos, r16=0.3), mos)["ship"] == 64


def test_the_adapter_stays_off_where_it_helps_nobody():
    mos = {"off": 4.30, 8: 4.28, 64: 4.10}
    chosen = by_mos(against_best("zero-shot", mos), mos)
    assert chosen["ship"] == "off"
    mos = {"off": 4.29, 8: 4.30, 64: 4.10}  # the best is not better by a margin that matters
    chosen = by_mos(against_best("r8", mos), mos)
    assert chosen["ship"] == "off"
    assert "the adapter off" in chosen["because"]


def test_with_zero_shot_as_the_only_baseline_off_is_decided_and_what_else_is_needed_is_said():
    mos = {"off": 3.85, 8: 4.0, 16: 4.20, 64: 4.23}
    rows = [row for row in against_best("r64", mos) if row["baseline"] == "zero-shot"]
    chosen = by_mos(rows, mos)
    assert chosen["ship"] == 64
    assert (
        "of rank 8, rank 16 no comparison with r64 was given: add the analysis with --baseline r64" in chosen["because"]
    )


@pytest.mark.parametrize(("gain", "said"), [([-0.13, 0.03, 0.19], True), ([0.1, 0.38, 0.5], False)])
def test_a_rank_whose_gain_is_not_shown_is_said_to_be_so(gain, said):
    """Too few ratings to call the adapter off non-inferior are too few to call the best rank better."""
    lost = {"off": clips(0.0), 16: clips(-0.1)}
    rated = candidates(lost, {"off": 4.06, 16: 4.09})
    rated[1]["mos_change"] = gain
    chosen = selection.select("ko", rated, lost, NAMES, [])
    assert chosen["ship"] == 16
    assert ("it is not shown to be better than zero-shot (+0.03 [-0.13, +0.19])" in chosen["because"]) == said


def test_what_the_analysis_says_of_non_inferiority_counts():
    row = comparison("r64", "r16", 4.23, 4.20, half=0.5, non_inferior=True)
    assert ratings.non_inferior([row], "km", "r16", "r64") is True
    assert ratings.non_inferior([row], "ko", "r16", "r64") is None


def test_the_interval_and_the_margin_are_those_of_the_analysis():
    """A plan may have another alpha and margin; where ratings are missing the interval is not around the means."""
    row = comparison("r64", "r16", 4.23, 4.20, half=0.5)
    row["crossed"]["ci"] = [-0.65, 0.35]
    found = ratings.limits([row], "km", "r16", "r64")
    assert (found.low + found.high) / 2 == pytest.approx(-0.15)
    assert found.high - found.low == pytest.approx(1.697261 / 2.042272, rel=1e-6)  # Student's t, 30 df
    row["non_inferiority"] = {"ci": [-0.25, 0.19], "level": 0.98, "margin": 0.3}
    assert ratings.non_inferior([row], "km", "r16", "r64") is True
    assert ratings.non_inferior([row], "km", "r64", "r16") is True  # turned: [-.19, .25]
    row["non_inferiority"]["margin"] = 0.2
    assert [ratings.non_inferior([row], "km", *pair) for pair in (("r16", "r64"), ("r64", "r16"))] == [False, True]
    mos = {"off": None, 16: 4.20, 64: 4.23}
    row["non_inferiority"]["margin"] = 0.3
    chosen = by_mos([row], mos)
    assert chosen["ship"] == 16
    assert "(98 % interval above -0.30)" in chosen["because"]
    assert chosen["because"].endswith("not rated: zero-shot")


def test_the_banner_is_raised_where_loss_and_listeners_disagree():
    lost = {"off": clips(0.0), 64: clips(-0.1), 128: clips(-0.2)}
    rows = candidates(lost, {"off": 3.85, 64: 4.23, 128: 4.1})
    assert "lowest held-out loss is of rank 128" in selection.disagreement("km", rows)
    assert "highest MOS of rank 64 (4.23)" in selection.disagreement("km", rows)
    assert selection.disagreement("km", candidates(lost, {"off": 3.85, 64: 4.0, 128: 4.1})) is None
    assert selection.disagreement("km", candidates(lost)) is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is no analysis of ratings"),
        ("[]", "is no analysis of ratings"),
        ('{"comparisons": []}', "compares nothing"),
        ('{"comparisons": [{"language": "km"}]}', "lacks baseline"),
        (json.dumps({"comparisons": [comparison("zero-shot", "r8", 4, 4)] * 2}), "is compared twice"),
        (json.dumps({"comparisons": [comparison("zero-shot", "r8", 4, 4) | {"mos": None}]}), "only MOS can select"),
    ],
)
def test_a_file_that_is_no_analysis_is_one_line(tmp_path, content, says):
    (tmp_path / "analysis.json").write_text(content)
    with pytest.raises(UserError, match=says) as refused:
        ratings.read(tmp_path / "analysis.json")
    assert "\n" not in str(refused.value)


def test_analyses_of_two_tests_and_of_other_conditions_are_refused(tmp_path):
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    one.write_text(json.dumps({"comparisons": [comparison("zero-shot", "r8", 4.0, 4.1)]}))
    other.write_text(json.dumps({"comparisons": [comparison("zero-shot", "r8", 4.0, 4.2)]}))
    assert len(ratings.gathered([one, one])) == 1
    with pytest.raises(UserError, match="give analyses of one test"):
        ratings.gathered([one, other])
    with pytest.raises(UserError, match="are they of another test"):
        ratings.check_conditions(ratings.read(one), ["r16"])
