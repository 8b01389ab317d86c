"""The folder of an export: only ours is touched, a kill or a full disk loses nothing, and the end is the same bytes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.errors import UserError
from curate.export import contents, formats
from curate.export import folder as folders
from curate.export.folder import INDEX
from tests.curate.export import small

ROOT = Path(__file__).resolve().parents[3]
EVERY = tuple(formats.FORMATS)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Any, Any]:
    return small.corpus(tmp_path / "corpus")


def times(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("format", EVERY)
@pytest.mark.parametrize("theirs", ["notes.txt", "audio/mine.flac", "data/x", ".git/config"])
def test_a_folder_with_anything_of_another_is_refused_and_untouched(
    made: Any, tmp_path: Path, format: str, theirs: str
) -> None:
    into = tmp_path / "theirs"
    (into / theirs).parent.mkdir(parents=True)
    (into / theirs).write_text("keep me")
    with pytest.raises(UserError) as caught:
        small.export(made, format, into)
    assert str(caught.value) == (
        f"{into} holds what is no part of this export, such as {theirs}: name a new or empty folder with --into"
    )
    assert [path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file()] == [theirs]


def test_what_was_added_to_an_export_is_not_removed(made: Any, tmp_path: Path) -> None:
    done = small.export(made, "nemo", tmp_path / "out").folder
    before = small.contents(done)
    (done / "audio" / "extra.wav").write_bytes(b"mine")
    with pytest.raises(UserError, match=r"such as audio/extra\.wav"):
        small.export(made, "nemo", done, loudness=-23.0)
    assert small.contents(done).items() > before.items()


def test_a_sound_that_was_changed_at_the_same_size_is_made_again(made: Any, tmp_path: Path) -> None:
    done = small.export(made, "nemo", tmp_path / "out").folder
    before, kept = small.contents(done), times(done)
    sounds = sorted((done / "audio").iterdir())
    sounds[0].write_bytes(bytes(len(sounds[0].read_bytes())))
    sounds[1].touch()
    small.export(made, "nemo", done)
    assert small.contents(done) == before
    changed = {name for name, time in times(done).items() if time != kept[name] and name.startswith("audio/")}
    assert changed == {f"audio/{sounds[0].name}", f"audio/{sounds[1].name}"}
    now = times(done)
    small.export(made, "nemo", done)
    assert times(done) == now


def test_a_file_a_link_and_another_format_are_refused(made: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="is a file: choose a folder with --into"):
        small.export(made, "kaldi", tmp_path / "file")
    with pytest.raises(UserError, match=r"cannot write to .*inside: Not a directory; name a new"):
        small.export(made, "kaldi", tmp_path / "file" / "inside")
    done = small.export(made, "kaldi", tmp_path / "out").folder
    with pytest.raises(UserError, match="holds an export for kaldi: name a new or empty folder with --into"):
        small.export(made, "nemo", tmp_path / "out")
    (done / "train" / "text").unlink()
    (done / "train" / "text").symlink_to(tmp_path / "file")
    with pytest.raises(UserError, match="such as train/text"):
        small.export(made, "kaldi", done)
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("place", [".", "clips", "export"])
def test_no_folder_of_the_corpus_itself_is_written_into(made: Any, place: str) -> None:
    corpus = made[0].folder
    small.export(made, "voxcpm")
    before = small.contents(corpus)
    with pytest.raises(UserError, match="holds what is no part of this export"):
        small.export(made, "nemo", corpus / place)
    assert small.contents(corpus) == before


@pytest.mark.parametrize("format", EVERY)
def test_an_export_that_is_there_is_left_as_it_is(made: Any, tmp_path: Path, format: str) -> None:
    done = small.export(made, format, tmp_path / "out").folder
    before = times(done)
    small.export(made, format, done)
    after = times(done)
    changed = {name for name in before if after[name] != before[name]}
    assert after.keys() == before.keys()
    assert all(name == INDEX or not name.endswith((".flac", ".wav", ".tar", ".parquet")) for name in changed)


@pytest.mark.parametrize("format", EVERY)
def test_an_older_export_becomes_what_a_new_one_would_be(made: Any, tmp_path: Path, format: str) -> None:
    done = small.export(made, format, tmp_path / "out").folder
    fewer = made[1].with_columns(
        drop=pl.when(pl.col("split") == "validation").then(pl.lit("noisy")).otherwise("drop"),
        cut_end=pl.when(pl.col("id") == "000000000000000f").then(pl.col("cut_end") - 4000).otherwise("cut_end"),
        spoken=pl.lit("다른 말"),
    )
    now = (small.corpus(made[0].folder, small.rows())[0], fewer)
    from curate import audio

    first = fewer.row(0, named=True)
    samples = small.sound_of(9, first["rate"], first["cut_end"] - first["cut_start"])
    audio.write_flac(now[0].clips / f"{first['id']}.flac", samples, first["rate"])
    small.export(now, format, done)
    fresh = small.export(now, format, tmp_path / "fresh").folder
    assert small.contents(done) == small.contents(fresh)
    assert not [path for path in done.rglob("*") if path.is_dir() and not any(path.iterdir())]


def test_a_damaged_or_missing_file_is_made_again(made: Any, tmp_path: Path) -> None:
    done = small.export(made, "nemo", tmp_path / "out").folder
    before = small.contents(done)
    first, second, *_ = sorted((done / "audio").iterdir())
    first.write_bytes(first.read_bytes()[:-5])
    second.unlink()
    small.export(made, "nemo", done)
    assert small.contents(done) == before


def test_what_an_earlier_version_wrote_is_replaced(made: Any) -> None:
    old = made[0].export("voxcpm")
    old.mkdir(parents=True)
    for split in ("train", "validation", "test"):
        (old / f"{split}.jsonl").write_text('{"audio": "/gone/a.flac", "text": "x", "duration": 1.0}\n')
    small.export(made, "voxcpm")
    assert "/gone" not in (old / "train.jsonl").read_text("utf-8")
    (old / INDEX).unlink()
    with pytest.raises(UserError, match="no part of this export"):  # not by names alone
        small.export(made, "voxcpm")


def test_an_index_that_names_files_elsewhere_removes_nothing_there(made: Any, tmp_path: Path) -> None:
    done = small.export(made, "nemo", tmp_path / "out").folder
    (tmp_path / "precious").write_text("x")
    with (done / INDEX).open("a") as index:
        index.write(
            json.dumps({"file": "../precious"}) + "\n" + json.dumps({"file": str(tmp_path / "precious")}) + "\n"
        )
        index.write('{"file": "audio/torn')
    small.export(made, "nemo", done, loudness=-30.0)
    assert (tmp_path / "precious").read_text() == "x"


@pytest.mark.parametrize("format", EVERY)
def test_a_full_disk_is_told_leaves_nothing_half_named_and_can_be_gone_on_from(
    made: Any, tmp_path: Path, format: str, full_disk: Callable[..., Any]
) -> None:
    with full_disk(9_000), pytest.raises(OSError, match="File too large") as caught:
        small.export(made, format, tmp_path / "out")
    assert str(tmp_path / "out") in str(caught.value.filename)
    whole = small.export(made, format, tmp_path / "whole").folder
    there = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert there <= small.contents(whole).keys()
    for name in there - {INDEX}:
        assert (tmp_path / "out" / name).read_bytes() == (whole / name).read_bytes()
    assert json.loads((tmp_path / "out" / INDEX).read_text().splitlines()[0])["complete"] is False
    small.export(made, format, tmp_path / "out")
    assert small.contents(tmp_path / "out") == small.contents(whole)


SCRIPT = """
import sys, time
from pathlib import Path
from curate.export.sound import Sound
from tests.curate.export import small

whole = Sound.encoded
def slow(self, path):
    time.sleep(0.05)
    return whole(self, path)

Sound.encoded = slow
folder, format, into = sys.argv[1:]
small.export(small.corpus(Path(folder), small.rows(24)), format, Path(into))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("format", "after"), [("voxcpm", 6), ("voxcpm", 18), ("huggingface", 1), ("lhotse", 24)])
def test_a_killed_export_goes_on_and_ends_in_the_same_bytes(tmp_path: Path, format: str, after: int) -> None:
    (tmp_path / "slow.py").write_text(SCRIPT)
    made = small.corpus(tmp_path / "corpus", small.rows(24))
    whole = small.export(made, format, tmp_path / "whole").folder
    into = tmp_path / "killed"
    command = [sys.executable, str(tmp_path / "slow.py"), str(tmp_path / "again"), format, str(into)]
    started = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    sounds = (".flac", ".tar", ".parquet")
    while sum(path.suffix in sounds for path in into.rglob("*")) < after and started.poll() is None:
        time.sleep(0.01)
    os.kill(started.pid, signal.SIGKILL)
    assert started.wait() == -signal.SIGKILL
    kept = {name: stamp for name, stamp in times(into).items() if name.endswith(sounds)}
    assert len(kept) >= after
    if len(kept) < 24:  # on a busy machine the kill may come when all sounds are there
        assert not list(into.glob("*.jsonl*")), "half an export must not look like a whole one"
    small.export(made, format, into)
    assert small.contents(into) == small.contents(whole)
    same = sum(times(into)[name] == stamp for name, stamp in kept.items())
    assert same >= len(kept) - 2  # what was done is not done again; of two workers the last ones may not be noted


def test_the_notes_of_a_sound_are_told_again_when_it_is_there_already(tmp_path: Path) -> None:
    made = small.corpus(tmp_path / "corpus")
    one = small.export(made, "webdataset", tmp_path / "out", loudness=-1.0)
    assert one.lines == ["6 of 6 clips stay under -1 LUFS: their true peak would pass -1 dBTP"]
    assert small.export(made, "webdataset", tmp_path / "out", loudness=-1.0).lines == one.lines
    assert small.export(made, "lhotse", tmp_path / "l", loudness=-1.0).lines == one.lines


def test_the_sound_of_an_export_that_is_there_is_kept_when_the_corpus_is_tagged_again(tmp_path: Path) -> None:
    from curate import outputs

    made = small.corpus(tmp_path / "corpus")
    done = small.export(made, "voxcpm", rate=24000, loudness=-30.0, encoding="wav").folder
    before = small.contents(done)
    outputs.export(made[0], small.recipe(), made[1], format="voxcpm", into=None)
    assert small.contents(done) == before
    settings = folders.settings_of(done)
    assert settings is not None
    assert (settings["rate"], settings["loudness"], settings["encoding"]) == (24000, -30.0, "wav")


def test_tags_that_say_how_loud_a_clip_is_are_told_where_loudness_is_made_alike(tmp_path: Path) -> None:
    rows = small.rows()
    rows[0] |= {"control": "low-pitched voice, quiet"}
    made = small.corpus(tmp_path / "corpus", rows)
    assert small.export(made, "nemo", loudness=-30.0).lines == ["the tags say quiet and loud, which --loudness undoes"]
    assert small.export(made, "nemo").lines == []


def test_clips_that_are_not_cut_are_one_line(tmp_path: Path) -> None:
    made = small.corpus(tmp_path / "corpus")
    (made[0].clips / "000000000000000f.flac").unlink()
    with pytest.raises(UserError, match=r"1 of 6 clips are not cut, such as .*: run `curate tag .*corpus`"):
        small.export(made, "kaldi")
    assert not made[0].export("kaldi").exists()


def test_digits_behind_a_point_are_no_clip(tmp_path: Path) -> None:
    """At 22,050 Hz a clip lasts 3.5960090702947847 s, and lhotse writes that."""
    line = '{"id": "0123456789abcdef-2", "duration": 3.5960090702947847, "file": "audio/fedcba9876543210.flac"}\n'
    (tmp_path / "cuts.jsonl").write_text(line, encoding="utf-8")
    assert contents.ids(tmp_path) == {"0123456789abcdef-2", "fedcba9876543210"}
