"""Are long recordings cut in pauses, and is all of the speech in the clips? Real speech is joined here and cut.

    python benchmarks/cut_speech.py FOLDER [FOLDER ...] --seed 1 --recordings 4 [--noise babble] [--turns]

FOLDER holds speech in any depth. Each recording is about 100 s: pieces of speech whose own silence was taken off, with
pauses between them of 0.05 to 0.3 s (a third), 0.3 to 1.2 s and 1.5 to 5 s, under noise that the seed draws. Where
speech is, is known from the clean pieces. `curate` ingests, listens (Silero, with `--turns` also diarization) and cuts,
with clips of at most 30 s and of 8 s. Printed: the share of the speech that lies in clips; the share of the clips that
is speech, its inner pauses and 0.25 s around it counted in; and the cuts that lie inside words: within 30 ms of them
the clean speech is nowhere 25 dB under its mean, and nowhere as quiet as its own background (within 6 dB of its
quietest twentieth, and 12 dB under its mean at least): a recording with a background of its own has pauses that are no
quieter.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import soundfile
from damage import Sound, power_noise, resampled
from damaged_speech import Piece, speech

from curate import commands, recipe
from curate.corpus import Corpus
from curate.measures import catalogue

RATE = 16_000
OFF = ["events=false", "turns=false", "speaker=false", "language=false", "asr={}"]
QUIET, NEAR = 25.0, 0.03  # dB under the speech; seconds around a cut
BACKGROUND, LEAST = 6.0, 12.0  # dB over a piece's quietest twentieth; under its mean
AROUND = 0.25  # seconds beside speech that belong to its clip


def main() -> None:
    """Join, cut, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="speech")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recordings", type=int, default=4)
    parser.add_argument("--pieces", type=int, default=80)
    parser.add_argument("--noise", choices=("steady", "swelling", "hum", "clicks", "babble"), default="steady")
    parser.add_argument("--snr", type=float, nargs=2, default=(15, 35), metavar=("LOW", "HIGH"))
    parser.add_argument("--turns", action="store_true", help="tell speakers apart, too, as a run does; 5 times slower")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    pieces = speech(options.folders, random, options.pieces)
    off = [each for each in OFF if not (options.turns and each.startswith("turns="))]
    with tempfile.TemporaryDirectory() as made:
        sounds = Path(made) / "sounds"
        sounds.mkdir()
        clean, pauses = {}, {}
        for number in range(options.recordings):
            path = sounds / f"{number:03d}.flac"
            spoken, background = joined(pieces, random)
            noise = background_noise(options.noise, random, len(spoken), pieces)
            snr = random.uniform(*options.snr)
            level = np.sqrt(np.mean(spoken[spoken != 0] ** 2) / np.mean(noise**2) / 10 ** (snr / 10))
            soundfile.write(path, np.clip(spoken + level * noise, -1, 1), RATE)
            clean[path.name], pauses[path.name] = spoken, background
        for longest in (30, 8):
            judge(cut(sounds, Path(made) / str(longest), longest, off), clean, pauses, longest)


def background_noise(kind: str, random: np.random.Generator, size: int, pieces: list[Piece]) -> Sound:
    """What lies under a recording, at any level."""
    steady = power_noise(random, size, random.uniform(0, 1.5), RATE)
    time = np.arange(size) / RATE
    if kind == "swelling":  # by 20 dB in 1 to 10 s, like traffic
        return steady * 10 ** (0.5 * np.sin(2 * np.pi * time / random.uniform(1, 10)))
    if kind == "hum":
        tones = sum(np.sin(2 * np.pi * 50 * number * time) / number for number in range(1, 12))
        return tones + 0.1 * steady / steady.std()
    if kind == "clicks":  # of 5 to 60 ms, one or two a second
        beats = np.zeros(size)
        for at in random.integers(0, size, round(1.5 * size / RATE)):
            beats[at : at + round(random.uniform(0.005, 0.06) * RATE)] = random.uniform(1, 10)
        return steady * (0.3 + beats)
    if kind == "babble":
        voices = [joined(pieces, random)[0] for _ in range(6)]
        return np.asarray(sum(np.roll(np.resize(each, size), int(random.integers(size))) for each in voices))
    return steady


def joined(pieces: list[Piece], random: np.random.Generator) -> tuple[Sound, Sound]:
    """About 100 s of pieces and pauses, silent between them; and for each sample how quiet a pause is there, in dB."""
    parts: list[Sound] = [np.zeros(RATE)]
    pauses: list[Sound] = [np.zeros(RATE)]
    while sum(map(len, parts)) < 100 * RATE:
        piece = pieces[int(random.integers(len(pieces)))]
        sound = trimmed(resampled(piece.samples, piece.rate, RATE))
        sound = sound * 0.05 / np.sqrt(np.mean(sound**2))
        mean = 20 * np.log10(0.05)
        background = min(float(np.quantile(levels(sound), 0.05)) + BACKGROUND, mean - LEAST)
        low, high = [(0.05, 0.3), (0.3, 1.2), (1.5, 5.0)][int(random.integers(3))]
        parts += [sound, np.zeros(round(random.uniform(low, high) * RATE))]
        pauses.append(np.full(len(parts[-2]) + len(parts[-1]), max(background, mean - QUIET)))
    return np.concatenate(parts), np.concatenate(pauses)


def trimmed(sound: Sound) -> Sound:
    """From the first to the last 10 ms that are within 35 dB of the loud ones."""
    loud = np.flatnonzero(levels(sound) > np.quantile(levels(sound), 0.95) - 35)
    return sound[loud[0] * RATE // 100 : (loud[-1] + 1) * RATE // 100]


def levels(sound: Sound) -> Sound:
    """Level of every 10 ms, in dB."""
    frames = sound[: len(sound) // (RATE // 100) * (RATE // 100)].reshape(-1, RATE // 100)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + 1e-12))


def cut(sounds: Path, into: Path, longest: int, off: list[str]) -> pl.DataFrame:
    """What `curate` makes of a folder of recordings."""
    path = into.with_suffix(".toml")
    source = f'[[source]]\nid = "long"\nlicence = "own"\nlanguage = "ko"\nkind = "folder"\npath = "{sounds}"\n'
    path.write_text(source, encoding="utf-8")
    wanted = recipe.load(path, [*(f"models.{each}" for each in off), f"segment.max_seconds={longest}"])
    corpus = Corpus(into)
    commands.ingest(corpus, wanted, silent)
    return commands.measure(corpus, wanted, catalogue.of(wanted), workers=1, watch=silent)


def silent(what: str, done: float, total: float) -> None:
    """Nobody watches."""


def judge(clips: pl.DataFrame, clean: dict[str, Sound], pauses: dict[str, Sound], longest: int) -> None:
    """Print what of the speech is in clips, what of the clips is speech, and which cuts are inside words."""
    speech, covered, clip_time, useful, loud, inside, cuts = 0, 0, 0, 0, 0, 0, 0
    for name, sound in clean.items():
        quiet = levels(sound)
        mean = 10 * np.log10(np.mean(sound[sound != 0] ** 2))
        spoken = quiet > mean - QUIET
        near = round(AROUND * 100)
        around = np.convolve(spoken, np.ones(2 * near + 1), "same") > 0
        in_clip = np.zeros(len(quiet), dtype=np.bool_)
        rows = clips.filter(pl.col("path").str.ends_with(name), pl.col("speech_seconds") > 0)
        for start, end in rows.select("cut_start", "cut_end").rows():
            in_clip[start * 100 // RATE : -(-end * 100 // RATE)] = True
            for edge in (start, end):
                beside = quiet[max(0, round((edge / RATE - NEAR) * 100)) : round((edge / RATE + NEAR) * 100) + 1]
                cuts += 1
                loud += bool(len(beside) and beside.min() > mean - QUIET)
                inside += bool(len(beside) and beside.min() > pauses[name][min(edge, len(sound) - 1)])
        speech, covered = speech + int(spoken.sum()), covered + int((spoken & in_clip).sum())
        clip_time, useful = clip_time + int(in_clip.sum()), useful + int((around & in_clip).sum())
    too_long = clips.filter(pl.col("speech_seconds") > 0, pl.col("cut_end") - pl.col("cut_start") > longest * RATE)
    print(
        f"clips of at most {longest} s: recall {covered / speech:.4f}, precision {useful / clip_time:.4f}, "
        f"{inside} of {cuts} cuts inside words ({loud} by 25 dB alone), "
        f"{too_long.height} clips too long; {speech / 100:.0f} s of speech"
    )


if __name__ == "__main__":
    main()
