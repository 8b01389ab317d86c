"""The commands that the pages show: those of the tutorial are run in order, the others after them in the same folder.

What cannot run here (no GPU, no hub, no second installation) is in `NOT_RUN` with the reason; of it what calls `curate`
or `train` is parsed, as is every command inside a sentence.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

import curate.cli
import train.cli

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("manifests/*.md")]
COMMANDS = {name: typer.main.get_command(cli.app) for name, cli in (("curate", curate.cli), ("train", train.cli))}
NOT_RUN = {  # a part of the line: why it is not run
    "openbmb/VoxCPM2": "the real model comes from the hub and wants a GPU",
    "work/run-64": "an adapter of the real model",
    "torchrun": "two processes are run by tests/train/test_distributed.py, on the tiny model",
    "make demo": "its two commands, by tests/curate/demo/test_demo.py and tests/train/test_demo.py",
    "make test": "this is it",
    "venv": "8 GB; the lines are compared with the Makefile's below",
    "pip install": "8 GB; the lines are compared with the Makefile's below",
    "curate.models.bundled": "as the line before; tests/curate/models/ prepares models",
    "cp manifests/own-recordings.toml": "the tutorial's recipe stands in its place; this one is loaded below",
    "train params": "tests/train/estimate/test_params.py",
}
STAND_IN = {" CLIP": " ko-1-01.ogg"}  # in the place of a word that a reader fills in
FILES = {"lines.txt": "맛있다\nតម្លៃ ១២,៥០០៛\n", "mine.tsv": "맛있다\t마싣따\n"}  # that docs/text.md speaks of


def blocks(page: Path) -> list[tuple[str, str]]:
    """Each shell block of a page with the block of output right below it, if any."""
    fences = r"^```sh\n(.*?)^```\n(?:```\n(.*?)^```)?"
    return re.findall(fences, page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def plain(line: str) -> str:
    """A line without its comment."""
    return line.split(" # ")[0].strip()


def lines_of(block: str) -> list[str]:
    """The commands of a block, without comments and without the files that it writes."""
    commands = re.sub(r"(<<'END')\n.*?^END$", r"\1", block, flags=re.DOTALL | re.MULTILINE)
    return [plain(line) for line in commands.splitlines() if plain(line)]


def shown() -> Iterator[tuple[str, str]]:
    """The page and each line of its shell blocks."""
    for page in sorted(PAGES):
        for block, _ in blocks(page):
            yield from ((page.name, line) for line in lines_of(block))


def called() -> Iterator[tuple[str, str]]:
    """The page and each call of `curate` or `train` in it, those within sentences too."""
    for page, line in shown():
        for part in re.split(r" \| ", line):
            yield page, re.split(r" [12]?[<>]", part)[0].replace("$(which train)", "train")
    for page in sorted(PAGES):
        for code in re.findall(r"`((?:curate|train) [^`]+)`", page.read_text(encoding="utf-8")):
            yield page.name, re.split(r" [12]?[<>] ", code.replace("\n", " "))[0]


def reason(line: str) -> str | None:
    """Why a line is not run; None where it is."""
    return next((why for part, why in NOT_RUN.items() if part in line), None)


LINES = list(dict.fromkeys(shown()))
CALLED = sorted({(page, line) for page, line in called() if line.split(" ")[0] in COMMANDS})
TAUGHT = {line for page, line in LINES if page == TUTORIAL.name}
RUN = list(dict.fromkeys(line for _, line in LINES if line not in TAUGHT and reason(line) is None))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the repository in it and `curate`, `train` and `python` of this checkout on the path."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "samsori").symlink_to(ROOT)
    (folder / "bin").mkdir()
    for name, words in {"curate": "-m curate.cli", "train": "-m train.cli", "python": ""}.items():
        (folder / "bin" / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')
        (folder / "bin" / name).chmod(0o755)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(script: str, place: Path) -> str:
    """Run a shell script as a reader would; what it printed. Anything but success fails the test."""
    mine = {
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",  # the tutorial sets it, in a shell that ends with its block here
    }
    words = ["bash", "-euo", "pipefail", "-c", script]
    ended = subprocess.run(
        words, cwd=place, env=os.environ | mine, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert ended.returncode == 0, f"{script}\n{ended.stdout}"
    assert "Traceback" not in ended.stdout
    return ended.stdout


def numberless(line: str) -> str:
    """A line of output without what differs between machines and versions: its numbers, and how far columns stand."""
    return " ".join(re.sub(r"[\d.,]+", "0", line).split())


@pytest.fixture(scope="module")
def taught(place: Path) -> list[tuple[str, str]]:
    """Every block of the tutorial, run in order: the output that the page shows, and what came."""
    ours = [(block, expected) for block, expected in blocks(TUTORIAL) if not any(map(reason, lines_of(block)))]
    return [(expected, run(block, place)) for block, expected in ours]  # all but the last, of the real model


@pytest.mark.slow
@pytest.mark.timeout(1800)  # 90 s of processor time, but all of it in one fixture: a busy machine took 7 minutes
def test_the_tutorial_leads_from_recordings_to_a_sentence(taught: list[tuple[str, str]], place: Path) -> None:
    assert len(taught) > 10
    assert (place / "hello.wav").stat().st_size > 1000
    assert (place / "work/run/export/voxcpm/lora_weights.safetensors").is_file()


@pytest.mark.slow
def test_the_tutorial_shows_what_is_printed(taught: list[tuple[str, str]]) -> None:
    for expected, printed in taught:
        came = {numberless(line) for line in printed.splitlines()}
        missing = [line for line in expected.splitlines() if line != "..." and numberless(line) not in came]
        assert missing == [], printed


@pytest.mark.slow
@pytest.mark.parametrize("line", RUN)
def test_a_command_of_the_other_pages_runs_in_the_tutorials_folder(line: str, taught: object, place: Path) -> None:
    for word, instead in STAND_IN.items():
        line = line.replace(word, instead)
    run(line, place)


def test_what_is_not_run_is_shown_somewhere() -> None:
    unused = [part for part in NOT_RUN if not any(part in line for _, line in LINES)]
    assert unused == []


@pytest.mark.parametrize(("page", "line"), CALLED)
def test_a_command_that_a_page_shows_is_understood(page: str, line: str) -> None:
    name, *words = shlex.split(line)
    while words and words[0].startswith("-"):
        words.pop(0)  # of the command itself: -v
    command = COMMANDS[name].get_command(None, words[0])  # type: ignore[attr-defined]
    assert command is not None, f"{page}: {line}"
    if len(words) > 1:  # raises where an option or argument is unknown
        assert command.make_context(words[0], words[1:]).params


def test_what_the_pages_call_of_make_and_of_our_scripts_exists() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"[`\n]make ([\w-]+)", text)) <= targets
    scripts = re.findall(r"python ((?:benchmarks|docs|samsori/docs)/\w+\.py)([^`\n]*)", text)
    assert len(scripts) > 5
    for script, words in scripts:
        source = (ROOT / script.removeprefix("samsori/")).read_text(encoding="utf-8")
        assert all(option in source for option in re.findall(r"--[\w-]+", words)), (script, words)


def test_the_installation_without_make_is_that_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(VENV)", ".venv")
    quiet = r" --(?:disable-pip-version-check|quiet|progress-bar off)"
    recipe = re.findall(r"^\t\$\(.*?\)(?:/python)? (-m .*)", re.sub(quiet, "", makefile), re.MULTILINE)
    install = [line for page, line in LINES if page == "README.md" and re.match(r"python\S* -m", line)]
    assert len(install) == 4
    assert [line.split(" ", 1)[1] for line in install] == recipe[:4]


@pytest.mark.parametrize("recipe", sorted(ROOT.glob("manifests/*.toml")), ids=lambda path: path.name)
def test_a_recipe_to_copy_is_a_recipe(recipe: Path) -> None:
    from curate.recipe import load

    assert load(recipe, []).source


def test_the_links_of_the_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_picture_of_the_report_is_small() -> None:
    picture = (ROOT / "docs" / "report.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 200_000
