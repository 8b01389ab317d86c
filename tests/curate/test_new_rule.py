"""A rule stands in one place: one more, with a column of its own, is seen by everything that reads rules."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate import check, explain, manifest, pipeline, report
from curate.errors import UserError
from curate.manifest import COLUMNS, Column
from curate.recipe import Recipe, dump, load, with_rules
from curate.report import numbers
from curate.steps.rule_catalogue import MEASURED, RULES
from curate.steps.rules import Bound, Rule
from tests.curate.frames import clips

ROOT = Path(__file__).resolve().parents[2]
ECHO = Column("echo", pl.Float64, "signal", "how long the room rings", "s", 2)
TOO_ECHOING = Rule(
    "too_echoing",
    (Bound("echo", "at most", "filter.too_echoing", "rings for at most {} s", 0.6, "longest echo", title="Echo"),),
    only=MEASURED,
)
PLACE = [rule.name for rule in RULES].index("noisy") + 1
SCHEMA = with_rules((*RULES[:PLACE], TOO_ECHOING, *RULES[PLACE:]))


@pytest.fixture(autouse=True)
def _echo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COLUMNS, ECHO.name, ECHO)


@pytest.fixture
def recipe(tmp_path: Path) -> Any:
    def make(*overrides: str) -> Recipe:
        (tmp_path / "a.wav").write_bytes(b"RIFF")
        (tmp_path / "x.tsv").write_text("audio\ttext\na.wav\thi\n")
        source = '[[source]]\nid = "studio"\nkind = "table"\npath = "x.tsv"\nlicence = "own"\nlanguage = "ko"\n'
        (tmp_path / "recipe.toml").write_text(source)
        return load(tmp_path / "recipe.toml", overrides, schema=SCHEMA)

    return make


def decided(wanted: Recipe) -> pl.DataFrame:
    echoes = [{"echo": 0.2}, {"echo": 0.9}, {"echo": None}, {"echo": 0.9, "snr": 1.0}, {"speech": None, "error": "x"}]
    return manifest.conform(pipeline.decide(wanted, clips(echoes)))


def test_the_recipe_knows_its_key_default_and_reference(recipe: Any) -> None:
    assert recipe().filter.too_echoing == 0.6
    assert recipe("filter.too_echoing=1").filter.too_echoing == 1.0
    assert "too_echoing = 0.6" in dump(recipe())
    with pytest.raises(UserError, match=r"filter\.too_echoing: should be a number, or false"):
        recipe("filter.too_echoing=loud")
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert "| `too_echoing` | `0.6` | longest echo |" in generate.recipe(SCHEMA)


def test_clips_are_dropped_by_it_in_its_place(recipe: Any) -> None:
    broke = decided(recipe())["broke"].to_list()
    assert broke == [[], ["too_echoing"], ["too_echoing"], ["noisy", "too_echoing"], ["unreadable"]]
    assert decided(recipe("filter.too_echoing=false"))["broke"].to_list()[1:4] == [[], [], ["noisy"]]


def test_the_report_counts_it_draws_it_and_shows_who_broke_it(recipe: Any, tmp_path: Path) -> None:
    wanted = recipe()
    page = report.write(decided(wanted), wanted, tmp_path / "report", tmp_path / "clips")
    facts = json.loads((tmp_path / "report" / "report.json").read_text())
    (row,) = [row for row in facts["funnel"] if row["rule"] == "too_echoing"]
    assert (row["wanted"], row["dropped"]["clips"], row["broke"]) == ("rings for at most 0.6 s", 2, 3)
    assert row["did_not_apply"] == {"the file could not be read": 1}
    (drawn,) = [each for each in facts["distributions"] if each["column"] == "echo"]
    assert (drawn["title"], drawn["unit"]) == ("Echo", "s")
    assert drawn["limits"] == [{"rule": "too_echoing", "value": 0.6}]
    assert {each["found"] for each in facts["examples"]["dropped"]["too_echoing"]} == {"0.9 s", ""}
    assert "rings for at most 0.6 s" in page.read_text()
    assert numbers.status(decided(wanted), wanted)["dropped"]["too_echoing"]["clips"] == 2


def test_explain_says_value_threshold_and_whether_it_holds(recipe: Any) -> None:
    wanted = recipe()
    clips = decided(wanted)
    explained = [explain.explain(clips, id, wanted)["rules"]["too_echoing"] for id in clips["id"]]
    assert [each["holds"] for each in explained] == [True, False, False, False, None]
    assert explained[1] == {"value": 0.9, "threshold": 0.6, "holds": False, "why": None}
    text = explain.as_text(explain.explain(clips, clips["id"][1], wanted), wanted)
    assert any(line.split()[:4] == ["too_echoing", "BROKEN", "0.9", "s"] for line in text.splitlines())
    assert "rings for at most 0.6 s" in text


def test_check_names_it_where_it_is_off(recipe: Any) -> None:
    assert "too_echoing" not in check.check(recipe())["rules_off"]
    assert "too_echoing" in check.check(recipe("filter.too_echoing=false"))["rules_off"]
