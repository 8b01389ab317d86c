"""Train, validation and test with nothing in two: no speaker, no text, no recording.

Clips that share any of these hang together in one group, and groups are assigned whole.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.recipe import LANGUAGES
from curate.steps.selection import Floats, first_fit, shuffled

HELD_OUT = ("validation", "test")
TRAIN = len(HELD_OUT)  # the number of what is in neither
MOST_OF_A_LANGUAGE = 0.5  # a group larger than this share of what is left is never held out


@dataclass(frozen=True)
class Empty:
    """A split that got nothing, and why, in one line."""

    split: str
    language: str
    cause: str


def split(clips: pl.DataFrame, *, shares: Mapping[str, float], apart: Sequence[str], seed: int) -> pl.DataFrame:
    """Fill `split` of kept clips, whole groups at a time, each language by itself."""
    kept = _grouped(clips, apart)
    assigned = _assigned(kept, shares=shares, seed=seed)
    splits = kept.select("group").join(assigned, on="group", how="left", maintain_order="left")["split"]
    is_kept = pl.col("drop").is_null()
    place = clips.select(pl.when(is_kept).then(is_kept.cum_sum() - 1)).to_series().cast(pl.UInt32)
    return clips.with_columns(splits.gather(place).alias("split"))


def empty(clips: pl.DataFrame, *, shares: Mapping[str, float], apart: Sequence[str]) -> list[Empty]:
    """The held-out splits that a language was to have and has not, each with its cause."""
    kept = clips.filter(pl.col("drop").is_null())
    there = set(kept.select("language", "split").unique().iter_rows())
    languages = [language for language in LANGUAGES if any(each == language for each, _ in there)]
    missing = [
        (name, language)
        for language, name in itertools.product(languages, HELD_OUT)
        if shares[name] > 0 and (language, name) not in there
    ]
    grouped = _grouped(kept, apart) if missing else kept
    return [
        Empty(name, language, _cause(grouped.filter(pl.col("language") == language), apart))
        for name, language in missing
    ]


def _grouped(clips: pl.DataFrame, apart: Sequence[str]) -> pl.DataFrame:
    """Kept clips with the name of their group: its smallest id, so that the order of the sources does not matter."""
    columns = ["id", "language", "person", "spoken", "sha256", "seconds"]
    kept = clips.filter(pl.col("drop").is_null()).select(columns)
    kept = kept.with_columns(pl.Series("number", groups(kept, apart), dtype=pl.Int64))
    names = kept.group_by("number").agg(pl.col("id").min().alias("group"))
    return kept.join(names, on="number", how="left", maintain_order="left").drop("number")


def groups(clips: pl.DataFrame, apart: Sequence[str]) -> NDArray[np.int64]:
    """A number per clip, the same for clips that share a speaker, a text or a recording, directly or through others.

    A graph of clips and of what they share, (clips + values) nodes with an edge from each clip to each of its values:
    its connected components are the groups. Values are told apart by a 64-bit hash.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes = clips.height
    rows, values = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for name in apart:
        shared = clips.select(_shared(name)).to_series()
        having = shared.is_not_null() & (shared != "")  # a text of signs alone is no text
        different, number = np.unique(shared.filter(having).hash(0).to_numpy(), return_inverse=True)
        rows.append(np.flatnonzero(having.to_numpy()))
        values.append(nodes + number)
        nodes += len(different)
    ends = np.concatenate(rows), np.concatenate(values)
    graph = coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(nodes, nodes))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels[: clips.height], dtype=np.int64)


def _shared(name: str) -> pl.Expr:
    """What clips must not share across splits."""
    if name == "speaker":
        return pl.col("person").alias(name)
    if name == "text":
        return pl.col("spoken").str.replace_all(r"[\p{P}\p{S}\p{Z}\p{C}]", "").str.to_lowercase().alias(name)
    return pl.col("sha256").alias(name)


def _assigned(kept: pl.DataFrame, *, shares: Mapping[str, float], seed: int) -> pl.DataFrame:
    """Each group and its split. A group may hold clips in several languages: none may get more than its share by it."""
    seconds = [pl.col("seconds").filter(pl.col("language") == each).sum().alias(each) for each in LANGUAGES]
    table = kept.group_by("group").agg(seconds).sort(shuffled("group", seed=seed))
    sizes = table.select(list(LANGUAGES)).to_numpy().reshape(table.height, len(LANGUAGES)).astype(np.float64)
    assigned = np.full(table.height, TRAIN, dtype=np.int64)
    for language, (number, name) in itertools.product(range(len(LANGUAGES)), enumerate(HELD_OUT)):
        _hold_out(sizes, language, number, shares[name], assigned, table["group"])
    names = pl.Series("split", [*HELD_OUT, "train"], dtype=pl.String)
    return table.select("group", names.gather(assigned))


def _hold_out(
    sizes: Floats, language: int, number: int, share: float, assigned: NDArray[np.int64], names: pl.Series
) -> None:
    """Give a split whole groups of a language up to its share; the smallest group if all are larger than the share.

    `sizes` (groups, languages) in seconds and in the order they are assigned in; `assigned` (groups,) is filled in.
    """
    free = np.flatnonzero((assigned == TRAIN) & (sizes[:, language] > 0))
    held = sizes[assigned == number].sum(axis=0)
    taken = first_fit(sizes[free], used=held, limits=share * sizes.sum(axis=0))
    assigned[free[taken]] = number
    if share > 0 and not sizes[assigned == number, language].any() and len(free) > 1:
        smallest = min(free[sizes[free, language] == sizes[free, language].min()], key=lambda each: names[int(each)])
        left = sizes[assigned == TRAIN].sum(axis=0)
        if (sizes[smallest] <= MOST_OF_A_LANGUAGE * left).all():
            assigned[smallest] = number


def _cause(clips: pl.DataFrame, apart: Sequence[str]) -> str:
    sizes = clips.group_by("group").agg(
        pl.len().alias("clips"), pl.col("person").drop_nulls().n_unique().alias("persons")
    )
    largest = sizes.sort("clips", "group", descending=[True, False]).row(0, named=True)
    count = f"{largest['clips']} of {clips.height} clips"
    if sizes.height == 1 and clips.height == 1:
        return "there is only one clip"
    if largest["persons"] == 1 and "speaker" in apart:
        rest = [name for name in apart if name != "speaker"]
        return f"{count} are by one speaker; add speakers, or set split.apart = {rest} to let splits share one"
    if "text" in apart and largest["persons"] > 1:
        return (
            f'{count} hang together because speakers read the same texts; leave "text" or "speaker" out of split.apart'
        )
    return f"{count} hang together in one group ({', '.join(apart)}); add recordings or leave one out of split.apart"
