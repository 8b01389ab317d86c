"""How alike the voice of a clip is to itself: groups of windows, all of them, and what single windows do not say."""

import numpy as np
import pytest
from numpy.typing import NDArray

from curate.measures import voice_similarity
from curate.measures.linkage import Vectors


class _Pieces:
    """Half seconds that say a vector each, of which groups are the mean."""

    def __init__(self, said: NDArray[np.float64]) -> None:
        self._said = said

    def __len__(self) -> int:
        return len(self._said)

    def embed(self, weights: NDArray[np.float64]) -> Vectors:
        mean = weights @ self._said
        vectors: Vectors = (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)
        return vectors


def _in_turn(who: str, *, seed: int, apart: float = 0.3) -> _Pieces:
    """A letter a half second: voices have a cosine of `apart`, and what is said beside them is much of each piece."""
    letters, random = sorted(set(who)), np.random.default_rng(seed)
    voices = np.linalg.cholesky(np.full((len(letters),) * 2, apart) + (1 - apart) * np.eye(len(letters)))
    said = random.standard_normal((len(who), 40)) / np.sqrt(40)
    return _Pieces(np.hstack([voices[[letters.index(letter) for letter in who]], 0.5 * said]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("who", ["aaaaabbbbb", "aaaabbbb" * 2, "aaaaaaaaaaaabbbb", "aaaaaabbbbbb" * 2])
def test_two_people_in_turn_are_as_alike_as_all_that_each_says(who: str, seed: int) -> None:
    found = voice_similarity.least(_in_turn(who, seed=seed))
    assert found is not None
    assert 0.15 < found < 0.5


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("who", ["a" * 12, "a" * 30, "a" * 12 + "b", "b" + "a" * 12, "aaaaaa" + "b" + "aaaaaa"])
def test_one_person_is_not_taken_apart_by_what_is_said_nor_by_a_cough(who: str, seed: int) -> None:
    found = voice_similarity.least(_in_turn(who, seed=seed))
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


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("who", ["aabbccdd", "aaabbbcccddd", "aaabbbccc", "aabbaabb", "aaaabbbbccccdddd", "ab" * 8])
def test_people_whose_turns_are_short_are_far_from_each_other(who: str, seed: int) -> None:
    """Turns of 0.5 to 2 s; where they are as short as the parts, all parts are told apart as little as two people."""
    found = voice_similarity.least(_in_turn(who, seed=seed, apart=0.1))
    assert found is not None
    assert (found < 0.55) == (who != "ab" * 8)


def test_least_is_the_lowest_of_three() -> None:
    """Groups of windows, what each of two says, and all pairs, each with what makes one bound hold for it."""
    pieces = _in_turn("aaaabbbb", seed=0)
    seconds = pieces.embed(voice_similarity._windows(8, 2)).astype(np.float64)
    cosines = [float(seconds[i] @ seconds[j]) for i in range(7) for j in range(i + 2, 7)]
    wholes = voice_similarity._of_wholes(pieces, voice_similarity._windows(8, 2), seconds)
    groups = voice_similarity._of_groups(pieces.embed(voice_similarity._windows(8, 3)).astype(np.float64))
    assert wholes < 1
    assert groups < 1
    assert voice_similarity.least(pieces) == pytest.approx(
        min(
            groups - voice_similarity.GROUPS_HIGHER,
            wholes - voice_similarity.GROUPS_HIGHER,
            float(np.mean(cosines)) + voice_similarity.PAIRS_LOWER,
        )
    )


@pytest.mark.parametrize("pieces", [1, 4, 5])
def test_under_two_and_a_half_seconds_nothing_is_said(pieces: int) -> None:
    assert voice_similarity.least(None) is None
    assert (voice_similarity.least(_in_turn("a" * pieces, seed=0)) is None) == (pieces < 5)
