"""Do the signal measures survive what happens to recordings? Real speech is damaged here on purpose and measured.

    python benchmarks/damaged_speech.py FOLDER [FOLDER ...] --seed 1 --pieces 60

A FOLDER holds speech in any depth (WAV, FLAC, OGG, MP3). The seed draws cut points, lengths and every strength of every
damage, so that a new seed judges on damage that nobody tuned on; files that nobody tuned on judge still better. Prints,
for clipping, bandwidth and speech over background, what was found of what was done: clipped at +6..+18 dB and then
turned down, resampled, high-passed or coded; brought up from 8 kHz by five ways; noise, babble, music and gates at
known levels.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from damage import (
    LEVELLERS,
    RESAMPLERS,
    Sound,
    Spans,
    coded,
    evenly_high_passed,
    gated,
    high_passed,
    levelled,
    louder,
    power_noise,
    resampled,
    resampled_by,
    under,
)

from curate import audio
from curate.measures import clipping as clipping_measure
from curate.measures import signal
from curate.measures.spectra import finite, frames_of
from curate.models.silero import Silero

SUFFIXES = {".wav", ".flac", ".ogg", ".mp3"}
CLIPPED, NARROW, NOISY = 0.002, 5000.0, 15.0  # the rules' defaults
SNRS = (5, 10, 15, 20, 30)
Row = tuple[str, float, float, bool]


@dataclass(frozen=True)
class Piece:
    """A stretch in which somebody speaks."""

    file: Path
    samples: Sound
    rate: int
    speech: Spans


def main() -> None:
    """Damage, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="speech")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pieces", type=int, default=60, help="at most so many, drawn")
    parser.add_argument("--music", type=Path, help="a folder of music to lie under the speech")
    parser.add_argument("--only", choices=("clipping", "bandwidth", "snr"), help="one of the three")
    options = parser.parse_args()
    pieces = speech(options.folders, np.random.default_rng(options.seed), options.pieces)
    seconds = sum(len(piece.samples) / piece.rate for piece in pieces)
    print(f"{len(pieces)} pieces of {len({p.file for p in pieces})} files, {seconds:.0f} s, seed {options.seed}")
    pl.Config.set_tbl_rows(-1).set_fmt_str_lengths(60).set_tbl_width_chars(140)
    for name in ("clipping", "bandwidth", "snr"):
        random = np.random.default_rng(options.seed)  # the same damage whichever tables are asked
        if options.only in (None, name):
            rows = {"clipping": clipping, "bandwidth": bandwidths}.get(name)
            show(name, rows(pieces, random) if rows else ratios(pieces, random, music(options.music)))


def show(name: str, rows: Iterator[Row]) -> None:
    """A table of what was found of each damage."""
    table = pl.DataFrame(list(rows), schema=["damage", "truth", "measured", "found"], orient="row")
    error = (pl.col("measured") - pl.col("truth")).fill_nan(None)
    print(f"\n{name}")
    print(
        table.group_by("damage", maintain_order=True).agg(
            pl.len().alias("n"),
            pl.col("found").sum(),
            pl.col("found").mean().round(3).alias("share"),
            pl.col("measured").median().round(4).alias("median"),
            error.abs().median().round(2).alias("median error"),
            error.median().round(2).alias("bias"),
        )
    )


def speech(folders: list[Path], random: np.random.Generator, most: int) -> list[Piece]:
    """Pieces of 3 to 8 s in which somebody speaks for 0.4 of the time, from cut points that the seed draws."""
    files = sorted(each for folder in folders for each in folder.rglob("*") if each.suffix.lower() in SUFFIXES)
    found = []
    for path in files:
        samples, rate = audio.read(path)
        at = 0
        while len(samples) - at > 2.5 * rate:
            size = round(random.uniform(3, 8) * rate)
            piece = samples[at : at + size].astype(np.float64)
            at += size
            found.append((path, piece - piece.mean(), rate))
    drawn = [found[number] for number in random.permutation(len(found))]
    pieces = (Piece(path, samples, rate, spans(samples, rate)) for path, samples, rate in drawn)
    spoken = (piece for piece in pieces if sum(b - a for a, b in piece.speech) > 0.4 * len(piece.samples))
    return [piece for piece, _ in zip(spoken, range(most), strict=False)]


def spans(samples: Sound, rate: int) -> Spans:
    """Where somebody speaks, in samples."""
    listener = Silero().listen()
    listener.feed(audio.resample(samples.astype(np.float32), rate, audio.LISTENING_RATE))
    scale = rate / audio.LISTENING_RATE
    return [(round(start * scale), round(end * scale)) for start, end in listener.finish()]


# ---- clipping


def clipping(pieces: list[Piece], random: np.random.Generator) -> Iterator[Row]:
    """Clipped and then processed; clean and levelled speech, processed alike."""
    for piece in pieces:
        unit = louder(piece.samples, 0)
        for name, (sound, rate) in processed(unit * 0.9, piece.rate, random).items():
            yield row(f"clean, {name}", sound, rate)
        for kind in LEVELLERS:
            levels = levelled(piece.samples, piece.rate, kind)
            for name, (sound, rate) in processed(levels, piece.rate, random).items():
                yield row(f"{kind}, {name}", sound, rate)
        for low, high in ((6, 9), (9, 12), (12, 18)):
            loud = louder(unit, random.uniform(low, high))
            truth = float(np.mean(np.abs(loud) >= 1))
            for name, (sound, rate) in processed(np.clip(loud, -1, 1), piece.rate, random).items():
                if truth >= 0.01:
                    yield row(f"+{low}..{high} dB, {name}", sound, rate, truth)


def row(damage: str, sound: Sound, rate: int, truth: float = 0.0) -> Row:
    """What the clipping measure says."""
    peak = float(np.abs(sound).max())
    share = clipping_measure.share(np.float32(sound / peak), rate, 1 / (32768 * peak))
    return damage, truth, share, share > CLIPPED


def processed(sound: Sound, rate: int, random: np.random.Generator) -> dict[str, tuple[Sound, int]]:
    """As it is and after what happens to files; strengths are drawn."""
    others = [each for each in (16_000, 22_050, 24_000, 32_000, 44_100, 48_000) if each != rate]
    to, order, down = int(random.choice(others)), int(random.integers(1, 7)), random.uniform(3, 24)
    steep = "order 1 to 4" if order <= 4 else "order 5 and 6"
    return {
        "as it is": (sound, rate),
        "turned down": (sound * 10 ** (-down / 20), rate),
        "resampled": (resampled_by(str(random.choice(RESAMPLERS)), sound, rate, to), to),
        f"80 Hz high-pass, {steep}": (high_passed(sound, rate, 80, order), rate),
        "50 Hz high-pass, order 6": (high_passed(sound, rate, 50, 6), rate),
        "120 Hz high-pass, order 4": (high_passed(sound, rate, 120, 4), rate),
        "80 Hz high-pass, linear phase": (evenly_high_passed(sound, rate), rate),
        "mp3 64k": (coded(sound, rate, "mp3", 64), rate),
    }


# ---- bandwidth


def bandwidths(pieces: list[Piece], random: np.random.Generator) -> Iterator[Row]:
    """Limited to 4 kHz and brought up; limited to other bands; and full speech under noise."""
    for piece in pieces:
        if piece.rate < 16_000:
            continue
        factor = int(random.choice([2, 3, 4, 6]))  # to 16, 24, 32 and 48 kHz
        low, rate = resampled(piece.samples, piece.rate, 8000), 8000 * factor
        for name, sound in brought_up(low, factor, random).items():
            yield width(f"4 kHz, {name}", sound, rate, 4000.0)
        for limit in (11_025, 12_000, 16_000):
            if limit < 0.75 * piece.rate:
                sound = resampled(resampled(piece.samples, piece.rate, limit), limit, piece.rate)
                yield width(f"{limit / 2000:g} kHz, resampled", sound, piece.rate, limit / 2)
        noises = {
            f"{name} noise, {snr} dB": under(
                piece.samples, power_noise(random, len(piece.samples), slope, piece.rate), piece.speech, snr
            )
            for name, slope in (("white", 0), ("pink", 1))
            for snr in (10, 20)
        }
        coders = {f"{c} {k}k": coded(piece.samples, piece.rate, c, k) for c, k in (("mp3", 64), ("aac", 64))}
        for name, sound in ({"clean": piece.samples} | noises | coders).items():
            yield width(f"full band, {name}", sound, piece.rate, math.nan)


def brought_up(low: Sound, factor: int, random: np.random.Generator) -> dict[str, Sound]:
    """From 8 kHz to a multiple of it, by ways good and bad, and these coded and under a faint noise."""
    size, rate = factor * len(low), 8000 * factor
    at = np.arange(size)
    repeated = np.repeat(low, factor)
    ways = {
        "resampled": resampled(low, 8000, rate)[:size],
        "interpolated": np.interp(at / factor, at[: len(low)], low),
        "repeated": repeated,
        "zeros stuffed": np.where(at % factor == 0, repeated, 0.0),
    }
    processed = {}
    for name, sound in ways.items():
        noise = random.normal(size=size) * math.sqrt(np.mean(sound**2)) / 1000
        processed |= {
            f"{name}, mp3": coded(sound, rate, "mp3", 64),
            f"{name}, aac": coded(sound, rate, "aac", 64),
            f"{name}, noise -60 dB": sound + noise,
        }
    return ways | processed


def width(damage: str, sound: Sound, rate: int, truth: float) -> Row:
    """What the bandwidth measure says."""
    band = signal.measure(np.float32(sound), rate, spans(sound, rate))["bandwidth"]
    return damage, truth, math.nan if band is None else band, band is not None and band < NARROW


# ---- speech over background


def ratios(pieces: list[Piece], random: np.random.Generator, songs: list[tuple[Sound, int]]) -> Iterator[Row]:
    """Noises, babble and music at known levels, and pauses turned down by a gate."""
    for number, piece in enumerate(pieces):
        for background, noise in backgrounds(pieces, number, random, songs).items():
            kind = f"music, {rests(noise, piece)}" if background == "music" else background
            for snr in SNRS:
                mixed = under(piece.samples, noise, piece.speech, snr)
                yield ratio(f"{kind}, {snr} dB", snr, mixed, piece.rate)
                if snr == 10:
                    depth, hold, ramp = random.uniform(20, 60), random.uniform(0, 0.1), random.uniform(0.002, 0.03)
                    closed = gated(mixed, piece.speech, piece.rate, depth, hold, ramp)
                    yield ratio(f"{kind}, 10 dB, gated by 20 to 60 dB", snr, closed, piece.rate)
        yield ratio("clean", math.nan, piece.samples, piece.rate)


def ratio(damage: str, snr: float, sound: Sound, rate: int) -> Row:
    """What the measure of speech over background says."""
    found = signal.measure(np.float32(sound), rate, spans(sound, rate))["snr"]
    return damage, snr, math.nan if found is None else found, found is not None and found < NOISY


def backgrounds(
    pieces: list[Piece], number: int, random: np.random.Generator, songs: list[tuple[Sound, int]]
) -> dict[str, Sound]:
    """White and pink noise, four to eight other pieces at once, and a stretch of music."""
    piece = pieces[number]
    size = len(piece.samples)
    others = [other for other in pieces if other.file != piece.file]
    many = min(len(others), int(random.integers(4, 9)))
    chosen = [others[each] for each in random.choice(len(others), many, replace=False)]
    voices = [resampled(np.concatenate([p.samples[a:b] for a, b in p.speech]), p.rate, piece.rate) for p in chosen]
    noises = {
        "white": power_noise(random, size, 0, piece.rate),
        "pink": power_noise(random, size, 1, piece.rate),
        "pink from 0.2 Hz": power_noise(random, size, 1, piece.rate, lowest=0.2),
        "babble": np.sum([np.resize(voice / voice.std(), size) for voice in voices], axis=0),
    }
    if songs:
        song, rate = songs[int(random.integers(len(songs)))]
        start = int(random.integers(max(1, len(song) - round(size * rate / piece.rate))))
        part = song[start : start + round(size * rate / piece.rate) + 1]
        noises["music"] = np.resize(resampled(part, rate, piece.rate), size)
    return noises


def rests(noise: Sound, piece: Piece) -> str:
    """How far the quietest 15 % of a noise's 32 ms frames lie under its mean while somebody speaks."""
    frames = frames_of(finite(noise), piece.rate, piece.speech)
    spoken = frames.energy[frames.speech]
    depth = 10 * math.log10(spoken.mean() / max(np.quantile(spoken, 0.15), 1e-30))
    return "rests under 6 dB" if depth < 6 else "rests of 6 to 10 dB" if depth < 10 else "rests over 10 dB"


def music(folder: Path | None) -> list[tuple[Sound, int]]:
    """Every file of a folder."""
    files = sorted(folder.rglob("*")) if folder else []
    read = [audio.read(each) for each in files if each.suffix.lower() in SUFFIXES]
    return [(samples.astype(np.float64), rate) for samples, rate in read]


if __name__ == "__main__":
    main()
