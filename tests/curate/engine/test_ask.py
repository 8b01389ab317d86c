"""Nothing is asked twice: only what no answer of this model is kept of."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from curate import commands, manifest
from curate.corpus import Corpus
from curate.errors import UserError
from curate.recipe import load
from tests.curate import fakes
from tests.curate.runs import run, watch

MakeTable = Callable[..., Path]


WriteRecipe = Callable[..., Path]


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


def test_a_source_that_is_not_there_drops_nobody(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    folder, log, corpus = make_table(count=3), tmp_path / "asked", Corpus(tmp_path / "corpus")
    wanted = load(write_recipe(folder))
    before = run(tmp_path / "recipe.toml", corpus.folder, log)
    manifest_bytes = corpus.manifest.read_bytes()

    def again(version: str) -> pl.DataFrame:
        asked = fakes.measures(log, version=version)
        return commands.advance(corpus, wanted, until="tag", workers=1, watch=watch, measures=asked)

    folder.rename(tmp_path / "away")  # as a disk that is not mounted
    assert again("1").equals(before)  # all is known
    with pytest.raises(UserError, match="source clips: none of the 3 recordings that have to be listened to is there"):
        again("2")
    assert corpus.manifest.read_bytes() == manifest_bytes
    (tmp_path / "away").rename(folder)
    (folder / "001.wav").unlink()
    assert again("2")["error"].is_null().to_list() == [True, False, True]


def test_copies_share_their_answers(tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe) -> None:
    folder, log = make_table(count=2), tmp_path / "asked"
    (folder / "copy.wav").write_bytes((folder / "000.wav").read_bytes())
    with (folder / "index.tsv").open("a") as index:
        index.write("copy.wav\t문장 번호 가\twho0\n")
    clips = run(write_recipe(folder), tmp_path / "corpus", log)
    assert fakes.asked(log).count("signal") == 2
    assert clips["drop"].to_list().count("duplicate") == 1
    assert clips.filter(pl.col("drop") == "duplicate")["path"].item() == "copy.wav"
