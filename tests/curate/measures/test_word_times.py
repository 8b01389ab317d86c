"""Word times: texts in phrases and words, words held to the speech around them, places in the file's samples."""

from typing import Any

import numpy as np
import pytest

from curate.measures import word_times
from curate.measures.definition import Clip, Sound
from curate.models.whisper import Aligned, Word

SPANS = [(1000, 20000), (40000, 60000)]


@pytest.mark.parametrize(
    ("spoken", "words", "phrases"),
    [
        ("가나 다라", "가나|다라", [["가나"], ["다라"]]),
        ("កខគ ឃង", "ក|ខគ|ឃង", [["ក", "ខគ"], ["ឃង"]]),
        ("កខគ ឃង", None, [["កខគ"], ["ឃង"]]),
        ("កខគ ឃង", "ក|គ", [["កខគ"], ["ឃង"]]),  # words of another text
        ("កខគ ឃង", "កខ|គឃ|ង", [["កខគ"], ["ឃង"]]),  # a word across a space
        ("", "", []),
    ],
)
def test_a_text_is_parted_by_its_spaces_then_into_words(
    spoken: str, words: str | None, phrases: list[list[str]]
) -> None:
    assert word_times.phrases(spoken, words) == phrases


@pytest.mark.parametrize(
    ("places", "held"),
    [
        ([(0, 9000), (9000, 20500), (20500, 60000)], [(1000, 9000), (9000, 20000), (40000, 60000)]),
        ([(0, 41000), (41000, 65000)], [(1000, 20000), (40000, 60000)]),  # attention was late at the pause
        ([(0, 19000), (19000, 60000)], [(1000, 20000), (40000, 60000)]),  # and early
        ([(0, 55000), (55000, 60000)], [(1000, 55000), (55000, 60000)]),  # a word that is said across a pause
        ([(0, 30000), (30000, 32000), (32000, 60000)], [(1000, 20000), (30000, 32000), (40000, 60000)]),  # no speech
    ],
)
def test_words_end_with_their_speech_and_not_with_the_pause_after(
    places: list[tuple[int, int]], held: list[tuple[int, int]]
) -> None:
    words = [Word("말", start, end, 0.9) for start, end in places]
    assert [(word.start, word.end) for word in word_times.in_speech(words, SPANS)] == held


def test_without_speech_spans_words_stay_where_they_are() -> None:
    words = [Word("말", 0, 900, 0.9)]
    assert word_times.in_speech(words, []) == words


def test_places_count_from_the_files_start_at_its_own_rate() -> None:
    given: dict[str, Any] = {"speech": [{"start": 48000 + 3000, "end": 48000 + 60000}]}
    clip = Clip(Sound(np.zeros(96000, np.float32), 48000), 48000, given)
    found = Aligned((Word("말", 0, 16000, 0.87654), Word("들", 16000, 32000, 0.5)), 0.7)
    assert word_times.of_file(clip, found) == [
        {"word": "말", "start": 48000, "end": 96000, "probability": 0.8765},
        {"word": "들", "start": 96000, "end": 144000, "probability": 0.5},
    ]
    held = word_times.of_file(clip, found, held=True)
    assert held is not None
    assert (held[0]["start"], held[0]["end"], held[1]["end"]) == (51000, 96000, 108000)
    assert word_times.of_file(clip, None) is None
