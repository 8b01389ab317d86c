"""The same audio twice: which clips sound alike is measured; which of them stays is decided.

The same text twice is no duplicate: several people may read one sentence. `split` keeps them on one side.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from curate.manifest import COLUMNS

VERSION = 1  # raise it when an answer changes: it enters the fingerprint
FLOOR = 0.3  # other speech stays below (measured: at most 0.28), so any sensible threshold can be decided


def find(clips: pl.DataFrame) -> pl.DataFrame:
    """For each clip with a fingerprint, the clips that sound like it: columns id, similar."""
    from curate import fingerprint

    printed = clips.filter(pl.col("fingerprint").is_not_null())
    ids = printed["id"].to_list()
    similar: dict[str, list[dict[str, object]]] = {each: [] for each in ids}
    for first, second, how_much in fingerprint.pairs(printed["fingerprint"].to_list(), FLOOR):
        similar[ids[first]].append({"id": ids[second], "similarity": round(how_much, 4)})
        similar[ids[second]].append({"id": ids[first], "similarity": round(how_much, 4)})
    schema = {"id": pl.String, "similar": COLUMNS["similar"].dtype}
    return pl.DataFrame([{"id": each, "similar": found} for each, found in similar.items()], schema=schema)


def mark(clips: pl.DataFrame, *, threshold: float | bool) -> pl.DataFrame:
    """Fill `duplicate_of`: of clips that sound alike, through others too, the first that no rule dropped stays."""
    if threshold is False:
        return clips.with_columns(pl.lit(None, dtype=pl.String).alias("duplicate_of"))
    alike = {
        clip: [each["id"] for each in similar if each["similarity"] >= threshold]
        for clip, similar in clips.filter(pl.col("similar").list.len() > 0).select("id", "similar").iter_rows()
    }
    best_first = clips.sort(pl.col("drop").is_not_null(), maintain_order=True)["id"]
    repeats: dict[str, str] = {}
    seen: set[str] = set()
    for clip in best_first:
        if clip in alike and clip not in seen:
            family = _connected(clip, alike)
            seen |= family
            repeats |= dict.fromkeys(family - {clip}, clip)
    found = pl.col("id").replace_strict(repeats, default=None, return_dtype=pl.String)
    return clips.with_columns(found.alias("duplicate_of"))


def _connected(clip: str, alike: Mapping[str, Sequence[str]]) -> set[str]:
    family, waiting = {clip}, [clip]
    while waiting:
        for other in alike[waiting.pop()]:
            if other not in family:
                family.add(other)
                waiting.append(other)
    return family
