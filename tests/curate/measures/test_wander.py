"""A copy keeps one speed and one pitch; two takes of the same words do not."""

import numpy as np

from curate.measures import fingerprint
from curate.measures.print_layout import packed
from curate.measures.wander import Wander, wander

FRAMES = 200


def numbers(seed: int, count: int) -> np.ndarray:
    """Frames of which each shares most bits with the one before, as in speech."""
    random = np.random.default_rng(seed)
    bits = np.cumsum(random.random((count, 32)) < 0.1, axis=0) & 1
    return np.maximum((bits << np.arange(32)).sum(axis=1), 1).astype(np.uint32)


def flipped(prints: np.ndarray, share: float, seed: int = 9) -> np.ndarray:
    """With so many of the bits turned, as by noise."""
    turned = np.random.default_rng(seed).random((len(prints), 32)) < share
    return prints ^ (turned << np.arange(32)).sum(axis=1).astype(np.uint32)


def path(count: int) -> np.ndarray:
    return np.arange(count)


def drifting(source: np.ndarray) -> np.ndarray:
    """Now up to three frames earlier, now later."""
    at = np.arange(len(source)) + np.rint(3 * np.sin(np.arange(len(source)) / 12)).astype(int)
    return source[np.clip(at, 0, len(source) - 1)]


def test_noise_moves_nothing() -> None:
    source = numbers(1, FRAMES)
    seen = wander(source, flipped(source, 0.27), 0, path(FRAMES))
    assert seen is not None
    assert seen.time < 0.3
    assert abs(seen.slope) < 0.002
    assert not seen.is_take(0.45, 1.0)


def test_what_is_now_earlier_now_later_wanders_in_time() -> None:
    source = numbers(2, FRAMES)
    seen = wander(source, drifting(source), 0, path(FRAMES))
    assert seen is not None
    assert seen.time > 1
    assert seen.is_take(0.5, 1.0)


def test_another_speed_is_a_slope_and_no_wandering() -> None:
    source = numbers(3, FRAMES + 10)
    at = np.rint(np.arange(FRAMES) * 1.02).astype(int)
    seen = wander(source, source[at], 0, path(FRAMES))
    assert seen is not None
    assert abs(seen.slope - 0.02) < 0.003
    assert seen.time < 0.5


def test_a_likeness_that_the_bands_beside_share_is_a_copy_at_another_speed() -> None:
    assert not Wander(time=0.3, bands=0.1, slope=0.0, beside=0.5).is_take(0.5, 1.03)
    assert Wander(time=0.3, bands=0.1, slope=0.0, beside=0.1).is_take(0.5, 1.03)


def test_frames_that_say_nothing_tell_nothing() -> None:
    assert wander(np.zeros(FRAMES, np.uint32), numbers(4, FRAMES), 0, path(FRAMES)) is None


def test_without_a_waveform_a_take_is_no_duplicate_and_a_copy_in_noise_is() -> None:
    source = numbers(5, FRAMES)
    none, levels, signs = np.zeros((0, 2), np.uint32), np.zeros(FRAMES, np.uint8), np.zeros(0, np.uint32)
    kinds = (source, flipped(source, 0.25), drifting(source))
    plain, noisy, take = (packed(each, none, levels, signs) for each in kinds)
    assert fingerprint.similarity(plain, noisy) > fingerprint.THRESHOLD
    assert fingerprint.similarity(plain, take) < fingerprint.FLOOR
    assert fingerprint.similarity(take, plain) == fingerprint.similarity(plain, take)
