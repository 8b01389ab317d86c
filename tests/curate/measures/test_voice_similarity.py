"""How alike the voice of a clip is to itself: groups of windows, all of them, and what single windows do not say."""

import numpy as np
import pytest

from curate.measures import voice_similarity
from curate.measures.linkage import Vectors


def _windows(who: str, *, apart: float = 0.3, within: float = 0.8) -> Vectors:
    """A window for each letter: windows of one letter have a cosine of `within`, those of two of `apart`."""
    letters = sorted(set(who))
    size = 1 + len(letters) + len(who)
    windows = np.zeros((len(who), size), np.float32)
    windows[:, 0] = np.sqrt(apart)
    for row, letter in enumerate(who):
        windows[row, 1 + letters.index(letter)] = np.sqrt(within - apart)
        windows[row, 1 + len(letters) + row] = np.sqrt(1 - within)
    return windows


@pytest.mark.parametrize("who", ["aabb", "aaaaaabb", "abababab", "aabbccdd", "aaabbbcccdddaaa"])
def test_several_people_are_as_alike_as_the_two_that_are_least(who: str) -> None:
    found = voice_similarity.least(_windows(who))
    assert found is not None
    assert 0.3 - voice_similarity.HIGHER - 1e-6 <= found <= 0.3 + 1e-6


@pytest.mark.parametrize("who", ["aaaa", "aaaaaaaaaaa"])
def test_one_person_is_as_alike_as_their_windows(who: str) -> None:
    assert voice_similarity.least(_windows(who)) == pytest.approx(0.8 - voice_similarity.HIGHER, abs=1e-6)


@pytest.mark.parametrize("who", ["aaaaaaaaab", "baaaaaaaaa", "aaaaabaaaa"])
def test_a_window_alone_is_no_group(who: str) -> None:
    found = voice_similarity.least(_windows(who))
    assert found is not None
    assert found > 0.6


@pytest.mark.parametrize("turn", [1.0, 1.25, 1.5])  # of these each window, of 1.5 s every 0.75 s, holds two people
def test_people_whose_turns_make_no_groups_are_as_alike_as_all_their_windows(turn: float) -> None:
    people, starts = np.eye(4, dtype=np.float32), np.arange(0, 4 * turn - 1.5 + 1e-9, 0.75)
    said = np.array([[max(0.0, min(s + 1.5, (k + 1) * turn) - max(s, k * turn)) for k in range(4)] for s in starts])
    windows = (said @ people).astype(np.float32)
    found = voice_similarity.least(windows / np.linalg.norm(windows, axis=1, keepdims=True))
    assert found is not None
    assert found < 0.3


def test_too_little_speech_says_nothing() -> None:
    assert voice_similarity.least(None) is None
    assert voice_similarity.least(_windows("ab")) is None
    assert voice_similarity.least(_windows("aab")) == pytest.approx(0.3 - voice_similarity.HIGHER, abs=1e-6)
