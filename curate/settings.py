"""`--set table.key=value`, and what is wrong with a TOML file in one line."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from curate.console import printable
from curate.errors import UserError

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"  # of a source
BRACKETS = {"list_type": "[[{}]]", "tuple_type": "[[{}]]", "model_type": "[{}]", "model_attributes_type": "[{}]"}


class NotToml(ValueError):
    """Why a file is no TOML, in one line."""


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as it stands. Raises OSError, UnicodeDecodeError, with the remedy, or NotToml."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        error.reason += "; save it as UTF-8"
        raise
    except RecursionError:
        raise NotToml("it is nested too deep") from None
    except ValueError as error:  # also a whole number of more than 4,300 digits
        raise NotToml(str(error).partition(";")[0]) from None


def override(raw: dict[str, Any], setting: str, *, top_level: bool = False) -> None:
    """Set one value, as in `filter.noisy=20`; a source is named by its id, as in `source.studio.path=x`.

    With `top_level` a key may stand alone, as in `into=runs/r64`.
    """
    dotted, equals, written = setting.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys) or (len(keys) < 2 and not top_level):
        raise UserError(f"--set {setting}: write it as {'key=value or ' if top_level else ''}table.key=value")
    put(raw, keys, value(written.strip()), setting)


def put(raw: dict[str, Any], keys: Sequence[str], chosen: Any, setting: str) -> None:
    """Put a value at a place in nested tables, which are made where they are missing."""
    table: Any = raw
    for key in keys[:-1]:
        table = _enter(table, key, setting)
    if not isinstance(table, dict):
        raise UserError(f"--set {setting}: write it as source.{keys[-1]}.key=value")
    table[keys[-1]] = chosen


def _enter(table: Any, key: str, setting: str) -> Any:
    if isinstance(table, list):
        ids = [each.get("id") if isinstance(each, dict) else None for each in table]
        if key not in ids:
            raise UserError(f"--set {setting}: no source is called {key!r}; there are {', '.join(map(str, ids))}")
        return table[ids.index(key)]
    inner = table.setdefault(key, {})
    if not isinstance(inner, dict | list):
        inner = table[key] = {}
    return inner


def value(written: str) -> Any:
    """A value as TOML reads it; what TOML cannot read is text."""
    try:
        return tomllib.loads(f"value = {written}")["value"]
    except (ValueError, RecursionError):
        return written


def as_toml(values: dict[str, Any]) -> str:
    """Plain values as a TOML file."""
    import tomlkit

    text: str = tomlkit.dumps(values)
    return text


def first_problem(error: ValidationError, raw: dict[str, Any], model: Any) -> str:
    """The first thing that is wrong, in one line, with the choices where there are choices."""
    every = error.errors(include_url=False)
    # "false or a table" fails twice; what is wrong in the table says more than "should be false"; and an unknown key
    # says more than that another one, as it should have been spelt, is missing
    telling = [each for each in every if "False" not in each["msg"]] or every
    problem = telling[0]
    if problem["type"] == "missing":
        problem = next((each for each in telling if each["type"] == "extra_forbidden"), problem)
    where = printable(".".join(_readable(problem["loc"], raw)))
    if problem["type"] == "extra_forbidden":
        return f"unknown key {where}; {_choices(problem['loc'], model)}"
    if problem["type"] == "missing":
        return f"{where} is missing"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    for theirs, ours in (
        ("a valid array", "a list"),
        ("an object", "a table"),
        ("a valid string", "text"),
        ("False", "false"),
        (f"String should match pattern '{NAME}'", "should begin with a letter or digit, and hold only these and . _ -"),
    ):
        message = message.replace(theirs, ours)
    if problem["type"] in BRACKETS and len(problem["loc"]) == 1:
        message = f"{message}: begin it with {BRACKETS[problem['type']].format(where)}"
    return f"{where}: {message}" if where else message


def _readable(location: Sequence[int | str], raw: dict[str, Any]) -> list[str]:
    """A place in the recipe in the user's words: a source by its id, no names of classes."""
    words: list[str] = []
    for part in location:
        if isinstance(part, int) and words == ["source"]:
            sources = raw.get("source", [])
            source = sources[part] if isinstance(sources, list) else None
            words.append(str(source.get("id", part + 1)) if isinstance(source, dict) else str(part + 1))
        elif isinstance(part, int) or (part[:1].islower() and part not in ("float", "bool", "str") and "[" not in part):
            words.append(str(part))
    return words


def _choices(location: Sequence[int | str], model: Any) -> str:
    """The keys that are known where an unknown one stands."""
    part = model
    for key in location[:-1]:
        if isinstance(key, int) or not hasattr(part, "model_fields"):
            continue
        part = _inner(part.model_fields[key].annotation) if key in part.model_fields else part
    names = part.model_fields if hasattr(part, "model_fields") else {}
    return f"known here: {', '.join(names)}" if names else "see docs/recipe.md"


def _inner(annotation: Any) -> Any:
    """The model class inside an annotation like `tuple[Source, ...]` or `Literal[False] | Quality`."""
    if hasattr(annotation, "model_fields"):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if hasattr(argument, "model_fields"):
            return argument
    return annotation
