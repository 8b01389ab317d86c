"""Who speaks when: pyannote's own reference, one voice, voices by turns, and a voice known again."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile

from curate.audio import LISTENING_RATE as RATE
from curate.models.pyannote import Speakers, Turns
from tests.curate.models.sounds import KHMER, KOREAN, answers, sound


def _overlaps(found: list[tuple[int, int, int]]) -> bool:
    return any(one[2] != two[2] and one[0] < two[1] and two[0] < one[1] for one in found for two in found)


def test_turns_match_the_reference_of_pyannotes_own_sample(turns: Turns) -> None:
    spec = importlib.util.find_spec("pyannote.audio")
    assert spec is not None
    assert spec.origin is not None
    samples, _ = soundfile.read(Path(spec.origin).parent / "sample" / "sample.wav", dtype="float32")
    reference = (Path(spec.origin).parent / "sample" / "sample.rttm").read_text().splitlines()
    found = answers(turns.listen(), samples, (30_001,))
    assert _error_rate(reference, found) == pytest.approx(
        0.056, abs=0.005
    )  # as measured on 2 cores, pyannote.audio 4.0.7
    assert _overlaps(found)


def _error_rate(rttm: list[str], found: list[tuple[int, int, int]]) -> float:
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    truth, guess = Annotation(), Annotation()
    for number, line in enumerate(rttm):
        start, length, who = (line.split()[field] for field in (3, 4, 7))
        truth[Segment(float(start), float(start) + float(length)), number] = who
    for number, (begun, end, speaker) in enumerate(found):
        guess[Segment(begun / RATE, end / RATE), number] = speaker
    return float(DiarizationErrorRate()(truth, guess, uem=Segment(0, 30)))


@pytest.mark.parametrize("name", [*KOREAN, KHMER[0]])
def test_one_speaker_is_one_speaker(turns: Turns, name: str) -> None:
    samples = sound(name)
    found = answers(turns.listen(), samples)
    assert found == answers(turns.listen(), samples, (7_001,))
    assert {who for _, _, who in found} == {0}
    assert all(0 <= start < end <= len(samples) for start, end, _ in found)


@pytest.mark.parametrize(
    ("name", "speakers"), [("neg/multispeaker/leopard_diarization_test.wav", 3), ("km/learn_khmer/002-hello.mp3", 2)]
)
def test_speakers_in_turn_are_several_in_order_of_appearance(turns: Turns, name: str, speakers: int) -> None:
    """Learn Khmer's four speakers, a word each, come out as two: the low voices and the high ones."""
    order = [who for _, _, who in answers(turns.listen(), sound(name))]
    assert sorted(set(order)) == list(dict.fromkeys(order)) == list(range(speakers))


def test_a_speaker_is_known_again_in_a_later_stretch(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curate.models.pyannote.STRETCH", 10 * RATE)
    monkeypatch.setattr("curate.models.pyannote.SHORTEST_STRETCH", 3 * RATE)
    one, other = sound(KOREAN[0]), sound(KOREAN[1])
    samples = np.concatenate([one, one[: 10 * RATE - len(one)], other, other[: 10 * RATE - len(other)], one])
    found = answers(turns.listen(), samples, (12_345,))
    speakers = [{who for start, end, who in found if start < at * RATE < end} for at in (2, 12, 22)]
    assert {who for _, _, who in found} == {0, 1}
    assert speakers[0] <= {0}
    assert any(who == 1 and 10 * RATE <= start < 20 * RATE for start, _, who in found)
    assert all(who == 0 for start, _, who in found if not 10 * RATE <= start < 20 * RATE)


def test_voices_of_one_stretch_stay_two_and_unheard_ones_add_nobody() -> None:
    first, second = np.eye(192)[:2]
    speakers = Speakers()
    assert speakers.link(np.stack([first, first * 0.9 + second * 0.1]), [10, 10]) == [0, 1]
    assert speakers.link(np.stack([second + first * 0.1, first]), [10, 10]) == [2, 0]
    assert speakers.link(np.full((1, 192), np.nan), [10]) == [2]
    assert speakers.link(np.zeros((0, 192)), []) == []
