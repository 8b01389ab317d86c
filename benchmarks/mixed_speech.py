"""Are several speakers, broken channels and lost samples found? Real speech is mixed here on purpose and measured.

    python benchmarks/mixed_speech.py FOLDER [FOLDER ...] --seed 1 --pairs 60

Every folder that holds sound files (WAV, FLAC, OGG, MP3), in any depth, is one person. The seed draws who, from where,
and every strength. Prints what was found of: two people at once, equally loud and the second 6 dB under the first, by
sex as the pitch tells it; four people, four women and two people in turn; one person; two channels that are opposite,
delayed, dead or two people; an offset; zeros inside words.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import soundfile
from damage import Sound, power_noise, resampled
from scipy.signal import fftconvolve

from curate import audio
from curate.channels import Mix
from curate.measures import agreement, dropouts, signal, voice_similarity
from curate.models.campplus import Campplus
from curate.models.segmentation import Segmentation
from curate.models.silero import Silero

SUFFIXES = {".wav", ".flac", ".ogg", ".mp3"}
OVERLAP, OTHERS, ALIKE, GAP = 0.08, 0.15, 0.55, 0.5  # the rules' defaults
RATE = audio.LISTENING_RATE
HIGH_VOICE = 160.0  # Hz
Row = tuple[str, str, float, bool]


class Clip(NamedTuple):
    """Speech of one person at 16 kHz, without the silence around it, at an RMS of 0.1."""

    person: str
    samples: Sound
    high: bool


def main() -> None:
    """Mix, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="speech")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--only", choices=("overlap", "channels", "gaps"), help="one of the three")
    parser.add_argument("--each", type=int, default=12, help="clips of a person at most")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    clips = people(options.folders, random, options.each)
    print(f"{len(clips)} clips of {len({c.person for c in clips})} people, seed {options.seed}")
    tables = {
        "overlap": lambda: overlap(clips, random, options.pairs),
        "channels": lambda: channels(clips, random),
        "gaps": lambda: gaps(clips, random),
    }
    rows = [row for name, table in tables.items() if options.only in (None, name) for row in table()]
    table = pl.DataFrame(rows, schema=["what", "kind", "value", "found"], orient="row")
    pl.Config.set_tbl_rows(-1).set_fmt_str_lengths(60).set_tbl_width_chars(140)
    print(
        table.group_by("what", "kind", maintain_order=True).agg(
            pl.len().alias("n"),
            pl.col("found").sum(),
            pl.col("found").mean().round(3).alias("share"),
            pl.col("value").median().round(3).alias("median"),
            pl.col("value").min().round(3).alias("least"),
            pl.col("value").max().round(3).alias("most"),
        )
    )


def people(folders: list[Path], random: np.random.Generator, each: int) -> list[Clip]:
    """So many clips of each person, of 2 s and more."""
    of: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        of[str(path.parent)].append(path)
    clips = []
    for person, files in of.items():
        for number in random.permutation(len(files))[:each]:
            samples, rate = audio.read(files[number])
            heard = audio.resample(samples, rate, RATE)
            speech = spans(heard)
            if speech and (speech[-1][1] - speech[0][0]) > 2 * RATE:
                sound = heard[speech[0][0] : speech[-1][1]].astype(np.float64)
                level = np.sqrt(np.mean(np.concatenate([heard[a:b] for a, b in speech]).astype(np.float64) ** 2))
                pitch = signal.measure(heard, RATE, speech)["pitch"]
                clips.append(Clip(person, 0.1 * (sound - sound.mean()) / level, (pitch or 0) > HIGH_VOICE))
    return clips


def spans(heard: audio.Samples) -> list[tuple[int, int]]:
    """Where somebody speaks."""
    listener = Silero().listen()
    listener.feed(heard)
    return listener.finish()


# ---- several speakers


def overlap(clips: list[Clip], random: np.random.Generator, pairs: int) -> Iterator[Row]:
    """Two at once, several in turn, and one."""
    voice = Campplus()
    model = Segmentation(voice=voice), voice
    for clip in clips:
        yield several(model, "one person", "high" if clip.high else "low", clip.samples)
    for _ in range(pairs):
        one, two = drawn(clips, random, 2)
        size = min(len(one.samples), len(two.samples), 10 * RATE)
        kind = "one sex" if one.high == two.high else "two sexes"
        for under in (0, 6):
            mixed = one.samples[:size] + two.samples[:size] * 10 ** (-under / 20)
            yield several(model, f"two at once, {under} dB", kind, mixed)
    high = [clip for clip in clips if clip.high]
    for many, kind, of in ((4, "people", clips), (4, "women", high), (2, "people", clips), (2, "women", high)):
        persons = len({clip.person for clip in of})
        for _ in range(pairs // 2 if persons >= many else 0):
            turns = []
            for clip in drawn(of, random, many):
                turns += [clip.samples[: round(random.uniform(2, 6) * RATE)]]
                turns += [random.normal(size=round(random.uniform(0.1, 0.8) * RATE)) * 1e-4]
            yield several(model, f"{many} in turn", kind, np.concatenate(turns))


def drawn(clips: list[Clip], random: np.random.Generator, many: int) -> list[Clip]:
    """Clips of so many different people, every person as likely as another."""
    persons = sorted({clip.person for clip in clips})
    chosen = [persons[each] for each in random.choice(len(persons), many, replace=False)]
    owned = [[clip for clip in clips if clip.person == person] for person in chosen]
    return [of[int(random.integers(len(of)))] for of in owned]


def several(models: tuple[Segmentation, Campplus], what: str, kind: str, sound: Sound) -> Row:
    """What the rule `several_speakers` sees, diarization aside; the value is how alike the voice is to itself."""
    heard = sound.astype(np.float32)
    company = models[0].company([heard])[0]
    voice = models[1].voices([agreement.speech_only(heard, spans(heard))])[0]
    assert company is not None
    similarity = voice_similarity.least(voice.pieces) if voice else None
    alike = 1.0 if similarity is None else similarity
    return what, kind, alike, company.overlap > OVERLAP or company.other_voice > OTHERS or alike < ALIKE


# ---- channels


def channels(clips: list[Clip], random: np.random.Generator) -> Iterator[Row]:
    """Files of two channels, and what is heard of them: its correlation with what was recorded."""
    with tempfile.TemporaryDirectory() as made:
        for clip in clips:
            two = drawn([c for c in clips if c.person != clip.person], random, 1)[0].samples
            offset = float(random.choice([-1, 1]) * random.uniform(0.005, 0.2))
            quiet = clip.samples * 0.5 / np.abs(clip.samples).max()
            mix, _, heard = stored(made, (quiet + offset)[:, None])
            yield "offset", "taken off and told", abs(heard.mean()), abs(mix.offset - offset) < 0.02 * abs(offset)
            for kind, (sound, most) in stereo(clip.samples, two, random).items():
                mix, likeness, _ = stored(made, sound, clip.samples)
                right = mix.differ if kind.startswith("two people") else not mix.differ and likeness > 0.97
                right &= most is None or len(mix.channels) <= most
                yield "two channels", kind, likeness, right


def stereo(one: Sound, two: Sound, random: np.random.Generator) -> dict[str, tuple[Sound, int | None]]:
    """Two channels of one recording, and how many of them may be heard at most."""
    size = len(one)
    hiss = power_noise(random, size, 0, RATE)
    hum = np.sin(2 * np.pi * 50 * np.arange(size) / RATE)
    delay = round(random.uniform(0.2, 40) / 1000 * RATE)
    size_of_two = min(size, len(two))
    room = hiss / hiss.std() * 1e-4

    def pair(left: Sound, right: Sound) -> Sound:
        return np.stack([left, right], axis=1)

    noises = 1e-4 * random.normal(size=(size + len(two), 2))
    gain = 10 ** (random.uniform(-6, 6) / 20)
    return {
        "opposite": (pair(one, -one), None),
        "opposite, another level, noise": (pair(one, -gain * one + room), None),
        "silent": (pair(one, np.zeros(size)), 1),
        "hiss": (pair(one, hiss / hiss.std() * 10 ** random.uniform(-3.5, -2)), 1),
        "hum": (pair(one, hum * 10 ** random.uniform(-3, -1)), 1),
        "hum and crosstalk": (pair(one, hum * 10 ** random.uniform(-2, -1) + one * 10 ** random.uniform(-2, -1)), 1),
        "delayed": (pair(one, np.concatenate([np.zeros(delay), one])[:size]), 1),
        "delayed, turned over": (pair(one, -0.8 * np.concatenate([np.zeros(delay), one])[:size] + room), 1),
        "two people at once": (pair(one[:size_of_two], two[:size_of_two]), None),
        "two people in turn": (pair(np.concatenate([one, 0 * two]), np.concatenate([0 * one, two])) + noises, None),
    }


def stored(folder: str, sound: Sound, original: Sound | None = None) -> tuple[Mix, float, Sound]:
    """How a file's channels become one, how alike that is to the original (either way up), and what is heard."""
    path = Path(folder) / "two.wav"
    soundfile.write(path, sound / max(1, np.abs(sound).max()), RATE, subtype="PCM_16")
    _, mix, _ = audio.survey(path)
    heard = audio.read(path, mix=mix)[0].astype(np.float64)
    if original is None:
        return mix, 1.0, heard
    # at the best delay: a delayed channel may be the one that is heard
    both = fftconvolve(heard, original[::-1])
    return mix, float(np.abs(both).max() / np.linalg.norm(heard) / np.linalg.norm(original)), heard


# ---- lost samples


def gaps(clips: list[Clip], random: np.random.Generator) -> Iterator[Row]:
    """Zeros inside words, as they are and after what happens to files; and nothing lost."""
    for clip in clips:
        yield lost("nothing lost", "", clip.samples, RATE)
        level = np.sqrt(np.convolve(clip.samples**2, np.ones(320) / 320, "same"))
        for low, high in ((6, 15), (15, 60), (60, 150)):
            size = round(random.uniform(low, high) / 1000 * RATE)
            around = np.minimum(level[:-size], level[size:])  # loud before and after
            start = int(random.choice(np.flatnonzero(around >= np.quantile(around, 0.75))))
            broken = clip.samples.copy()
            broken[start : start + size] = 0
            to = int(random.choice([22_050, 24_000, 44_100]))
            yield lost("zeros", f"{low} to {high} ms", broken, RATE)
            yield lost("zeros, resampled", f"{low} to {high} ms", resampled(broken, RATE, to), to)


def lost(what: str, kind: str, sound: Sound, rate: int) -> Row:
    """What the rule `dropout` sees."""
    scale = rate / RATE
    speech = [(round(a * scale), round(b * scale)) for a, b in spans(audio.resample(np.float32(sound), rate, RATE))]
    longest = dropouts.longest(np.float32(sound), rate, speech) or 0.0
    return what, kind, longest, longest > GAP


if __name__ == "__main__":
    main()
