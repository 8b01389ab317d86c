"""Whether two prints share a part and each goes on beyond it: other clips, and neither cut from the other.

Such are the end of one clip and the start of the next, or clips with one jingle. Where only one clip goes on, the other
was trimmed.
"""

import numpy as np

from curate.measures.alignment import MOVED, OVERLAP, Alignment, Judged, Pair, Side, likeness, means, tenth
from curate.measures.equal_frames import NOTHING

# Frames (0.24 s) of sound that each clip has beyond the other: they share a part, and neither was cut from one. Sound
# lies no more than 16 dB under the loud frames, and 4 dB over the softest tenth, which may be noise, down to 8 dB.
LEFT, SOUND, OVER, LOUDEST = 12, 8, 2, 4
EDGE, ALIKE = 5, 0.5  # so many frames agree by this much of what all do where the shared part begins and ends


def each_goes_on(at: Alignment, judged: Judged) -> bool:
    """Whether each of two clips has sound before or after what they share: other words, not what was trimmed.

    Shared is what lies between the first and the last place where they are about as alike as elsewhere.
    """
    pair, path = Pair(at), judged.path
    inside = np.flatnonzero((path >= 0) & (path < len(at.first.numbers)))
    ours, theirs = path[inside], inside
    told = pair.told[0][ours] & pair.told[1][theirs]
    ours, theirs = ours[told], theirs[told]
    differ = np.bitwise_count(pair.numbers[0][ours] ^ pair.numbers[1][theirs])
    alike = np.flatnonzero(means(1 - 2 / pair.bits * differ, EDGE) >= ALIKE * judged.explained)
    if not len(alike):
        return False
    start, stop = int(alike[0]), int(alike[-1]) + EDGE
    ends = [
        (slice(0, int(frames[start])), slice(int(frames[stop - 1]) + 1, len(side.numbers)))
        for side, frames in ((at.first, ours), (at.second, theirs))
    ]
    beyond = np.array([[_sound(side, part) for part in parts] for side, parts in zip(at[:2], ends, strict=True)])
    for end, parts in enumerate(zip(*ends, strict=True)):
        if beyond[:, end].all() and _moved_on(at, *parts) >= MOVED * judged.explained:
            beyond[:, end] = 0  # behind a pause that is longer than what follows it
    return bool(beyond.sum(axis=1).min() >= LEFT)


def _sound(side: Side, part: slice) -> int:
    """How many frames of a part are sound."""
    loud = (side.numbers != NOTHING) & (side.levels <= np.clip(tenth(side.levels) - OVER, LOUDEST, SOUND))
    return int(np.count_nonzero(loud[part]))


def _moved_on(at: Alignment, ours: slice, theirs: slice) -> float:
    """The likeness of what two clips have beyond what they share, wherever it lies there."""
    first, second = at.first.numbers[ours], at.second.numbers[theirs]
    least = max(1, OVERLAP * min(np.count_nonzero(first), np.count_nonzero(second)))
    return likeness(first, second, at.shift, least)[0]
