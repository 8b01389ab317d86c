"""What both commands have in common at a terminal: how they end, and what they say then."""

import codecs
import errno
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

from curate import console
from curate.errors import UserError


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


class Run:
    """Runs a command of one's own, `train do WORD`, as `train` and `curate` are run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *words: str, does: Callable[[], object] = lambda: None) -> Ended:
        app = typer.Typer(pretty_exceptions_enable=False)
        app.callback()(console.options)

        @app.command("do")
        def do(word: str = "") -> None:
            does()

        self._monkeypatch.setattr(sys, "argv", ["train", *words])
        with pytest.raises(SystemExit) as left:
            console.run(app, "train")
        printed = self._capsys.readouterr()
        return Ended(int(left.value.code or 0), printed.out, printed.err)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(monkeypatch, capsys)


def test_what_a_person_can_mend_is_one_line_and_exit_1(run: Run) -> None:
    def mistake() -> None:
        raise UserError("no such thing: name another")

    assert run("do", does=mistake) == (1, "", "train: no such thing: name another\n")


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.ENOSPC, "make room"), (errno.EACCES, "make it writable"), (errno.EROFS, "make it")]
)
def test_what_cannot_be_written_says_what_helps(run: Run, number: int, remedy: str) -> None:
    def refused() -> None:
        raise OSError(number, os.strerror(number), "corpus/.lock")

    status, _, said = run("do", does=refused)
    assert status == 1
    assert f"'corpus/.lock'; {remedy}" in said


def test_a_name_too_long_for_a_file_is_one_line(run: Run, tmp_path: Path) -> None:
    def looked_for() -> None:
        (tmp_path / ("x" * 300)).is_file()

    status, _, said = run("do", does=looked_for)
    assert (status, said.count("\n")) == (1, 1)
    assert "no file can have so long a name" in said


@pytest.mark.parametrize("encoding", ["cp949", "latin-1"])
def test_letters_that_the_terminal_has_not_are_one_line(encoding: str) -> None:
    code = (
        "import typer; from curate import console; app = typer.Typer(); app.callback()(console.options); "
        "app.command('do')(lambda: print('\u17a2')); console.run(app, 'curate')"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    ran = subprocess.run([sys.executable, "-c", code, "do"], capture_output=True, env=environment, check=False)
    assert ran.returncode == 1
    name = codecs.lookup(encoding).name
    told = f"curate: letters cannot be shown in {name}: set PYTHONIOENCODING=utf-8, and the terminal to UTF-8"
    assert ran.stderr.decode() == f"{told}\n"


def test_a_mistake_of_ours_keeps_its_traceback(run: Run) -> None:
    with pytest.raises(ZeroDivisionError):
        run("do", does=lambda: 1 / 0)


@pytest.mark.parametrize("words", [["nothing"], ["do", "--nothing"], ["do", "--word"]])
def test_wrong_usage_is_said_on_standard_error_with_exit_2(run: Run, words: list[str]) -> None:
    ended = run(*words)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("train: ")
    assert ended.err.count("\n") == 1


def test_the_version_is_printed_and_nothing_is_done(run: Run) -> None:
    done: list[bool] = []
    ended = run("--version", "do", does=lambda: done.append(True))
    assert (ended.status, ended.err, done) == (0, "", [])
    assert ended.out == f"samsori 0.1.0, Python {sys.version.split()[0]}\n"


@pytest.mark.parametrize(("verbose", "level"), [(0, None), (1, logging.INFO), (2, logging.DEBUG)])
def test_the_log_is_shown_as_far_as_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, verbose: int, level: int | None
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(logging, "basicConfig", lambda **given: asked.append(given["level"]))
    console.log_to_screen(verbose)
    assert asked == ([] if level is None else [level])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_before_anything_was_begun_is_one_line(run: Run, number: int) -> None:
    ended = run("do", does=lambda: signal.raise_signal(number))
    assert ended == (130, "", "train: stopped; nothing was lost: give the same command again\n")


def test_what_a_library_makes_of_an_end_while_it_is_imported_is_no_traceback(run: Run) -> None:
    def half_imported() -> None:
        try:
            signal.raise_signal(signal.SIGHUP)
        except KeyboardInterrupt:
            raise ImportError("cannot load module more than once per process") from None

    ended = run("do", does=half_imported)
    assert ended == (130, "", "train: stopped; nothing was lost: give the same command again\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["lora", ""], "train: there is only '' after lora: is a variable of the shell unset?"),
        (["resume", ""], "only '' after resume"),
        (["lora", "c", "--model", "", "--into", "r"], "only '' after --model"),
        (["lora", "c", "--model=m", "--into="], "only '' after --into"),
        (["lora", "\udce1\udc9e\udc80"], "'\\udce1\\udc9e\\udc80' cannot be read in this locale: set PYTHONUTF8=1"),
    ],
)
def test_a_word_that_is_empty_or_not_in_the_locale_is_one_line(run: Run, words: list[str], says: str) -> None:
    ended = run(*words)
    assert ended.status == 1
    assert says in ended.err
    assert ended.err.count("\n") == 1


# ---- the two commands themselves, each in a process of its own

COMMANDS = ("curate", "train")


def command(name: str) -> list[str]:
    return [sys.executable, "-m", f"{name}.cli"]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["nope"], "nope"),
        (["--nope"], "--nope"),
        (["params", "--nope"], "--nope"),
        (["status"], "CORPUS"),
        (["export"], "RUN"),
        (["run", "r.toml", "--into", "c", "--workers", "-1"], "--workers"),
        (["say", "run", "--out"], "--out"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_word(name: str, words: list[str], names: str) -> None:
    ended = subprocess.run([*command(name), *words], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith(f"{name}: ")
    assert "--help`" in ended.stderr
    assert names in ended.stderr or words[0] in ended.stderr  # `status` is no command of train


@pytest.mark.parametrize("name", COMMANDS)
def test_without_a_word_the_help_is_shown(name: str) -> None:
    ended = subprocess.run(command(name), capture_output=True, text=True)
    assert ended.returncode == 2
    assert "Commands:" in ended.stdout + ended.stderr


@pytest.mark.parametrize("words", [["curate", "--help"], ["curate", "--version"], ["train", "lora", "--help"]])
def test_who_reads_no_more_ends_a_command_without_a_word(words: list[str]) -> None:
    """What is printed may lie in a buffer until the end: the closed pipe is met there."""
    with subprocess.Popen([*command(words[0]), *words[1:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_closed_standard_input_is_said() -> None:
    shell = f"{' '.join(command('curate'))} text --language km <&-"
    ended = subprocess.run(["sh", "-c", shell], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == "curate: standard input is closed: give lines of text, as in `echo TEXT | curate text`\n"


def test_an_unknown_form_is_refused_before_a_line_is_read() -> None:
    ended = subprocess.run(
        [*command("curate"), "text", "--language", "km", "--form", "zz"], input="", capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "no form 'zz'" in ended.stderr
