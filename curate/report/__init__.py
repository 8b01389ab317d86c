"""The dataset quality report: a page for people, and the same numbers as JSON."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from curate import files, text
from curate.files import Root
from curate.recipe import LANGUAGES, Recipe
from curate.report import against, examples, excerpts, facts, nearness, packing, page, provenance, rows
from curate.report.excerpts import Excerpt
from curate.report.named import named
from curate.report.summary import Summary

EXCERPTS, CHANGES = "excerpts.parquet", "changes.json"  # beside the page, so that the next report need not make them
SIDE = "audio"  # the folder of sounds beside the page, where they are too many to be in it
ROW_FIELDS = (
    "id", "source", "path", "sha256", "rate", "channel_mix", "dc_offset", "cut_start", "cut_end", "start", "end",
    "frames",
)  # fmt: skip


@dataclass(frozen=True)
class Other:
    """Another corpus that this one is compared with."""

    clips: pl.DataFrame
    recipe: Recipe


def write(
    clips: pl.DataFrame,
    recipe: Recipe,
    into: Path,
    audio: Path,
    *,
    roots: Mapping[str, Root] | None = None,
    folder: Path | None = None,
    other: Other | None = None,
    held: pl.Series | None = None,
    told: Summary | None = None,
    begun: packing.Begun | None = None,
) -> Path:
    """Write `index.html` and `report.json`; returns the page. Equal frames and files give equal bytes.

    `audio` holds the kept clips as ID.flac, which the page plays by a relative path. Excerpts are read from `roots`,
    the folders of the sources: they go into the page, or where they are too large into `audio/` beside it. `folder` is
    the corpus, for its checksums; `held` the ids that its `split.lock` holds out; `told` what is counted of these clips
    already; `begun` what the page carries of them, as far as it is compressed already. Clips whose speaker asked to be
    taken out are counted, and are in none of the files.
    """
    shown = named(clips)
    near = nearness.nearness(shown, recipe)
    gathered = facts.gather(clips, recipe, near, folder, into / CHANGES, told)
    doubtful = examples.doubtful(shown, near)
    sounds = _excerpts(shown, gathered, doubtful, roots or {}, into / EXCERPTS)
    packed = rows.rows(clips, recipe, near, held)
    gathered["sliders"] = rows.about_sliders(packed)
    gathered["sounds"] = {"clips": len(sounds), "embedded": _fits(sounds)}
    if other is not None:
        gathered["against"] = against.against(clips, recipe, other.clips, other.recipe)
    urls = _place(sounds, into)
    media = page.Media(
        clips=Path(os.path.relpath(audio, into)).as_posix(),
        sounds=urls,
        pictures={id: each.picture for id, each in sounds.items()},
        words=_words(shown, sounds),
        seconds={id: each.seconds for id, each in sounds.items()},
    )
    html = page.render(gathered, media, packed, doubtful, begun)
    gathered["page_sha256"] = hashlib.sha256(html.encode()).hexdigest()
    files.write_text(into / "report.json", _as_json(gathered))
    files.write_text(into / "index.html", html)
    return into / "index.html"


def warm_up() -> None:
    """Load what every report needs: our templates, versions of packages, languages."""
    from curate.report.templates import templates

    templates().get_template("page.html")
    provenance.versions()
    for language in LANGUAGES:
        text.versions(language, "spoken")


def _as_json(gathered: dict[str, Any]) -> str:
    """A line for each part."""
    # not by `indent`, which takes Python's slow encoder: a tenth of the time of a report
    parts = (f"{json.dumps(name)}: {json.dumps(each, ensure_ascii=False, allow_nan=False)}" for name, each in
             gathered.items())  # fmt: skip
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _excerpts(
    clips: pl.DataFrame, gathered: dict[str, Any], doubtful: list[str], roots: Mapping[str, Root], cache: Path
) -> dict[str, Excerpt]:
    """Of every clip that the page shows, and of those nearest to a limit."""
    shown = gathered["examples"]
    ids = [each["id"] for each in (*shown["kept"], *(each for found in shown["dropped"].values() for each in found))]
    wanted = clips.filter(pl.col("id").is_in([*ids, *doubtful])).select(ROW_FIELDS)
    return excerpts.take(wanted.iter_rows(named=True), roots, cache)


def _fits(sounds: Mapping[str, Excerpt]) -> bool:
    return sum(len(each.mp3) for each in sounds.values()) <= excerpts.EMBEDDED


def _place(sounds: Mapping[str, Excerpt], into: Path) -> dict[str, str]:
    """Where each sound is, as seen from the page; the folder beside it holds just these, or is not there."""
    side = into / SIDE
    names = {} if _fits(sounds) else {f"{id}.mp3": each.mp3 for id, each in sounds.items()}
    for old in side.glob("*.mp3"):
        if old.name not in names:
            old.unlink()
    if not names:
        if side.is_dir() and not any(side.iterdir()):
            side.rmdir()
        return {id: each.sound for id, each in sounds.items()}
    for name, sound in names.items():
        files.write_bytes(side / name, sound)
    return {name.removesuffix(".mp3"): f"{SIDE}/{name}" for name in names}


def _words(clips: pl.DataFrame, sounds: Mapping[str, Excerpt]) -> dict[str, list[dict[str, Any]]]:
    """When each word begins and ends in its excerpt, in seconds; of clips that have word times."""
    timed = clips.filter(pl.col("id").is_in(list(sounds)) & (pl.col("word_times").list.len() > 0))
    found = {}
    for id, times in timed.select("id", "word_times").iter_rows():
        first, rate, length = sounds[id].start, sounds[id].rate, sounds[id].seconds
        placed = [
            {"word": each["word"], "from": round((each["start"] - first) / rate, 3),
             "to": round((each["end"] - first) / rate, 3), "probability": each["probability"]}
            for each in times
        ]  # fmt: skip
        found[id] = [each for each in placed if 0 <= each["from"] < length]
    return found
