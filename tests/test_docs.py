"""The commands that the pages show: those of the tutorial are run in order, the others after them in the same folder.

What cannot run here (no GPU, no hub, no second installation) is in `NOT_RUN` with the reason. Every command, also one
inside a sentence, is understood by what it calls: `curate`, `train`, `make`, `torchrun`, and the scripts' own parsers.
"""

import argparse
import importlib.util
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import typer.main

import curate.cli
import train.cli
from curate.steps import rule_catalogue

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"
PAGES = sorted(page for place in ("*", "docs/*", "manifests/*", "curate/**/*") for page in ROOT.glob(f"{place}.md"))
COMMANDS = {name: typer.main.get_command(cli.app) for name, cli in (("curate", curate.cli), ("train", train.cli))}
HUB = "the real model comes from the hub and wants a GPU"
REAL = "train lora work/corpus --model openbmb/VoxCPM2 --rank 64 --into"
INSTALLED = "8 GB; the lines are compared with the Makefile's below"
REPRODUCE = (ROOT / "docs" / "reproduce.md").read_text(encoding="utf-8")
TWO = "two processes are run by tests/train/test_distributed.py, on the tiny model"
ASKED = "recorded traps and people are needed; tests/train/listen/ runs each command"
NOT_RUN = {  # a line: why it is not run
    f"{REAL} work/run --dry-run": HUB,
    f"{REAL} work/run": HUB,
    f"{REAL} work/run-64 --dry-run": HUB,
    f"{REAL} work/run-64": HUB,
    'train say work/run-64 --language km --text "សួស្តី" --out hello-64.wav': "an adapter of the real model",
    f"torchrun --nproc-per-node 4 $(which {REAL.replace(' ', ') ', 1)} work/run": TWO,
    "torchrun --nproc-per-node 2 $(which train) resume work/run": TWO,
    "train push work/run/export/voxcpm --repo me/khmer-voice": "a local hub, in tests/train/export/test_push.py",
    "train sweep work/corpus --model openbmb/VoxCPM2 --ranks 8,16,32,64,128 --into work/sweep": HUB,
    "train select work/sweep --ratings zero-shot.json --ratings r64.json": "by tests/train/evaluate/test_sweep.py",
    **dict.fromkeys(
        [
            line
            for block, _ in re.findall(r"^```sh\n((?:curate fetch|make study).*?)^```()", REPRODUCE, re.DOTALL | re.M)
            for line in block.splitlines()
        ],
        "18 GB, a GPU and people; on a tiny model with simulated listeners by tests/train/study/test_demo.py",
    ),
    "train listen plan work/evaluation --into work/test --baseline zero-shot --listeners 24": ASKED,
    "train listen plan work/sweep --into work/test --baseline zero-shot --listeners 24": ASKED,
    "train listen build work/test --into work/listeners": ASKED,
    "train listen serve work/listeners --url https://listen.example.org": ASKED,
    "train listen collect work/listeners downloads/*.json --into work/ratings.csv": ASKED,
    "make demo": "its two commands, by tests/curate/demo/test_demo.py and tests/train/test_demo.py",
    "make test": "this is it",
    "python3.11 -m venv .venv": INSTALLED,
    ". .venv/bin/activate": INSTALLED,
    "python -m pip install --no-deps -r requirements.lock": INSTALLED,
    "python -m pip install --no-deps --no-build-isolation -e .": INSTALLED,
    "python -m curate.models.bundled": "as the line before; tests/curate/models/ prepares models",
    "cp manifests/own-recordings.toml my.toml": "the tutorial's recipe stands in its place; this one is loaded below",
}
PROGRAMS = r"curate|train|make|torchrun|python[\d.]*"
USAGE = typer.BadParameter.__mro__[1]  # the error of wrong usage, which typer does not export
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
    for page in PAGES:
        for block, _ in blocks(page):
            yield from ((str(page.relative_to(ROOT)), line) for line in lines_of(block))


def said() -> Iterator[tuple[str, str]]:
    """The page and each command within its sentences."""
    for page in PAGES:
        sentences = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for code in re.findall(r"`([^`]+)`", sentences):
            if re.match(rf"(?:{PROGRAMS})\s", code):
                yield str(page.relative_to(ROOT)), " ".join(code.split())


def called() -> Iterator[tuple[str, str]]:
    """The page and each call of one of PROGRAMS in it, alone and without files that it reads or writes."""
    for page, line in (*shown(), *said()):
        for part in re.split(r" (?:\||&&) ", line):
            call = re.split(r" [12]?[<>]", part)[0].replace("$(which train)", "train")
            if re.match(rf"(?:{PROGRAMS}) ", call):
                yield page, call


LINES = list(dict.fromkeys(shown()))
CALLED = sorted(set(called()))
TAUGHT = {line for page, line in LINES if page == "docs/tutorial.md"}
RUN = list(dict.fromkeys(line for _, line in LINES if line not in TAUGHT and line not in NOT_RUN))


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


def run(script: str, place: Path) -> tuple[int, str]:
    """Run a shell script as a reader would: its exit status and what it printed."""
    mine = {
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",  # the tutorial sets it, in a shell that ends with its block here
    }
    mine = {name: value for name, value in (os.environ | mine).items() if name != "COLUMNS"}  # as through a pipe
    words = ["bash", "-euo", "pipefail", "-c", script]
    ended = subprocess.run(words, cwd=place, env=mine, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return ended.returncode, ended.stdout


def numberless(line: str) -> str:
    """A line of output without what differs between machines and versions: its numbers, and how far columns stand."""
    return " ".join(re.sub(r"[\d.,]+", "0", line).split())


@pytest.fixture(scope="module")
def taught(place: Path) -> list[tuple[str, str]]:
    """Every block of the tutorial, run in order: the output that the page shows, and what came."""
    outputs = []
    for block, expected in blocks(TUTORIAL):
        if NOT_RUN.keys().isdisjoint(lines_of(block)):  # all but the last, of the real model
            status, printed = run(block, place)
            assert status == 0, f"{block}\n{printed}"
            outputs.append((expected, printed))
    return outputs


@pytest.mark.slow
@pytest.mark.timeout(1800)  # 90 s of processor time, but all of it in one fixture: a busy machine took 7 minutes
def test_the_tutorial_leads_from_recordings_to_a_sentence(taught: list[tuple[str, str]], place: Path) -> None:
    assert len(taught) > 10
    assert (place / "hello.wav").stat().st_size > 1000
    assert (place / "work/run/export/voxcpm/lora_weights.safetensors").is_file()


@pytest.mark.slow
def test_the_tutorial_shows_what_is_printed(taught: list[tuple[str, str]]) -> None:
    missing = []
    for expected, printed in taught:
        came = {numberless(line) for line in printed.splitlines()}
        missing += [line for line in expected.splitlines() if line != "..." and numberless(line) not in came]
        assert "Traceback" not in printed
    assert missing == [], "\n".join(printed for _, printed in taught)


@pytest.mark.slow
@pytest.mark.parametrize("line", RUN)
def test_a_command_of_the_other_pages_runs_in_the_tutorials_folder(line: str, taught: object, place: Path) -> None:
    for word, instead in STAND_IN.items():
        line = line.replace(word, instead)
    status, printed = run(line, place)
    assert status == 0, printed
    assert "Traceback" not in printed


def test_what_is_not_run_is_shown_somewhere() -> None:
    assert NOT_RUN.keys() - {line for _, line in LINES} == set()


def understood(call: str) -> object:
    """What the program that is called makes of a call; raises where it does not know a word of it."""
    name, *words = shlex.split(call)
    if name in COMMANDS:
        return understood_command(name, words)
    if name == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return words if words and set(words) <= set(targets) else None
    if name == "torchrun":
        from torch.distributed.run import get_args_parser

        given = get_args_parser().parse_args(words)
        return understood(shlex.join([given.training_script, *given.training_script_args]))
    if words[0] == "-c":
        return compile(words[1], "-c", "exec")
    if words[0] == "-m":
        return importlib.util.find_spec(words[1])
    return understood_script(ROOT / words[0], words[1:])


def understood_command(name: str, words: list[str]) -> object:
    """The parameters of a call of `curate` or `train`, or the command itself where the page only names it."""
    while words and words[0].startswith("-"):
        words.pop(0)  # of the command itself: -v
    command = COMMANDS[name].get_command(None, words[0])  # type: ignore[attr-defined]
    while isinstance(command, typer.core.TyperGroup) and len(words) > 1:  # train listen analyse
        words = words[1:]
        command = command.get_command(typer.Context(command), words[0])
    if command is None or len(words) == 1:
        return command
    return command.make_context(words[0], words[1:]).params


class Parsed(Exception):
    """In the place of what a script would do with its words."""


def understood_script(script: Path, words: list[str]) -> object:
    """What the parser of a script makes of the words, without doing it; the script where the page only names it."""
    if not words and script.is_file():
        return script
    parse = argparse.ArgumentParser.parse_args

    def stop(parser: argparse.ArgumentParser, *given: object) -> None:
        raise Parsed(parse(parser, *given))  # type: ignore[call-overload]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", stop)
        patch.setattr(sys, "argv", [str(script), *words])
        patch.setattr(sys, "path", [str(script.parent), *sys.path])  # as Python does for a script
        try:
            runpy.run_path(str(script), run_name="__main__")
        except Parsed as parsed:
            return parsed.args[0]
    return None


@pytest.mark.parametrize(("page", "call"), CALLED)
def test_a_command_that_a_page_shows_is_understood(page: str, call: str) -> None:
    assert understood(call) is not None, page


def refused(call: str) -> bool:
    try:
        return understood(call) is None
    except (USAGE, SystemExit, OSError):
        return True


@pytest.mark.parametrize(
    "call",
    [
        "make nothing",
        "curate nothing",
        "train lora --nothing",
        "torchrun --nothing train lora x",
        "python -m curate.nothing",
        "python docs/nothing.py",
        "python docs/picture.py one two",
        "python benchmarks/train_step.py --nothing",
        "python benchmarks/train_step.py --size 7b",
        "python benchmarks/compare_checkouts.py BEFORE",
    ],
)
def test_a_command_that_cannot_be_is_not_understood(call: str) -> None:
    assert refused(call)


def test_every_script_with_a_command_in_its_words_understands_it() -> None:
    calls = {}
    for script in (*ROOT.glob("benchmarks/*.py"), *ROOT.glob("docs/*.py")):
        shown_in = re.findall(
            rf"^    (python {script.parent.name}/.*)", script.read_text(encoding="utf-8"), re.MULTILINE
        )
        calls |= {plain(re.sub(r"\[(.*?)\]", r"\1", call)): script.name for call in shown_in}
    assert len(calls) >= 8
    for call in calls:
        assert understood(re.split(r" > ", call)[0]) is not None


def test_the_readme_counts_the_rules() -> None:
    counts = re.findall(r"(\d+) rules\b", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert counts == [str(len(rule_catalogue.RULES))]


def test_the_installation_without_make_is_that_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(VENV)", ".venv")
    quiet = r" --(?:disable-pip-version-check|quiet|progress-bar off)"
    recipe = re.findall(r"^\t\$\(.*?\)(?:/python)? (-m .*)", re.sub(quiet, "", makefile), re.MULTILINE)
    install = [line for page, line in LINES if page == "README.md" and re.match(r"python\S* -m", line)]
    assert len(install) == 4
    assert [line.split(" ", 1)[1] for line in install] == recipe[:4]


RECIPES = sorted({*ROOT.glob("manifests/*.toml")} - {ROOT / "manifests" / "study.toml"})


def test_the_study_is_a_study() -> None:
    from train.study import settings

    study = settings.read(ROOT / "manifests" / "study.toml")
    assert study.conditions == ("zero-shot", "r8", "r16", "r32", "r64", "r128")
    assert (ROOT / "manifests" / str(study.corpus.recipe)).is_file()
    assert (ROOT / "manifests" / study.sweep.preset).is_file()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
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
    assert len(picture) < 150_000
