"""Audio is read the same whichever way it is asked for."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from curate import audio
from curate.decoders import BLOCK
from curate.errors import Unreadable
from tests.curate.recordings import RATE, encode, voice

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "audio"


@pytest.fixture(params=["wav", "flac", "ogg", "mp3", "m4a", "webm", "mp4"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"voice.{request.param}"
    if request.param in ("m4a", "mp4"):
        return encode(path, voice(), "aac", rate=RATE, video=request.param == "mp4")
    if request.param == "webm":
        return encode(path, voice(rate=48_000), "libopus", rate=48_000)
    soundfile.write(path, voice(), RATE)
    return path


def test_the_count_is_what_decoding_gives(file: Path) -> None:
    info, (samples, rate) = audio.probe(file), audio.read(file)
    assert (info.frames, info.rate, info.channels) == (len(samples), rate, 1)
    assert abs(len(samples) / rate - 5) < 0.15  # encoders pad
    assert np.abs(samples).max() > 0.2


def test_spans_and_parts_are_slices_of_the_whole(file: Path) -> None:
    whole, rate = audio.read(file)
    wanted = [(0, 10), (5, 3 * rate), (rate, rate + 1), (rate, 2 * rate), (4 * rate, len(whole))]
    for (start, end), span in zip(wanted, audio.spans(file, wanted), strict=True):
        assert np.array_equal(span, whole[start:end])
        assert np.array_equal(audio.read(file, start, end)[0], whole[start:end])
    assert np.array_equal(audio.read(file, rate)[0], whole[rate:])


@pytest.mark.parametrize("rate", [16_000, 24_000, 11_025])
def test_streaming_resamples_as_the_whole_would(file: Path, rate: int) -> None:
    samples, source = audio.read(file)
    pieces = list(audio.stretches(file, rate=rate, seconds=0.7))
    joined = np.concatenate(pieces)
    assert {len(piece) for piece in pieces[:-1]} == {round(0.7 * rate)}
    assert len(joined) == round(len(samples) * rate / source)
    assert np.allclose(joined, audio.resample(samples, source, rate), atol=1e-5)


def test_long_files_are_read_in_several_blocks(tmp_path: Path) -> None:
    path, sound = tmp_path / "long.flac", voice(seconds=20)
    audio.write_flac(path, sound, RATE)
    assert len(sound) > 4 * BLOCK
    whole = audio.read(path)[0]
    assert np.abs(whole - sound).max() <= 1 / 65_536
    wanted = [(60_000, 70_000), (65_536, 131_072), (300_000, 320_000)]
    assert all(np.array_equal(s, whole[a:b]) for s, (a, b) in zip(audio.spans(path, wanted), wanted, strict=True))


@pytest.mark.parametrize(("channel", "level"), [(0, 0.0), (1, 0.0), (0, 0.001)])
def test_a_dead_channel_does_not_halve_the_level(tmp_path: Path, channel: int, level: float) -> None:
    sound = voice()
    both = np.random.default_rng(1).normal(size=(len(sound), 2)) * level
    both[:, channel] = sound
    both[:1000] = 0  # the rule is the whole file's, not the first samples'
    soundfile.write(tmp_path / "a.wav", both, RATE, subtype="FLOAT")
    assert np.array_equal(audio.read(tmp_path / "a.wav")[0][1000:], sound[1000:])


def test_two_speakers_on_two_channels_are_mixed_alike_in_every_span(tmp_path: Path) -> None:
    both = np.zeros((5 * RATE, 2), np.float32)
    both[: 2 * RATE, 0], both[3 * RATE :, 1] = voice(2), voice(2, seed=1)
    soundfile.write(tmp_path / "a.wav", both, RATE, subtype="FLOAT")
    assert np.array_equal(audio.read(tmp_path / "a.wav", 0, 2 * RATE)[0], both[: 2 * RATE, 0] / 2)


def test_values_that_are_no_numbers_become_silence(tmp_path: Path) -> None:
    sound = voice()
    sound[10:13] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT")
    samples = audio.read(tmp_path / "a.wav")[0]
    assert not samples[10:13].any()
    assert np.array_equal(samples[13:], sound[13:])


@pytest.mark.parametrize("wanted", [[(5, 3)], [(-1, 3)], [(9, 12), (2, 4)]])
def test_senseless_spans_are_our_error(tmp_path: Path, wanted: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="start"):
        list(audio.spans(tmp_path / "a.wav", wanted))


def test_a_span_past_the_end_is_unreadable(file: Path) -> None:
    frames = audio.probe(file).frames
    for start in (frames - 10, frames + 10):
        with pytest.raises(Unreadable, match="ends at"):
            audio.read(file, start, frames + 20)


def test_flac_is_written_whole_twice_the_same_and_never_clipped(tmp_path: Path) -> None:
    loud = voice() * 5
    for name in ("new/folder/a.flac", "b.flac"):
        audio.write_flac(tmp_path / name, loud, RATE)
    assert (tmp_path / "new/folder/a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.flac", "new"]
    back, rate = audio.read(tmp_path / "b.flac")
    assert rate == RATE
    assert np.abs(back).max() == pytest.approx(0.999, abs=1e-4)
    assert np.abs(back - loud * 0.999 / np.abs(loud).max()).max() < 1e-4


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one row"):
        audio.write_flac(tmp_path / "a.flac", np.zeros((2, 2), np.float32), RATE)
    with pytest.raises(soundfile.LibsndfileError):
        audio.write_flac(tmp_path / "a.flac", voice(), -1)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not SHARED.exists(), reason="the shared test speech is not on this machine")
def test_left_only_speech_keeps_its_level() -> None:
    original = audio.read(SHARED / "ko/zeroth/104_003_0294.flac")[0]
    left = audio.read(SHARED / "derived/0294_left_only_stereo_48k.wav")[0]
    assert np.abs(left).max() == pytest.approx(np.abs(original).max(), rel=0.02)
