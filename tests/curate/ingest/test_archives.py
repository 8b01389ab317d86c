"""Archives as sources: read without unpacking by hand, whole or not at all, and nothing leaves its folder."""

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from curate.errors import UserError
from curate.ingest import archives, read, roots
from tests.curate.ingest.corpora import found, recipe, refused, rows, sound, write

SUFFIXES = ["tar", "tar.gz", "tgz", "tar.bz2", "zip"]


def pack(folder: Path, archive: Path) -> Path:
    archive.parent.mkdir(parents=True, exist_ok=True)
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as made:
            for path in sorted(folder.rglob("*")):
                made.write(path, path.relative_to(folder.parent))
    else:
        mode = {".tar": "w", ".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2"}[archive.suffix]
        with tarfile.open(archive, mode) as made:
            made.add(folder, folder.name)
    return archive


def corpus(folder: Path) -> Path:
    """A small OpenSLR set."""
    for name in ("khm_0001_1", "khm_0002_2"):
        sound(folder / "wavs" / f"{name}.wav")
    write(folder / "line_index.tsv", "khm_0001_1\t\tក ខ\nkhm_0002_2\t\tគ\n")
    write(folder / ".DS_Store", "x")
    return folder


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_archive_is_a_source(tmp_path: Path, suffix: str) -> None:
    archive = pack(corpus(tmp_path / "km_kh_male"), tmp_path / "in" / f"slr42.{suffix}")
    plain = rows(tmp_path / "km_kh_male", "openslr", language="km")
    ingested = found(archive, "openslr", unpacked=tmp_path / "unpacked", language="km")
    assert ingested.rows.select("text", "sha256", "error").equals(plain.select("text", "sha256", "error"))
    assert ingested.rows["path"].to_list() == ["km_kh_male/wavs/khm_0001_1.wav", "km_kh_male/wavs/khm_0002_2.wav"]
    assert ingested.unlisted == {"s": []}
    inside = rows(archive / "km_kh_male", "openslr", unpacked=tmp_path / "unpacked", language="km")
    assert inside["path"].to_list() == plain["path"].to_list()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_archives_in_a_folder_are_opened_where_they_lie(tmp_path: Path, suffix: str) -> None:
    top = tmp_path / "data" / "km_kh"
    sound(tmp_path / "work" / "train" / "1.wav")
    pack(tmp_path / "work" / "train", top / "audio" / f"train.{suffix}")
    write(top / "train.tsv", "7\t1.wav\tក\tក\tក |\t1600\tMALE\n")
    packed = rows(top, "fleurs", unpacked=tmp_path / "unpacked", language="km", splits=["train"])
    assert packed.select("path", "error").rows() == [("audio/train/1.wav", None)]
    sound(top / "audio" / "train" / "1.wav")  # unpacked by hand, too
    by_hand = rows(top, "fleurs", unpacked=tmp_path / "other", language="km", splits=["train"])
    assert by_hand["id"].to_list() == packed["id"].to_list()
    assert not (tmp_path / "other").exists()


def test_a_table_in_an_archive(tmp_path: Path) -> None:
    sound(tmp_path / "studio" / "a.wav")
    write(tmp_path / "studio" / "index.tsv", "audio\ttext\na.wav\t가\n")
    archive = pack(tmp_path / "studio", tmp_path / "studio.zip")
    frame = rows(archive / "studio" / "index.tsv", "table", unpacked=tmp_path / "unpacked")
    assert frame.select("path", "text", "error").rows() == [("a.wav", "가", None)]
    folder = rows(archive, "folder", unpacked=tmp_path / "unpacked")
    assert folder["path"].to_list() == ["studio/a.wav"]


def test_an_archive_is_unpacked_once_and_again_when_it_changes(tmp_path: Path) -> None:
    folder, unpacked = corpus(tmp_path / "set"), tmp_path / "unpacked"
    archive = pack(folder, tmp_path / "set.tar.gz")
    rows(archive, "openslr", unpacked=unpacked, language="km")
    file = unpacked / "s" / "set" / "wavs" / "khm_0001_1.wav"
    inode = file.stat().st_ino
    rows(archive, "openslr", unpacked=unpacked, language="km")
    assert file.stat().st_ino == inode
    sound(folder / "wavs" / "khm_0001_1.wav", 0.2)
    pack(folder, archive)
    assert rows(archive, "openslr", unpacked=unpacked, language="km")["frames"].to_list() == [1600, 800]


def test_a_killed_unpacking_is_never_half_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a", "b", "c"]
    for name in names:
        sound(tmp_path / name / f"{name}.wav")
        pack(tmp_path / name, tmp_path / f"{name}.tar")
    jobs = [(tmp_path / f"{name}.tar", "") for name in names]
    into, done = tmp_path / "unpacked" / "s", archives._extract

    class Killed(BaseException):
        pass

    def killed(archive: Path, folder: str, progress: archives.Progress, under_way: Path) -> None:
        if archive.name == "b.tar":
            (under_way / "b").mkdir()
            (under_way / "b" / "b.wav").write_bytes(b"half")
            raise Killed
        done(archive, folder, progress, under_way)

    monkeypatch.setattr(archives, "_extract", killed)
    with pytest.raises(Killed):
        archives.unpack(jobs, into)
    assert not into.exists()
    again = []

    def counted(archive: Path, folder: str, progress: archives.Progress, under_way: Path) -> None:
        again.append(archive.name)
        done(archive, folder, progress, under_way)

    monkeypatch.setattr(archives, "_extract", counted)
    archives.unpack(jobs, into)
    assert again == ["b.tar", "c.tar"]  # continued
    assert all(
        (into / name / f"{name}.wav").read_bytes() == (tmp_path / name / f"{name}.wav").read_bytes() for name in names
    )


# ---- what is refused


def add(made: tarfile.TarFile, name: str, content: bytes = b"x", **facts: object) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for key, value in facts.items():
        setattr(entry, key, value)
    made.addfile(entry, io.BytesIO(content))


def make_zip(path: Path, name: str, content: bytes = b"x", mode: int = 0) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = name
        entry.external_attr = mode << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        made.writestr(entry, content)


@pytest.mark.parametrize("name", ["../evil.wav", "/tmp/evil.wav", "a/../../evil.wav", "..\\evil.wav", "C:\\evil.wav"])
@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "zip"])
def test_paths_that_lead_out_are_refused(tmp_path: Path, name: str, suffix: str) -> None:
    archive = tmp_path / "in" / f"a.{suffix}"
    archive.parent.mkdir()
    if suffix == "zip":
        make_zip(archive, name)
    else:
        with tarfile.open(archive, "w:gz" if suffix == "tar.gz" else "w") as made:
            add(made, "fine.wav")
            add(made, name)
    said = refused(archive, "folder", unpacked=tmp_path / "unpacked")
    assert "leads out of the folder" in said
    assert said.startswith("source s: ")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [archive.name]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as made:
        entry = tarfile.TarInfo("a.wav")
        entry.type, entry.linkname = kind, "/etc/passwd"
        made.addfile(entry)
    assert "; refused" in refused(tmp_path / "a.tar", "folder", unpacked=tmp_path / "unpacked")
    make_zip(tmp_path / "a.zip", "a.wav", b"/etc/passwd", 0o120777)
    assert "'a.wav' is a link; refused" in refused(tmp_path / "a.zip", "folder", unpacked=tmp_path / "unpacked")


@pytest.mark.parametrize("suffix", ["tar.gz", "tar.bz2", "zip"])
def test_bombs_are_refused(tmp_path: Path, suffix: str) -> None:
    archive, zeros = tmp_path / f"a.{suffix}", b"\0" * (90 * 1024 * 1024)
    if suffix == "zip":
        make_zip(archive, "a.wav", zeros)
    else:
        with tarfile.open(archive, "w:" + suffix[4:]) as made:
            add(made, "a.wav", zeros)
    assert "expands to more than 100 times its size" in refused(archive, "folder", unpacked=tmp_path / "unpacked")
    assert not any((tmp_path / "unpacked").rglob("*.wav"))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9, 0.97])
def test_a_truncated_archive_is_one_line_and_nothing_is_used(tmp_path: Path, suffix: str, cut: float) -> None:
    archive = pack(corpus(tmp_path / "set"), tmp_path / f"a.{suffix}")
    if suffix == "tar" and cut > 0.6:
        pytest.skip("here a tar holds the zeros after its end")
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * cut)])
    said = refused(archive, "openslr", unpacked=tmp_path / "unpacked", language="km")
    assert "cut short" in said
    assert "download it again" in said
    assert not any((tmp_path / "unpacked").rglob("*.wav"))


@pytest.mark.parametrize("content", [b"", b"not an archive at all", b"PK\3\4 half"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_no_archive_is_one_line(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(content)
    assert "download it again" in refused(tmp_path / f"a.{suffix}", "folder", unpacked=tmp_path / "unpacked")
    assert "no archive at" in refused(tmp_path / f"none.{suffix}", "folder", unpacked=tmp_path / "unpacked")


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_korean_names_in_a_zip_without_the_flag_for_utf8(tmp_path: Path, encoding: str) -> None:
    content = sound(tmp_path / "a.wav").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = "한국어.wav".encode(encoding).decode("cp437")
        made.writestr(entry, content)
    packed = (tmp_path / "a.zip").read_bytes()
    name = entry.filename.encode("utf-8")
    assert name in packed
    raw = "한국어.wav".encode(encoding)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:  # zipfile itself cannot write such names
        entry = zipfile.ZipInfo("x" * len(raw))
        made.writestr(entry, content)
    flat = (tmp_path / "a.zip").read_bytes().replace(b"x" * len(raw), raw)
    (tmp_path / "a.zip").write_bytes(flat)
    assert rows(tmp_path / "a.zip", "folder", unpacked=tmp_path / "unpacked")["path"].to_list() == ["한국어.wav"]


def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path: Path, full_disk: Callable[..., object]) -> None:
    archive = pack(corpus(tmp_path / "set"), tmp_path / "a.tar")
    with full_disk(100), pytest.raises(OSError, match="File too large"):  # type: ignore[attr-defined]
        read(recipe(archive, "openslr", language="km"), unpacked=tmp_path / "unpacked")
    assert not (tmp_path / "unpacked" / "s").exists()
    assert rows(archive, "openslr", unpacked=tmp_path / "unpacked", language="km")["error"].null_count() == 2


def test_without_a_corpus_an_archive_is_not_unpacked(tmp_path: Path) -> None:
    archive = pack(corpus(tmp_path / "set"), tmp_path / "a.tar")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(UserError, match="`curate ingest` unpacks it"):
        read(recipe(archive, "openslr", language="km"))
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("inner", ["", "set"])
def test_an_archive_may_be_removed_once_it_is_unpacked(tmp_path: Path, inner: str) -> None:
    archive, unpacked = pack(corpus(tmp_path / "set"), tmp_path / "a.zip"), tmp_path / "unpacked"
    first = rows(archive / inner, "openslr", unpacked=unpacked, language="km")
    archive.unlink()
    assert rows(archive / inner, "openslr", unpacked=unpacked, language="km").equals(first)
    place = roots(recipe(archive / inner, "openslr"), unpacked)["s"] / first["path"][0]
    assert place.is_file()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_unpacking_tells_how_far_it_is(tmp_path: Path, suffix: str) -> None:
    archive = pack(corpus(tmp_path / "set"), tmp_path / f"a.{suffix}")
    told: list[tuple[str, float, float]] = []
    read(recipe(archive, "openslr"), unpacked=tmp_path / "unpacked", unpacking=lambda *each: told.append(each))
    assert len(told) == 3
    assert all(name == archive.name and 0 < done <= total == archive.stat().st_size for name, done, total in told)


@pytest.mark.parametrize("same", [True, False])
def test_archives_that_hold_the_same_name_do_not_hide_each_other(tmp_path: Path, same: bool) -> None:
    for part in (1, 2):
        sound(tmp_path / str(part) / "x" / "1.wav", pitch=440.0 if same else 440.0 * part)
        write(tmp_path / str(part) / "x" / "README.md", f"part {part}")
        write(tmp_path / str(part) / "x" / "trans.txt", "1.wav\t가\r\n")
        pack(tmp_path / str(part) / "x", tmp_path / "in" / f"part{part}.zip")
    if same:
        assert rows(tmp_path / "in", "azure", unpacked=tmp_path / "unpacked")["text"].to_list() == ["가"]
    else:
        said = refused(tmp_path / "in", "azure", unpacked=tmp_path / "unpacked")
        assert "part2.zip and another archive beside it hold different files called x/1.wav" in said
        assert not (tmp_path / "unpacked" / "s").exists()
