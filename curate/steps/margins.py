"""Margins: how much beside its speech a clip keeps, so that no edge lies in a sound.

The voice detector hears no speech in what is shorter than a quarter of a second: a short last word after a pause, or
what is left of one. A margin that ended inside such a sound would cut it in two.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

REACH = 0.6  # seconds over the margin that a sound may last and still be the clip's: longer ones are no words
GUARD = 0.05  # seconds that an edge keeps from a sound it leaves out, and a quiet lasts: sounds die away under noise

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
    walls = [
        first,
        *(_quietest(sounds, end, start, round(GUARD * rate)) for (_, end), (start, _) in itertools.pairwise(spoken)),
        last,
    ]
    wanted = round(margin * rate)
    clips = []
    for (start, end), (low, high) in zip(spoken, itertools.pairwise(walls), strict=True):
        heads = _edges(
            [(start - b, start - a) for a, b in reversed(_between(sounds, low, start))], start - low, wanted, rate
        )
        tails = _edges([(a - end, b - end) for a, b in _between(sounds, end, high)], high - end, wanted, rate)
        fitting = [(h + t, h, t) for h in heads for t in tails if h + t <= longest * rate - (end - start)]
        _, head, tail = max(fitting, default=(0, min(wanted, start - low), min(wanted, high - end)))
        clips.append((start - head, end + tail))
    return clips


def _edges(sounds: Sequence[Span], room: int, margin: int, rate: int) -> list[int]:
    """Where a clip may end, as distances from its speech; `sounds` are, too, the nearest first.

    At the margin, where that is quiet; else before or after each sound that reaches over it. At the margin, too, where
    sound goes on from the speech for longer.
    """
    guard, furthest = round(GUARD * rate), min(margin + round(REACH * rate), room)
    edge, quiet_from = min(margin, room), 0
    edges = []
    for near, far in sounds:
        if near - guard >= edge:
            break
        if far + guard > edge:
            if near - quiet_from >= guard:
                edges.append(max(near - guard, (near + quiet_from) // 2))
            if far > furthest:
                return edges or [edge]
            edge = min(far + margin, room)
        quiet_from = far
    return [*edges, edge]


def _between(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Of sorted spans that do not overlap those that reach into start..end."""
    return list(spans[bisect_right(spans, start, key=lambda span: span[1]) : bisect_left(spans, (end, 0))])


def _quietest(sounds: Sequence[Span], start: int, end: int, least: int) -> int:
    """The middle of the longest part of start..end without a sound; of all of it where that is shorter than `least`."""
    inside = [(max(a, start), min(b, end)) for a, b in _between(sounds, start, end)]
    edges = [start, *itertools.chain.from_iterable(inside), end]
    quiet = [(b - a, (a + b) // 2) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    length, middle = max(quiet, key=lambda part: part[0])
    return middle if length >= least else (start + end) // 2
