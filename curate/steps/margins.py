"""Margins: how much beside its speech a clip keeps, so that no edge lies in a sound.

The voice detector hears no speech in what is shorter than a quarter of a second: a short last word after a pause, or
what is left of one. A margin that ended inside such a sound would cut it in two.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

REACH = 0.6  # seconds over the margin that a sound may last and still be the clip's: longer ones are no words
GUARD = 0.02  # seconds that an edge keeps from a sound it leaves out: two frames of the levels and their rounding

Span = tuple[int, int]


def widened(
    spoken: Sequence[Span], sounds: Sequence[Span], *, margin: float, longest: float, rate: int, first: int, last: int
) -> list[Span]:
    """Clips around spans of speech, with `margin` seconds on both sides, inside first..last, in order.

    `sounds`, sorted, lie beside speech. One that an edge would lie in is taken into the clip, with a margin after it,
    where it ends soon and the clip stays within `longest` seconds; else the edge lies before it. Neighbours share a
    short gap in the middle of its longest quiet part. Where sound goes on from the speech there is no better place:
    the edge stays, and the rule for chopped words hears it.
    """
    walls = [first, *(_quietest(sounds, end, start) for (_, end), (start, _) in itertools.pairwise(spoken)), last]
    clips = []
    for (start, end), (low, high) in zip(spoken, itertools.pairwise(walls), strict=True):
        before = [(start - b, start - a) for a, b in reversed(_between(sounds, low, start))]
        after = [(a - end, b - end) for a, b in _between(sounds, end, high)]
        for reach in (REACH, -margin):
            head = _kept(before, start - low, round(margin * rate), round((margin + reach) * rate), rate)
            tail = _kept(after, high - end, round(margin * rate), round((margin + reach) * rate), rate)
            if end + tail - (start - head) <= longest * rate:
                break
        clips.append((start - head, end + tail))
    return clips


def _kept(sounds: Sequence[Span], room: int, margin: int, furthest: int, rate: int) -> int:
    """How many samples of what lies beside speech; `sounds` as distances from it, the nearest first."""
    edge, guard = min(margin, room), round(GUARD * rate)
    for near, far in sounds:
        if near - guard >= edge:
            break
        if far + guard <= edge:
            continue
        if far <= min(furthest, room):
            edge = min(far + margin, room)
        elif near > 0:
            return min(edge, max(0, near - guard))
    return edge


def _between(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Of sorted spans that do not overlap those that reach into start..end."""
    return list(spans[bisect_right(spans, start, key=lambda span: span[1]) : bisect_left(spans, (end, 0))])


def _quietest(sounds: Sequence[Span], start: int, end: int) -> int:
    """The middle of the longest part of start..end without a sound; of all of it where there is none."""
    inside = [(max(a, start), min(b, end)) for a, b in _between(sounds, start, end)]
    edges = [start, *itertools.chain.from_iterable(inside), end]
    quiet = [(b - a, a + b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    length, twice = max(quiet, key=lambda part: part[0])
    return twice // 2 if length else (start + end) // 2
