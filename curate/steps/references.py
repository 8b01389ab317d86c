"""Reference clips: another clip of the same person, heard before a text in VoxCPM2's reference mode.

Which clip is drawn depends on ids and the seed alone: clips and their candidates are hashed onto one ring, and a clip
takes the next candidate on it. So a clip that is added becomes the reference only of those it comes to lie next to.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import polars as pl

from curate.steps.selection import shuffled

# seconds; a voice takes a few to be known, and a reference costs as much of a step as other speech. Our choice.
SHORTEST, LONGEST = 2.0, 15.0
SHARE_BITS = 60  # of the hash in `selection.shuffled`
Ring = list[tuple[int, str, str]]  # place, text, id


def assign(clips: pl.DataFrame, *, share: float, seed: int) -> pl.DataFrame:
    """Fill `reference` on a share of the rows that can have one: same person, language and split, another text.

    Clips of SHORTEST to LONGEST seconds are preferred. A person with a single text in a split has none to take.
    """
    if not share:
        return clips.with_columns(pl.lit(None, dtype=pl.String).alias("reference"))
    found = dict(_found(clips, share=share, seed=seed))
    column = pl.col("id").replace_strict(list(found), list(found.values()), default=None, return_dtype=pl.String)
    return clips.with_columns(pl.when(pl.col("drop").is_null()).then(column).alias("reference"))


def _found(clips: pl.DataFrame, *, share: float, seed: int) -> Iterator[tuple[str, str]]:
    """Each clip that gets a reference, and which."""
    known = ("person", "split", "training_text")
    usable = clips.filter(pl.col("drop").is_null(), *(pl.col(name).is_not_null() for name in known)).select(
        "id",
        pl.concat_list("person", "split", "language").alias("group"),
        # the same words in other signs are the same text, as in the split
        pl.col("spoken").str.replace_all(r"[\p{P}\p{S}\p{Z}\p{C}]", "").str.to_lowercase().alias("text"),
        pl.col("seconds").is_between(SHORTEST, LONGEST).alias("preferred"),
        shuffled("id", seed=seed).alias("place"),
        shuffled(pl.concat_str(pl.lit("draw "), "id"), seed=seed).alias("draw"),
        shuffled(pl.concat_str(pl.lit("share "), "id"), seed=seed).alias("share"),
    )
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in usable.iter_rows(named=True):
        groups[tuple(row["group"])].append(row)
    for rows in groups.values():
        rings = _ring([row for row in rows if row["preferred"]]), _ring(rows)
        for row in rows:
            if row["share"] < share * 2**SHARE_BITS and (chosen := _next(rings, row["draw"], row["text"])):
                yield row["id"], chosen


def _ring(rows: list[dict[str, Any]]) -> Ring:
    """One clip for each text, in the order of their places: another text is then one step away at most."""
    by_text: dict[str, tuple[int, str, str]] = {}
    for row in rows:
        entry = (row["place"], row["text"], row["id"])
        by_text[row["text"]] = min(by_text.get(row["text"], entry), entry)
    return sorted(by_text.values())


def _next(rings: tuple[Ring, ...], draw: int, text: str) -> str | None:
    """The id of the next clip on the first ring that has one of another text."""
    for ring in rings:
        at = bisect.bisect_left(ring, (draw, "", ""))
        for _, other, id in (ring[(at + step) % len(ring)] for step in range(min(2, len(ring)))):
            if other != text:
                return id
    return None
