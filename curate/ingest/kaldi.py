"""Kaldi data folders: `wav.scp`, and where they are there `segments`, `text`, `utt2spk`, `spk2gender`.

A line of `wav.scp` may be a command that ends in a pipe. It is never run: of decoders that only unpack or convert a
file (flac, sox without effects, ffmpeg, sph2pipe, cat) the file itself is read; of others, and where only a stretch or
one channel of the file is taken, the row says so.
"""

import re
import shlex
from collections.abc import Iterator

from curate.ingest.lines import lines
from curate.ingest.row import Row
from curate.ingest.tree import SUFFIXES, Tree, folder_of
from curate.recipe import Source

DECODERS = ("flac", "sox", "ffmpeg", "sph2pipe", "cat", "wav-copy", "opusdec", "mpg123")
SOX_EFFECTS = {
    "speed", "tempo", "pitch", "vol", "gain", "norm", "trim", "pad", "reverb", "remix", "reverse", "silence", "fade",
    "stretch",
}  # fmt: skip
# options that take a stretch or one channel, or change the speed: what comes out is not what the file holds
PARTS: dict[str, set[str]] = {
    "ffmpeg": {"-ss", "-sseof", "-t", "-to", "-af", "-filter:a", "-filter_complex", "-map_channel"},
    "sph2pipe": {"-c", "-t", "-s"},
    "flac": {"--skip", "--until"},
    "mpg123": {"-0", "-1", "-k", "-n", "--left", "--right", "--skip", "--frames"},
}


def read(source: Source, tree: Tree) -> Iterator[Row]:
    """One row per segment, else per recording, of every data folder; texts without one are listed."""
    for index in tree.require("kaldi", "wav.scp"):
        yield from _folder(source, tree, folder_of(index))


def _folder(source: Source, tree: Tree, folder: str) -> Iterator[Row]:
    names = ("wav.scp", "segments", "text", "utt2spk", "spk2gender")
    (recordings, segments, texts, speakers, genders), wrong = zip(
        *(_table(source, tree, folder, n) for n in names), strict=True
    )
    spans = _spans(segments) or {name: (name, None, None, None) for name in recordings}
    for name in {**spans, **dict.fromkeys(texts)}:
        recording, start, end, bad_span = spans.get(name, (name, None, None, f"{name} has a text and no recording"))
        path, cannot = _path(tree, folder, recording, recordings.get(recording))
        told = wrong[0].get(recording) or next((each[name] for each in wrong[1:] if name in each), None)
        speaker = speakers.get(name)
        more = {"utterance": name, "gender": {"m": "male", "f": "female"}.get(genders.get(speaker or "", ""))}
        text = None if name in wrong[2] else texts.get(name)
        yield Row(path, text, speaker, None, start, end, bad_span or cannot or told, more)


def _table(source: Source, tree: Tree, folder: str, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """What a file says of each key, and what is wrong with its line; empty where the file is not there."""
    path = f"{folder}/{name}".removeprefix("/")
    values: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for line in lines(tree.read(path), source.encoding) if path in tree else ():
        key, *rest = re.split(r"[ \t]+", line.text.strip(" \t"), maxsplit=1)
        if key in values:
            wrong[key] = f"{path}, line {line.number} names {key} a second time"
        elif line.error:
            wrong[key] = f"{path}, line {line.number} {line.error}"
        values.setdefault(key, rest[0] if rest else "")
    return values, wrong


def _spans(segments: dict[str, str]) -> dict[str, tuple[str, float | None, float | None, str | None]]:
    """Utterance: recording, start and end in seconds, what is wrong with the line; an end of -1 is the file's."""
    spans: dict[str, tuple[str, float | None, float | None, str | None]] = {}
    for name, rest in segments.items():
        recording, *times = rest.split() or [""]
        try:
            start, end = float(times[0]), float(times[1])
            spans[name] = (recording, start, None if end == -1 else end, None)
        except (ValueError, IndexError):
            spans[name] = (recording, None, None, f"segments: the line of {name} is not: recording start end")
    return spans


def _path(tree: Tree, folder: str, recording: str, entry: str | None) -> tuple[str, str | None]:
    """The file of a line of wav.scp, or why there is none that can be read."""
    if entry is None:
        return "", f"wav.scp has no recording {recording}"
    if not entry.strip():
        return "", f"wav.scp names no file for {recording}"
    if not entry.rstrip().endswith("|"):
        return tree.find(entry.strip(), beside=folder, anywhere=True), None
    file = _piped(entry.rstrip().removesuffix("|"))
    if file is None:
        return "", f"the line of {recording} in wav.scp is a command, which is not run: {entry.strip()[:100]}"
    return tree.find(file, beside=folder, anywhere=True), None


def _piped(command: str) -> str | None:
    """The file that a decoder reads, where that is all it does."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or words[0].rpartition("/")[2] not in DECODERS or set(words) & (SOX_EFFECTS | {"|", ";", "&&", ">"}):
        return None
    if PARTS.get(words[0].rpartition("/")[2], set()) & {word.partition("=")[0] for word in words}:
        return None
    sounds = [word for word in words[1:] if word.lower().endswith((*SUFFIXES, ".sph"))]
    return sounds[0] if len(sounds) == 1 else None
