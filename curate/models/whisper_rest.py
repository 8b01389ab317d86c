"""Whether a text that Whisper wrote ends before the speech does, and where in the clip the rest of it begins.

Whisper without timestamps often stops where a sentence ends and another voice goes on. Whether a text can have been
said before some pause is seen from levels alone, and few clips of one sentence have such a pause; only of those the
attention of the text's last letter is asked for.
"""

import unicodedata
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE

VERSION = 1  # raise it when a rest is found elsewhere
FRAME = LISTENING_RATE // 50  # samples, 20 ms
DEPTH, ABOVE_FLOOR = 30.0, 6.0  # dB: quiet lies so far under the loudest frame, or so little above the quietest
PAUSE = 4  # quiet frames that may stand between two sentences
LEAST = 50  # frames of sound (1 s) that make a rest
FASTEST = 24.0  # letters per second of sound: prompts and reading in six languages have 8 to 21, syllables taken apart
LATE = 75  # frames: how long after the beginning of its last letter a text may end

Samples = NDArray[np.float32]


def may_go_on(sound: Samples, text: str) -> bool:
    """Whether so much text can have been said before a pause that a second of sound or more follows."""
    letters = sum(unicodedata.category(each)[0] in "LMN" for each in unicodedata.normalize("NFD", text))
    quiet = _quiet(sound)
    said = np.cumsum(~quiet)
    return any(letters <= FASTEST / 50 * said[begin] and said[-1] - said[begin] >= LEAST for begin, _ in _pauses(quiet))


def rest(sound: Samples, last: int) -> Samples:
    """What follows the text whose last letter begins at sample `last`: from the middle of a pause; empty where nothing.

    Nothing: less than a second of sound. The pause is the longest that begins soon enough.
    """
    quiet = _quiet(sound)
    first = last // FRAME
    near = [(begin, end) for begin, end in _pauses(quiet) if first < end and begin <= first + LATE]
    begin, end = max(near, key=lambda pause: pause[1] - pause[0], default=(len(quiet), len(quiet)))
    return sound[(begin + end) // 2 * FRAME :] if np.count_nonzero(~quiet[end:]) >= LEAST else sound[:0]


def _quiet(sound: Samples) -> NDArray[np.bool_]:
    """Per frame of 20 ms, whether nothing is said in it."""
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.einsum("fs,fs->f", frames, frames)
    if not len(power):
        return np.zeros(0, np.bool_)
    floor, middle = np.quantile(power, (0.05, 0.5))
    bound = max(power.max() * 10 ** (-DEPTH / 10), min(floor * 10 ** (ABOVE_FLOOR / 10), middle / 2))
    return np.asarray(power <= bound)


def _pauses(quiet: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Runs of PAUSE quiet frames and more, half-open."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    return ((begin, end) for begin, end in edges.reshape(-1, 2).tolist() if end - begin >= PAUSE)
