"""Who speaks, and in which recordings: hours of each, and how evenly they are spread."""

from typing import Any

import polars as pl

from curate import manifest
from curate.recipe import LANGUAGES
from curate.steps import held_out, speakers

LISTED = 30  # recordings that are named; report.json counts all


def persons(clips: pl.DataFrame) -> dict[str, Any]:
    """Per language: persons, and the share of the kept hours that the one and the five with most of them have.

    `by_name` of the persons are named by a source. The others, `by_voice`, are estimated, and one person may be counted
    as several of them: above all those of one or two clips, `small_voices`.
    """
    kept = manifest.kept(clips)
    return {"languages": [_spread(kept, code, "person") for code in LANGUAGES if _of(clips, code).height]}


def by_voice(kept: pl.DataFrame) -> int:
    """How many of the persons are known by voice alone: estimated, and one person may be several of them."""
    persons = kept["person"].drop_nulls().unique()
    return persons.filter(persons.str.contains(held_out.ESTIMATED)).len()


def recordings(clips: pl.DataFrame) -> dict[str, Any]:
    """Recordings (files) that clips were kept from: how many, how long, and those with most clips, kept and dropped."""
    readable = clips.filter(pl.col("sha256").is_not_null())
    is_kept = pl.col("drop").is_null()
    by_file = readable.group_by("source", "path", "language", maintain_order=True).agg(
        pl.len().alias("clips"),
        is_kept.sum().alias("kept"),
        (pl.col("seconds").filter(is_kept).sum() / 3600).round(6).alias("hours"),
        pl.col("person").filter(is_kept).drop_nulls().n_unique().alias("persons"),
    )
    used = by_file.filter(pl.col("kept") > 0)
    longest = used.sort("hours", "path", descending=[True, False]).head(LISTED)
    return {
        "all": by_file.height,
        "kept": used.height,
        "nothing_kept": by_file.height - used.height,
        "clips_p50": _number(used["kept"].median()),
        "several_persons": used.filter(pl.col("persons") > 1).height,
        "longest": longest.to_dicts(),
    }


def _of(clips: pl.DataFrame, code: str) -> pl.DataFrame:
    return clips.filter(pl.col("language") == code)


def _spread(kept: pl.DataFrame, code: str, column: str) -> dict[str, Any]:
    rows = _of(kept, code)
    known = rows.filter(pl.col(column).is_not_null())
    each = known.group_by(column).agg(pl.col("seconds").sum(), pl.len()).sort("seconds", descending=True)
    hours, by_voice = each["seconds"], each.filter(pl.col(column).str.contains(held_out.ESTIMATED))
    total = float(known["seconds"].sum() or 0.0)
    share = {f"top{n}": round(float(hours.head(n).sum()) / total, 4) if total else None for n in (1, 5)}
    return {
        "language": code,
        "name": LANGUAGES[code],
        "clips": rows.height,
        "persons": hours.len(),
        "by_name": hours.len() - by_voice.height,
        "by_voice": by_voice.height,
        "small_voices": by_voice.filter(pl.col("len") < speakers.SEVERAL).height,
        "unnamed": rows.height - known.height,
        **share,
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
