"""The first screen's answers, the flow of hours, coverage and provenance: true for the corpus at hand."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate import pipeline, show
from curate.recipe import Recipe
from curate.report import facts, numbers, provenance
from curate.report.flow import NARROW, WIDE, flow
from tests.curate import frames
from tests.curate.report import corpora


def told(folder: Path, rows: list[dict[str, Any]], *overrides: str, licence: str = "") -> dict[str, Any]:
    """The facts of a corpus of these clips; a `licence` for the source and each clip."""
    wanted = corpora.recipe(folder, *overrides)
    if licence:
        source = wanted.source[0].model_copy(update={"licence": licence})
        wanted = wanted.model_copy(update={"source": (source,)})
    rows = [{"licence": licence or "CC-BY-4.0", "ctc_score": 0.9, "pronounced": "말", **row} for row in rows]
    return facts.gather(pipeline.decide(wanted, frames.clips(rows)), wanted)


@pytest.mark.parametrize(
    ("licence", "answer"),
    [
        ("CC-BY-4.0", "yes"), ("CC-BY-SA-4.0", "limits"), ("CC-BY-NC-4.0", "limits"), ("CC-BY-ND-4.0", "unclear"),
        ("my licence", "unclear"),
    ],
)  # fmt: skip
def test_may_i_train_on_it_is_answered_by_the_licence(tmp_path: Path, licence: str, answer: str) -> None:
    found = told(tmp_path, [{}, {}], licence=licence)["may_train"]
    assert found["answer"] == answer
    assert ("not for commercial use" in found["words"]) == ("NC" in licence)
    assert ([line for line in found["because"] if licence in line] != []) == (answer == "unclear" or "NC" in licence)


def test_nothing_kept_is_nothing_to_train_on(tmp_path: Path) -> None:
    found = told(tmp_path, [{"snr": 0.0}])
    assert found["may_train"]["answer"] == "nothing"
    assert "No Korean clip is kept." in [each["says"] for each in found["wrong"]]


def test_what_is_wrong_comes_with_what_is_grave_first(tmp_path: Path) -> None:
    rows = [{"speaker": "a", "spoken": f"말 {i}", "text": f"말 {i}"} for i in range(4)]
    found = told(tmp_path, rows)["wrong"]
    says = [each["says"] for each in found]
    assert "Korean: 5.7 min are missing of 0.1 h wanted." in says
    assert "Korean: 1 person speaks; a voice or an accent may be learned with it." in says
    assert [each["weight"] for each in found] == sorted(each["weight"] for each in found)  # grave before mild
    assert any(line.startswith("validation is empty for Korean: ") for line in says)


def test_held_out_sets_that_are_too_large_and_hours_that_leak_are_told(tmp_path: Path) -> None:
    rows = [
        {"speaker": f"s{i % 10}", "spoken": f"말 {i}", "text": f"말 {i}", "pronounced": f"말 {i}"} for i in range(40)
    ]
    wanted = corpora.recipe(tmp_path, "balance.hours={}", "split.test=0")
    found = pipeline.decide(wanted, frames.clips([{"ctc_score": 0.9, **row} for row in rows]))
    held = found.filter(split="validation")["id"][0]
    leaking = found.with_columns(
        drop=pl.when(pl.col("split") == "validation", pl.col("id") != held).then(pl.lit("leak")).otherwise("drop")
    )
    says = [each["says"] for each in facts.gather(leaking, wanted)["wrong"]]
    assert any(line.startswith("Korean: 15.00 s are dropped as `leak`: they share speaker (15.00 s)") for line in says)
    too_large = [each for each in facts.gather(found, wanted)["wrong"] if "validation holds 10.0%" in each["says"]]
    assert [each["weight"] for each in too_large] == ["mild"]


def test_enough_hours_of_many_persons_are_not_complained_of(tmp_path: Path) -> None:
    rows = [
        {"speaker": f"s{i}", "seconds": 27.0, "spoken": f"말 {i}", "text": f"말 {i}", "cut_end": 27 * 16000,
         "frames": 27 * 16000} for i in range(40)
    ]  # fmt: skip
    found = told(tmp_path, rows, "balance.hours.ko=0.3", "split.test=0.1", "split.validation=0.1")
    says = " ".join(each["says"] for each in found["wrong"])
    assert "Korean: 18.0 min are little to train on" in says  # as many as were asked for, and yet
    assert "missing" not in says
    assert "person" not in says
    assert "empty" not in says


def test_the_flow_loses_what_the_funnel_says(tmp_path: Path) -> None:
    wanted = corpora.recipe(tmp_path)
    found = facts.gather(pipeline.decide(wanted, corpora.measured(120)), wanted)
    for layout in (WIDE, NARROW):
        drawn = flow(found, layout)
        assert [each["rule"] for each in drawn["losses"]] == [
            row["rule"] for row in found["funnel"] if row["dropped"]["clips"]
        ]
        last = max(stripe["y"] for stripe in drawn["stripes"])
        kept = sum(stripe["width"] for stripe in drawn["stripes"] if stripe["y"] == last)
        assert kept / layout.band == pytest.approx(found["kept"]["hours"] / drawn["total"], abs=0.01)
        assert all(0 <= each["x"] <= layout.width for each in drawn["losses"])


def test_a_dropped_clip_counts_once_and_what_else_it_broke_is_told(tmp_path: Path) -> None:
    rows = [{}, {"snr": 0.0, "clipped": 0.5}, {"snr": 0.0, "clipped": 0.5, "bandwidth": 100.0}, {"snr": 0.0}]
    decided = pipeline.decide(corpora.recipe(tmp_path), frames.clips([{"ctc_score": 0.9, **row} for row in rows]))
    numbered = numbers.status(decided, corpora.recipe(tmp_path))
    dropped = {rule: each["clips"] for rule, each in numbered["dropped"].items()}
    assert (dropped["clipped"], dropped["noisy"]) == (2, 1)
    assert (numbered["also_broke"]["narrow_band"], numbered["also_broke"]["noisy"]) == (1, 2)
    line = show.status(numbered).splitlines()[-1]
    assert "counted once" in line
    assert "narrow_band 1, noisy 2" in line
    clean = pipeline.decide(corpora.recipe(tmp_path, "balance.hours={}"), frames.clips([{"ctc_score": 0.9}]))
    assert "counted once" not in show.status(numbers.status(clean, corpora.recipe(tmp_path)))


def test_coverage_counts_what_is_said_against_what_could_be_kept(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"pronounced": "가치", "spoken": "같이", "speech_seconds": 4.0},
        {"pronounced": "강", "spoken": "강"},
        {"pronounced": "팥", "spoken": "팥", "snr": 0.0},  # dropped by a rule: none of what could be kept
        {"language": "km", "pronounced": "kʰɲom saː", "spoken": "ខ្ញុំស្អា"},
    ]
    found = {each["language"]: each for each in told(tmp_path, rows)["coverage"]}
    korean = {each["kind"]: each for each in found["ko"]["kinds"]}
    assert (found["ko"]["clips"], found["ko"]["pool_clips"]) == (2, 2)
    assert korean["initial"]["frequent"] == [["ㄱ", 2], ["ㅊ", 1]]
    assert (korean["initial"]["inventory"], len(korean["initial"]["absent"])) == (19, 17)
    assert "ㅍ" in korean["initial"]["absent"]
    assert korean["initial"]["share"] == 1.0
    assert korean["final"]["rarest"] == [["ㅇ", 1]]
    khmer = {each["kind"]: each for each in found["km"]["kinds"]}
    assert {"ខ្ញុំ", "ស្អា"} <= {what for what, _ in khmer["cluster"]["frequent"]}


def test_provenance_tells_what_is_not_the_default_and_nothing_of_the_machine(tmp_path: Path) -> None:
    wanted = corpora.recipe(
        tmp_path, "filter.noisy=20", "models.language=/home/someone/models/lid", "models.device=cpu"
    )
    (tmp_path / "manifest.parquet").write_bytes(b"x")
    lines = ['{"event": "tag", "measures": {"speech": "silero-2 9cc"}}', '{"event": "ing', '{"event": "report"}']
    (tmp_path / "log.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = provenance.provenance(wanted, tmp_path)
    settings = {each["key"]: each for each in found["settings"]}
    assert settings["filter.noisy"] == {"key": "filter.noisy", "value": 20.0, "default": 15.0}
    assert settings["models.language"]["value"] == "lid"
    assert "models.device" not in settings
    assert found["measures"] == {"speech": "silero-2 9cc"}
    assert found["checksums"] == {
        "manifest.parquet": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    }
    assert "/home" not in json.dumps(found)
    assert str(tmp_path) not in json.dumps(found)


def test_the_digest_is_of_the_clips_and_not_of_what_was_decided(tmp_path: Path) -> None:
    def digest(clips: pl.DataFrame, wanted: Recipe) -> str:
        return str(facts.gather(pipeline.decide(wanted, clips), wanted)["corpus"]["digest"])

    measured = corpora.measured(30)
    first = digest(measured, corpora.recipe(tmp_path))
    assert digest(measured, corpora.recipe(tmp_path, "filter.noisy=30")) == first
    assert digest(measured.head(29), corpora.recipe(tmp_path)) != first
