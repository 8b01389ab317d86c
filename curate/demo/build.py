"""The raw material of `curate demo`: clean generated speech and recordings with every flaw that curation should find.

Names and formats give nothing away; `truth.json` lies outside the recordings and says what was done to which file.
The same bytes every time.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import soundfile
from numpy.typing import NDArray

from curate import audio, files
from curate.demo import flaws
from curate.demo.music import tune

Audio = NDArray[np.float32]

SPEECH = Path(__file__).parent / "speech"
RATE = 22_050  # of the committed speech
SEED = 2  # any
ROOM = 10 ** (-70 / 20)  # RMS of a quiet room
CLEAN_FORMATS = ("wav", "wav", "mp3", "wav", "flac")  # in turn; a damaged clip is a wav, as most are
MUSIC = 4  # seconds

# What was done to a clip -> the rules that are true of it: at least one of them should be named.
FLAWS = {
    "background noise": ("noisy",),
    "clipping": ("clipped",),
    "telephone line": ("narrow_band",),
    "lost samples": ("dropout",),
    "two people on two channels": ("several_speakers",),
    "chopped start": ("chopped",),
    "chopped end": ("chopped",),
    "too short": ("too_short",),
    "too long": ("too_long",),
    "no transcript": ("no_text",),
    "transcript in another script": ("text_unreadable",),
    "transcript of another sentence": ("text_mismatch",),
    "transcript of two other sentences": ("text_mismatch",),
    "transcript of four other sentences": ("text_mismatch",),
    "near duplicate": ("duplicate",),
    "exact duplicate": ("duplicate",),
    "silence": ("no_speech",),
    "steady noise": ("noise", "no_speech"),
    "music": ("music", "no_speech"),
    "corrupt file": ("unreadable",),
    "empty file": ("unreadable",),
    "no samples": ("unreadable", "too_short"),
}

# These clips are damaged ...
DAMAGED: dict[str, tuple[str, Callable[[Audio, np.random.Generator], Audio]]] = {
    "ko-1-05": ("background noise", lambda wave, random: flaws.noisy(wave, random, snr=3)),
    "km-1-06": ("background noise", lambda wave, random: flaws.noisy(wave, random, snr=3)),
    "ko-2-06": ("clipping", lambda wave, _: flaws.clipped(wave, gain=18)),
    "km-2-05": ("clipping", lambda wave, _: flaws.clipped(wave, gain=18)),
    "ko-4-09": ("telephone line", lambda wave, _: flaws.telephone(wave, rate=RATE)),
    "km-3-09": ("telephone line", lambda wave, _: flaws.telephone(wave, rate=RATE)),
    "ko-3-02": ("lost samples", lambda wave, _: flaws.lost(wave, rate=RATE)),
    "km-4-03": ("chopped start", lambda wave, _: flaws.chopped_start(wave, rate=RATE)),
    "ko-1-09": ("chopped end", lambda wave, _: flaws.chopped_end(wave, rate=RATE)),
    "ko-2-08": ("too short", lambda wave, _: wave[RATE : RATE + RATE * 3 // 10]),
}

# ... and these get another transcript: their own misread, none, or those of other recordings.
MISLABELLED: dict[str, tuple[str, Callable[[str, dict[str, str]], str]]] = {
    "ko-3-04": ("no transcript", lambda _, texts: ""),
    "km-1-09": ("no transcript", lambda _, texts: ""),
    "ko-1-02": ("transcript in another script", lambda text, _: text.encode("euc_kr").decode("latin_1")),
    "km-2-09": ("transcript in another script", lambda _, texts: "pkaa nov muk pteah riik saat nas"),
    "ko-4-06": ("transcript of another sentence", lambda _, texts: texts["ko-1-13"]),
    # No model here hears Khmer words: a Khmer transcript of like length would pass, one that is far too long does not.
    "km-3-06": (
        "transcript of four other sentences",
        lambda _, texts: " ".join(texts[key] for key in ("km-1-11", "km-1-12", "km-2-11", "km-2-12")),
    ),
    "ko-3-07": ("transcript of two other sentences", lambda _, texts: f"{texts['ko-1-12']} {texts['ko-2-13']}"),
}

NEAR_DUPLICATES = ("ko-2-03", "km-4-07")
EXACT_DUPLICATES = ("ko-3-05", "km-1-08")
TWO_CHANNELS = ("ko-1-03", "ko-4-03")  # who speak at once
LONG_VOICE = "km-2"  # whose sentences are joined into one clip that is too long

# Speech of two people, music between, no transcript
BROADCASTS = {
    "ko": "music ko-1-11 ko-1-12 ko-2-11 ko-2-12 music ko-2-13 ko-1-14",
    "km": "km-1-11 km-1-12 music km-2-11 km-2-12",
}


@dataclass(frozen=True)
class DemoClip:
    """One row of the table; `key` is the sentence it came from, `flaw` is empty for a clean one."""

    key: str
    language: str
    speaker: str
    text: str
    sound: Audio
    suffix: str = "wav"
    flaw: str = ""
    broken: bytes | None = None  # the file's bytes where they are not to be audio


def build(into: Path) -> Path:
    """Write recordings/clips with index.tsv, recordings/broadcast-ko and -km, and truth.json; gives recordings."""
    recordings = into / "recordings"
    for folder in (into, *recordings.glob("*/")):  # what a killed demonstration left
        files.remove_partials(folder)
    random = np.random.default_rng(SEED)
    speech = _speech()
    planted = _clips(speech, random)
    shuffled = [planted[place] for place in random.permutation(len(planted))]
    clips = _write_clips(shuffled, recordings / "clips")
    broadcasts = {}
    for language, programme in BROADCASTS.items():
        file = recordings / f"broadcast-{language}" / "recording-1.flac"
        wave, parts = _broadcast(programme.split(), {clip.key: clip for clip, _ in speech}, random)
        files.write_bytes(file, audio.encode(wave, RATE, "FLAC"))
        broadcasts[file.relative_to(recordings).as_posix()] = parts
    truth = {"clips": clips, "broadcasts": broadcasts}
    files.write_text(into / "truth.json", json.dumps(truth, ensure_ascii=False, indent=1) + "\n")
    return recordings


def _speech() -> list[tuple[DemoClip, str]]:
    """The clean speech, in order, and what each sentence is used for: `clip` or `broadcast`."""
    index = pl.read_csv(SPEECH / "index.tsv", separator="\t", quote_char=None)
    speech = []
    for number, row in enumerate(index.iter_rows(named=True)):
        wave, _ = soundfile.read(SPEECH / row["file"], dtype="float32")
        suffix = CLEAN_FORMATS[number % len(CLEAN_FORMATS)]
        key = Path(row["file"]).stem
        speech.append((DemoClip(key, row["language"], row["speaker"], row["text"], wave, suffix), row["use"]))
    return speech


def _clips(speech: list[tuple[DemoClip, str]], random: np.random.Generator) -> list[DemoClip]:
    """Every row of the table, clean and flawed, in a plain order."""
    texts = {clip.key: clip.text for clip, _ in speech}
    clips = [_spoil(clip, texts, random) for clip, use in speech if use == "clip"]
    clean = {clip.key: clip for clip in clips if not clip.flaw}
    clips += [_near_duplicate(clean[key]) for key in NEAR_DUPLICATES]
    clips += [replace(clean[key], flaw="exact duplicate") for key in EXACT_DUPLICATES]
    clips.append(_side_by_side(*(clean[key] for key in TWO_CHANNELS)))
    clips.append(_too_long([clip for clip in clean.values() if clip.speaker == LONG_VOICE]))
    return clips + _without_speech({clip.key: clip for clip, _ in speech}, random)


def _spoil(clip: DemoClip, texts: dict[str, str], random: np.random.Generator) -> DemoClip:
    """The clip with the flaw that is meant for it, if any."""
    if clip.key in DAMAGED:
        flaw, damage = DAMAGED[clip.key]
        return replace(clip, sound=damage(clip.sound, random), suffix="wav", flaw=flaw)
    if clip.key in MISLABELLED:
        flaw, relabel = MISLABELLED[clip.key]
        return replace(clip, text=relabel(clip.text, texts), flaw=flaw)
    return clip


def _near_duplicate(clip: DemoClip) -> DemoClip:
    """The same take, 1 dB quieter, 20 ms shorter, in another format."""
    sound = flaws.quieter(clip.sound, rate=RATE, gain=-1, trim=0.02)
    return replace(clip, sound=sound, suffix="wav" if clip.suffix == "mp3" else "mp3", flaw="near duplicate")


def _side_by_side(first: DemoClip, second: DemoClip) -> DemoClip:
    """Two people, each on a channel of one file."""
    length = max(len(first.sound), len(second.sound))
    channels = [np.pad(clip.sound, (0, length - len(clip.sound))) for clip in (first, second)]
    flaw = "two people on two channels"
    return replace(first, key="", sound=np.stack(channels, axis=1), suffix="wav", flaw=flaw)


def _too_long(clips: list[DemoClip]) -> DemoClip:
    """All clean sentences of one speaker in one file, three seconds between them: more than 30 s."""
    pause = np.zeros(3 * RATE, dtype=np.float32)
    sound = np.concatenate([part for clip in clips for part in (clip.sound, pause)])
    text = " ".join(clip.text for clip in clips)
    return replace(clips[0], key="", text=text, sound=sound, suffix="wav", flaw="too long")


def _without_speech(speech: dict[str, DemoClip], random: np.random.Generator) -> list[DemoClip]:
    """Files that the table lists with a transcript and that hold no speech, or are no audio at all."""
    length = 4 * RATE
    nothing = np.zeros(0, dtype=np.float32)
    truncated = b"fLaC\x00\x00\x00\x22" + random.bytes(12)  # begins as FLAC does, and breaks off in its header
    made: dict[str, tuple[str, Audio, bytes | None]] = {
        "ko-1-13": ("silence", flaws.hiss(length, random, level=ROOM), None),
        "km-1-11": ("silence", np.zeros(length, dtype=np.float32), None),
        "km-2-11": ("steady noise", flaws.hiss(length, random, level=0.03), None),
        "ko-2-11": ("music", tune(length, RATE, random), None),
        "km-1-12": ("music", tune(length + RATE, RATE, random), None),
        "ko-1-14": ("corrupt file", nothing, random.bytes(20_000)),
        "km-2-12": ("corrupt file", nothing, truncated),
        "ko-2-12": ("empty file", nothing, b""),
        "ko-1-11": ("no samples", nothing, None),
    }
    return [
        replace(speech[key], key="", sound=sound, suffix="wav", flaw=flaw, broken=broken)
        for key, (flaw, sound, broken) in made.items()
    ]


def _write_clips(clips: list[DemoClip], folder: Path) -> list[dict[str, object]]:
    """Write the files and the table; gives what was done to each flawed file, and which file a copy repeats."""
    names = [f"clip-{number:04d}.{clip.suffix}" for number, clip in enumerate(clips, 1)]
    lines = ["audio\ttext\tlanguage\tspeaker"]
    for name, clip in zip(names, clips, strict=True):
        lines.append(f"{name}\t{clip.text}\t{clip.language}\t{clip.speaker}")
        sound = audio.encode(clip.sound, RATE, clip.suffix.upper()) if clip.broken is None else clip.broken
        files.write_bytes(folder / name, sound)
    files.write_text(folder / "index.tsv", "\n".join(lines) + "\n")
    originals = {clip.key: name for name, clip in zip(names, clips, strict=True) if not clip.flaw}
    return [
        {"file": name, "flaw": clip.flaw, "rules": FLAWS[clip.flaw], "repeats": originals.get(clip.key)}
        for name, clip in zip(names, clips, strict=True)
        if clip.flaw
    ]


def _broadcast(
    programme: list[str], speech: dict[str, DemoClip], random: np.random.Generator
) -> tuple[Audio, list[dict[str, object]]]:
    """One long recording, and its parts: who speaks, or music, from which sample to which."""
    waves: list[Audio] = [np.zeros(RATE // 2, dtype=np.float32)]
    parts: list[dict[str, object]] = []
    for name in programme:
        sound = tune(MUSIC * RATE, RATE, random) if name == "music" else speech[name].sound
        start = sum(map(len, waves))
        who = "" if name == "music" else speech[name].speaker
        parts.append({"start": start, "end": start + len(sound), "speaker": who, "text": who and speech[name].text})
        waves += [sound, np.zeros(round(random.uniform(0.6, 1.4) * RATE), dtype=np.float32)]
    wave = np.concatenate(waves)
    return wave + flaws.hiss(len(wave), random, level=ROOM), parts
