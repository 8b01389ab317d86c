"""`train listen power`: chances that agree with theory, with the analysis itself, and with themselves."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from curate.errors import UserError
from tests.train.listen.test_analysis import rated, run, write
from train.listen import comparisons, forecast, power
from train.listen.power import Question
from train.listen.simulate import Deviations

FLAT = Deviations(0.4, 0.3, 0.0, 0.0, 0.0, 0.7)


def test_without_interactions_and_one_effect_it_is_the_t_tests():
    """Only listeners' slopes: variance 2 s^2 / I + 2 r^2 / n of the difference, and I - 1 degrees of freedom."""
    question = Question(deviations=replace(FLAT, listener_condition=0.5), difference=0.35, mos=3.0, replicates=2000)
    (row,) = power.power(question, [16], [12])
    variance = 2 * 0.5**2 / 16 + 2 * (0.7**2 + 1 / 12) / (16 * 12)
    beyond = stats.t.ppf(0.975, 15)
    theory = stats.nct.sf(beyond, 15, 0.35 / np.sqrt(variance))
    assert row["power"] == pytest.approx(theory, abs=0.04)


def test_more_of_either_shows_more():
    rows = power.power(Question(replicates=400), [12, 48], [12, 48])
    chances = {(row["listeners"], row["sentences"]): row["power"] for row in rows}
    assert chances[12, 12] < chances[12, 48] < chances[48, 48]
    assert chances[12, 12] < chances[48, 12] < chances[48, 48]


def test_a_size_gets_the_same_chance_in_any_grid():
    question = Question(replicates=300)
    assert power.power(question, [12], [24])[0] in power.power(question, [12, 20], [12, 24])
    assert power.power(question, [12], [24]) != power.power(replace(question, seed=1), [12], [24])


def test_tests_simulated_some_at_a_time_are_all_counted(monkeypatch):
    whole = power.power(Question(replicates=1000), [12], [24])[0]
    monkeypatch.setattr(power, "CHUNK", 12 * 24 * 90)  # eleven full parts and one of ten
    parts = power.power(Question(replicates=1000), [12], [24])[0]
    assert parts["power"] == pytest.approx(whole["power"], abs=5 * whole["power_error"])


def test_a_plan_says_what_it_can_show_as_power_says_it(tmp_path, make_plan):
    plan = make_plan(tmp_path / "p", listeners={"": 24})
    told = forecast.of_plan(plan)
    assert told.keys() == plan.groups.keys()
    for language, group in plan.groups.items():
        size = [power.closing(Question(design="latin", conditions=len(plan.conditions)), len(group.sentences))]
        question = Question(
            difference=0.38, comparisons=len(plan.analysis.contrasts), design="latin", replicates=500,
            conditions=len(plan.conditions),
        )  # fmt: skip
        (row,) = power.power(question, [24], size)
        assert row.items() <= told[language].items()
        assert f"a gain of 0.38 MOS in {row['power']:.0%} of cases" in told[language]["note"]
        assert ("more listeners or sentences" in told[language]["note"]) == (not row["holds"])
    assert forecast.of_plan(make_plan(tmp_path / "ab", method="ab", traps=0)) == {}
    assert forecast.of_plan(make_plan(tmp_path / "one", listeners={"": 3000})) == {}  # too large to simulate at once


def test_a_size_that_errs_less_often_than_it_says_is_told_and_not_recommended(monkeypatch, capsys):
    """Nobody and nothing differs in the difference: the interval of a small test is too wide (docs)."""
    alike = ("--sd", "listener_condition=0", "--sd", "sentence_condition=0")
    words = ("power", "--listeners", "12", "--sentences", "8", "--difference", "0.9", "--replicates", "4000")
    code, out, _ = run(monkeypatch, capsys, *words, *alike, "--json")
    assert code == 0
    (row,), enough = (json.loads(out)["languages"]["assumed"][name] for name in ("sizes", "enough"))
    assert row["power"] > 0.95
    assert 0.01 < row["type_1_error"] < 0.03
    assert (row["holds"], enough) == (False, None)
    notes = " ".join(json.loads(out)["notes"])
    assert "outside 0.04 to 0.06, not recommended: 12 x 8" in notes
    assert "no size of the table is recommended for a power of 0.8 for +0.9: try larger ones" in notes
    usual = json.loads(run(monkeypatch, capsys, *words, "--json")[1])["languages"]["assumed"]
    assert usual["sizes"][0]["holds"]
    assert usual["enough"] == {"listeners": 12, "sentences": 8}


def test_the_error_is_binomial_and_never_nothing():
    (row,) = power.power(Question(difference=1.0, replicates=400), [24], [24])
    assert row["power"] == 1.0
    assert 0 < row["power_error"] < 0.01


def test_holms_first_step_costs_power():
    one, five = (power.power(Question(comparisons=each, replicates=500), [24], [24])[0]["power"] for each in (1, 5))
    assert five < one


def test_a_loss_can_be_shown_too():
    up, down = (
        power.power(Question(mos=3.0, difference=each, replicates=500), [24], [24])[0]["power"] for each in (0.3, -0.3)
    )
    assert up == pytest.approx(down, abs=0.12)


def test_a_wide_margin_is_easy():
    narrow, wide = (
        power.power(Question(margin=each, replicates=300), [24], [24])[0]["power_non_inferiority"]
        for each in (0.1, 0.5)
    )
    assert narrow < 0.5 < 0.95 < wide


def test_a_latin_square_is_rounded_up_to_one_that_closes():
    rows = power.power(Question(design="latin", conditions=5, replicates=100), [7, 24], [12])
    assert [(row["listeners"], row["sentences"], row["ratings_per_listener"]) for row in rows] == [
        (10, 15, 15),
        (25, 15, 15),
    ]


def test_the_command_finds_the_variances_of_a_pilot(tmp_path, monkeypatch, capsys):
    pilot = write(tmp_path / "pilot.csv", rated(listeners=36, sentences=36))
    words = (
        "power",
        "--pilot",
        pilot,
        "--baseline",
        "zero-shot",
        "--listeners",
        "24",
        "--sentences",
        "24",
        "--replicates",
        "200",
    )
    code, out, _ = run(monkeypatch, capsys, *words, "--json")
    assert code == 0
    facts = json.loads(out)
    found = facts["languages"]["km"]
    assert found["mos"] == pytest.approx(3.6, abs=0.25)
    truth = Deviations()
    for name, tolerance in (("listener", 0.15), ("sentence", 0.12), ("residual", 0.05), ("sentence_condition", 0.1)):
        assert found["deviations"][name] == pytest.approx(getattr(truth, name), abs=tolerance), name
    assert run(monkeypatch, capsys, *words, "--json")[1] == out  # the same again


def test_the_table_says_what_was_assumed_and_what_is_enough(monkeypatch, capsys):
    words = (
        "--listeners",
        "12,24",
        "--sentences",
        "24",
        "--difference",
        "0.5",
        "--replicates",
        "200",
        "--sd",
        "residual=0.8",
    )
    code, out, _ = run(monkeypatch, capsys, "power", *words)
    assert code == 0
    assert "residual 0.80" in out
    assert "±" in out
    assert "are assumptions" in out
    assert "24 listeners x 24 sentences" in out or "12 listeners x 24 sentences" in out
    assert all(len(line) <= 80 for line in out.splitlines() if "note" not in line and "deviations" not in line)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--difference", "0"), "a difference of 0"),
        (("--listeners", "12;24"), "--listeners is '12;24'"),
        (("--listeners", "1"), "from 2 on"),
        (("--sentences", "100000"), "too many"),
        (("--mos", "4.9", "--difference", "0.2"), "between 1 and 5"),
        (("--replicates", "5"), "too few"),
        (("--sd", "mood=1"), "no standard deviation 'mood'"),
        (("--sd", "residual=-1"), "no number from 0 to 10"),
        (("--sd", "residual=nan"), "no number from 0 to 10"),
        (("--pilot", "none.csv"), "there is no none.csv"),
    ],
)
def test_what_cannot_be_simulated_is_told(monkeypatch, capsys, words, told):
    code, _, err = run(monkeypatch, capsys, "power", *words)
    assert code == 1
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_a_pilot_needs_its_baseline(tmp_path, monkeypatch, capsys):
    pilot = write(tmp_path / "pilot.csv", rated())
    assert (
        "which condition is the pilot's baseline? --baseline, one of"
        in run(monkeypatch, capsys, "power", "--pilot", pilot)[2]
    )
    told = run(monkeypatch, capsys, "power", "--pilot", pilot, "--baseline", "r9")[2]
    assert "nobody rated the baseline r9" in told
    with pytest.raises(UserError, match="no variance can be estimated"):
        power.of_pilot([], comparisons.Settings(baseline="zero-shot"))


def test_help_of_the_group_needs_no_numpy():
    words = ["train", "listen", "analyse", "--help"]
    code = f"import sys; sys.argv = {words}; from train.cli import main\n"
    code += "try: main()\nfinally: print('numpy' in sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "train listen analyse ratings.csv --baseline zero-shot" in done.stdout
    assert done.stderr.strip() == "False"
