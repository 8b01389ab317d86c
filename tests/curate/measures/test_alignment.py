"""What makes two prints the same sound all through: bits and levels made by hand, so that each case is one thing."""

import numpy as np
import pytest

from curate.measures import alignment

FRAMES = 300


def numbers(seed: int, count: int) -> alignment.Print:
    """Frames of another sound for each seed."""
    return np.random.default_rng(seed).integers(1, 2**32, count, dtype=np.uint32)


def judged(first: alignment.Side, second: alignment.Side) -> alignment.Judged:
    best, offset = alignment.likeness(first.numbers, second.numbers)
    return alignment.all_through(best, alignment.Alignment(first, second, 0, offset))


def side(*parts: tuple[int, int, int, int]) -> alignment.Side:
    """Stretches: of which sound, from which frame of it, how many frames, at which level."""
    return alignment.Side(
        np.concatenate([numbers(seed, FRAMES)[start : start + count] for seed, start, count, _ in parts]),
        np.concatenate([np.full(count, level, np.uint8) for _, _, count, level in parts]),
    )


WHOLE = side((0, 0, FRAMES, 2))


def test_the_same_frames_are_alike_all_through() -> None:
    same = judged(WHOLE, WHOLE)
    assert (same.explained, same.alike) == pytest.approx((1, 1))
    assert same.path.tolist() == list(range(FRAMES))


def test_a_longer_pause_is_no_other_sound() -> None:
    """Quiet frames that one clip alone has, as long as an eighth of it."""
    edited = side((0, 0, 120, 2), (1, 0, 40, 12), (0, 120, 180, 2))
    assert judged(WHOLE, edited).alike > 0.95
    assert judged(edited, WHOLE).alike > 0.95


def test_several_pauses_may_be_edited() -> None:
    edited = side((0, 0, 80, 2), (1, 0, 12, 12), (0, 80, 90, 2), (2, 0, 20, 12), (0, 170, 130, 2))
    assert judged(WHOLE, edited).alike > 0.95


def test_another_word_in_both_is_another_clip() -> None:
    """12 frames against 15, between two long parts that are the same."""
    one = side((0, 0, 140, 2), (1, 0, 12, 5), (0, 140, 160, 2))
    other = side((0, 0, 140, 2), (2, 0, 15, 5), (0, 140, 160, 2))
    assert judged(one, other).explained > 0.9
    assert judged(one, other).alike < 0.3
    assert judged(other, one).alike < 0.3


def test_a_loud_word_that_only_one_has_makes_another_clip() -> None:
    more = side((0, 0, 140, 2), (1, 0, 30, 3), (0, 140, 160, 2))
    assert judged(WHOLE, more).alike < 0.3
    assert judged(more, WHOLE).alike < 0.3


@pytest.mark.parametrize(("flipped", "another"), [(0.28, False), (0.05, True)])
def test_what_noise_did_to_frames_as_soft_is_no_word(flipped: float, another: bool) -> None:
    """Of soft frames a quarter of the bits differ, and in 0.2 s nearly half; or nearly half where few others do."""
    soft = np.arange(FRAMES) % 60 >= 30
    share = np.where(soft, flipped, 0.05)
    share[90:100] = 0.45
    differ = np.random.default_rng(5).random((FRAMES, 32)) < share[:, None]
    changed = WHOLE.numbers ^ np.packbits(differ, axis=1, bitorder="little").view("<u4").ravel()
    levels = np.where(soft, 7, 2).astype(np.uint8)
    alike = judged(alignment.Side(WHOLE.numbers, levels), alignment.Side(changed, levels)).alike
    assert (alike < 0.4) == another


def test_parts_in_another_order_are_no_edited_pause() -> None:
    assert judged(WHOLE, side((0, 190, 110, 2), (0, 110, 80, 2), (0, 0, 110, 2))).alike < 0.3


def test_clips_without_a_loud_frame_in_common_are_as_alike_as_they_seem() -> None:
    """Nothing is asked where all is a pause in one of the two: no warning, no division by nothing."""
    quiet = alignment.Side(WHOLE.numbers, np.full(FRAMES, 15, np.uint8))
    loud = alignment.Side(WHOLE.numbers, np.full(FRAMES, 2, np.uint8))
    assert judged(quiet, loud).alike == pytest.approx(1)
