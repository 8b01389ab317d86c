"""Train, validation and test with nothing in two: no speaker, no text, no recording, no audio that sounds the same.

Clips that share any of these hang together in one group, and groups are assigned whole.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.recipe import LANGUAGES
from curate.steps import held_out, relations, text_cut
from curate.steps.held_out import HELD_OUT
from curate.steps.relations import groups
from curate.steps.rule_catalogue import ORDER
from curate.steps.rules import break_rule
from curate.steps.selection import Floats, first_fit, shuffled

__all__ = ["HELD_OUT", "groups", "split"]

USED = ("row", "id", "language", "seconds", "person", "spoken", "sha256", "sounds_like", "session", "source", "path")
TRAIN = len(HELD_OUT)  # the number of what is in neither
HONEST = 1.5  # times what was asked: more is told, with its cause
LEAST_TRAINED = 0.7  # of a language's hours: less is told, with its cause
MOST_HELD = 0.2  # where every group is larger than what was asked, one of up to this share of the hours is held out


def split(
    clips: pl.DataFrame,
    *,
    shares: Mapping[str, float],
    apart: Sequence[str],
    seed: int,
    held: pl.DataFrame | None = None,
    max_dropped: float = 0.0,
    order: Sequence[str] = ORDER,
) -> pl.DataFrame:
    """Fill `split` of kept clips, whole groups at a time, each language by itself.

    `held`: ids that are held out already with their split; a language that has such clips gets no others. With
    `max_dropped`, where nothing could be held out as speakers read the same texts, up to that share of a language's
    hours is dropped as `leak` so that something can.
    """
    pinned = held_out.nothing() if held is None else held
    kept = _grouped(clips, apart).join(pinned.select("id", pl.col("split").alias("pin")), on="id", how="left")
    kept = kept.sort("row")
    kept = kept.with_columns(_assigned(kept, shares=shares, seed=seed))
    if max_dropped:
        kept = text_cut.cut(kept, shares=shares, apart=apart, seed=seed, max_dropped=max_dropped)
    splits = pl.DataFrame({"row": np.arange(clips.height, dtype=np.uint32)}).join(
        kept.select("row", "split"), on="row", how="left", maintain_order="left"
    )
    clips = clips.with_columns(splits["split"])
    lost = clips["drop"].is_null() & clips["split"].is_null()
    return break_rule(clips, "leak", pl.lit(lost), order) if lost.any() else clips


def _grouped(clips: pl.DataFrame, apart: Sequence[str]) -> pl.DataFrame:
    """Kept clips with the name of their group: its smallest id, so that the order of the sources does not matter."""
    kept = clips.with_row_index("row").filter(pl.col("drop").is_null()).select(USED)
    kept = kept.with_columns(pl.Series("number", groups(kept, apart), dtype=pl.Int64))
    return kept.with_columns(pl.col("id").min().over("number").alias("group")).drop("number")


def _assigned(kept: pl.DataFrame, *, shares: Mapping[str, float], seed: int) -> pl.Series:
    """The split of each clip. A group may hold clips in several languages: none may get more than its share by it."""
    seconds = [pl.col("seconds").filter(pl.col("language") == each).sum().alias(each) for each in LANGUAGES]
    pins = [(pl.col("pin") == name).any().alias(f"pin {name}") for name in HELD_OUT]
    table = kept.group_by("group").agg(*seconds, *pins).sort(shuffled("group", seed=seed))
    sizes = table.select(list(LANGUAGES)).to_numpy().reshape(table.height, len(LANGUAGES)).astype(np.float64)
    assigned = np.full(table.height, TRAIN, dtype=np.int64)
    for number, name in enumerate(HELD_OUT):  # test last: it wins
        assigned[table[f"pin {name}"].fill_null(False).to_numpy()] = number
    drawn = {(number, language): sizes[assigned == number, language].any()
             for number in range(TRAIN) for language in range(len(LANGUAGES))}  # fmt: skip
    asked = [shares[name] for name in HELD_OUT]
    for language, number in itertools.product(range(len(LANGUAGES)), range(TRAIN)):
        if not drawn[number, language]:
            _hold_out(sizes, language, number, asked, assigned, table["group"])
    names = pl.Series("split", [*HELD_OUT, "train"], dtype=pl.String)
    of_group = table.select("group", names.gather(assigned))
    return kept.select("group").join(of_group, on="group", how="left", maintain_order="left")["split"]


def _hold_out(
    sizes: Floats, language: int, number: int, asked: Sequence[float], assigned: NDArray[np.int64], names: pl.Series
) -> None:
    """Give a split whole groups of a language up to its share; the smallest group if all are larger than the share.

    `sizes` (groups, languages) in seconds and in the order they are assigned in; `assigned` (groups,) is filled in.
    """
    share, totals = asked[number], sizes.sum(axis=0)
    free = np.flatnonzero((assigned == TRAIN) & (sizes[:, language] > 0))
    held = sizes[assigned == number].sum(axis=0)
    taken = first_fit(sizes[free], used=held, limits=share * totals)
    assigned[free[taken]] = number
    if share > 0 and not sizes[assigned == number, language].any() and len(free) > 1:
        smallest = min(free[sizes[free, language] == sizes[free, language].min()], key=lambda each: names[int(each)])
        left = sizes[assigned == TRAIN].sum(axis=0) - sizes[smallest]
        most = max(MOST_HELD, HONEST * share) * totals
        least = min(LEAST_TRAINED, 1 - sum(asked)) * totals
        if (sizes[smallest] <= most).all() and (left >= least)[sizes[smallest] > 0].all():
            assigned[smallest] = number
