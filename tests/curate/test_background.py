"""The process that writes a large corpus's report: the same bytes, and nothing depends on it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from curate import background, commands
from curate.corpus import Corpus
from curate.recipe import Recipe, load
from tests.curate.runs import run, watch

Made = tuple[Corpus, Recipe, pl.DataFrame]


@pytest.fixture
def made(tmp_path: Path, make_table: Callable[..., Path], write_recipe: Callable[..., Path]) -> Made:
    corpus, recipe = Corpus(tmp_path / "corpus"), write_recipe(make_table(count=4))
    clips = run(recipe, corpus.folder, tmp_path / "asked")
    return corpus, load(recipe), clips


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any corpus is large enough, on any machine."""
    monkeypatch.setattr(background, "FEWEST", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})


def files(corpus: Corpus) -> dict[str, bytes]:
    places = [path for path in corpus.folder.rglob("*") if path.is_file() and path.name not in ("log.jsonl", ".lock")]
    return {path.relative_to(corpus.folder).as_posix(): path.read_bytes() for path in places}


@pytest.mark.usefixtures("large")
def test_it_writes_what_the_command_itself_would(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = commands.finish(*made, watch)
    before = files(made[0])
    for name in ("index.html", "report.json"):
        (made[0].report / name).unlink()
    monkeypatch.setattr(commands, "reported", lambda *_: pytest.fail("the command wrote it itself"))
    with background.reporter(made[0]) as reporter:
        done = commands.finish(*made, watch, reporter)
    assert done == alone
    assert files(made[0]) == before


@pytest.mark.usefixtures("large")
def test_what_is_wrong_with_the_report_is_raised_by_the_command(made: Made) -> None:
    made[0].report.write_text("a file where a folder should be")
    with background.reporter(made[0]) as reporter, pytest.raises(FileExistsError):
        commands.finish(*made, watch, reporter)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("end", ["pass", "import sys; sys.stdin.readline(); raise SystemExit(1)"])
def test_where_it_dies_the_command_writes_the_report(made: Made, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(corpus: Corpus) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", end], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(background, "_started", dying)
    with background.reporter(made[0]) as reporter:
        assert commands.finish(*made, watch, reporter).page.is_file()
    assert not [name for name in files(made[0]) if name.endswith(".partial")]


@pytest.mark.usefixtures("large")
def test_where_it_cannot_be_started_there_is_none(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with background.reporter(made[0]) as reporter:
        assert reporter is None


def test_a_small_corpus_and_one_core_have_none(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    with background.reporter(made[0]) as reporter:
        assert reporter is None
    monkeypatch.setattr(background, "FEWEST", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0})
    with background.reporter(made[0]) as reporter:
        assert reporter is None


def test_it_ends_with_the_command() -> None:
    waits = "import threading, time; from curate import background as b\n"
    waits += "threading.Thread(target=b._end_with_the_command, daemon=True).start(); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", waits], stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.close()
    assert process.wait(60) == 1
