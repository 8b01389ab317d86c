"""Does a person stand in two splits? Real speech, damaged here, gets labels on purpose, and is split by person.

    python benchmarks/persons.py FOLDER [FOLDER ...] --draws 14 --kept measured.parquet

Every folder that holds sound files (WAV, FLAC, OGG, MP3), in any depth, is one person. A clip is heard twice: as it is,
and on the telephone (300 to 3,400 Hz at 8 kHz) or in noise at 10 dB. A draw takes six clips of each person, or 2 to 14,
a third of them damaged. Three in five persons are named by the source, on three in five of their clips; one label in 25
is another person's. In two sources two in five persons are in both, under a name in each, the others in one of the two.
Printed: persons of whom two splits hold clips that are rightly labelled or not at all, clips that are given up so that
there are none, purity and coverage of `voice` over kept clips, and which labels are told to be wrong.
"""

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from damage import Sound, high_passed, power_noise, resampled, under
from mixed_speech import ALIKE, OTHERS, OVERLAP, RATE, SUFFIXES, spans
from voices import quality

from curate import audio, manifest
from curate.measures import agreement, signal, voice_similarity, voices
from curate.models.campplus import Campplus
from curate.models.segmentation import Segmentation
from curate.steps import held_out, person_candidates, speakers, split

OF_A_PERSON, MOST = 6, 14  # clips of a person in a draw, and of which they are drawn
DAMAGED, NAMED, LABELLED, WRONG, TWICE = 1 / 3, 0.6, 0.6, 0.04, 0.4
CASES = (("six clips", True), ("2 to 14 clips", False))


def main() -> None:
    """Measure, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="speech")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draws", type=int, default=14)
    parser.add_argument("--share", type=float, default=0.15, help="of the hours, for validation and for test each")
    parser.add_argument("--kept", type=Path, help="file that keeps what was measured for another run")
    options = parser.parse_args()
    clips = kept(options.folders, options.kept)
    for (case, even), sources in itertools.product(CASES, (1, 2)):
        draws = []
        for draw in range(options.draws):
            random = np.random.default_rng((options.seed, sources, draw))
            draws.append(judge(drawn(clips, random, sources=sources, even=even), options.share))
        print(f"{case} of a person, sources {sources}:", json.dumps(summed(draws)))


def kept(folders: list[Path], file: Path | None) -> pl.DataFrame:
    """What was measured, from the file where it is there."""
    if file is not None and file.exists():
        return pl.read_parquet(file)
    clips = pl.DataFrame(list(measured(folders)), infer_schema_length=None)
    if file is not None:
        clips.write_parquet(file)
    return clips


def measured(folders: list[Path]) -> Iterator[dict[str, Any]]:
    """What voices and persons are found by, of each clip as it is and damaged; 1 s of speech and more."""
    voice = Campplus()
    crowd = Segmentation(voice=voice)
    files: dict[str, list[Path]] = {}
    for path in sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        files.setdefault(str(path.parent), []).append(path)
    for person, (truth, paths) in enumerate(sorted(files.items())):
        random = np.random.default_rng(person)
        for number, at in enumerate(random.permutation(len(paths))[:MOST]):
            samples, rate = audio.read(paths[at])
            sound = resampled(samples.astype(np.float64), rate, RATE) if rate != RATE else samples.astype(np.float64)
            for condition, heard in conditions(sound, number, random).items():
                speech = spans(heard.astype(np.float32))
                if sum(end - start for start, end in speech) >= RATE:
                    found = _measured(heard.astype(np.float32), speech, voice, crowd)
                    yield {"truth": truth, "path": str(paths[at]), "number": number, "condition": condition, **found}


def conditions(sound: Sound, number: int, random: np.random.Generator) -> dict[str, Sound]:
    """A clip as it is, and on the telephone or in noise."""
    if number % 2:
        return {"": sound, "telephone": resampled(resampled(high_passed(sound, RATE, 300, 4), RATE, 8000), 8000, RATE)}
    noise = power_noise(random, len(sound), random.uniform(0, 1), RATE)
    return {"": sound, "noise": under(sound, noise, spans(sound.astype(np.float32)) or [(0, len(sound))], 10)}


def _measured(
    heard: audio.Samples, speech: list[tuple[int, int]], voice: Campplus, crowd: Segmentation
) -> dict[str, Any]:
    told = voice.voices([agreement.speech_only(heard, speech)])[0]
    company = crowd.company([heard])[0]
    levels = signal.measure(heard, RATE, speech)
    return {
        "speech_seconds": sum(end - start for start, end in speech) / RATE,
        "seconds": len(heard) / RATE,
        **{name: levels[name] for name in ("snr", "clipped", "bandwidth")},
        "overlap": company.overlap if company else None,
        "other_voice": company.other_voice if company else None,
        "embedding": None if told is None else told.signed.tolist(),
        "voice_similarity": None if told is None else voice_similarity.least(told.pieces),
    }


def drawn(clips: pl.DataFrame, random: np.random.Generator, *, sources: int, even: bool = True) -> pl.DataFrame:
    """Clips as a corpus has them before voices are asked for, and the columns `truth` and `mislabelled`."""
    persons = clips["truth"].unique().sort().to_list()
    rows = []
    for number, truth in enumerate(persons):
        of = clips.filter(pl.col("truth") == truth)
        named, twice = random.random() < NAMED, sources > 1 and random.random() < TWICE
        home = "ab"[int(random.integers(sources))]
        many = OF_A_PERSON if even else round(2 * (MOST / 2) ** random.random())
        for each in random.permutation(of["number"].unique().sort().to_numpy())[:many]:
            versions = of.filter(pl.col("number") == each)
            damaged = versions.height > 1 and random.random() < DAMAGED
            source = "ab"[int(random.integers(2))] if twice else home
            owner = number
            if named and random.random() < WRONG:
                owner = int(random.integers(len(persons)))
            label = f"{owner}{source if twice and owner == number else ''}"
            rows.append(
                {
                    **versions.row(int(damaged), named=True),
                    "source": source,
                    "speaker": label if named and random.random() < LABELLED else None,
                    "mislabelled": owner != number,
                }
            )
    frame = pl.DataFrame(rows, infer_schema_length=None)
    frame = frame.with_columns(
        pl.col("mislabelled") & pl.col("speaker").is_not_null(),
        id=pl.Series([f"{i:016x}" for i in random.permutation(frame.height).tolist()]),
    )
    # in the order of the ids, as persons do not come one after the other
    return manifest.conform(frame.sort("id").with_columns(pl.col("embedding").cast(pl.List(pl.Float32))))


def judge(clips: pl.DataFrame, share: float = 0.15) -> dict[str, float]:
    """Counts of one draw, and purity and coverage."""
    found = clips.drop("voice").join(voices.find(clips), on="id", how="left", maintain_order="left")
    told = person_candidates.fill(speakers.persons(found))
    dealt = divided(told, share)
    remaining = dealt.filter(pl.col("drop").is_null() & ~pl.col("mislabelled"))
    splits = remaining.group_by("truth").agg(pl.col("split").n_unique())
    fit = told.filter(_fit())
    voice = quality(fit, "voice")
    wrong, right = fit.filter("mislabelled"), fit.filter(~pl.col("mislabelled") & pl.col("speaker").is_not_null())
    return {
        "persons": splits.height,
        "in_two_splits": splits.filter(pl.col("split") > 1).height,
        "clips": fit.height,
        "given_up": dealt.filter(pl.col("drop") == "leak").height,
        "held_out": remaining.filter(pl.col("split") != "train").height,
        "wrong_labels": wrong.height,
        "wrong_told": int(wrong["speaker_conflict"].is_not_null().sum()),
        "right_labels": right.height,
        "right_told": int(right["speaker_conflict"].is_not_null().sum()),
        "purity": voice["purity"],
        "coverage": voice["coverage"],
    }


def divided(told: pl.DataFrame, share: float = 0.15) -> pl.DataFrame:
    """Clips with their splits; what is given up is dropped as `leak`."""
    clips = told.with_columns(language=pl.lit("ko"), drop=pl.when(~_fit()).then(pl.lit("several_speakers")))
    dealt = split.split(clips, shares={"validation": share, "test": share}, apart=("speaker",), seed=0)
    leaking = held_out.leaks(dealt, held_out.of(dealt), ("speaker",))
    return dealt.with_columns(drop=pl.when(leaking).then(pl.lit("leak")).otherwise("drop"))


def _fit() -> pl.Expr:
    """Clips that are kept by the rule `several_speakers`."""
    bounds = pl.col("overlap") <= OVERLAP, pl.col("other_voice") <= OTHERS, pl.col("voice_similarity") >= ALIKE
    return pl.all_horizontal(each.fill_null(True) for each in bounds)


def summed(draws: list[dict[str, float]]) -> dict[str, float]:
    """Counts over all draws; purity and coverage as means."""
    means = {"purity", "coverage"}
    totals = {name: sum(each[name] for each in draws) for name in draws[0]}
    return {name: round(total / len(draws), 4) if name in means else total for name, total in totals.items()}


if __name__ == "__main__":
    main()
