"""What is not ours is left alone, what changed is not believed, what could not be measured is not good."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile

from curate import audio, commands, manifest
from curate.corpus import Corpus
from curate.errors import UserError
from curate.export.clips import cut
from curate.ingest import roots
from curate.recipe import load
from curate.steps import segment
from tests.curate import fakes
from tests.curate.conftest import RATE, tone

ROOT = Path(__file__).resolve().parents[2]


def quiet(what: str, done: float, total: float) -> None:
    """Nobody watches."""


def advance(corpus: Corpus, recipe: Path, log: Path) -> pl.DataFrame:
    return commands.advance(corpus, load(recipe), until="tag", workers=1, watch=quiet, measures=fakes.measures(log))


def test_a_folder_that_is_no_corpus_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "mine.flac").write_bytes(b"precious")
    with pytest.raises(UserError, match="not empty and not a corpus"), Corpus(tmp_path).locked():
        pass
    assert (tmp_path / "clips" / "mine.flac").read_bytes() == b"precious"


def test_cutting_removes_only_what_it_cut(
    tmp_path: Path, make_table: Callable[..., Path], write_recipe: Callable[..., Path]
) -> None:
    recipe, corpus = write_recipe(make_table(count=3)), Corpus(tmp_path / "corpus")
    commands.ingest(corpus, load(recipe), quiet)
    clips = advance(corpus, recipe, tmp_path / "asked")
    folders = roots(load(recipe))
    cut(clips, corpus.clips, folders, progress=lambda done, total: None)
    (corpus.clips / "mine.flac").write_bytes(b"precious")
    first = clips["id"][0]
    fewer = clips.with_columns(pl.when(pl.col("id") == first).then(pl.lit("noisy")).otherwise("drop").alias("drop"))
    cut(fewer, corpus.clips, folders, progress=lambda done, total: None)
    assert (corpus.clips / "mine.flac").read_bytes() == b"precious"
    assert not (corpus.clips / f"{first}.flac").exists()
    assert len(list(corpus.clips.glob("*.flac"))) == 3


def test_a_file_changed_after_ingest_leaves_no_answer_behind(
    tmp_path: Path, make_table: Callable[..., Path], write_recipe: Callable[..., Path]
) -> None:
    folder = make_table(count=2)
    recipe, corpus, log = write_recipe(folder), Corpus(tmp_path / "corpus"), tmp_path / "asked"
    commands.ingest(corpus, load(recipe), quiet)
    original = (folder / "000.wav").read_bytes()
    soundfile.write(folder / "000.wav", tone(2.0, 90, level=0.02, seed=5), RATE)
    changed = advance(corpus, recipe, log).row(0, named=True)
    assert changed["drop"] == "unreadable"
    assert "changed since it was ingested" in changed["error"]
    (folder / "000.wav").write_bytes(original)
    commands.ingest(corpus, load(recipe), quiet)
    restored = advance(corpus, recipe, log).row(0, named=True)
    assert restored["drop"] is None
    assert restored["peak"] > 0.1


def test_a_second_run_reads_no_unchanged_file_again(
    tmp_path: Path, make_table: Callable[..., Path], write_recipe: Callable[..., Path]
) -> None:
    folder = make_table(count=2)
    recipe, corpus = load(write_recipe(folder)), Corpus(tmp_path / "corpus")
    first = commands.ingest(corpus, recipe, quiet)
    times = os.stat(folder / "000.wav")
    scrambled = bytes(reversed((folder / "000.wav").read_bytes()))
    (folder / "000.wav").write_bytes(scrambled)
    os.utime(folder / "000.wav", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert commands.ingest(corpus, recipe, quiet).equals(first)  # it was not opened
    os.utime(folder / "000.wav")
    assert commands.ingest(corpus, recipe, quiet)["error"][0]


def test_a_text_that_could_not_be_normalised_is_not_kept(
    tmp_path: Path, make_table: Callable[..., Path], write_recipe: Callable[..., Path]
) -> None:
    folder = make_table(count=2)
    index = folder / "index.tsv"
    index.write_text(index.read_text().replace("문장 번호 가", "BREAK"))
    recipe, corpus = write_recipe(folder), Corpus(tmp_path / "corpus")
    commands.ingest(corpus, load(recipe), quiet)
    rows = advance(corpus, recipe, tmp_path / "asked").rows(named=True)
    assert "text_unreadable" in rows[0]["broke"]
    assert rows[0]["error"].count("cannot say") == 1
    assert rows[1]["drop"] is None


def test_an_mp3_with_a_korean_tag_of_old_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.mp3"
    soundfile.write(path, tone(2.0, 120), RATE, format="MP3")
    title = "안녕하세요".encode("euc_kr")
    path.write_bytes(path.read_bytes() + b"TAG" + title.ljust(30, b"\0") + b"\0" * 95)
    assert audio.probe(path).frames > RATE


def test_segmenting_takes_work_in_proportion_to_the_length() -> None:
    def work(count: int) -> int:
        """Steps of the interpreter for a recording with so many spans of speech, 6 s apart."""
        spans = [{"start": i * 96000, "end": i * 96000 + 64000} for i in range(count)]
        row = {
            "id": "a", "source": "s", "path": "p", "rate": 16000, "frames": count * 96000, "file_speech": spans,
            "file_turns": [{**span, "speaker": 0} for span in spans],
            "file_events": [{**span, "label": "noise"} for span in spans],
        }  # fmt: skip
        rows = manifest.conform(pl.DataFrame([row]))
        with counted() as steps:
            clips = segment.segment(rows, max_seconds=30, margin=0.2, max_pause=0.6, trim_clips=True)
        assert clips.height >= count
        assert clips["file_speech"].null_count() == clips.height  # a clip does not carry the whole recording's spans
        return steps.total()

    work(3)
    assert work(400) < 1.5 * 8 * work(50)  # eight times as long: far from sixty-four times the work


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Counts the bytecodes that Python runs in our own code, on any machine the same."""
    steps: Counter[str] = Counter()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if "polars" in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        steps[frame.f_code.co_name] += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield steps
    finally:
        sys.settrace(before)


def test_ctrl_c_is_one_line(tmp_path: Path, make_table: Callable[..., Path], write_recipe: Callable[..., Path]) -> None:
    recipe = write_recipe(make_table(count=40))
    command = [sys.executable, "-m", "curate.cli", "run", str(recipe), "--into", str(tmp_path / "corpus")]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    for line in run.stderr:
        if "recordings" in line:
            break
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=60)[1].strip().splitlines()
    if run.returncode == 0:
        pytest.skip("it was done before it could be stopped")
    assert run.returncode == 130
    assert said[-1].startswith("curate: stopped; finished work is kept")
    assert not any("Traceback" in line for line in said)


def test_who_reads_no_more_is_no_error(tmp_path: Path, make_table: Callable[..., Path]) -> None:
    command = f"{sys.executable} -m curate.cli text --language ko < {tmp_path}/lines | head -1"
    (tmp_path / "lines").write_text("사과 3개\n" * 20000, encoding="utf-8")
    ran = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("사과 세 개\n", "")


@pytest.mark.parametrize(("words", "says"), [([""], "there is only ''"), ([b"--into=\xff"], "cannot be read in this")])
def test_an_argument_that_is_none_is_one_line(words: list[str | bytes], says: str) -> None:
    environment = {**os.environ, "PYTHONUTF8": "0", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "curate.cli", "status", *words]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, env=environment)
    assert ran.returncode == 1
    lines = ran.stderr.decode().strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("curate: ")
    assert says in lines[0]


def test_noise_of_nothing_has_no_timeline() -> None:
    assert segment.Timeline([]).inside(0, 10) == []
    assert segment.Timeline([(5, 8, 0), (1, 3, 1)]).inside(2, 6) == [(2, 3, 1), (5, 6, 0)]
    assert np.isclose(segment.Timeline([(0, 4, 0), (6, 9, 0)]).covered(2, 7), 3)
