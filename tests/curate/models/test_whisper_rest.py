"""Where a text ends before the speech does, and where the rest begins, are told from levels and one place."""

import numpy as np
import pytest
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE as RATE
from curate.models import whisper_rest

SENTENCE = "그는 이리저리 피하면서 길 한 옆으로 걸어갔다."  # 3 s at most


def spoken(*seconds: float, pause: float = 0.3, noise: float = 1e-4) -> NDArray[np.float32]:
    """Stretches of sound with pauses between them, over a little noise."""
    random = np.random.default_rng(1)
    parts = [
        np.concatenate([random.normal(size=round(each * RATE)), np.zeros(round(pause * RATE))]) for each in seconds
    ]
    sound = np.concatenate(parts)[: -round(pause * RATE)]
    return np.asarray(0.1 * (sound + noise * random.normal(size=len(sound))), np.float32)


@pytest.mark.parametrize(
    ("sound", "text", "may"),
    [
        (spoken(3, 4), SENTENCE, True),
        (spoken(3, 4, pause=0.1), SENTENCE, True),
        (spoken(3, 4, noise=0.3), SENTENCE, True),
        (spoken(3, 4), SENTENCE * 3, False),  # too much for the first 3 s
        (spoken(3, 0.8), SENTENCE, False),  # too little for a sentence
        (spoken(7), SENTENCE, False),  # no pause
        (spoken(3, 4)[:0], SENTENCE, False),
        (spoken(3, 4)[:100], "", False),
    ],
)
def test_only_a_text_that_can_have_been_said_before_a_pause_is_looked_at(
    sound: NDArray[np.float32], text: str, may: bool
) -> None:
    assert whisper_rest.may_go_on(sound, text) is may


@pytest.mark.parametrize(("pause", "level"), [(0.1, 1.0), (0.3, 1.0), (1.2, 1.0), (0.3, 0.2)])
def test_the_rest_begins_in_the_pause_after_the_last_letter(pause: float, level: float) -> None:
    sound = spoken(3, 4, pause=pause)
    sound[round((3 + pause) * RATE) :] *= level
    begins = len(sound) - len(whisper_rest.rest(sound, round(2.6 * RATE)))
    assert 3 <= begins / RATE <= 3 + pause


@pytest.mark.parametrize(
    ("sound", "last"), [(spoken(3, 4), 6.8), (spoken(3, 0.8), 2.6), (spoken(7), 2.6), (spoken(3, 4), 0.5)]
)
def test_there_is_no_rest_without_a_pause_near_by_and_a_second_of_sound_after_it(
    sound: NDArray[np.float32], last: float
) -> None:
    assert not len(whisper_rest.rest(sound, round(last * RATE)))
