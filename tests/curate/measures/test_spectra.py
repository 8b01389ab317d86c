"""Frames of power spectra hold the energy around each frame's mean, and nothing where nothing moves."""

import numpy as np
import pytest

from curate.measures import spectra


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
@pytest.mark.parametrize("offset", [0.0, 0.05])
def test_a_spectrum_is_that_of_a_frame_around_its_mean(rate: int, offset: float) -> None:
    sound = np.float32(offset + 0.1 * np.random.default_rng(rate).normal(size=rate))
    frames = spectra.frames_of(sound, rate, [(0, rate // 2)])
    size, hop = 2 * (frames.power.shape[1] - 1), round(spectra.HOP * rate)
    window = spectra.hann(size).astype(np.float64)
    for number in (0, 1, len(frames.power) - 1):
        cut = sound[number * hop :][:size].astype(np.float64)
        power = np.abs(np.fft.rfft((cut - cut.mean()) * window)) ** 2 * 2 / (size * (window**2).sum())
        assert frames.power[number, 1:] == pytest.approx(power[1:], rel=1e-3, abs=1e-9)
        assert frames.power[number, 0] == 0
        assert frames.energy[number] == pytest.approx(power[1:].sum(), rel=1e-5)


@pytest.mark.parametrize("level", [0.0, 0.3, -1.0])
def test_digital_silence_is_zero_whatever_its_offset(level: float) -> None:
    frames = spectra.frames_of(np.full(16_000, level, np.float32), 16_000, [(0, 8000)])
    assert not frames.power.any()
    assert frames.speech_energy == 0


def test_frames_in_speech_are_turned_round() -> None:
    sound = np.float32(np.random.default_rng(1).normal(size=16_000))
    frames = spectra.frames_of(sound, 16_000, [(4000, 9000)])
    assert 0 < frames.speech.sum() < len(frames.speech)
    assert (frames.spoken == frames.power[frames.speech].T).all()
    assert frames.speech_energy == pytest.approx(frames.energy[frames.speech].mean())
    assert spectra.frames_of(sound, 16_000, []).speech_energy is None
