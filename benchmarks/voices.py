"""Voices and persons over generated embeddings: time, memory, purity, coverage, by number of clips.

    python benchmarks/voices.py 20000 200000 [--seed 1] [--json]

Speakers have 1 to 5,000 clips each (heavy-tailed), one to three rooms, in shuffled order; a clip strays from its
speaker the more the shorter it is, and one in eight is a mixture of two speakers, half of which can be seen to be that.
How far speakers lie from each other and clips from their speaker is as measured on real speech
(docs/measures/voices.md). One in three speakers is named by the source, one in a hundred labels is wrong.
Purity and coverage are counted over the pure clips; a clip without a voice is not covered. At last two twentieths of
the hours are held out, persons apart: speakers whose pure clips, rightly labelled, are in two splits, and the share of
clips that is given up for it.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that the project need not be installed

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate import manifest
from curate.measures import voices
from curate.steps import held_out, person_candidates, speakers, split

SIZE = 192
BETWEEN = 0.14  # mean cosine of two speakers' centres: 90 % of the real ones of one corpus have -0.04 to 0.42
DIRECTIONS = 33  # in which speakers differ: some pairs are close, as real ones are
ROOM = 0.93  # cosine of a speaker's centre in a room with the speaker's own
IMPURE, WRONG, NAMED = 1 / 8, 1 / 100, 1 / 3


def main() -> None:
    """Each number of clips in a process of its own, so that peak memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=int, nargs="+", help="how many clips")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if len(options.clips) == 1:
        facts = judge(make(options.clips[0], options.seed))
        print(json.dumps(facts) if options.json else "  ".join(f"{name} {each}" for name, each in facts.items()))
        return
    more = ["--seed", str(options.seed), *(["--json"] if options.json else [])]
    for count in options.clips:
        subprocess.run([sys.executable, __file__, str(count), *more], check=True)


def make(count: int, seed: int) -> pl.DataFrame:
    """Measured clips with embeddings, and the columns `truth` (number of the speaker) and `pure`."""
    random = np.random.default_rng(seed)
    sizes = _sizes(count, random)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    random.shuffle(truth)
    seconds = np.exp(random.uniform(0, np.log(10), len(truth)))
    rooms = random.integers(0, 1 + np.arange(len(sizes)) % 3, dtype=np.int64, size=len(sizes))
    room = random.integers(0, rooms[truth] + 1)
    centres = _centres(len(sizes), random)
    own = _moved(centres[np.repeat(np.arange(len(sizes)), 3)], np.full(3 * len(sizes), ROOM), random)
    vectors = _moved(own[3 * truth + room], _closeness(seconds, random), random)
    pure = random.random(len(truth)) >= IMPURE
    other = random.integers(0, len(truth), len(truth))
    vectors = np.where(pure[:, None], vectors, _unit(vectors + vectors[other]))
    return _frame(vectors.astype(np.float32), truth, pure, seconds, random)


def judge(clips: pl.DataFrame) -> dict[str, Any]:
    """What was found, how well, in how many seconds and how much memory (of the process, making the clips included)."""
    before = time.monotonic()
    answer = voices.find(clips)
    found = clips.drop("voice").join(answer, on="id", how="left", maintain_order="left")
    middle = time.monotonic()
    told = person_candidates.fill(speakers.persons(found))
    after = time.monotonic()
    used = time.process_time()
    pure = told.filter("pure")
    wrong = pure.filter("mislabelled")
    return {
        "clips": clips.height,
        "speakers": clips["truth"].n_unique(),
        "voices": answer["voice"].n_unique(),
        **{f"voice_{name}": each for name, each in quality(pure, "voice").items()},
        **{f"person_{name}": each for name, each in quality(pure, "person").items()},
        "wrong_labels_told": round(float(wrong["speaker_conflict"].is_not_null().mean() or 0), 4),
        "right_labels_told": round(
            float((~pure["mislabelled"] & pure["speaker_conflict"].is_not_null()).mean() or 0), 5
        ),
        **apart(told),
        "seconds_voices": round(middle - before, 1),
        "seconds_persons": round(after - middle, 1),
        "processor_seconds": round(used, 1),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def apart(clips: pl.DataFrame) -> dict[str, Any]:
    """How many speakers are in two splits, and what share of the clips is given up so that they are not."""
    kept = clips.with_columns(language=pl.lit("ko"), seconds="speech_seconds")
    kept = kept.with_columns(drop=pl.when(~pl.col("second_voice").le(0.15)).then(pl.lit("several_speakers")))
    dealt = split.split(kept, shares={"validation": 0.05, "test": 0.05}, apart=("speaker",), seed=0)
    leaking = held_out.leaks(dealt, held_out.of(dealt), ("speaker",)) | (dealt["drop"] == "leak").fill_null(False)
    left = dealt.filter(pl.col("drop").is_null() & ~leaking & pl.col("pure") & ~pl.col("mislabelled"))
    splits = left.group_by("truth").agg(pl.col("split").n_unique().alias("splits"))
    return {
        "held_out": round(float((left["split"] != "train").mean() or 0), 4),  # type: ignore[arg-type]
        "in_two_splits": splits.filter(pl.col("splits") > 1).height,
        "given_up": round(float(leaking.sum()) / kept["drop"].null_count(), 4),
    }


def quality(clips: pl.DataFrame, column: str) -> dict[str, float]:
    """Purity over clips that have one, coverage over all, and how many there are per speaker."""
    pairs = clips.filter(pl.col(column).is_not_null()).group_by("truth", column).len()
    purest = pairs.group_by(column).agg(pl.col("len").max())["len"].sum()
    largest = pairs.group_by("truth").agg(pl.col("len").max())["len"].sum()
    per_speaker = pairs.group_by("truth").len()["len"].mean()
    return {
        "purity": round(purest / max(pairs["len"].sum(), 1), 4),
        "coverage": round(largest / max(clips.height, 1), 4),
        "per_speaker": round(float(per_speaker or 0), 2),  # type: ignore[arg-type]
    }


def _sizes(count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Clips of each speaker, 1 to 5,000, that make up `count`."""
    drawn = np.minimum(random.pareto(0.9, count) * 8 + 1, min(5000, count / 10)).astype(np.int64)
    last = int(np.searchsorted(drawn.cumsum(), count))
    sizes = drawn[: last + 1]
    sizes[-1] -= sizes.sum() - count
    return sizes[sizes > 0]


def _centres(speakers: int, random: np.random.Generator) -> NDArray[np.float64]:
    common = _unit(random.standard_normal((1, SIZE)))
    own = random.standard_normal((speakers, DIRECTIONS)) @ random.standard_normal((DIRECTIONS, SIZE))
    return np.sqrt(BETWEEN) * common + np.sqrt(1 - BETWEEN) * _unit(own)


def _closeness(seconds: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Cosine of a clip with its speaker's centre, by its seconds of speech."""
    mean = np.interp(np.log(seconds), np.log([1, 2, 3, 5, 10]), [0.68, 0.78, 0.83, 0.865, 0.90])
    return np.clip(random.normal(mean, 0.06), 0.3, 0.97)


def _moved(
    vectors: NDArray[np.float64], closeness: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Unit vectors at these cosines to others, in random directions."""
    noise = random.standard_normal(vectors.shape)
    noise -= (noise * vectors).sum(axis=1, keepdims=True) * vectors
    return _unit(closeness[:, None] * vectors + np.sqrt(1 - closeness[:, None] ** 2) * _unit(noise))


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _frame(
    vectors: NDArray[np.float32],
    truth: NDArray[np.int64],
    pure: NDArray[np.bool_],
    seconds: NDArray[np.float64],
    random: np.random.Generator,
) -> pl.DataFrame:
    """As the pipeline has it before voices are asked for; half of the impure clips can be seen to be that."""
    count = len(truth)
    seen = ~pure & (random.random(count) < 0.5)
    named = truth % round(1 / NAMED) == 0
    wrong = named & (random.random(count) < WRONG)
    label = np.where(wrong, truth[random.integers(0, count, count)], truth)
    frame = pl.DataFrame(
        {
            "id": [f"{i:016x}" for i in range(count)],
            "source": ["made"] * count,
            "speaker": pl.Series([f"s{i}" for i in label.tolist()]).set(pl.Series(~named), None),
            "speech_seconds": seconds,
            "second_voice": np.where(seen, 0.3, 0.0),
            "embedding": pl.Series(vectors, dtype=pl.Array(pl.Float32, SIZE)).cast(pl.List(pl.Float32)),
            "truth": truth,
            "pure": pure,
            "mislabelled": named & (label != truth),
        }
    )
    return manifest.conform(frame)


if __name__ == "__main__":
    main()
