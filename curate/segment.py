"""Recordings into clips: where voice was heard decides; nothing is lost, what is not speech becomes rows of its own.

A clip that came with its text is trimmed, never split. Every row's span is half-open, in samples at the file's rate,
and the spans of a file's rows cover the file once, before and after.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from curate import manifest
from curate.align import trim

LISTENING_RATE = 16000  # Hz of the spans that listeners give
MUSIC = ("music", "singing")
# Music lasts. What is called music for less than this was Khmer words and hum (at most 1.9 s in real recordings; music
# files are one event from end to end), unless it is nearly the whole of a short file.
MUSIC_SECONDS = 3.0
MOST_OF_A_FILE = 0.9

Span = tuple[int, int]
Row = dict[str, Any]


def segment(
    rows: pl.DataFrame, *, max_seconds: float, margin: float, max_pause: float, trim_clips: bool
) -> pl.DataFrame:
    """Replace each recording without text by its clips and the rest, trim clips with text, note what was heard."""
    made = [
        _with_findings(clip)
        for row in rows.iter_rows(named=True)
        for clip in _clips(row, max_seconds=max_seconds, margin=margin, max_pause=max_pause, trim_clips=trim_clips)
    ]
    frame = pl.DataFrame(made, schema=rows.schema, orient="row")
    return frame.with_columns(pl.Series("id", manifest.number_repeats(frame["id"])))


def _clips(row: Row, *, max_seconds: float, margin: float, max_pause: float, trim_clips: bool) -> Iterator[Row]:
    if row["frames"] is None or row["file_speech"] is None:
        yield row
        return
    rate, frames = row["rate"], row["frames"]
    speech = spans_at(row["file_speech"], rate, frames)
    edge = round(margin * rate)
    if row["text"] is not None:
        cut = trim(speech, 0, frames, edge) if trim_clips and speech else (0, frames)
        yield _spanned(row, None, None, cut)
        return
    pieces = _by_speaker(speech, row["file_turns"] or [], rate)
    wanted = _grouped(pieces, longest=int(max_seconds * rate) - 2 * edge, pause=round(max_pause * rate))
    if not wanted:
        yield _spanned(row, None, None, (0, frames))
        return
    for start, end in cover(_widened(wanted, edge, frames), frames):
        yield _spanned(row, start, end, (start, end))


def spans_at(spans: Sequence[dict[str, int]], rate: int, frames: int) -> list[Span]:
    """Spans from the listening rate to the file's, inside the file."""
    scaled = [(round(s["start"] * rate / LISTENING_RATE), round(s["end"] * rate / LISTENING_RATE)) for s in spans]
    return [(max(0, start), min(frames, end)) for start, end in scaled if start < min(frames, end)]


def cover(clips: Sequence[Span], frames: int) -> Iterator[Span]:
    """The clips and the gaps between them, in order: together every sample of the file, once."""
    at = 0
    for start, end in clips:
        if at < start:
            yield at, start
        yield start, end
        at = end
    if at < frames:
        yield at, frames


def _by_speaker(speech: Sequence[Span], turns: Sequence[dict[str, int]], rate: int) -> list[tuple[int, int, int]]:
    """Speech spans cut where the speaker changes: (start, end, speaker), -1 where nobody is known."""
    told = [
        (round(t["start"] * rate / LISTENING_RATE), round(t["end"] * rate / LISTENING_RATE), t["speaker"])
        for t in turns
    ]
    changes = [
        (a[1] + b[0]) // 2 if a[1] <= b[0] else b[0]
        for a, b in itertools.pairwise(told)
        if a[2] != b[2] and b[1] > a[1]  # a turn inside another's is talk over it, no change
    ]
    pieces = []
    for start, end in speech:
        edges = [start, *dict.fromkeys(c for c in changes if start < c < end), end]
        pieces += [(a, b, _speaker(a, b, told)) for a, b in itertools.pairwise(edges)]
    return pieces


def _speaker(start: int, end: int, turns: Sequence[tuple[int, int, int]]) -> int:
    """Who speaks longest in a span."""
    spoken: dict[int, int] = {}
    for a, b, speaker in turns:
        spoken[speaker] = spoken.get(speaker, 0) + max(0, min(b, end) - max(a, start))
    best = max(spoken, key=lambda s: (spoken[s], -s), default=-1)
    return best if spoken.get(best, 0) > 0 else -1


def _grouped(pieces: Sequence[tuple[int, int, int]], *, longest: int, pause: int) -> list[Span]:
    """Neighbouring pieces of one speaker joined over short pauses, up to the longest clip."""
    groups: list[tuple[int, int, int]] = []
    for start, end, speaker in pieces:
        if groups:
            first, last, who = groups[-1]
            if speaker == who and start - last <= pause and end - first <= longest:
                groups[-1] = (first, end, who)
                continue
        groups.append((start, end, speaker))
    return [(start, end) for start, end, _ in groups]


def _widened(clips: Sequence[Span], margin: int, frames: int) -> list[Span]:
    """Clips with their margins of silence; neighbours share a short gap in its middle."""
    starts = [max(0, clips[0][0] - margin)]
    ends = []
    for (_, end), (start, _) in itertools.pairwise(clips):
        middle = (end + start) // 2
        ends.append(min(end + margin, middle))
        starts.append(max(start - margin, middle))
    ends.append(min(frames, clips[-1][1] + margin))
    return list(zip(starts, ends, strict=True))


def _spanned(row: Row, start: int | None, end: int | None, cut: Span) -> Row:
    changed = {
        "start": start,
        "end": end,
        "cut_start": cut[0],
        "cut_end": cut[1],
        "seconds": (cut[1] - cut[0]) / row["rate"],
    }
    if start is not None:
        changed["id"] = manifest.clip_id(row["source"], row["path"], start, end)
    return {**row, **changed}


def _with_findings(clip: Row) -> Row:
    """A clip with what the listeners found inside it."""
    if clip["cut_end"] is None:
        return clip
    rate, cut = clip["rate"], (clip["cut_start"], clip["cut_end"])
    speech = _inside(spans_at(clip["file_speech"], rate, clip["frames"]), cut)
    clip["speech"] = [{"start": a, "end": b} for a, b in speech]
    clip["speech_seconds"] = sum(b - a for a, b in speech) / rate
    if clip["file_events"] is not None:
        clip |= _events(clip["file_events"], rate, clip["frames"], cut)
    if clip["file_turns"] is not None:
        clip |= _voices(clip["file_turns"], rate, clip["frames"], cut)
    return clip


def _events(events: Sequence[dict[str, Any]], rate: int, frames: int, cut: Span) -> Row:
    """Shares of the clip that are music, and sound that is neither music nor voice."""
    music = _united(spans_at([e for e in events if e["label"] in MUSIC], rate, frames))
    lasting = min(MUSIC_SECONDS * rate, MOST_OF_A_FILE * frames)
    kinds = {
        "music": [(start, end) for start, end in music if end - start >= lasting],
        "noise": _united(spans_at([e for e in events if e["label"] == "noise"], rate, frames)),
    }
    return {name: sum(b - a for a, b in _inside(spans, cut)) / (cut[1] - cut[0]) for name, spans in kinds.items()}


def _united(spans: Sequence[Span]) -> list[Span]:
    """Overlapping spans as one: what is music and singing at once counts once."""
    united: list[Span] = []
    for start, end in sorted(spans):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def _voices(turns: Sequence[dict[str, int]], rate: int, frames: int, cut: Span) -> Row:
    """How many speak in the clip, and what share of the speech is not the main voice's."""
    spoken: dict[int, int] = {}
    for turn in turns:
        for a, b in _inside(spans_at([turn], rate, frames), cut):
            spoken[turn["speaker"]] = spoken.get(turn["speaker"], 0) + b - a
    total = sum(spoken.values())
    return {"voices": len(spoken), "second_voice": 1 - max(spoken.values()) / total if total else None}


def _inside(spans: Sequence[Span], cut: Span) -> list[Span]:
    return [(max(a, cut[0]), min(b, cut[1])) for a, b in spans if a < cut[1] and b > cut[0]]
