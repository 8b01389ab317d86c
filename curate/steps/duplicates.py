"""The same audio twice: which clips sound alike is measured; which of them stays is decided.

The same text twice is no duplicate: several people may read one sentence. `split` keeps them on one side.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from curate.manifest import COLUMNS

VERSION = 1  # raise it when an answer changes: it enters the fingerprint
FLOOR = 0.3  # other speech stays below (measured: at most 0.28), so any sensible threshold can be decided


def find(clips: pl.DataFrame) -> pl.DataFrame:
    """For each clip with a fingerprint, the clips that sound like it: columns id, similar."""
    from curate.measures import fingerprint

    printed = clips.filter(pl.col("fingerprint").is_not_null())
    ids, prints = printed["id"].to_list(), printed["fingerprint"].to_list()
    alike = {(i, j): how_much for i, j, how_much in fingerprint.pairs(prints, FLOOR)}
    for first, other in _unpaired(alike):
        how_much = fingerprint.similarity(prints[first], prints[other])
        if how_much >= FLOOR:
            alike[first, other] = how_much
    similar: dict[str, list[dict[str, object]]] = {each: [] for each in ids}
    for (first, second), how_much in sorted(alike.items()):
        similar[ids[first]].append({"id": ids[second], "similarity": round(how_much, 4)})
        similar[ids[second]].append({"id": ids[first], "similarity": round(how_much, 4)})
    schema = {"id": pl.String, "similar": COLUMNS["similar"].dtype}
    return pl.DataFrame([{"id": each, "similar": found} for each, found in similar.items()], schema=schema)


def _unpaired(alike: Mapping[tuple[int, int], float]) -> Iterator[tuple[int, int]]:
    """The first of each family with those of it that it was not compared with (of many copies only neighbours are)."""
    near: dict[int, set[int]] = {}
    for first, second in alike:
        near.setdefault(first, set()).add(second)
        near.setdefault(second, set()).add(first)
    seen: set[int] = set()
    for first in sorted(near):
        if first not in seen:
            family = _connected(first, near)
            seen |= family
            yield from ((first, other) for other in sorted(family - near[first] - {first}))


def _connected(first: int, near: Mapping[int, set[int]]) -> set[int]:
    family, waiting = {first}, [first]
    while waiting:
        more = near[waiting.pop()] - family
        family |= more
        waiting += more
    return family


def mark(clips: pl.DataFrame, *, threshold: float | bool) -> pl.DataFrame:
    """Fill `duplicate_of`: of clips that sound alike the best one stays.

    Best: no rule dropped it; the widest band; a sample rate that promises no more than the band; the first. A clip
    repeats one that stays only where the two themselves sound alike: different sentences of one long recording both
    sound like it and not like each other.
    """
    if threshold is False:
        return clips.with_columns(pl.lit(None, dtype=pl.String).alias("duplicate_of"))
    band = (pl.col("bandwidth") / 500).round() * 500  # smaller differences are measurement
    order = [pl.col("drop").is_not_null(), -band.fill_null(0), pl.col("rate")]
    candidates = clips.filter(pl.col("similar").list.len() > 0).sort(order, maintain_order=True)
    survivors: set[str] = set()
    repeats: dict[str, str] = {}
    for clip, similar in candidates.select("id", "similar").iter_rows():
        alike = [each for each in similar if each["similarity"] >= threshold and each["id"] in survivors]
        if alike:
            repeats[clip] = max(alike, key=lambda each: each["similarity"])["id"]
        else:
            survivors.add(clip)
    found = pl.col("id").replace_strict(repeats, default=None, return_dtype=pl.String)
    return clips.with_columns(found.alias("duplicate_of"))
