"""Write the reference pages that come from the code; with --check, only say which are stale."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
NOTE = "<!-- Made by `make docs` from the code; edit that instead. -->\n"


def columns() -> str:
    """docs/columns.md: every declared column of the manifest."""
    from curate.manifest import COLUMNS

    lines = ["# The manifest's columns", "", NOTE]
    lines += ["One row per clip. Rows are never deleted, only marked in `drop`.", ""]
    lines += ["| column | type | unit | written by | meaning |", "|---|---|---|---|---|"]
    stored = [column for column in COLUMNS.values() if column.stored]
    lines += [f"| `{c.name}` | {c.dtype} | {c.unit} | {c.writer} | {_cell(c.meaning)} |" for c in stored]
    lines += ["", "Kept in the answers only, not in the manifest:", "", "| column | unit | meaning |", "|---|---|---|"]
    lines += [f"| `{c.name}` | {c.unit} | {_cell(c.meaning)} |" for c in COLUMNS.values() if not c.stored]
    return "\n".join(lines) + "\n"


def recipe(schema: Any = None) -> str:
    """docs/recipe.md: every key of a recipe, or of another schema of one, with its default."""
    from curate.recipe import Recipe

    schema = schema or Recipe
    lines = ["# The recipe", "", NOTE]
    lines += ["One TOML file. Unknown keys are errors; a recipe names only what it changes.", ""]
    for name, field in schema.model_fields.items():
        part = _model(field.annotation)
        lines += [f"## `[[{name}]]`" if name == "source" else f"## `[{name}]`", "", _first_line(part.__doc__), ""]
        lines += ["| key | default | meaning |", "|---|---|---|", *_keys(part, ""), ""]
    return "\n".join(lines)


def run() -> str:
    """docs/run.md: every key of a run file with its default."""
    from train.config import Run

    plain = [name for name, field in Run.model_fields.items() if not hasattr(_model(field.annotation), "model_fields")]
    lines = ["# The run file", "", NOTE]
    lines += ["One TOML file for `train lora RUN.toml`; every key also by `--set table.key=value`.", ""]
    lines += ["| key | default | meaning |", "|---|---|---|"]
    lines += [line for line in _keys(Run, "") if line.split("`")[1] in plain]
    for name, field in Run.model_fields.items():
        if name not in plain:
            part = _model(field.annotation)
            lines += ["", f"## `[{name}]`", "", _first_line(part.__doc__), ""]
            lines += ["| key | default | meaning |", "|---|---|---|", *_keys(part, "")]
    return "\n".join(lines) + "\n"


def _keys(part: Any, prefix: str) -> Iterator[str]:
    for key, field in part.model_fields.items():
        inner = _model(field.annotation)
        if hasattr(inner, "model_fields"):
            yield f"| `{prefix}{key}` | | {_first_line(inner.__doc__)} `false` switches it off. |"
            yield from _keys(inner, f"{prefix}{key}.")
        else:
            default = "required" if field.is_required() else f"`{_toml(field.get_default(call_default_factory=True))}`"
            yield f"| `{prefix}{key}` | {default} | {_cell(field.description or '')} |"


def _toml(value: object) -> str:
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def commands() -> str:
    """docs/commands.md: the help of every command."""
    os.environ.update(COLUMNS="100", TERM="dumb", NO_COLOR="1")
    from typer.testing import CliRunner

    import curate.cli
    import train.cli

    lines = ["# The commands", "", NOTE]
    for name, app in (("curate", curate.cli.app), ("train", train.cli.app)):
        runner = CliRunner()
        groups = [(group.name or "", group.typer_instance) for group in app.registered_groups]
        inside = [[group, *command] for group, inner in groups if inner for command in ([], *_names(inner))]
        for command in ([], *_names(app), *inside):
            title = " ".join([name, *command])
            shown = runner.invoke(app, [*command, "--help"], prog_name=name).output.strip()
            lines += [f"## {title}", "", "```", shown, "```", ""]
    return "\n".join(line.rstrip() for line in "\n".join(lines).splitlines()) + "\n"


def _names(app: Any) -> list[list[str]]:
    """The commands of one level, each as the words that call it."""
    return [[each.name or str(getattr(each.callback, "__name__", ""))] for each in app.registered_commands]


def _model(annotation: Any) -> Any:
    if hasattr(annotation, "model_fields"):
        return annotation
    return next((a for a in getattr(annotation, "__args__", ()) if hasattr(a, "model_fields")), annotation)


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


PAGES = {"columns.md": columns, "recipe.md": recipe, "run.md": run, "commands.md": commands}


def main() -> None:
    """Write the pages, or with --check name those that are stale and exit with 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    stale = []
    for name, make in PAGES.items():
        text = make()
        page = DOCS / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                page.write_text(text, encoding="utf-8")
    if stale and check:
        sys.exit(f"stale: {', '.join(stale)}; run `make docs`")


if __name__ == "__main__":
    main()
