"""Texts with times beside a recording: SubRip (.srt), WebVTT (.vtt) and Praat (.TextGrid), as cues in seconds."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

TIME = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
ARROW = re.compile(rf"\s*{TIME}\s*-->\s*{TIME}")
VOICE = re.compile(r"<v(?:\.[^ >]*)?\s+([^>]+)>")
TAG = re.compile(r"</?[a-zA-Z][^>]*>|<\d[\d:.]*>|\{\\[^}]*\}")
# Tiers of a TextGrid that hold something else than what was said, as forced aligners call them.
PARTS = re.compile(r"(?i)^(.* - )?(words?|phones?|phonemes?|syllables?|segments?|pitch|tones?)$")
TEXT_TIER = re.compile(r"(?i)^(text|texts|transcript|transcription|sentences?|utterances?|utt|ort)$")


@dataclass(frozen=True, slots=True)
class Cue:
    """A text from start to end, in seconds; `error` where its times cannot be read."""

    start: float | None
    end: float | None
    text: str
    speaker: str | None = None
    error: str | None = None


def cues(content: str, suffix: str) -> list[Cue]:
    """The cues of a file by its suffix, those without a text left out."""
    if suffix == ".textgrid":
        return [cue for cue in _textgrid(content) if cue.text.strip() or cue.error]
    return [cue for cue in _blocks(content, suffix) if cue.text.strip() or cue.error]


def _blocks(content: str, suffix: str) -> Iterator[Cue]:
    """SubRip and WebVTT: blocks parted by blank lines, in each a line with an arrow, then the text."""
    lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if "-->" not in line:
            continue
        text = []
        for following in lines[number:]:
            if not following.strip() or "-->" in following:
                break
            text.append(following)
        if len(text) > 1 and number + len(text) < len(lines) and "-->" in lines[number + len(text)]:
            text.pop()  # the number of the next cue, where no blank line parts them
        said = "\n".join(text)
        voice = VOICE.search(said)
        times = ARROW.match(line)
        error = None if times else f"line {number} is no time: {line.strip()[:60]}"
        start, end = (_seconds(times.groups()[:4]), _seconds(times.groups()[4:])) if times else (None, None)
        bare = TAG.sub("", said)
        bare = html.unescape(bare) if suffix == ".vtt" else bare
        yield Cue(start, end, bare, voice[1].strip() if voice else None, error)


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(f"0.{fraction}")


def _textgrid(content: str) -> Iterator[Cue]:
    """The intervals of the tiers that hold what was said; of several, each tier is a speaker."""
    tiers = [(name, intervals) for name, intervals in _tiers(content) if not PARTS.match(name)]
    chosen = [tier for tier in tiers if TEXT_TIER.match(tier[0])] or tiers
    for name, intervals in chosen:
        speaker = name if len(chosen) > 1 or not TEXT_TIER.match(name) else None
        yield from (Cue(start, end, text, speaker or None) for start, end, text in intervals)


def _tiers(content: str) -> Iterator[tuple[str, list[tuple[float, float, str]]]]:
    """Long and short form alike: the strings and numbers in order, whatever their labels say.

    Praat: Write to text file, "TextGrid" in its manual. A quote inside a string is doubled.
    """
    tokens = re.findall(r'"((?:[^"]|"")*)"|(?<![\w\[."])(-?\d+(?:\.\d+)?(?:[eE]-?\d+)?)(?![\w\]])', content)
    at = next((i for i, (text, _) in enumerate(tokens) if text in ("IntervalTier", "TextTier")), len(tokens))
    while at < len(tokens):
        kind, name = tokens[at][0], tokens[at + 1][0].replace('""', '"')
        size, at = int(float(tokens[at + 4][1] or 0)), at + 5
        intervals = []
        for _ in range(size):
            if kind == "IntervalTier":
                start, end, text = tokens[at][1], tokens[at + 1][1], tokens[at + 2][0]
                intervals.append((float(start), float(end), text.replace('""', '"')))
            at += 3 if kind == "IntervalTier" else 2
        if kind == "IntervalTier":
            yield name, intervals
