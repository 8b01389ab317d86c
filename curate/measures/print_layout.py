"""A fingerprint as bytes: landmarks, frames, their levels, signs of the waveform, and what is kept of a single word.

32-bit numbers, little-endian: how many landmarks there are, and in the upper half how many numbers the word has; how
many frames; then these in that order, levels eight to a number. A print without frames is that of a word alone.
"""

from __future__ import annotations

import numpy as np

from curate.measures import coherence, landmarks, single_words
from curate.measures.alignment import Levels, Side
from curate.measures.equal_frames import Print

NO_WORD = np.zeros(0, np.uint32)
WORD_PLACE = 16  # bits of a print's first number below those that say how long the word is


def packed(
    numbers: Print,
    marks: landmarks.Table,
    levels: Levels,
    signs: coherence.Signs,
    word: single_words.Packed = NO_WORD,
) -> bytes:
    """A print of frames (n,), landmarks, the frames' levels (n,), signs of the waveform, and a word's numbers."""
    eight = np.zeros(-(-len(levels) // 8) * 8, np.uint32)
    eight[: len(levels)] = levels
    loud = np.bitwise_or.reduce(eight.reshape(-1, 8) << np.arange(0, 32, 4, dtype=np.uint32), axis=1)
    head = [len(marks) | len(word) << WORD_PLACE, len(numbers)]
    return np.concatenate([head, marks.ravel(), numbers, loud, signs, word]).astype("<u4").tobytes()


def numbers(print_: bytes) -> Print:
    """The frames (n,)."""
    return parts(print_)[1]


def frames(print_: bytes) -> Side:
    """The frames with their levels."""
    _, told, loud, _ = parts(print_)
    levels = loud[:, None] >> np.arange(0, 32, 4, dtype=np.uint32) & np.uint32(15)
    return Side(told, levels.ravel()[: len(told)].astype(np.uint8))


def wave(print_: bytes, side: Side) -> coherence.Wave:
    """The signs of the waveform with the levels of the frames."""
    return coherence.Wave(coherence.waves(parts(print_)[3]), side.levels)


def marks(print_: bytes) -> landmarks.Table:
    """The landmarks (n, 2)."""
    return parts(print_)[0].reshape(-1, 2)


def parts(print_: bytes) -> tuple[Print, Print, Print, Print]:
    """The landmarks, the frames, the levels, the signs."""
    every = np.frombuffer(print_ or bytes(8), dtype="<u4").astype(np.uint32)
    first = 2 + 2 * (int(every[0]) & (1 << WORD_PLACE) - 1)
    second = first + int(every[1])
    third = second + -(-int(every[1]) // 8)
    end = len(every) - (int(every[0]) >> WORD_PLACE)
    return every[2:first], every[first:second], every[second:third], every[third:end]


def word(print_: bytes) -> single_words.Packed:
    """What is kept of a short clip's waveform; nothing of others."""
    every = np.frombuffer(print_ or bytes(8), dtype="<u4")
    return every[len(every) - (int(every[0]) >> WORD_PLACE) :].astype(np.uint32)


def order(print_: bytes) -> tuple[bytes, bytes]:
    """Which of two prints is the first, so that rounding depends neither on their order nor on words kept in them."""
    every = np.frombuffer(print_, dtype="<u4")
    of_word = int(every[0]) >> WORD_PLACE
    head = (every[:1] & ((1 << WORD_PLACE) - 1)).tobytes()
    return head + print_[4 : len(print_) - 4 * of_word], print_


def is_word(print_: bytes) -> bool:
    """Whether it has no frames: a word is compared by its waveform alone."""
    return not len(numbers(print_))
