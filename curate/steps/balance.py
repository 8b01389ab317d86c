"""How much of each language, person, source, session and text: over a cap is `capped`, over the hours `surplus`.

Among the clips that fit those are kept that together cover most and are good: `coverage_choice` says how.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from curate.recipe import LANGUAGES
from curate.steps import coverage_choice, sessions
from curate.steps.coverage_choice import Cap, Floats, Numbers, Pool
from curate.steps.quality import quality as measured_quality
from curate.steps.relations import bare_text
from curate.steps.rule_catalogue import ORDER
from curate.steps.rules import break_rule
from curate.steps.selection import shuffled
from curate.text import coverage
from curate.text.coverage.known import Known

SPREAD = 0.2  # weight of the spread over persons; what is neither this nor quality is phonetic coverage
RELEASE = 0.03  # share of the hours for which clips chosen earlier compete with new ones
Units = tuple[pl.DataFrame, Any, Any]  # as `coverage.units`
FEWEST = 2  # clips with a unit: one that a single clip has is as often an error of its text


@dataclass(frozen=True)
class Candidates:
    """The clips of one language to choose from, in the order that equals are taken in."""

    rows: Numbers  # their places in the frame
    ids: pl.Series
    pool: Pool
    wanted: float  # seconds


def balance(
    clips: pl.DataFrame,
    *,
    order: Sequence[str] = ORDER,
    earlier: Collection[str] = (),
    stable: bool = True,
    **settings: Any,
) -> pl.DataFrame:
    """Keep the wanted hours of each language under the caps; the other clips are `capped`, `surplus` or both.

    `settings`: as of `candidates`. `earlier`: ids chosen before there were more clips, nearly all of which stay if the
    choice is to be `stable`.
    """
    return choose(clips, candidates(clips, **settings), order=order, earlier=earlier if stable else ())


def candidates(
    clips: pl.DataFrame,
    *,
    hours: Mapping[str, float],
    max_speaker_hours: float | None = None,
    max_source_hours: float | None = None,
    max_session_hours: float | None = None,
    max_text_clips: int | None = None,
    quality: float = 0.2,
    seed: int = 0,
    known: Known | None = None,
) -> list[Candidates]:
    """What there is to choose from in each language that has more than is wanted, or caps to keep.

    `known`: the units of the clips' texts, where they were found already.
    """
    units = known.units if known else coverage.units
    caps = {
        "person": max_speaker_hours, "source": max_source_hours, "session": max_session_hours, "text": max_text_clips,
    }  # fmt: skip
    asked = {name: cap for name, cap in caps.items() if cap is not None}
    grouped = clips.with_columns(sessions.session().alias("session"), bare_text().alias("text")).with_row_index("row")
    found = []
    for language in LANGUAGES:
        pool = grouped.filter(pl.col("drop").is_null(), pl.col("language") == language)
        wanted = hours.get(language, np.inf) * 3600
        if not pool.is_empty() and (asked or pool["seconds"].sum() > wanted):
            pool = pool.sort(shuffled("id", seed=seed))
            rows = pool["row"].to_numpy()
            weighed = pool_of(pool, units(pool, language), wanted, quality, asked)
            found.append(Candidates(rows, pool["id"], weighed, wanted))
    return found


def choose(
    clips: pl.DataFrame,
    found: Sequence[Candidates],
    *,
    order: Sequence[str] = ORDER,
    earlier: Collection[str] = (),
    held: Collection[str] = (),
    barred: pl.Series | None = None,
) -> pl.DataFrame:
    """Of the candidates the best; `held` ids stay in any case, as a test set has them, and `barred` clips never do."""
    over = {name: np.zeros(clips.height, dtype=np.bool_) for name in ("capped", "surplus")}
    forbidden = np.zeros(clips.height, dtype=np.bool_) if barred is None else barred.to_numpy()
    for each in found:
        first, then = (
            each.ids.is_in(pl.Series(list(ids), dtype=pl.String).implode()).to_numpy() for ids in (held, earlier)
        )
        choice = coverage_choice.choose(
            each.pool, each.wanted, allowed=~forbidden[each.rows], forced=first, preferred=then, release=RELEASE
        )
        if choice.full:
            over["capped"][each.rows] = ~choice.taken & np.any(choice.full, axis=0)
        over["surplus"][each.rows] = ~choice.taken & choice.over
    for rule, flags in over.items():
        clips = break_rule(clips, rule, pl.lit(pl.Series(flags)), order)
    return clips


def pool_of(clips: pl.DataFrame, units: Units, wanted: float, quality_weight: float, caps: Mapping[str, float]) -> Pool:
    """Clips of one language, to be chosen from: their units, weights and caps."""
    seconds = clips["seconds"].to_numpy().astype(np.float64)
    starts, numbers, weights = _weighed(units, clips.height, max(0.0, 1 - quality_weight - SPREAD))
    person = _numbers(clips["person"])
    totals = np.bincount(person[person >= 0], weights=seconds[person >= 0]).astype(np.float64)
    level = _even(totals, wanted)
    spread = -float(np.expm1(-totals / level).sum())
    good = clips.select(measured_quality()).to_series().to_numpy()
    limits = []
    for name, cap in caps.items():
        amounts, most = (np.ones(len(seconds)), float(cap)) if name == "text" else (seconds, cap * 3600)
        limits.append(Cap(_numbers(clips[name]), amounts, most))
    return Pool(
        seconds, starts, numbers, weights, person, SPREAD / spread if spread else 0.0, level,
        quality_weight * seconds * good / max(1.0, min(wanted, float(seconds.sum()))), limits,
    )  # fmt: skip


def _even(totals: Floats, wanted: float) -> float:
    """Seconds up to which each person counts so that all together make the seconds wanted; who has less has all.

    At least a second, for it is divided by; where there are less than are wanted, what the one with most has.
    """
    have = np.sort(totals)
    below = np.cumsum(have) - have  # of those with less
    level = (wanted - below) / np.arange(len(have), 0, -1)  # if this one and those with more all had the same
    enough = np.flatnonzero(level <= have)
    return max(1.0, float(level[enough[0]] if len(enough) else have.max(initial=0.0)))


def _weighed(units: Units, clips: int, weight: float) -> tuple[Numbers, Numbers, Floats]:
    """The units of each clip, by number, and their weights: each kind has the same, shared out so that all is `weight`.

    The order of clips and units follows from ids and names alone, so that sums are the same to the last bit.
    """
    table, rows, numbers = units
    counts = np.bincount(numbers, minlength=table.height)
    often = counts >= FEWEST
    rows, numbers = rows[often[numbers]], (np.cumsum(often) - 1)[numbers[often[numbers]]]
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=clips))]).astype(np.int64)
    table = table.with_columns(pl.Series("most", np.log1p(counts))).filter(pl.Series(often))
    most = table.select(pl.col("most").sum().over("kind")).to_series().to_numpy()
    return starts, numbers, weight / max(table["kind"].n_unique(), 1) / most


def _numbers(names: pl.Series) -> Numbers:
    """A number for each name, -1 for none."""
    ranks = names.rank("dense").cast(pl.Int64).fill_null(0)
    return ranks.to_numpy() - 1
