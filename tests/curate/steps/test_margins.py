"""Margins beside speech: no edge in a sound, no clip over its neighbour, nothing longer than a clip may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.steps.margins import REACH, widened

SECOND = 1000


def clips(spoken: list[tuple[int, int]], sounds: list[tuple[int, int]], longest: float = 30) -> list[tuple[int, int]]:
    """In milliseconds, of 60 s, with a margin of 0.2 s."""
    return widened(spoken, sounds, margin=0.2, longest=longest, rate=SECOND, first=0, last=60_000)


@pytest.mark.parametrize(
    ("sounds", "end"),
    [
        ([], 5200),
        ([(5050, 5120)], 5200),  # wholly in the margin
        ([(5150, 5300)], 5500),  # taken in, with a margin after it
        ([(5150, 5300), (5450, 5600)], 5800),  # and so on
        ([(5150, 5300), (5450, 5900)], 5400),  # but not for ever
        ([(5150, 6000)], 5100),  # too long for a word: left out
        ([(5210, 5900)], 5160),  # an edge keeps away from it
        ([(5000, 5300)], 5500),  # the last word dies away
        ([(4900, 7000)], 5200),  # it goes on and on: there is no better place
    ],
)
def test_an_edge_in_a_sound_moves(sounds: list[tuple[int, int]], end: int) -> None:
    assert clips([(3000, 5000)], sounds) == [(2800, end)]
    mirrored = [(60_000 - b, 60_000 - a) for a, b in reversed(sounds)]
    assert clips([(55_000, 57_000)], mirrored) == [(60_000 - end, 57_200)]


def test_neighbours_part_in_the_quiet() -> None:
    assert clips([(1000, 2000), (2200, 3000)], []) == [(800, 2100), (2100, 3200)]
    assert clips([(1000, 2000), (2300, 3000)], [(2040, 2190)]) == [(800, 2245), (2245, 3200)]
    assert clips([(1000, 2000), (2300, 3000)], [(2000, 2300)]) == [(800, 2150), (2150, 3200)]  # nowhere quiet
    assert clips([(1000, 2000), (2300, 3000)], [(2000, 2280)]) == [(800, 2150), (2150, 3200)]  # or hardly


def test_a_sound_is_left_out_where_the_clip_would_grow_too_long() -> None:
    assert clips([(1000, 5000)], [(5150, 5300)], longest=4.4) == [(800, 5100)]


spans = st.lists(st.integers(0, 60_000), max_size=14, unique=True).map(sorted)


@given(spans, spans, st.integers(0, 600))
def test_clips_hold_their_speech_and_stay_apart(speech: list[int], sounds: list[int], margin: int) -> None:
    spoken = list(zip(speech[::2], speech[1::2], strict=False))
    if not spoken:
        return
    heard = list(zip(sounds[::2], sounds[1::2], strict=False))
    made = widened(spoken, heard, margin=margin / SECOND, longest=30, rate=SECOND, first=0, last=60_000)
    at = 0
    for (start, end), (first, last) in zip(made, spoken, strict=True):
        assert at <= start <= first < last <= end <= 60_000
        assert first - start <= 2 * margin + REACH * SECOND
        assert end - last <= 2 * margin + REACH * SECOND
        assert end - start <= max(30 * SECOND, last - first + 2 * margin)
        at = end
