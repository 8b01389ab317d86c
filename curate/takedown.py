"""Everything a corpus has of one person, and the verdicts that take it out.

A person is whom the manifest's `person` names: a name given by a source, and the voices that sound like it, across
sources. What may be theirs without their name on it is listed too: copies of their clips, clips that sound like them
under another's name, and clips of nobody known in recordings where nobody else speaks.
"""

from typing import Any

import polars as pl

from curate import manifest
from curate.console import printable
from curate.errors import UserError
from curate.report import wording
from curate.steps.rules import DROP
from curate.steps.verdicts import SCHEMA, TAKEDOWN

NAMED = 8  # persons that are named where none is meant
RECORDING = ("source", "path")
SHOWN = ("id", "source", "path", "start", "end", "seconds", "language", "speaker", "person", "drop", "split", "verdict")
WHYS = {
    "theirs": "by their name or voice",
    "sounds_like": "under another's name, sounds like them",
    "copy": "a copy of a clip of theirs",
    "recording": "by nobody known, in a recording where only they are known to speak",
}


def knows(clips: pl.DataFrame, name: str) -> bool:
    """Whether anybody in the corpus is called so."""
    return clips.filter(_called(name)).height > 0


def find(clips: pl.DataFrame, name: str) -> dict[str, Any]:
    """Whom the name may mean, every clip that is or may be theirs with why, and their recordings; as JSON can carry it.

    `name` is a person, a speaker as a source names them, or a voice; a UserError where nobody is called so.
    """
    named = clips.filter(_called(name))
    if named.is_empty():
        some = clips["person"].drop_nulls().unique(maintain_order=True)
        known = ", ".join(printable(each) for each in some[:NAMED]) or "none"
        more = f" and {len(some) - NAMED} more" if len(some) > NAMED else ""
        raise UserError(f"nobody here is called {name!r}; persons are {known}{more}")
    persons = named["person"].drop_nulls().unique(maintain_order=True).to_list()
    rows = _all_of(clips, named, persons)
    recordings = rows.group_by(RECORDING, maintain_order=True).agg(
        pl.len().alias("clips"), pl.col("drop").is_null().sum().alias("kept")
    )
    kept = manifest.kept(rows)
    return {
        "name": name,
        "persons": persons,
        "speakers": rows.select("source", "speaker").drop_nulls().unique(maintain_order=True).to_dicts(),
        "kept": {"clips": kept.height, "hours": round(manifest.hours(kept), 6)},
        "all": {"clips": rows.height, "hours": round(manifest.hours(rows), 6)},
        "recordings": recordings.to_dicts(),
        "clips": wording.plain(rows.select(*SHOWN, "why").to_dicts()),
    }


def _called(name: str) -> pl.Expr:
    named = [pl.col(column) == name for column in ("person", "speaker", "voice")]
    return pl.any_horizontal(*named, pl.format("{} {}", "source", "speaker") == name).fill_null(False)


def _all_of(clips: pl.DataFrame, named: pl.DataFrame, persons: list[str]) -> pl.DataFrame:
    """Their rows in the order of the manifest, each with the first of WHYS that holds."""
    theirs = pl.col("person").is_in(persons) | pl.col("id").is_in(named["id"].implode())
    alike = pl.col("speaker_conflict").is_in(persons)
    found = clips.filter(theirs.fill_null(False) | alike.fill_null(False))
    copies = found["duplicate_of"].drop_nulls()
    # one step from them to what they repeat, and from both to whatever repeats these
    originals = pl.concat([found["id"], copies])
    copy = pl.col("id").is_in(originals.implode()) | pl.col("duplicate_of").is_in(originals.implode())
    others = clips.filter(pl.col("person").is_not_null() & ~pl.col("person").is_in(persons))
    alone = found.select(RECORDING).unique().join(others.select(RECORDING).unique(), on=RECORDING, how="anti")
    in_theirs = pl.struct(RECORDING).is_in(alone.select(pl.struct(RECORDING).alias("it"))["it"].implode())
    nobody = pl.col("person").is_null() & in_theirs
    why = pl.when(theirs).then(pl.lit("theirs")).when(alike).then(pl.lit("sounds_like"))
    why = why.when(copy).then(pl.lit("copy")).when(nobody).then(pl.lit("recording"))
    return clips.with_columns(why.alias("why")).filter(pl.col("why").is_not_null())


def verdict_lines(facts: dict[str, Any]) -> str:
    """A verdicts file that drops all of them; the reason tells nobody's name, as the manifest carries it.

    A UserError where the name may mean several persons: nobody is taken out by mistake.
    """
    if len(facts["persons"]) > 1:
        several = ", ".join(printable(each) for each in facts["persons"])
        raise UserError(f"{facts['name']!r} may be {len(facts['persons'])} persons: {several}; give one of these names")
    rows = [f"{clip['id']}\t{DROP}\t{TAKEDOWN}\t\n" for clip in facts["clips"]]
    return "\t".join(SCHEMA) + "\n" + "".join(rows)


def as_text(facts: dict[str, Any]) -> str:
    """The same for a terminal."""
    kept, everything = facts["kept"], facts["all"]
    names = ", ".join(printable(each) for each in facts["persons"]) or "a name without a person"
    lines = [f"{printable(facts['name'])}: {names}"]
    speakers = ", ".join(printable(f"{each['source']} {each['speaker']}") for each in facts["speakers"])
    lines.append(f"named {speakers or 'nowhere'}")
    lines.append(f"{everything['clips']} clips, {everything['hours'] * 60:.1f} min; kept {kept['clips']}, "
                 f"{kept['hours'] * 60:.1f} min")  # fmt: skip
    for recording in facts["recordings"]:
        where = printable(f"{recording['source']} {recording['path']}")
        lines += ["", f"{where}: {recording['clips']} clips, {recording['kept']} kept"]
        for clip in facts["clips"]:
            if all(clip[name] == recording[name] for name in RECORDING):
                lines.append(_line(clip))
    return "\n".join(lines)


def _line(clip: dict[str, Any]) -> str:
    fate = f"kept, in {clip['split'] or 'no split yet'}" if clip["drop"] is None else f"dropped as {clip['drop']}"
    seconds = "" if clip["seconds"] is None else f"{clip['seconds']:.1f} s"
    why = "" if clip["why"] == "theirs" else f"; {WHYS[clip['why']]}"
    return f"  {clip['id']}  {seconds:>7}  {fate}{why}"
