"""Quiet moments inside speech and sounds beside it, of levels that are known."""

import numpy as np
import pytest

from curate.models.pauses import FRAME, SHORTEST, dips, find, levels, sounds

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


def without_pauses(*quiet: tuple[float, float, float, float], seconds: float) -> list[tuple[float, float]]:
    """What is found in speech from end to end; quiet from second to second, so loud, so likely speech to the model."""
    heard, sure = level((0, seconds), seconds=seconds), np.ones(round(seconds * SECOND), np.float32)
    for start, end, loudness, probability in quiet:
        heard[round(start * SECOND) : round(end * SECOND)] = loudness
        sure[round(start * SECOND) : round(end * SECOND)] = probability
    found = find(heard, sure, [(0, round(seconds * RATE))], RATE)
    return [((a + b) / 2 / RATE, (b - a) / RATE) for a, b in found]


CLOSURES = [(at, at + 0.12, -50.0, 0.9) for at in np.arange(0.7, 40, 1.3)]  # as deep as a gap, and speech to the model


def test_speech_of_ten_seconds_without_a_pause_has_one_where_it_is_most_clearly_between_words() -> None:
    gaps = [(5.0, 5.12, -55.0, 0.3), (8.0, 8.12, -65.0, 0.2)]
    assert without_pauses(*CLOSURES[:7], *gaps, seconds=9.5) == []
    ((at, long),) = without_pauses(*CLOSURES[:8], *gaps, seconds=12)
    assert (at, long) == pytest.approx((8.06, 0.12), abs=0.01)


@pytest.mark.parametrize(("likely", "enough", "short"), [(0.5, 24, 16), (0.7, 32, 24)])
def test_less_is_asked_where_more_would_be_lost(likely: float, enough: float, short: float) -> None:
    """A gap as deep as the closures, 30 dB, told by the model alone: 50 and 42 of what is asked."""
    closures, gap = [each for each in CLOSURES if each[0] < short - 1], (9.0, 9.12, -50.0, likely)
    assert without_pauses(*closures, gap, seconds=short) == []
    assert [at for at, _ in without_pauses(*closures, gap, seconds=enough)] == [pytest.approx(9.06, abs=0.01)]


def test_closures_alone_are_no_place_to_cut_however_long_the_speech() -> None:
    assert without_pauses(*CLOSURES, seconds=42) == []


def test_a_place_that_is_no_pause_counts_as_less_than_one() -> None:
    """Loud to the model, so no pause, though it is longer than the one there is: segmenting takes the longest first."""
    (pause, long), (place, less) = without_pauses((10.0, 10.16, -60.0, 0.1), (22.0, 22.3, -80.0, 0.85), seconds=34)
    assert (pause, place) == pytest.approx((10.08, 22.15), abs=0.01)
    assert less < SHORTEST <= long
