"""Cutting: a clip is the samples of its source, made anew when its span changes, removed when it is dropped."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile

from curate import audio
from curate.errors import UserError
from curate.export.clips import INDEX, cut
from tests.curate.frames import clips

Spans = list[tuple[str, int, int]]


def source(
    folder: Path,
    name: str = "a.wav",
    *,
    rate: int = 16000,
    channels: int = 1,
    subtype: str = "PCM_16",
    peak: float = 0.5,
) -> np.ndarray[Any, Any]:
    """A second of noise on disk; returns the samples as they were written."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    sound = peak * random.uniform(-1, 1, (rate, channels)).astype(np.float32)
    soundfile.write(folder / name, sound, rate, subtype=subtype)
    return sound


def frame(spans: Spans, *, path: str = "a.wav", rate: int = 16000) -> pl.DataFrame:
    return clips(
        [{"id": i, "path": path, "sha256": "f", "rate": rate, "cut_start": a, "cut_end": b} for i, a, b in spans]
    )


def run(tmp_path: Path, rows: pl.DataFrame) -> dict[str, np.ndarray[Any, Any]]:
    """Cut, and read what lies in the folder now."""
    told: list[tuple[int, int]] = []
    cut(rows, tmp_path / "clips", {"studio": tmp_path / "in"}, progress=lambda done, total: told.append((done, total)))
    assert all(done <= total for done, total in told)
    return {path.stem: soundfile.read(path, dtype="float32")[0] for path in sorted((tmp_path / "clips").glob("*.flac"))}


def times(tmp_path: Path) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in (tmp_path / "clips").glob("*.flac")}


def test_clips_are_the_sources_samples_also_where_they_overlap(tmp_path: Path) -> None:
    sound = source(tmp_path / "in")[:, 0]
    found = run(tmp_path, frame([("b", 8000, 16000), ("a", 0, 16000), ("c", 7999, 8001), ("a-2", 0, 1)]))
    assert set(found) == {"a", "a-2", "b", "c"}
    whole = soundfile.read(tmp_path / "in" / "a.wav", dtype="float32")[0]
    np.testing.assert_array_equal(found["a"], whole)
    np.testing.assert_array_equal(found["b"], whole[8000:])
    np.testing.assert_array_equal(found["c"], whole[7999:8001])
    assert np.abs(whole - sound).max() < 1e-4


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_a_clip_keeps_the_rate_of_its_source(tmp_path: Path, rate: int) -> None:
    source(tmp_path / "in", rate=rate)
    run(tmp_path, frame([("a", 10, rate - 10)], rate=rate))
    info = soundfile.info(tmp_path / "clips" / "a.flac")
    assert (info.samplerate, info.channels, info.frames, info.format) == (rate, 1, rate - 20, "FLAC")


def test_stereo_becomes_the_mean_and_24_bits_become_16(tmp_path: Path) -> None:
    sound = source(tmp_path / "in", channels=2, subtype="PCM_24")
    rows = frame([("a", 100, 9000)]).with_columns(pl.lit("1+2").alias("channel_mix"))
    found = run(tmp_path, rows)
    np.testing.assert_allclose(found["a"], sound[100:9000].mean(axis=1), atol=1 / 32768)


def test_peaks_above_one_are_scaled_and_not_cut(tmp_path: Path) -> None:
    sound = source(tmp_path / "in", subtype="FLOAT", peak=3.0)[:, 0]
    found = run(tmp_path, frame([("a", 0, 16000)]))["a"]
    assert 0.99 < np.abs(found).max() <= 1
    np.testing.assert_allclose(found, sound / np.abs(sound).max() * np.abs(found).max(), atol=1e-4)


def test_a_span_of_an_mp3_is_what_reading_the_whole_gives(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    wave = 0.3 * np.sin(np.arange(48000) / 9).astype(np.float32)
    soundfile.write(tmp_path / "in" / "a.mp3", wave, 16000, format="MP3")
    found = run(tmp_path, frame([("a", 20000, 40000)], path="a.mp3"))
    np.testing.assert_allclose(found["a"], audio.read(tmp_path / "in" / "a.mp3")[0][20000:40000], atol=1e-4)


def test_what_is_there_is_left_and_what_changed_is_cut_anew(tmp_path: Path) -> None:
    source(tmp_path / "in")
    run(tmp_path, frame([("a", 0, 8000), ("b", 8000, 16000)]))
    before = times(tmp_path)
    found = run(tmp_path, frame([("a", 0, 8000), ("b", 9000, 16000)]))
    after = times(tmp_path)
    assert after["a"] == before["a"]
    assert after["b"] != before["b"]
    assert found["b"].size == 7000


def test_a_changed_source_is_cut_anew(tmp_path: Path) -> None:
    source(tmp_path / "in")
    rows = frame([("a", 0, 8000)])
    first = run(tmp_path, rows)["a"]
    source(tmp_path / "in", peak=0.1)
    assert np.abs(run(tmp_path, rows.with_columns(pl.lit("e").alias("sha256")))["a"]).max() < np.abs(first).max() / 2


def test_a_clip_that_was_removed_by_hand_comes_back(tmp_path: Path) -> None:
    source(tmp_path / "in")
    run(tmp_path, frame([("a", 0, 8000)]))
    (tmp_path / "clips" / "a.flac").unlink()
    assert run(tmp_path, frame([("a", 0, 8000)]))["a"].size == 8000


def test_dropped_clips_are_removed(tmp_path: Path) -> None:
    source(tmp_path / "in")
    run(tmp_path, frame([("a", 0, 8000), ("b", 8000, 16000)]))
    rows = frame([("a", 0, 8000), ("b", 8000, 16000)]).with_columns(pl.Series("drop", [None, "noisy"]))
    assert set(run(tmp_path, rows)) == {"a"}
    assert run(tmp_path, rows.clear()) == {}


def test_a_run_that_stopped_half_way_is_not_believed(tmp_path: Path) -> None:
    source(tmp_path / "in")
    (tmp_path / "in" / "b.wav").write_bytes((tmp_path / "in" / "a.wav").read_bytes())
    old = pl.concat([frame([("a", 0, 8000)]), frame([("b", 0, 8000)], path="b.wav")])
    new = pl.concat([frame([("a", 0, 4000)]), frame([("b", 0, 4000)], path="b.wav")])
    run(tmp_path, old)
    (tmp_path / "in" / "b.wav").rename(tmp_path / "away.wav")
    with pytest.raises(UserError, match=r"b\.wav has changed since it was listened to \(no such file\)"):
        run(tmp_path, new)
    assert soundfile.info(tmp_path / "clips" / "a.flac").frames == 4000
    (tmp_path / "away.wav").rename(tmp_path / "in" / "b.wav")
    assert {name: sound.size for name, sound in run(tmp_path, old).items()} == {"a": 8000, "b": 8000}


def test_the_same_clips_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        source(tmp_path / name / "in")
        run(tmp_path / name, frame([("a", 5, 9000)]))
    assert (tmp_path / "one/clips/a.flac").read_bytes() == (tmp_path / "two/clips/a.flac").read_bytes()
    assert (tmp_path / "one/clips" / INDEX).read_bytes() == (tmp_path / "two/clips" / INDEX).read_bytes()
