"""Measure and decide apart: nothing is lost, and equal work gives equal bytes."""

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from curate import commands, pipeline
from curate.corpus import Corpus
from curate.engine.ask import Context
from curate.engine.local import Local
from curate.engine.store import Store
from curate.ingest import roots
from curate.measures.definition import Measure, TextExtractor
from curate.recipe import load
from tests.curate import fakes
from tests.curate.conftest import RATE, tone
from tests.curate.runs import run, watch

MakeTable = Callable[..., Path]
WriteRecipe = Callable[..., Path]


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


def pronounced() -> TextExtractor:
    """Of a text in letters of another script nothing is pronounced."""
    return lambda rows: [{"pronounced": "" if "가" in row["spoken"] else "마리"} for row in rows]


def test_a_text_of_which_nothing_is_pronounced_has_no_pace_of_phones(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    corpus, wanted = Corpus(tmp_path / "corpus"), load(write_recipe(make_table(count=3)))
    commands.ingest(corpus, wanted, watch)
    asked = fakes.measures(tmp_path / "asked")
    sounds = Measure("pronounced", "text", ("pronounced",), "1", pronounced, inputs=("spoken",), needs=("spoken",))
    asked = dataclasses.replace(asked, texts=(*asked.texts, sounds))
    clips = commands.advance(corpus, wanted, until="tag", workers=1, watch=watch, measures=asked)
    assert sorted(clips["pronounced"].to_list()) == ["", "마리", "마리"]
    assert clips.sort("pronounced")["phone_pace"].is_null().to_list() == [True, False, False]


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
