"""`train sweep` on the tiny model: any subset, killed or shared between processes, ends in the same tables."""

import dataclasses
import json
import re
import shutil
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curate import files
from curate.errors import UserError
from tests.train.evaluate.browser import findings, needs_browser, opened
from tests.train.evaluate.test_selection import comparison
from train import cli, finetune
from train.evaluate import tables
from train.evaluate.plan import Settings
from train.evaluate.sweep import Sweep, sweep
from train.evaluate.synthesis import Speaking
from train.trainer import Step

SHORT = (
    "optimizer.learning_rate=0.01", "batch.tokens=300", "train.steps=4", "train.validate_every=2", "train.save_every=2",
    "train.device=cpu", "train.validation_draws=1",
)  # fmt: skip
EVALUATION = Settings(
    Path(), Path(), most=1, draws=2, quality=False, plain=False, speaking=Speaking(timesteps=2, takes=1)
)
RESULTS = ("sweep.json", "selection.json", "loss.svg", "layout.svg", "index.html")


@pytest.fixture(scope="module")
def asked(wide_corpus, tiny, tmp_path_factory) -> Sweep:
    place = tmp_path_factory.mktemp("sweeps") / "whole"
    return Sweep(wide_corpus, place, str(tiny), ranks=(2, 4), settings=SHORT, evaluation=EVALUATION)


@pytest.fixture(scope="module")
def swept(asked) -> Path:
    """A whole sweep; copy it before you change it."""
    list(sweep(asked))
    return asked.into


@pytest.fixture
def again(asked, swept, tmp_path) -> Sweep:
    """The same in a copy; runs know their own folder, so the copy is a sweep of its own."""
    shutil.copytree(swept, tmp_path / "again")
    return dataclasses.replace(asked, into=tmp_path / "again")


def read(folder: Path, name: str):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def told(asked: Sweep) -> list[str]:
    return [event for event in sweep(asked) if isinstance(event, str)]


def test_every_rank_of_every_language_is_in_the_table(swept):
    table = read(swept, "sweep.json")
    for language in ("km", "ko"):
        rows = table["languages"][language]
        assert [row["rank"] for row in rows] == ["off", 2, 4]
        assert rows[1]["parameters"] * 2 == rows[2]["parameters"]
        assert rows[0]["loss_change"] is None
        for row in rows[1:]:
            low, mean, high = row["loss_change"]
            assert low < mean < high
            assert row["loss"] == pytest.approx(rows[0]["loss"] + mean, abs=2e-6)
            assert row["mos"] is row["mos_change"] is row["p_holm"] is None
    assert [(run["run"], run["state"], run["steps"]) for run in table["runs"]] == [
        ("runs/r2", "evaluated", 4), ("runs/r4", "evaluated", 4)
    ]  # fmt: skip
    assert {row["part"] for row in table["layout"]} == {"base_lm", "residual_lm", "feat_decoder.estimator"}


def test_the_selection_has_the_fixed_form_and_its_reasons(swept):
    chosen = read(swept, "selection.json")
    for language in ("km", "ko"):
        assert chosen[language].keys() == {"ship", "because", "candidates"}
        assert chosen[language]["ship"] in ("off", 2, 4)
        assert "loss cannot select what listeners prefer" in chosen[language]["because"]
        for each in chosen[language]["candidates"]:
            assert each.keys() == {"rank", "loss", "loss_change", "mos", "mos_change", "p_holm"}


def test_plots_name_their_runs_and_seeds_and_the_page_holds_them(swept):
    svg = (swept / "loss.svg").read_text(encoding="utf-8")
    xml.fromstring(svg)
    assert "Seed 0: r2, r4." in svg
    xml.fromstring((swept / "layout.svg").read_text(encoding="utf-8"))
    html = (swept / "index.html").read_text(encoding="utf-8")
    assert html.count("<svg") == 2
    assert 'href="evaluation/index.html"' in html
    assert "<script" not in html


def test_ranks_share_latents_and_seeds(swept, asked):
    runs = [(swept / "runs" / name / "run.toml").read_text() for name in ("r2", "r4")]
    assert runs[0].replace("r2", "r4").replace("rank = 2", "rank = 4") == runs[1]
    assert (asked.corpus / "latents").is_dir()


def test_one_rank_at_a_time_and_two_processes_end_in_the_same_tables(asked, swept, tmp_path):
    parts = dataclasses.replace(asked, into=tmp_path / "parts")
    list(sweep(dataclasses.replace(parts, only=(4,))))
    half = read(parts.into, "sweep.json")
    assert [row["rank"] for row in half["languages"]["km"]] == ["off", 4]
    assert [run["state"] for run in half["runs"]] == ["not begun", "evaluated"]
    with files.locked(parts.into / "runs" / "r2.lock", "busy"):  # another process is at it: it is left to that
        lines = told(parts)
    assert any(line.startswith("left out: r2 of") for line in lines)
    assert "not in the tables yet, for others are at it: r2" in lines
    assert not (parts.into / "runs" / "r2").exists()
    list(sweep(dataclasses.replace(parts, only=(2,))))
    for name in RESULTS:
        assert (parts.into / name).read_bytes() == (swept / name).read_bytes(), name


def test_a_rank_that_was_killed_half_way_is_resumed_and_counted_once(asked, swept, tmp_path):
    killed = dataclasses.replace(asked, into=tmp_path / "killed")
    events = sweep(killed)
    steps = (event for event in events if isinstance(event, Step))
    assert [next(steps).step for _ in range(3)][-1] == 3  # a checkpoint of step 2 is there
    events.close()
    assert not (killed.into / "sweep.json").exists()
    lines = told(killed)
    assert "r2: going on from step 2" in lines
    for name in RESULTS:
        assert (killed.into / name).read_bytes() == (swept / name).read_bytes(), name
    assert (killed.into / "evaluation" / "results.jsonl").read_bytes() == (
        swept / "evaluation" / "results.jsonl"
    ).read_bytes()


def test_the_same_command_again_trains_nothing(again, swept):
    events = list(sweep(again))
    assert not [event for event in events if isinstance(event, (Step, finetune.Finished))]
    for name in RESULTS:
        assert (again.into / name).read_bytes() == (swept / name).read_bytes(), name


def test_seeds_are_averaged_clip_by_clip(again, swept):
    list(sweep(dataclasses.replace(again, ranks=(2,), seeds=(0, 7))))
    table = read(again.into, "sweep.json")
    row = table["languages"]["km"][1]
    assert row["conditions"] == ["r2", "r2-seed7"]
    assert row["loss"] == pytest.approx(sum(row["loss_by_seed"]) / 2, abs=2e-6)
    assert row["clips"] == 4
    svg = (again.into / "loss.svg").read_text(encoding="utf-8")
    assert "Seed 7: r2-seed7." in svg
    assert "Losses are means over seeds." in svg


def rated(tmp_path: Path, **mos: float) -> Path:
    rows = [
        comparison("zero-shot", name, 3.8, value, language=language)
        for language in ("km", "ko")
        for name, value in mos.items()
    ]
    rows += [comparison("r2", name, mos["r2"], value, language=language)
             for language in ("km", "ko") for name, value in {"zero-shot": 3.8, "r4": mos["r4"]}.items()]  # fmt: skip
    path = tmp_path / "analysis.json"
    path.write_text(json.dumps({"comparisons": rows}), encoding="utf-8")
    return path


def test_ratings_choose_and_raise_the_banner_where_they_disagree_with_the_loss(again, tmp_path):
    before = read(again.into, "sweep.json")["languages"]["km"]
    assert before[2]["loss"] < before[1]["loss"]  # rank 4 has learned more in so few steps
    runner = CliRunner()
    analysis = rated(tmp_path, r2=4.2, r4=4.0)
    ran = runner.invoke(cli.app, ["select", str(again.into), "--ratings", str(analysis)])
    assert ran.exit_code == 0, ran.output
    assert "*** km: loss and listeners disagree" in ran.output
    chosen = read(again.into, "selection.json")["km"]
    assert chosen["ship"] == 2
    assert [each["mos"] for each in chosen["candidates"]] == [3.8, 4.2, 4.0]
    assert chosen["candidates"][1]["mos_change"] == pytest.approx([0.35, 0.4, 0.45])
    xml.fromstring((again.into / "mos.svg").read_text(encoding="utf-8"))
    assert "loss and listeners disagree" in (again.into / "index.html").read_text(encoding="utf-8")
    list(sweep(again))  # what was rated stays
    assert read(again.into, "selection.json")["km"] == chosen


def test_select_refuses_what_is_no_sweep_and_ratings_of_another(again, tmp_path):
    with pytest.raises(UserError, match="is no sweep that `train sweep` has evaluated"):
        tables.rate(tmp_path, [])
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"comparisons": [comparison("base", "r512", 4.0, 4.1)]}))
    with pytest.raises(UserError, match="are they of another test"):
        tables.rate(again.into, [other])
    assert not (again.into / "mos.json").exists()


# ---- what is refused


def refusal(asked: Sweep) -> str:
    """The one line that says what is wrong."""
    with pytest.raises(UserError) as problem:
        list(sweep(asked))
    (line,) = str(problem.value).splitlines()
    return line


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"only": (16,)}, "--only 16 is none of the ranks 2, 4"),
        ({"ranks": (2, 2)}, "--ranks names 2 twice"),
        ({"seeds": (1, 1)}, "--seeds names 1 twice"),
        ({"ranks": (5000,)}, r"adapter.rank = 5000"),
        ({"settings": (*SHORT, "adapter.rank=3")}, "--set adapter.rank: a sweep says that itself"),
        ({"settings": (*SHORT, "train.stepz=3")}, "unknown key 'train.stepz'"),
        ({"model": "absent/"}, "absent"),
        ({"ratings": (Path("absent.json"),)}, "is no analysis of ratings"),
        ({"evaluation": dataclasses.replace(EVALUATION, split="test")}, "no clips of km or ko in the split test"),
    ],
)
def test_what_cannot_be_swept_is_one_line_and_begins_nothing(asked, tmp_path, change, says):
    assert re.search(says, refusal(dataclasses.replace(asked, into=tmp_path / "new", **change)))
    assert not (tmp_path / "new").exists()


def test_a_sweep_that_was_begun_with_something_else_is_one_line(again, corpus, other_tiny, tmp_path):
    assert re.search("was begun with base model", refusal(dataclasses.replace(again, model=str(other_tiny))))
    assert re.search("was begun with corpus", refusal(dataclasses.replace(again, corpus=corpus)))
    assert re.search(
        "was begun with settings optimizer weight_decay 0.01, and this is 0.5",
        refusal(dataclasses.replace(again, settings=(*SHORT, "optimizer.weight_decay=0.5"))),
    )
    assert re.search("was begun with seed 0, and this is 3", refusal(dataclasses.replace(again, seeds=(3,))))
    assert re.search("is not empty", refusal(dataclasses.replace(again, into=tmp_path)))


def test_a_sweep_of_an_earlier_version_goes_on_under_the_defaults_of_later_settings(again):
    place = again.into / "begun.json"
    begun = read(again.into, "begun.json")
    del begun["settings"]["train"]["quantization"], begun["settings"]["start_from"]
    place.write_text(json.dumps(begun), encoding="utf-8")
    assert told(again)
    with pytest.raises(UserError, match=r'settings train quantization "?none"?, and this is "?nf4'):
        list(sweep(dataclasses.replace(again, settings=(*SHORT, "train.quantization=nf4"))))


def test_a_run_of_another_rank_in_the_place_of_one_is_one_line(again):
    runs = again.into / "runs"
    (runs / "r2.done.json").unlink()
    shutil.rmtree(runs / "r2")
    shutil.copytree(runs / "r4", runs / "r2")
    assert re.search("holds a run with another adapter than this sweep's", refusal(again))


def test_the_command_goes_on_evaluates_and_prints(swept, wide_corpus, tiny, tmp_path):
    """With the words of the fixture the sweep goes on: its ranks are trained, and are evaluated in another way."""
    into = tmp_path / "sweep"
    shutil.copytree(swept, into)
    shutil.rmtree(into / "evaluation")
    words = ["sweep", str(wide_corpus), "--model", str(tiny), "--ranks", "2,4", "--only", "2", "--into", str(into)]
    short = [word for setting in SHORT for word in ("--set", setting)]
    small = ["--no-plain", "--most", "1", "--takes", "1", "--draws", "1", "--no-quality", "--json"]
    ran = CliRunner().invoke(cli.app, [*words, *short, *small])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout) == read(into, "selection.json")
    table = read(into, "sweep.json")
    assert [(run["run"], run["state"]) for run in table["runs"]] == [("runs/r2", "evaluated"), ("runs/r4", "trained")]
    assert read(into / "evaluation", "evaluation.json")["losses"]["draws"] == 1


@needs_browser
def test_the_page_opens_from_a_file_without_a_complaint(swept):
    with opened(swept / "index.html") as (page, said):
        assert page.locator("table").count() == 4
        assert findings(page) == []
        assert said == []
