"""How both commands end: one line and the status that a shell expects."""

import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("words", [["curate", "--help"], ["curate", "--version"], ["train", "params", "--json"]])
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
