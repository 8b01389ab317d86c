"""Our templates: what they call, and that everything which comes from data is escaped and can be seen."""

import hashlib
import re
import unicodedata
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from curate.recipe import LANGUAGES
from curate.report import wording
from curate.report.distributions import drawing

UNITS = ("s", "dB", "Hz", "LUFS", "1/s")  # scales such as 0..1 are told in words
HERE = Path(__file__).parent
# control characters but line breaks and tabs, and marks of direction; not the joiners that Khmer needs
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates, in the user's own folder for temporary files: a sixth of the time of a page."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):  # a full or read-only disk there is no reason to have no page
            super().dump_bytecode(bucket)


def _compiled() -> _Compiled | None:
    made_by = hashlib.sha256(Path(__file__).read_bytes() + metadata.version("jinja2").encode()).hexdigest()[:16]
    try:
        return _Compiled(pattern=f"samsori_{made_by}_%s.cache")
    except (OSError, RuntimeError):  # no such folder that is surely ours
        return None


@cache
def templates() -> Environment:
    """Our templates, compiled once; every one escapes, whatever its name."""
    environment = Environment(
        loader=FileSystemLoader([HERE, HERE / "parts"]), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_seen, bytecode_cache=_compiled(),
    )  # fmt: skip
    environment.filters |= {
        "duration": wording.duration,
        "percent": wording.percent,
        "number": wording.number,
        "path": quote,
        "on_circle": on_circle,
    }
    environment.globals |= {"drawing": drawing, "names": LANGUAGES, "shown_units": UNITS}
    return environment


def on_circle(unit: str) -> str:
    """A unit of script as it can be shown by itself: a sign that needs a letter gets a dotted circle."""
    return f"\u25cc{unit}" if unicodedata.category(unit[0]).startswith("M") else unit


def _seen(value: Any) -> Any:
    """Text with what cannot be seen written out as U+202E; our own markup as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", value)
