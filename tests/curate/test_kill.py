"""A run that is killed goes on where it was, and ends in the same bytes as one never killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from curate.corpus import Corpus
from tests.curate import fakes

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from pathlib import Path
from curate import commands, outputs
from curate.engine import store
from curate.corpus import Corpus
from curate.recipe import load
from tests.curate import fakes

if __name__ == "__main__":
    recipe, into, log, workers, pause = sys.argv[1:]
    store.FLUSH_SECONDS = 0.2
    corpus, wanted = Corpus(Path(into)), load(Path(recipe))
    with corpus.locked():
        quiet = lambda what, done, total: None
        commands.ingest(corpus, wanted, quiet)
        asked = fakes.measures(Path(log), pause=float(pause))
        clips = commands.advance(corpus, wanted, until="tag", workers=int(workers), watch=quiet, measures=asked)
        outputs.cut_clips(corpus, wanted, clips, quiet)
"""


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start a run in its own process group, slow where each question is to take a while."""
    script = tmp_path / "slow_run.py"
    script.write_text(SCRIPT)

    def begin(recipe: Path, into: Path, log: Path, workers: int, pause: float = 0.0) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(script), str(recipe), str(into), str(log), str(workers), str(pause)]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True)

    return begin


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(
    tmp_path: Path,
    make_table: Callable[..., Path],
    write_recipe: Callable[..., Path],
    start: Callable[..., subprocess.Popen[bytes]],
) -> None:
    recipe = write_recipe(make_table(count=8))
    assert start(recipe, tmp_path / "whole", tmp_path / "never", 1).wait(120) == 0
    assert fakes.asked(tmp_path / "never").count("signal") == 8

    for workers in (1, 2):
        into, log = tmp_path / f"killed-{workers}", tmp_path / f"asked-{workers}"
        run = start(recipe, into, log, workers, 0.25)
        while fakes.asked(log).count("signal") < 4 and run.poll() is None:
            time.sleep(0.02)
        os.kill(run.pid, signal.SIGKILL)  # the parent alone: its workers must not live on
        run.wait()
        assert not Corpus(into).manifest.exists()
        assert start(recipe, into, log, workers).wait(120) == 0

        whole, killed = Corpus(tmp_path / "whole"), Corpus(into)
        assert killed.manifest.read_bytes() == whole.manifest.read_bytes()
        for clip in whole.clips.glob("*.flac"):
            assert (killed.clips / clip.name).read_bytes() == clip.read_bytes()
        # at most what was under way or waiting to be written was asked twice
        assert fakes.asked(log).count("signal") <= 8 + 1 + workers
        assert _orphans(tmp_path) == []


def _orphans(tmp_path: Path) -> list[str]:
    """Processes of a killed run that are still there after a moment."""
    for _ in range(50):
        found = subprocess.run(
            ["pgrep", "-f", f"slow_run.py.*{tmp_path}"], capture_output=True, text=True
        ).stdout.split()
        if not found:
            return []
        time.sleep(0.1)
    return found


def test_two_commands_do_not_work_on_one_corpus_at_once(
    tmp_path: Path, make_table: Callable[..., Path], write_recipe: Callable[..., Path]
) -> None:
    recipe = write_recipe(make_table(count=1))
    command = [sys.executable, "-m", "curate.cli", "run", str(recipe), "--into", str(tmp_path / "corpus")]
    with Corpus(tmp_path / "corpus").locked():
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert second.returncode == 1
    assert "another curate command is working on" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0
