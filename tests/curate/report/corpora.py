"""Corpora for the tests of the report's page: many clips near every limit, and hostile ones."""

import random
from pathlib import Path
from typing import Any

import polars as pl
import soundfile

from curate import audio, files, pipeline, report
from curate.recipe import Recipe, load
from tests.curate import frames
from tests.curate.recordings import RATE, voice

HOSTILE = '</script><script>window.pwned=1</script><img src=x onerror="window.pwned=2">\'"&\u202eabc\x00'
RECIPE = """
[corpus]
name = "mixed"

[[source]]
id = "studio"
kind = "table"
path = "x.tsv"
licence = "CC-BY-4.0"
attribution = "A & B"
domain = "news"

[models]
asr = {{ ko = "bundled" }}
{models}

[filter]
low_quality = {{ dnsmos = 3.0 }}
text_mismatch = {{ min_language = 0.3, min_ctc = 0.4 }}
{filter}

[balance]
hours = {{ ko = 0.1 }}
"""
# around each limit, so that moving it changes fates; None: not measured
NEAR: dict[str, tuple[float, float]] = {
    "seconds": (0.5, 9.0), "speech_seconds": (0.0, 5.0), "music": (0.0, 0.7), "noise": (0.0, 0.7), "snr": (8.0, 45.0),
    "clipped": (0.0, 0.004), "bandwidth": (3500.0, 11000.0), "dropout": (0.0, 6.0), "dnsmos": (2.4, 4.0),
    "distillmos": (2.0, 4.5), "second_voice": (0.0, 0.25), "other_voice": (0.0, 0.2), "overlap": (0.0, 0.15),
    "voice_similarity": (0.4, 0.9),
    "other_probability": (0.0, 1.0), "language_probability": (0.0, 1.0), "cer": (0.0, 1.0), "unheard": (0.0, 0.4),
    "extra": (0.0, 0.4), "aligned": (0.1, 0.9), "ctc_score": (0.2, 0.9), "pace": (1.0, 35.0), "pace_z": (-6.0, 6.0),
    "heard_agreement": (0.8, 1.0), "heard_confidence": (0.4, 1.0), "head_edge": (-40.0, -5.0),
    "tail_edge": (-40.0, -5.0),
}  # fmt: skip
DIGITS = {"clipped": 5, "bandwidth": 0, "seconds": 4}
PERIL = 0.07  # chance of a value drawn from the whole range above; else it is a good one
ABSENT = 0.01


def measured(count: int, *, seed: int = 1, copies: int = 0) -> pl.DataFrame:
    """Clips as they are after measuring; who is dropped is for the rules to say. So many pairs more are alike."""
    chance = random.Random(seed)
    rows = [_row(i, chance) for i in range(count)]
    drawn = [sorted(chance.sample(range(62, count), 2)) for _ in range(copies)]
    pairs = {*((3, 7), (7, 11), (20, 21), (30, 40), (40, 50), (30, 50), (60, 61)), *((a, b) for a, b in drawn)}
    for first, second in sorted(pairs):
        if second < count:
            likeness = round(chance.uniform(0.3, 0.9), 3)
            rows[first].setdefault("similar", []).append({"id": f"{second:016x}", "similarity": likeness})
            rows[second].setdefault("similar", []).append({"id": f"{first:016x}", "similarity": likeness})
    return frames.clips(rows)


def _row(i: int, chance: random.Random) -> dict[str, Any]:
    row: dict[str, Any] = {
        "path": f"{i % 9}.wav", "sha256": f"{i % 9:064x}", "speaker": f"s{i % 7}", "frames": 5 * RATE, "ctc_score": 0.8,
        "language": chance.choice(["km", "ko"]), "text": f"말 {i} ភាសា", "spoken": f"말 {i} ភាសា", "pace_z": 0.0,
        "words": "하나|둘|셋|넷|다섯" if chance.random() < 0.7 else "하나", "cut_end": 4 * RATE + i % 100,
        "pronounced": "마리", "text_rules": [], "text_edits": [], "similar": [],
    }  # fmt: skip
    for column, (low, high) in NEAR.items():
        if chance.random() < PERIL:
            row[column] = round(chance.uniform(low, high), DIGITS.get(column, 3))
        elif chance.random() < ABSENT and column not in ("seconds", "speech_seconds"):
            row[column] = None
    odd = chance.random()
    if odd < 0.03:
        row |= {"speech": None, "error": "not audio"}
    elif odd < 0.06:
        row |= {"text": None, "text_from": None, "spoken": None, "cer": None, "unheard": None, "extra": None}
    elif odd < 0.09:
        row |= {"text": None, "text_from": "heard"}
    elif odd < 0.11:
        row |= {"channel_mix": "1|2", "voices": 0, "second_voice": None}
    elif odd < 0.13:
        row |= {"unreadable": "★"}
    elif odd < 0.15:
        row |= {"voices": 0, "second_voice": None}
    if chance.random() < 0.5 and odd > 0.15:
        row["word_times"] = [{"word": "말", "start": 1000, "end": 9000, "probability": 0.5}]
    return row


def recipe(folder: Path, *overrides: str, models: str = "", filter: str = "") -> Recipe:
    """The recipe of these corpora, as it is read from a file."""
    path = folder / "recipe.toml"
    files.write_text(path, RECIPE.format(models=models, filter=filter))
    return load(path, overrides)


def hostile(count: int = 12) -> pl.DataFrame:
    """Clips whose every text is an attack."""
    fields = ("text", "spoken", "heard", "speaker", "path", "error", "other_language", "licence", "unreadable")
    rows = [
        {**dict.fromkeys(fields, HOSTILE), "id": f"{HOSTILE}{i}", "snr": 1.0 if i % 2 else 40.0, "similar": [],
         "unreadable": None, "word_times": [{"word": HOSTILE, "start": 0, "end": 8000, "probability": 0.5}]}
        for i in range(count)
    ]  # fmt: skip
    return frames.clips(rows)


def write(
    folder: Path, clips: pl.DataFrame, wanted: Recipe, *, sounds: bool = False, other: report.Other | None = None
) -> Path:
    """The page over these clips, with `sounds` for those it shows; returns it."""
    decided = pipeline.decide(wanted, clips)
    sources = folder / "source"
    sources.mkdir(parents=True, exist_ok=True)
    for path in set(decided["path"].to_list()):
        name = sources / str(path)
        if sounds and "/" not in str(path) and "\x00" not in str(path) and not name.exists():
            soundfile.write(name, voice(5.0, seed=len(str(path))), RATE, subtype="PCM_16")
    for id in decided.filter(pl.col("drop").is_null())["id"].head(40):
        if sounds and "/" not in id:
            audio.write_flac(folder / "clips" / f"{id}.flac", voice(1.5), RATE)
    return report.write(
        decided, wanted, folder / "report", folder / "clips", roots={"studio": sources} if sounds else None,
        folder=folder, other=other,
    )  # fmt: skip
