"""The report's facts as one HTML page that needs nothing else: no network, sounds inside it or by a relative path.

Texts, paths and names come from outside. In the page everything is escaped by the template engine, and characters that
cannot be seen, or turn the direction of what follows, are written out. For scripts, data travel as base64. Only our own
style sheet and script are taken as they are, and a browser runs no script but that one: its hash stands in the policy.
"""

import base64
import hashlib
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from curate import fonts
from curate.recipe import LANGUAGES
from curate.report import rows, wording
from curate.report.distributions import drawing
from curate.report.flow import NARROW, WIDE, flow

SPEAKERS = 40  # rows of the table of speakers; report.json has all
UNREADABLE = 50
UNITS = ("s", "dB", "Hz", "LUFS", "1/s")  # scales such as 0..1 are told in words
HERE = Path(__file__).parent
SCRIPTS = ("base", "decide", "players", "clips", "whatif", "table", "verdicts", "main")
# control characters but line breaks and tabs, and marks of direction; not the joiners that Khmer needs
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True)
class Media:
    """Sounds and pictures by the id of their clip; `clips` is the folder of kept clips as seen from the page."""

    clips: str
    sounds: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    words: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def render(facts: dict[str, Any], media: Media, packed: rows.Packed, doubtful: list[str]) -> str:
    """The page. `packed` are the clips for its scripts; `doubtful` those that people should hear first."""
    script = _script()
    carried = packed | {
        "digest": facts["corpus"]["digest"], "corpus": facts["corpus"]["name"], "clips": media.clips,
        "doubtful": doubtful, "kept": facts["kept"], "extra": _extra(facts, media),
    }  # fmt: skip
    own = {
        "style": Markup(f"{fonts.faces()}\n{(HERE / 'page.css').read_text(encoding='utf-8')}"),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "packed": rows.pack(carried),
    }
    shown = {**facts, **own, "media": media, "most_speakers": SPEAKERS, "most_unreadable": UNREADABLE}
    shown |= {"flows": {"wide": flow(facts, WIDE), "narrow": flow(facts, NARROW)}}
    return _templates().get_template("page.html").render(shown, by_speaker=_by_speaker(facts["speakers"])) + "\n"


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
def _templates() -> Environment:
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


def _script() -> str:
    """Our scripts as one, in an order in which each needs only those before it."""
    parts = [(HERE / "scripts" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return '(() => {\n"use strict";\n' + "\n".join(parts) + "})();\n"


def _extra(facts: dict[str, Any], media: Media) -> dict[str, dict[str, Any]]:
    """Sounds of clips that have no card in the page."""
    shown = facts["examples"]
    cards = {each["id"] for each in (*shown["kept"], *(one for found in shown["dropped"].values() for one in found))}
    return {
        id: {
            "sound": sound,
            "picture": media.pictures[id],
            "seconds": media.seconds[id],
            "words": media.words.get(id, []),
        }
        for id, sound in media.sounds.items()
        if id not in cards
    }


def on_circle(unit: str) -> str:
    """A unit of script as it can be shown by itself: a sign that needs a letter gets a dotted circle."""
    return f"\u25cc{unit}" if unicodedata.category(unit[0]).startswith("M") else unit


def _seen(value: Any) -> Any:
    """Text with what cannot be seen written out as U+202E; our own markup as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", value)


def _by_speaker(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per speaker of a source, its splits side by side, the most hours first."""
    speakers: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("language", "source", "speaker"))
        speakers.setdefault(key, {"language": key[0], "source": key[1], "speaker": key[2], "splits": {}})["splits"][
            row["split"]
        ] = row
    return list(speakers.values())
