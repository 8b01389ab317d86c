"""The `curate` command from end to end with no model but voice activity: what it writes, prints, and says of errors."""

import contextlib
import io
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile

import curate
from curate import cli, manifest
from curate.corpus import Corpus
from curate.engine import ONE_THREAD
from tests.curate.conftest import MODELS

pytestmark = pytest.mark.slow  # one run with the real voice activity detector, about ten seconds

SPEECH = Path(curate.__file__).parent / "demo" / "speech"
REASONS = {"no_speech", "unreadable", "duplicate"}


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


def run(*arguments: object) -> Ran:
    """The command as a user calls it, in this process; `os.environ` is put back."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["curate", *map(str, arguments)])
        for name in ONE_THREAD:  # set by the command; put back after it
            patch.setenv(name, "1")
        try:
            cli.main()
        except SystemExit as exit:
            code = exit.code if isinstance(exit.code, int) else 1
    return Ran(code, out.getvalue(), err.getvalue())


def refused(*arguments: object) -> str:
    """What a command that a user can mend says: exit 1, one line after whatever progress was shown."""
    ran = run(*arguments)
    assert ran.code == 1, ran
    said = [line for line in ran.err.splitlines() if not line.endswith(" ...")]
    assert len(said) == 1, ran.err
    assert said[0].startswith("curate: ")
    return said[0]


def status(corpus: Path) -> dict[str, Any]:
    ran = run("status", corpus, "--json")
    assert ran.code == 0
    found: dict[str, Any] = json.loads(ran.out)
    return found


def kept(corpus: Path) -> pl.DataFrame:
    return manifest.kept(manifest.read(corpus / "manifest.parquet"))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight spoken clips by four speakers in two languages, and one of each thing that can be wrong with a row."""
    folder = tmp_path_factory.mktemp("cli")
    audio = folder / "in"
    audio.mkdir()
    lines = ["audio\ttext\tlanguage\tspeaker\tmine"]
    for speaker in ("ko-1", "ko-2", "km-1", "km-2"):
        for path in sorted(SPEECH.glob(f"{speaker}-*.ogg"))[:2]:
            shutil.copy(path, audio / path.name)
            text = "오늘 아침에는 사과를 먹었어요" if speaker.startswith("ko") else "ខ្ញុំរៀនភាសា"
            lines.append(f"{path.name}\t{text} {path.stem[-1]}\t{speaker[:2]}\t{speaker}\tm")
    shutil.copy(sorted(audio.glob("ko-1-*"))[0], audio / "again.ogg")
    soundfile.write(audio / "zero.wav", np.zeros(0, np.float32), 16000)
    soundfile.write(audio / "silence.wav", np.zeros(32000, np.float32), 16000)
    (audio / "junk.wav").write_bytes(b"RIFF and rubbish")
    lines += ["again.ogg\t다른 글\tko\tko-1\tm", "silence.wav\t말\tko\tko-1\tm", "zero.wav\t말\tko\tko-1\tm"]
    lines += ["junk.wav\t말\tko\tko-1\tm", "gone.wav\t말\tko\tko-1\tm", "zero.wav\tmot\tfr\tx\tm", "\t말\tko\tko-1\tm"]
    (audio / "index.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = '[[source]]\nid = "talk"\nkind = "table"\npath = "in/index.tsv"\nlicence = "own"\n'
    off = "[filter]\nnoisy = false\nnarrow_band = false\nclipped = false\nchopped = false\ntext_mismatch = false\n"
    (folder / "recipe.toml").write_text(source + MODELS + off)
    return folder


@pytest.fixture(scope="module")
def whole(place: Path) -> tuple[Path, Ran]:
    """The corpus after `curate run`."""
    ran = run("run", place / "recipe.toml", "--into", place / "whole", "--workers", 1)
    assert ran.code == 0, ran.err
    return place / "whole", ran


@pytest.fixture
def corpus(whole: tuple[Path, Ran], tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(whole[0], tmp_path / "corpus"))


def test_run_makes_clips_report_export_and_a_log(whole: tuple[Path, Ran]) -> None:
    folder, ran = whole
    ids = set(kept(folder)["id"])
    assert len(ids) == 8
    assert {path.stem for path in (folder / "clips").glob("*.flac")} == ids
    assert (folder / "report" / "index.html").is_file()
    assert json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["event"]
    lines = [
        json.loads(x)
        for n in ("train", "validation", "test")
        for x in (folder / "export/voxcpm" / f"{n}.jsonl").read_text().splitlines()
    ]
    assert {Path(line["audio"]).stem for line in lines} == ids
    for line in lines:
        info = soundfile.info(folder / "export/voxcpm" / line["audio"])
        assert (info.samplerate, info.duration) == (16000, pytest.approx(line["duration"], abs=1e-3))
        assert line["text"].startswith(("(Khmer)", "(Korean)"))
    assert "report   " in ran.out
    assert "kept" in ran.out


def test_each_bad_row_has_its_reason_and_stops_nothing(whole: tuple[Path, Ran]) -> None:
    rows = manifest.read(whole[0] / "manifest.parquet")
    said = {(row["path"], row["language"]): (row["drop"], row["error"]) for row in rows.rows(named=True)}
    assert said["silence.wav", "ko"] == ("no_speech", None)
    assert said["zero.wav", "ko"] == ("unreadable", "no samples")
    assert said["gone.wav", "ko"] == ("unreadable", "no such file")
    assert said["junk.wav", "ko"][0] == "unreadable"
    assert said["zero.wav", "fr"] == ("unreadable", "language fr is not known; it must be one of km, ko")
    assert said["", "ko"] == ("unreadable", "index.tsv, line 16: no audio named in this row")
    pair = rows.filter(pl.col("sha256").is_duplicated() & (pl.col("rate") > 0) & pl.col("duplicate_of").is_not_null())
    assert pair["drop"].to_list() == ["duplicate"]
    assert set(rows["mine"]) == {"m"}


def test_no_split_shares_a_speaker(whole: tuple[Path, Ran]) -> None:
    shared = kept(whole[0]).group_by("speaker").agg(pl.col("split").n_unique())
    assert set(shared["split"]) == {1}


def test_status_as_json_keeps_its_contract(whole: tuple[Path, Ran]) -> None:
    found = status(whole[0])
    rows = manifest.read(whole[0] / "manifest.parquet")
    assert found["kept"]["clips"] == 8
    assert set(found["dropped"]) == REASONS
    assert sum(each["clips"] for each in found["dropped"].values()) + 8 == rows.height == 15
    assert set(found["languages"]) == {"km", "ko"}
    assert {name: part["kept"]["clips"] for name, part in found["languages"].items()} == {"km": 4, "ko": 4}
    assert found["languages"]["km"]["dropped"] == {}
    assert set(found["splits"]) == {"train", "validation", "test"}
    assert sum(each["clips"] for each in found["splits"].values()) == 8
    for part in (found["kept"], *found["dropped"].values(), *found["splits"].values()):
        assert {"clips", "hours"} <= set(part)
    assert found["kept"]["hours"] == pytest.approx(kept(whole[0])["seconds"].sum() / 3600, abs=1e-5)


def test_the_same_command_again_changes_no_byte(corpus: Path, place: Path) -> None:
    before = {name: content for name, content in tree(corpus).items() if "log" not in name and "export" not in name}
    ran = run("run", place / "recipe.toml", "--into", corpus, "--workers", 1)
    assert ran.code == 0
    assert "another recipe" not in ran.err
    after = tree(corpus)
    assert {name: after[name] for name in before} == before


def test_a_run_with_other_settings_into_a_corpus_says_so(place: Path, tmp_path: Path) -> None:
    again = ("run", place / "recipe.toml", "--into", tmp_path / "c", "--until", "ingest")
    assert "another recipe" not in run(*again).err
    assert "another recipe" not in run(*again).err
    assert "another recipe" in run(*again, "--set", "filter.noisy=20").err


def test_ingest_reads_files_and_asks_no_model(place: Path, tmp_path: Path) -> None:
    ran = run("ingest", place / "recipe.toml", "--into", tmp_path / "c")
    assert ran.code == 0
    assert re.search(r"^talk +15 +13 +0\.01 +5 +1 ", ran.out, re.M)
    assert "talk: gone.wav: no such file" in ran.out
    assert not (tmp_path / "c" / "answers").exists()
    assert status(tmp_path / "c")["ingested"]["files"] >= 12


def test_until_stops_after_a_step(corpus: Path, place: Path) -> None:
    shutil.rmtree(corpus / "clips")
    assert run("run", place / "recipe.toml", "--into", corpus, "--until", "filter", "--workers", 1).code == 0
    rows = manifest.read(corpus / "manifest.parquet")
    assert rows["split"].null_count() == rows.height
    assert rows["drop"].null_count() == 8
    assert not (corpus / "clips").exists()


def test_filter_with_set_decides_anew_and_remembers(corpus: Path) -> None:
    answers = tree(corpus / "answers")
    assert run("filter", corpus, "--set", "segment.min_seconds=29", "--workers", 1).code == 0
    assert set(status(corpus)["dropped"]) >= {"too_short"}
    assert "min_seconds = 29.0" in (corpus / "recipe.toml").read_text()
    assert tree(corpus / "answers") == answers  # nobody was asked
    assert run("filter", corpus, "--workers", 1).code == 0
    assert kept(corpus).height == 0


def test_tag_balances_and_makes_clips_agree(corpus: Path) -> None:
    ran = run("tag", corpus, "--set", "balance.hours.ko=0", "--set", "tag.template=<{language}>", "--workers", 1)
    assert ran.code == 0
    assert status(corpus)["dropped"]["surplus"]["clips"] == 4
    assert all(text.startswith("<Khmer>") for text in kept(corpus)["training_text"])
    assert {path.stem for path in (corpus / "clips").glob("*.flac")} == set(kept(corpus)["id"])


def test_export_writes_where_it_is_told(corpus: Path, tmp_path: Path) -> None:
    ran = run("export", corpus, "--to", "voxcpm", "--into", tmp_path / "out", "--workers", 1)
    assert ran.out.strip() == str(tmp_path / "out")
    assert sum(len(path.read_text().splitlines()) for path in (tmp_path / "out").glob("*.jsonl")) == 8


def test_every_format_is_exported_when_the_sources_are_gone(corpus: Path, place: Path) -> None:
    (place / "in").rename(place / "away")
    try:
        for format in ("huggingface", "lhotse", "nemo", "kaldi", "webdataset"):
            ran = run("export", corpus, "--to", format, "--rate", 8000, "--loudness", -23, "--workers", 1)
            assert (ran.code, ran.out.strip()) == (0, str(corpus / "export" / format)), ran.err
    finally:
        (place / "away").rename(place / "in")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--to", "mp3"), "no export format 'mp3'; there are voxcpm, huggingface, lhotse, nemo, kaldi, webdataset"),
        (("--to", "nemo", "--rate", "1"), "--rate 1: give a sample rate from 8000 to 192000 Hz, such as 16000"),
        (("--to", "nemo", "--loudness", "5"), "--loudness 5: give LUFS between -70 and 0, such as -23"),
        (("--to", "kaldi", "--format", "flac"), "--format flac: for kaldi there is wav"),
    ],
)
def test_an_export_that_cannot_be_is_one_line(corpus: Path, words: tuple[str, ...], told: str) -> None:
    ran = run("export", corpus, *words)
    assert (ran.code, ran.err.strip()) == (1, f"curate: {told}")


def test_export_into_a_file_is_refused_in_a_line(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = run("export", corpus, "--to", "voxcpm", "--into", tmp_path / "file", "--workers", 1)
    assert ran.code == 1
    assert ran.err.strip().endswith("is a file: choose a folder with --into")


def test_an_empty_split_is_said_in_a_line(corpus: Path) -> None:
    ran = run("tag", corpus, "--set", "split.validation=0.1", "--set", "split.test=0.1", "--workers", 1)
    assert ran.code == 0
    lines = [line for line in ran.err.splitlines() if "is empty (10.0% asked)" in line]
    assert len(lines) == len({each["language"] for each in status(corpus)["empty_splits"]}) > 0


def test_what_a_user_can_mend_is_one_line_and_exit_1(corpus: Path, place: Path, tmp_path: Path) -> None:
    recipe = place / "recipe.toml"
    assert "no step 'cook'; there are ingest, segment" in refused(
        "run", recipe, "--into", tmp_path / "c", "--until", "cook"
    )
    assert "no recipe at" in refused("run", place / "nothing.toml", "--into", tmp_path / "c")
    assert "unknown key filter.nosy" in refused("filter", corpus, "--set", "filter.nosy=1")
    assert "write it as table.key=value" in refused("tag", corpus, "--set", "noisy")
    assert "is not a corpus; make one with" in refused("status", tmp_path)
    assert "is not a corpus" in refused("filter", tmp_path / "nowhere")
    assert "is a file, not a corpus; name the folder" in refused("export", recipe, "--to", "voxcpm")
    assert "no export format 'mp3'; there are voxcpm" in refused("export", corpus, "--to", "mp3")
    assert "is a file; name a folder with --into" in refused("ingest", recipe, "--into", recipe)
    assert "no clip 'zzz'" in refused("explain", corpus, "zzz")
    moved = refused("ingest", recipe, "--into", tmp_path / "c", "--set", "source.talk.path=gone.tsv")
    assert "source talk: no table at" in moved
    assert not (tmp_path / "nowhere").exists()


def test_a_broken_file_of_the_corpus_is_named(corpus: Path) -> None:
    (corpus / "manifest.parquet").write_bytes(b"PAR1")
    assert "manifest.parquet is not a manifest of this version" in refused("status", corpus)
    (corpus / "clips" / "index.parquet").write_bytes(b"rubbish")
    shard = next((corpus / "answers" / "speech").glob("*.parquet"))
    shard.write_bytes(b"rubbish")
    (corpus / "measured.parquet").write_bytes(b"rubbish")  # made anew from the answers
    assert f"delete {shard} and run again" in refused("filter", corpus, "--workers", 1)
    shard.unlink()
    assert run("tag", corpus, "--workers", 1).code == 0
    assert status(corpus)["kept"]["clips"] == 8


@pytest.fixture
def unmounted(place: Path, tmp_path: Path) -> Path:
    """A recipe of a table of which no audio is there."""
    (tmp_path / "i.tsv").write_text("audio\ttext\tlanguage\ngone.wav\tx\tko\nlost.wav\ty\tko\n")
    (tmp_path / "recipe.toml").write_text((place / "recipe.toml").read_text().replace("in/index.tsv", "i.tsv"))
    return tmp_path / "recipe.toml"


@pytest.mark.parametrize("command", ["run", "ingest"])
def test_where_no_audio_at_all_can_be_read_a_run_ends_with_1_and_keeps_what_it_found(
    unmounted: Path, tmp_path: Path, command: str
) -> None:
    ran = run(command, unmounted, "--into", tmp_path / "c", *(["--workers", 1] if command == "run" else []))
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith("curate: no audio could be read, so there is nothing to keep; mend")
    assert "no such file" in ran.out + ran.err
    assert manifest.read(tmp_path / "c" / "manifest.parquet")["error"].to_list() == ["no such file"] * 2
    shown = run("status", tmp_path / "c")
    assert shown.code == 0
    assert "source talk: none of its 2 rows can be used (like gone.wav: no such file); mend" in shown.err


def test_a_source_that_is_gone_is_told_and_the_others_are_curated(unmounted: Path, place: Path, tmp_path: Path) -> None:
    other = unmounted.read_text() + '[[source]]\nid = "more"\nkind = "folder"\nlanguage = "ko"\nlicence = "own"\n'
    unmounted.write_text(f'{other}path = "{place / "in"}"\ntranscript = "heard"\n')
    assert run("ingest", unmounted, "--into", tmp_path / "c").code == 0
    assert "source talk: none of its 2 rows can be used" in run("status", tmp_path / "c").err


def test_a_corpus_whose_recordings_are_gone_stays_as_it_was(place: Path, corpus: Path, tmp_path: Path) -> None:
    before = tree(corpus)
    (tmp_path / "in").mkdir()
    shutil.copy(place / "in" / "index.tsv", tmp_path / "in")
    (tmp_path / "recipe.toml").write_text((place / "recipe.toml").read_text())
    ran = run("run", tmp_path / "recipe.toml", "--into", corpus, "--workers", 1)
    assert ran.code == 1
    said = ran.err.splitlines()[-1]
    assert "no audio can be read any more; source talk: none of its 15 rows can be used (13 of them like" in said
    assert said.endswith(f"{corpus} stays as it was")
    assert tree(corpus) == before


def test_a_corpus_without_a_manifest_yet_is_told_from_none(corpus: Path, tmp_path: Path) -> None:
    (corpus / "manifest.parquet").unlink()
    for command in (["status"], ["verify"], ["explain"]):
        said = refused(*command, corpus, *(["3f"] if command == ["explain"] else []))
        assert "has no manifest yet: its run was stopped before; give that command again" in said
    with Corpus(corpus).locked():
        assert "has no manifest yet: another curate command is working on it" in refused("status", corpus)
    with Corpus(tmp_path / "new").locked():
        assert "has no manifest yet: another curate command is working on it" in refused("tag", tmp_path / "new")


def test_a_folder_of_recordings_becomes_clips_that_cover_it(place: Path, tmp_path: Path) -> None:
    parts = [soundfile.read(path, dtype="float32") for path in sorted((place / "in").glob("ko-1-*.ogg"))]
    rate = parts[0][1]
    (tmp_path / "rec").mkdir()
    sound = np.concatenate([part for samples, _ in parts for part in (samples, np.zeros(2 * rate, np.float32))])
    soundfile.write(tmp_path / "rec" / "long.flac", sound, rate)
    text = (
        (place / "recipe.toml")
        .read_text()
        .replace('"table"', '"folder"\nlanguage = "ko"')
        .replace("in/index.tsv", "rec")
    )
    (tmp_path / "recipe.toml").write_text(text.replace("[filter]", "[filter]\nno_text = false"))
    assert run("run", tmp_path / "recipe.toml", "--into", tmp_path / "c", "--workers", 1).code == 0
    rows = manifest.read(tmp_path / "c" / "manifest.parquet")
    assert rows.select((pl.col("end") - pl.col("start")).sum()).item() == sound.size
    assert kept(tmp_path / "c").height >= 2
    whole = soundfile.read(tmp_path / "rec" / "long.flac", dtype="float32")[0]
    for clip in kept(tmp_path / "c").rows(named=True):
        cut = soundfile.read(tmp_path / "c" / "clips" / f"{clip['id']}.flac", dtype="float32")[0]
        np.testing.assert_array_equal(cut, whole[clip["cut_start"] : clip["cut_end"]])
    # kept without text, they are nothing to train speech from text on
    assert (tmp_path / "c" / "export" / "voxcpm" / "train.jsonl").read_text() == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_said(place: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "cannot write to" in refused("ingest", place / "recipe.toml", "--into", tmp_path / "c")


def test_ingest_ends_with_a_table_of_its_sources(tmp_path: Path) -> None:
    for name in ("1/1_0000.wav", "1/1_0001.wav", "1/ex\ntra.wav"):
        (tmp_path / "kss" / "1").mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "kss" / name, np.zeros(36000, np.float32), 10000)
    lines = [
        "1/1_0000.wav|가|가|가|3.6|a",
        "1/1_0001.wav|나|나|나|3.6|b",
        "1/1_0001.wav|다|다|다|3.6|c",
        "1/1_0009.wav|라",
    ]
    (tmp_path / "kss" / "transcript.v.1.4.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "radio").mkdir()
    soundfile.write(tmp_path / "radio" / "a.wav", np.zeros(36000, np.float32), 10000)
    sources = [f'[[source]]\nid = "{kind}"\nkind = "{kind}"\npath = "{path}"\nlicence = "own"\nlanguage = "ko"\n'
               for kind, path in (("kss", "kss"), ("folder", "radio"))]  # fmt: skip
    (tmp_path / "recipe.toml").write_text("".join(sources))
    ran = run("ingest", tmp_path / "recipe.toml", "--into", tmp_path / "c", "--verify")
    assert ran.code == 0
    table = [line.split() for line in ran.out.splitlines()[:5]]
    assert table[0] == ["source", "rows", "files", "hours", "unreadable", "repeated", "unlisted"]
    assert [row for row in table[1:] if "-" not in row[0]] == [
        ["kss", "4", "3", "0.00", "1", "1", "1"], ["folder", "1", "1", "0.00", "0", "0", "0"],
        ["all", "5", "4", "0.00", "1", "1", "1"],
    ]  # fmt: skip
    assert "kss: 1/1_0009.wav: transcript.v.1.4.txt, line 4 has 2 fields" in ran.out
    assert "kss: 1 files have no row, such as 1/ex\\u000atra.wav; all are in unlisted.tsv" in ran.out
    assert (tmp_path / "c" / "unlisted.tsv").read_text(encoding="utf-8") == "source\tpath\nkss\t1/ex\\u000atra.wav\n"
    logged = json.loads((tmp_path / "c" / "log.jsonl").read_text().splitlines()[-1])
    assert logged["unlisted"] == {"kss": 1, "folder": 0}


def test_fetch_says_what_is_to_be_had_by_hand(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(
        '[[source]]\nid = "kss"\nkind = "kss"\npath = "in"\nlicence = "own"\nlanguage = "ko"\nby_hand = "ask for it"\n'
    )
    ran = run("fetch", tmp_path / "recipe.toml")
    assert (ran.code, ran.out) == (0, f"kss: get it by hand into {tmp_path / 'in'}: ask for it\n")
    assert "no source is called 'x'; there are kss" in run("fetch", tmp_path / "recipe.toml", "--source", "x").err
