"""What a shell shows of both commands: help whose lines are whole, and completion."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import typer.main
from typer.testing import CliRunner

import curate.cli
import train.cli

ROOT = Path(__file__).resolve().parents[1]
APPS = {"curate": curate.cli.app, "train": train.cli.app}
SHELLS = ("bash", "zsh", "fish")


def first_sentences(app: typer.Typer) -> dict[str, str]:
    """Each subcommand and the first line of its docstring."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    return {name: (command.help or "").splitlines()[0] for name, command in group.commands.items()}


@pytest.mark.parametrize("name", APPS)
def test_help_says_in_a_whole_line_what_each_command_does(name: str) -> None:
    shown = CliRunner().invoke(APPS[name], ["--help"], prog_name=name, env={"COLUMNS": "80", "TERM": "dumb"})
    assert shown.exit_code == 0
    assert "…" not in shown.output
    assert "..." not in shown.output.replace("[ARGS]...", "")
    lines = [re.split(r"\s{2,}", line.strip()) for line in shown.output.partition("Commands:\n")[2].splitlines()]
    assert lines == [list(pair) for pair in first_sentences(APPS[name]).items()]
    assert all(len(line) <= 80 for line in shown.output.splitlines())


@pytest.mark.parametrize(
    ("name", "command"), [(name, each) for name, app in APPS.items() for each in first_sentences(app)]
)
def test_help_of_a_command_fits_80_columns_and_names_arguments_in_capitals(name: str, command: str) -> None:
    shown = CliRunner().invoke(APPS[name], [command, "--help"], prog_name=name, env={"COLUMNS": "80", "TERM": "dumb"})
    assert shown.exit_code == 0
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []
    arguments = re.findall(r"\{(.*?)\}", shown.output.splitlines()[0])
    assert [each for each in arguments if each.removesuffix(".toml") != each.removesuffix(".toml").upper()] == []


def completed(name: str, line: str) -> set[str]:
    """What bash is offered at the end of a line."""
    code = f"import sys, {name}.cli; sys.argv = ['{name}']; {name}.cli.main()"
    words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), f"_{name.upper()}_COMPLETE": "complete_bash"}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **words}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


@pytest.mark.parametrize(
    ("name", "line", "offers"),
    [
        ("curate", "curate ex", {"export", "explain"}),
        ("curate", "curate status --j", {"--json"}),
        ("train", "train res", {"resume"}),
        ("train", "train lora --dry", {"--dry-run"}),
        ("train", "train nothing", set()),
    ],
)
def test_a_shell_completes_commands_and_options(name: str, line: str, offers: set[str]) -> None:
    assert completed(name, line) == offers


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", APPS)
def test_the_script_for_a_shell_is_shown(name: str, shell: str) -> None:
    code = f"import sys, {name}.cli; sys.argv = ['{name}']; {name}.cli.main()"
    environment = {**os.environ, f"_{name.upper()}_COMPLETE": f"source_{shell}"}
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert f"_{name.upper()}_COMPLETE=complete_{shell}" in ran.stdout
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=ran.stdout, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
