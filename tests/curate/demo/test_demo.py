"""The demonstration: every planted flaw is named by a rule that is true of it.

Here without the models that no planted flaw needs, and without training; `make test-long` runs the two commands.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from curate import commands, manifest, outputs
from curate import demo as demonstration
from curate.corpus import Corpus
from curate.measures import catalogue
from curate.recipe import load

ALL = "SAMSORI_LONG" in os.environ
OFF = ("models.turns", "models.speaker", "models.language", "filter.low_quality")
FEWER = [*(f"{key}=false" for key in OFF), "models.quality=[]"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demonstration's folder, and what its commands printed."""
    into = tmp_path_factory.mktemp("demo")
    if not ALL:
        wanted, corpus = load(demonstration.prepare(into), FEWER), Corpus(into / "corpus")
        everything = catalogue.of(wanted)
        # its texts are held to the audio by alignment alone: what the recogniser would write decides nothing here
        measures = replace(
            everything, clips=tuple(each for each in everything.clips if "heard" not in each.outputs), heard_texts=()
        )
        commands.ingest(corpus, wanted, lambda what, done, total: None)
        # one process loads the models once; the other core has another file of tests
        clips = commands.advance(
            corpus, wanted, until="tag", workers=1, watch=lambda what, done, total: None, measures=measures
        )
        outputs.cut_clips(corpus, wanted, clips, lambda what, done, total: None)
        outputs.export(corpus, wanted, clips, format="voxcpm", into=None)
        return into, ""
    said = ""
    for command in ("curate", "train"):
        code = f"import sys, {command}.cli; sys.argv[0] = '{command}'; {command}.cli.main()"
        arguments = [sys.executable, "-c", code, "demo", "--into", str(into)]
        run = subprocess.run(arguments, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        assert "Traceback" not in run.stderr
        said += run.stdout
    return into, said


def test_the_flaws_are_found(demo: tuple[Path, str]) -> None:
    into, said = demo
    flaws = demonstration.compare(into, manifest.read(into / "corpus" / "manifest.parquet"))
    missed = [flaw.flaw for flaw in flaws if not flaw.found]
    assert len(flaws) == 32
    assert missed == []
    assert "32 of 32 planted flaws" in said or not ALL


def test_clean_clips_in_both_languages_are_kept_and_one_speaker_of_each_is_held_out(demo: tuple[Path, str]) -> None:
    clips = manifest.read(demo[0] / "corpus" / "manifest.parquet")
    truth = json.loads((demo[0] / "truth.json").read_text())["clips"]
    flawed = {Path(each["file"]).name for each in truth}
    clean = clips.filter((pl.col("source") == "clips") & ~pl.col("path").is_in(list(flawed)))
    assert clean["drop"].null_count() / clean.height > 0.85
    kept = manifest.kept(clips)
    for language in ("km", "ko"):
        ours = kept.filter(pl.col("language") == language)
        assert set(ours["split"]) == {"train", "validation"}  # of four speakers one is held out
        assert ours["speaker"].n_unique() >= 3
    for shared in ("speaker", "spoken", "sha256"):
        assert kept.group_by(shared).agg(pl.col("split").n_unique())["split"].max() == 1


@pytest.mark.skipif(not ALL, reason="runs both commands, five minutes: `make test-long`")
def test_the_adapter_and_the_report_are_where_it_says(demo: tuple[Path, str]) -> None:
    into, said = demo
    assert "this voice is noise" in said
    for path in ("corpus/report/index.html", "adapter-voxcpm/lora_weights.safetensors", "spoken.wav"):
        assert (into / path).stat().st_size > 1000
        assert str((into / path).parent) in said
    assert (into / "adapter-peft" / "adapter_config.json").is_file()


def test_every_clip_of_the_manifest_is_a_file_and_none_else(demo: tuple[Path, str]) -> None:
    clips = manifest.kept(manifest.read(demo[0] / "corpus" / "manifest.parquet"))
    files = {path.stem for path in (demo[0] / "corpus" / "clips").glob("*.flac")}
    assert files == set(clips["id"])
    lines = (demo[0] / "corpus" / "export" / "voxcpm" / "train.jsonl").read_text().splitlines()
    assert len(lines) == clips.filter(pl.col("split") == "train").height
