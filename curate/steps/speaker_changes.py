"""Where one speaker takes over from another: at a quiet moment near where diarization says so, never inside a word.

Diarization tells who speaks to some tenths of a second, and words last as long.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

NEAR = 0.5  # seconds: nine in ten changes of two who take turns were told this near
# The longer a moment and the nearer, the better the place: up to 0.3 s long, and a second away costs half a second.
LONG, DISTANCE = 0.3, 0.5

Span = tuple[int, int]
Turn = tuple[int, int, int]


def settled(turns: Sequence[Turn], quiet: Sequence[Span], rate: int) -> tuple[list[Turn], list[Span]]:
    """Turns that end and begin at quiet moments where speakers change, and these moments, in order.

    A change with no such moment near stays where it is, and is none of them. `turns` and `quiet` are sorted, all in
    samples; a turn inside another's is talk over it, and no change.
    """
    edges = [list(turn) for turn in turns]
    moments = []
    for one, other in itertools.pairwise(_outer(turns)):
        (_, ends, who), (begins, _, next_one) = turns[one], turns[other]
        if who == next_one:
            continue
        change = (ends + begins) // 2 if ends <= begins else begins
        place = _place(change, quiet, rate)
        if place and edges[one][0] < place[0] and place[1] < edges[other][1]:
            edges[one][1], edges[other][0] = place
            moments.append(place)
    return sorted((start, end, who) for start, end, who in edges), moments


def _outer(turns: Sequence[Turn]) -> list[int]:
    """Which turns do not lie inside an earlier one."""
    outer: list[int] = []
    for number, (_, end, _) in enumerate(turns):
        if not outer or end > turns[outer[-1]][1]:
            outer.append(number)
    return outer


def _place(change: int, quiet: Sequence[Span], rate: int) -> Span | None:
    """The best quiet moment near a change."""
    reach = round(NEAR * rate)
    first = bisect_right(quiet, change - reach, key=lambda span: span[1])
    near = quiet[first : bisect_left(quiet, (change + reach, 0))]

    def worth(span: Span) -> float:
        away = max(0, span[0] - change, change - span[1])
        return min(span[1] - span[0], LONG * rate) - DISTANCE * away

    return max(near, key=worth, default=None)
