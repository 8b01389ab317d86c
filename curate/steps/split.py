"""Train, validation and test with nothing in two: no speaker, no text, no recording, no audio that sounds the same.

Clips that share any of these hang together in one group, and groups are assigned whole.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from curate.steps import draw, held_out, text_cut
from curate.steps.relations import groups
from curate.steps.rule_catalogue import ORDER
from curate.steps.rules import break_rule

__all__ = ["groups", "split"]


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
    hours is dropped as `leak` so that something can. So is a clip that is not surely of a held-out person.
    """
    pinned = held_out.nothing() if held is None else held
    kept = draw.grouped(clips, apart).join(pinned.select("id", pl.col("split").alias("pin")), on="id", how="left")
    kept = kept.sort("row")
    kept = kept.with_columns(draw.assigned(kept, shares=shares, seed=seed, strict=max_dropped > 0))
    if max_dropped:
        kept = text_cut.cut(kept, shares=shares, apart=apart, seed=seed, max_dropped=max_dropped)
    # of a held-out person only what is surely theirs
    doubtful = ~pl.col("sure") & pl.col("split").is_in(held_out.HELD_OUT) & pl.col("pin").is_null()
    kept = kept.with_columns(pl.when(~doubtful).then("split").alias("split"))
    splits = pl.DataFrame({"row": np.arange(clips.height, dtype=np.uint32)}).join(
        kept.select("row", "split"), on="row", how="left", maintain_order="left"
    )
    clips = clips.with_columns(splits["split"])
    lost = clips["drop"].is_null() & clips["split"].is_null()
    return break_rule(clips, "leak", pl.lit(lost), order) if lost.any() else clips
