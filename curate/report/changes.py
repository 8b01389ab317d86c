"""What the normaliser changed in the few texts that the page shows.

The manifest has the names of the rules and not what they changed, so these texts are read again; the answers are kept
beside the page, as reading costs the rules' hundreds of patterns, half a second for a dozen texts.
"""

import hashlib
import json
from pathlib import Path
from typing import TypeAlias

from curate import files, text
from curate.recipe import LANGUAGES

Changed: TypeAlias = list[tuple[str, str, str]]  # rule, before, after


class Changes:
    """The changes that lead from a text to its spoken form, made once; `cache` is of an earlier report."""

    def __init__(self, options: text.Options = text.DEFAULT, cache: Path | None = None) -> None:
        self._options, self._cache = options, cache
        self._versions = {code: text.versions(code, "spoken", options) for code in LANGUAGES}
        self._known = _read(cache)
        self._used: dict[str, Changed] = {}

    def of(self, written: str, language: str) -> Changed:
        """Every change, in their order."""
        key = hashlib.sha256(json.dumps([self._versions[language], written]).encode()).hexdigest()
        if key not in self._used:
            self._used[key] = self._known[key] if key in self._known else self._made(written, language)
        return self._used[key]

    def save(self) -> None:
        """Keep those that were asked for, and no others."""
        if self._cache is not None and self._used.keys() != self._known.keys():
            files.write_text(self._cache, json.dumps(self._used, ensure_ascii=False, sort_keys=True) + "\n")

    def _made(self, written: str, language: str) -> Changed:
        found = text.steps(written, language, "spoken", self._options).changes
        return [(change.rule, change.before, change.after) for change in found]


def _read(cache: Path | None) -> dict[str, Changed]:
    """What an earlier report made; nothing where that cannot be read."""
    try:
        stored = json.loads(cache.read_text(encoding="utf-8")) if cache is not None and cache.is_file() else {}
        return {
            key: [(str(rule), str(before), str(after)) for rule, before, after in each] for key, each in stored.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
