"""Nothing is asked twice: only what no answer of this model is kept of."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from curate import manifest
from tests.curate import fakes
from tests.curate.runs import run

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


def test_copies_share_their_answers(tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe) -> None:
    folder, log = make_table(count=2), tmp_path / "asked"
    (folder / "copy.wav").write_bytes((folder / "000.wav").read_bytes())
    with (folder / "index.tsv").open("a") as index:
        index.write("copy.wav\t문장 번호 가\twho0\n")
    clips = run(write_recipe(folder), tmp_path / "corpus", log)
    assert fakes.asked(log).count("signal") == 2
    assert clips["drop"].to_list().count("duplicate") == 1
    assert clips.filter(pl.col("drop") == "duplicate")["path"].item() == "copy.wav"
