"""What the page says another threshold would keep is what `curate filter --set` keeps."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from curate import pipeline, report
from curate.recipe import Recipe, load
from curate.report import nearness, sliders
from curate.steps import held_out
from curate.steps.before import NOTHING_BEFORE, Before
from curate.steps.verdicts import SCHEMA
from tests.curate.report import corpora

COUNT = 160
TOLD = """() => {
  const told = () => ({
    kept: Object.fromEntries([...document.querySelectorAll("#whatif-sum [data-language]")].map((row) => {
      const cell = row.querySelector("[data-hours]");
      return [row.dataset.language, [Number(cell.dataset.clips), Number(cell.dataset.hours)]];
    })),
    command: document.getElementById("whatif-command").textContent,
    notes: document.querySelectorAll("#whatif-sum .note").length,
  });
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(told()))));
}"""
# each value put into its box, or the limit switched off, and what the page says of it
MOVED = """async ([key, values]) => {
  const box = document.querySelector(`[data-key="${key}"]`), off = document.querySelector(`[data-off="${key}"]`);
  const found = [];
  for (const value of values) {
    if (value === null) { off.checked = true; off.dispatchEvent(new Event("change")); }
    else { box.value = value; box.dispatchEvent(new Event("input")); }
    found.push(await (TOLD)());
  }
  return found;
}""".replace("TOLD", TOLD)
POINTS = 3


def kept(
    measured: pl.DataFrame, wanted: Recipe, judged: pl.DataFrame | None = None, before: Before = NOTHING_BEFORE
) -> dict[str, list[float]]:
    """Clips and hours per language that pass the step `filter`."""
    decided = pipeline.decide(wanted, measured, until="filter", judged=judged, before=before)
    passed = decided.filter(pl.col("drop").is_null())
    return {
        code: [rows.height, float(rows["seconds"].sum()) / 3600]
        for code in ("km", "ko")
        for rows in [passed.filter(pl.col("language") == code)]
    }


def agree(told: dict[str, Any], expected: dict[str, list[float]]) -> None:
    assert told["notes"] == 0
    for code, (clips, hours) in expected.items():
        assert told["kept"][code][0] == clips, (code, told["command"])
        assert told["kept"][code][1] == pytest.approx(hours, abs=1e-9)


def asked(command: str) -> list[str]:
    """The settings of a printed command."""
    words = shlex.split(command)
    assert words[:3] == ["curate", "filter", "CORPUS"]
    assert words[3::2] == ["--set"] * len(words[4::2])
    return words[4::2]


@pytest.mark.parametrize(
    ("models", "filter"),
    [("", ""), ('aligner = { km = "a/b@1", ko = "a/b@1" }', "noisy = false\nwrong_language = false\nno_text = false")],
)
def test_every_slider_agrees_with_the_command_it_prints(
    tmp_path: Path, opened: Callable[..., Any], models: str, filter: str
) -> None:
    measured = corpora.measured(COUNT, seed=3)
    wanted = corpora.recipe(tmp_path, models=models, filter=filter)
    page = opened(corpora.write(tmp_path, measured, wanted))
    facts = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    first = kept(measured, wanted)
    agree(page.evaluate(TOLD), first)
    limits = [*facts["sliders"], {"key": "filter.duplicate", "low": 0.3, "high": 0.95, "limit": 0.4}]
    assert len(limits) >= 22
    changed = 0
    for limit in limits:
        values: list[float | None] = [round(float(v), 4) for v in np.linspace(limit["low"], limit["high"], POINTS)]
        if page.query_selector(f'[data-off="{limit["key"]}"]') is not None:
            values.append(None)
        for told in page.evaluate(MOVED, [limit["key"], values]):
            settings = asked(told["command"]) if told["command"] else []
            expected = kept(measured, load(tmp_path / "recipe.toml", settings)) if settings else first
            agree(told, expected)
            changed += expected != first
        page.evaluate("document.getElementById('whatif-reset').click()")
    agree(page.evaluate(TOLD), first)
    assert changed > 1.2 * len(limits)  # the values were such that moving them mattered


def test_several_limits_at_once_and_switches_agree(tmp_path: Path, opened: Callable[..., Any]) -> None:
    measured = corpora.measured(COUNT, seed=5)
    wanted = corpora.recipe(tmp_path)
    page = opened(corpora.write(tmp_path, measured, wanted))
    for key, value in (
        ("filter.music", 0.1), ("filter.noise", 0.05), ("filter.no_speech", 2.5), ("filter.wrong_language.other", 0.3),
        ("filter.wrong_language.declared", 0.8), ("filter.several_speakers", None), ("filter.duplicate", 0.31),
        ("segment.min_seconds", 5.0), ("filter.text_mismatch.max_cer", None), ("filter.chopped", -30),
    ):  # fmt: skip
        (told,) = page.evaluate(MOVED, [key, [value]])
        agree(told, kept(measured, load(tmp_path / "recipe.toml", asked(told["command"]))))
    for name in ("no_text", "text_unreadable"):
        page.locator(f'[data-switch="{name}"]').press("Space")  # a click may miss what a busy machine still moves
        told = page.evaluate(TOLD)
        assert f"filter.{name}=false" in asked(told["command"])
        agree(told, kept(measured, load(tmp_path / "recipe.toml", asked(told["command"]))))
    assert len(asked(told["command"])) == 12
    page.locator("#whatif-reset").click()
    agree(page.evaluate(TOLD), kept(measured, wanted))


def test_rules_as_numbers_decide_as_the_rules_do(tmp_path: Path) -> None:
    for seed in (1, 2):
        clips = pipeline.decide(corpora.recipe(tmp_path), corpora.measured(500, seed=seed))
        made = sliders.rules(clips, corpora.recipe(tmp_path))
        broken = sliders.decided(made)
        for each in made:
            did = clips["broke"].list.contains(each.rule.name).to_numpy()
            assert (broken[each.rule.name] == did).all(), each.rule.name
            movable = [bound for bound in each.rule.bounds if bound.key not in sliders.NOT_HERE]
            assert len(each.parts) == len(movable), each.rule.name  # none was given up
        assert sum(flags.any() for flags in broken.values()) >= 14


def test_a_rule_that_is_decided_otherwise_has_no_slider(tmp_path: Path) -> None:
    wanted = corpora.recipe(tmp_path)
    clips = pipeline.decide(wanted, corpora.measured(60))
    other = clips.with_columns(pl.lit(["noisy"], dtype=pl.List(pl.String)).alias("broke"))
    made = {each.rule.name: each for each in sliders.rules(other, wanted)}
    assert made["noisy"].parts == ()
    assert made["noisy"].always.all()


def test_near_clips_are_near_on_both_sides(tmp_path: Path) -> None:
    wanted = corpora.recipe(tmp_path)
    rows = corpora.frames.clips(
        [{"snr": 15.2}, {"snr": 14.9}, {"snr": 2.0}, {"snr": None}, {"snr": 39.0}, {"speech": None}]
    )
    clips = pipeline.decide(wanted, rows.with_columns(pl.lit("말 말").alias("text")))
    near = nearness.nearness(clips, wanted)
    distance = near.distance.tolist()
    assert near.rule[:4] == ["noisy"] * 4
    assert 0 < distance[0] < distance[4]
    assert 0 > distance[1] > distance[2] > distance[3] == -nearness.FAR
    assert distance[5] == -nearness.FAR


def verdicts_over(clips: pl.DataFrame) -> pl.DataFrame:
    """A keep and a drop for each reason to drop a clip, among them copies, drops of what passes, and takedowns."""
    told: dict[str, tuple[str, str]] = {}
    for reason in clips["drop"].unique().sort().to_list():
        ids = clips.filter(pl.col("drop").eq_missing(reason))["id"].to_list()
        told |= dict.fromkeys(ids[:2], ("keep", "")) | dict.fromkeys(ids[2:3], ("drop", ""))
        told |= dict.fromkeys(ids[3:4], ("drop", "Takedown, by mail"))
    alike = clips.filter(pl.col("similar").list.len() > 0)["id"].to_list()
    said = [("keep", ""), ("keep", ""), ("drop", "music"), ("drop", "takedown")]
    told |= dict(zip(alike, said * len(alike), strict=False))
    rows = [(id, verdict, reason, "A") for id, (verdict, reason) in told.items()]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def test_what_people_said_and_what_is_held_out_counts_in_the_page_too(
    tmp_path: Path, opened: Callable[..., Any]
) -> None:
    wanted, measured = corpora.recipe(tmp_path, "split.max_dropped=0.5"), corpora.measured(COUNT, seed=3, copies=40)
    judged = verdicts_over(pipeline.decide(wanted, measured))
    copies = measured.filter(pl.col("similar").list.len() > 0).tail(20)
    rows = [("test", "ko", id, None, None, recording) for id, recording in copies.select("id", "sha256").iter_rows()]
    before = Before(held=pl.DataFrame(rows, schema=held_out.SCHEMA, orient="row"))
    clips = pipeline.decide(wanted, measured, judged=judged, before=before)
    assert {"rejected", "leak", "duplicate"} <= set(clips["drop"].drop_nulls())
    page = opened(report.write(clips, wanted, tmp_path / "report", tmp_path / "clips", held=before.held["id"]))
    told = page.evaluate(TOLD)
    assert told["notes"] == 0
    agree(told, kept(measured, wanted, judged, before))
    moved = set()
    for key, value in (
        ("filter.duplicate", 0.55), ("filter.duplicate", 0.31), ("segment.min_seconds", 4.0), ("filter.noisy", 40),
        ("filter.chopped", -38), ("filter.clipped", None), ("filter.low_quality.dnsmos", 3.45),
    ):  # fmt: skip
        (told,) = page.evaluate(MOVED, [key, [value]])
        expected = kept(measured, load(tmp_path / "recipe.toml", asked(told["command"])), judged, before)
        agree(told, expected)
        moved.add(str(expected))
    assert len(moved) >= 4
