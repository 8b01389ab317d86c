"""The report's facts as one HTML page that needs nothing else: no network, no script, sounds by a relative path.

Texts, paths and names come from outside: everything is escaped by the template engine, nothing is marked as safe.
"""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from curate.recipe import LANGUAGES
from curate.report import wording
from curate.report.distributions import drawing

SPEAKERS = 40  # rows of the table of speakers; report.json has all
UNREADABLE = 50
UNITS = ("s", "dB", "Hz", "LUFS", "1/s")  # scales such as 0..1 are told in words
HERE = Path(__file__).parent


def render(facts: dict[str, Any], audio: str) -> str:
    """The page; `audio` is the path of the clips as seen from it."""
    # autoescape for every template, whatever its name
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"duration": duration, "percent": wording.percent, "number": wording.number, "path": quote}
    environment.globals |= {"drawing": drawing, "names": LANGUAGES, "shown_units": UNITS}
    # the style sheet is ours, and holds no character that escaping would change
    style = (HERE / "page.css").read_text(encoding="utf-8")
    shown = {**facts, "style": style, "audio": audio, "most_speakers": SPEAKERS, "most_unreadable": UNREADABLE}
    return environment.get_template("page.html").render(shown, by_speaker=_by_speaker(facts["speakers"])) + "\n"


def _by_speaker(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per speaker of a source, its splits side by side, the most hours first."""
    speakers: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("language", "source", "speaker"))
        speakers.setdefault(key, {"language": key[0], "source": key[1], "speaker": key[2], "splits": {}})["splits"][
            row["split"]
        ] = row
    return list(speakers.values())


def duration(hours: float) -> str:
    """Hours as people read them: seconds, minutes or hours, two or three digits of each."""
    if hours * 3600 < 60:
        return f"{hours * 3600:.0f} s"
    if hours < 1:
        return f"{hours * 60:.1f} min"
    return f"{hours:.2f} h" if hours < 100 else f"{hours:.0f} h"
