"""A little tune, made with numpy, that is heard as music: chords, a melody, a drum."""

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]

BEAT = 0.4  # seconds
CHORDS = ((48, 52, 55), (45, 48, 52), (41, 45, 48), (43, 47, 50))  # C, A minor, F, G; MIDI numbers
SCALE = (60, 62, 64, 67, 69, 72)  # pentatonic: any order of these sounds like a melody


def tune(samples: int, rate: int, random: np.random.Generator) -> Audio:
    """A tune of so many samples with its peak at 0.3; another `random`, another melody."""
    mixed = np.zeros(samples)
    for number, start in enumerate(range(0, samples, round(BEAT * rate))):
        if number % 2 == 0:
            for key in CHORDS[number // 4 % len(CHORDS)]:
                _add(mixed, start, 0.4 * _note(key, 1.2, rate))
        _add(mixed, start, 0.6 * _note(int(random.choice(SCALE)), 0.7, rate))
        _add(mixed, start, 0.5 * _drum(rate, random))
    return np.asarray(0.3 * mixed / np.abs(mixed).max(), dtype=np.float32)


def _add(mixed: NDArray[np.float64], start: int, sound: NDArray[np.float64]) -> None:
    room = mixed[start : start + len(sound)]
    room += sound[: len(room)]


def _note(key: int, seconds: float, rate: int) -> NDArray[np.float64]:
    """A plucked string: harmonics, each weaker than the last, dying away."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = 440 * 2 ** ((key - 69) / 12)
    string = sum((0.6**n * np.sin(2 * np.pi * n * pitch * time) for n in range(1, 8)), np.zeros(len(time)))
    return string * np.minimum(1, time / 0.008) * np.exp(-time / (0.4 * seconds))


def _drum(rate: int, random: np.random.Generator) -> NDArray[np.float64]:
    """A tap: a burst of noise."""
    time = np.arange(round(0.08 * rate)) / rate
    return random.standard_normal(len(time)) * np.exp(-time / 0.02)
