"""Own recordings as they lie: tables of any shape and encoding, folders with subtitles, video; nothing lost."""

import os
import unicodedata
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from curate import manifest
from curate.ingest import ingest
from curate.ingest.lines import encoding_of, lines
from curate.recipe import Recipe, load
from tests.curate.ingest.corpora import RATE, found, refused, rows, sound, write

# ---- encodings and lines


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32-le"),
        ("cp949", "cp949"),
        ("euc-kr", "cp949"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_are_told_apart(tmp_path: Path, encoding: str, named: str, end: str) -> None:
    text = f"audio\ttext{end}a.wav\t그는 커피를 마신다{end}b.wav\t똠방각하{end}".replace(
        "똠", "똑" if encoding == "euc-kr" else "똠"
    )
    content = text.encode(encoding)
    assert encoding_of(content) == named
    sound(tmp_path / "a.wav")
    sound(tmp_path / "b.wav")
    write(tmp_path / "i.tsv", text, encoding)
    frame = rows(tmp_path / "i.tsv", "table")
    assert frame["text"].to_list() == ["그는 커피를 마신다", text.split(end)[2].split("\t")[1]]
    assert frame["error"].null_count() == 2


def test_khmer_in_utf16_without_a_mark() -> None:
    content = "khm_0995_1957158632\t\tអារីស្តូត ជា ទស្សនវិទូ\n".encode("utf-16-le")
    assert [line.text for line in lines(content)] == ["khm_0995_1957158632\t\tអារីស្តូត ជា ទស្សនវិទូ"]


def test_a_line_that_is_not_of_the_encoding_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    for name in "abc":
        sound(tmp_path / f"{name}.wav")
    good = ["a.wav\t가나다", "c.wav\t라마바"]
    content = b"audio\ttext\n" + good[0].encode() + b"\nb.wav\t\xb9\xae\xc0\xe5\n" + good[1].encode() + b"\n"
    (tmp_path / "i.tsv").write_bytes(content)
    frame = rows(tmp_path / "i.tsv", "table")
    assert frame["error"].to_list() == [None, "i.tsv, line 3 is not UTF-8", None]
    assert frame["text"].to_list() == ["가나다", None, "라마바"]
    given = rows(tmp_path / "i.tsv", "table", encoding="ascii")
    assert given["error"].null_count() == 0


def test_only_line_ends_end_lines(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    text = "가\u2028나\u0085다\x0b라\x0c마\x1c바"
    write(tmp_path / "i.tsv", f"audio\ttext\na.wav\t{text}\n")
    assert rows(tmp_path / "i.tsv", "table")["text"].item() == text


@pytest.mark.parametrize(
    "text", ["나\u200b다", unicodedata.normalize("NFD", "한국"), "\ufeff가", " 가 ", "ក\u17d2ខ\u200bគ", '"', "\u00a0x"]
)
@pytest.mark.parametrize("name", ["i.tsv", "i.jsonl", "i.csv", "i.parquet"])
def test_a_text_keeps_every_code_point(tmp_path: Path, text: str, name: str) -> None:
    sound(tmp_path / "a.wav")
    frame = pl.DataFrame({"audio": ["a.wav"], "text": [text]})
    if name == "i.tsv":
        write(tmp_path / name, f"audio\ttext\na.wav\t{text}\n")
    elif name == "i.jsonl":
        frame.write_ndjson(tmp_path / name)
    elif name == "i.csv":
        frame.write_csv(tmp_path / name)
    else:
        frame.write_parquet(tmp_path / name)
    assert rows(tmp_path / name, "table")["text"].item() == text


# ---- tables


def test_ragged_lines_have_their_number_and_the_rest_is_read(tmp_path: Path) -> None:
    for name in "abcd":
        sound(tmp_path / f"{name}.wav")
    write(tmp_path / "i.tsv", "audio\ttext\twho\na.wav\t가\tx\n\nb.wav\t나\ty\tz\nc.wav\nd.wav\t라\n")
    frame = rows(tmp_path / "i.tsv", "table")
    assert dict(frame.select("path", "error").rows()) == {
        "a.wav": None,
        "b.wav": "i.tsv, line 4 has 4 fields, not 3",
        "c.wav": "i.tsv, line 5 has 1 fields, not 3",
        "d.wav": None,
    }
    assert frame["text"].to_list() == ["가", None, None, "라"]


def test_csv_quotes_that_are_not_closed_swallow_no_rows(tmp_path: Path) -> None:
    for name in "abcd":
        sound(tmp_path / f"{name}.wav")
    write(
        tmp_path / "i.csv",
        'audio,text\na.wav,"그는 말했다\nb.wav,say "x" now\nc.wav,"둘, 셋\n넷 ""다섯"""\nd.wav,one, two\n',
    )
    frame = rows(tmp_path / "i.csv", "table")
    assert frame["text"].to_list() == ['"그는 말했다', 'say "x" now', '둘, 셋\n넷 "다섯"', None]
    assert frame["error"].to_list() == [None, None, None, "i.csv, line 6 has 3 fields, not 2"]


def test_jsonl_with_a_broken_line(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    write(tmp_path / "i.jsonl", '{"audio": "a.wav", "text": "가"}\n{"audio": \n[1]\n')
    frame = rows(tmp_path / "i.jsonl", "table")
    assert frame["error"].to_list() == ["i.jsonl, line 2 is no JSON", "i.jsonl, line 3 is no JSON object", None]


def test_without_a_header_columns_have_numbers(tmp_path: Path) -> None:
    sound(tmp_path / "wavs" / "kim_1.wav")
    sound(tmp_path / "wavs" / "lee_2.wav")
    write(tmp_path / "list.txt", "kim_1|x|가 나\nlee_2|y|다\nlee_3|z|라|마\n", "cp949")
    frame = rows(
        tmp_path / "list.txt",
        "table",
        header=False,
        separator="|",
        columns={"audio": "1", "text": "3"},
        audio="wavs/{audio}.wav",
        speaker="^wavs/(.*?)_",
        encoding="cp949",
    )
    assert frame.select("path", "text", "speaker", "2").rows() == [
        ("wavs/kim_1.wav", "가 나", "kim", "x"),
        ("wavs/lee_2.wav", "다", "lee", "y"),
        ("wavs/lee_3.wav", None, "lee", "z"),
    ]
    assert frame["error"][2] == "list.txt, line 3 has 4 fields, not 3"
    assert "has no column 'audio' (1, 2, 3); say columns = { audio = \"1\" }" in refused(
        tmp_path / "list.txt", "table", header=False, separator="|"
    )
    assert "no column 'who' that source.s.audio names" in refused(
        tmp_path / "list.txt", "table", header=False, separator="|", columns={"audio": "1"}, audio="{who}/{audio}.wav"
    )


def test_spans_in_seconds_within_long_recordings(tmp_path: Path) -> None:
    sound(tmp_path / "long.wav", 10.0)
    lines_ = [
        "long.wav\t가\t0.5\t1.25",
        "long.wav\t나\t1.25\t",
        "long.wav\t다\t9\t10.2",
        "long.wav\t라\t9\t12",
        "long.wav\t마\t3\t2",
        "long.wav\t바\t-1\t2",
        "long.wav\t사\tx\t2",
        "long.wav\t아\tnan\t2",
        "long.wav\t자\t\t",
        "long.wav\t차\t12\t",
    ]
    write(tmp_path / "i.tsv", "audio\ttext\tstart\tend\n" + "\n".join(lines_))
    said = {row["text"]: row for row in rows(tmp_path / "i.tsv", "table").rows(named=True)}
    assert (said["가"]["start"], said["가"]["end"], said["가"]["seconds"]) == (4000, 10000, 0.75)
    assert (said["나"]["start"], said["나"]["end"]) == (10000, 80000)
    assert (said["다"]["start"], said["다"]["end"], said["다"]["error"]) == (72000, 80000, None)
    assert (said["자"]["start"], said["자"]["seconds"]) == (None, 10.0)
    assert [text for text, row in said.items() if row["error"]] == ["라", "마", "바", "사", "아", "차"] or {
        text for text, row in said.items() if row["error"]
    } == set("라마바사아차")
    assert said["라"]["error"] == "the span 9.0 to 12.0 s is not within the file, which has 10.0 s"
    assert said["가"]["id"] == manifest.clip_id("s", "long.wav", 4000, 10000)
    assert len({row["id"] for row in said.values()}) == len(lines_)


def test_rows_may_have_their_own_licence(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    sound(tmp_path / "b.wav")
    write(tmp_path / "i.tsv", "audio\tlic\tby\na.wav\tCC-BY-4.0\tKim\nb.wav\t\t\n")
    frame = rows(tmp_path / "i.tsv", "table", columns={"licence": "lic", "attribution": "by"}, attribution="Lab")
    assert frame.select("licence", "attribution").rows() == [("CC-BY-4.0", "Kim"), ("own", "Lab")]
    assert {"lic", "by"}.isdisjoint(frame.columns)


# ---- nothing lost


def test_files_without_a_row_are_named_and_rows_out_are_rows_in(tmp_path: Path) -> None:
    for name in ("a.wav", "extra.WAV", "sub/deep.flac", "._a.wav", ".hidden/x.wav", "__MACOSX/y.wav"):
        sound(tmp_path / name, format="FLAC" if name.endswith("flac") else "WAV")
    write(tmp_path / "notes.md", "x")
    write(tmp_path / "i.tsv", "audio\ttext\na.wav\t가\na.wav\t가\ngone.wav\t나\n\t다\n")
    ingested = found(tmp_path / "i.tsv", "table")
    assert ingested.unlisted == {"s": ["extra.WAV", "sub/deep.flac"]}
    assert ingested.rows.height == 4
    assert ingested.rows["error"].to_list() == ["i.tsv, line 5: no audio named in this row", None, None, "no such file"]
    assert ingested.rows["id"].n_unique() == 4


def test_what_another_source_names_is_not_left_over(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav", "radio/c.wav", "d.wav"):
        sound(tmp_path / name)
    for number, name in enumerate(("a.wav", "b.wav")):
        write(tmp_path / f"{number}.tsv", f"audio\n{name}\n")
    sources = [
        {"id": f"t{n}", "kind": "table", "path": str(tmp_path / f"{n}.tsv"), "licence": "own", "language": "ko"}
        for n in (0, 1)
    ]
    sources.append(
        {"id": "radio", "kind": "folder", "path": str(tmp_path / "radio"), "licence": "own", "language": "ko"}
    )
    from curate.ingest import read

    assert read(Recipe.model_validate({"source": sources})).unlisted == {"t0": ["d.wav"], "t1": ["d.wav"], "radio": []}


def test_a_missing_file_is_not_taken_from_another_folder(tmp_path: Path) -> None:
    sound(tmp_path / "old" / "a.wav")
    write(tmp_path / "i.tsv", "audio\na.wav\n")
    assert rows(tmp_path / "i.tsv", "table")["error"].item() == "no such file"
    sound(tmp_path / "A.wav")
    assert rows(tmp_path / "i.tsv", "table").select("path", "error").row(0) == ("A.wav", None)
    sound(tmp_path / "a.WAV", format="WAV")  # two that could be meant
    assert rows(tmp_path / "i.tsv", "table")["error"].item() == "no such file"


def test_linked_folders_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    sound(tmp_path / "disk" / "a.wav")
    top = tmp_path / "rec"
    sound(top / "z" / "b.wav")
    os.symlink(tmp_path / "disk", top / "linked")
    os.symlink(tmp_path / "disk", top / "linked-again")
    os.symlink(top / "z", top / "a-link-to-z")
    os.symlink(top, top / "z" / "loop")
    os.symlink("round", top / "round")
    os.symlink(tmp_path / "nowhere", top / "nothing")
    frame = rows(top, "folder")
    assert frame["path"].to_list() == ["linked/a.wav", "z/b.wav"]


def test_a_file_that_is_linked_in_a_circle_is_told(tmp_path: Path) -> None:
    os.symlink("b.wav", tmp_path / "a.wav")
    os.symlink("a.wav", tmp_path / "b.wav")
    assert rows(tmp_path, "folder")["error"].to_list() == ["Too many levels of symbolic links"] * 2


def test_an_unreadable_folder_is_a_row_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound(tmp_path / "rec" / "a.wav")
    (tmp_path / "rec" / "shut").mkdir()
    scan = os.scandir

    def refuse(path: str) -> object:  # permissions do not hold a superuser, who may run the tests
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert rows(tmp_path / "rec", "folder").select("path", "error").rows() == [
        ("a.wav", None),
        ("shut", "a folder that cannot be listed: Permission denied"),
    ]


# ---- folders with texts


SRT = (
    "1\r\n00:00:00,500 --> 00:00:01,250\r\n<i>첫째</i> 줄\r\n둘째 줄\r\n\r\n"
    + "2\r\n00:00:02,000 --> 00:00:03,000\r\n다음\r\n"
)
VTT = (
    "WEBVTT\n\nNOTE x\n\n00:00.500 --> 00:01.250 align:start\n<v 김 철수>첫째 &amp; 둘째</v>\n\n"
    + "c2\n00:02.000 --> 00:03.000\n다음\n"
)


def textgrid(tiers: dict[str, list[tuple[float, float, str]]]) -> str:
    made = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 4\ntiers? <exists>\n'
    made += f"size = {len(tiers)}\nitem []:\n"
    for number, (name, spans) in enumerate(tiers.items(), 1):
        made += f'    item [{number}]:\n        class = "IntervalTier"\n        name = "{name}"\n'
        made += "        xmin = 0\n        xmax = 4\n"
        made += f"        intervals: size = {len(spans)}\n"
        for at, (start, end, text) in enumerate(spans, 1):
            quoted = text.replace('"', '""')
            made += f"        intervals [{at}]:\n            xmin = {start}\n            xmax = {end}\n"
            made += f'            text = "{quoted}"\n'
    return made


GRID = {"text": [(0, 0.5, ""), (0.5, 1.25, '첫 "째" 3.5'), (1.25, 2, ""), (2, 3, "다음")], "words": [(0, 4, "x")]}


@pytest.mark.parametrize(
    ("name", "content", "encoding", "texts"),
    [
        ("a.srt", SRT, "utf-8-sig", ["첫째 줄\n둘째 줄", "다음"]),
        ("a.ko.srt", SRT, "cp949", ["첫째 줄\n둘째 줄", "다음"]),
        ("a.wav.srt", SRT.replace("\r\n", "\n"), "utf-16", ["첫째 줄\n둘째 줄", "다음"]),
        ("A.VTT", VTT, "utf-8", ["첫째 & 둘째", "다음"]),
        ("a.TextGrid", textgrid(GRID), "utf-8", ['첫 "째" 3.5', "다음"]),
        ("a.TextGrid", textgrid(GRID), "utf-16", ['첫 "째" 3.5', "다음"]),
    ],
)
def test_texts_with_times_beside_a_recording(
    tmp_path: Path, name: str, content: str, encoding: str, texts: list[str]
) -> None:
    sound(tmp_path / "a.wav", 4.0)
    write(tmp_path / name, content, encoding)
    frame = rows(tmp_path, "folder")
    assert frame.select("start", "end", "text").rows() == [(4000, 10000, texts[0]), (16000, 24000, texts[1])]
    assert frame["error"].null_count() == 2
    assert frame["speaker"][0] == ("김 철수" if name == "A.VTT" else None)


def test_tiers_of_a_textgrid_are_speakers(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 4.0)
    write(
        tmp_path / "a.TextGrid",
        textgrid({"kim": [(0, 1, "가")], "lee": [(1, 2, "나"), (2, 4, "")], "kim - phones": [(0, 4, "k")]}),
    )
    assert rows(tmp_path, "folder").select("speaker", "text", "start").rows() == [("kim", "가", 0), ("lee", "나", 8000)]


def test_a_short_textgrid_is_the_same(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 4.0)
    write(
        tmp_path / "a.TextGrid",
        '"ooTextFile"\n"TextGrid"\n\n0\n4\n<exists>\n1\n"IntervalTier"\n"text"\n0\n4\n2\n0\n1\n"가"\n1\n4\n""\n',
    )
    assert rows(tmp_path, "folder").select("text", "start", "end").rows() == [("가", 0, 8000)]


def test_a_text_beside_a_clip_is_its_text(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    sound(tmp_path / "b.flac")
    write(tmp_path / "a.txt", " 문장 하나\r\n", "cp949")
    write(tmp_path / "gone.txt", "문장")
    frame = rows(tmp_path, "folder")
    assert frame.select("path", "text", "error").rows() == [
        ("a.wav", " 문장 하나", None),
        ("b.flac", None, None),
        ("gone.txt", None, "a text without a recording beside it"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.srt", "1\n00:00:xx --> 00:00:01,000\n가\n", "a.srt, line 2 is no time"),
        ("a.srt", "", "a.srt holds no text with its times"),
        (
            "a.TextGrid",
            '"ooTextFile"\n"TextGrid"\n0\n4\n<exists>\n1\n"IntervalTier"\n"text"\n0\n4\n9\n0\n1\n"가"\n',
            "a.TextGrid is cut short",
        ),
        ("a.srt", "1\n00:00:01,000 --> 00:00:09,000\n가\n", "the span 1.0 to 9.0 s is not within"),
    ],
)
def test_texts_that_cannot_be_used_are_told(tmp_path: Path, name: str, content: str, said: str) -> None:
    sound(tmp_path / "a.wav", 4.0)
    write(tmp_path / name, content)
    frame = rows(tmp_path, "folder")
    assert frame.height == 1
    assert said in frame["error"].item()


def test_the_sound_of_a_video_is_read(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "talk.mp4"), "w") as made:
        picture = made.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        speech = made.add_stream("aac", rate=16000)
        for _ in range(10):
            made.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        wave = (0.3 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.rate = 16000
        made.mux(speech.encode(frame))
        for stream in (picture, speech):
            made.mux(stream.encode(None))
    write(tmp_path / "talk.srt", "1\n00:00:00,250 --> 00:00:00,750\n가\n")
    row = rows(tmp_path, "folder").row(0, named=True)
    assert (row["path"], row["rate"], row["start"], row["end"], row["error"]) == ("talk.mp4", 16000, 4000, 12000, None)
    assert row["codec"].endswith("/AAC")


# ---- again


def test_ids_of_tables_and_folders_are_what_they_were(tmp_path: Path) -> None:
    sound(tmp_path / "sub" / "a.wav")
    write(tmp_path / "i.tsv", "audio\nsub/a.wav\n")
    assert rows(tmp_path / "i.tsv", "table")["id"].item() == manifest.clip_id("s", "sub/a.wav", None, None)
    assert rows(tmp_path, "folder")["id"].item() == manifest.clip_id("s", "sub/a.wav", None, None)


def test_a_recipe_file_reads_the_same(tmp_path: Path) -> None:
    sound(tmp_path / "wavs" / "a.wav", 1.0)
    write(tmp_path / "i.txt", "a|가\n")
    write(
        tmp_path / "recipe.toml",
        '[[source]]\nid = "s"\nkind = "table"\npath = "i.txt"\nlicence = "own"\nlanguage = "ko"\nheader = false\n'
        'separator = "|"\naudio = "wavs/{audio}.wav"\ncolumns = { audio = "1", text = "2" }\n',
    )
    frame = ingest(load(tmp_path / "recipe.toml"))
    assert frame.select("path", "text", "frames").rows() == [("wavs/a.wav", "가", RATE)]


# ---- sessions and published splits


def test_a_table_may_name_sessions_and_splits_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sound(tmp_path / f"{name}.wav")
    write(tmp_path / "x.tsv", "audio\ttext\tsession\tsplit\na.wav\t말\tday 1\ttrain\nb.wav\t글\t\tdev\n")
    frame = rows(tmp_path / "x.tsv", "table")
    assert frame["session"].to_list() == ["day 1", None]
    assert frame["given_split"].to_list() == ["train", "dev"]
    assert frame["split"].null_count() == 2
    write(tmp_path / "y.tsv", "audio\ttext\tsitting\na.wav\t말\tday 1\nb.wav\t글\tday 2\n")
    frame = rows(tmp_path / "y.tsv", "table", columns={"session": "sitting"})
    assert frame["session"].to_list() == ["day 1", "day 2"]
    assert "sitting" not in frame.columns
