"""Quiet moments inside speech and sounds beside it, of levels that are known."""

import numpy as np
import pytest

from curate.models.pauses import FRAME, dips, levels, sounds

RATE = 16_000
SECOND = RATE // FRAME  # frames


def level(*loud: tuple[float, float], seconds: float = 10, speech: float = -20, background: float = -60) -> np.ndarray:
    """The level of a recording in dB with so loud stretches in it, in seconds."""
    random = np.random.default_rng(0)
    found = np.full(round(seconds * SECOND), background) + random.normal(0, 1, round(seconds * SECOND))
    for start, end in loud:
        found[round(start * SECOND) : round(end * SECOND)] = speech
    return found.astype(np.float32)


def seconds(spans: list[tuple[int, int]]) -> list[tuple[float, float]]:
    return [(a / RATE, b / RATE) for a, b in spans]


def test_a_level_is_that_of_what_moves_in_a_whole_frame() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (4, FRAME)) * [[0.0], [0.0001], [0.01], [0.3]]
    samples = (noise + 0.2).astype(np.float32)
    moved = 10 * np.log10(noise.var(axis=1) + 1e-10)
    assert levels(np.append(samples, samples[0, 1:])) == pytest.approx(moved, abs=0.01)


@pytest.mark.parametrize("background", [-60, -32])
def test_a_short_word_beside_speech_is_told_and_what_is_far_is_not(background: float) -> None:
    heard = level((2, 4), (4.2, 4.36), (8, 8.2), (1.6, 1.8), background=background)
    found = seconds(sounds(heard, [(2 * RATE, 4 * RATE)], RATE))
    assert found == [pytest.approx((1.6, 1.8), abs=0.01), pytest.approx((4.2, 4.36), abs=0.01)]


def test_breaks_of_a_sound_do_not_part_it_and_a_click_is_none() -> None:
    heard = level((2, 4), (4.2, 4.28), (4.31, 4.4), (4.6, 4.61))
    assert seconds(sounds(heard, [(2 * RATE, 4 * RATE)], RATE)) == [pytest.approx((4.2, 4.4), abs=0.01)]


def test_between_two_stretches_each_sound_is_told_once() -> None:
    heard = level((2, 3), (3.3, 3.4), (3.8, 5))
    found = seconds(sounds(heard, [(2 * RATE, 3 * RATE), (round(3.8 * RATE), 5 * RATE)], RATE))
    assert found == [pytest.approx((3.3, 3.4), abs=0.01)]


def test_speech_alone_and_nothing_have_no_sounds_beside() -> None:
    assert sounds(level((0, 10)), [(0, 10 * RATE)], RATE) == []
    assert sounds(level(seconds=0), [], RATE) == []
    assert dips(level(seconds=0), [], RATE) == []


def test_a_moment_as_quiet_as_a_pause_is_a_dip_from_its_twentieth_of_a_second_on() -> None:
    heard = level((1, 3), (3.08, 5), (5.03, 7))
    assert seconds(dips(heard, [(1 * RATE, 7 * RATE)], RATE)) == [pytest.approx((3.0, 3.08), abs=0.01)]


def test_speech_that_begins_and_ends_as_quiet_as_a_dip_has_dips_at_its_ends() -> None:
    heard = level((1, 3))
    found = seconds(dips(heard, [(round(0.5 * RATE), 4 * RATE)], RATE))
    assert found == [pytest.approx((0.5, 1.0), abs=0.01), pytest.approx((3.0, 4.0), abs=0.01)]
