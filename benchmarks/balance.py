"""How good, how fast and how stable the choice of `balance` is, on synthetic corpora of real words.

    python benchmarks/balance.py [--clips 50000] [--json]

Sentences of 3 to 14 words drawn by Zipf's law: Khmer words with their phonemes from khmerphonemizer's lexicon, Korean
ones with their readings from ours. Clips have lengths that go with their letters, 120 persons of very different
amounts (Pareto), and measures of quality. Wanted is half of the hours of each language, as in the study's corpus.

- time: processor and wall-clock seconds of `balance` alone, best of two.
- coverage, quality and spread against two choices of equal hours: by hash alone, and by hash with persons in turns
  (what `balance` did before).
- stability: the share of earlier choices that stay chosen when a tenth more clips are added, with the earlier choice
  known and without. Without, no rule that does not look at which clips are new can keep more than 10/11 of them on
  average: a tenth of new clips is as good as the old ones, and fills an eleventh of the hours.
- against the optimum: 24 small pools of 26 clips, solved exactly by integer programming (the logarithms taken apart
  into steps, which is exact for whole numbers), without persons; and against the bound that each choice comes with.
"""

import argparse
import json
import time
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl

from curate import manifest
from curate.steps import coverage_choice
from curate.steps.balance import balance, pool_of
from curate.steps.coverage_choice import Pool
from curate.steps.quality import quality
from curate.steps.selection import first_fit, shuffled
from curate.text import coverage

PERSONS = 120
Words = list[tuple[str, str]]


def khmer_words() -> Words:
    """Khmer words and their phonemes."""
    lines = (files("khmerphonemizer") / "km_lexicon.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t")[:2] for line in lines if "\u1780" <= line[:1] <= "\u17b3"]
    return sorted({word: phones.replace(" ", "") for word, phones in rows}.items())


def korean_words() -> Words:
    """Korean words and their readings."""
    from curate.text.korean.lexicon import lexicon

    found = lexicon(None).readings
    return sorted(
        (word, sounds[0]) for word, sounds in found.items() if 1 < len(word) < 6 and len(sounds[0]) == len(word)
    )


def made(clips: int, *, seed: int = 0, prefix: str = "") -> pl.DataFrame:
    """Clips in both languages, half of each, that no rule dropped; `prefix` keeps the ids of two corpora apart."""
    random = np.random.default_rng([seed, 7])
    parts = []
    for language, words in (("km", khmer_words()), ("ko", korean_words())):
        order = np.random.default_rng(1).permutation(len(words))  # which words are frequent is the same in every corpus
        chance = 1 / np.arange(1, len(words) + 1)
        count = clips // 2
        lengths = random.integers(3, 15, count)
        drawn = order[random.choice(len(words), lengths.sum(), p=chance / chance.sum())]
        ends = np.cumsum(lengths)
        chosen = [drawn[end - length : end] for end, length in zip(ends, lengths, strict=True)]
        letters = np.array([sum(len(words[word][0]) for word in each) for each in chosen])
        share = random.permutation(1 / np.arange(1, PERSONS + 1) ** 1.1)
        person = random.choice(PERSONS, count, p=share / share.sum())
        parts.append(pl.DataFrame({
            "id": [f"{prefix}{language}{number:012x}" for number in range(count)], "language": [language] * count,
            "spoken": [" ".join(words[word][0] for word in each) for each in chosen],
            "pronounced": [" ".join(words[word][1] for word in each) for each in chosen],
            "seconds": (0.6 + letters / random.normal(13 if language == "km" else 6, 1, count).clip(4)).round(4),
            "person": [f"s {language}{number}" for number in person], "source": ["s"] * count,
            "path": [f"{prefix}{number}.wav" for number in range(count)],
            "snr": random.normal(32, 9, count).round(2), "bandwidth": random.normal(7500, 800, count).round(0),
            "dnsmos": random.normal(3, 0.4, count).round(3),
        }))  # fmt: skip
    frame = manifest.conform(pl.concat(parts))
    return frame.with_columns(pl.lit([], dtype=pl.List(pl.String)).alias("broke"))


def by_hash(clips: pl.DataFrame, wanted: dict[str, float], *, turns: bool) -> set[str]:
    """Ids of the choice by chance, all alike or persons in turns, of so many hours."""
    chosen: set[str] = set()
    for language, hours in wanted.items():
        pool = clips.filter(pl.col("language") == language).sort(shuffled("id", seed=0))
        if turns:
            before = (pl.col("seconds").cum_sum() - pl.col("seconds")).over("person")
            pool = pool.sort(before, maintain_order=True)
        sizes = pool["seconds"].to_numpy()[:, None]
        chosen |= set(pool["id"].filter(pl.Series(first_fit(sizes, used=np.zeros(1), limits=np.array([hours * 3600])))))
    return chosen


def ids(clips: pl.DataFrame) -> set[str]:
    """Of kept clips."""
    return set(manifest.kept(clips)["id"])


def described(clips: pl.DataFrame, chosen: set[str], language: str) -> dict[str, Any]:
    """What a choice covers: units of all kinds, those in fewer than 5 clips, entropy of each kind, quality, persons."""
    pool = clips.filter(pl.col("language") == language)
    kept = pool["id"].is_in(list(chosen)).to_numpy()
    table, rows, numbers = coverage.units(pool, language)
    counts = np.bincount(numbers[kept[rows]], minlength=table.height)
    entropy = {}
    for kind in coverage.kinds(language):
        own = counts[(table["kind"] == kind).to_numpy()].astype(float)
        shares = own[own > 0] / own.sum()
        entropy[kind] = round(float(-(shares * np.log2(shares)).sum()), 3)
    rows_kept = pool.filter(pl.Series(kept))
    seconds = rows_kept["seconds"].to_numpy()
    good = rows_kept.select(quality()).to_series().to_numpy()
    people = rows_kept.group_by("person").agg(pl.col("seconds").sum())["seconds"].to_numpy()
    return {
        "hours": round(float(seconds.sum()) / 3600, 4), "units": int((counts > 0).sum()), "of": table.height,
        "rare": int(((counts > 0) & (counts < 5)).sum()), "entropy": entropy,
        "quality": round(float((good * seconds).sum() / seconds.sum()), 4),
        "largest_person": round(float(people.max() / people.sum()), 4), "persons": len(people),
    }  # fmt: skip


def timed(clips: pl.DataFrame, hours: dict[str, float], **more: Any) -> tuple[pl.DataFrame, float, float]:
    """The choice, with the better of two times: wall-clock and processor seconds."""
    found, walls, processors = clips, [], []
    for _ in range(2):
        wall, processor = time.perf_counter(), time.process_time()
        found = balance(clips, hours=hours, **more)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return found, min(walls), min(processors)


def optimum(pool: Pool, budget: float) -> float:
    """The best value there is within a budget, by integer programming; for pools without persons and caps.

    Where ten seconds do not prove an optimum, what is proven to be no less than it: a share of it is then too small.
    """
    from scipy.optimize import LinearConstraint, milp
    from scipy.sparse import lil_array

    count, units = len(pool.seconds), len(pool.weights)
    most = np.bincount(pool.units, minlength=units)
    steps = [(unit, step) for unit in range(units) for step in range(1, most[unit] + 1)]
    gains = [pool.weights[unit] * np.log((step + 1) / step) for unit, step in steps]
    rows = lil_array((units + 1, count + len(steps)))
    for clip in range(count):
        for unit in pool.units[pool.starts[clip] : pool.starts[clip + 1]]:
            rows[int(unit), clip] = -1.0
        rows[units, clip] = pool.seconds[clip]
    for column, (unit, _) in enumerate(steps):
        rows[unit, count + column] = 1.0
    solved = milp(
        c=-np.concatenate([pool.value, gains]),
        integrality=np.concatenate([np.ones(count), np.zeros(len(steps))]),
        bounds=(0, 1),
        constraints=LinearConstraint(rows.tocsr(), -np.inf, np.concatenate([np.zeros(units), [budget]])),
        options={"time_limit": 10.0, "mip_rel_gap": 0.0},
    )
    assert solved.status in (0, 1), solved.message
    return -float(solved.mip_dual_bound)


def small(pools: int = 24, clips: int = 26) -> list[tuple[float, float]]:
    """For small pools: the choice's value as a share of the optimum, and of its own bound."""
    found = []
    for number in range(pools):
        frame = made(2 * clips, seed=100 + number).filter(language="km" if number % 2 else "ko")
        frame = frame.with_columns(pl.lit(None, pl.String).alias("person"))
        budget = float(frame["seconds"].sum()) * (0.2 + 0.1 * (number % 5))
        pool = pool_of(frame, coverage.units(frame, frame["language"][0]), budget, 0.2, {})
        choice = coverage_choice.choose(pool, budget)
        found.append((choice.value / optimum(pool, budget), choice.value / choice.bound))
    return found


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--clips", type=int, default=50000)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    asked = parser.parse_args()
    clips = made(asked.clips)
    hours = dict(clips.group_by("language").agg(pl.col("seconds").sum() / 7200).sort("language").iter_rows())
    found, wall, processor = timed(clips, hours)
    facts: dict[str, Any] = {"clips": clips.height, "seconds": round(wall, 2), "processor_seconds": round(processor, 2)}
    choices = {
        "hash": by_hash(clips, hours, turns=False), "turns": by_hash(clips, hours, turns=True), "coverage": ids(found),
    }  # fmt: skip
    facts["choices"] = {
        language: {name: described(clips, chosen, language) for name, chosen in choices.items()} for language in hours
    }
    bounds = {}
    for language, wanted in hours.items():
        pool = clips.filter(pl.col("language") == language).sort(shuffled("id", seed=0))
        whole = pool_of(pool, coverage.units(pool, language), wanted * 3600, 0.2, {})
        choice = coverage_choice.choose(whole, wanted * 3600)
        bounds[language] = round(choice.value / choice.bound, 4)
    facts["share_of_bound"] = bounds
    more = pl.concat([clips, made(asked.clips // 10, seed=1, prefix="new-")])
    known, *_ = timed(more, hours, earlier=ids(found))
    anew, *_ = timed(more, hours)
    facts["stay"] = {
        "earlier known": round(len(ids(known) & ids(found)) / len(ids(found)), 4),
        "unknown": round(len(ids(anew) & ids(found)) / len(ids(found)), 4),
        "hash alone": round(len(by_hash(more, hours, turns=False) & choices["hash"]) / len(choices["hash"]), 4),
        "units with earlier known": {each: described(more, ids(known), each)["units"] for each in hours},
        "units anew": {each: described(more, ids(anew), each)["units"] for each in hours},
    }
    ratios = small()
    facts["small"] = {
        "pools": len(ratios), "of_optimum_least": round(min(a for a, _ in ratios), 4),
        "of_optimum_mean": round(sum(a for a, _ in ratios) / len(ratios), 4),
        "of_bound_least": round(min(b for _, b in ratios), 4),
    }  # fmt: skip
    print(json.dumps(facts, ensure_ascii=False) if asked.json else json.dumps(facts, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
