"""Two corpora side by side, by the command."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curate import cli, manifest, outputs
from curate.corpus import Corpus
from curate.errors import UserError
from curate.recipe import load
from tests.curate import runs


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


def test_what_is_no_corpus_is_said_before_anything_is_done(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a corpus"):
        outputs.another(tmp_path / "nowhere")
    ran = CliRunner().invoke(cli.app, ["report", str(corpus), "--against", str(tmp_path / "nowhere")])
    assert isinstance(ran.exception, UserError)
    assert not (corpus / "report").exists()
