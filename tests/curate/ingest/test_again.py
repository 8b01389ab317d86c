"""Ingest again: what has not changed is not read again, what has is; archives serve the steps that follow."""

import os
import zipfile
from pathlib import Path

import pytest

from curate import audio, commands, files
from curate.corpus import Corpus
from curate.errors import Unreadable
from curate.ingest import probe, read, roots
from curate.recipe import Recipe
from tests.curate.ingest.corpora import recipe, sound, write


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are opened from here on."""
    seen: list[str] = []
    real = probe._probe

    def note(place: str, size: int) -> probe.Probe:
        seen.append(os.path.basename(place))
        return real(place, size)

    monkeypatch.setattr(probe, "_probe", note)
    return seen


def test_what_kept_its_size_time_and_inode_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c", "d"):
        sound(tmp_path / f"{name}.wav")
    (tmp_path / "e.wav").write_bytes(b"no sound")
    wanted = recipe(tmp_path, "folder")
    first = read(wanted).rows
    seen = opened(monkeypatch)
    again = read(wanted, before=first).rows
    assert again.equals(first)
    assert seen == ["e.wav"]  # what could not be read may be another time
    facts = (tmp_path / "a.wav").stat()
    sound(tmp_path / "a.wav", pitch=990)  # other bytes, as many
    os.utime(tmp_path / "a.wav", ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    content = (tmp_path / "b.wav").read_bytes()
    times = (tmp_path / "b.wav").stat()
    (tmp_path / "new").write_bytes(content)
    os.utime(tmp_path / "new", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "new").replace(tmp_path / "b.wav")  # another inode, the rest the same
    seen.clear()
    changed = read(wanted, before=first).rows
    assert sorted(seen) == ["a.wav", "b.wav", "e.wav"]
    assert changed["sha256"][0] != first["sha256"][0]
    assert changed["sha256"].to_list()[1:] == first["sha256"].to_list()[1:]


def test_verify_hashes_again_what_seems_unchanged(tmp_path: Path) -> None:
    file = sound(tmp_path / "a.wav")
    wanted = recipe(tmp_path, "folder")
    first = read(wanted).rows
    facts = file.stat()
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    with file.open("r+b") as same:  # the same inode, size and time: a disk that forgot a bit
        same.write(content)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert read(wanted, before=first).rows["sha256"].item() == first["sha256"].item()
    assert read(wanted, before=first, verify=True).rows["sha256"].item() != first["sha256"].item()


def test_an_answer_of_an_older_version_is_read_anew(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    wanted = recipe(tmp_path, "folder")
    first = read(wanted).rows
    assert read(wanted, before=first.drop("codec")).rows.equals(first)


def test_batches_hold_all_files_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "BATCH_FILES", 3)
    monkeypatch.setattr(probe, "SHORT", 2000)
    for number in range(20):
        sound(tmp_path / f"{number:02}.wav", 0.05 + number / 100)
    rows = read(recipe(tmp_path, "folder")).rows
    assert rows["frames"].to_list() == [400 + 80 * number for number in range(20)]


def test_progress_tells_files_and_hours(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sound(tmp_path / f"{name}.wav", 1.8)
    told: list[tuple[int, int, float]] = []
    read(recipe(tmp_path, "folder"), progress=lambda *each: told.append(each))
    assert told[0] == (0, 2, 0.0)
    assert told[-1][:2] == (2, 2)
    assert told[-1][2] == pytest.approx(0.001)


def test_what_was_in_an_archive_is_there_for_the_steps_that_follow(tmp_path: Path) -> None:
    sound(tmp_path / "work" / "khm_0001_1.wav")
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "set.zip", "w") as made:
        made.write(tmp_path / "work" / "khm_0001_1.wav", "wavs/khm_0001_1.wav")
    write(tmp_path / "in" / "line_index.tsv", "khm_0001_1\t\tក\n")
    corpus, wanted = Corpus(tmp_path / "corpus"), recipe(tmp_path / "in", "openslr", language="km")
    rows = commands.ingest(corpus, wanted, lambda what, done, total: None)
    place = roots(wanted, corpus.unpacked)["s"] / rows["path"].item()
    assert audio.read(place)[1] == 8000
    audio.unchanged(place, rows["modified"].item())
    assert corpus.unlisted.read_text(encoding="utf-8") == "source\tpath\n"
    again = commands.ingest(corpus, wanted, lambda what, done, total: None)
    assert again.equals(rows)
    assert files.PARTIAL not in "".join(path.name for path in corpus.folder.rglob("*"))


def test_a_file_that_moved_to_another_disk_is_the_same(tmp_path: Path) -> None:
    file = sound(tmp_path / "a.wav")
    size, time, inode = audio.stamp(file).split()
    audio.unchanged(file, f"{size} {time} {int(inode) + 1}")
    audio.unchanged(file, f"{size} {time}")  # stamps of older versions
    with pytest.raises(Unreadable, match="changed since"):
        audio.unchanged(file, f"{size} {int(time) + 1} {inode}")


def test_two_sources_may_read_the_same_files(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    source = {"kind": "folder", "path": str(tmp_path), "licence": "own", "language": "ko"}
    both = Recipe.model_validate({"source": [{**source, "id": "x"}, {**source, "id": "y"}]})
    rows = read(both).rows
    assert rows.height == 2
    assert rows["id"].n_unique() == 2
