"""Every command that a page shows exists, with the options that it is shown with."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

import curate.cli
import train.cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("manifests/*.md")]
COMMANDS = {name: typer.main.get_command(cli.app) for name, cli in (("curate", curate.cli), ("train", train.cli))}


def shown() -> Iterator[tuple[str, str]]:
    """The page and each line of its shell blocks that calls one of our commands."""
    for page in sorted(PAGES):
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            for line in block.splitlines():
                command = re.split(r" # | [12]?[<>]", line)[0].strip()
                if command.split(" ")[0] in COMMANDS:
                    yield page.name, command


LINES = sorted(set(shown()))


def test_the_pages_show_commands() -> None:
    assert len(LINES) > 15


@pytest.mark.parametrize(("page", "line"), LINES)
def test_a_command_that_a_page_shows_is_understood(page: str, line: str) -> None:
    name, *words = shlex.split(line)
    group = COMMANDS[name]
    sub = next(word for word in words if not word.startswith("-"))
    command = group.get_command(None, sub)  # type: ignore[attr-defined]
    assert command is not None, f"{page}: {line}"
    context = command.make_context(sub, words[words.index(sub) + 1 :])  # raises where an option or argument is unknown
    assert context.params
