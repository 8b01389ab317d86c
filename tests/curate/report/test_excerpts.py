"""Sounds and pictures of single clips: what can be heard is what was there, made once, and safe where it is not."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from curate import report
from curate.report import excerpts
from tests.curate.recordings import RATE, voice
from tests.curate.report import corpora


def row(**changed: Any) -> dict[str, Any]:
    whole = dict.fromkeys((*excerpts.MADE_OF, "source", "path", "id"))
    return whole | {
        "id": "a1",
        "source": "s",
        "path": "a.wav",
        "sha256": "f",
        "rate": RATE,
        "frames": 5 * RATE,
        **changed,
    }


@pytest.fixture
def roots(tmp_path: Path) -> dict[str, Path]:
    soundfile.write(tmp_path / "a.wav", voice(5.0), RATE)
    soundfile.write(tmp_path / "long.wav", voice(20.0, 44_100), 44_100)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    return {"s": tmp_path}


def test_an_excerpt_is_the_clip_as_cut_and_plays(roots: dict[str, Path]) -> None:
    rows = [row(cut_start=RATE, cut_end=3 * RATE), row(id="b2", path="long.wav", rate=44_100, frames=20 * 44_100)]
    found = excerpts.take(rows, roots)
    assert (found["a1"].seconds, found["a1"].start) == (2.0, RATE)
    assert found["b2"].seconds == excerpts.SECONDS
    sound, rate = soundfile.read(io.BytesIO(found["a1"].mp3))
    assert rate == 16_000
    assert len(sound) / rate == pytest.approx(2.0, abs=0.1)
    assert np.abs(np.fft.rfft(sound)).argmax() * rate / len(sound) == pytest.approx(180, abs=2)  # the voice's tone
    assert soundfile.info(io.BytesIO(found["b2"].mp3)).samplerate == 24_000


def test_what_cannot_be_read_has_no_sound(roots: dict[str, Path]) -> None:
    rows = [row(path="broken.wav"), row(id="b", path="none.wav"), row(id="c", source="t"), row(id="d", rate=None),
            row(id="../e"), row(id="f", start=6 * RATE, end=7 * RATE)]  # fmt: skip
    assert excerpts.take(rows, roots) == {}


def test_the_picture_is_a_png_of_the_sounds_pitch(roots: dict[str, Path]) -> None:
    time = np.arange(2 * RATE) / RATE
    png = excerpts.spectrogram(np.sin(2 * np.pi * 1000 * time).astype(np.float32), RATE)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth = struct.unpack(">IIB", png[16:25])
    assert (width, height, depth) == (excerpts.COLUMNS, excerpts.BANDS, 4)
    data = zlib.decompress(png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8])
    lines = np.frombuffer(data, np.uint8).reshape(height, -1)[:, 1:].mean(axis=1)
    assert abs(lines.argmax() - (height - 1 - height * 1000 / 8000)) <= 1
    assert excerpts.spectrogram(np.zeros(3, np.float32), RATE)[:4] == b"\x89PNG"  # shorter than a window


def test_excerpts_are_made_once(roots: dict[str, Path], tmp_path: Path) -> None:
    cache = tmp_path / "excerpts.parquet"
    first = excerpts.take([row(), row(id="b", start=0, end=RATE)], roots, cache)
    kept = cache.read_bytes()
    (tmp_path / "a.wav").unlink()
    assert excerpts.take([row(), row(id="b", start=0, end=RATE)], roots, cache) == first
    assert cache.read_bytes() == kept
    assert excerpts.take([row(sha256="other")], roots, cache) == {}
    cache.write_bytes(b"not parquet")
    assert excerpts.take([row()], roots, cache) == {}


def test_many_sounds_go_beside_the_page_and_old_ones_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, measured = corpora.recipe(tmp_path), corpora.measured(20, seed=4)
    monkeypatch.setattr(excerpts, "EMBEDDED", 1000)
    page = corpora.write(tmp_path, measured, wanted, sounds=True)
    beside = page.parent / report.SIDE
    names = {path.name for path in beside.glob("*.mp3")}
    assert len(names) > 5
    text = page.read_text(encoding="utf-8")
    assert "data:audio" not in text
    assert sum(f'src="audio/{name}"' in text for name in names) > 5
    (beside / "0123.mp3").write_bytes(b"old")
    corpora.write(tmp_path, measured, wanted, sounds=True)
    assert {path.name for path in beside.glob("*.mp3")} == names
    monkeypatch.undo()
    corpora.write(tmp_path, measured, wanted, sounds=True)
    assert not beside.exists()
