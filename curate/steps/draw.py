"""Groups of clips dealt out to train, validation and test: whole groups, each language by itself."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.recipe import LANGUAGES
from curate.steps import person_candidates
from curate.steps.held_out import HELD_OUT
from curate.steps.relations import groups
from curate.steps.selection import Floats, first_fit, shuffled

USED = (
    "row", "id", "language", "seconds", "person", "person_candidates", "spoken", "sha256", "sounds_like", "session",
    "source", "path",
)  # fmt: skip
TRAIN = len(HELD_OUT)  # the number of what is in neither
HONEST = 1.5  # times what was asked: more is told, with its cause
LEAST_TRAINED = 0.7  # of a language's hours: less is told, with its cause
MOST_HELD = 0.2  # where every group is larger than what was asked, one of up to this share of the hours is held out


def grouped(clips: pl.DataFrame, apart: Sequence[str]) -> pl.DataFrame:
    """Kept clips with the name of their group: its smallest id, so that the order of the sources does not matter.

    `sure`: whether it is known who speaks, where persons are kept apart.
    """
    known = person_candidates.taken_as_sure() if "speaker" in apart else pl.lit(True)
    kept = clips.with_row_index("row").filter(pl.col("drop").is_null())
    kept = kept.with_columns(known.alias("sure")).select(*USED, "sure")
    kept = kept.with_columns(pl.Series("number", groups(kept, apart), dtype=pl.Int64))
    return kept.with_columns(pl.col("id").min().over("number").alias("group")).drop("number")


def assigned(kept: pl.DataFrame, *, shares: Mapping[str, float], seed: int, strict: bool = False) -> pl.Series:
    """The split of each clip. A group may hold clips in several languages: none may get more than its share by it.

    `strict`: nothing is held out rather than more than 1.5 times what was asked.
    """
    seconds = [pl.col("seconds").filter(pl.col("language") == each).sum().alias(each) for each in LANGUAGES]
    sure = pl.col("sure").any()
    pins = [(pl.col("pin") == name).any().alias(f"pin {name}") for name in HELD_OUT]
    table = kept.group_by("group").agg(*seconds, *pins, sure).sort(shuffled("group", seed=seed))
    sizes = table.select(list(LANGUAGES)).to_numpy().reshape(table.height, len(LANGUAGES)).astype(np.float64)
    splits = np.full(table.height, TRAIN, dtype=np.int64)
    for number, name in enumerate(HELD_OUT):  # test last: it wins
        splits[table[f"pin {name}"].fill_null(False).to_numpy()] = number
    drawn = {(number, language): sizes[splits == number, language].any()
             for number in range(TRAIN) for language in range(len(LANGUAGES))}  # fmt: skip
    asked = [shares[name] for name in HELD_OUT]
    for language, number in itertools.product(range(len(LANGUAGES)), range(TRAIN)):
        if not drawn[number, language]:
            most = HONEST * asked[number] if strict else max(MOST_HELD, HONEST * asked[number])
            _hold_out(sizes, language, number, asked, splits, table["group"], most, table["sure"].to_numpy())
    names = pl.Series("split", [*HELD_OUT, "train"], dtype=pl.String)
    of_group = table.select("group", names.gather(splits))
    return kept.select("group").join(of_group, on="group", how="left", maintain_order="left")["split"]


def _hold_out(
    sizes: Floats,
    language: int,
    number: int,
    asked: Sequence[float],
    assigned: NDArray[np.int64],
    names: pl.Series,
    most: float,
    sure: NDArray[np.bool_],
) -> None:
    """Give a split whole groups of a language up to its share; of larger ones the smallest, if it has at most `most`.

    `sizes` (groups, languages) in seconds and in the order they are assigned in; `assigned` (groups,) is filled in.
    A group of clips of which it is not known who speaks is not held out: someone else's clips may be theirs.
    """
    share, totals = asked[number], sizes.sum(axis=0)
    free = np.flatnonzero((assigned == TRAIN) & (sizes[:, language] > 0) & sure)
    held = sizes[assigned == number].sum(axis=0)
    taken = first_fit(sizes[free], used=held, limits=share * totals)
    assigned[free[taken]] = number
    if share > 0 and not sizes[assigned == number, language].any() and len(free) > 1:
        smallest = min(free[sizes[free, language] == sizes[free, language].min()], key=lambda each: names[int(each)])
        left = sizes[assigned == TRAIN].sum(axis=0) - sizes[smallest]
        least = min(LEAST_TRAINED, 1 - sum(asked)) * totals
        if (sizes[smallest] <= most * totals).all() and (left >= least)[sizes[smallest] > 0].all():
            assigned[smallest] = number
