"""How alike the voice of a clip is to itself: groups of windows, all of them, and what single windows do not say."""

import numpy as np
import pytest
from numpy.typing import NDArray

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


class _Pieces:
    """Half seconds that say a vector each, of which groups are the mean."""

    def __init__(self, said: NDArray[np.float64]) -> None:
        self._said = said
        self.common: Vectors = np.zeros(said.shape[1], np.float32)

    def __len__(self) -> int:
        return len(self._said)

    def embed(self, weights: NDArray[np.float64]) -> Vectors:
        mean = weights @ self._said
        vectors: Vectors = (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)
        return vectors


def _least(who: str) -> float | None:
    """By the windows of 1.5 s alone: their half seconds are one person's."""
    return voice_similarity.least(_windows(who), _Pieces(np.ones((2 * len(who), 1))))


def _in_turn(who: str, *, seed: int, apart: float = 0.4) -> _Pieces:
    """A letter a half second: voices have a cosine of `apart`, and what is said beside them is much of each piece."""
    letters, random = sorted(set(who)), np.random.default_rng(seed)
    voices = np.linalg.cholesky(np.full((len(letters),) * 2, apart) + (1 - apart) * np.eye(len(letters)))
    said = random.standard_normal((len(who), 40)) / np.sqrt(40)
    return _Pieces(np.hstack([voices[[letters.index(letter) for letter in who]], 0.5 * said]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("who", ["aaaaabbbbb", "aaaabbbb" * 2, "aaaaaaaaaaaabbbb", "aaaaaabbbbbb" * 2])
def test_two_people_in_turn_are_as_alike_as_all_that_each_says(who: str, seed: int) -> None:
    found = voice_similarity.least(_windows("aaaa"), _in_turn(who, seed=seed))
    assert found is not None
    assert 0.4 - voice_similarity.WHOLES_HIGHER - 0.1 < found < 0.5


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("who", ["a" * 12, "a" * 30, "a" * 12 + "b", "b" + "a" * 12, "aaaaaa" + "b" + "aaaaaa"])
def test_one_person_is_not_taken_apart_by_what_is_said_nor_by_a_cough(who: str, seed: int) -> None:
    found = voice_similarity.least(_windows("aaaa"), _in_turn(who, seed=seed))
    assert found is not None
    assert found > 0.6


def test_windows_are_given_as_the_best_of_all_ways_gives_them() -> None:
    random = np.random.default_rng(0)
    for length in (1, 2, 5, 9):
        likeness = random.uniform(0.3, 0.9, (length, 2))
        ways = (np.arange(2**length)[:, None] >> np.arange(length)) & 1
        worth = likeness[np.arange(length), ways].sum(axis=1) - voice_similarity.CHANGE * np.abs(np.diff(ways)).sum(
            axis=1
        )
        assert np.array_equal(voice_similarity._given(likeness), ways[worth.argmax()] == 1)


@pytest.mark.parametrize("who", ["aabb", "aaaaaabb", "abababab", "aabbccdd", "aaabbbcccdddaaa"])
def test_several_people_are_as_alike_as_the_two_that_are_least(who: str) -> None:
    found = _least(who)
    assert found is not None
    assert 0.3 - voice_similarity.HIGHER - 1e-6 <= found <= 0.3 + 1e-6


@pytest.mark.parametrize("who", ["aaaa", "aaaaaaaaaaa"])
def test_one_person_is_as_alike_as_their_windows(who: str) -> None:
    assert _least(who) == pytest.approx(0.8 - voice_similarity.HIGHER, abs=0.003)


@pytest.mark.parametrize("who", ["aaaaaaaaab", "baaaaaaaaa", "aaaaabaaaa"])
def test_a_window_alone_is_no_group(who: str) -> None:
    found = _least(who)
    assert found is not None
    assert found > 0.6


@pytest.mark.parametrize("turn", [1.0, 1.25, 1.5])  # of these each window, of 1.5 s every 0.75 s, holds two people
def test_people_whose_turns_make_no_groups_are_as_alike_as_all_their_windows(turn: float) -> None:
    people, starts = np.eye(4, dtype=np.float32), np.arange(0, 4 * turn - 1.5 + 1e-9, 0.75)
    said = np.array([[max(0.0, min(s + 1.5, (k + 1) * turn) - max(s, k * turn)) for k in range(4)] for s in starts])
    windows = (said @ people).astype(np.float32)
    found = voice_similarity.least(windows / np.linalg.norm(windows, axis=1, keepdims=True), _Pieces(np.ones((12, 1))))
    assert found is not None
    assert found < 0.3


@pytest.mark.parametrize(("who", "several"), [("aaaabbbbccccdddd", True), ("aabbccdd" * 2, True), ("a" * 16, False)])
def test_what_all_voices_share_does_not_make_people_alike(who: str, several: bool) -> None:
    own = np.eye(4)[["abcd".index(letter) for letter in who]]
    pieces = _Pieces(np.hstack([np.full((len(who), 1), np.sqrt(0.6)), np.sqrt(0.4) * own]))
    whole = voice_similarity.least(_windows("aaaa"), pieces)
    pieces.common[0] = 1
    apart = voice_similarity.least(_windows("aaaa"), pieces)
    assert whole is not None
    assert apart is not None
    assert (apart < whole - 0.05) == several


def test_too_little_speech_says_nothing() -> None:
    assert voice_similarity.least(None, _Pieces(np.ones((1, 1)))) is None
    assert _least("ab") is None


def test_one_pair_of_windows_says_less_than_many() -> None:
    """Of three windows one pair shares no sound: what is usual of one person weighs a fifth of it."""
    one_pair = (0.3 + 0.2 * 0.76) / 1.2
    assert _least("aab") == pytest.approx(one_pair - voice_similarity.HIGHER, abs=1e-6)
