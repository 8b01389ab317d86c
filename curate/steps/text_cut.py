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
Numbers = NDArray[np.int64]


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
        free = (kept["split"] == "train").fill_null(False).to_numpy()
        total = float(kept["seconds"].to_numpy()[own].sum())
        lost = float(kept["seconds"].to_numpy()[own & kept["split"].is_null().to_numpy()].sum())
        found = best(
            kept.filter(pl.Series(free)), language, apart=apart, seed=seed, wanted=shares[name] * total,
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


def best(
    clips: pl.DataFrame, language: str, *, apart: Sequence[str], seed: int, wanted: float, most: float
) -> Cut | None:
    """The cut that holds out most, up to `wanted` seconds, and drops at most `most`; of equals that which drops least.

    Only speakers and texts of that language alone are held out, as others would leak from the other language. None
    where there is no such cut.
    """
    others = [name for name in apart if name != "text"]
    clips = clips.with_row_index("place").sort(shuffled("id", seed=seed))
    block = relations.groups(clips, others)
    texts = clips.select(relations.shared("text")).to_series()
    text = texts.rank("dense").fill_null(0).cast(pl.Int64).to_numpy() - 1
    seconds, foreign = clips["seconds"].to_numpy(), (clips["language"] != language).to_numpy()
    if text.max(initial=-1) < 1 or block.max(initial=-1) < 1:
        return None
    barred = np.bincount(block, weights=foreign) > 0
    barred_text = np.bincount(text[text >= 0], weights=foreign[text >= 0]) > 0
    found: Cut | None = None
    inside = np.zeros(len(barred), dtype=np.bool_)
    for speaker in _by_affinity(block, text, seconds, barred):
        inside[speaker] = True
        one = _with_texts(inside[block], text, seconds, barred_text, wanted, most)
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


def _by_affinity(block: Numbers, text: Numbers, seconds: Floats, barred: Flags) -> list[int]:
    """Blocks of speakers, each the one that has most of its hours on the texts of those before.

    Begun with the smallest block, as what is held out should be little.
    """
    from scipy.sparse import csr_array

    known = text >= 0
    shape = len(barred), int(text.max()) + 1
    read = csr_array((seconds[known], (block[known], text[known])), shape=shape)
    totals = np.bincount(block, weights=seconds, minlength=shape[0])
    left = ~barred
    if not left.any():
        return []
    order = [int(np.argmin(np.where(left, totals, np.inf)))]
    covered = np.zeros(shape[1])
    while len(order) < min(int((~barred).sum()), MOST_SPEAKERS):
        left[order[-1]] = False
        covered[read[[order[-1]]].nonzero()[1]] = 1.0
        order.append(int(np.argmax(np.where(left, (read @ covered) / np.maximum(totals, 1e-9), -1.0))))
    return order


def _with_texts(mine: Flags, text: Numbers, seconds: Floats, barred: Flags, wanted: float, most: float) -> Cut | None:
    """These speakers with the texts that drop the least: by what each saves for what it costs."""
    known = text >= 0
    count = int(text.max()) + 1
    saves = np.bincount(text[known & mine], weights=seconds[known & mine], minlength=count)
    costs = np.bincount(text[known & ~mine], weights=seconds[known & ~mine], minlength=count)
    free = float(seconds[mine & ~known].sum())  # clips without a text go with their speakers
    order = np.lexsort((np.arange(count), -saves / (costs + 1.0)))
    order = order[(saves[order] > 0) & ~barred[order]]
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
