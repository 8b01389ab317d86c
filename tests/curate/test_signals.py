"""Signals that ask a command to stop: heard alike, spared where it is asked, and put back."""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import curate
from curate import signals

ROOT = Path(curate.__file__).parents[1]


@pytest.mark.parametrize("number", signals.ALL)
def test_each_of_them_is_ctrl_c_and_what_was_there_before_is_put_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), signals.as_ctrl_c():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_the_first_is_spared_where_it_is_asked_and_the_second_is_not() -> None:
    with signals.as_ctrl_c(spared=1) as interrupted:
        assert not interrupted()
        signal.raise_signal(signal.SIGTERM)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGHUP)


def test_one_around_steps_spares_what_the_one_around_the_command_would_not() -> None:
    with signals.as_ctrl_c() as outer:
        with signals.as_ctrl_c(spared=1) as inner:
            signal.raise_signal(signal.SIGINT)
        assert (inner(), outer()) == (True, False)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_signal_that_is_ignored_as_under_nohup_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.as_ctrl_c() as interrupted:
            signal.raise_signal(signal.SIGHUP)
            assert not interrupted()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("name", ["curate", "train"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_libraries_are_imported_ends_in_one_line(tmp_path: Path, name: str, number: int) -> None:
    """The first library that a command imports is replaced by one that sends the signal."""
    (tmp_path / "typer.py").write_text(f"import os\nos.kill(os.getpid(), {number})\n")
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    ended = subprocess.run(
        [sys.executable, "-m", name, "--version"],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 130
    assert ended.stderr == f"{name}: stopped; nothing was lost: give the same command again\n"


def test_the_commands_begin_where_signals_are_awaited() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"curate": "curate.__main__:main", "train": "train.__main__:main"}
