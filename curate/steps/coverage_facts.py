"""What the kept clips cover of a language's sounds and letters, against all clips that could have been kept."""

from typing import Any

import numpy as np
import polars as pl

from curate.recipe import LANGUAGES
from curate.steps.duplicates import LATER
from curate.text import coverage
from curate.text.coverage.known import NEEDED, Known

RARE = 5  # clips: a unit in fewer is called rare
NAMED = 12  # units that are named of each sort
FREQUENT = 40  # of the most frequent

Facts = dict[str, Any]


def phonetic_coverage(clips: pl.DataFrame, known: Known | None = None) -> list[Facts]:
    """Per language with kept clips: its kinds of units, each with counts, entropy, rare and absent units.

    Counts are of clips that have a unit. `pool`: of the clips that no rule before the choice dropped; `inventory`: of a
    closed kind, how many the language has (null: open); `absent`: those that no kept clip has; `lost`: units of the
    pool that no kept clip has; `rare`: units in fewer than 5 kept clips, the rarest first; `entropy` in bits, of the
    kept clips' units and of the pool's. Units are named with their clips: the most `frequent` and the `rarest`.
    `known`: the units of these texts, where they were found already.
    """
    facts = []
    texts = clips.select("drop", *NEEDED)
    units = known.units if known else coverage.units
    for language in LANGUAGES:
        pool = pool_of(texts, language)
        kept = pool["drop"].is_null().to_numpy()
        if kept.any():
            facts.append({
                "language": language, "name": LANGUAGES[language], "clips": int(kept.sum()), "pool_clips": pool.height,
                "rare_below": RARE,
                "kinds": _kinds(units(pool, language), kept, language),
            })  # fmt: skip
    return facts


def pool_of(clips: pl.DataFrame, language: str) -> pl.DataFrame:
    """Clips of a language that could have been kept: none but the rules that choose dropped them."""
    chosen_later = pl.col("drop").is_null() | pl.col("drop").is_in([name for name in LATER if name != "duplicate"])
    return clips.filter(pl.col("language") == language, chosen_later)


def _kinds(units: tuple[pl.DataFrame, Any, Any], kept: Any, language: str) -> list[Facts]:
    table, rows, numbers = units
    table = table.with_columns(
        pl.Series("pool", np.bincount(numbers, minlength=table.height)),
        pl.Series("kept", np.bincount(numbers[kept[rows]], minlength=table.height)),
    )
    inventory = coverage.inventory(language)
    found = []
    for kind, about in coverage.kinds(language).items():
        own = table.filter(pl.col("kind") == kind)
        have = own.filter(pl.col("kept") > 0)
        lost = own.filter(pl.col("kept") == 0).sort("pool", "unit", descending=[True, False])
        rare = have.filter(pl.col("kept") < RARE).sort("kept", "unit")
        closed = inventory.get(kind)
        there = set(have["unit"])
        absent = [unit for unit in closed or () if unit not in there]
        found.append({
            "kind": kind, "about": about, "units": have.height, "pool": own.height,
            "share": round(have.height / own.height, 4) if own.height else None,
            "inventory": len(closed) if closed else None, "absent": absent,
            "lost": lost.height, "lost_first": lost["unit"].head(NAMED).to_list(),
            "frequent": _counted(have.sort("kept", "unit", descending=[True, False]).head(FREQUENT)),
            "rare": rare.height, "rarest": _counted(rare.head(NAMED)),
            "entropy": _entropy(have["kept"]), "pool_entropy": _entropy(own["pool"]),
        })  # fmt: skip
    return found


def _counted(units: pl.DataFrame) -> list[list[Any]]:
    """Each unit with the number of kept clips that have it."""
    return [list(row) for row in units.select("unit", "kept").iter_rows()]


def _entropy(counts: pl.Series) -> float | None:
    """Bits; of n units that are equally frequent log2 n."""
    values = counts.to_numpy().astype(np.float64)
    if not values.sum():
        return None
    shares = values[values > 0] / values.sum()
    return round(float(-(shares * np.log2(shares)).sum()) + 0.0, 4)
