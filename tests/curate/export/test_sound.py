"""The sound of an export: the asked rate and loudness, nothing clipped, and what cannot be had is told."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest
import soundfile

from curate import audio
from curate.errors import UserError
from curate.export.sound import TRUE_PEAK, Sound, normalised, told, true_peak
from curate.measures import loudness
from tests.curate.export import small


def heard(path: Path, sound: Sound) -> tuple[Any, int, dict[str, int]]:
    content, notes = sound.encoded(path)
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    return samples, rate, dict(notes)


def clip(folder: Path, samples: audio.Samples, rate: int = 24000) -> Path:
    audio.write_flac(folder / "a.flac", samples, rate)
    return folder / "a.flac"


def test_a_clip_that_is_wanted_as_it_is_stays_the_same_bytes(tmp_path: Path) -> None:
    path = clip(tmp_path, small.sound_of(1, 24000, 30000))
    for sound in (Sound(), Sound(rate=24000)):
        assert bytes(sound.encoded(path)[0]) == path.read_bytes()
    samples, rate, _ = heard(path, Sound(encoding="wav"))
    np.testing.assert_array_equal(samples, audio.read(path)[0])
    assert rate == 24000
    assert soundfile.info(io.BytesIO(Sound(encoding="wav").encoded(path)[0])).format == "WAV"


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_another_rate_keeps_pitch_and_length(tmp_path: Path, rate: int) -> None:
    time = np.arange(48000) / 24000
    path = clip(tmp_path, (0.4 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32))
    samples, found, _ = heard(path, Sound(rate=rate))
    assert (found, len(samples)) == (rate, 2 * rate)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert np.argmax(spectrum) * rate / len(samples) == pytest.approx(1000, abs=1)
    assert np.abs(samples[rate // 2 : -rate // 2]).max() == pytest.approx(0.4, abs=0.005)


@pytest.mark.parametrize("target", [-16.0, -23.0, -36.5])
@pytest.mark.parametrize("level", [0.01, 0.1, 0.3])
def test_every_clip_comes_to_the_asked_loudness(tmp_path: Path, target: float, level: float) -> None:
    samples, rate, notes = heard(clip(tmp_path, small.sound_of(3, 24000, 50000, level)), Sound(16000, target))
    assert not notes
    assert loudness.integrated(samples.astype(float), rate) == pytest.approx(target, abs=0.1)
    other = pyloudnorm.Meter(rate).integrated_loudness(samples.astype(float))  # with its own filters, in real decibels
    assert other == pytest.approx(target, abs=0.35)


def test_a_peak_is_never_clipped_and_the_clip_is_quieter_instead(tmp_path: Path) -> None:
    samples = small.sound_of(1, 24000, 48000, 0.05)
    samples[5000::6000] = 0.9  # clicks
    found, rate, notes = heard(clip(tmp_path, samples), Sound(24000, -14.0))
    assert notes == {"peak": 1}
    assert 20 * np.log10(true_peak(found, rate)) == pytest.approx(TRUE_PEAK, abs=0.01)
    level = loudness.integrated(found.astype(float), rate)
    assert level is not None
    assert level < -14


def test_peaks_between_samples_count() -> None:
    time = np.arange(24000)
    between = np.sin(2 * np.pi * time / 4 + np.pi / 4).astype(np.float32)  # 0.707 at every sample, 1 between them
    assert np.abs(between).max() == pytest.approx(0.7071, abs=1e-3)
    assert true_peak(between, 24000) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("frames", [1, 100, 3000, 9599])
def test_a_clip_too_short_for_the_gate_is_measured_without_it(frames: int) -> None:
    samples = np.full(frames, 0.1, np.float32) * np.sin(2 * np.pi * 1000 * np.arange(frames) / 24000 + 1)
    found, notes = normalised(samples.astype(np.float32), 24000, -30.0)
    assert notes.get("short") == 1
    assert np.isfinite(found).all()
    assert len(found) == frames
    if frames >= 3000:  # a sine of 1 kHz at -20 dBFS RMS is -20 LUFS (within the filter's 0.7 dB)
        rms = 20 * np.log10(np.sqrt((found.astype(float) ** 2).mean()))
        assert rms == pytest.approx(-30.0, abs=1.0)


@pytest.mark.parametrize("samples", [np.zeros(24000, np.float32), np.full(24000, 1e-5, np.float32)])
def test_silence_keeps_its_level(samples: audio.Samples) -> None:
    found, notes = normalised(samples, 24000, -23.0)
    assert notes == {"silent": 1}
    np.testing.assert_array_equal(found, samples)


def test_a_clip_at_full_scale_does_not_wrap_when_it_is_resampled(tmp_path: Path) -> None:
    square = np.sign(np.sin(2 * np.pi * 300 * np.arange(48000) / 48000 + 0.1)).astype(np.float32)
    samples, _, _ = heard(clip(tmp_path, square, 48000), Sound(16000))
    assert 0.9 < np.abs(samples).max() <= 1
    assert np.corrcoef(samples, audio.resample(square, 48000, 16000))[0, 1] > 0.999


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "corpus" / "clips" / "a.flac"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"fLaC and no more")
    with pytest.raises(UserError, match=r"a\.flac cannot be read .*: remove it and run `curate tag .*corpus`$"):
        Sound(16000).encoded(path)


def test_notes_are_said_with_how_many() -> None:
    assert told({"peak": 3, "short": 1}, 10, Sound(16000, -16.0)) == [
        "3 of 10 clips stay under -16 LUFS: their true peak would pass -1 dBTP",
        "1 of 10 clips are under 0.4 s, too short for the gate of BS.1770: measured without it",
    ]
