"""What two clips may share that no two splits should: person, text, recording, session, the same audio."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.steps import sessions

NAMES = ("speaker", "text", "recording", "audio", "session")


def bare_text() -> pl.Expr:
    """The spoken text without spaces, marks and case; null where nothing is left."""
    bare = pl.col("spoken").str.replace_all(r"[\p{P}\p{S}\p{Z}\p{C}]", "").str.to_lowercase()
    return pl.when(bare != "").then(bare)


def shared(name: str) -> pl.Expr:
    """The value that clips must not share across splits, null for none; named as the relation is."""
    values = {
        "speaker": pl.col("person"),
        "text": bare_text(),
        "recording": pl.col("sha256"),
        "audio": pl.col("sounds_like"),
        "session": sessions.session(),
    }
    return values[name].alias(name)


def groups(clips: pl.DataFrame, apart: Sequence[str]) -> NDArray[np.int64]:
    """A number per clip, the same for clips that share what is to be kept apart, directly or through others.

    Values are told apart by a 64-bit hash.
    """
    columns = [clips.select(shared(name)).to_series() for name in apart]
    return components(clips.height, columns)


def components(count: int, columns: Sequence[pl.Series]) -> NDArray[np.int64]:
    """A number for each of `count` rows, from 0 on; the same for rows with a value in common, or linked by others.

    These are the connected components of a graph, found by hooking and shortcutting (Shiloach & Vishkin, J. Algorithms
    3, 1982) in a few rounds over whole columns: importing scipy.sparse would take longer than a corpus does.
    """
    sharing = []
    for column in columns:
        having = column.is_not_null()
        different, number = np.unique(column.filter(having).hash(0).to_numpy(), return_inverse=True)
        sharing.append((np.flatnonzero(having.to_numpy()), number, len(different)))
    group = np.arange(count)  # for each row one of the same component, itself or one before it; at the end the first
    while True:
        before = group.copy()
        for rows, number, values in sharing:
            least = np.full(values, count)
            np.minimum.at(least, number, group[rows])
            np.minimum.at(group, before[rows], least[number])  # the row that stood for this one hears of it, too
            group[rows] = np.minimum(group[rows], least[number])
        while not np.array_equal(shorter := group[group], group):
            group = shorter
        if np.array_equal(group, before):
            return np.unique(group, return_inverse=True)[1]


def name_alike(clips: pl.DataFrame) -> pl.DataFrame:
    """Fill `sounds_like`: kept clips that sound alike have the least id among them, from the pairs in `similar`.

    Such clips are kept where they are less alike than a duplicate is, or where a person said so.
    """
    none = pl.lit(None, dtype=pl.String).alias("sounds_like")
    kept = clips.filter(pl.col("drop").is_null()).select("id", "similar")
    listed = kept.filter(pl.col("similar").list.len() > 0)
    pairs = listed.select("id", pl.col("similar").list.eval(pl.element().struct.field("id")).alias("other"))
    pairs = pairs.explode("other").join(kept.select(pl.col("id").alias("other")), on="other", how="semi")
    if pairs.is_empty():
        return clips.with_columns(none)
    ends = pl.concat([pairs["id"], pairs["other"]])
    edge = pl.Series(np.tile(np.arange(pairs.height), 2))
    alike = pl.DataFrame({"id": ends, "edge": edge})
    # rows with an id or an edge in common belong together
    number = components(alike.height, [alike["id"], alike["edge"]])
    alike = alike.with_columns(pl.Series("group", number)).with_columns(
        pl.col("id").min().over("group").alias("sounds_like")
    )
    names = alike.select("id", "sounds_like").unique()
    return (
        clips.drop("sounds_like", strict=False)
        .join(names, on="id", how="left", maintain_order="left")
        .select([name for name in clips.columns if name != "sounds_like"] + ["sounds_like"])
    )
