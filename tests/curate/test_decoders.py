"""Files of any format are opened or say why not; a WAV in memory is told as it is told by the library."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from curate import audio
from curate.decoders import open_stream, wave_info, wave_mean
from curate.errors import Unreadable
from tests.curate.ingest.corpora import sound
from tests.curate.recordings import RATE, encode, voice


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 4000] = np.random.default_rng(0).bytes(4000)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "damage", "reason"),
    [
        ("a.wav", half, "truncated"),
        ("a.aiff", half, "truncated"),
        ("a.flac", half, "corrupt"),
        ("a.flac", garble, "corrupt"),
        ("a.ogg", half, "truncated"),
        ("a.mp3", garble, "corrupt"),
        ("a.wav", lambda path: path.write_bytes(b""), "an empty file"),
        ("a.wav", lambda path: path.write_text("not audio at all\n" * 100), "corrupt or unknown"),
        ("a.wav", lambda path: path.write_text("#EXTM3U\n#EXTINF:1,\n/etc/hostname\n"), "corrupt or unknown"),
        ("a.wav", lambda path: path.write_bytes(np.random.default_rng(0).bytes(50_000)), "corrupt or unknown"),
        ("a.wav", lambda path: soundfile.write(path, np.zeros(0), RATE), "no samples"),
        ("a.wav", lambda path: path.unlink(), "no such file"),
        ("a.wav", lambda path: (path.unlink(), path.mkdir()), "a folder"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str, damage: Callable[[Path], object], reason: str) -> None:
    path = tmp_path / name
    soundfile.write(path, voice(), RATE)
    damage(path)
    for call in (audio.probe, audio.read):
        with pytest.raises(Unreadable) as caught:
            call(path)
        assert str(caught.value).startswith(reason)
        assert str(tmp_path) not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_cut_video_is_unreadable(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", voice(), "aac", rate=RATE)
    half(path)
    with pytest.raises(Unreadable):
        audio.probe(path)


def test_a_video_without_sound_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(path, "w") as out:
        screen = out.add_stream("mpeg4", rate=5)
        screen.width, screen.height, screen.pix_fmt = 64, 64, "yuv420p"
        out.mux(screen.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        out.mux(screen.encode(None))
    with pytest.raises(Unreadable, match="no audio in the file"):
        audio.probe(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, voice(), RATE)
    path.chmod(0)
    with pytest.raises(Unreadable, match="no permission"):
        audio.probe(path)


def test_a_wav_from_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, voice(), RATE)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert audio.probe(path).frames == 5 * RATE


def test_half_a_sample_at_the_end_is_no_sample_and_a_header_is_one(tmp_path: Path) -> None:
    odd = tmp_path / "odd.pcm"
    odd.write_bytes(b"\1\0" * 50 + b"\1")
    assert audio.probe(odd).frames == 50
    wav = sound(tmp_path / "a.wav")
    shutil.copy(wav, tmp_path / "a.pcm")
    assert audio.probe(tmp_path / "a.pcm") == audio.probe(wav)
    (tmp_path / "one.pcm").write_bytes(b"\1")
    with pytest.raises(Unreadable, match="no samples"):
        audio.probe(tmp_path / "one.pcm")


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_short_file_is_told_in_memory_as_it_is_told_by_the_library(
    tmp_path: Path, subtype: str, channels: int
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((77, channels), np.float32), 22050, subtype=subtype)
    told = wave_info(path.read_bytes())
    assert told in (None, audio.probe(path))
    assert told is not None or channels > 2 or subtype in ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")


def test_what_is_not_a_sound_wav_is_left_to_the_library(tmp_path: Path) -> None:
    content = sound(tmp_path / "a.wav").read_bytes()
    assert wave_info(content) is not None
    for broken in (content[:-1], content[:40], content[:20], b"", b"RIFF", content[:44], b"x" + content):
        assert wave_info(broken) is None


def test_the_mean_of_a_short_wav_in_memory_is_that_of_the_survey(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    random = np.random.default_rng(0)
    soundfile.write(path, 0.2 * random.standard_normal(RATE * 3) + 0.02, RATE, subtype="PCM_16")
    _, mix, offsets = audio.survey(path)
    assert wave_mean(path.read_bytes()) == pytest.approx(mix.offset, abs=2e-6)
    assert offsets == [mix.offset]


@pytest.mark.parametrize("format", ["WAV", "FLAC", "AIFF"])
def test_sixteen_bits_are_the_floats_that_the_library_makes_of_them(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"sound.{format.lower()}"
    every = np.arange(-32768, 32768, dtype=np.int16)
    soundfile.write(path, np.stack([every, every[::-1]], axis=1), RATE, subtype="PCM_16", format=format)
    theirs, _ = soundfile.read(path, dtype="float32", always_2d=True)
    for start in (0, 1000):
        with open_stream(path) as stream:
            ours = np.concatenate(list(stream.blocks(start if stream.plain else 0)))
        assert ours.dtype == np.float32
        assert np.array_equal(ours, theirs[start if format != "FLAC" else 0 :])
