"""Ingest: every file a source names becomes a row, what cannot be read says why, and nothing else is touched."""

import datetime
import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from curate import manifest
from curate.errors import UserError
from curate.ingest import ingest
from curate.recipe import load

RATE = 8000


def sound(path: Path, seconds: float = 0.1, pitch: float = 440.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.3 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * RATE)) / RATE)
    soundfile.write(path, wave.astype(np.float32), RATE, format="WAV", subtype="PCM_16")
    return path


def read(folder: Path, path: str, *, kind: str = "table", more: str = 'language = "ko"') -> pl.DataFrame:
    recipe = folder / "recipe.toml"
    recipe.write_text(f'[[source]]\nid = "s"\nkind = "{kind}"\npath = "{path}"\nlicence = "own"\n{more}\n')
    return ingest(load(recipe))


def refused(folder: Path, path: str, *, kind: str = "table", more: str = 'language = "ko"') -> str:
    with pytest.raises(UserError) as caught:
        read(folder, path, kind=kind, more=more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def table(folder: Path, name: str, content: str | bytes, more: str = 'language = "ko"') -> pl.DataFrame:
    sound(folder / "a.wav")
    sound(folder / "b.wav", pitch=660)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(folder, name, more=more)


# ---- what a row holds


def test_a_row_accounts_for_its_file(tmp_path: Path) -> None:
    rows = table(
        tmp_path, "i.tsv", "audio\ttext\tspeaker\na.wav\t 안녕 \tmina\n", 'language = "ko"\nattribution = "Lab"'
    )
    row = rows.row(0, named=True)
    bytes_ = (tmp_path / "a.wav").read_bytes()
    assert row["id"] == manifest.clip_id("s", "a.wav", None, None)
    assert row["sha256"] == hashlib.sha256(bytes_).hexdigest()
    assert (row["rate"], row["channels"], row["frames"], row["seconds"]) == (RATE, 1, 800, 0.1)
    assert (row["text"], row["text_from"]) == (" 안녕 ", "given")  # never changed
    assert (row["source"], row["licence"], row["attribution"], row["language"]) == ("s", "own", "Lab", "ko")
    assert (row["speaker"], row["start"], row["end"], row["error"]) == ("mina", None, None, None)


def test_ids_stay_when_the_corpus_moves_or_grows_and_differ_by_source(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    one = table(tmp_path / "one", "i.tsv", "audio\na.wav\n")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    with (tmp_path / "two" / "i.tsv").open("a") as file:
        file.write("b.wav\n")
    two = read(tmp_path / "two", "i.tsv")
    assert one["id"][0] == two.filter(pl.col("path") == "a.wav")["id"][0]
    assert manifest.clip_id("s", "a.wav", None, None) != manifest.clip_id("t", "a.wav", None, None)


def test_repeated_rows_are_numbered_in_source_order(tmp_path: Path) -> None:
    rows = table(tmp_path, "i.tsv", "audio\ttext\nb.wav\tb\na.wav\t1\n./a.wav\t2\nx/../a.wav\t3\n")
    first = manifest.clip_id("s", "a.wav", None, None)
    assert rows["id"].to_list()[:3] == [first, f"{first}-2", f"{first}-3"]
    assert rows["text"].to_list() == ["1", "2", "3", "b"]


def test_the_order_of_rows_is_recipe_then_path(tmp_path: Path) -> None:
    for name in ("z", "y"):
        sound(tmp_path / name / "2.wav")
        sound(tmp_path / name / "1.wav")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "".join(f'[[source]]\nid="{n}"\nkind="folder"\npath="{n}"\nlicence="own"\nlanguage="km"\n' for n in "zy")
    )
    rows = ingest(load(recipe))
    assert rows.select("source", "path").rows() == [("z", "1.wav"), ("z", "2.wav"), ("y", "1.wav"), ("y", "2.wav")]


# ---- tables as people write them


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("i.tsv", b"\xef\xbb\xbfaudio\ttext\na.wav\thi\n"),
        ("i.tsv", "audio\ttext\r\na.wav\thi\r\n"),
        ("i.tsv", " audio \t text\na.wav\thi\n"),
        ("i.tsv", "\naudio\ttext\n\na.wav\thi\n\n\n"),
        ("i.tsv", "audio\ttext\n a.wav \thi"),
        ("i.TSV", "audio\ttext\na.wav\thi"),
        ("i.txt", "audio\ttext\na.wav\thi"),
        ("i.csv", b'\xef\xbb\xbf"audio","text"\r\n"a.wav","hi"\r\n'),
        ("i.jsonl", b'\xef\xbb\xbf{"audio": "a.wav", "text": "hi"}\r\n\r\n'),
        ("i.ndjson", '{"text": "hi", "audio": "a.wav", "speaker": null}'),
    ],
)  # fmt: skip
def test_marks_line_ends_and_blanks_do_not_matter(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert table(tmp_path, name, content).select("path", "text", "error").rows() == [("a.wav", "hi", None)]


def test_quotes_are_text_in_tsv_and_quotes_in_csv(tmp_path: Path) -> None:
    assert table(tmp_path, "i.tsv", 'audio\ttext\na.wav\t"hi\nb.wav\tsay "x"\n')["text"].to_list() == ['"hi', 'say "x"']
    rows = table(tmp_path, "i.csv", 'audio,text\na.wav,"one, two\nthree ""four"""\nb.wav,\n')
    assert rows["text"].to_list() == ['one, two\nthree "four"', None]
    assert rows["text_from"].to_list() == ["given", None]


def test_numbers_in_jsonl_are_text_and_late_keys_are_seen(tmp_path: Path) -> None:
    lines = '{"audio": "a.wav", "speaker": 7}\n' * 200 + '{"audio": "b.wav", "speaker": "x", "text": "late"}\n'
    rows = table(tmp_path, "i.jsonl", lines)
    assert rows.height == 201
    assert rows.filter(pl.col("path") == "b.wav").select("speaker", "text").row(0) == ("x", "late")
    assert rows["speaker"][0] == "7"


def test_parquet_of_any_types_is_read(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    day = datetime.datetime(2026, 1, 2)
    odd = {
        "when": [day],
        "bytes": [b"\xff"],
        "long": [datetime.timedelta(1)],
        "list": [[1, 2]],
        "none": [None],
        "n": [3],
    }
    pl.DataFrame({"audio": ["a.wav"], "text": ["hi"], **odd}).write_parquet(tmp_path / "i.parquet")
    row = read(tmp_path, "i.parquet").row(0, named=True)
    assert (row["text"], row["list"], row["n"], row["none"]) == ("hi", "[1, 2]", "3", None)
    assert row["when"].startswith("2026-01-02")
    assert "bytes" not in row


def test_columns_of_ours_are_found_under_their_names(tmp_path: Path) -> None:
    content = "file\taudio\ttext\twho\na.wav\tnot this\thi\tmina\n"
    row = table(tmp_path, "i.tsv", content, 'language = "ko"\ncolumns = { audio = "file", speaker = "who" }').row(
        0, named=True
    )
    assert (row["path"], row["text"], row["speaker"], row["given_audio"]) == ("a.wav", "hi", "mina", "not this")


def test_a_column_given_to_one_of_ours_is_not_taken_for_another(tmp_path: Path) -> None:
    row = table(tmp_path, "i.tsv", "text\tx\na.wav\t1\n", 'language = "ko"\ncolumns = { audio = "text" }').row(
        0, named=True
    )
    assert (row["path"], row["text"], row["x"]) == ("a.wav", None, "1")


def test_columns_with_our_names_are_kept_aside(tmp_path: Path) -> None:
    names = [
        "id",
        "path",
        "seconds",
        "drop",
        "error",
        "source",
        "split",
        "sha256",
        "asked",
        "was_asked",
        "cannot",
        "spoken_new",
    ]
    content = "audio\t" + "\t".join(names) + "\tmine\na.wav\t" + "\t".join(f"<{n}>" for n in names) + "\tm\n"
    row = table(tmp_path, "i.tsv", content).row(0, named=True)
    assert (row["path"], row["seconds"], row["drop"], row["error"], row["source"]) == ("a.wav", 0.1, None, None, "s")
    assert {row[f"given_{name}"] for name in names} == {f"<{name}>" for name in names}
    assert row["mine"] == "m"


@pytest.mark.parametrize("header", ["text\ttext", "text\t text", "id\tgiven_id", "\t"])
def test_columns_that_would_share_a_name_are_both_kept(tmp_path: Path, header: str) -> None:
    rows = table(tmp_path, "i.tsv", f"audio\t{header}\na.wav\tfirst\tsecond\n")
    assert {"first", "second"} <= set(map(str, rows.row(0)))
    assert rows["text"][0] in ("first", None)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("i.tsv", "", "i.tsv is empty; it needs a header line and rows"),
        ("i.tsv", "\n", "i.tsv is empty"),
        ("i.tsv", "audio\ttext\n", "i.tsv has no rows below its header line"),
        ("i.csv", "audio,text\n", "i.csv has no rows"),
        ("i.tsv", "audio\ttext\n\t\n\t\n", "i.tsv has no rows"),
        ("i.jsonl", "", "i.jsonl"),
        ("i.jsonl", '{"audio": "a.wav"\n', "i.jsonl cannot be read"),
        ("i.jsonl", "[1]\n", "i.jsonl cannot be read"),
        ("i.jsonl", "not json\n", "i.jsonl cannot be read"),
        ("i.jsonl", '[{"audio": "a.wav"}]\n', "line 1 is no JSON object; write an object a line"),
        ("i.jsonl", "[" * 100_000, "line 1 is no JSON; write an object a line"),
        (
            "i.tsv",
            "a.wav\thi\nb.wav\tho\n",
            "begins with a row, not with names of columns (a.wav, hi); say header = false",
        ),
        ("i.parquet", b"PAR1 and no more", "i.parquet cannot be read"),
        ("i.xlsx", "x", "i.xlsx ends in none of .tsv, .txt, .csv"),
        ("i.tsv", "file\ttext\na.wav\thi\n", "i.tsv has no column 'audio' (file, text); say columns = { audio ="),
        ("i.csv", "audio;text\na.wav;hi\n", 'i.csv is one field (audio;text); say separator = ";" if'),
        ("i.tsv", "audio,text\na.wav,hi\n", 'i.tsv is one field (audio,text); say separator = "," if'),
        ("i.csv", "audio\ttext\na.wav\thi\n", 'i.csv is one field (audio\\u0009text); say separator = "\\t" if'),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line_with_its_name(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    with pytest.raises(UserError) as caught:
        table(tmp_path, name, content)
    assert said in str(caught.value)
    assert str(caught.value).startswith("source s: ")
    assert "\n" not in str(caught.value)


def test_half_a_letter_in_json_becomes_a_mark_and_stops_nothing(tmp_path: Path) -> None:
    content = (
        r'{"audio": "a.wav", "text": "\ud83d 말", "x\udc00": ["\ud83d"]}'
        + "\n"
        + '{"audio": "b.wav", "text": "\\\\ud8"}'
    )
    rows = table(tmp_path, "i.jsonl", content)
    assert rows["text"].to_list() == ["\ufffd 말", r"\ud8"]
    assert rows["x\ufffd"][0] == '["\ufffd"]'


def test_recordings_inside_a_table_are_no_paths(tmp_path: Path) -> None:
    pl.DataFrame({"audio": [{"path": "a.wav", "bytes": b"RIFF"}], "text": ["hi"]}).write_parquet(tmp_path / "i.parquet")
    assert "i.parquet has no column 'audio'" in refused(tmp_path, "i.parquet")


def test_a_column_that_the_recipe_names_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no column 'who' \(audio\); say columns = { speaker"):
        table(tmp_path, "i.tsv", "audio\na.wav\n", 'language = "ko"\ncolumns = { speaker = "who" }')
    with pytest.raises(UserError, match=r"no column 'language' .* say language = \"km\" or \"ko\""):
        table(tmp_path, "i.tsv", "audio\na.wav\n", "")


def test_missing_tables_and_folders_name_the_key_to_mend(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert "no table at" in refused(tmp_path, "x.tsv")
    assert "mend source.s.path" in refused(tmp_path, "x.tsv")
    assert 'use kind = "folder"' in refused(tmp_path, "in")
    assert "no folder at" in refused(tmp_path, "recipe.toml", kind="folder")
    assert "no audio files under" in refused(tmp_path, "in", kind="folder")
    assert 'needs `language = "km"` or "ko"' in refused(tmp_path, "in", kind="folder", more="")


# ---- languages


def test_an_unknown_or_absent_language_is_said_of_its_row_and_stops_nothing(tmp_path: Path) -> None:
    content = "audio\tlanguage\na.wav\tko\na.wav\tfr\na.wav\t\nb.wav\tKM\n"
    rows = table(tmp_path, "i.tsv", content, "")
    assert rows["error"].to_list() == [
        None,
        "language fr is not known; it must be one of km, ko",
        "language (none) is not known; it must be one of km, ko",
        "language KM is not known; it must be one of km, ko",
    ]
    with_default = table(tmp_path, "i.tsv", content.replace("KM", "km"))
    assert with_default["language"].to_list() == ["ko", "fr", "ko", "km"]


# ---- files that are not what they should be


def test_a_bad_file_is_a_row_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "junk.wav").write_bytes(b"RIFF and rubbish")
    (tmp_path / "folder.wav").mkdir()
    soundfile.write(tmp_path / "zero.wav", np.zeros(0, np.float32), RATE)
    os.mkfifo(tmp_path / "pipe.wav")
    names = ["empty.wav", "junk.wav", "folder.wav", "zero.wav", "pipe.wav", "gone.wav", "n\0l.wav", "a" * 5000, "", "."]
    rows = table(tmp_path, "i.tsv", "audio\ttext\n" + "".join(f"{name}\tx\n" for name in [*names, "a.wav"]))
    said = dict(rows.select("path", "error").rows())
    assert said["a.wav"] is None
    assert said["empty.wav"] == "an empty file"
    assert said["zero.wav"] == "no samples"
    assert said["folder.wav"] == said["."] == "a folder"
    assert said["pipe.wav"] == "not a file"
    assert said["gone.wav"] == said["n\0l.wav"] == "no such file"
    assert said["a" * 5000] == "File name too long"
    assert said[""] == "i.tsv, line 10: no audio named in this row"
    assert said["junk.wav"]
    assert rows.filter(pl.col("path") == "junk.wav")["sha256"].item() is not None


def test_paths_may_be_absolute_lead_out_and_hold_any_letter(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    sound(tmp_path / "outside.wav")
    sound(tmp_path / "other" / "with space ភាសា.wav")
    names = [f"{tmp_path}/outside.wav", "../other/with space ភាសា.wav", "..\\outside.wav"]
    rows = table(inner, "i.tsv", "audio\n" + "".join(f"{name}\n" for name in names))
    assert rows["path"].to_list() == ["../other/with space ភាសា.wav", "../outside.wav", "../outside.wav"]
    assert rows["error"].to_list() == [None] * 3


# ---- folders


def test_a_folder_gives_every_audio_file_below_it_and_nothing_else(tmp_path: Path) -> None:
    top = tmp_path / "rec"
    wanted = ["a.WAV", "deep/er/b.wav", "new\nline.wav", "with space.wav", "x.wav/inner.wav", "ភាសា.wav"]
    for name in wanted:
        sound(top / name)
    for name in (".hidden.wav", ".folder/a.wav", "__MACOSX/a.wav"):
        sound(top / name)
    (top / "notes.txt").write_text("x")
    os.symlink(top / "a.WAV", top / "link.wav")
    os.symlink(top, top / "loop")
    rows = read(tmp_path, "rec", kind="folder")
    assert rows["path"].to_list() == sorted([*wanted, "link.wav"])
    assert rows["error"].to_list() == [None] * 7
    assert rows["id"].n_unique() == 7


def test_a_corpus_inside_the_folder_is_no_recording(tmp_path: Path) -> None:
    sound(tmp_path / "rec" / "a.wav")
    sound(tmp_path / "rec" / "corpus" / "clips" / "x.flac")
    assert read(tmp_path, "rec", kind="folder").height == 2
    (tmp_path / "rec" / "corpus" / "ingested.parquet").write_bytes(b"")
    assert read(tmp_path, "rec", kind="folder")["path"].to_list() == ["a.wav"]


def test_a_name_that_is_not_utf8_and_a_link_to_nothing_stop_nothing(tmp_path: Path) -> None:
    sound(tmp_path / "rec" / "a.wav")
    os.symlink(tmp_path / "nowhere.wav", tmp_path / "rec" / "b.wav")
    try:
        shutil.copy(tmp_path / "rec" / "a.wav", os.fsencode(tmp_path / "rec") + b"/\xff.wav")
    except OSError:
        pytest.skip("this file system holds no names that are not UTF-8")
    rows = read(tmp_path, "rec", kind="folder")
    assert rows["error"].to_list() == [None, "no such file", "the name of the file is not UTF-8; rename it"]
