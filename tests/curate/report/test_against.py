"""Two corpora side by side, by the command."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from curate import cli, manifest, outputs
from curate.corpus import Corpus
from curate.errors import UserError
from curate.recipe import Recipe, load
from curate.report.against import against
from tests.curate import frames, runs


@pytest.fixture
def corpus(tmp_path: Path, make_table: Callable[..., Path], write_recipe: Callable[..., Path]) -> Path:
    runs.run(write_recipe(make_table(count=4)), tmp_path / "corpus", tmp_path / "log")
    return tmp_path / "corpus"


def test_the_other_corpus_is_read_and_not_changed(corpus: Path) -> None:
    other = corpus.with_name("other")
    shutil.copytree(corpus, other)
    before = {path: path.read_bytes() for path in other.rglob("*") if path.is_file()}
    mine = Corpus(corpus)
    wanted = load(mine.recipe, ["filter.noisy=39.5"])
    page = outputs.write_report(mine, wanted, manifest.read(mine.manifest), against=other)
    found = json.loads(page.with_name("report.json").read_text(encoding="utf-8"))["against"]
    assert found["settings"] == [
        {"key": "filter.noisy", "this": 39.5, "other": load(Corpus(other).recipe).filter.noisy}
    ]
    assert found["clips"]["shared"] == 4
    assert before == {path: path.read_bytes() for path in other.rglob("*") if path.is_file()}


def test_clips_of_another_fate_are_counted_and_listed_and_no_others() -> None:
    def named(*fates: str | None) -> pl.DataFrame:
        splits = [None if fate else "train" for fate in fates]
        return frames.clips([{"drop": fate, "split": split} for fate, split in zip(fates, splits, strict=True)])

    mine = named(None, None, "noisy", "noisy", "music", None)
    its = named(None, "noisy", None, "noisy", "noise", None).with_columns(
        split=pl.when(pl.col("id") == f"{5:016x}").then(pl.lit("test")).otherwise("split")
    )
    recipe = Recipe.model_validate({"source": [{"id": "studio", "kind": "table", "path": "x.tsv", "licence": "own"}]})
    found = against(mine, recipe, its, recipe)["clips"]
    assert [found[name]["clips"] for name in ("gained", "lost", "other_reason")] == [1, 1, 1]
    assert found["other_split"] == 1
    assert [(int(each["id"], 16), each["this"], each["other"]) for each in found["listed"]] == [
        (1, "kept", "noisy"), (2, "noisy", "kept"), (4, "music", "noise"),
    ]  # fmt: skip


def test_what_is_no_corpus_is_said_before_anything_is_done(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a corpus"):
        outputs.another(tmp_path / "nowhere")
    ran = CliRunner().invoke(cli.app, ["report", str(corpus), "--against", str(tmp_path / "nowhere")])
    assert isinstance(ran.exception, UserError)
    assert not (corpus / "report").exists()
