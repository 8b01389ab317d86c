"""Are copies found, and only copies? Real speech is copied, changed and compared; and how the index grows.

    python benchmarks/copied_speech.py FOLDER [FOLDER ...] --seed 1 --pieces 60
    python benchmarks/copied_speech.py --index 20000 100000

A FOLDER holds speech in any depth. The seed draws cut points, lengths and every strength. All pieces and all copies are
one corpus, searched by its index as a run does: a pair of different pieces would be a false one. `--index` generates
prints whose frames change as those of real speech do, one in twenty of them twice, and times the search (CPU seconds).
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import polars as pl
from damage import Sound, coded, filtered, resampled, room
from damaged_speech import Piece, speech

from curate.measures import equal_frames, fingerprint, landmarks, print_layout

FLIPS = 0.166  # probability that a bit differs from the frame before: 300 prompts in five languages, and Zeroth


def main() -> None:
    """Copy, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", help="speech")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pieces", type=int, default=60)
    parser.add_argument("--index", type=int, nargs="*", default=[], help="search so many generated prints")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    if options.folders:
        found(speech(options.folders, random, options.pieces), random)
    for count in options.index:
        search(generated(random, count))


def found(pieces: list[Piece], random: np.random.Generator) -> None:
    """A table of which copies were found, and how many pairs were false."""
    prints, of, ways = [], [], []
    for number, piece in enumerate(pieces):
        for way, (sound, rate) in copies(piece, random).items():
            prints.append(fingerprint.fingerprint(np.float32(sound), rate))
            of.append(number)
            ways.append(way)
    alike: dict[int, float] = {}
    false = 0
    for i, j, likeness in fingerprint.pairs(prints):
        if of[i] != of[j]:
            false += 1
            print(f"false: {pieces[of[i]].file.name} ({ways[i]}), {pieces[of[j]].file.name} ({ways[j]}): {likeness}")
        elif ways[i] == "as it is":
            alike[j] = likeness
    rows = [(way, each in alike, alike.get(each)) for each, way in enumerate(ways) if way != "as it is"]
    pl.Config.set_tbl_rows(-1).set_fmt_str_lengths(60)
    print(
        pl.DataFrame(rows, schema=["copy", "found", "likeness"], orient="row")
        .group_by("copy", maintain_order=True)
        .agg(
            pl.len().alias("n"),
            pl.col("found").sum(),
            pl.col("found").mean().round(3).alias("share"),
            pl.col("likeness").min().alias("least"),
        )
    )
    different = len(set(of)) * (len(set(of)) - 1) // 2
    print(f"{len(pieces)} pieces, {len(prints)} prints, {different} pairs of pieces; {false} false pairs")


def copies(piece: Piece, random: np.random.Generator) -> dict[str, tuple[Sound, int]]:
    """The piece and its copies."""
    sound, rate = piece.samples, piece.rate
    others = [each for each in (8000, 16_000, 22_050, 24_000, 44_100, 48_000) if each != rate]
    to, off = int(random.choice(others)), round(0.2 * rate)
    changed = {
        "as it is": (sound, rate),
        "-6 dB": (sound / 2, rate),
        "200 ms off the start": (sound[off:], rate),
        "200 ms off both ends": (sound[off:-off], rate),
        "resampled": (resampled(sound, rate, to), to),
    }
    for codec, kilobits in (("mp3", 64), ("mp3", 32), ("opus", 24)):
        changed[f"{codec} {kilobits}k"] = (coded(sound, rate, codec, kilobits), rate)
    for speed in (0.95, 0.98, 1.02, 1.05):
        changed[f"speed {speed:g}"] = (resampled(sound, round(rate * speed), rate), rate)
        changed[f"tempo {speed:g}"] = (filtered(sound, rate, ("atempo", f"{speed}")), rate)
    for seconds, level in ((0.2, -6.0), (0.35, -4.0), (0.5, -3.0)):
        changed[f"room of {seconds:g} s, {level:g} dB"] = (room(random, sound, rate, seconds, level), rate)
    return changed


# ---- the index


def generated(random: np.random.Generator, count: int) -> list[bytes]:
    """Prints of 2 to 10 s with four landmarks a second, one in twenty of them twice."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    prints = []
    for _ in range(count - count // 20):
        frames = int(random.integers(100, 500))
        flips = random.random((frames, 32), dtype=np.float32) < FLIPS
        flips[0] = random.random(32) < 0.5
        numbers = ((np.cumsum(flips, axis=0) & 1).astype(np.uint32) * bits).sum(axis=1, dtype=np.uint32)
        numbers[random.random(frames) < 0.2] = 0  # quiet frames say nothing
        many = frames * 4 // 50
        places = np.sort(random.choice(frames, many, replace=False)).astype(np.uint32)
        weak = random.integers(0, 32, (many, landmarks.WEAK)).astype(np.uint32)
        told = (weak << landmarks.PLACES).sum(axis=1, dtype=np.uint32) | places
        marks = np.stack([random.integers(0, 2**32, many, dtype=np.uint32), told], axis=1)
        signs = random.integers(0, 2**32, frames // 2, dtype=np.uint32)
        prints.append(print_layout.packed(numbers, marks, np.zeros(frames, np.uint8), signs))
    return prints + prints[: count // 20]


def search(prints: list[bytes]) -> None:
    """CPU seconds of the search for candidates and of comparing them."""
    clock = time.process_time()
    numbers, marks = [print_layout.numbers(each) for each in prints], [print_layout.marks(each) for each in prints]
    frames = set(equal_frames.candidates(numbers))
    parts = [time.process_time() - clock]
    likely = frames | set(landmarks.candidates(marks))
    parts.append(time.process_time() - clock - sum(parts))
    alike = [pair for pair in likely if fingerprint.similarity(prints[pair[0]], prints[pair[1]]) >= 0.4]
    parts.append(time.process_time() - clock - sum(parts))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    names = ("equal frames", "landmarks", "comparing")
    print(
        f"{len(prints)} prints, {len(alike)} alike of {len(likely)} compared; peak memory {peak:.2f} GB; CPU seconds:"
    )
    print(", ".join(f"{name} {part:.1f}" for name, part in zip(names, parts, strict=True)) + f", all {sum(parts):.1f}")


if __name__ == "__main__":
    main()
