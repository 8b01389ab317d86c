"""Voices: the nearest speaker of the language, recordings without themselves."""

import numpy as np
import pytest

from tests.train.evaluate import made_faults
from tests.train.evaluate.made_faults import needs_speech
from train.evaluate import prosody, speaker


def unit(*numbers: float) -> np.ndarray:
    return np.asarray(numbers) / np.linalg.norm(numbers)


VOICES = speaker.Voices(
    {
        ("ko", "a"): {"a1": unit(1, 0, 0), "a2": unit(1, 0.2, 0)},
        ("ko", "b"): {"b1": unit(0, 1, 0)},
        ("km", "c"): {"c1": unit(0, 0, 1)},
        ("km", "d"): {},
    }
)


def test_the_nearest_speaker_of_the_language_is_found():
    assert VOICES.nearest("ko", unit(0.9, 0.1, 0.5))[0] == "a"
    assert VOICES.nearest("ko", unit(0.1, 0.9, 0.5))[0] == "b"
    assert VOICES.nearest("km", unit(1, 0, 0.1))[0] == "c"  # the only one, however far
    assert VOICES.nearest("fr", unit(1, 0, 0)) is None


def test_a_recording_is_compared_without_itself():
    name, cosine = VOICES.nearest("ko", unit(1, 0, 0), without="a1")
    assert name == "a"
    assert cosine == pytest.approx(float(unit(1, 0.2, 0)[0]))
    assert VOICES.nearest("ko", unit(0, 1, 0), without="b1") is None  # nothing else is known of b


@needs_speech
def test_one_reader_is_like_himself_and_another_is_not():
    from curate.models.campplus import Campplus

    model, found = Campplus(), []
    for name in (*made_faults.TUNED[:2], made_faults.JUDGED[2]):
        sound = made_faults.read(name)
        found.append(speaker.embed(model, sound, prosody.listen(made_faults.silero(), sound).speech))
    same, other = float(found[0] @ found[1]), float(found[0] @ found[2])
    assert same > 0.65 > other
    sound = made_faults.read(made_faults.JUDGED[2])[: 2 * 16_000]
    assert speaker.embed(model, sound, [(0, 16_000)]) is None  # a second says nothing
