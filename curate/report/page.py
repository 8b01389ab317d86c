"""The report's facts as one HTML page that needs nothing else: no network, sounds inside it or by a relative path.

Texts, paths and names come from outside. In the page everything is escaped by the template engine, and characters that
cannot be seen, or turn the direction of what follows, are written out. For scripts, data travel as base64. Only our own
style sheet and script are taken as they are, and a browser runs no script but that one: its hash stands in the policy.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from curate import fonts
from curate.report import packing
from curate.report.flow import NARROW, WIDE, flow

SPEAKERS = 40  # rows of the table of speakers; report.json has all
UNREADABLE = 50
HERE = Path(__file__).parent
SCRIPTS = ("base", "decide", "players", "clips", "whatif", "table", "verdicts", "main")


@dataclass(frozen=True)
class Media:
    """Sounds and pictures by the id of their clip; `clips` is the folder of kept clips as seen from the page."""

    clips: str
    sounds: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    words: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def render(
    facts: dict[str, Any], media: Media, packed: packing.Packed, doubtful: list[str], begun: packing.Begun | None = None
) -> str:
    """The page.

    `packed` are the clips for its scripts, `begun` what was compressed of them; `doubtful` those to be heard first.
    """
    script = _script()
    carried = packed | {
        "digest": facts["corpus"]["digest"], "corpus": facts["corpus"]["name"], "clips": media.clips,
        "doubtful": doubtful, "kept": facts["kept"], "extra": _extra(facts, media),
    }  # fmt: skip
    own = {
        "style": Markup(f"{fonts.faces()}\n{(HERE / 'page.css').read_text(encoding='utf-8')}"),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "packed": packing.pack(carried, begun),
    }
    from curate.report.templates import templates  # a command whose report another process writes has no need of it

    shown = {**facts, **own, "media": media, "most_speakers": SPEAKERS, "most_unreadable": UNREADABLE}
    shown |= {"flows": {"wide": flow(facts, WIDE), "narrow": flow(facts, NARROW)}}
    return templates().get_template("page.html").render(shown, by_speaker=_by_speaker(facts["speakers"])) + "\n"


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


def _by_speaker(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per speaker of a source, its splits side by side, the most hours first."""
    speakers: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("language", "source", "speaker"))
        speakers.setdefault(key, {"language": key[0], "source": key[1], "speaker": key[2], "splits": {}})["splits"][
            row["split"]
        ] = row
    return list(speakers.values())
