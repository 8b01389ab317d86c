"""What a terminal shows: the words of a pipe, folded to the window, coloured unless NO_COLOR says otherwise."""

import errno
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from rich.cells import cell_len

from curate import show, terminal

ROOT = Path(__file__).resolve().parents[2]
TEXT = (
    "24a9: dropped as noisy; it also broke cer\\n\\nrules\\n"
    "  noisy  BROKEN  3 dB  at least 15 dB of speech over background, which is a long line that a window folds\\n"
    "  text   សួស្តី បង 안녕하세요 여러분"
)


def on_terminal(columns: int, **env: str) -> str:
    """What a window of so many columns gets."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    code = f"from curate import terminal; terminal.write('{TEXT}')"
    known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")}
    ran = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**known, "TERM": "xterm-256color", "PYTHONUTF8": "1", **env},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError as error:
        if error.errno != errno.EIO:  # how Linux tells that the other end is closed
            raise
    assert ran.wait() == 0, shown
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_lines_fit_the_window_and_lose_no_word(columns: int) -> None:
    shown = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(columns))
    assert all(cell_len(line) <= columns for line in shown.splitlines())
    words = TEXT.replace("\\n", "\n").split()
    assert shown.split() == words


def test_colours_are_for_windows_and_no_color_is_respected() -> None:
    assert "\x1b[1;31mBROKEN\x1b[0m" in on_terminal(80)
    assert "\x1b[1;31mdropped as noisy\x1b[0m" in on_terminal(80)
    assert "\x1b" not in on_terminal(80, NO_COLOR="1")
    assert "\x1b" not in on_terminal(80, TERM="dumb")


def test_a_pipe_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    line = "  noisy  " + "word " * 100 + "end"
    terminal.write(f"kept\n{line}")
    assert capsys.readouterr().out == f"kept\n{line}\n"


@pytest.mark.parametrize("width", [10, 20, 79])
@pytest.mark.parametrize(
    "line", ["  name  " + "가나다라 " * 30, "x" * 200, "  name  " + "ក" * 150, " " * 90 + "end", ""]
)
def test_folding_keeps_every_letter_and_ends(line: str, width: int) -> None:
    parts = terminal.fold(line, width)
    assert all(cell_len(part) <= width for part in parts)
    assert "".join("".join(parts).split()) == "".join(line.split())


def test_a_bar_beside_each_row_where_there_is_room() -> None:
    rows = [["", "hours"], ["kept", "1.00"], ["noisy", "0.50"], ["music", "0.00"]]
    bars = [None, 1.0, 0.5, 0.0]
    plain = show.table(rows, bars=bars, width=0)
    assert all("█" not in line for line in plain)
    wide = show.table(rows, bars=bars, width=80)
    assert [line.count("█") for line in wide] == [0, 40, 20, 0]
    assert [line.rstrip("█ ") for line in wide] == plain
    assert show.table(rows, bars=bars, width=20) == plain
    assert show.bar(0.001, 10) == "▏"
    assert show.bar(0.55, 10) == "█████▌"
