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


def kept(measured: pl.DataFrame, wanted: Recipe) -> dict[str, list[float]]:
    """Clips and hours per language that pass the step `filter`."""
    passed = pipeline.decide(wanted, measured, until="filter").filter(pl.col("drop").is_null())
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
        page.locator(f'[data-switch="{name}"]').uncheck()
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


def test_a_person_s_verdict_stands_whatever_the_limits_are(tmp_path: Path, opened: Callable[..., Any]) -> None:
    wanted = corpora.recipe(tmp_path)
    clips = pipeline.decide(wanted, corpora.measured(40, seed=3))
    noisy = int(clips["drop"].is_not_null().arg_max() or 0)
    at = pl.int_range(pl.len()) == noisy
    judged = clips.with_columns(
        pl.when(at).then(pl.lit("keep")).alias("verdict"),
        pl.when(at).then(pl.lit([], dtype=pl.List(pl.String))).otherwise("broke").alias("broke"),
        pl.when(~at).then("drop").alias("drop"),
    )
    assert all(
        each.parts or not each.rule.bounds for each in sliders.rules(judged, wanted) if each.rule.name != "too_long"
    )
    page = opened(report.write(judged, wanted, tmp_path / "report", tmp_path / "clips"))
    told = page.evaluate(TOLD)
    assert told["notes"] == 0
    passed = judged.filter(pl.col("drop").is_null() | pl.col("drop").is_in(["capped", "surplus"]))
    assert sum(clips for clips, _ in told["kept"].values()) == passed.height
