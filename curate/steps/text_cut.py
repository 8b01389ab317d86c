"""Few texts read by many: which speakers and texts to hold out so that the fewest hours are lost.

Where everybody reads the same texts, all clips hang together: a clip of a held-out speaker has a text that is trained
on. Such a corpus can be parted only by dropping clips, those of held-out speakers on other texts and those of held-out
texts by other speakers. Speakers and texts are the two sides of a bipartite graph with a clip as an edge; parted is it
by a cut, and the clips that cross it are dropped.

To find which texts go with a set of speakers: a text held out saves what these speakers read of it and costs what the
others did, so texts are taken by the hours they save for each hour they cost, and the speakers are added one by one,
each time the one whose clips are most on the texts of those already there (by hash among equals).
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.recipe import LANGUAGES
from curate.steps import relations
from curate.steps.held_out import HELD_OUT
from curate.steps.selection import Floats, shuffled

MOST_SPEAKERS = 40  # more held-out speakers than this are not tried
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Cut:
    """What is held out and what is dropped, of n clips, and their seconds."""

    held: Flags
    dropped: Flags
    held_seconds: float
    dropped_seconds: float


def cut(
    kept: pl.DataFrame, *, shares: Mapping[str, float], apart: Sequence[str], seed: int, max_dropped: float
) -> pl.DataFrame:
    """Hold out speakers with texts where a split of a language is empty; `split` is null for clips that are dropped."""
    if "text" not in apart:
        return kept
    for language, name in itertools.product(LANGUAGES, HELD_OUT):
        own = (kept["language"] == language).to_numpy()
        has = ((kept["split"] == name) & (kept["language"] == language)).any()
        if shares[name] <= 0 or has or not own.any():
            continue
        free = own & (kept["split"] == "train").fill_null(False).to_numpy()
        total = float(kept["seconds"].to_numpy()[own].sum())
        lost = float(kept["seconds"].to_numpy()[own & kept["split"].is_null().to_numpy()].sum())
        found = best(
            kept.filter(pl.Series(free)), apart=apart, seed=seed, wanted=shares[name] * total,
            most=min(max_dropped * total * _part(name, shares), max_dropped * total - lost),
        )  # fmt: skip
        if found is None:
            continue
        places = np.flatnonzero(free)
        splits = kept["split"].to_list()
        for place in places[found.held]:
            splits[place] = name
        for place in places[found.dropped]:
            splits[place] = None
        kept = kept.with_columns(pl.Series("split", splits, dtype=pl.String))
    return kept


def _part(name: str, shares: Mapping[str, float]) -> float:
    """The part of what may be dropped that is for one of the splits."""
    return shares[name] / sum(shares[each] for each in HELD_OUT)


def best(clips: pl.DataFrame, *, apart: Sequence[str], seed: int, wanted: float, most: float) -> Cut | None:
    """The cut that holds out most, up to `wanted` seconds, and drops at most `most`; of equals the one that drops least.

    None where there is none. Clips without a text, or of one block of speakers only, are never cut off.
    """
    others = [name for name in apart if name != "text"]
    clips = clips.with_row_index("place").sort(shuffled("id", seed=seed))
    block = relations.groups(clips, others)
    texts = clips.select(relations.shared("text")).to_series()
    text = texts.rank("dense").fill_null(0).cast(pl.Int64).to_numpy() - 1
    seconds = clips["seconds"].to_numpy()
    if text.max(initial=-1) < 1 or block.max(initial=-1) < 1:
        return None
    order = _by_affinity(block, text, seconds)
    found: Cut | None = None
    inside = np.zeros(int(block.max()) + 1, dtype=np.bool_)
    for speaker in order[:MOST_SPEAKERS]:
        inside[speaker] = True
        one = _with_texts(inside[block], text, seconds, wanted, most)
        if one is not None and (found is None or _better(one, found)):
            found = one
    if found is None:
        return None
    back = np.argsort(clips["place"].to_numpy())
    return Cut(found.held[back], found.dropped[back], found.held_seconds, found.dropped_seconds)



def _better(one: Cut, other: Cut) -> bool:
    if abs(one.held_seconds - other.held_seconds) > 0.1 * other.held_seconds:
        return one.held_seconds > other.held_seconds
    return one.dropped_seconds < other.dropped_seconds


def _by_affinity(block: NDArray[np.int64], text: NDArray[np.int64], seconds: Floats) -> list[int]:
    """Blocks of speakers, each the one that shares most of its hours with the texts of those before; small ones first.

    Begun with the smallest block, as what is held out should be little.
    """
    from scipy.sparse import csr_array

    known = text >= 0
    shape = int(block.max()) + 1, int(text.max()) + 1
    read = csr_array((seconds[known], (block[known], text[known])), shape=shape)
    totals = np.bincount(block, weights=seconds, minlength=shape[0])
    first = int(np.lexsort((np.arange(shape[0]), totals))[0])
    order, covered = [first], np.zeros(shape[1], dtype=np.bool_)
    left = np.ones(shape[0], dtype=np.bool_)
    while len(order) < min(shape[0], MOST_SPEAKERS):
        left[order[-1]] = False
        covered[read[[order[-1]]].nonzero()[1]] = True
        share = (read @ covered.astype(np.float64)) / np.maximum(totals, 1e-9)
        share[~left] = -1.0
        order.append(int(np.argmax(share)))
    return order


def _with_texts(mine: Flags, text: NDArray[np.int64], seconds: Floats, wanted: float, most: float) -> Cut | None:
    """These speakers with the texts that drop the least: by what each saves for what it costs."""
    known = text >= 0
    count = int(text.max()) + 1
    saves = np.bincount(text[known & mine], weights=seconds[known & mine], minlength=count)
    costs = np.bincount(text[known & ~mine], weights=seconds[known & ~mine], minlength=count)
    free = float(seconds[mine & ~known].sum())  # clips without a text go with their speakers
    order = np.lexsort((np.arange(count), -saves / (costs + 1.0)))
    order = order[saves[order] > 0]
    held = np.cumsum(saves[order]) + free
    dropped = seconds[mine].sum() - held + np.cumsum(costs[order])
    fits = (held <= wanted + 1e-9) & (dropped <= most + 1e-9)
    if not fits.any():
        return None
    last = int(np.flatnonzero(fits)[-1])
    chosen = np.zeros(count + 1, dtype=np.bool_)
    chosen[order[: last + 1]] = True
    of_text = chosen[text]  # a text of -1 is the last place: false
    held_out = mine & (of_text | ~known)
    return Cut(held_out, (mine & ~held_out) | (~mine & of_text), float(held[last]), float(dropped[last]))
