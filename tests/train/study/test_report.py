"""`train study report`: what it fills, what it judges, and what it refuses in one line."""

import csv
import io
import json
import re
import shutil
import tomllib
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest
import tomlkit
from typer.testing import CliRunner

from curate.errors import UserError
from tests.train.study import made
from train import cli
from train.study import report, settings

STUDY = settings.read(report.DEFAULT)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory) -> Path:
    return made.write_sweep(tmp_path_factory.mktemp("swept") / "sweep", STUDY)


@pytest.fixture(scope="module")
def ratings(tmp_path_factory) -> Path:
    return made.write_ratings(tmp_path_factory.mktemp("rated") / "ratings.csv")


@pytest.fixture(scope="module")
def reported(sweep, ratings, tmp_path_factory) -> Path:
    into = tmp_path_factory.mktemp("reported") / "report"
    report.run(sweep, ratings, into)
    return into


def changed(tmp_path: Path, change) -> Path:
    """The study's file with something changed."""
    raw = tomllib.loads(report.DEFAULT.read_text(encoding="utf-8"))
    raw["corpus"]["recipe"] = str(report.DEFAULT.with_name(raw["corpus"]["recipe"]))
    change(raw)
    (tmp_path / "study.toml").write_text(tomlkit.dumps(raw), encoding="utf-8")
    return tmp_path / "study.toml"


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / f"{name}.csv").read_text(encoding="utf-8"))))


def verdicts(folder: Path) -> dict[tuple[str, str], str]:
    facts = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return {(each["kind"], each["language"]): each["reproduced"] for each in facts["published"]}


def test_every_file_is_written_and_the_same_bytes_again(sweep, ratings, reported, tmp_path):
    report.run(sweep, ratings, tmp_path / "again")
    assert sorted(path.name for path in reported.iterdir()) == sorted(report.FILES)
    for name in report.FILES:
        assert (reported / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_tables_are_by_rank_and_by_rank_and_language(reported):
    share = rows(reported, "share")
    assert [(row["rank"], row["percent"], row["published_percent"]) for row in share] == [
        ("8", "0.1897", "0.19"), ("16", "0.3793", ""), ("32", "0.7586", ""), ("64", "1.5173", ""),
        ("128", "3.0346", "3.03"),
    ]  # fmt: skip
    for name in ("loss", "mos"):
        assert [(row["language"], row["condition"]) for row in rows(reported, name)] == [
            (language, condition) for language in ("km", "ko") for condition in STUDY.conditions
        ]
    best = next(row for row in rows(reported, "mos") if (row["language"], row["condition"]) == ("km", "r64"))
    facts = json.loads((reported / "report.json").read_text())["comparisons"]
    known = next(row for row in facts if (row["language"], row["condition"]) == ("km", "r64"))
    assert float(best["difference"]) == known["difference"]
    assert float(best["p_by_listener"]) == known["by_listener"]["p_exact"]
    assert float(best["p_crossed_holm"]) == known["p_holm"]
    assert float(best["difference_low"]) < 0.38 < float(best["difference_high"])


def test_what_was_published_is_reproduced_where_the_truth_is_as_published(reported):
    assert verdicts(reported) == {
        ("share", ""): "yes", ("mos", "km"): "cannot say", ("difference", "km"): "yes", ("p_by_listener", "km"): "yes",
        ("lowest_loss", "km"): "yes", ("lowest_loss", "ko"): "yes", ("highest_mos", "km"): "yes",
        ("no_gain", "ko"): "cannot say", ("harm", "ko"): "yes",
    }  # fmt: skip


def test_what_is_otherwise_is_not_reproduced(tmp_path):
    loss = {**made.LOSS, "r128": 0.99}
    mos = {
        "km": dict.fromkeys(STUDY.conditions, 3.85) | {"r16": 4.4},
        "ko": dict.fromkeys(STUDY.conditions, 4.0) | {"r8": 4.5, "r128": 4.4},
    }
    sweep = made.write_sweep(tmp_path / "sweep", STUDY, loss=loss)
    report.run(sweep, made.write_ratings(tmp_path / "ratings.csv", mos=mos), tmp_path / "report")
    found = verdicts(tmp_path / "report")
    assert {key: word for key, word in found.items() if key[0] not in ("mos", "share", "p_by_listener")} == {
        ("difference", "km"): "no", ("lowest_loss", "km"): "no", ("lowest_loss", "ko"): "no",
        ("highest_mos", "km"): "no", ("no_gain", "ko"): "no", ("harm", "ko"): "no",
    }  # fmt: skip


def test_few_listeners_cannot_say(sweep, tmp_path):
    few = made.write_ratings(tmp_path / "few.csv", listeners=3, sentences=4)
    report.run(sweep, few, tmp_path / "report")
    found = verdicts(tmp_path / "report")
    assert found["difference", "km"] == found["p_by_listener", "km"] == found["highest_mos", "km"] == "cannot say"
    assert found["no_gain", "ko"] == "cannot say"


def test_another_base_model_is_no_reproduction(sweep, ratings, tmp_path):
    other = changed(tmp_path, lambda raw: raw["model"].update(parameters=10))
    facts = report.run(sweep, ratings, tmp_path / "report", study_file=other)
    assert {each["reproduced"] for each in facts["published"]} == {"cannot say"}
    assert all(each["why"].startswith("another base model") for each in facts["published"])


def test_a_banner_stands_in_everything(sweep, ratings, tmp_path):
    loud = changed(tmp_path, lambda raw: raw["study"].update(banner="only a rehearsal"))
    report.run(sweep, ratings, tmp_path / "report", study_file=loud)
    for name in report.FILES:
        assert "only a rehearsal" in (tmp_path / "report" / name).read_text(encoding="utf-8").lower(), name


def test_figures_name_runs_and_seeds(reported):
    for name in ("loss.svg", "mos.svg", "layout.svg"):
        text = (reported / name).read_text(encoding="utf-8")
        xml.fromstring(text)
        assert "Seed 0: r8, r16, r32, r64, r128." in text, name
    page = (reported / "report.md").read_text(encoding="utf-8")
    assert page.count("Seed 0: r8, r16, r32, r64, r128.") == 5  # two tables, three figures


def test_the_methods_answer_the_four_points_and_guess_nothing(reported):
    text = (reported / "methods.md").read_text(encoding="utf-8")
    assert "Sentences read aloud by volunteers for text-to-speech" in text  # of the recipe that the study names
    assert "Recording conditions: Quiet rooms, portable equipment, 48 kHz" in text
    assert "Consent: not stated." in text
    assert "- Khmer: not stated." in text  # no corpus was given to count in
    assert "Seed 0: r8, r16, r32, r64, r128." in text
    assert "q\\_proj (A 128 x 2048, B 2048 x 128)" in text
    assert "24 listeners rated, 0 excluded, 24 analysed. native speakers not stated" in text
    assert "Design, order, scale text and loudness: not stated" in text
    assert re.search(r"power for a difference of \+0.2, fixed beforehand, at Holm's first step: [01]\.\d\d ±", text)


def test_what_files_say_cannot_break_a_table(tmp_path):
    hostile = {"region": "</td><script>|`x`_&%", "device": "=cmd()", "native": "yes"}
    sweep = made.write_sweep(tmp_path / "sweep", STUDY)
    rated = made.write_ratings(tmp_path / "r.csv", listeners=3, sentences=3, more=hostile)
    report.run(sweep, rated, tmp_path / "report")
    text = (tmp_path / "report" / "methods.md").read_text(encoding="utf-8")
    assert "<script" not in text.replace("\\<script", "")
    assert "\\|\\`x\\`\\_\\&%" in text


def test_a_hash_of_a_plan_that_is_not_given_is_told(sweep, tmp_path):
    facts = report.run(sweep, made.write_ratings(tmp_path / "r.csv", listeners=3, sentences=3), tmp_path / "report")
    assert any(note.startswith("no --plan") for note in facts["notes"])
    assert "no --corpus: hours, persons and balance are not stated" in facts["notes"]


def refused(*words: object) -> str:
    ran = CliRunner().invoke(cli.app, ["study", "report", *map(str, words)])
    assert isinstance(ran.exception, UserError), ran.output
    assert "\n" not in str(ran.exception)
    return str(ran.exception)


def test_a_rank_half_trained_is_refused(sweep, ratings, tmp_path):
    half = shutil.copytree(sweep, tmp_path / "half")
    table = json.loads((half / "sweep.json").read_text())
    table["runs"][1]["state"] = "half trained"
    (half / "sweep.json").write_text(json.dumps(table))
    told = refused(half, "--ratings", ratings, "--into", tmp_path / "x")
    assert "runs/r16" in told
    assert "half trained, not evaluated: the same `train sweep` goes on" in told
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", ["sweep.json", "begun.json", "evaluation/evaluation.json", "layout.svg"])
def test_a_sweep_that_lacks_a_file_is_refused(sweep, ratings, tmp_path, name):
    part = shutil.copytree(sweep, tmp_path / "part")
    (part / name).unlink()
    assert name in refused(part, "--ratings", ratings, "--into", tmp_path / "x")


def test_conditions_that_do_not_match_are_refused(sweep, tmp_path):
    less = {language: {k: v for k, v in mos.items() if k != "r16"} for language, mos in made.TRUE_MOS.items()}
    more = {language: mos | {"r256": 4.0} for language, mos in made.TRUE_MOS.items()}
    files = [
        made.write_ratings(tmp_path / f"{i}.csv", mos=mos, listeners=2, sentences=2)
        for i, mos in enumerate((less, more))
    ]
    one = made.write_ratings(tmp_path / "one.csv", mos={"km": made.TRUE_MOS["km"]}, listeners=2, sentences=2)
    assert "nobody rated r16 in km" in refused(sweep, "--ratings", files[0], "--into", tmp_path / "x")
    assert "ratings of r256 in km" in refused(sweep, "--ratings", files[1], "--into", tmp_path / "x")
    assert "no ratings of ko" in refused(sweep, "--ratings", one, "--into", tmp_path / "x")
    small = changed(tmp_path, lambda raw: raw["sweep"]["ranks"].append(256))
    told = refused(sweep, "--ratings", files[0], "--into", tmp_path / "x", "--study", small)
    assert "the study also 256" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda raw: raw["sweep"].update(rank=[8]), "unknown key sweep.rank; known here: ranks, seeds, preset"),
        (lambda raw: raw.pop("model"), "model is missing"),
        (lambda raw: raw["listening"].update(listeners=1), "listening.listeners:"),
        (lambda raw: raw["claim"][0].pop("rank"), "a claim of kind share needs rank"),
        (lambda raw: raw["claim"][2].update(condition="r12"), "a claim is of r12, which is none of zero-shot, r8"),
        (lambda raw: raw["sweep"]["ranks"].append(8), "sweep.ranks names a rank twice"),
        (lambda raw: raw["corpus"].update(recipe="gone.toml"), "gone.toml, which the study names as corpus.recipe"),
    ],
)
def test_a_study_file_that_is_wrong_is_told_in_one_line(sweep, ratings, tmp_path, change, told):
    file = changed(tmp_path, change)
    assert told in refused(sweep, "--ratings", ratings, "--into", tmp_path / "x", "--study", file)


def test_a_folder_of_something_else_is_not_replaced(sweep, ratings, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    refused(sweep, "--ratings", ratings, "--into", tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
