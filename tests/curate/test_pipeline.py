"""Measure and decide apart: nothing is asked twice, nothing is lost, and equal work gives equal bytes."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from curate import commands, manifest, pipeline
from curate.corpus import Corpus
from curate.engine.ask import Context
from curate.engine.local import Local
from curate.engine.store import Store
from curate.ingest import roots
from curate.recipe import load
from tests.curate import fakes
from tests.curate.conftest import RATE, tone

MakeTable = Callable[..., Path]
WriteRecipe = Callable[..., Path]


def run(
    recipe: Path, into: Path, log: Path, *, workers: int = 1, version: str = "1", quality: bool = False
) -> pl.DataFrame:
    """Ingest and go through every step with the fakes."""
    corpus, wanted = Corpus(into), load(recipe)
    with corpus.locked():
        commands.ingest(corpus, wanted, watch)
        asked = fakes.measures(log, version=version, quality=quality)
        return commands.advance(corpus, wanted, until="tag", workers=workers, watch=watch, measures=asked)


def watch(what: str, done: float, total: float) -> None:
    assert done <= total + 1e-6, what


def test_a_changed_threshold_asks_no_model_and_changes_the_decision(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    folder, log = make_table(), tmp_path / "asked"
    kept = manifest.kept(run(write_recipe(folder), tmp_path / "corpus", log))
    before = fakes.asked(log)
    stricter = write_recipe(folder, more="[filter]\nnoisy = 90.0\n")
    after = run(stricter, tmp_path / "corpus", log)
    assert kept.height == 6
    assert set(after["drop"]) == {"noisy"}
    assert fakes.asked(log) == before


def test_a_new_source_asks_only_about_its_own_clips(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    first, log = make_table(count=4), tmp_path / "asked"
    run(write_recipe(first), tmp_path / "corpus", log)
    assert fakes.asked(log).count("signal") == 4
    second = make_table("more", count=3, first=10)
    run(write_recipe(first, second), tmp_path / "corpus", log)
    assert fakes.asked(log).count("signal") == 4 + 3
    assert fakes.asked(log).count("speech") == 4 + 3


def test_another_model_asks_about_everything_again(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    recipe, log = write_recipe(make_table(count=3)), tmp_path / "asked"
    run(recipe, tmp_path / "corpus", log)
    run(recipe, tmp_path / "corpus", log, version="2")
    assert fakes.asked(log).count("signal") == 6


def test_copies_share_their_answers(tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe) -> None:
    folder, log = make_table(count=2), tmp_path / "asked"
    (folder / "copy.wav").write_bytes((folder / "000.wav").read_bytes())
    with (folder / "index.tsv").open("a") as index:
        index.write("copy.wav\t문장 번호 가\twho0\n")
    clips = run(write_recipe(folder), tmp_path / "corpus", log)
    assert fakes.asked(log).count("signal") == 2
    assert clips["drop"].to_list().count("duplicate") == 1
    assert clips.filter(pl.col("drop") == "duplicate")["path"].item() == "copy.wav"


def test_one_worker_or_two_give_the_same_bytes(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    recipe = write_recipe(make_table(count=7))
    run(recipe, tmp_path / "one", tmp_path / "asked1", workers=1)
    run(recipe, tmp_path / "two", tmp_path / "asked2", workers=2)
    assert Corpus(tmp_path / "one").manifest.read_bytes() == Corpus(tmp_path / "two").manifest.read_bytes()


def test_the_rows_of_a_file_cover_it_once_after_every_step(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    folder = tmp_path / "long"
    folder.mkdir()
    pauses = [np.zeros(round(RATE * s), np.float32) for s in (1.5, 0.3, 2.0, 0.05)]
    sound = np.concatenate(
        [part for i, pause in enumerate(pauses) for part in (tone(1.5 + i, 110 + 9 * i, seed=i), pause)]
    )
    soundfile.write(folder / "talk.flac", sound, RATE)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        write_recipe().read_text()
        + f'[[source]]\nid="long"\nkind="folder"\npath="{folder}"\nlanguage="ko"\nlicence="own"\n'
    )
    wanted = load(recipe)
    corpus = Corpus(tmp_path / "corpus")
    ingested = commands.ingest(corpus, wanted, watch)
    asked = fakes.measures(tmp_path / "asked")
    with Local(asked.in_workers(), 1) as engine:
        context = Context(asked, Store(corpus.answers), engine, roots(wanted))
        frames = {"segment": pipeline.measure(wanted, ingested, context, until="segment")}
        frames["measure"] = pipeline.measure(wanted, ingested, context)
    frames |= {step: pipeline.decide(wanted, frames["measure"], until=step) for step in pipeline.DECISIONS}
    assert [*frames] == list(pipeline.STEPS[1:])
    for name, frame in frames.items():
        length = (pl.coalesce("end", "frames") - pl.coalesce("start", pl.lit(0))).sum()
        assert frame.select(length).item() == sound.size, name
    spans = frame.select(pl.coalesce("start", pl.lit(0)), pl.coalesce("end", "frames")).rows()
    assert spans == sorted(spans)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    assert frame.filter(pl.col("speech_seconds") > 1).height >= 3  # the long pauses parted it


def test_a_clip_with_text_is_trimmed_and_never_split(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    silence = np.zeros(2 * RATE, np.float32)
    sound = np.concatenate([silence, tone(2, 120, seed=1), silence, tone(2, 130, seed=2), silence])
    soundfile.write(folder / "a.wav", sound, RATE)
    (folder / "index.tsv").write_text("audio\ttext\na.wav\t두 마디 말\n")
    clip = run(write_recipe(folder), tmp_path / "corpus", tmp_path / "asked").row(0, named=True)
    assert (clip["start"], clip["end"]) == (None, None)
    assert clip["cut_start"] == pytest.approx(2.2 * RATE - 0.2 * RATE, abs=0.03 * RATE)
    assert clip["cut_end"] == pytest.approx(sound.size - 2.2 * RATE + 0.2 * RATE, abs=0.03 * RATE)
    assert clip["seconds"] == pytest.approx((clip["cut_end"] - clip["cut_start"]) / RATE, abs=1e-4)


def test_what_breaks_one_clip_stops_no_other_and_is_said(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    folder = make_table(count=3)
    soundfile.write(folder / "001.wav", tone(2.0, 200, level=0.05, seed=9), RATE)
    (folder / "002.wav").write_bytes(b"RIFF rubbish")
    recipe = write_recipe(folder)
    text = recipe.read_text().replace("quality = []", 'quality = ["dnsmos"]')
    recipe.write_text(text)
    rows = {
        row["path"]: row for row in run(recipe, tmp_path / "corpus", tmp_path / "asked", quality=True).rows(named=True)
    }
    assert rows["000.wav"]["drop"] is None
    assert "low_quality" in rows["001.wav"]["broke"]  # not measured is not good
    assert "too quiet for me" in rows["001.wav"]["error"]
    assert rows["002.wav"]["drop"] == "unreadable"
    assert rows["002.wav"]["error"]


def opened(monkeypatch: pytest.MonkeyPatch, of: Corpus) -> list[str]:
    """What is read of a corpus from here on: names of Parquet files, and `answers` for a measure's."""
    read, real = [], pl.read_parquet

    def note(path: Path, *more: object, **given: object) -> pl.DataFrame:
        read.append("answers" if of.answers in Path(path).parents else Path(path).name)
        return real(path, *more, **given)

    monkeypatch.setattr(pl, "read_parquet", note)
    return read


def test_a_decision_reads_the_measured_frame_and_no_answer(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, log = make_table(), tmp_path / "asked"
    corpus = Corpus(tmp_path / "corpus")
    first = run(write_recipe(folder), corpus.folder, log)
    before, manifest_before = fakes.asked(log), corpus.manifest.read_bytes()
    (folder / "000.wav").unlink()  # nothing listens, hashes or looks at a clip
    read = opened(monkeypatch, corpus)
    for more, dropped in (("[filter]\nnoisy = 90.0\n", 6), ("", 0)):
        wanted = load(write_recipe(folder, more=more))
        clips = commands.advance(
            corpus, wanted, until="tag", workers=1, watch=watch, measures=fakes.measures(log, version="1")
        )
        assert clips["drop"].count() == dropped
    assert read == ["measured.parquet"] * 2
    assert fakes.asked(log) == before
    assert corpus.manifest.read_bytes() == manifest_before
    assert manifest.kept(first).height == 6


@pytest.mark.parametrize("change", ["none", "damaged", "segment", "model"])
def test_the_measured_frame_is_made_anew_where_what_it_came_from_has_changed(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    folder, log = make_table(count=3), tmp_path / "asked"
    corpus = Corpus(tmp_path / "corpus")
    expected = run(write_recipe(folder), corpus.folder, log)
    corpus.measured.unlink() if change == "none" else None
    if change == "damaged":
        corpus.measured.write_bytes(b"PAR1 rubbish")
    wanted = load(write_recipe(folder, more="[segment]\nmargin = 0.1\n" if change == "segment" else ""))
    read = opened(monkeypatch, corpus)
    measures = fakes.measures(log, version="2" if change == "model" else "1")
    clips = commands.advance(corpus, wanted, until="tag", workers=1, watch=watch, measures=measures)
    assert "answers" in read
    assert (clips["cut_start"].to_list() == expected["cut_start"].to_list()) == (change != "segment")


def test_what_could_not_be_measured_is_tried_again_by_a_run_and_not_by_a_decision(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    folder, log = make_table(count=2), tmp_path / "asked"
    with (folder / "index.tsv").open("a", encoding="utf-8") as index:
        index.write("000.wav\tBREAK\twho0\n")
    corpus, wanted = Corpus(tmp_path / "corpus"), load(write_recipe(folder))
    run(write_recipe(folder), corpus.folder, log)
    asked = fakes.asked(log).count("spoken")
    for again, more in ((False, 0), (True, 1)):
        measures = fakes.measures(log)
        commands.advance(corpus, wanted, until="tag", workers=1, watch=watch, measures=measures, again=again)
        assert fakes.asked(log).count("spoken") == asked + more
