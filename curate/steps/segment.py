"""Recordings into clips: where voice was heard decides; nothing is lost, what is not speech becomes rows of its own.

A clip that came with its text is trimmed, never split. Every row's span is half-open, in samples at the file's rate,
and the spans of a file's rows cover the file once, before and after.
"""

import functools
import itertools
import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from curate import manifest
from curate.audio import LISTENING_RATE
from curate.steps.margins import widened
from curate.steps.speaker_changes import settled

MUSIC = ("music", "singing")
# Music lasts. What is called music for less than this was Khmer words and hum (at most 1.9 s in real recordings; music
# files are one event from end to end), unless it is nearly the whole of a short file.
MUSIC_SECONDS = 3.0
MOST_OF_A_FILE = 0.9

WHOLE_FILE = ("file_speech", "file_pauses", "file_dips", "file_sounds", "file_events", "file_turns")
SMALLEST_PART = 10  # of the longest clip: a cut nearer to an end would leave a crumb

Span = tuple[int, int]
Row = dict[str, Any]


class Timeline:
    """Spans of a recording in samples, each with a label (a speaker), found again by place.

    A long recording has thousands of spans and of clips; each clip looks only at the spans near it.
    """

    def __init__(self, spans: Iterable[tuple[int, int, int]]) -> None:
        self.spans = sorted(spans)
        self._starts = [start for start, _, _ in self.spans]
        self._longest = max((end - start for start, end, _ in self.spans), default=0)

    def inside(self, start: int, end: int) -> list[tuple[int, int, int]]:
        """What lies in start..end, cut to it."""
        near = self.spans[bisect_left(self._starts, start - self._longest) : bisect_left(self._starts, end)]
        return [(max(a, start), min(b, end), label) for a, b, label in near if b > start]

    def covered(self, start: int, end: int) -> int:
        """How many samples of start..end lie in a span; for spans that do not overlap."""
        return sum(b - a for a, b, _ in self.inside(start, end))


@dataclass(frozen=True)
class Recording:
    """One file's row, and what the listeners found in it, in samples of the file."""

    row: Row
    speech: Timeline
    pauses: Sequence[Span]
    sounds: Sequence[Span]
    music: Timeline | None
    noise: Timeline | None
    turns: Timeline | None
    changes: Sequence[Span]


def segment(
    rows: pl.DataFrame, *, max_seconds: float, margin: float, max_pause: float, trim_clips: bool
) -> pl.DataFrame:
    """Replace each recording without text by its clips and the rest, trim clips with text, note what was heard."""
    made = [
        clip
        for row in rows.iter_rows(named=True)
        for clip in _clips(row, max_seconds=max_seconds, margin=margin, max_pause=max_pause, trim_clips=trim_clips)
    ]
    frame = pl.DataFrame(made, schema=rows.schema, orient="row")
    return frame.with_columns(pl.Series("id", manifest.number_repeats(frame["id"])))


def _clips(row: Row, *, max_seconds: float, margin: float, max_pause: float, trim_clips: bool) -> Iterator[Row]:
    if row["frames"] is None or row["file_speech"] is None:
        yield row
        return
    recording = _recording(row)
    rate = row["rate"]
    first, last = (
        (0, row["frames"]) if row["start"] is None else (row["start"], row["end"])
    )  # what the row accounts for
    with_margins = functools.partial(widened, sounds=recording.sounds, margin=margin, rate=rate, first=first, last=last)
    if row["text"] is not None:
        speech = [(start, end) for start, end, _ in recording.speech.inside(first, last)]
        cut = (first, last)
        if trim_clips and speech:
            (cut,) = with_margins([(speech[0][0], speech[-1][1])], longest=math.inf)
        yield _clip(recording, row["start"], row["end"], cut)
        return
    longest = int(max_seconds * rate) - 2 * round(margin * rate)
    pause = round(max_pause * rate)
    pieces = [(max(a, first), min(b, last), who) for a, b, who in _by_speaker(recording) if a < last and b > first]
    pauses = sorted([*recording.pauses, *_gaps(pieces)])
    stretches = _grouped(pieces, longest=last - first, pause=pause)
    wanted = [
        (start, end)
        for stretch in stretches
        for start, end, _ in _grouped(_parted(stretch, pauses, longest), longest=longest, pause=pause)
    ]
    if not wanted:
        yield _clip(recording, row["start"], row["end"], (first, last))
        return
    for start, end in cover(with_margins(wanted, longest=max_seconds), first, last):
        yield _clip(recording, start, end, (start, end))


def _recording(row: Row) -> Recording:
    """What was heard in a file, from the listening rate to the file's; the clips do not carry it on."""
    rate, frames = row["rate"], row["frames"]
    speech, events, turns = row["file_speech"], row["file_events"], row["file_turns"]
    music = noise = speakers = None
    changes: list[Span] = []
    if events is not None:
        lasting = min(MUSIC_SECONDS * rate, MOST_OF_A_FILE * frames)
        music = _united(_scaled([e for e in events if e["label"] in MUSIC], rate, frames), shortest=lasting)
        noise = _united(_scaled([e for e in events if e["label"] == "noise"], rate, frames))
    voice = _united(_scaled(speech, rate, frames))
    pauses, dips, sounds = (
        sorted(_scaled(row[name] or [], rate, frames)) for name in ("file_pauses", "file_dips", "file_sounds")
    )
    if turns is not None:
        said = sorted((*span, turn["speaker"]) for turn in turns for span in _scaled([turn], rate, frames))
        parted, changes = settled(said, sorted([*dips, *_gaps(voice.spans)]), rate)
        speakers = Timeline(parted)
    bare = {**row, **dict.fromkeys(WHOLE_FILE)}
    return Recording(bare, voice, pauses, sounds, music, noise, speakers, changes)


def _gaps(pieces: Sequence[tuple[int, int, int]]) -> list[Span]:
    """What lies between neighbours."""
    return [(a[1], b[0]) for a, b in itertools.pairwise(pieces) if a[1] < b[0]]


def _scaled(spans: Sequence[Mapping[str, Any]], rate: int, frames: int) -> list[Span]:
    """Spans from the listening rate to the file's, inside the file."""
    scaled = [(round(s["start"] * rate / LISTENING_RATE), round(s["end"] * rate / LISTENING_RATE)) for s in spans]
    return [(max(0, start), min(frames, end)) for start, end in scaled if start < min(frames, end)]


def _united(spans: Sequence[Span], *, shortest: float = 0) -> Timeline:
    """Spans that overlap or touch as one (what is music and singing at once counts once); short ones left out."""
    united: list[Span] = []
    for start, end in sorted(spans):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return Timeline((start, end, 0) for start, end in united if end - start >= shortest)


def cover(clips: Sequence[Span], first: int, last: int) -> Iterator[Span]:
    """The clips and the gaps between them, in order: together every sample of first..last, once."""
    at = first
    for start, end in clips:
        if at < start:
            yield at, start
        yield start, end
        at = end
    if at < last:
        yield at, last


def _by_speaker(recording: Recording) -> list[tuple[int, int, int]]:
    """Speech spans parted where the speaker changes: (start, end, speaker), -1 where nobody is known."""
    turns = recording.turns or Timeline([])
    pieces = []
    for start, end, _ in recording.speech.spans:
        edges = [start, *itertools.chain.from_iterable(_inside(recording.changes, start + 1, end - 1)), end]
        pieces += [(a, b, _speaker(turns.inside(a, b))) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return pieces


def _speaker(turns: Sequence[tuple[int, int, int]]) -> int:
    """Who speaks longest, -1 for nobody."""
    spoken = _spoken(turns)
    return max(spoken, key=lambda who: (spoken[who], -who), default=-1)


def _spoken(turns: Sequence[tuple[int, int, int]]) -> dict[int, int]:
    """Samples spoken by each."""
    spoken: dict[int, int] = {}
    for start, end, who in turns:
        spoken[who] = spoken.get(who, 0) + end - start
    return spoken


def _parted(piece: tuple[int, int, int], pauses: Sequence[Span], longest: int) -> list[tuple[int, int, int]]:
    """A stretch of speech that is too long for a clip, cut at its longest pauses; whole where it has none.

    The longest first, each part again while it is too long. What is cut small is joined again by `_grouped`; so the
    clips end at the best pauses and are as long as they may be. A pause near an end leaves a crumb: it is the last that
    is taken.
    """
    parts, waiting = [], [piece]
    while waiting:
        start, end, speaker = waiting.pop()
        least = min(longest, end - start) // SMALLEST_PART
        inside = _inside(pauses, start + least, end - least) or _inside(pauses, start + 1, end - 1)
        if end - start <= longest or not inside:
            parts.append((start, end, speaker))
            continue
        first, last = max(inside, key=lambda pause: pause[1] - pause[0])
        waiting += [(last, end, speaker), (start, first, speaker)]
    return parts


def _inside(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Of sorted spans those that lie in start..end."""
    return [(a, b) for a, b in spans[bisect_left(spans, (start, 0)) : bisect_left(spans, (end, 0))] if b <= end]


def _grouped(pieces: Sequence[tuple[int, int, int]], *, longest: int, pause: int) -> list[tuple[int, int, int]]:
    """Neighbouring pieces of one speaker joined over short pauses, up to the longest clip."""
    groups: list[tuple[int, int, int]] = []
    for start, end, speaker in pieces:
        if groups:
            first, last, who = groups[-1]
            if speaker == who and start - last <= pause and end - first <= longest:
                groups[-1] = (first, end, who)
                continue
        groups.append((start, end, speaker))
    return groups


def _clip(recording: Recording, start: int | None, end: int | None, cut: Span) -> Row:
    """A row for a span of the recording, with what the listeners found in what is cut of it."""
    row = recording.row
    speech = [{"start": a, "end": b} for a, b, _ in recording.speech.inside(*cut)]
    measured: Row = {
        "start": start,
        "end": end,
        "cut_start": cut[0],
        "cut_end": cut[1],
        "seconds": (cut[1] - cut[0]) / row["rate"],
        "speech": speech,
        "speech_seconds": sum(span["end"] - span["start"] for span in speech) / row["rate"],
    }
    if start is not None:
        measured["id"] = manifest.clip_id(row["source"], row["path"], start, end, row["channel"])
    for name, timeline in (("music", recording.music), ("noise", recording.noise)):
        if timeline is not None:
            measured[name] = timeline.covered(*cut) / (cut[1] - cut[0])
    if recording.turns is not None:
        spoken = _spoken(recording.turns.inside(*cut))
        others = 1 - max(spoken.values()) / sum(spoken.values()) if spoken else None
        measured |= {"voices": len(spoken), "second_voice": others}
    return {**row, **measured}
