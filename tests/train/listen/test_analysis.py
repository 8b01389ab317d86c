"""`train listen analyse`: from a file to the JSON that DESIGN fixes, the tables and the folder."""

import csv
import hashlib
import json
import random
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from curate.errors import UserError
from tests.train.listen.test_wilcoxon import AFTER, BEFORE
from train import cli
from train.listen import report, simulate

HEAD = ("listener", "sentence", "language", "condition", "rating")
RANKS = ("zero-shot", "r8", "r64")
MOS = {"zero-shot": 3.6, "r8": 3.7, "r64": 4.1}


def write(path, rows, head=HEAD):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def spread(total, size=8):
    """Ratings of a given sum, as even as can be."""
    low, more = divmod(total, size)
    return [low + (place < more) for place in range(size)]


@pytest.fixture
def reference(tmp_path):
    rows = [
        (f"L{i:02d}", f"s{j}", "km", condition, rating)
        for condition, sums in (("zero-shot", BEFORE), ("r64", AFTER))
        for i, total in enumerate(sums)
        for j, rating in enumerate(spread(total))
    ]
    return write(tmp_path / "reference.csv", rows)


def rated(design="full", listeners=12, sentences=12, languages=("km",), mos=MOS, seed=3):
    """Rows of simulated listeners."""
    rows = []
    for number, language in enumerate(languages):
        square = simulate.latin(listeners, sentences, len(RANKS))
        trials = [
            (f"{language}{i:02d}", f"s{j:02d}", condition)
            for i in range(listeners)
            for j in range(sentences)
            for c, condition in enumerate(RANKS)
            if design == "full" or square[i, j] == c
        ]
        given = simulate.rate(trials, mos, seed=seed + number)
        rows += [(who, what, language, how, rating) for (who, what, how), rating in zip(trials, given, strict=True)]
    return rows


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["train", "listen", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    shown = capsys.readouterr()
    return left.value.code, shown.out, shown.err


def test_the_reference_vector_by_the_command(reference, monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "analyse", reference, "--baseline", "zero-shot", "--json")
    assert code == 0
    facts = json.loads(out)
    (each,) = facts["comparisons"]
    assert (each["language"], each["baseline"], each["condition"]) == ("km", "zero-shot", "r64")
    assert (each["listeners"], each["sentences"]) == (12, 8)
    assert (each["mos_baseline"], each["mos"], each["difference"]) == (3.8125, 4.0625, 0.25)
    assert each["by_listener"]["p_exact"] == 0.005859375
    assert each["by_listener"]["p_asymptotic"] == pytest.approx(0.0071895173, abs=5e-11)
    assert each["hodges_lehmann"] == {"estimate": 0.25, "ci": [0.125, 0.375]}
    assert each["rank_biserial"] == pytest.approx(0.9066666667, abs=5e-11)
    assert {"w", "p_exact", "p_asymptotic"} <= each["by_sentence"].keys()
    assert {"t", "df", "p", "ci"} <= each["crossed"].keys()
    assert each["p_holm"] == each["crossed"]["p"]
    assert each["non_inferior"] is True
    assert facts["excluded"] == []


def test_the_crossed_interval_holds_the_difference(reference):
    (each,) = report.run(reference, baseline="zero-shot")["comparisons"]
    assert each["crossed"]["ci"][0] < each["crossed"]["estimate"] < each["crossed"]["ci"][1]
    assert each["crossed"]["estimate"] == pytest.approx(0.25)
    assert each["bootstrap"] is None  # the design is complete


def test_the_order_of_rows_changes_nothing(tmp_path):
    rows = rated("latin", languages=("km", "ko"))
    shuffled = random.Random(1).sample(rows, len(rows))
    one, other = (
        report.run(write(tmp_path / f"{name}.csv", each), baseline="zero-shot")
        for name, each in (("one", rows), ("other", shuffled))
    )
    for mine in one["comparisons"]:
        (theirs,) = (
            e for e in other["comparisons"] if (e["language"], e["condition"]) == (mine["language"], mine["condition"])
        )
        assert mine["by_listener"] == theirs["by_listener"]
        assert mine["crossed"]["ci"] == pytest.approx(theirs["crossed"]["ci"], rel=1e-9)
    assert one["agreement"]["km"]["icc_2_1"] == pytest.approx(other["agreement"]["km"]["icc_2_1"], rel=1e-9)


def test_holm_counts_the_conditions_of_a_language_and_of_all(tmp_path):
    path = write(tmp_path / "two.csv", rated(languages=("km", "ko")))
    facts = report.run(path, baseline="zero-shot")["comparisons"]
    assert [(each["language"], each["condition"]) for each in facts] == [
        ("km", "r8"), ("km", "r64"), ("ko", "r8"), ("ko", "r64")
    ]  # fmt: skip
    smallest = min(facts, key=lambda each: each["crossed"]["p"])
    assert smallest["p_holm"] == smallest["p_holm_language"] == pytest.approx(2 * smallest["crossed"]["p"])
    assert smallest["p_holm_all"] == pytest.approx(4 * smallest["crossed"]["p"])


def test_a_latin_square_gets_a_mixed_model_and_a_bootstrap(tmp_path):
    each = report.run(write(tmp_path / "latin.csv", rated("latin", 12, 24)), baseline="zero-shot")["comparisons"][1]
    assert each["crossed"]["method"] == "reml"
    assert (each["listeners"], each["sentences"], each["ratings"]) == (12, 24, 2 * 12 * 8)
    assert each["crossed"]["estimate"] == pytest.approx(each["difference"])  # a square is balanced
    low, high = each["bootstrap"]["ci"]
    assert low < each["difference"] < high


def test_a_few_missing_ratings_change_little(tmp_path):
    rows = rated()
    whole, fewer = (
        report.run(write(tmp_path / f"{name}.csv", each), baseline="zero-shot")["comparisons"][1]["crossed"]
        for name, each in (("whole", rows), ("fewer", rows[:-4]))
    )
    assert (whole["method"], fewer["method"]) == ("anova", "reml")
    assert fewer["ci"] == pytest.approx(whole["ci"], abs=0.06)


def test_unequal_counts_are_means_by_listener(tmp_path):
    rows = [("A", f"s{j}", "km", c, r) for c, values in (("b", [3, 4, 4]), ("x", [4, 5])) for j, r in enumerate(values)]
    rows += [
        ("B", f"s{j}", "km", c, r) for c, values in (("b", [2, 2]), ("x", [3, 3, 2])) for j, r in enumerate(values)
    ]
    (each,) = report.run(write(tmp_path / "r.csv", rows), baseline="b")["comparisons"]
    # A: 9/2 - 11/3 = 5/6; B: 8/3 - 2 = 2/3
    assert each["hodges_lehmann"]["estimate"] == pytest.approx((5 / 6 + 2 / 3) / 2)
    assert each["by_listener"]["w"] == 0


CONTROLLED = (*HEAD, "kind", "expected")


def controlled(tmp_path):
    rows = [(*row, "test", "") for row in rated()]
    rows += [(f"km{i:02d}", "trap 2", "km", "trap", 2 if i != 4 else 5, "trap", "2") for i in range(12)]
    rows += [(f"km{i:02d}", "n1", "km", "natural", 5 - (i == 0), "anchor", "") for i in range(12)]
    rows += [("km07", "s00", "km", "r64", 1, "training", "")]
    return write(tmp_path / "controlled.csv", rows, CONTROLLED)


def test_exclusions_are_shown_with_and_without(tmp_path):
    facts = report.run(controlled(tmp_path), baseline="zero-shot")
    assert facts["excluded"] == [{"listener": "km04", "language": "km", "rule": "trap_misses", "why": "1 of 1 wrong"}]
    assert [each["listeners"] for each in facts["comparisons"]] == [11, 11]
    assert [each["listeners"] for each in facts["without_exclusions"]] == [12, 12]
    assert facts["listeners"]["km"]["rated"] == 12
    assert [each["condition"] for each in facts["comparisons"]] == ["r8", "r64"]  # traps and anchors are not compared
    assert facts["conditions"][-1]["condition"] == "natural"


def test_without_a_plan_the_usual_rules_are_shown_and_not_applied(tmp_path):
    rows = rated() + [("flat", f"s{j:02d}", "km", c, 3) for j in range(12) for c in RANKS]
    path = write(tmp_path / "flat.csv", rows)
    facts = report.run(path, baseline="zero-shot")
    assert facts["excluded"] == []
    assert [each["listener"] for each in facts["flagged"]] == ["flat"]
    assert facts["with_usual_rules"][0]["listeners"] == 12
    assert facts["comparisons"][0]["listeners"] == 13
    asked = report.run(path, baseline="zero-shot", exclude="usual")
    assert asked["comparisons"] == facts["with_usual_rules"]
    assert asked["without_exclusions"] == facts["comparisons"]


def plan(tmp_path, **analysis):
    fixed = {"baseline": "zero-shot", "contrasts": ["r8", "r64"], "alpha": 0.05, "margin": 0.1, **analysis}
    content = {"method": "mos", "seed": 1, "conditions": list(RANKS), "analysis": fixed}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(content))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_plan_fixes_baseline_rules_margin_and_family(tmp_path):
    path, _ = plan(
        tmp_path, margin=0.5, family="all", contrasts=["r64"], exclusions={"min_variance": 0.1, "trap_misses": None}
    )
    facts = report.run(controlled(tmp_path), path)
    assert [each["condition"] for each in facts["comparisons"]] == ["r64"]
    assert facts["method"]["margin"] == 0.5
    assert facts["method"]["exclusion_rules"] == {"min_variance": 0.1}
    assert facts["flagged"] == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path, _: path.write_text("{"), "is no plan"),
        (lambda path, _: path.write_text("[]"), "is no plan"),
        (lambda path, _: path.unlink(), "there is no plan"),
        (lambda path, _: path.write_text(path.read_text().replace("0.05", "5")), "alpha is 5"),
        (lambda path, _: path.write_text(path.read_text().replace("r8", "r16")), "r8 was rated and is not in the plan"),
    ],
)
def test_a_plan_that_does_not_fit_is_told(tmp_path, make, words):
    path, _ = plan(tmp_path)
    make(path, tmp_path)
    with pytest.raises(UserError, match=words):
        report.run(controlled(tmp_path), path)


def test_ratings_of_another_plan_are_refused(tmp_path):
    path, digest = plan(tmp_path)
    rows = [(*row, digest) for row in rated()]
    assert report.run(write(tmp_path / "same.csv", rows, (*HEAD, "plan")), path)["method"]["plan"] == digest
    with pytest.raises(UserError, match="a rating of the plan abc"):
        report.run(write(tmp_path / "other.csv", [(*row[:-1], "abc") for row in rows], (*HEAD, "plan")), path)


def test_what_is_not_as_planned_is_said_first(tmp_path):
    path, digest = plan(tmp_path, exclusions={"min_variance": 0.1})
    rows = [(*row, digest) for row in rated()]
    ratings = write(tmp_path / "r.csv", rows, (*HEAD, "plan"))
    assert not any("planned" in note or "hash" in note for note in report.run(ratings, path)["notes"])
    changed = report.run(ratings, path, margin=0.3, exclude="none")["notes"][0]
    assert changed == "not as planned: margin, rules, chosen after the ratings were in"
    unnamed = report.run(write(tmp_path / "bare.csv", rated()), path)["notes"][0]
    assert unnamed.startswith(f"{len(rows):,} ratings without the hash of a plan")


@pytest.mark.parametrize(
    ("rows", "baseline", "words"),
    [
        (rated(), None, "which condition is the baseline"),
        (rated(), "r32", "nobody rated the baseline r32: the conditions are zero-shot, r8, r64"),
        ([row for row in rated() if row[3] == "zero-shot"], "zero-shot", "no condition besides zero-shot"),
        ([("A", "s", "km", "zero-shot", 3), ("B", "s", "km", "r8", 4)], "zero-shot", "no listener rated both"),
    ],
)
def test_what_cannot_be_compared_is_told(tmp_path, rows, baseline, words):
    with pytest.raises(UserError, match=words):
        report.run(write(tmp_path / "r.csv", rows), baseline=baseline)


def test_who_rated_one_condition_only_is_told_and_not_compared(tmp_path):
    rows = [*rated(), *(("half", f"s{j:02d}", "km", "r64", 5) for j in range(12))]
    facts = report.run(write(tmp_path / "r.csv", rows), baseline="zero-shot")
    assert [each["listeners"] for each in facts["comparisons"]] == [12, 12]
    assert any("one condition only" in note and "half" in note for note in facts["notes"])


def test_a_condition_that_one_language_lacks_is_told(tmp_path):
    rows = [row for row in rated(languages=("km", "ko")) if row[2:4] != ("ko", "r8")]
    facts = report.run(write(tmp_path / "r.csv", rows), baseline="zero-shot")
    assert len(facts["comparisons"]) == 3
    assert "ko: nobody rated r8" in facts["notes"]


def test_half_a_file_that_is_cut_between_lines_is_told(tmp_path):
    rows = rated()
    told = "rated fewer items than the others"
    assert not [n for n in report.run(write(tmp_path / "a.csv", rows), None, "zero-shot")["notes"] if told in n]
    cut = report.run(write(tmp_path / "b.csv", rows[:-5]), None, "zero-shot")["notes"]
    assert (
        "km: 1 of 12 listeners rated fewer items than the others, 31 to 36: is the file whole? see rule `finished`"
        in cut
    )


def test_two_ratings_give_an_answer_without_an_interval(tmp_path):
    rows = [("A", "s", "km", "zero-shot", 3), ("A", "s", "km", "r8", 4)]
    (each,) = report.run(write(tmp_path / "r.csv", rows), baseline="zero-shot")["comparisons"]
    assert (each["difference"], each["crossed"], each["non_inferior"], each["p_holm"]) == (1.0, None, None, None)


def test_equal_ratings_everywhere_are_no_difference(tmp_path):
    rows = [(f"L{i}", f"s{j}", "km", c, 4) for i in range(4) for j in range(4) for c in RANKS]
    for each in report.run(write(tmp_path / "r.csv", rows), baseline="zero-shot")["comparisons"]:
        assert (each["difference"], each["by_listener"]["p_exact"], each["crossed"]["p"]) == (0.0, 1.0, 1.0)


def compared(method, tmp_path, seed=0):
    rng = np.random.default_rng(seed)
    low, high = (-3, 3) if method == "cmos" else (0, 1)
    level, size = (0.8, 1.2) if method == "cmos" else (0.8, 0.5)
    rows = [
        (f"L{i:02d}", f"s{j:02d}", "km", "r64", int(np.clip(np.rint(rng.normal(level, size)), low, high)))
        for i in range(12)
        for j in range(10)
    ]
    return write(tmp_path / "c.csv", rows), rows


def test_comparisons_need_no_baseline_ratings(tmp_path):
    path, rows = compared("cmos", tmp_path)
    (each,) = report.run(path, method="cmos")["comparisons"]
    assert each["difference"] == pytest.approx(np.mean([row[4] for row in rows]))
    assert (each["mos"], each["crossed"]["method"]) == (None, "anova")
    assert each["crossed"]["p"] < 0.001
    assert each["by_listener"]["w"] == 0


def test_preferences_are_counted(tmp_path):
    path, rows = compared("ab", tmp_path)
    (each,) = report.run(path, method="ab")["comparisons"]
    wins = sum(row[4] for row in rows)
    assert (each["preferences"]["wins"], each["preferences"]["losses"]) == (wins, 120 - wins)
    assert each["difference"] == pytest.approx(wins / 120 - 0.5)
    assert each["preferences"]["listeners"]["p"] <= 0.05


def test_the_folder_holds_everything_and_can_be_written_again(tmp_path, monkeypatch, capsys):
    path, into = controlled(tmp_path), tmp_path / "out"
    for _ in range(2):
        code, out, _ = run(monkeypatch, capsys, "analyse", path, "--baseline", "zero-shot", "--into", into)
        assert code == 0
    assert sorted(each.name for each in into.iterdir()) == sorted(report.FILES)
    facts = json.loads((into / "analysis.json").read_text())
    kept = list(csv.DictReader((into / "kept.csv").read_text().splitlines()))
    assert {row["listener"] for row in kept} == {f"km{i:02d}" for i in range(12)} - {"km04"}
    assert kept[0].keys() == set(CONTROLLED)
    table = list(csv.DictReader((into / "comparisons.csv").read_text().splitlines()))
    assert float(table[1]["crossed.ci.low"]) == facts["comparisons"][1]["crossed"]["ci"][0]
    page = (into / "comparisons.md").read_text()
    assert "Without exclusions" in page
    assert "exploratory" in page
    drawing = ElementTree.parse(into / "mos.svg").getroot()
    texts = [each.text for each in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"km", *RANKS, "natural"} <= set(texts)
    assert "km04" in out
    assert "exploratory" in out
    wide = [line for line in out.splitlines() if len(line) > 80 and not line.startswith("written")]  # that is a path
    assert [line for line in wide if "note" not in line and "─" not in line] == []


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("all I have")
    with pytest.raises(UserError, match=r"thesis\.tex"):
        report.run(controlled(tmp_path), baseline="zero-shot", into=tmp_path / "mine")


def test_names_that_mean_something_elsewhere(tmp_path, monkeypatch, capsys):
    rows = [(who, what, lang, "<b>[red]r64|x" if how == "r64" else how, r) for who, what, lang, how, r in rated()]
    path = write(tmp_path / "odd.csv", rows)
    code, out, _ = run(monkeypatch, capsys, "analyse", path, "--baseline", "zero-shot", "--into", tmp_path / "out")
    assert code == 0
    assert "<b>[red]" in out
    ElementTree.parse(tmp_path / "out/mos.svg")
    assert r"<b>[red]r64\|x" in (tmp_path / "out/comparisons.md").read_text()


def test_agreement_histogram_and_variances_are_there(tmp_path):
    facts = report.run(write(tmp_path / "r.csv", rated(listeners=24, sentences=24)), baseline="zero-shot")
    assert 0 < facts["agreement"]["km"]["icc_2_1"] < facts["agreement"]["km"]["icc_2_k"] < 1
    (base,) = (each for each in facts["conditions"] if each["condition"] == "zero-shot")
    assert sum(base["histogram"].values()) == base["ratings"] == 24 * 24
    assert base["ci"][0] < base["mean"] < base["ci"][1]
    assert facts["best"] == {"km": "r64"}
    # what was put in: listeners' levels .4, the residual .65 and what rounding adds
    assert facts["variances"]["km"]["listener"] == pytest.approx(0.16, abs=0.1)
    assert facts["variances"]["km"]["residual"] == pytest.approx(0.65**2 + 1 / 12, abs=0.08)


def test_the_folder_of_the_ratings_is_not_written_over(tmp_path, monkeypatch):
    (tmp_path / "alone").mkdir()
    path = write(tmp_path / "alone/ratings.csv", rated())
    before = path.read_bytes()
    monkeypatch.chdir(tmp_path / "alone")
    with pytest.raises(UserError, match=r"ratings\.csv"):
        report.run(path, baseline="zero-shot", into=tmp_path / "alone")
    assert path.read_bytes() == before


@pytest.mark.parametrize("words", [("--margin", "nan"), ("--margin", "inf"), ("--exclude", "mood")])
def test_options_that_mean_nothing_are_told(tmp_path, monkeypatch, capsys, words):
    path = write(tmp_path / "r.csv", rated())
    code, _, err = run(monkeypatch, capsys, "analyse", path, "--baseline", "zero-shot", *words)
    assert code in (1, 2)  # 2 where the option itself is refused
    assert len(err.strip().splitlines()) == 1


def test_a_panel_of_a_crowd_needs_no_matrix_as_large_as_its_ratings(tmp_path):
    """150 listeners by 30 sentences in a square of three: 3,000 ratings a comparison and 360 effects."""
    facts = report.run(write(tmp_path / "r.csv", rated("latin", 150, 30)), baseline="zero-shot")
    (_, each) = facts["comparisons"]
    assert each["crossed"]["method"] == "reml"
    assert each["hodges_lehmann"]["ci"][0] < each["hodges_lehmann"]["estimate"] < each["hodges_lehmann"]["ci"][1]
    assert each["crossed"]["p"] < 0.001
