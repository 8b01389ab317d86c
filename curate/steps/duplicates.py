"""The same audio twice: which clips sound alike is measured; which of them stays is decided here.

The same text twice is no duplicate: several people may read one sentence. `split` keeps them on one side.
"""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.steps.rules import DROP, KEEP

LATER = ["duplicate", "leak", "capped", "surplus"]  # rules that are decided with or after this
WAITING, STAYS, REPEATS = 0, 1, 2
ROUNDS = 50
Numbers = NDArray[np.int64]


class Preference(NamedTuple):
    """What makes one of two copies the better: the lower rank. `column` and `unit` are for telling it."""

    words: str
    rank: pl.Expr
    column: str = ""
    unit: str = ""


# What people said, then what the rules say, then what a limit does not change. A rank is rounded where smaller
# differences are measurement.
BY_PEOPLE = (
    Preference("a person said keep", pl.col("verdict").ne_missing(KEEP)),
    # whoever dropped a clip did not ask for its copy
    Preference("a person dropped it, and its copies with it", pl.col("verdict").ne_missing(DROP)),
)
BY_RULES = Preference("no other rule drops it", ~pl.col("drop").is_in(LATER).fill_null(True))
WIDER = 2000.0  # Hz: what a coder or a resampler leaves beside the band is less
QUIET = 40.0  # dB: a cleaner copy is no better; a room raises the SNR of a studio's silence as often as it lowers it
BETTER = 0.25  # of a predicted quality: by less two copies of one sentence differ by chance
LOSSLESS = r"/(PCM_|FLOAT|DOUBLE|FLAC|ALAC|WAVPACK)"
BY_SOUND = (
    Preference("its text was given, not heard", (pl.col("text_from") != "given").fill_null(True)),
    Preference("its band is wider", -(pl.col("bandwidth").fill_null(-WIDER) / WIDER).round(), "bandwidth", "Hz"),
    Preference(
        "it was not coded with loss",
        ~pl.col("codec").str.to_uppercase().str.contains(LOSSLESS).fill_null(True),
        "codec",
    ),
    Preference("its sample rate promises no more than its band", pl.col("rate").fill_null(0), "rate", "Hz"),
    Preference("less of it is clipped", pl.col("clipped").fill_null(0).round(3), "clipped"),
    Preference(
        "there is less noise in it", -(pl.col("snr").clip(upper_bound=QUIET).fill_null(0) / 3).round(), "snr", "dB"
    ),
    *(
        Preference("its predicted quality is higher", -(pl.col(name).fill_null(0) / BETTER).round(), name)
        for name in ("distillmos", "dnsmos")
    ),
)
PREFERENCES = (*BY_PEOPLE, BY_RULES, *BY_SOUND)


def mark(clips: pl.DataFrame, *, threshold: float | bool, first: pl.Series | None = None) -> pl.DataFrame:
    """Fill `duplicate_of`: of clips that sound alike the best one stays; no rule drops both: one of the ids `first`.

    Best: the first of PREFERENCES in which they differ, else the one that comes first. A clip repeats one that stays
    only where the two themselves sound alike: different sentences of one long recording both sound like it and not like
    each other.
    """
    none = pl.lit(None, dtype=pl.String).alias("duplicate_of")
    if threshold is False:
        return clips.with_columns(none)
    ranked = _ranked(clips, pl.Series([], dtype=pl.String) if first is None else first)
    pairs = _pairs(ranked, threshold)
    if pairs.is_empty():
        return clips.with_columns(none)
    state = _settled(ranked.height, pairs["worse"].to_numpy(), pairs["better"].to_numpy())
    twins = pairs.filter(pl.Series(state[pairs["better"].to_numpy()] == STAYS))
    # the most alike of those that stay; of equals the one that was named first
    twins = twins.sort("similarity", descending=True, maintain_order=True).unique("worse", keep="first")
    repeats = twins.select(
        ranked["id"].gather(twins["worse"]), ranked["id"].gather(twins["better"]).alias("duplicate_of")
    )
    return clips.drop("duplicate_of").join(repeats, on="id", how="left", maintain_order="left").select(clips.columns)


def _ranked(clips: pl.DataFrame, first: pl.Series) -> pl.DataFrame:
    """Clips that sound like another, the best first: id and similar."""
    order = [*(each.rank for each in (*BY_PEOPLE, BY_RULES)), *by_sound(first)]
    return clips.filter(pl.col("similar").list.len() > 0).sort(order, maintain_order=True).select("id", "similar")


def by_sound(first: pl.Series) -> list[pl.Expr]:
    """What decides between clips that people and rules say the same of: those of the ids `first`, then BY_SOUND."""
    return [~pl.col("id").is_in(first.implode()), *(each.rank for each in BY_SOUND)]


def why(clips: pl.DataFrame, stays: str, repeats: str) -> str:
    """Why of two clips that sound alike the first stays, in words; they are named by id."""
    one, other = (clips.filter(pl.col("id") == id).head(1) for id in (stays, repeats))
    if one.is_empty() or other.is_empty():
        return "it is not in this manifest"
    for each in PREFERENCES:
        if one.select(each.rank).item() < other.select(each.rank).item():
            values = [frame.select(each.column).item() for frame in (one, other)] if each.column else []
            shown = " against ".join(
                "unknown" if value is None else value if isinstance(value, str) else f"{value:g}" for value in values
            )
            return f"{each.words} ({shown} {each.unit}".rstrip() + ")" if values else each.words
    return "it comes first; they are equally good"


def _pairs(ranked: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Pairs that sound alike, as places in the order of `ranked`: worse, better, similarity."""
    numbered = ranked.with_row_index("worse").with_columns(pl.col("worse").cast(pl.Int64))
    listed = numbered.select("worse", "similar").explode("similar").unnest("similar")
    places = numbered.select("id", pl.col("worse").alias("better"))
    listed = listed.filter(pl.col("similarity") >= threshold).join(places, on="id", how="inner", maintain_order="left")
    return listed.filter(pl.col("better") < pl.col("worse")).select("worse", "better", "similarity")


def _settled(count: int, worse: Numbers, better: Numbers) -> NDArray[np.int8]:
    """STAYS or REPEATS for each of `count` clips in order: one repeats where a better one like it stays, else stays.

    What a loop down the order would give, in rounds: whoever waits for nobody stays, whoever is like one that stays
    repeats, and the pairs of those are settled. There are as many rounds as the longest chain of a waiting for b for c;
    families of copies need a few. A chain that needs more (ten thousand takes of one sound, each like the next alone)
    has nothing to do at once, and what is left of it is walked down.
    """
    state = np.full(count, WAITING, dtype=np.int8)
    for _ in range(ROUNDS):
        waits = np.zeros(count, dtype=np.bool_)
        waits[worse] = True
        state[(state == WAITING) & ~waits] = STAYS
        if not len(worse):
            return state
        state[worse[state[better] == STAYS]] = REPEATS
        open_pairs = (state[worse] == WAITING) & (state[better] == WAITING)
        worse, better = worse[open_pairs], better[open_pairs]
    order = np.lexsort((better, worse))
    repeats = dict.fromkeys(np.unique(worse[order]).tolist(), False)
    for one, other in zip(worse[order].tolist(), better[order].tolist(), strict=True):
        repeats[one] |= not repeats.get(other, False)  # `other` is better, so it was decided before
    state[[one for one, repeat in repeats.items() if repeat]] = REPEATS
    state[state == WAITING] = STAYS
    return state
